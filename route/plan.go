// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"cmp"
	"slices"
	"time"

	"github.com/tokengo/tokengo/service"
)

// Candidate is one way to have a request answered: a model at an exit.
type Candidate struct {
	// Exit is what was given to [Chooser.Update].
	Exit Exit
	// Model is the exit's description of the model, read only. Ask for it by its ID: the exit may not know it by the name
	// that the request used.
	Model *service.Model
	// Asked is which of the request's models this is, as the request wrote it.
	Asked string
	// Tier is the name of the tier that it was found in, empty without tiers.
	Tier string
	// Trial is set when the candidate failed before, and this request finds out whether it has recovered.
	Trial bool

	conversation string
	began        time.Time // of the trial that it is, of its exit or its tier
}

func (c *Candidate) key() Key { return Key{c.Exit.Service().Identity, c.Model.ID, c.Model.Protocol} }

// Plan is the order in which to try candidates for one request. It is made as it is used, so that a plan for thousands
// of candidates costs no more than one for a few. It belongs to one goroutine.
type Plan struct {
	c       *Chooser
	g       *generation
	request *Request
	wanted  []wanted
	filters []*filter // one a tier, made when first needed
	explore bool

	stage    stage
	batch    []entry
	buffer   [2*batch + 1]entry // of batch, which outgrows it only when something is explored
	refill   bool               // the batch was full: there may be more
	tried    []int32            // what was yielded
	deferred []int32            // and what could not be at its turn
	only     bool               // no second candidate, whatever becomes of the first
	ended    bool

	counts  [reasons]int32
	spent   []string // tiers over their budget
	retryAt int64
}

// wanted is one of the models that the request names.
type wanted struct {
	asked string
	table *table
	skip  bool
	sort  Sort // that its name asks for
}

// stage is a part of a plan. First everything that is well is tried, of each model in each tier; then what rests, since
// trying that is better than giving up.
type stage struct {
	last        bool
	model, tier int
}

// Next returns the candidate to try next, or false when nothing is left; [Plan.Err] says why. Call it only when the
// candidate before has been given up, and report that first: a plan avoids what has failed meanwhile.
func (p *Plan) Next() (Candidate, bool) {
	for !p.ended {
		if len(p.batch) == 0 {
			p.advance()
			continue
		}
		if p.leavesTier() {
			p.batch, p.refill = nil, false
			continue
		}
		id := p.batch[0].id
		p.batch = p.batch[1:]
		if slices.Contains(p.tried, id) {
			continue
		}
		began, trial, ok := p.c.admit(p, id)
		if !ok {
			p.deferred = append(p.deferred, id)
			continue
		}
		p.tried = append(p.tried, id)
		p.ended = p.only
		to := p.candidate(id, trial)
		to.began = began
		return to, true
	}
	return Candidate{}, false
}

// Single reports whether no other candidate may be tried than the one that was yielded, because fallbacks are ruled out.
func (p *Plan) Single() bool { return p.only }

// leavesTier reports whether the stage's tier has begun to rest since the plan came to it. What it has left comes last.
func (p *Plan) leavesTier() bool {
	if p.stage.last || len(p.c.tiers) == 1 {
		return false
	}
	_, rests := p.c.tier(p.stage.tier)
	return rests
}

func (p *Plan) candidate(id int32, trial bool) Candidate {
	l := &p.g.ix.listings[id]
	return Candidate{
		Exit: p.g.ix.exits[l.exit], Model: p.g.ix.model(l), Asked: p.wanted[p.stage.model].asked,
		Tier: p.c.tiers[p.stage.tier].Name, Trial: trial, conversation: p.conversation(),
	}
}

// sort is the measure to choose by in the present stage: what the name asks for goes before the preferences.
func (p *Plan) sort() Sort {
	return cmp.Or(p.wanted[p.stage.model].sort, p.filter(p.stage.tier).sort)
}

// conversation is what the request's conversation is known by in the present stage. Who begins to ask for the cheapest
// or the fastest exit gets that, and stays there.
func (p *Plan) conversation() string {
	if sort := p.sort(); sort != "" && p.request.Conversation != "" {
		return string(sort) + " " + p.request.Conversation
	}
	return p.request.Conversation
}

// SkipModel leaves out what is left of one of the request's models, by the name that the request has for it, because all
// its exits would say the same. It reports false, and does nothing, when the request names no other that is left.
func (p *Plan) SkipModel(asked string) bool {
	others := func(w wanted) bool { return w.table != nil && !w.skip && w.asked != asked }
	if p.ended || !slices.ContainsFunc(p.wanted, others) {
		return false
	}
	for i := range p.wanted {
		if p.wanted[i].asked != asked {
			continue
		}
		p.wanted[i].skip = true
		if p.stage.model == i {
			p.batch, p.refill = nil, false
		}
	}
	return true
}

// advance draws the next batch, of this stage while it has more, else of the next one.
func (p *Plan) advance() {
	if p.refill {
		p.draw()
		return
	}
	s := &p.stage
	if s.tier++; s.tier == len(p.filters) {
		s.tier = 0
		if s.model++; s.model == len(p.wanted) {
			s.model = 0
			if s.last {
				p.ended = true
				return
			}
			s.last = true
		}
	}
	p.draw()
}

// draw fills the batch from the present stage.
func (p *Plan) draw() {
	again := p.refill || p.stage.last // these have been counted
	p.refill = false
	w := &p.wanted[p.stage.model]
	if w.table == nil || w.skip || !p.enter() {
		return
	}
	s := p.scan(w)
	s.run(w.table.rows)
	for i, n := range s.counts {
		if !again {
			p.counts[i] += n
		}
	}
	if s.retryAt > 0 && (p.retryAt == 0 || s.retryAt < p.retryAt) {
		p.retryAt = s.retryAt
	}
	p.refill = s.proven.n == batch || s.others.n == batch
	p.batch = s.drawn(p.buffer[:0])
	p.explore = p.explore && len(p.batch) == 0 // where nothing can be tried nothing was explored
	if p.only = s.f.noFallbacks && len(s.f.order) == 0; !p.stage.last && len(p.tried) == 0 {
		p.stick(s)
	}
}

// enter reports whether the stage's tier may be used.
func (p *Plan) enter() bool {
	spent, rests := p.c.tier(p.stage.tier)
	if spent {
		if name := p.c.tiers[p.stage.tier].Name; !slices.Contains(p.spent, name) {
			p.spent = append(p.spent, name)
		}
		return false
	}
	return p.stage.last || !rests
}

// scan prepares to look at the listings of a model.
func (p *Plan) scan(w *wanted) *scan {
	f := p.filter(p.stage.tier)
	s := &scan{
		f: f, listings: p.g.ix.listings, live: p.g.live, now: p.c.cfg.Now().UnixNano(), sort: p.sort(), last: p.stage.last,
		pricing: w.table.scale.pricing(p.request.size()),
	}
	s.protocols = classes(f, native(p.request), s.sort)
	skip := func(id int32) bool {
		return slices.Contains(p.tried, id) || !s.last && slices.Contains(p.deferred, id)
	}
	s.proven = race{random: p.c.cfg.Random, skip: skip}
	s.others = s.proven
	if p.explore && s.sort != SortPrice && !s.last {
		s.explorer = &explorer{random: p.c.cfg.Random}
	}
	return s
}

func (p *Plan) filter(tier int) *filter {
	if p.filters[tier] == nil {
		p.filters[tier] = newFilter(p.g.ix, p.request, &p.c.cfg.Preferences, &p.c.tiers[tier].Preferences, p.request.Preferences)
	}
	return p.filters[tier]
}

// stick puts the exit that the conversation is at to the front, unless an order says otherwise.
func (p *Plan) stick(s *scan) {
	if len(s.f.order) > 0 {
		return
	}
	id, ok := p.c.bond(p.g, p.conversation())
	if !ok || !p.g.ix.contains(p.wanted[p.stage.model].table, id) {
		return
	}
	if v := s.see(id); v.class == out || !v.isSound() {
		return
	}
	p.batch = slices.Insert(p.batch, 0, entry{id: id})
}

// retryTime is when something that is rate-limited now can be asked again, zero when nothing is.
func (p *Plan) retryTime() time.Time {
	if p.retryAt == 0 {
		return time.Time{}
	}
	return time.Unix(0, p.retryAt)
}
