// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tokengo/tokengo/service"
)

// The demo's tools.
const (
	demoTools  = 8 // that ask at once, each again when it has its answer
	demoLength = 6 // tokens of an answer
	recently   = 2 * time.Second
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

func (t *tally) now() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase
}

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

// ask is a tool: it asks one question after the other until ctx ends.
func (m *market) ask(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		a := asked{phase: m.tally.now(), stall: -1}
		why := m.askOnce(ctx, &a, n)
		if ctx.Err() != nil {
			return // the demo is over
		}
		a.at = time.Now()
		m.tally.add(a, why)
	}
}

// askOnce asks a question of its own, so that no request belongs to the conversation of another.
func (m *market) askOnce(ctx context.Context, a *asked, n int) error {
	a.outcome = refused
	body := fmt.Sprintf(`{"model":%q,"stream":true,"max_tokens":%d,"messages":[{"role":"user","content":"Question %d of tool %p."}]}`,
		demoModel, demoLength, n, a)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.network.ClientURL()+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		return fmt.Errorf("ask: %s: %s", answer.Status, text)
	}
	stall, ok := m.byHash[service.Hash(answer.Header.Get("X-Tokengo-Exit"))]
	if !ok {
		return fmt.Errorf("ask: the answer does not say which exit it is from")
	}
	a.stall, a.tier, a.outcome = stall, answer.Header.Get("X-Tokengo-Tier"), answered
	if _, err := readStream(answer.Body, io.Discard); err != nil {
		a.outcome = cut
	}
	return nil
}
