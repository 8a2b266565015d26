// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"net/http"
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

// maxSignedBytes bounds what all listed exits have signed: in JSON, with base64, it must stay below
// [service.MaxDirectoryBytes], or clients would refuse the directory.
const maxSignedBytes = 88 << 20

// registry knows the exits that are connected, and for each identity the newest registration seen.
//
// Keys belong to the first identity that registers them: another that presents the same public keys,
// which are no secret, would otherwise receive the requests sealed to them.
type registry struct {
	maxExits int
	began    time.Time // what histories count from

	mu         sync.Mutex // guards all below, and what changes in members and entries
	closed     bool
	identities map[service.Identity]*member
	hashes     map[service.Hash]*member
	tunnels    int
	bytes      int    // signed by all members, in their newest registrations
	version    uint64 // of what the directory is built from
}

// member is all that the registry holds of one identity.
type member struct {
	identity service.Identity
	place    place                // where the directory lists it
	sequence int64                // of the newest registration
	expires  time.Time            // of the newest registration: when an unconnected member is forgotten
	hashes   []service.Hash       // newest last
	entries  []*entry             // connected tunnels
	newest   *tunnel.Registration // what the directory shows while a tunnel is connected
	history  *history             // kept while the exit is away
}

// entry is one connected tunnel.
type entry struct {
	registration *tunnel.Registration
	carrier      carrier
	member       *member
	since        time.Time
	trips        trips
	rtt          time.Duration // the median of trips, 0 until measured
	inFlight     int           // requests that it was taken for and that have not ended
	left         bool          // it drains or has ended
}

// carrier takes requests to an exit: a [tunnel.Tunnel].
type carrier interface {
	http.RoundTripper
	Alive() bool     // it neither drains nor has ended
	Available() bool // it is alive and takes another request now
	Frozen() bool    // it stands, but nothing comes
}

func newRegistry(maxExits int) *registry {
	return &registry{
		maxExits:   maxExits,
		began:      time.Now(),
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
	if grown := service.SignedSize(reg.Signed) - known.size(); grown > 0 && g.bytes+grown > maxSignedBytes && !g.forgetExpired(time.Now()) {
		return &tunnel.RefusedError{Code: tunnel.CodeFull, Message: "the relay's directory has no room for this description"}
	}
	return nil
}

// size is the number of bytes that the member has signed; that of nil is 0.
func (m *member) size() int {
	if m == nil || m.newest == nil {
		return 0
	}
	return service.SignedSize(m.newest.Signed)
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
		g.bytes -= m.size()
		delete(g.identities, identity)
	}
	return len(g.identities) < before
}

// add takes a tunnel in. Between admit and add another tunnel may have been added; the member keeps
// the newest registration of all, and one that lost a race for a hash is simply not routed to.
func (g *registry) add(reg *tunnel.Registration, c carrier) *entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	m, ok := g.identities[reg.Info.Identity]
	if !ok {
		m = &member{identity: reg.Info.Identity, place: placeOf(reg.Info.Identity), history: newHistory(g.age(now))}
		g.identities[m.identity] = m
	}
	if m.newest == nil || reg.Info.Sequence >= m.sequence {
		g.bytes -= m.size()
		m.newest, m.sequence, m.expires = reg, reg.Info.Sequence, reg.Info.Expires
		g.bytes += m.size()
	}
	g.addHash(m, reg.Hash)
	e := &entry{registration: reg, carrier: c, member: m, since: now}
	m.entries = append(m.entries, e)
	g.tunnels++
	g.changed(m, now)
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

// changed notes that a member's tunnels have changed. g.mu is held.
func (g *registry) changed(m *member, now time.Time) {
	m.history.connected(g.age(now), slices.ContainsFunc(m.entries, (*entry).alive))
	g.version++
}

// age is the time that histories count in.
func (g *registry) age(now time.Time) time.Duration { return max(0, now.Sub(g.began)) }

// leave takes a tunnel that drains or has ended out of the directory. Requests find that out themselves.
func (g *registry) leave(e *entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.left = true
	g.changed(e.member, time.Now())
}

// remove takes out a tunnel that has ended.
func (g *registry) remove(e *entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.member.entries = slices.DeleteFunc(e.member.entries, func(other *entry) bool { return other == e })
	g.tunnels--
	g.changed(e.member, time.Now())
}

// known reports whether hash names an exit that the registry has seen and not forgotten.
func (g *registry) known(hash service.Hash) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hashes[hash] != nil
}

// take chooses the tunnel for a request sealed to the keys of hash, and counts the request as in flight
// on it until release is called. It passes over the tunnels in tried, and returns nil when no other takes
// requests now.
func (g *registry) take(hash service.Hash, tried []*entry) *entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.hashes[hash]
	if m == nil {
		return nil
	}
	var best *entry
	for _, e := range m.entries {
		if !slices.Contains(tried, e) && e.takes() && (best == nil || better(e, best, hash)) {
			best = e
		}
	}
	if best != nil {
		best.inFlight++
	}
	return best
}

// better reports whether a request sealed to the keys of hash should rather go to a than to b: to those
// that registered these very keys, then to newer ones of the same identity, which honours old keys for a
// while; among equals to the one with the fewest requests in flight, then to the nearest. One that has not
// been measured is no nearer than any other.
func better(a, b *entry, hash service.Hash) bool {
	if own := a.registration.Hash == hash; own != (b.registration.Hash == hash) {
		return own
	}
	if a.inFlight != b.inFlight {
		return a.inFlight < b.inFlight
	}
	return a.rtt > 0 && b.rtt > 0 && a.rtt < b.rtt
}

// release ends what take began.
func (g *registry) release(e *entry, v verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.inFlight--
	e.member.history.judged(g.age(time.Now()), v)
}

// takes reports whether a request may be sent now. A frozen tunnel would be closed a little later, with
// the request lost; without it the client may try another exit at once.
func (e *entry) takes() bool { return !e.left && e.carrier.Available() && !e.carrier.Frozen() }

// keys returns the key configurations registered under hash by a connected exit.
func (g *registry) keys(hash service.Hash) ([]byte, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, ok := g.hashes[hash]
	if !ok {
		return nil, false
	}
	for _, e := range m.entries {
		if e.registration.Hash == hash && e.alive() {
			return e.registration.Signed.KeyConfig, true
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
func (e *entry) alive() bool { return !e.left && e.carrier.Alive() }

// isClosed reports whether close was called.
func (g *registry) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// currentVersion changes with whatever the directory is built from.
func (g *registry) currentVersion() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.version
}

// list returns the exits that the directory shows, in no order, and the version that this is of.
func (g *registry) list(now time.Time) (exits []listed, version uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.identities {
		if g.listed(m, now) {
			exits = append(exits, listed{m.place, m.newest})
		}
	}
	return exits, g.version
}
