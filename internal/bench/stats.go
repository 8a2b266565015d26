// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
	"time"
)

// Quantiles are the quantiles of a set of durations, in milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50_ms"`
	P90 float64 `json:"p90_ms"`
	P99 float64 `json:"p99_ms"`
}

// quantilesOf computes quantiles by nearest rank, so that each is a duration that was measured. It sorts
// durations. Those of no durations are zero.
func quantilesOf(durations []time.Duration) Quantiles {
	slices.Sort(durations)
	return Quantiles{
		P50: millis(nearestRank(durations, 0.50)),
		P90: millis(nearestRank(durations, 0.90)),
		P99: millis(nearestRank(durations, 0.99)),
	}
}

func nearestRank(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// minus is how much later each quantile is than that of other.
func (q Quantiles) minus(other Quantiles) Quantiles {
	return Quantiles{P50: q.P50 - other.P50, P90: q.P90 - other.P90, P99: q.P99 - other.P99}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// The two paths to the backend. They index whatever is measured of both.
const (
	direct    = 0
	tunnelled = 1
)

// turn is one path's turn: so many requests on it.
type turn struct {
	path int
	n    int
}

// turns divides n requests on each path into turns of up to size. Each pair of turns has both paths and
// begins with the other one than the pair before, so that neither always follows its rival's work.
func turns(n, size int) []turn {
	var all []turn
	for first := direct; n > 0; first = 1 - first {
		batch := min(n, size)
		all = append(all, turn{first, batch}, turn{1 - first, batch})
		n -= batch
	}
	return all
}
