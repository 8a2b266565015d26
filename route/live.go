// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"math"
	"sync/atomic"
	"time"
)

// generation is an index together with what is known at present of each of its listings. Plans keep the generation that
// they began with.
type generation struct {
	ix   *Index
	live []live // one a listing
}

// live is what a listing's records and breakers come to. Plans read it without a lock while reports change it; that
// they may see half of a change does no harm.
type live struct {
	chance   atomic.Uint32 // the square of the score, the bits of a float32
	flags    atomic.Uint32
	until    atomic.Int64 // when its breakers are half open, Unix nanoseconds; 0: they are closed
	measured atomic.Pointer[measured]
}

const (
	flagProven uint32 = 1 << iota
	flagUnreliable
	flagBreaks
	flagLimited
)

func newGeneration(ix *Index) *generation {
	g := &generation{ix: ix, live: make([]live, len(ix.listings))}
	for i := range g.live {
		g.live[i].stand(unknown)
	}
	return g
}

// stand makes a standing count.
func (l *live) stand(s standing) {
	score := float32(s.factors.Score())
	l.chance.Store(math.Float32bits(score * score))
	flags := l.flags.Load() & flagLimited
	if s.proven {
		flags |= flagProven
	}
	if s.unreliable {
		flags |= flagUnreliable
	}
	if s.breaks {
		flags |= flagBreaks
	}
	l.flags.Store(flags)
	l.measured.Store(s.measured)
}

// rest makes breakers count.
func (l *live) rest(breakers ...*breaker) {
	var until time.Time
	limited := false
	for _, b := range breakers {
		if b != nil && b.until.After(until) {
			until, limited = b.until, b.limited
		}
	}
	flags := l.flags.Load() &^ flagLimited
	if limited {
		flags |= flagLimited
	}
	l.flags.Store(flags)
	if until.IsZero() {
		l.until.Store(0)
		return
	}
	l.until.Store(until.UnixNano())
}

// weight is the square of the score.
func (l *live) weight() float32 { return math.Float32frombits(l.chance.Load()) }

// state is Open while the breakers rest the listing.
func (l *live) state(now int64) State {
	switch until := l.until.Load(); {
	case until == 0:
		return Closed
	case now < until:
		return Open
	}
	return HalfOpen
}
