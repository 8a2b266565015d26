// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"math"
	"time"
)

// breaker rests what fails: an exit, a model at an exit, or a tier. Closed, it lets everything through. Each failure
// in a row opens it for twice as long as the one before. When that is over it is half open: one request may try, and a
// success closes it. Failures while it is open are of requests that were under way when it opened, or had nowhere else
// to go: they say nothing new, and fifty of them at once must not make a rest of minutes.
type breaker struct {
	failures int       // in a row
	until    time.Time // when it is half open; zero: closed
	limited  bool      // it was asked for, not guessed from a failure
	begun    time.Time // of the trial that is under way
	answered time.Time // when a trial last got an answer, of which the end is not known
}

// How long failures rest an exit.
const (
	firstRest   = 2 * time.Second
	longestRest = 10 * time.Minute
	limitedRest = 5 * time.Second // the first rest of what is rate-limited and does not say for how long
	maxAsked    = 24 * time.Hour  // of what an exit may ask for
	trialTime   = 2 * time.Minute // until a trial of which nothing was heard counts for nothing
	restJitter  = 0.25            // so that many clients do not come back at once
)

// fail opens the breaker for a while. random is from 0 to below 1.
func (b *breaker) fail(now time.Time, random float64) {
	if b.state(now) == Open {
		return
	}
	b.failures++
	b.limited = false
	rest := grow(firstRest, b.failures)
	b.until = now.Add(time.Duration(float64(rest) * (1 - restJitter + 2*restJitter*random)))
	b.begun = time.Time{}
}

// limit opens the breaker for as long as was asked for, and by guess when nothing was.
func (b *breaker) limit(now time.Time, asked time.Duration, random float64) {
	open := b.state(now) == Open
	if open && asked <= 0 {
		return
	}
	if !open {
		b.failures++
	}
	b.begun = time.Time{}
	if b.limited = asked > 0; b.limited {
		b.until = now.Add(min(asked, maxAsked)) // no longer: a tool that is told comes back then
		return
	}
	b.until = now.Add(time.Duration(float64(grow(limitedRest, b.failures)) * (1 + restJitter*random)))
}

func grow(first time.Duration, failures int) time.Duration {
	return time.Duration(min(float64(first)*math.Exp2(float64(min(failures, 20)-1)), float64(longestRest)))
}

func (b *breaker) succeed() { *b = breaker{} }

// answering closes the breaker because an answer has begun. If that breaks off it was one more failure in the row.
func (b *breaker) answering(now time.Time) {
	b.until, b.begun, b.limited, b.answered = time.Time{}, time.Time{}, false, now
}

// abandon ends the trial that began then, which told nothing. It reports false when that is not under way.
func (b *breaker) abandon(began time.Time) bool {
	if began.IsZero() || !b.begun.Equal(began) {
		return false
	}
	b.begun = time.Time{}
	return true
}

// last is until when the breaker says something.
func (b *breaker) last() time.Time {
	if b.answered.After(b.until) {
		return b.answered
	}
	return b.until
}

// State is what a circuit breaker lets through.
type State string

// The states.
const (
	Closed   State = "closed"    // everything
	Open     State = "open"      // nothing
	HalfOpen State = "half-open" // one request, to see
)

func (b *breaker) state(now time.Time) State {
	switch {
	case b == nil || b.until.IsZero():
		return Closed
	case now.Before(b.until):
		return Open
	}
	return HalfOpen
}

// free is when the next request may try, and whether the exit asked for that. While a trial is under way others are
// kept away for as long as one may take, unless nothing else is left.
func (b *breaker) free() (at time.Time, limited bool) {
	if !b.begun.IsZero() {
		return b.begun.Add(trialTime), false
	}
	return b.until, b.limited
}

// trying reports whether a trial is under way.
func (b *breaker) trying(now time.Time) bool { return now.Sub(b.begun) < trialTime }

// trial begins a trial unless one is under way.
func (b *breaker) trial(now time.Time) bool {
	if b.trying(now) {
		return false
	}
	b.begun = now
	return true
}
