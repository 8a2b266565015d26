// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tokengo/tokengo/service"
)

const (
	tools       = 8 // that ask at once, each again when it has its answer
	shortAnswer = 6 // tokens
	recently    = 2 * time.Second
)

// outcome is what a tool got.
type outcome int

const (
	answered outcome = iota
	cut              // an answer had begun and was reported as broken
	refused          // an error in place of an answer
)

// asked is one request of a tool.
type asked struct {
	at      time.Time // when it ended
	phase   int       // in which it began
	stall   int       // that answered; -1: none
	tier    string
	outcome outcome
}

// tally is all that the tools asked.
type tally struct {
	mu    sync.Mutex // guards what follows
	phase int
	all   []asked
	last  error // why a request was refused
}

// enter begins a phase.
func (t *tally) enter(phase int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phase = phase
}

// now is the phase that goes on.
func (t *tally) now() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase
}

// add adds a request, and why it was refused if it was.
func (t *tally) add(a asked, why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, a)
	if why != nil {
		t.last = why
	}
}

// where are the requests that want is true of.
func (t *tally) where(want func(asked) bool) (some []asked) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.all {
		if want(a) {
			some = append(some, a)
		}
	}
	return some
}

// most is the stall that answered most in a phase, the first of equals.
func (t *tally) most(phase int) int {
	counts := map[int]int{}
	best := 0
	for _, a := range t.where(func(a asked) bool { return a.phase == phase && a.outcome == answered }) {
		counts[a.stall]++
		if counts[a.stall] > counts[best] {
			best = a.stall
		}
	}
	return best
}

// recent are the last two seconds.
func (t *tally) recent() []asked {
	since := time.Now().Add(-recently)
	return t.where(func(a asked) bool { return a.at.After(since) })
}

// shares are how the answers of the last two seconds spread over so many stalls.
func (t *tally) shares(stalls int) []float64 {
	shares := make([]float64, stalls)
	recent := t.recent()
	for _, a := range recent {
		if a.outcome == answered {
			shares[a.stall] += 1 / float64(len(recent))
		}
	}
	return shares
}

// summary is how the tools fare: in all, and over the last two seconds by tier.
func (t *tally) summary() (all, lately string) {
	tiers := map[string]int{}
	for _, a := range t.recent() {
		if a.outcome == answered {
			tiers[a.tier]++
		}
	}
	counts := map[outcome]int{}
	for _, a := range t.where(func(asked) bool { return true }) {
		counts[a.outcome]++
	}
	return fmt.Sprintf("%d answered, %d broken off, %d refused", counts[answered], counts[cut], counts[refused]),
		fmt.Sprintf("last 2 s: %s %d, %s %d", firstTier, tiers[firstTier], secondTier, tiers[secondTier])
}

// lastTier is the tier that gave most of the answers to what was asked in the last second of a phase.
func (t *tally) lastTier(phase int) string {
	of := t.where(func(a asked) bool { return a.phase == phase && a.outcome == answered })
	count := map[string]int{}
	for _, a := range of {
		if a.at.After(of[len(of)-1].at.Add(-time.Second)) {
			count[a.tier]++
		}
	}
	if count[firstTier] > count[secondTier] {
		return firstTier
	}
	return secondTier
}

// whyRefused is the reason of the last refusal, if there was one.
func (t *tally) whyRefused() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		return ""
	}
	return ": " + t.last.Error()
}

// use is a tool: it asks one question after the other until ctx ends.
func (m *market) use(ctx context.Context, tool int) {
	for n := 0; ctx.Err() == nil; n++ {
		// Each question is its own, so that no request belongs to the conversation of another.
		body := fmt.Appendf(nil, `{"model":%q,"stream":true,"max_tokens":%d,"messages":[{"role":"user","content":"Question %d of tool %d."}]}`,
			model, shortAnswer, n, tool)
		phase := m.tally.now()
		a, why := m.askOnce(ctx, body)
		if ctx.Err() != nil {
			return // the demo is over
		}
		a.phase, a.at = phase, time.Now()
		m.tally.add(a, why)
	}
}

// askOnce is what a tool gets, and why if it is refused.
func (m *market) askOnce(ctx context.Context, body []byte) (asked, error) {
	none := asked{stall: -1, outcome: refused}
	answer, err := ask(ctx, m.network.ClientURL(), nil, body)
	if err != nil {
		return none, err
	}
	defer answer.Body.Close()
	stall, ok := m.byHash[service.Hash(answer.Header.Get("X-Tokengo-Exit"))]
	if !ok {
		return none, errors.New("ask: the answer does not say which exit it is from")
	}
	a := asked{stall: stall, tier: answer.Header.Get("X-Tokengo-Tier"), outcome: answered}
	if _, err := readStream(answer.Body, io.Discard); err != nil {
		a.outcome = cut
	}
	return a, nil
}
