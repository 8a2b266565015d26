// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"testing"
	"time"
)

// What the tools of the matrix have patience for, and what is allowed for two processors that are busy.
const (
	streams25  = 25              // begun before the fault, and as many during it
	patience   = 6 * time.Second // for a whole request to begin
	firstByte  = time.Second     // for one attempt to begin
	stall      = 2 * time.Second // for a silence within an answer
	slack      = 3 * time.Second // of a busy machine
	backWithin = 8 * time.Second // what is there again must be in use again
)

// fault is something that fails while 50 streams run.
type fault struct {
	name string
	// before happens before the network is started, strike while streams run, mend when the requests that began
	// during the fault have ended. Each may be nil.
	before, strike, mend func(*matrix)
	// hurt tells which of the answers that had begun must break. Nil: none.
	hurt func(*matrix, mark) bool
	// nowhere is set when nothing is left to answer: requests that begin during the fault may be refused.
	nowhere bool
}

var faults = []fault{
	{
		name:   "exit killed",
		strike: func(m *matrix) { m.exitCables[m.victim].Cut() },
		hurt:   func(m *matrix, of mark) bool { return of.exit == m.victim },
	},
	{
		name:   "exit frozen",
		strike: func(m *matrix) { m.exitCables[m.victim].Freeze() },
		hurt:   func(m *matrix, of mark) bool { return of.exit == m.victim },
	},
	{
		name:   "backend slow",
		strike: func(m *matrix) { m.backends[m.victim].slow.Store(true) },
	},
	{
		name:   "backend answers 429",
		strike: func(m *matrix) { m.backends[m.victim].status.Store(http.StatusTooManyRequests) },
	},
	{
		name:   "backend answers 500",
		strike: func(m *matrix) { m.backends[m.victim].status.Store(http.StatusInternalServerError) },
	},
	{
		name:   "relay killed",
		strike: func(m *matrix) { m.relayCables[m.victimRelay].Cut() },
		hurt:   func(m *matrix, of mark) bool { return of.relay == m.victimRelay },
	},
	{
		name:   "relay frozen",
		strike: func(m *matrix) { m.relayCables[m.victimRelay].Freeze() },
		hurt:   func(m *matrix, of mark) bool { return of.relay == m.victimRelay },
	},
	{
		name:   "relay unreachable at the start",
		before: func(m *matrix) { m.relayCables[0].Cut() },
	},
	{
		name:   "relay silent at the start",
		before: func(m *matrix) { m.relayCables[0].Freeze() },
	},
	{
		name:   "directory garbage",
		strike: func(m *matrix) { m.directories[m.victimRelay].spoil() },
	},
	{
		name:   "directory garbage at the start",
		before: func(m *matrix) { m.directories[0].garbage.Store(true) },
	},
	{
		name: "all exits gone, then back",
		strike: func(m *matrix) {
			for _, c := range m.exitCables {
				c.Cut()
			}
		},
		mend: func(m *matrix) {
			for _, c := range m.exitCables {
				c.Mend()
			}
		},
		hurt:    func(*matrix, mark) bool { return true },
		nowhere: true,
	},
}

// TestFaults lets each thing fail while 25 streams run and 25 requests begin, in all protocols. What had not
// begun is answered elsewhere; what had is reported as broken if it went through what failed, and else goes
// on to its end; nothing is answered twice; and all within the tools' patience.
func TestFaults(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			m := newMatrix(t, f.before)
			running := m.begin(streamedForms, prompts{n: streams25, held: true})
			running.waitBegun(t)
			m.chooseVictims(running)
			if f.strike != nil {
				f.strike(m)
			}
			late := m.begin(forms, prompts{n: streams25})
			late.wait(t, patience+slack)
			if f.mend != nil {
				f.mend(m)
				m.waitAnswered(t)
			}
			hurt := running.through(m, f.hurt)
			hurt.wait(t, 2*stall+slack)
			close(m.release)
			running.wait(t, slack)
			m.judge(t, f, running, late)
		})
	}
}

// judge is the oracle: what must be true of all requests after any fault.
func (m *matrix) judge(t *testing.T, f fault, running, late *batch) {
	for _, q := range append(running.all, late.all...) {
		checkAnswer(t, q, &m.ledger)
	}
	for _, q := range running.all {
		want := complete
		if f.hurt != nil && f.hurt(m, marks(q.text)[0]) {
			want = broken
		}
		if q.state() != want {
			t.Errorf("%v\nhad begun, want %s", q, want)
		}
	}
	for _, q := range late.all {
		if took := q.ended.Sub(q.asked); took > patience+slack {
			t.Errorf("%v\nwant %v at most", q, patience)
		}
		if s := q.state(); s != complete && (s != refused || !f.nowhere) {
			t.Errorf("%v\nbegan during the fault, want complete", q)
		}
	}
}

// batch is requests that began together.
type batch struct {
	all   []*told
	begun sync.WaitGroup // of answers, or ends
	ended []chan struct{}
}

// prompts are what a batch asks.
type prompts struct {
	n    int
	held bool
}

// begin asks all at once, in the forms in turn.
func (m *matrix) begin(in []*form, asked prompts) *batch {
	b := &batch{}
	for i := range asked.n {
		q := &told{id: int(m.ids.Add(1)), form: in[i%len(in)], held: asked.held}
		ended := make(chan struct{})
		b.all, b.ended = append(b.all, q), append(b.ended, ended)
		b.begun.Add(1)
		begun := sync.OnceFunc(b.begun.Done)
		m.asking.Go(func() {
			defer close(ended)
			defer begun()
			q.ask(m.ctx, m.tools, m.network.ClientURL(), begun)
		})
	}
	return b
}

// waitBegun waits until the tools have something of each answer.
func (b *batch) waitBegun(t *testing.T) {
	t.Helper()
	b.begun.Wait()
	for i, q := range b.all {
		select {
		case <-b.ended[i]:
			t.Fatalf("%v\nhas ended before the fault", q)
		default:
		}
	}
}

// wait waits until all have ended. The test ends when that takes longer than it may.
func (b *batch) wait(t *testing.T, atMost time.Duration) {
	t.Helper()
	begun := time.Now()
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	for i, ended := range b.ended {
		select {
		case <-ended:
		case <-timer.C:
			t.Fatalf("request %d (%s) has not ended after %v", b.all[i].id, b.all[i].form.name, time.Since(begun))
		}
	}
}

// through is the part of a batch that hurt is true of. The first pieces of all must have come.
func (b *batch) through(m *matrix, hurt func(*matrix, mark) bool) *batch {
	part := &batch{}
	for i, q := range b.all {
		if a := m.ledger.of(q.id); hurt != nil && hurt(m, a[len(a)-1].mark) {
			part.all, part.ended = append(part.all, q), append(part.ended, b.ended[i])
		}
	}
	return part
}

// chooseVictims takes the exit and the relay that most of the running answers come through.
func (m *matrix) chooseVictims(running *batch) {
	byExit, byRelay := make([]int, len(m.exitCables)), make([]int, len(m.relayCables))
	for _, q := range running.all {
		for _, a := range m.ledger.of(q.id) {
			byExit[a.exit]++
			byRelay[a.relay]++
		}
	}
	m.victim, m.victimRelay = largest(byExit), largest(byRelay)
}

func largest[T cmp.Ordered](values []T) (at int) {
	for i, v := range values {
		if v > values[at] {
			at = i
		}
	}
	return at
}

// waitAnswered waits until requests are answered again.
func (m *matrix) waitAnswered(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), backWithin)
	defer cancel()
	for {
		q := &told{id: int(m.ids.Add(1)), form: forms[0]}
		q.ask(ctx, m.tools, m.network.ClientURL(), func() {})
		checkAnswer(t, q, &m.ledger)
		if q.state() == complete {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%v\nafter all was mended for %v", q, backWithin)
		}
	}
}
