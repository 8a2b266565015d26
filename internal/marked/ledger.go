// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package marked

import (
	"sync"
	"time"
)

// Attempt is one request that has reached a backend.
type Attempt struct {
	Mark     // of its last piece
	Arrived  time.Time
	Finished bool // the backend has written the whole answer
}

// Ledger is what all backends of a network were asked. The zero value is ready for use.
type Ledger struct {
	mu       sync.Mutex // guards attempts and what they point to
	attempts []*Attempt
}

func (l *Ledger) open(m Mark) *Attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &Attempt{Mark: m, Arrived: time.Now()}
	a.Attempt, a.Piece = len(l.attempts), -1
	l.attempts = append(l.attempts, a)
	return a
}

// next is the mark of the attempt's next piece.
func (l *Ledger) next(a *Attempt) Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.Piece++
	return a.Mark
}

func (l *Ledger) finish(a *Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.Finished = true
}

// Of are the attempts at one request so far, in the order in which they reached a backend.
func (l *Ledger) Of(request int) (all []Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.attempts {
		if a.Request == request {
			all = append(all, *a)
		}
	}
	return all
}
