// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

// maxHashes is how many key configurations of one identity stay routable: the current one and those
// it replaced, whose keys the exit still honours for a while.
const maxHashes = 4

// maxTunnels is how many tunnels one identity may hold: the machines that share it, twice over while
// they change keys.
const maxTunnels = 64

// registry knows the exits that are connected, and for each identity the newest registration seen.
//
// Keys belong to the first identity that registers them: another that presents the same public keys,
// which are no secret, would otherwise receive the requests sealed to them.
type registry struct {
	maxExits int
	observed time.Duration // how often observations are renewed in the directory
	building sync.Mutex    // held while a snapshot is built; before mu

	mu         sync.Mutex // guards all below, and what changes in members and entries
	closed     bool
	identities map[service.Identity]*member
	hashes     map[service.Hash]*member
	tunnels    int
	snapshot   *snapshot // nil when it must be built again
	version    uint64    // of what a snapshot is built from
}

// member is all that the registry holds of one identity.
type member struct {
	identity service.Identity
	sequence int64                // of the newest registration
	expires  time.Time            // of the newest registration: when an unconnected member is forgotten
	hashes   []service.Hash       // newest last
	entries  []*entry             // connected tunnels
	newest   *tunnel.Registration // what the directory shows while a tunnel is connected
}

// entry is one connected tunnel.
type entry struct {
	tunnel *tunnel.Tunnel
	member *member
	since  time.Time
	rtt    time.Duration // 0 until measured
	left   bool          // it drains or has ended
}

func newRegistry(maxExits int, observed time.Duration) *registry {
	return &registry{
		maxExits:   maxExits,
		observed:   observed,
		identities: make(map[service.Identity]*member),
		hashes:     make(map[service.Hash]*member),
	}
}

// admit decides whether a verified registration is taken. It changes nothing.
func (g *registry) admit(reg *tunnel.Registration) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return &tunnel.RefusedError{Code: tunnel.CodeShutdown, Message: "the relay is stopping"}
	}
	if owner, ok := g.hashes[reg.Hash]; ok && owner.identity != reg.Info.Identity {
		return &tunnel.RefusedError{Code: tunnel.CodeHashTaken, Message: "another identity has registered these keys"}
	}
	known, ok := g.identities[reg.Info.Identity]
	if ok && reg.Info.Sequence < known.sequence {
		return &tunnel.RefusedError{Code: tunnel.CodeSequence, Message: "the relay knows a newer registration of this identity"}
	}
	if ok && len(known.entries) >= maxTunnels {
		return &tunnel.RefusedError{Code: tunnel.CodeFull, Message: "the relay takes no more tunnels of this identity"}
	}
	if !ok && len(g.identities) >= g.maxExits && !g.forgetExpired(time.Now()) {
		return &tunnel.RefusedError{Code: tunnel.CodeFull, Message: "the relay takes no more exits"}
	}
	return nil
}

// forgetExpired drops members that are not connected and whose registration has expired, and reports
// whether there were any. g.mu is held.
func (g *registry) forgetExpired(now time.Time) bool {
	before := len(g.identities)
	for identity, m := range g.identities {
		if len(m.entries) > 0 || now.Before(m.expires) {
			continue
		}
		for _, hash := range m.hashes {
			delete(g.hashes, hash)
		}
		delete(g.identities, identity)
	}
	return len(g.identities) < before
}

// add takes a tunnel in. Between admit and add another tunnel may have been added; the member keeps
// the newest registration of all, and one that lost a race for a hash is simply not routed to.
func (g *registry) add(t *tunnel.Tunnel) *entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	reg := t.Registration
	m, ok := g.identities[reg.Info.Identity]
	if !ok {
		m = &member{identity: reg.Info.Identity}
		g.identities[m.identity] = m
	}
	if m.newest == nil || reg.Info.Sequence >= m.sequence {
		m.newest, m.sequence, m.expires = reg, reg.Info.Sequence, reg.Info.Expires
	}
	g.addHash(m, reg.Hash)
	e := &entry{tunnel: t, member: m, since: time.Now()}
	m.entries = append(m.entries, e)
	g.tunnels++
	g.outdate()
	return e
}

// addHash makes a hash routable to m, and forgets m's oldest beyond maxHashes. g.mu is held.
func (g *registry) addHash(m *member, hash service.Hash) {
	if owner, ok := g.hashes[hash]; ok && owner != m {
		return
	}
	g.hashes[hash] = m
	m.hashes = append(slices.DeleteFunc(m.hashes, func(h service.Hash) bool { return h == hash }), hash)
	if len(m.hashes) > maxHashes {
		delete(g.hashes, m.hashes[0])
		m.hashes = m.hashes[1:]
	}
}

// outdate has the directory built again. g.mu is held.
func (g *registry) outdate() {
	g.snapshot = nil
	g.version++
}

// leave takes a tunnel that drains or has ended out of the directory. Requests find that out themselves.
func (g *registry) leave(e *entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.left = true
	g.outdate()
}

// remove takes out a tunnel that has ended.
func (g *registry) remove(e *entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.member.entries = slices.DeleteFunc(e.member.entries, func(other *entry) bool { return other == e })
	g.tunnels--
	g.outdate()
}

// observe records a measured round trip. It shows in the directory when that is next built.
func (g *registry) observe(e *entry, rtt time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e.rtt == 0 {
		g.outdate()
	}
	e.rtt = rtt
}

// candidates returns the tunnels that may take a request sealed to the keys of hash, best first: those
// that registered these very keys, then newer ones of the same identity, which honours old keys for a
// while; among equals the one with the fewest requests in flight. known is false for a hash that the
// registry has never seen or has forgotten.
func (g *registry) candidates(hash service.Hash) (tunnels []*tunnel.Tunnel, known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, known := g.hashes[hash]
	if !known {
		return nil, false
	}
	for _, e := range m.entries {
		if e.tunnel.Available() {
			tunnels = append(tunnels, e.tunnel)
		}
	}
	rank := func(t *tunnel.Tunnel) int {
		if t.Registration.Hash == hash {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(tunnels, func(a, b *tunnel.Tunnel) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.InFlight(), b.InFlight()))
	})
	return tunnels, true
}

// keys returns the key configurations registered under hash by a connected exit.
func (g *registry) keys(hash service.Hash) ([]byte, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, ok := g.hashes[hash]
	if !ok {
		return nil, false
	}
	for _, e := range m.entries {
		if e.tunnel.Registration.Hash == hash && e.alive() {
			return e.tunnel.Registration.Signed.KeyConfig, true
		}
	}
	return nil, false
}

// close refuses registrations from now on.
func (g *registry) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// counts returns how many exits and tunnels are connected.
func (g *registry) counts() (exits, tunnels int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.identities {
		if len(m.entries) > 0 {
			exits++
		}
	}
	return exits, g.tunnels
}

// alive reports whether the exit takes requests by this tunnel. g.mu is held.
func (e *entry) alive() bool { return !e.left && e.tunnel.Alive() }

// isClosed reports whether close was called.
func (g *registry) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// connected returns the directory's view of a member, or false when none of its tunnels takes
// requests. g.mu is held.
func (m *member) connected() (service.Entry, bool) {
	observed := service.Observed{}
	alive := 0
	for _, e := range m.entries {
		if !e.alive() || e.tunnel.Registration.Hash != m.newest.Hash {
			continue
		}
		alive++
		if observed.Since.IsZero() || e.since.Before(observed.Since) {
			observed.Since = e.since.UTC().Truncate(time.Second)
		}
		if ms := roundMillis(e.rtt); observed.RTTMillis == 0 || (ms > 0 && ms < observed.RTTMillis) {
			observed.RTTMillis = ms
		}
		observed.InFlight += max(0, e.tunnel.InFlight()-1) // the relay's own poll is always open
	}
	signed := m.newest.Signed
	return service.Entry{
		PubKeyHash:  m.newest.Hash,
		KeyConfig:   signed.KeyConfig,
		ServiceInfo: signed.ServiceInfo,
		Signature:   signed.Signature,
		Observed:    observed,
	}, alive > 0
}

// roundMillis keeps a tenth of a millisecond: more would change the directory at every measurement.
func roundMillis(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
}
