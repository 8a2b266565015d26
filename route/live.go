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
	word     atomic.Uint64 // flags, and in the lower half the square of the score, the bits of a float32
	until    atomic.Int64  // when its breakers let a request try, Unix nanoseconds; 0: they are closed
	measured atomic.Pointer[measured]
}

// Flags. Two are bits of a class, so that they need not be translated.
const (
	flagUnreliable = classUnreliable
	flagBreaks     = classBreaks
	flagProven     = 1
	flagLimited    = 2 // it rests because it asked to
	flagRests      = 4 // it rests, or has rested and not succeeded since
)

func newGeneration(ix *Index) *generation {
	g := &generation{ix: ix, live: make([]live, len(ix.listings))}
	var fresh live
	fresh.stand(unknown)
	word := fresh.word.Load()
	for i := range g.live {
		g.live[i].word.Store(word)
	}
	return g
}

// load returns the square of the score, and the flags.
func (l *live) load() (chance float32, flags uint32) {
	word := l.word.Load()
	return math.Float32frombits(uint32(word)), uint32(word >> 32)
}

func (l *live) store(chance float32, flags uint32) {
	l.word.Store(uint64(flags)<<32 | uint64(math.Float32bits(chance)))
}

// stand makes a standing count. Only one goroutine at a time may change a live.
func (l *live) stand(s standing) {
	_, flags := l.load()
	flags &= flagLimited | flagRests
	if s.proven {
		flags |= flagProven
	}
	if s.unreliable {
		flags |= flagUnreliable
	}
	if s.breaks {
		flags |= flagBreaks
	}
	score := float32(s.factors.Score())
	l.measured.Store(s.measured)
	l.store(score*score, flags)
}

// rest makes breakers count.
func (l *live) rest(breakers ...*breaker) {
	chance, flags := l.load()
	flags &^= flagLimited | flagRests
	var until time.Time
	for _, b := range breakers {
		if b == nil {
			continue
		}
		if at, limited := b.free(); at.After(until) {
			until = at
			flags = flags&^flagLimited | flagRests
			if limited {
				flags |= flagLimited
			}
		}
	}
	at := int64(0)
	if !until.IsZero() {
		at = until.UnixNano()
	}
	l.until.Store(at)
	l.store(chance, flags)
}

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
