// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"time"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// seed makes every run of a scenario the same.
const seed = 20260101

func newWorld() *world {
	return &world{rng: rand.New(rand.NewPCG(seed, 1)), pace: 5 * time.Second}
}

// between is a random number of a range.
func (w *world) between(low, high float64) float64 { return low + (high-low)*w.rng.Float64() }

// add makes n exits of a kind. All promise the same.
func (w *world) add(n int, k kind) {
	promise := &service.SLA{MaxTTFTMillis: 1500, MinTokensPerSecond: 30, Uptime: 0.99}
	for range n {
		e := &simExit{
			kind: k, price: w.between(0.5, 2), ttft: time.Duration(w.between(300, 1000)) * time.Millisecond, speed: w.between(40, 120),
			failRate: w.between(0, 0.02), capacity: 1000,
		}
		switch k {
		case liar:
			e.price, e.ttft, e.speed = w.between(0.2, 0.5), time.Duration(w.between(4000, 9000))*time.Millisecond, w.between(5, 15)
		case failing:
			e.price, e.failRate = w.between(0.2, 0.5), w.between(0.6, 1)
		}
		e.describe(len(w.exits), promise)
		w.exits = append(w.exits, e)
	}
}

// series is a number for each step of something.
type series struct {
	name   string
	values []float64
}

// shares counts attempts by step and group, and makes each step's part of all.
type shares struct {
	names  []string
	counts map[string][]float64
	steps  int
}

func newShares(steps int, names ...string) *shares {
	s := &shares{names: names, counts: map[string][]float64{}, steps: steps}
	for _, n := range names {
		s.counts[n] = make([]float64, steps)
	}
	return s
}

func (s *shares) count(step int, name string) {
	if step >= 0 && step < s.steps {
		s.counts[name][step]++
	}
}

// series are the shares of all names in each step, from 0 to 1.
func (s *shares) series() []series {
	var all []series
	for _, name := range s.names {
		values := make([]float64, s.steps)
		for i := range values {
			sum := 0.0
			for _, other := range s.names {
				sum += s.counts[other][i]
			}
			if sum > 0 {
				values[i] = s.counts[name][i] / sum
			}
		}
		all = append(all, series{name, values})
	}
	return all
}

// trustResult is what becomes of exits that are worse than they say.
type trustResult struct {
	byRequest []series // share of attempts by kind, in steps of trustStep requests of a client
	bad       float64  // share of liars and failing ones from request 101 to 200
	early     float64  // and in the first 20
	succeeded float64  // share of requests that succeeded at some exit
}

const trustStep = 20

// runTrust lets clients find out who lies among 300 exits: 40 % do, or fail, and all of these are cheaper than the
// cheapest honest exit.
func runTrust() (*trustResult, error) {
	w := newWorld()
	w.add(180, good)
	w.add(60, liar)
	w.add(60, failing)
	w.requests = 400
	counts := newShares(w.requests/trustStep, string(good), string(liar), string(failing))
	var bad, all, badEarly, allEarly, done float64
	w.seen = func(a *attempt) {
		counts.count(a.request/trustStep, string(a.exit.kind))
		if a.outcome.Result == route.Succeeded {
			done++
		}
		isBad := a.exit.kind != good
		if a.request >= 100 && a.request < 200 {
			all++
			bad += one(isBad)
		}
		if a.request < 20 {
			allEarly++
			badEarly += one(isBad)
		}
	}
	const clients = 30
	if err := w.run(clients); err != nil {
		return nil, err
	}
	return &trustResult{counts.series(), bad / all, badEarly / allEarly, done / float64(clients*w.requests)}, nil
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// recoveryResult is how exits lose traffic when they fail and get it back.
type recoveryResult struct {
	byMinute              []series
	before, during, after float64 // share of the exits that fail for a while
}

const (
	failFrom  = 30 * time.Minute
	failUntil = 60 * time.Minute
)

// runRecovery lets ten of fifty exits fail for half an hour.
func runRecovery() (*recoveryResult, error) {
	w := newWorld()
	w.add(40, good)
	w.add(10, ailing)
	for i, e := range w.exits[40:] {
		e.price = w.between(0.5, 0.8) // they are missed
		e.describe(40+i, e.info.SLA)
		e.fails = func(since time.Duration) bool { return since >= failFrom && since < failUntil }
	}
	const minutes = 180
	w.requests = minutes * 60 / int(w.pace/time.Second)
	counts := newShares(minutes/5, string(good), string(ailing))
	windows := newShares(3, string(good), string(ailing))
	w.seen = func(a *attempt) {
		counts.count(int(a.at/(5*time.Minute)), string(a.exit.kind))
		switch {
		case a.at >= 15*time.Minute && a.at < failFrom:
			windows.count(0, string(a.exit.kind))
		case a.at >= failFrom+5*time.Minute && a.at < failUntil:
			windows.count(1, string(a.exit.kind))
		case a.at >= failUntil+30*time.Minute:
			windows.count(2, string(a.exit.kind))
		}
	}
	if err := w.run(10); err != nil {
		return nil, err
	}
	v := windows.series()[1].values
	return &recoveryResult{counts.series(), v[0], v[1], v[2]}, nil
}

// priceResult is how traffic falls with the price.
type priceResult struct {
	points   []point
	cheapest float64 // share of the cheapest quarter of the exits
	dearest  float64
}

type point struct{ x, y float64 }

// runPrices lets exits differ by price alone.
func runPrices() (*priceResult, error) {
	w := newWorld()
	w.add(100, good)
	for i, e := range w.exits {
		e.price = 0.5 + 1.5*float64(i)/99
		e.describe(i, e.info.SLA)
	}
	w.requests = 400
	counts := map[*simExit]float64{}
	w.seen = func(a *attempt) { counts[a.exit]++ }
	if err := w.run(100); err != nil {
		return nil, err
	}
	total := 0.0
	for _, n := range counts {
		total += n
	}
	r := &priceResult{}
	for i, e := range w.exits {
		share := counts[e] / total
		r.points = append(r.points, point{e.price, 100 * share})
		switch {
		case i < 25:
			r.cheapest += share
		case i >= 75:
			r.dearest += share
		}
	}
	return r, nil
}

// herdResult is how evenly a thousand clients load the exits.
type herdResult struct {
	weighted, sorted herd
}

type herd struct {
	unevenness []series // over time, the busiest exit's requests in flight, over the mean of all
	busiest    float64  // the highest of them after the first minute
	limited    float64  // share of attempts that were told to come later
	failed     float64  // share of requests that no exit answered
}

// runHerd lets a thousand clients act at once among a hundred exits, of which ten fail all at once in the middle: by
// weight, and for comparison all by the lowest price.
func runHerd() (*herdResult, error) {
	weighted, err := stampede("")
	if err != nil {
		return nil, err
	}
	sorted, err := stampede(route.SortPrice)
	if err != nil {
		return nil, err
	}
	return &herdResult{*weighted, *sorted}, nil
}

func stampede(sort route.Sort) (*herd, error) {
	w := newWorld()
	w.sort = sort
	w.pace = 10 * time.Second
	w.add(100, good)
	for i, e := range w.exits {
		e.price = w.between(0.9, 1.1)
		e.capacity = 40
		e.describe(i, e.info.SLA)
		if i%10 == 0 {
			e.fails = func(since time.Duration) bool { return since >= 2*time.Minute && since < 4*time.Minute }
		}
	}
	w.requests = 36
	const clients, step, steps = 1000, 5 * time.Second, 72
	h := &herd{unevenness: []series{{"busiest exit ÷ mean", make([]float64, steps)}}}
	for i := range steps {
		w.after(time.Duration(i+1)*step, func() { h.unevenness[0].values[i] = w.unevenness() })
	}
	var attempts, limited, succeeded float64
	w.seen = func(a *attempt) {
		attempts++
		limited += one(a.outcome.Result == route.Limited)
		succeeded += one(a.outcome.Result == route.Succeeded)
	}
	if err := w.run(clients); err != nil {
		return nil, err
	}
	for _, v := range h.unevenness[0].values[12:60] {
		h.busiest = max(h.busiest, v)
	}
	h.limited, h.failed = limited/attempts, 1-succeeded/float64(clients*w.requests)
	return h, nil
}

// unevenness is the busiest exit's requests in flight, over the mean of all.
func (w *world) unevenness() float64 {
	most, sum := 0, 0
	for _, e := range w.exits {
		most = max(most, e.inFlight)
		sum += e.inFlight
	}
	if sum == 0 {
		return 0
	}
	return float64(most*len(w.exits)) / float64(sum)
}
