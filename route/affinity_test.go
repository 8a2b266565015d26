// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"testing"
	"time"

	"github.com/tokengo/tokengo/route"
)

// A conversation leaves the exit that failed it for good, also when that has recovered since, and not because of what
// nobody knows to be its fault.
func TestConversationLeavesAfterAFailure(t *testing.T) {
	tests := []struct {
		name   string
		result route.Result
		stays  bool
	}{
		{"failed", route.Failed, false},
		{"broke off", route.Interrupted, false},
		{"busy", route.Limited, false},
		{"the tool went away", route.Inconclusive, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, route.Config{}, newOffer("aaaaaaaa"), newOffer("bbbbbbbb"), newOffer("cccccccc"), newOffer("dddddddd"))
			talk := asks("m")
			talk.Conversation = "talk"
			for range 200 { // all four are proven, so that none is the better one
				b.Report(must(b.Plan(asks("m")).Next()), fine)
			}
			home := must(b.Plan(talk).Next())
			b.Report(home, fine)
			b.Report(must(b.Plan(talk).Next()), route.Outcome{Result: tt.result})
			b.now = b.now.Add(2 * time.Minute)
			for range 200 { // what rests recovers, in the conversations of others
				b.Report(must(b.Plan(asks("m")).Next()), fine)
			}
			first := b.first(talk, 100)
			if at := first[string(home.Exit.Service().Identity)]; (at == 100) != tt.stays {
				t.Errorf("its exit came first in %d of 100 plans: %v", at, first)
			}
		})
	}
}
