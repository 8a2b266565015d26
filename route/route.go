// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package route chooses among exits: which of them can serve a request, which to try first, and what to think of
// them afterwards.
//
// It runs in the client and knows what the client knows: what a request needs (never its content), the service
// descriptions of the exits, and how earlier requests went. Everything it decides on was signed by an exit or measured
// by the client itself, never said by a relay. It opens no sockets and files and starts no goroutines; the clock and
// the randomness are passed in. A [Chooser] may be used by several goroutines at once.
//
//	chooser, err := route.New(route.Config{Preferences: profile})
//	chooser.Update(exits)                       // with every change of the directory
//	plan := chooser.Plan(&route.Request{
//		Protocols: []service.Protocol{service.Claude, service.OpenAI},
//		Models:    []string{"claude-sonnet-4"},
//	})
//	for c, ok := plan.Next(); ok; c, ok = plan.Next() {
//		outcome := send(c)                      // under the name c.Model.ID
//		chooser.Report(c, outcome)
//		if outcome.Result == route.Succeeded { … }
//	}
//	return plan.Err()                           // why nothing is left
//
// The parts, from what is asked to what is chosen: [Preferences] and [Request] say what is wanted; an [Index] finds the
// exits that offer a model; a filter excludes and demotes, each time for a [Reason]; the memory of outcomes gives a
// score; circuit breakers rest what fails; a [Plan] draws candidates one after the other, by score and price; and
// [Chooser.Explain] says why. docs/routing.md has the rules and formulas, with figures.
//
// Invariants: what a hard preference rules out is never chosen, whatever else is missing. Choices are random, so that
// no exit can place itself first and many clients do not run to the same exit. No cost grows with the directory but
// that of [NewIndex], and choosing looks only at the exits that offer the model.
package route

import "github.com/tokengo/tokengo/service"

// Exit is anything that has a verified service description.
type Exit interface {
	Service() *service.Info
}

// Keyed is an [Exit] that also knows the hash of its sealing keys, by which people may name it.
type Keyed interface {
	Exit
	KeyHash() service.Hash
}
