// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"math"
	"slices"
	"time"
)

// Factors are what a score is made of, each from 0 to 1.
type Factors struct {
	// Availability is the lower end of Wilson's confidence interval of the share of requests that succeed.
	Availability float64
	// Latency and Throughput compare the medians of the time to the first token, and of the tokens per second, with what
	// is usual for the same model: 0.5 is usual, and also what is not known.
	Latency, Throughput float64
	// Promises is the share of the promises of the SLA that were kept; 1 when none was tested.
	Promises float64
}

// The exponents of the weighted geometric mean. They add up to 1. That an answer comes at all counts most.
const (
	weightAvailability = 0.4
	weightLatency      = 0.2
	weightThroughput   = 0.2
	weightPromises     = 0.2
)

// minFactor keeps one bad factor from hiding all others.
const minFactor = 0.01

// Score is the weighted geometric mean of the factors, from 0 to 1.
func (f Factors) Score() float64 {
	return math.Exp(weightAvailability*logOf(f.Availability) + weightLatency*logOf(f.Latency) +
		weightThroughput*logOf(f.Throughput) + weightPromises*logOf(f.Promises))
}

func logOf(factor float64) float64 { return math.Log(max(factor, minFactor)) }

const (
	// confidence is the z of Wilson's interval: with 1.28 the truth is above its lower end nine times of ten.
	confidence = 1.28
	// priorGood and priorBad are what an exit of which nothing is known is taken to have done.
	priorGood, priorBad = 1, 0.25
	// priorKept is how many promises every exit is taken to have kept.
	priorKept = 4
	// usual is the factor of what is as fast as others, and of what has not been measured.
	usual = 0.5
)

// wilson is Wilson's score interval of a share of which good and bad examples were seen.
func wilson(good, bad float64) (lower, upper float64) {
	n := good + bad
	if n == 0 {
		return 0, 1
	}
	const z2 = confidence * confidence
	p := good / n
	center := p + z2/(2*n)
	margin := confidence * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	return (center - margin) / (1 + z2/n), (center + margin) / (1 + z2/n)
}

// standing is what a record says of a candidate.
type standing struct {
	factors    Factors
	proven     bool
	unreliable bool
	breaks     bool
	measured   *measured
}

// measured are the quantiles of what was measured; zeros where nothing was.
type measured struct{ millis, speed [4]float32 }

// What it takes to be judged.
const (
	provenAfter   = 0.75 // successes, faded, that prove an exit good: one, for half an hour
	judgedAfter   = 0.5  // requests or promises, faded, by which it may be found bad: one, for an hour
	minReputation = 0.75 // the share of requests or promises below which, with confidence, an exit is bad
)

// unknown is the standing of what has no record.
var unknown = judge(&record{}, peers{})

// judge turns a faded record into a standing.
func judge(r *record, p peers) standing {
	s := standing{factors: Factors{Latency: usual, Throughput: usual}}
	s.factors.Availability, _ = wilson(r.good+priorGood, r.bad+priorBad)
	s.factors.Promises = (r.kept + priorKept) / (r.kept + r.broken + priorKept)
	if own := r.latency.quantile(0.5, firstMillis); own > 0 && p.millis > 0 {
		s.factors.Latency = p.millis / (p.millis + own)
	}
	if own := r.speeds.quantile(0.5, firstSpeed); own > 0 && p.speed > 0 {
		s.factors.Throughput = own / (p.speed + own)
	}
	s.unreliable = isBad(r.good, r.bad)
	s.breaks = isBad(r.kept, r.broken)
	s.proven = r.good >= provenAfter && !s.unreliable && !s.breaks
	return s
}

func isBad(good, bad float64) bool {
	_, upper := wilson(good, bad)
	return good+bad >= judgedAfter && upper < minReputation
}

// measure is the quantiles of a record, nil when nothing was measured.
func (r *record) measure() *measured {
	if r.latency.total() == 0 && r.speeds.total() == 0 {
		return nil
	}
	m := &measured{}
	for i, q := range quantiles {
		m.millis[i] = float32(r.latency.quantile(q, firstMillis))
		m.speed[i] = float32(r.speeds.quantile(1-q, firstSpeed)) // so many requests are at least as fast
	}
	return m
}

// peers is what is usual for a model: the medians over exits of their own medians.
type peers struct{ millis, speed float64 }

// peersOf compares the exits whose record of the model says something.
func (m *memory) peersOf(model string, now time.Time) peers {
	var millis, speed []float64
	for r := range m.byModel[model] {
		r.fade(now, m.halfLife)
		if r.weight() < minEvidence {
			continue
		}
		if v := r.latency.quantile(0.5, firstMillis); v > 0 {
			millis = append(millis, v)
		}
		if v := r.speeds.quantile(0.5, firstSpeed); v > 0 {
			speed = append(speed, v)
		}
	}
	return peers{median(millis), median(speed)}
}

// minEvidence is how much of a request must be left of a record for it to count among peers.
const minEvidence = 0.1

// median is 0 when there are no values. It sorts them.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
