// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/route"
)

func TestStallsOfTiers(t *testing.T) {
	for n := MinExits; n <= MaxExits; n++ {
		m, err := newMarket(n, noView{})
		if err != nil {
			t.Fatal(err)
		}
		var tiers []string
		for _, s := range m.stalls {
			tiers = append(tiers, s.tier)
		}
		all := strings.Join(tiers, " ")
		if first := strings.Count(all, firstTier); first == 0 || first == n || strings.Index(all, secondTier) < strings.LastIndex(all, firstTier) {
			t.Errorf("tiers of %d exits: %s", n, all)
		}
	}
}

func TestTally(t *testing.T) {
	var tally tally
	now := time.Now()
	add := func(ago time.Duration, phase, stall int, tier string, o outcome) {
		tally.add(asked{at: now.Add(-ago), phase: phase, stall: stall, tier: tier, outcome: o}, nil)
	}
	add(time.Hour, learning, 1, firstTier, answered)
	add(time.Hour, learning, 1, firstTier, answered)
	add(time.Hour, learning, 0, firstTier, answered)
	add(10*time.Second, tierGone, 0, firstTier, answered)
	add(9500*time.Millisecond, tierGone, 0, firstTier, answered)
	add(8600*time.Millisecond, tierGone, 2, secondTier, answered)
	add(8550*time.Millisecond, tierGone, 2, secondTier, answered)
	add(0, tierBack, 0, firstTier, answered)
	add(0, tierBack, 2, secondTier, cut)
	add(0, tierBack, -1, "", refused)
	tally.add(asked{at: now, phase: tierBack, stall: 1, tier: firstTier, outcome: answered}, nil)

	if got := tally.most(learning); got != 1 {
		t.Errorf("most(learning) = %d, want 1", got)
	}
	if got := tally.lastTier(tierGone); got != secondTier {
		t.Errorf("lastTier(tierGone) = %q, want %q, which answered at its end", got, secondTier)
	}
	if diff := cmp.Diff([]float64{0.25, 0.25, 0}, tally.shares(3)); diff != "" {
		t.Errorf("shares (-want +got):\n%s", diff)
	}
	all, lately := tally.summary()
	if want := "9 answered, 1 broken off, 1 refused"; all != want {
		t.Errorf("summary() = %q, want %q", all, want)
	}
	if want := fmt.Sprintf("last 2 s: %s 2, %s 0", firstTier, secondTier); lately != want {
		t.Errorf("summary() lately = %q, want %q", lately, want)
	}
}

// good is a report that all checks on the favourite hold for.
func good() *choosingReport {
	return &choosingReport{
		Exits: []exitShares{
			{Name: "exit 01", Shares: []float64{0.6, 0.1, 0.3}, Breaker: []string{"closed", string(route.Open), "closed"}},
			{Name: "exit 02", Shares: []float64{0.4, 0.9, 0.7}, Breaker: []string{"closed", "closed", "closed"}},
		},
		Phases: []phaseView{{Requests: 100}, {Requests: 100}, {Requests: 100}},
	}
}

func TestChecksOfTheFavourite(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*exitShares)
		tried int
		fails string // a word of the check that fails
	}{
		{"good", func(*exitShares) {}, 5, ""},
		{"not preferred", func(e *exitShares) { e.Shares[learning] = 0.5 }, 5, "equal share"},
		{"never tried", func(*exitShares) {}, 0, "tried by"},
		{"tried as much as before", func(*exitShares) {}, 60, "tried by"},
		{"not rested", func(e *exitShares) { e.Breaker[failing] = string(route.Closed) }, 5, "circuit breaker"},
		{"did not return", func(e *exitShares) { e.Shares[recovered] = 0 }, 5, "answered again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := good()
			tt.spoil(&r.Exits[0])
			r.checkFavourite(&r.Exits[0], tt.tried)
			switch err := r.failed(); {
			case tt.fails == "" && err != nil:
				t.Errorf("failed() = %v, want none", err)
			case tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)):
				t.Errorf("failed() = %v, want the check with %q", err, tt.fails)
			}
		})
	}
}

func TestRowsAreThoseWithTheMostAnswers(t *testing.T) {
	m, err := newMarket(3, noView{})
	if err != nil {
		t.Fatal(err)
	}
	m.tally.add(asked{at: time.Now(), stall: 2, outcome: answered}, nil)
	rows, left := m.rows(1)
	if left != 2 || len(rows) != 1 || rows[0].name != "exit 03" || rows[0].breaker() != "gone" {
		t.Errorf("rows(1) = %+v, %d more; want exit 03, which nobody knows, and 2 more", rows, left)
	}
}
