// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package marked

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Crowd asks requests at a client, many at once. [Crowd.Wait] must be called at the end.
type Crowd struct {
	URL   string // of the client
	Tools *http.Client

	last   atomic.Int64 // number of a request
	asking sync.WaitGroup
}

// Wait waits until all requests have ended.
func (c *Crowd) Wait() { c.asking.Wait() }

// Asked is what a crowd is to ask.
type Asked struct {
	N     int
	Forms []*Form // in turn
	Long  bool
}

// Begin asks all at once.
func (c *Crowd) Begin(ctx context.Context, asked Asked) *Batch {
	b := &Batch{}
	for i := range asked.N {
		q := &Request{Number: int(c.last.Add(1)), Form: asked.Forms[i%len(asked.Forms)], Long: asked.Long}
		one := &running{Request: q, begun: make(chan struct{}), ended: make(chan struct{})}
		b.all = append(b.all, one)
		c.asking.Go(func() {
			defer close(one.ended)
			q.Ask(ctx, c.Tools, c.URL, func() { close(one.begun) })
		})
	}
	return b
}

// Batch is requests that began together.
type Batch struct{ all []*running }

// running is a request with what others may wait for. They may read it when it has ended.
type running struct {
	*Request
	begun, ended chan struct{}
}

// Requests are those of the batch. All must have ended.
func (b *Batch) Requests() (all []*Request) {
	for _, one := range b.all {
		all = append(all, one.Request)
	}
	return all
}

// Numbers are those of its requests.
func (b *Batch) Numbers() (all []int) {
	for _, one := range b.all {
		all = append(all, one.Number)
	}
	return all
}

// WaitBegun waits until the tools have something of each answer. It fails when one has ended before.
func (b *Batch) WaitBegun(atMost time.Duration) error {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	for _, one := range b.all {
		select {
		case <-one.begun:
		case <-one.ended:
			return fmt.Errorf("ended too early: %v", one.Request)
		case <-timer.C:
			return fmt.Errorf("request %d (%s) has not begun after %v", one.Number, one.Form.Name, atMost)
		}
	}
	return nil
}

// Wait waits until all have ended.
func (b *Batch) Wait(atMost time.Duration) error {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	for _, one := range b.all {
		select {
		case <-one.ended:
		case <-timer.C:
			return fmt.Errorf("request %d (%s) has not ended after %v", one.Number, one.Form.Name, atMost)
		}
	}
	return nil
}

// Part is the part of the batch whose requests, by their numbers, want is true of.
func (b *Batch) Part(want func(number int) bool) *Batch {
	part := &Batch{}
	for _, one := range b.all {
		if want(one.Number) {
			part.all = append(part.all, one)
		}
	}
	return part
}
