// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/service"
)

// Config is what a [Chooser] is made of. The zero value allows every exit and prefers none.
type Config struct {
	// Preferences are the profile's, which count for every request.
	Preferences Preferences
	// Tiers are the steps of fall-back, the one to use first at the front. Default: one without a name.
	Tiers []Tier
	// Naming says which names mean the same model. Default: equal ones.
	Naming Naming
	// Money says how prices compare. Default: US dollars.
	Money Money
	// HalfLife is the time in which what was learned comes to count half. Default: 1 h.
	HalfLife time.Duration
	// MaxRecords is the number of models at exits that something is remembered of. Default: 10,000.
	MaxRecords int
	// MaxConversations is the number of conversations whose exit is remembered. Default: 4096.
	MaxConversations int
	// ConversationLifetime is how long a conversation may pause without losing its exit. Default: 1 h, as long as
	// backends keep a prompt at most.
	ConversationLifetime time.Duration
	// Now is the clock. Default: [time.Now].
	Now func() time.Time
	// Random returns numbers from 0 to below 1, to several goroutines at once. Default: [rand.Float64].
	Random func() float64
}

const (
	defaultHalfLife             = time.Hour
	defaultMaxRecords           = 10_000
	defaultMaxConversations     = 4096
	defaultConversationLifetime = time.Hour
)

func (cfg Config) withDefaults() Config {
	cfg.HalfLife = cmp.Or(cfg.HalfLife, defaultHalfLife)
	cfg.MaxRecords = cmp.Or(cfg.MaxRecords, defaultMaxRecords)
	cfg.MaxConversations = cmp.Or(cfg.MaxConversations, defaultMaxConversations)
	cfg.ConversationLifetime = cmp.Or(cfg.ConversationLifetime, defaultConversationLifetime)
	if len(cfg.Tiers) == 0 {
		cfg.Tiers = []Tier{{}}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	return cfg
}

func (cfg Config) validate() error {
	if err := cfg.Preferences.Validate(); err != nil {
		return fmt.Errorf("preferences: %w", err)
	}
	if err := cfg.Money.validate(); err != nil {
		return err
	}
	if cfg.HalfLife < 0 || cfg.MaxRecords < 0 || cfg.MaxConversations < 0 || cfg.ConversationLifetime < 0 {
		return fmt.Errorf("half-life, records and conversations: want no negative numbers")
	}
	return validateTiers(cfg.Tiers)
}

// Chooser chooses among exits and learns from how it went. It may be used by several goroutines at once: plans read
// without a lock, reports take turns.
type Chooser struct {
	cfg     Config
	current atomic.Pointer[generation]

	mu       sync.Mutex // guards what follows
	tiers    []*tierState
	memory   *memory
	breakers map[Key]*breaker
	affinity *affinity
	usual    map[string]usualFor
	changes  uint64 // of what Snapshot writes
}

// usualFor is what was usual for a model at a time.
type usualFor struct {
	peers
	at time.Time
}

// peersAge is how old the comparison with peers may be when a report uses it.
const peersAge = 10 * time.Second

// New checks the configuration and returns a Chooser that knows no exits yet.
func New(cfg Config) (*Chooser, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("choose among exits: %w", err)
	}
	cfg = cfg.withDefaults()
	c := &Chooser{
		cfg: cfg, memory: newMemory(cfg.HalfLife, cfg.MaxRecords), breakers: map[Key]*breaker{},
		affinity: newAffinity(cfg.MaxConversations, cfg.ConversationLifetime), usual: map[string]usualFor{},
	}
	for _, t := range cfg.Tiers {
		c.tiers = append(c.tiers, &tierState{Tier: t})
	}
	c.Update(nil)
	return c, nil
}

// Update makes these the exits to choose among, in the place of those before. What is known of them stays. It keeps
// the slice, and costs what [NewIndex] costs.
func (c *Chooser) Update(exits []Exit) {
	c.Use(NewIndex(exits, c.cfg.Naming, c.cfg.Money))
}

// Use is Update with an index that was made before, with the Naming and Money of the configuration. Several Choosers
// may use one index.
func (c *Chooser) Use(ix *Index) {
	g := newGeneration(ix)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin(g, c.cfg.Now())
}

// Plan begins to choose for a request. The request must not change while the plan is used.
func (c *Chooser) Plan(r *Request) *Plan {
	p := c.plan(r)
	p.explore = c.cfg.Random() < exploration
	if !p.ended {
		p.draw()
	}
	return p
}

// plan prepares a plan that has not drawn yet.
func (c *Chooser) plan(r *Request) *Plan {
	g := c.current.Load()
	p := &Plan{
		c: c, g: g, request: r, filters: make([]*filter, len(c.tiers)), wanted: make([]wanted, 0, len(r.Models)),
	}
	for _, name := range r.Models {
		p.wanted = append(p.wanted, c.want(g.ix, r.Protocols, name))
	}
	p.ended = len(p.wanted) == 0 || len(r.Protocols) == 0
	return p
}

// want finds what a name means, without its suffix or else with it: what somebody publishes with a suffix must not take
// the place of the model that others publish without.
func (c *Chooser) want(ix *Index, protocols []service.Protocol, name string) wanted {
	if base, sort := SplitSuffix(name); sort != "" && !ix.configured[name] {
		if t := ix.lookup(c.cfg.Naming, protocols, base); t != nil {
			return wanted{asked: name, table: t, sort: sort}
		}
	}
	return wanted{asked: name, table: ix.lookup(c.cfg.Naming, protocols, name)}
}

// admit reports whether a candidate may be tried now. One that has failed may be tried by one request at a time, which
// makes that a trial, of which it tells when it began; when nothing else is left it may by all.
func (c *Chooser) admit(p *Plan, id int32) (began time.Time, trial, ok bool) {
	if p.stage.last {
		return time.Time{}, true, true
	}
	now := c.cfg.Now()
	state := p.g.live[id].state(now.UnixNano())
	switch {
	case state == Closed && len(c.tiers) == 1:
		return time.Time{}, false, true
	case state == Open:
		return time.Time{}, false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == HalfOpen && !c.admitTrial(p, id, now) {
		return time.Time{}, false, false
	}
	if tier := &c.tiers[p.stage.tier].breaker; tier.state(now) == HalfOpen {
		tier.trial(now) // only now: a tier with nothing to try must not count as being tried
	}
	return now, state == HalfOpen, true
}

// admitTrial begins the trial of a candidate that is half open, unless another request tries it. c.mu is held.
func (c *Chooser) admitTrial(p *Plan, id int32, now time.Time) bool {
	key := p.g.ix.key(&p.g.ix.listings[id])
	both := []*breaker{c.breakers[key], c.breakers[Key{Exit: key.Exit}]}
	for _, b := range both {
		if state := b.state(now); state == Open || state == HalfOpen && b.trying(now) {
			return false // and neither is on trial by a request that is not sent
		}
	}
	for _, b := range both {
		if b.state(now) == HalfOpen {
			b.trial(now)
		}
	}
	c.applyRest(c.current.Load(), Key{Exit: key.Exit})
	return true
}

// tier reports whether a tier has spent its budget, and whether it rests or is being tried. The only tier never rests:
// there is nothing to fall back to.
func (c *Chooser) tier(i int) (spent, rests bool) {
	t := c.tiers[i]
	if len(c.tiers) == 1 && t.Budget == nil {
		return false, false
	}
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	state := t.breaker.state(now)
	return t.overspent(now), len(c.tiers) > 1 && (state == Open || state == HalfOpen && t.breaker.trying(now))
}

// factors are what is known of a key now.
func (c *Chooser) factors(key Key) Factors {
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.memory.records[key]
	if r == nil {
		return unknown.factors
	}
	r.fade(now, c.cfg.HalfLife)
	return judge(r, c.usual[key.Model].peers).factors
}

// bond finds where a conversation is.
func (c *Chooser) bond(g *generation, conversation string) (id int32, ok bool) {
	if conversation == "" {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key, ok := c.affinity.find(c.cfg.Now(), conversation)
	if !ok {
		return 0, false
	}
	return g.ix.find(key)
}

// Report tells how an attempt went. Each candidate of a plan that was tried needs one report.
func (c *Chooser) Report(to Candidate, o Outcome) {
	now, key := c.cfg.Now(), to.key()
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.current.Load()
	if o.Result != Inconclusive || o.Usage != (Usage{}) {
		c.changes++
	}
	if o.Result != Inconclusive {
		r := c.memory.learn(now, key, o, to.Exit.Service().SLA)
		if u, ok := c.usual[key.Model]; !ok || now.Sub(u.at) >= peersAge {
			c.compare(g, key.Model, now)
		} else {
			c.apply(g, r, u.peers)
		}
	}
	c.trip(g, to, o, now)
	c.bill(to, o, now)
	if to.conversation != "" {
		if o.Result == Succeeded {
			c.affinity.keep(now, to.conversation, key)
		} else if o.Result != Inconclusive {
			c.affinity.leave(to.conversation, key)
		}
	}
}

// Answering tells that the answer of a candidate has begun: what rested has recovered, however long the answer will take.
// A report follows when it is over.
func (c *Chooser) Answering(to Candidate) {
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	g, key := c.current.Load(), to.key()
	for _, k := range []Key{key, {Exit: key.Exit}} {
		if b := c.breakers[k]; b.state(now) == HalfOpen {
			b.answering(now)
			c.applyRest(g, k)
		}
	}
	i := slices.IndexFunc(c.tiers, func(t *tierState) bool { return t.Name == to.Tier })
	if i >= 0 && c.tiers[i].breaker.state(now) == HalfOpen {
		c.tiers[i].breaker.answering(now)
		c.tiers[i].failed = c.tiers[i].failed[:0]
	}
}

// trip works the breakers. What does not reach an exit rests all its models, what fails there only that model. c.mu is
// held.
func (c *Chooser) trip(g *generation, to Candidate, o Outcome, now time.Time) {
	key := to.key()
	whole := Key{Exit: key.Exit}
	switch o.Result {
	case Succeeded:
		if c.breakers[key] == nil && c.breakers[whole] == nil {
			return
		}
		delete(c.breakers, key)
		delete(c.breakers, whole)
		c.applyRest(g, whole)
	case Failed, Interrupted:
		c.breaker(key).fail(now, c.cfg.Random())
		c.applyRest(g, key)
	case Unreachable:
		c.breaker(whole).fail(now, c.cfg.Random())
		c.applyRest(g, whole)
	case Limited:
		c.breaker(key).limit(now, o.RetryAfter, c.cfg.Random())
		c.applyRest(g, key)
	case Inconclusive:
		for _, k := range []Key{key, whole} {
			if b := c.breakers[k]; b != nil && b.abandon(to.began) {
				c.applyRest(g, k)
			}
		}
	}
}

// breaker returns the key's breaker. Any other makes room when there are too many. c.mu is held.
func (c *Chooser) breaker(key Key) *breaker {
	b := c.breakers[key]
	if b == nil {
		if len(c.breakers) >= c.cfg.MaxRecords {
			for old := range c.breakers {
				delete(c.breakers, old)
				c.applyRest(c.current.Load(), old)
				break
			}
		}
		b = &breaker{}
		c.breakers[key] = b
	}
	return b
}

// bill counts what a tier cost and how it does. c.mu is held.
func (c *Chooser) bill(to Candidate, o Outcome, now time.Time) {
	i := slices.IndexFunc(c.tiers, func(t *tierState) bool { return t.Name == to.Tier })
	if i < 0 {
		return
	}
	if cost, err := c.cfg.Money.Cost(to.Model.Pricing, o.Usage); err == nil && (o.Usage != Usage{} || o.Result == Succeeded) {
		c.tiers[i].spend(now, cost)
	}
	if len(c.tiers) > 1 { // the only one never rests
		c.tiers[i].learn(now, to, o.Result, c.cfg.Random())
	}
}
