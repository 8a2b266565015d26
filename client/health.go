// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"slices"
	"sync"
	"time"

	"github.com/tokengo/tokengo/route"
)

// How long a relay rests that failed, and how its distance is measured.
const (
	firstRest   = time.Second // after a first failure in a row; doubles
	longestRest = 30 * time.Second
	tripsKept   = 8 // round trips whose median counts: the polls of about a minute and a half
)

// health is how a relay does, as this client has seen: its circuit breaker and its distance. Closed, the breaker lets
// everything through. A failure opens it for a while; when that is over it is half open, and whatever the relay answers
// closes it. Its directory is asked for all the time, which is the trial that others need not be.
type health struct {
	mu       sync.Mutex // guards what follows
	failures int        // in a row
	until    time.Time  // when the rest is over
	trips    []time.Duration
}

// failed opens the breaker. What fails while it is open failed for the same reason, and counts for nothing.
func (h *health) failed(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Before(h.until) {
		return
	}
	h.until = now.Add(min(firstRest<<min(h.failures, 10), longestRest))
	h.failures++
}

// answered closes the breaker.
func (h *health) answered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures, h.until = 0, time.Time{}
}

// state is what the breaker lets through, and until when if it is open.
func (h *health) state(now time.Time) (route.State, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.failures == 0:
		return route.Closed, time.Time{}
	case now.Before(h.until):
		return route.Open, h.until
	}
	return route.HalfOpen, time.Time{}
}

// measured takes in a round trip.
func (h *health) measured(trip time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trips = append(h.trips, trip)
	if len(h.trips) > tripsKept {
		h.trips = slices.Delete(h.trips, 0, 1)
	}
}

// roundTrip is the median of the last round trips, and false when none has been measured.
func (h *health) roundTrip() (time.Duration, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.trips) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(h.trips))
	return sorted[(len(sorted)-1)/2], true
}
