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

// noCandidate says why nothing can serve a request, and what can be done.
func (p *proxy) noCandidate(c *course) *dialect.Error {
	if fail := p.noExits(p.directory.list(time.Now())); fail != nil {
		return fail
	}
	op, why := c.request.op, c.plan.Err()
	models := c.request.demand.route.Models
	if len(why.Unknown) == len(models) {
		return p.noModel(op, models[0])
	}
	e := &dialect.Error{Code: dialect.CodeNoExit, Message: fmt.Sprintf("No exit can serve the model %q as asked: %s.",
		service.Printable(models[0], maxNameRunes), excuses(why))}
	switch {
	case excludedBy(why, route.ProtocolCannot):
		e.Message = fmt.Sprintf("The model %q is offered over %s, not over %s; use it through that protocol's address. %s",
			service.Printable(models[0], maxNameRunes), p.protocolsOf(models[0]), op.Protocol, onOffer(p.router.chooser.Offer(), op, models[0]))
	case excludedBy(why, route.ProtocolCannot, route.ContextTooSmall):
		return &dialect.Error{Code: dialect.CodeContextLength} // in the words by which agents know it
	case excludedBy(why, route.ProtocolCannot, route.ContextTooSmall, route.LacksFeature, route.LacksModality, route.NotListed):
		e.Code = dialect.CodeInvalidRequest // to ask again would not help
	case !why.RetryAt.IsZero():
		e.Code = dialect.CodeExitBusy
		e.RetryAfter = strconv.Itoa(int(math.Ceil(max(1, time.Until(why.RetryAt).Seconds()))))
	default:
		e.Message += " `tokengo why` shows what is in the way of each exit."
	}
	return e
}

// protocolsOf lists the native protocols of a model.
func (p *proxy) protocolsOf(model string) string {
	var names []string
	for _, m := range p.router.chooser.Offered(service.Protocols(), model) {
		if name := string(m.Protocol); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
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

// excuses are the reasons in words, those of most candidates first.
func excuses(why *route.NoCandidate) string {
	reasons := slices.Sorted(maps.Keys(why.Excluded))
	slices.SortStableFunc(reasons, func(a, b route.Reason) int { return why.Excluded[b] - why.Excluded[a] })
	var parts []string
	for _, tier := range why.OverBudget {
		parts = append(parts, fmt.Sprintf("tier %s has spent its budget", service.Printable(tier, maxNameRunes)))
	}
	for _, r := range reasons {
		parts = append(parts, fmt.Sprintf("%d × %s", why.Excluded[r], r))
	}
	if len(parts) == 0 {
		return "those that could are out of reach"
	}
	return strings.Join(parts, "; ")
}

// noModel says that nobody offers a model, and what is offered instead.
func (p *proxy) noModel(op dialect.Operation, model string) *dialect.Error {
	if fail := p.noExits(p.directory.list(time.Now())); fail != nil {
		return fail
	}
	return &dialect.Error{
		Code: dialect.CodeUnknownModel,
		Message: fmt.Sprintf("No exit within reach offers the model %q. %s%s", service.Printable(model, maxNameRunes),
			leftOutText(p.directory.list(time.Now())), onOffer(p.router.chooser.Offer(), op, model)),
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
			Code: dialect.CodeNoExit,
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

// onOffer lists what could be asked for instead, the tool's own protocol and the most similar names first.
func onOffer(offer route.Offer, op dialect.Operation, model string) string {
	protocols := offer.Protocols()
	if len(protocols) == 0 {
		return "No exit that this client may use offers any model."
	}
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
	return fmt.Sprintf("On offer: %s. `tokengo exits list` shows all.", strings.Join(parts, "; "))
}

func distance(a, b service.Protocol) int {
	if a == b {
		return 0
	}
	return 1
}
