// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// directory is what is known of the exits behind all relays. One goroutine per relay, which run starts
// and waits for, looks at that relay's directory regularly and whenever it is asked to. While a
// relay is out of reach its last directory counts, until its entries expire.
type directory struct {
	trusted []service.Identity // empty: all
	pollers []*poller
	version atomic.Uint64 // of the pollers' listings
	changed chan struct{} // tells that it has grown; holds one
	merging sync.Mutex    // held while listings are merged; guards newest
	newest  newest
	merged  atomic.Pointer[view]
}

// view is what the listings of one version come to, until the first exit expires. It is shared: read only.
type view struct {
	exits []Exit // sorted by identity

	// routes is the same in two views when they have the same exits, which sign the same and are reached
	// through the same relays of the same operators: what is derived of those need not be made anew. What the relays observe may
	// differ.
	routes uint64

	version uint64
	until   time.Time
}

func newDirectory(cfg Config) *directory {
	d := &directory{trusted: cfg.Identities, changed: make(chan struct{}, 1), newest: newest{}}
	for _, url := range cfg.Relays {
		d.pollers = append(d.pollers, &poller{
			relay:    newRelay(url, cfg.DialContext),
			operator: cfg.RelayOperators[url],
			interval: cfg.RefreshInterval,
			log:      cfg.Logger.With("relay", url.Host),
			grow:     d.grow,
			kick:     make(chan struct{}, 1),
			changed:  make(chan struct{}),
		})
	}
	return d
}

// run keeps the directory fresh until ctx ends, and looks out for relays that freeze if there is another to go to.
func (d *directory) run(ctx context.Context) {
	var group sync.WaitGroup
	for _, p := range d.pollers {
		group.Go(func() { p.run(ctx) })
		if len(d.pollers) > 1 {
			group.Go(func() { p.relay.lookout.run(ctx, p.relay, func() bool { return d.elsewhere(p) }) })
		}
	}
	group.Wait()
}

// elsewhere reports whether another relay than p's works: it has answered, and not failed since.
func (d *directory) elsewhere(p *poller) bool {
	return slices.ContainsFunc(d.pollers, func(other *poller) bool {
		state, _ := other.relay.health.state(time.Now())
		_, known := other.relay.health.roundTrip()
		return other != p && known && state == route.Closed
	})
}

func (d *directory) close() {
	for _, p := range d.pollers {
		p.relay.close()
	}
}

// list returns the exits that can be used now, sorted by identity. The slice is shared: it is read only.
func (d *directory) list(now time.Time) []Exit { return d.view(now).exits }

// view returns the exits that can be used now.
func (d *directory) view(now time.Time) *view {
	if v := d.current(now); v != nil {
		return v
	}
	d.merging.Lock()
	defer d.merging.Unlock()
	if v := d.current(now); v != nil { // somebody else has merged them
		return v
	}
	v := d.merge(now)
	d.merged.Store(v)
	return v
}

// current returns the last view if it still holds.
func (d *directory) current(now time.Time) *view {
	if v := d.merged.Load(); v != nil && v.version == d.version.Load() && now.Before(v.until) {
		return v
	}
	return nil
}

// grow says that a listing has changed.
func (d *directory) grow() {
	d.version.Add(1)
	d.kick()
}

// kick has whoever waits for changes look.
func (d *directory) kick() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// merge makes a view. d.merging is held.
func (d *directory) merge(now time.Time) *view {
	v := &view{version: d.version.Load(), until: now.Add(service.MaxLifetime)}
	all := make([]reached, len(d.pollers))
	for i, p := range d.pollers {
		all[i] = reached{p.relay.url, p.current()}
	}
	v.exits = merge(all, d.trusted, now)
	v.exits = slices.DeleteFunc(v.exits, func(e Exit) bool { return d.newest.isOver(e, now) })
	for _, e := range v.exits {
		if e.Info.Expires.Before(v.until) {
			v.until = e.Info.Expires
		}
	}
	if last := d.merged.Load(); last != nil {
		v.routes = last.routes
		if !slices.EqualFunc(last.exits, v.exits, sameRoutes) {
			v.routes++
		}
	}
	return v
}

// sameRoutes reports whether two exits are one that signs the same and is reached through the same relays of the same
// operators.
func sameRoutes(a, b Exit) bool {
	return a.Info == b.Info && a.Hash == b.Hash &&
		slices.EqualFunc(a.Paths, b.Paths, func(a, b Path) bool { return a.Relay == b.Relay && a.Operator == b.Operator })
}

// hangUp closes all connections for good. One that carried something until just now is not idle yet, and would stay.
func (d *directory) hangUp() {
	for _, p := range d.pollers {
		p.relay.transport.cut()
	}
}

func (d *directory) poller(url relayurl.URL) *poller {
	for _, p := range d.pollers {
		if p.relay.url == url {
			return p
		}
	}
	return nil
}

// refresh asks the relays that have not been asked just now. It waits until what they answered is enough, for which
// enough is called after each answer, or until all have answered, but not for long.
func (d *directory) refresh(ctx context.Context, enough func() bool) {
	since := time.Now().Add(-refreshSpacing)
	var group sync.WaitGroup
	defer group.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asked := make(chan struct{}, len(d.pollers))
	for _, p := range d.pollers {
		group.Go(func() {
			p.refresh(ctx, since)
			asked <- struct{}{}
		})
	}
	for range d.pollers {
		<-asked
		if enough() {
			return
		}
	}
}

// age is the time since the relay that answered last did so, and false when none ever has.
func (d *directory) age(now time.Time) (time.Duration, bool) {
	var latest time.Time
	for _, p := range d.pollers {
		if fetched := p.status().Fetched; fetched.After(latest) {
			latest = fetched
		}
	}
	return now.Sub(latest), !latest.IsZero()
}

// poller keeps one relay's directory.
type poller struct {
	relay    *relay
	operator string // who runs the relay, as the user says; empty: what it says itself counts
	interval time.Duration
	log      *slog.Logger
	kick     chan struct{} // asks for a look at once; holds one

	grow func() // is called when the listing has changed

	mu      sync.Mutex // guards what follows
	begun   uint64     // looks that have begun
	beganAt time.Time  // the last of them
	done    uint64     // looks that have ended
	changed chan struct{}
	listing listing
	have    have // what the relay knows that this client has
	err     error
	fetched time.Time
	stopped bool
}

var errStopped = errors.New("the client is stopping")

// run looks at the directory until ctx ends.
func (p *poller) run(ctx context.Context) {
	defer p.stop()
	backoff := time.Duration(0)
	for ctx.Err() == nil {
		began := time.Now()
		wait := p.interval
		err := p.look(ctx)
		switch {
		case err != nil:
			backoff = min(max(2*backoff, minBackoff), maxBackoff)
			wait = min(backoff, p.interval)
		case len(p.current().entries) == 0:
			wait = min(emptyInterval, p.interval)
			fallthrough
		default:
			backoff = 0
		}
		next := time.Now().Add(jitter(wait))
		if sleep(ctx, time.Until(next), p.kick) {
			if soonest := began.Add(refreshSpacing); soonest.Before(next) {
				next = soonest
			}
			sleep(ctx, time.Until(next), nil)
		}
	}
}

// jitter makes a time up to a fifth longer or shorter.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// sleep waits for d or until ctx ends; it reports true when it was woken before.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) (woken bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
		return true
	}
	return false
}

// look downloads the directory once and tells those who wait for it.
func (p *poller) look(ctx context.Context) error {
	p.mu.Lock()
	p.begun++
	p.beganAt = time.Now()
	select {
	case <-p.kick: // whoever asked for a look gets this one
	default:
	}
	l := &look{relay: p.relay, last: p.listing, have: p.have, now: time.Now()}
	p.mu.Unlock()

	fresh, err := l.list(ctx)

	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.listing, p.have = fresh, l.have
	}
	if err == nil && l.changed {
		p.grow()
	}
	p.settle(ctx, err)
	return err
}

// settle records how a look ended. p.mu is held.
func (p *poller) settle(ctx context.Context, err error) {
	first := p.done == 0
	switch {
	case err == nil:
		p.fetched = time.Now()
		if first || p.err != nil {
			p.log.Info("relay answers", "exits", len(p.listing.entries), "dropped", p.listing.dropped)
		}
	case ctx.Err() == nil:
		// The network may have changed: an ETag that a relay made for one client would link its addresses, and
		// so would a segment that is not asked for.
		p.have = have{}
		if first || p.err == nil {
			p.log.Warn("relay does not answer", "reason", reason(err))
		}
	}
	p.err = err
	p.done = p.begun
	p.wake()
}

// wake tells all who wait that something has changed. p.mu is held.
func (p *poller) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *poller) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.wake()
}

// refresh returns when a look has ended that began after since, or after refreshWait. All who call
// meanwhile share one look, and looks that are asked for begin at least refreshSpacing apart.
func (p *poller) refresh(ctx context.Context, since time.Time) {
	ctx, cancel := context.WithTimeout(ctx, refreshWait)
	defer cancel()
	p.mu.Lock()
	want := p.begun
	if p.begun == 0 || !p.beganAt.After(since) {
		want++
		select {
		case p.kick <- struct{}{}:
		default:
		}
	}
	p.mu.Unlock()
	p.wait(ctx, want)
}

// wait waits until so many looks have ended.
func (p *poller) wait(ctx context.Context, looks uint64) error {
	for {
		p.mu.Lock()
		done, stopped, changed := p.done, p.stopped, p.changed
		p.mu.Unlock()
		switch {
		case done >= looks:
			return nil
		case stopped:
			return errStopped
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// current is what the last look found. Who runs the relay is the user's to say, if he does.
func (p *poller) current() listing {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.listing
	l.operator = cmp.Or(p.operator, l.operator)
	return l
}

func (p *poller) status() RelayStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return RelayStatus{
		Relay: p.relay.url, Err: p.err, Fetched: p.fetched,
		Exits: len(p.listing.entries), Dropped: p.listing.dropped,
	}
}
