// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// candidate is one way to have a request answered.
type candidate struct {
	exit Exit
	path Path
}

// key tells candidates apart across looks at the directory.
func (c candidate) key() string { return string(c.exit.Hash) + "@" + c.path.Relay.String() }

// choose returns the candidates for a request, the one to try first at the front. When there are none
// it asks the relays again before it says so.
func (p *proxy) choose(ctx context.Context, q *request) ([]candidate, *dialect.Error) {
	var found []candidate
	p.refreshed(ctx, func(exits []Exit) bool {
		found = p.candidates(q, exits)
		return len(found) > 0
	})
	if len(found) == 0 {
		return nil, p.noCandidate(q)
	}
	return found, nil
}

// candidates orders the exits, those that need not translate first, and the paths to each at random.
func (p *proxy) candidates(q *request, exits []Exit) []candidate {
	need := route.Need{Protocols: q.op.Reaches(), Model: q.match()}
	var all []candidate
	for _, e := range route.Order(p.cfg.policy(), exits, need, rand.Shuffle) {
		first := len(all)
		for _, path := range e.Paths {
			all = append(all, candidate{exit: e, path: path})
		}
		paths := all[first:]
		rand.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	}
	return all
}

// match reports whether a published id means the model that the request asks for.
func (q *request) match() func(id string) bool {
	return func(id string) bool { return dialect.SameModel(q.op.Protocol, id, q.model) }
}

// noCandidate says why nothing can serve a request, and what can be done.
func (p *proxy) noCandidate(q *request) *dialect.Error {
	exits := p.directory.list(time.Now())
	if fail := p.noExits(exits); fail != nil {
		return fail
	}
	offer := route.Offered(p.cfg.policy(), exits)
	anywhere := route.Offered(route.Policy{}, exits).With(q.match())
	code := dialect.CodeNoExit
	var why string
	switch {
	case len(anywhere) == 0:
		code = dialect.CodeUnknownModel
		why = fmt.Sprintf("No exit within reach offers the model %q.", service.Printable(q.model, maxNameRunes))
	case slices.ContainsFunc(anywhere, func(proto service.Protocol) bool { return slices.Contains(q.op.Reaches(), proto) }):
		why = fmt.Sprintf("The model %q is offered over %s, but only by exits that this client's policy rules out.",
			service.Printable(q.model, maxNameRunes), join(anywhere))
	default:
		why = fmt.Sprintf("The model %q is offered over %s, not over %s; use it through that protocol's address.",
			service.Printable(q.model, maxNameRunes), join(anywhere), q.op.Protocol)
	}
	return &dialect.Error{Code: code, Message: why + " " + onOffer(offer, q)}
}

// noExits says why no exit at all is known, or nil when there are some.
func (p *proxy) noExits(exits []Exit) *dialect.Error {
	if len(exits) > 0 {
		return nil
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
func onOffer(offer route.Offer, q *request) string {
	protocols := offer.Protocols()
	if len(protocols) == 0 {
		return "No exit that this client may use offers any model."
	}
	slices.SortStableFunc(protocols, func(a, b service.Protocol) int {
		return cmp.Compare(distance(a, q.op.Protocol), distance(b, q.op.Protocol))
	})
	var parts []string
	for _, proto := range protocols {
		names, more := offer.Nearest(proto, q.model, maxNamesInMessage)
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

func join(protocols []service.Protocol) string {
	words := make([]string, len(protocols))
	for i, p := range protocols {
		words[i] = string(p)
	}
	return strings.Join(words, ", ")
}
