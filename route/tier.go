// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"errors"
	"fmt"
	"time"

	"github.com/tokengo/tokengo/service"
)

// Tier is one step of fall-back, such as a subscription, then a paid key, then what is free. The first tier that can
// serve a request is used; while it fails, is rate-limited or has spent its budget the next one is, and it is used again
// when it recovers.
type Tier struct {
	// Name is shown to the user. It is not empty, and each tier has its own.
	Name string
	// Preferences narrow the profile's.
	Preferences Preferences
	// Budget bounds what the tier may cost. Nil: no bound.
	Budget *Budget
}

// Budget is an amount of money, in [Money.Currency], for each calendar day or month of the clock's time zone. It is
// counted from the usage that is reported and the prices that exits state, when a request is over: requests that run at
// the same time can overrun it by what they cost.
type Budget struct {
	Amount float64
	Period Period
}

// Period is a calendar period.
type Period string

// The periods.
const (
	Day   Period = "day"
	Month Period = "month"
)

// since is when the period began that a time is in.
func (p Period) since(t time.Time) time.Time {
	year, month, day := t.Date()
	if p == Month {
		day = 1
	}
	return time.Date(year, month, day, 0, 0, 0, 0, t.Location())
}

func validateTiers(tiers []Tier) error {
	seen := map[string]bool{}
	for i := range tiers {
		t := &tiers[i]
		if t.Name == "" || len(t.Name) > maxNameBytes || seen[t.Name] {
			return fmt.Errorf("tier %d: want a name of its own of at most %d bytes", i+1, maxNameBytes)
		}
		seen[t.Name] = true
		if err := t.Preferences.Validate(); err != nil {
			return fmt.Errorf("tier %d: %w", i+1, err)
		}
		if err := t.Budget.validate(); err != nil {
			return fmt.Errorf("tier %d: budget: %w", i+1, err)
		}
	}
	return nil
}

func (b *Budget) validate() error {
	switch {
	case b == nil:
		return nil
	case !(b.Amount > 0 && b.Amount < maxPrice):
		return fmt.Errorf("want an amount above 0 and below %g", float64(maxPrice))
	case b.Period != Day && b.Period != Month:
		return errors.New("want a period of a day or a month")
	}
	return nil
}

// tierState is a tier at work.
type tierState struct {
	Tier
	breaker breaker
	failed  []service.Identity // the exit of each failure since the last success
	spent   float64
	since   time.Time // the period that spent is of
}

// A tier rests after tierPatience failures in a row, of which no exit's count for more than exitFailures: one exit that
// many requests fail at together is its own affair.
const (
	tierPatience = 4
	exitFailures = 2
)

// overspent reports whether the budget of the present period is used up.
func (t *tierState) overspent(now time.Time) bool {
	if t.Budget == nil {
		return false
	}
	return t.spentAt(now) >= t.Budget.Amount
}

// spentAt is what was spent in the period that now is in.
func (t *tierState) spentAt(now time.Time) float64 {
	if t.Budget == nil || !t.since.Equal(t.Budget.Period.since(now)) {
		return 0
	}
	return t.spent
}

// spend counts what a request cost.
func (t *tierState) spend(now time.Time, cost float64) {
	if t.Budget == nil {
		return
	}
	t.spent = t.spentAt(now) + cost
	t.since = t.Budget.Period.since(now)
}

// learn rests the tier when its exits fail one after the other.
func (t *tierState) learn(now time.Time, to Candidate, result Result, random float64) {
	switch result {
	case Succeeded:
		t.failed = t.failed[:0]
		t.breaker.succeed()
	case Inconclusive:
		t.breaker.abandon(to.began)
	default:
		exit := to.Exit.Service().Identity
		if len(t.failed) < tierPatience && t.failuresOf(exit) < exitFailures {
			t.failed = append(t.failed, exit)
		}
		if len(t.failed) == tierPatience {
			t.breaker.fail(now, random)
		}
	}
}

func (t *tierState) failuresOf(exit service.Identity) (n int) {
	for _, e := range t.failed {
		if e == exit {
			n++
		}
	}
	return n
}
