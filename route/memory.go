// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/tokengo/tokengo/service"
)

// Result is how a request went, as far as the exit is concerned.
type Result uint8

// The results.
const (
	Succeeded    Result = iota // the whole answer arrived
	Failed                     // the exit or its backend answered with an error of its own
	Unreachable                // the request did not get to the exit, as far as is known
	Interrupted                // the answer broke off
	Limited                    // the exit asked to be left alone for a while
	Inconclusive               // the user cancelled, or the request itself was wrong: nothing is learned
)

// Outcome is what the caller saw of one attempt.
type Outcome struct {
	Result Result
	// TTFT is the time from sending to the first token of the answer; 0 when it was not measured.
	TTFT time.Duration
	// TokensPerSecond is the rate of the tokens after the first; 0 when it was not measured.
	TokensPerSecond float64
	// RetryAfter is how long the exit asked to be left alone; 0 when it did not say. It is cut to a day.
	RetryAfter time.Duration
	// Usage is what was billed, for the budgets of tiers.
	Usage Usage
}

// record is what is remembered of one model at one exit. All counts fade: they halve with every half-life.
type record struct {
	key             Key
	at              time.Time // to when the counts have faded
	good, bad       float64   // requests
	kept, broken    float64   // promises
	latency, speeds digest    // milliseconds to the first token; tokens per second
}

// fade lets the counts grow old.
func (r *record) fade(now time.Time, halfLife time.Duration) {
	age := now.Sub(r.at)
	if age <= 0 {
		return
	}
	factor := math.Exp2(-float64(age) / float64(halfLife))
	r.at = now
	r.good *= factor
	r.bad *= factor
	r.kept *= factor
	r.broken *= factor
	r.latency.decay(float32(factor))
	r.speeds.decay(float32(factor))
}

// weight is how much is known, in requests.
func (r *record) weight() float64 { return r.good + r.bad }

// learn adds an outcome; sla is what the exit promised.
func (r *record) learn(o Outcome, sla *service.SLA) {
	switch o.Result {
	case Succeeded:
		r.good++
	case Failed, Unreachable, Interrupted:
		r.bad++
	case Limited:
		r.bad += limitedBlame
	case Inconclusive:
		return
	}
	if o.TTFT > 0 {
		r.latency.add(float64(o.TTFT.Milliseconds()), firstMillis)
	}
	if o.TokensPerSecond > 0 {
		r.speeds.add(o.TokensPerSecond, firstSpeed)
	}
	r.hold(o, sla)
}

// limitedBlame is how much of a failure it is to be asked to come later.
const limitedBlame = 0.5

// hold checks an outcome against the promises. A rate that is all but kept is kept: both sides measure.
func (r *record) hold(o Outcome, sla *service.SLA) {
	if sla == nil {
		return
	}
	if sla.MaxTTFTMillis > 0 && o.TTFT > 0 {
		r.count(float64(o.TTFT.Milliseconds()) <= tolerance*float64(sla.MaxTTFTMillis))
	}
	if sla.MinTokensPerSecond > 0 && o.TokensPerSecond > 0 {
		r.count(tolerance*o.TokensPerSecond >= sla.MinTokensPerSecond)
	}
}

func (r *record) count(kept bool) {
	if kept {
		r.kept++
		return
	}
	r.broken++
}

// tolerance is how far a measurement may miss a promise: the network between is not the exit's.
const tolerance = 1.2

// memory is what is known of exits, by exit and model. It is bounded: what says least makes room.
type memory struct {
	halfLife time.Duration
	limit    int
	records  map[Key]*record
	byModel  map[string]map[*record]struct{}
}

func newMemory(halfLife time.Duration, limit int) *memory {
	return &memory{halfLife: halfLife, limit: limit, records: map[Key]*record{}, byModel: map[string]map[*record]struct{}{}}
}

// learn adds an outcome and returns the record that it changed, faded to now.
func (m *memory) learn(now time.Time, key Key, o Outcome, sla *service.SLA) *record {
	r := m.records[key]
	if r == nil {
		r = &record{key: key, at: now}
		m.add(r)
	}
	r.fade(now, m.halfLife)
	r.learn(o, sla)
	return r
}

// add takes in a record, in the place of what there is of the same key.
func (m *memory) add(r *record) {
	if old := m.records[r.key]; old != nil {
		m.remove(old)
	}
	m.records[r.key] = r
	peers := m.byModel[r.key.Model]
	if peers == nil {
		peers = map[*record]struct{}{}
		m.byModel[r.key.Model] = peers
	}
	peers[r] = struct{}{}
	if len(m.records) > m.limit {
		m.shrink(r.at)
	}
}

func (m *memory) remove(r *record) {
	delete(m.records, r.key)
	peers := m.byModel[r.key.Model]
	delete(peers, r)
	if len(peers) == 0 {
		delete(m.byModel, r.key.Model)
	}
}

func (k Key) compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Exit, o.Exit), cmp.Compare(k.Model, o.Model), cmp.Compare(k.Protocol, o.Protocol))
}

// shrink forgets the eighth of the records that says least, so that it need not be done for every new one.
func (m *memory) shrink(now time.Time) {
	all := make([]*record, 0, len(m.records))
	for _, r := range m.records {
		r.fade(now, m.halfLife)
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *record) int {
		return cmp.Or(cmp.Compare(a.weight(), b.weight()), a.key.compare(b.key))
	})
	for _, r := range all[:len(all)-m.limit*7/8] {
		m.remove(r)
	}
}
