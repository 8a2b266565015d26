// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// Paths of about the same length are used alike: which of them a client takes would else tell where it is.
const (
	nearShare   = 0.2                   // of the shortest
	nearAnyway  = 10 * time.Millisecond // however short that is
	farthestLeg = time.Minute           // no relay's word about its distance to an exit counts for more
)

// paths knows which relays lead to an exit, and which of them to use. Whether a relay works is learned from what is
// sent through it and from the looks at its directory, how far it is from the latter.
type paths struct {
	directory *directory
}

// PathStatus is how one relay does.
type PathStatus struct {
	Relay relayurl.URL
	// Operator is who runs it: as the user says, else by its own word, which is a stranger's text. Empty: unknown.
	Operator string
	// RoundTrip is the median of the last round trips to it; zero when none has been measured.
	RoundTrip time.Duration
	// State is that of its circuit breaker.
	State route.State
	// Until is when the relay's rest is over; zero when it does not rest.
	Until time.Time
}

func newPaths(d *directory) *paths { return &paths{directory: d} }

// checkOperators checks what the user says of who runs the relays.
func (cfg *Config) checkOperators() error {
	for url, operator := range cfg.RelayOperators {
		if !slices.Contains(cfg.Relays, url) {
			return fmt.Errorf("operator of relay %q: it is not configured as a relay", url.Host)
		}
		if err := service.CheckOperator(operator); err != nil {
			return fmt.Errorf("operator of relay %q: %w", url.Host, err)
		}
	}
	return nil
}

// allowed reports whether a request to the exit may go over one of its paths: relay and exit together know who asks
// what, so they must not have the same operator.
func allowed(e Exit, path Path) bool { return !service.SameOperator(e.Info.Operator, path.Operator) }

// inReach reports whether the exit has a path that may be used, whether it works or not.
func (e Exit) inReach() bool {
	return slices.ContainsFunc(e.Paths, func(path Path) bool { return allowed(e, path) })
}

// of returns the paths that may be used for an exit now, the best first: those through relays that work, by length, then
// those that do far worse than another, and those through relays that have rested and not shown yet that they work. When all rest, the one whose rest ends first is
// used anyway. It is empty only when none is allowed.
func (s *paths) of(e Exit) []Path {
	now := time.Now()
	var well, doubtful []measuredPath
	var soonest measuredPath
	var soonestEnd time.Time
	for _, m := range s.measure(e) {
		switch state, until := m.relay.health.state(now); {
		case state == route.Closed && !s.avoids(e, m.relay, now):
			well = append(well, m)
		case state != route.Open:
			doubtful = append(doubtful, m)
		case soonestEnd.IsZero() || until.Before(soonestEnd):
			soonest, soonestEnd = m, until
		}
	}
	found := append(inOrder(well), inOrder(doubtful)...)
	if len(found) == 0 && !soonestEnd.IsZero() {
		return []Path{soonest.path}
	}
	return found
}

// measuredPath is a path, its relay, and how long it is: from the client to the relay, as the client measured, and on to
// the exit, as the relay says.
type measuredPath struct {
	path   Path
	relay  *relay
	length time.Duration
}

// measure returns the paths that are allowed. A relay that does not say how far the exit is counts as being as far as
// the farthest that does, so that nothing is gained by silence; one whose own distance is not known is tried.
func (s *paths) measure(e Exit) []measuredPath {
	found := make([]measuredPath, 0, len(e.Paths))
	var longest time.Duration
	for _, path := range e.Paths {
		if poller := s.directory.poller(path.Relay); poller != nil && allowed(e, path) {
			found = append(found, measuredPath{path: path, relay: poller.relay})
			longest = max(longest, leg(path))
		}
	}
	for i := range found {
		if trip, known := found[i].relay.health.roundTrip(); known {
			found[i].length = trip + cmp.Or(leg(found[i].path), longest)
		}
	}
	return found
}

// leg is the distance from relay to exit, 0 when the relay does not say it.
func leg(path Path) time.Duration {
	return time.Duration(min(path.Observed.RTTMillis*float64(time.Millisecond), float64(farthestLeg)))
}

// inOrder sorts paths by length, and those of about the same length by chance.
func inOrder(all []measuredPath) []Path {
	slices.SortFunc(all, func(a, b measuredPath) int { return cmp.Compare(a.length, b.length) })
	for rest := all; len(rest) > 0; {
		shortest := rest[0].length
		bound := shortest + max(time.Duration(nearShare*float64(shortest)), nearAnyway)
		n := 1
		for n < len(rest) && rest[n].length <= bound {
			n++
		}
		rand.Shuffle(n, func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		rest = rest[n:]
	}
	ordered := make([]Path, len(all))
	for i, m := range all {
		ordered[i] = m.path
	}
	return ordered
}

// failed says that a relay could not be reached or gave no sign of life: it rests.
func (s *paths) failed(relay relayurl.URL) {
	if p := s.directory.poller(relay); p != nil {
		p.relay.health.failed(time.Now())
	}
}

// answered says that a relay has shown that it is alive: it rests no longer.
func (s *paths) answered(relay relayurl.URL) {
	if p := s.directory.poller(relay); p != nil {
		p.relay.health.answered()
	}
}

// watch is called when a request begins to wait for the head of its answer through a relay. If the relay is found
// frozen before stop is called or ctx ends, lost is called with errRelaySilent, and the relay rests. lost is not called
// once stop has returned; it must not block. stop must be called. With one relay only, nothing is looked out for.
func (s *paths) watch(ctx context.Context, relay relayurl.URL, lost func(error)) (stop func()) {
	if p := s.directory.poller(relay); p != nil {
		return p.relay.lookout.watch(ctx, lost)
	}
	return func() {}
}

// status says how each relay does, in the order of Config.Relays.
func (s *paths) status() []PathStatus {
	now := time.Now()
	all := make([]PathStatus, 0, len(s.directory.pollers))
	for _, p := range s.directory.pollers {
		status := PathStatus{Relay: p.relay.url, Operator: p.current().operator}
		status.RoundTrip, _ = p.relay.health.roundTrip()
		status.State, status.Until = p.relay.health.state(now)
		all = append(all, status)
	}
	return all
}
