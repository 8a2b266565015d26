// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// model is the only one that anybody asks for.
const model = "model"

// kind is what an exit is really like.
type kind string

const (
	good    kind = "good"    // keeps its promises
	liar    kind = "liar"    // promises to be fast, is slow, and is cheap
	failing kind = "failing" // fails most of the time, and is cheap
	ailing  kind = "ailing"  // good, but fails for a while
)

// simExit is an exit of the simulation.
type simExit struct {
	info     *service.Info
	kind     kind
	price    float64 // of a million tokens, read or written
	ttft     time.Duration
	speed    float64 // tokens per second
	failRate float64
	capacity int                            // requests at once; more are told to come later
	fails    func(since time.Duration) bool // a time in which it always fails

	inFlight, peak int
}

// Service implements [route.Exit].
func (e *simExit) Service() *service.Info { return e.info }

// describe writes the exit's description, with what it promises.
func (e *simExit) describe(i int, promise *service.SLA) {
	price := service.Decimal(fmt.Sprintf("%.4f", e.price))
	e.info = &service.Info{
		Identity: service.Identity(fmt.Sprintf("exit-%04d", i)), Operator: fmt.Sprintf("operator %d", i), Tier: service.Standard, SLA: promise,
		Models: []service.Model{{
			ID: model, Protocol: service.OpenAI,
			Pricing: &service.Pricing{InputPer1M: price, OutputPer1M: price, Currency: "USD"},
		}},
	}
}

// answerTokens is the length of every answer, and patience the number of exits that a client tries.
const (
	answerTokens = 200
	patience     = 4
)

// attempt is one request at one exit.
type attempt struct {
	at      time.Duration // since the beginning
	client  int
	request int // of the client, from 0
	try     int // of the request, from 0
	exit    *simExit
	outcome route.Outcome
}

// world is exits and clients in virtual time. It belongs to one goroutine.
type world struct {
	start    time.Time
	now      time.Duration
	rng      *rand.Rand
	exits    []*simExit
	clients  []*route.Chooser
	sort     route.Sort
	pace     time.Duration // between two requests of a client, on average
	requests int           // of each client
	queue    queue
	seen     func(*attempt) // is told of each attempt when it ends
}

// event is something that happens at a time.
type event struct {
	at time.Duration
	do func()
}

// queue holds events, the next at the front.
type queue []event

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(event)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// after lets something happen later.
func (w *world) after(d time.Duration, do func()) { heap.Push(&w.queue, event{w.now + d, do}) }

// run lets the clients send all their requests.
func (w *world) run(clients int) error {
	w.start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	all := make([]route.Exit, len(w.exits))
	for i, e := range w.exits {
		all[i] = e
	}
	index := route.NewIndex(all, route.Naming{}, route.Money{})
	for i := range clients {
		rng := rand.New(rand.NewPCG(w.rng.Uint64(), uint64(i)))
		c, err := route.New(route.Config{
			Preferences: route.Preferences{Sort: w.sort}, Random: rng.Float64, Now: func() time.Time { return w.start.Add(w.now) },
		})
		if err != nil {
			return err
		}
		c.Use(index)
		w.clients = append(w.clients, c)
		w.after(w.pause(), func() { w.request(i, 0) })
	}
	for len(w.queue) > 0 {
		next := heap.Pop(&w.queue).(event)
		w.now = next.at
		next.do()
	}
	return nil
}

// pause is the time until a client's next request: many that act alone are random in time.
func (w *world) pause() time.Duration {
	return time.Duration(w.rng.ExpFloat64() * float64(w.pace))
}

// request lets a client send its request number n, and then the next.
func (w *world) request(client, n int) {
	if n == w.requests {
		return
	}
	plan := w.clients[client].Plan(&route.Request{
		Protocols: []service.Protocol{service.OpenAI}, Models: []string{model}, InputTokens: 1000, ExpectedOutput: answerTokens,
	})
	w.try(plan, &attempt{client: client, request: n})
	w.after(w.pause(), func() { w.request(client, n+1) })
}

// try sends a request to the plan's next exit.
func (w *world) try(plan *route.Plan, a *attempt) {
	c, ok := plan.Next()
	if !ok {
		return
	}
	e := c.Exit.(*simExit)
	a.exit, a.at = e, w.now
	took := w.serve(e, a)
	if e.inFlight++; e.inFlight > e.peak {
		e.peak = e.inFlight
	}
	w.after(took, func() {
		e.inFlight--
		w.clients[a.client].Report(c, a.outcome)
		if w.seen != nil {
			w.seen(a)
		}
		if a.outcome.Result != route.Succeeded && a.try+1 < patience {
			w.try(plan, &attempt{client: a.client, request: a.request, try: a.try + 1})
		}
	})
}

// serve decides how an attempt goes and how long it takes.
func (w *world) serve(e *simExit, a *attempt) time.Duration {
	switch {
	case e.inFlight >= e.capacity:
		a.outcome = route.Outcome{Result: route.Limited, RetryAfter: 2 * time.Second}
		return 50 * time.Millisecond
	case e.fails != nil && e.fails(w.now), w.rng.Float64() < e.failRate:
		a.outcome = route.Outcome{Result: route.Failed}
		return 200 * time.Millisecond
	}
	noise := 0.7 + 0.6*w.rng.Float64()
	ttft := time.Duration(float64(e.ttft) * noise)
	speed := e.speed / noise
	a.outcome = route.Outcome{TTFT: ttft, TokensPerSecond: speed}
	return ttft + time.Duration(answerTokens/speed*float64(time.Second))
}
