// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/marked"
)

// What the tools of the matrix have patience for, and what is allowed for two processors that are busy. An exit that
// works must not seem slow on them: it would be left, and yet answer.
const (
	half       = 25                         // requests that begin before the fault, and as many that begin during it
	patience   = 6 * slowdown * time.Second // for a whole request to begin
	silence    = 4 * slowdown * time.Second // for an attempt to begin, and within an answer, when only time shows the fault
	slack      = 6 * slowdown * time.Second // of a busy machine
	backWithin = 8 * slowdown * time.Second // what is there again must be in use again
)

// fault is something that fails while 50 streams run.
type fault struct {
	name string
	// before happens before the network is started, strike while streams run, mend when the requests that began
	// during the fault have ended. Each may be nil.
	before, strike, mend func(*matrix)
	// hurt tells which of the answers that had begun must break. Nil: none.
	hurt func(*matrix, marked.Mark) bool
	// nowhere is set when nothing is left to answer: requests that begin during the fault may be refused.
	nowhere bool
	// silent is set when nothing but time shows the fault. Others must be noticed without.
	silent bool
}

var faults = []fault{
	{
		name:   "exit killed",
		strike: func(m *matrix) { m.exitCables[m.victim].Cut() },
		hurt:   func(m *matrix, of marked.Mark) bool { return of.Backend == m.victim },
	},
	{
		name:   "exit frozen",
		silent: true,
		strike: func(m *matrix) { m.exitCables[m.victim].Freeze() },
		hurt:   func(m *matrix, of marked.Mark) bool { return of.Backend == m.victim },
	},
	{
		name:   "backend slow",
		silent: true,
		strike: func(m *matrix) { m.backends[m.victim].Silence() },
	},
	{
		name:   "backend answers 429",
		strike: func(m *matrix) { m.backends[m.victim].Fail(http.StatusTooManyRequests) },
	},
	{
		name:   "backend answers 500",
		strike: func(m *matrix) { m.backends[m.victim].Fail(http.StatusInternalServerError) },
	},
	{
		name:   "relay killed",
		strike: func(m *matrix) { m.relayCables[m.victimRelay].Cut() },
		hurt:   func(m *matrix, of marked.Mark) bool { return of.Relay == m.victimRelay },
	},
	{
		name:   "relay frozen",
		strike: func(m *matrix) { m.relayCables[m.victimRelay].Freeze() },
		hurt:   func(m *matrix, of marked.Mark) bool { return of.Relay == m.victimRelay },
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
		hurt:    func(*matrix, marked.Mark) bool { return true },
		nowhere: true,
	},
}

// TestFaults lets each thing fail while 25 streams run and 25 requests begin, in all protocols. What had not
// begun is answered elsewhere; what had is reported as broken if it went through what failed, and else goes
// on to its end; nothing is answered twice; and all within the tools' patience.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for what is frozen")
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) { newMatrix(t, f).suffer(t, f) })
	}
}

// suffer has a fault happen, and judges what the tools were told.
func (m *matrix) suffer(t *testing.T, f fault) {
	running := m.crowd.Begin(t.Context(), marked.Asked{N: half, Forms: marked.Streamed(), Long: true})
	must(t, running.WaitBegun(patience+slack))
	m.chooseVictims(running)
	if f.strike != nil {
		f.strike(m)
	}
	late := m.crowd.Begin(t.Context(), marked.Asked{N: half, Forms: marked.Forms()})
	must(t, late.Wait(patience+slack))
	if f.mend != nil {
		f.mend(m)
		m.waitAnswered(t)
	}
	hurt := running.Part(func(request int) bool { return f.hurt != nil && f.hurt(m, m.last(request)) })
	must(t, hurt.Wait(2*silence+slack))
	close(m.release)
	must(t, running.Wait(slack))

	for _, q := range slices.Concat(running.Requests(), late.Requests()) {
		m.check(t, q)
	}
	for _, q := range running.Requests() {
		want := marked.Complete
		if f.hurt != nil && f.hurt(m, m.last(q.Number)) {
			want = marked.Broken
		}
		if q.State() != want {
			t.Errorf("%v\nhad begun, want %s", q, want)
		}
	}
	for _, q := range late.Requests() {
		if s := q.State(); s != marked.Complete && (s != marked.Refused || !f.nowhere) {
			t.Errorf("%v\nbegan during the fault, want complete", q)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// check reports what is wrong with an answer, whatever has failed.
func (m *matrix) check(t *testing.T, q *marked.Request) {
	t.Helper()
	for _, wrong := range q.Wrongs(&m.ledger) {
		t.Errorf("%v\n%s", q, wrong)
	}
}

// last is the last mark of the last attempt at a request that has reached a backend.
func (m *matrix) last(request int) marked.Mark {
	attempts := m.ledger.Of(request)
	return attempts[len(attempts)-1].Mark
}

// chooseVictims takes the exit and the relay that most of the running answers come through.
func (m *matrix) chooseVictims(running *marked.Batch) {
	byExit, byRelay := make([]int, len(m.exitCables)), make([]int, len(m.relayCables))
	for _, request := range running.Numbers() {
		byExit[m.last(request).Backend]++
		byRelay[m.last(request).Relay]++
	}
	m.victim, m.victimRelay = largest(byExit), largest(byRelay)
}

func largest(values []int) (at int) {
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
	for deadline := time.Now().Add(backWithin); ; {
		one := m.crowd.Begin(t.Context(), marked.Asked{N: 1, Forms: marked.Forms()})
		must(t, one.Wait(patience+slack))
		q := one.Requests()[0]
		m.check(t, q)
		switch {
		case q.State() == marked.Complete:
			return
		case time.Now().After(deadline):
			t.Fatalf("%v\nafter all was mended for %v", q, backWithin)
		}
	}
}
