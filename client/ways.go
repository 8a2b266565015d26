// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"sync"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// ways are how exits did through one relay. What an exit sealed is its own; that it cannot be reached, that an answer
// broke off, came late or was garbage may be made up by the relay, which could so steer a client to an exit of its
// friends. Such failures count against the way while another one does better (see [paths.blamesWay]).
type ways struct {
	mu sync.Mutex // guards to
	to map[service.Identity]way
}

// way counts requests: those to which the exit sealed an answer, and those that failed without its seal.
type way struct {
	good, bad float64
	failed    time.Time // the last of these
}

const (
	maxWays    = 1024             // exits that something is remembered of, for each relay
	waySoon    = 32               // requests after which those before count half
	wayRest    = 10 * time.Minute // after a failure, for which a way that does worse than another comes after it
	worseByFar = 2                // times the share of failures of another way
)

// note counts a request, which failed at a time or, if that is zero, got a sealed answer.
func (s *ways) note(exit service.Identity, failed time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, known := s.to[exit]
	if s.to == nil {
		s.to = map[service.Identity]way{}
	}
	if !known && len(s.to) >= maxWays {
		for other := range s.to {
			delete(s.to, other)
			break
		}
	}
	if failed.IsZero() {
		w.good++
	} else {
		w.bad++
		w.failed = failed
	}
	if w.good+w.bad > waySoon {
		w.good, w.bad = w.good/2, w.bad/2
	}
	s.to[exit] = w
}

func (s *ways) of(exit service.Identity) way {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to[exit]
}

// share is that of failures, and false when nothing is known.
func (w way) share() (float64, bool) {
	total := w.good + w.bad
	if total == 0 {
		return 0, false
	}
	return w.bad / total, true
}

// sealed says that an exit's sealed answer came through a relay.
func (s *paths) sealed(e Exit, relay relayurl.URL) { s.noteWay(e, relay, time.Time{}) }

// strained says that a request to an exit failed on its way through a relay, or that the relay says so.
func (s *paths) strained(e Exit, relay relayurl.URL) { s.noteWay(e, relay, time.Now()) }

func (s *paths) noteWay(e Exit, relay relayurl.URL, failed time.Time) {
	if p := s.directory.poller(relay); p != nil {
		p.relay.ways.note(e.Info.Identity, failed)
	}
}

// blamesWay reports whether what fails between a relay and an exit is to be blamed on the way rather than the exit:
// another relay that works has not been tried for it, or reaches it far better. An exit that fails by itself does so
// through all relays, and is blamed.
func (s *paths) blamesWay(e Exit, relay relayurl.URL) bool {
	p := s.directory.poller(relay)
	if p == nil {
		return false
	}
	bad, _ := p.relay.ways.of(e.Info.Identity).share()
	for _, path := range e.Paths {
		if path.Relay == relay || !allowed(e, path) {
			continue
		}
		other := s.directory.poller(path.Relay)
		if other == nil {
			continue
		}
		if state, _ := other.relay.health.state(time.Now()); state != route.Closed {
			continue
		}
		if theirs, known := other.relay.ways.of(e.Info.Identity).share(); !known || bad > worseByFar*theirs {
			return true
		}
	}
	return false
}

// avoids reports whether other ways to an exit go before the one through a relay.
func (s *paths) avoids(e Exit, relay *relay, now time.Time) bool {
	w := relay.ways.of(e.Info.Identity)
	return w.bad > 0 && now.Sub(w.failed) < wayRest && s.blamesWay(e, relay.url)
}
