// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// longestWait is how long official SDKs should wait and ask again by themselves. They wait without a word as long as they
// are told, and their users think that nothing happens.
const longestWait = time.Minute

// noCandidate says why nothing can serve a request, and what can be done.
func (p *proxy) noCandidate(c *course) *dialect.Error {
	if fail := p.noExits(p.directory.list(time.Now())); fail != nil {
		return fail
	}
	op, why := c.request.op, c.plan.Err()
	models := c.request.demand.route.Models
	switch {
	case len(why.Unknown) == len(models):
		return p.noModel(op, models...)
	case op.Kind == dialect.Embedding && excludedBy(why, route.ProtocolCannot, route.LacksFeature):
		return p.noEmbeddings(op, models, why)
	case excludedBy(why, route.ProtocolCannot, route.ContextTooSmall):
		// The first words are those by which agents know it.
		return &dialect.Error{Code: dialect.CodeContextLength, Message: dialect.CodeContextLength.Message() + unknownText(why)}
	}
	e := &dialect.Error{Code: dialect.CodeNoExit, Message: fmt.Sprintf("No exit can serve %s as asked: %s.", theModels(models), excuses(why))}
	switch {
	case excludedBy(why, route.ProtocolCannot, route.ContextTooSmall, route.LacksFeature, route.LacksModality, route.NotListed):
		e.Code = dialect.CodeInvalidRequest
	case !why.RetryAt.IsZero():
		wait := max(time.Second, time.Until(why.RetryAt))
		e.Code = dialect.CodeExitBusy
		e.RetryAfter = strconv.Itoa(int(math.Ceil(wait.Seconds())))
		e.Lasting = wait > longestWait
	default:
		e.Lasting = why.Tried == 0 // else an exit that could is out of reach for now
		e.Message += " `tokengo why` shows what is in the way of each exit."
	}
	return e
}

// noEmbeddings says that the models make no embeddings, and which do or may.
func (p *proxy) noEmbeddings(op dialect.Operation, models []string, why *route.NoCandidate) *dialect.Error {
	reason := excuses(why)
	if excludedBy(why, route.ProtocolCannot) {
		reason = fmt.Sprintf("offered over %s alone, a protocol that has none.%s", withoutCounterpart(op), unknownText(why))
	}
	makes := func(m *service.Model) bool { return slices.Contains(m.Features, featureEmbedding) }
	silent := func(m *service.Model) bool { return len(m.Features) == 0 }
	others := "No exit that this client may use offers a model that does."
	if offer := p.offerOf(op, makes); len(offer) > 0 {
		others = "Those that do: " + listed(offer, op, models[0]) + ". `tokengo exits find --features embedding` shows all."
	} else if offer = p.offerOf(op, silent); len(offer) > 0 {
		others = "No exit says that its model does; those that may: " + listed(offer, op, models[0]) + "."
	}
	return &dialect.Error{
		Code:    dialect.CodeInvalidRequest,
		Message: fmt.Sprintf("No exit makes embeddings with %s: %s. %s", theModels(models), strings.TrimSuffix(reason, "."), others),
	}
}

// withoutCounterpart lists the protocols that have no such operation.
func withoutCounterpart(op dialect.Operation) string {
	var names []string
	for _, p := range service.Protocols() {
		if !slices.Contains(op.Reaches(), p) {
			names = append(names, string(p))
		}
	}
	return strings.Join(names, ", ")
}

// offerOf are the models that may be used for the operation and fit, by their ids.
func (p *proxy) offerOf(op dialect.Operation, fits func(*service.Model) bool) route.Offer {
	offer := route.Offer{}
	for _, m := range p.router.chooser.Offered(op.Reaches(), "") {
		if fits(m) {
			offer[m.Protocol] = append(offer[m.Protocol], m.ID)
		}
	}
	for proto, names := range offer {
		slices.Sort(names)
		offer[proto] = slices.Compact(names)
	}
	return offer
}

// theModels names the models that a request asks for.
func theModels(models []string) string {
	if len(models) == 1 {
		return "the model " + quoted(models)
	}
	return "any of the models " + quoted(models)
}

// quoted makes names printable, in their order.
func quoted(names []string) string {
	var parts []string
	for _, name := range names {
		parts = append(parts, strconv.Quote(service.Printable(name, maxNameRunes)))
	}
	return strings.Join(parts, ", ")
}

// unknownText says which of the models nobody offers, and begins with a space; empty when there are none.
func unknownText(why *route.NoCandidate) string {
	if len(why.Unknown) == 0 {
		return ""
	}
	return " No exit offers " + quoted(why.Unknown) + "."
}

// excludedBy reports whether there were candidates, and all were excluded for these reasons.
func excludedBy(why *route.NoCandidate, reasons ...route.Reason) bool {
	for r := range why.Excluded {
		if !slices.Contains(reasons, r) {
			return false
		}
	}
	return len(why.Excluded) > 0 && len(why.OverBudget) == 0 && why.Tried == 0
}

// excuses are the reasons in words, those of most candidates first, behind the models that nobody offers.
func excuses(why *route.NoCandidate) string {
	reasons := slices.Sorted(maps.Keys(why.Excluded))
	slices.SortStableFunc(reasons, func(a, b route.Reason) int { return why.Excluded[b] - why.Excluded[a] })
	var parts []string
	if len(why.Unknown) > 0 {
		parts = append(parts, "no exit offers "+quoted(why.Unknown))
	}
	for _, tier := range why.OverBudget {
		parts = append(parts, fmt.Sprintf("tier %s has spent its budget", service.Printable(tier, maxNameRunes)))
	}
	for _, r := range reasons {
		parts = append(parts, fmt.Sprintf("%d × %s%s", why.Excluded[r], r, inBrackets(why.Missing[r])))
	}
	if why.Tried > 0 || len(parts) == 0 {
		parts = append(parts, "those that could are out of reach")
	}
	return strings.Join(parts, "; ")
}

// inBrackets names a few things behind a space; empty when there are none.
func inBrackets(names []string) string {
	if len(names) == 0 {
		return ""
	}
	var parts []string
	for _, name := range names[:min(len(names), maxNamesInMessage)] {
		parts = append(parts, service.Printable(name, maxNameRunes))
	}
	if more := len(names) - len(parts); more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// noModel says that nobody offers any of the models, and what is offered instead.
func (p *proxy) noModel(op dialect.Operation, models ...string) *dialect.Error {
	if fail := p.noExits(p.directory.list(time.Now())); fail != nil {
		return fail
	}
	return &dialect.Error{
		Code: dialect.CodeUnknownModel,
		Message: fmt.Sprintf("No exit within reach offers %s. %s%s", theModels(models),
			leftOutText(p.directory.list(time.Now())), onOffer(p.router.chooser.Offer(), op, models[0])),
	}
}

// leftOut is how many exits must not be used because all relays to them have their operator.
func leftOut(exits []Exit) (n int) {
	for _, e := range exits {
		if !e.inReach() {
			n++
		}
	}
	return n
}

// leftOutText says how many exits are left out, and ends in a space; empty when none is.
func leftOutText(exits []Exit) string {
	n := leftOut(exits)
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("Exits left out because the relays to them have the same operator: %d. ", n)
}

// noExits says why no exit at all is known, or nil when there are some.
func (p *proxy) noExits(exits []Exit) *dialect.Error {
	if len(exits) > 0 && leftOut(exits) < len(exits) {
		return nil
	}
	if len(exits) > 0 {
		return &dialect.Error{
			Code: dialect.CodeNoExit, Lasting: true,
			Message: "Every exit that is connected has the same operator as the relays to it, who together would know who asks what. " +
				"Add a relay of another operator.",
		}
	}
	var down, empty []string
	for _, poller := range p.directory.pollers {
		status := poller.status()
		if status.Err != nil || status.Fetched.IsZero() {
			down = append(down, fmt.Sprintf("%s (%s)", status.Relay.Host, reason(status.Err)))
			continue
		}
		empty = append(empty, status.Relay.Host)
	}
	if len(empty) == 0 {
		return &dialect.Error{
			Code:    dialect.CodeRelayUnreachable,
			Message: fmt.Sprintf("No relay can be reached: %s. Check the network and the relay's URL.", strings.Join(down, ", ")),
		}
	}
	return &dialect.Error{
		Code: dialect.CodeNoExit,
		Message: fmt.Sprintf("No exit that this client may use is connected to %s. Try again later, or add a relay.",
			strings.Join(empty, ", ")),
	}
}

// onOffer lists what could be asked for instead.
func onOffer(offer route.Offer, op dialect.Operation, model string) string {
	if len(offer.Protocols()) == 0 {
		return "No exit that this client may use offers any model."
	}
	return fmt.Sprintf("On offer: %s. `tokengo exits list` shows all.", listed(offer, op, model))
}

// listed names a few models of each protocol, the tool's own protocol and the most similar names first.
func listed(offer route.Offer, op dialect.Operation, model string) string {
	protocols := offer.Protocols()
	slices.SortStableFunc(protocols, func(a, b service.Protocol) int {
		return cmp.Compare(distance(a, op.Protocol), distance(b, op.Protocol))
	})
	var parts []string
	for _, proto := range protocols {
		names, more := offer.Nearest(proto, model, maxNamesInMessage)
		for i, name := range names {
			names[i] = service.Printable(name, maxNameRunes)
		}
		part := fmt.Sprintf("%s: %s", proto, strings.Join(names, ", "))
		if more > 0 {
			part += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

func distance(a, b service.Protocol) int {
	if a == b {
		return 0
	}
	return 1
}
