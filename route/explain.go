// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Verdict is what was thought of one candidate. Its texts are the exit's own: make them printable before they are shown.
type Verdict struct {
	Candidate
	// Excluded is why it cannot be chosen; 0 when it can.
	Excluded Reason
	// Demoted is why it comes after others, the weightiest first.
	Demoted []Reason
	// Factors make Score.
	Factors Factors
	Score   float64
	// Price is what the request would cost, in [Money.Currency]; negative when the exit does not say.
	Price float64
	// Chance is the probability that it is tried first, from 0 to 1, of all tiers and models together. A conversation
	// that stays with its exit is not considered.
	Chance float64
	// State is that of its circuit breaker, and Until when that is half open.
	State State
	Until time.Time

	class  uint32
	weight float64
	key    float32 // what it is sorted by
	share  float64
	proven bool
	owner  int32
}

// Explain says what would be thought of every candidate for a request now: for each model and tier, those most likely
// to be tried first at the front. Its cost and its answer grow with their number; it changes nothing.
func (c *Chooser) Explain(r *Request) []Verdict {
	p := c.plan(r)
	var stages []explained
	for m := range p.wanted {
		for t := range c.tiers {
			p.stage = stage{model: m, tier: t}
			if p.ended || p.wanted[m].table == nil {
				continue
			}
			verdicts, explore := p.explain(&p.wanted[m])
			spent, rests := c.tier(t)
			stages = append(stages, explained{verdicts, explore, spent, rests})
		}
	}
	giveChances(stages, c.cfg.Now())
	var all []Verdict
	for _, e := range stages {
		rank(e.verdicts)
		all = append(all, e.verdicts...)
	}
	return all
}

// giveChances gives all the probability to the first stage that has something to try: something that is well, or in none
// of them, something that rests.
func giveChances(stages []explained, now time.Time) {
	for _, e := range stages {
		if !e.spent && !e.rests && chances(e.verdicts, e.explore) {
			return
		}
	}
	for _, e := range stages {
		if !e.spent && chancesOfResting(e.verdicts, now) {
			return
		}
	}
}

// explained is a stage of a plan, explained.
type explained struct {
	verdicts     []Verdict
	explore      float64 // how much is explored there
	spent, rests bool    // its tier
}

// Find says what would be thought of every model of every exit, whatever the request's Models are, under the profile's
// and the request's preferences but no tier's. Chances are left out: these are no alternatives. Its cost and its answer
// grow with the directory; it changes nothing.
func (c *Chooser) Find(r *Request) []Verdict {
	p := c.plan(r)
	if len(r.Protocols) == 0 {
		return nil
	}
	p.wanted = []wanted{{table: p.g.ix.newTable(slices.Clone(p.g.ix.all))}}
	p.filters[0] = newFilter(p.g.ix, r, &c.cfg.Preferences, r.Preferences)
	verdicts, _ := p.explain(&p.wanted[0])
	rank(verdicts)
	for i := range verdicts {
		verdicts[i].Tier = ""
	}
	return verdicts
}

// rank puts those that will be tried first at the front, and what is excluded at the end.
func rank(verdicts []Verdict) {
	slices.SortStableFunc(verdicts, func(a, b Verdict) int {
		return cmp.Or(cmp.Compare(a.Excluded, b.Excluded), -cmp.Compare(a.Chance, b.Chance),
			cmp.Compare(len(a.Demoted), len(b.Demoted)), cmp.Compare(a.key, b.key), -cmp.Compare(a.weight, b.weight),
			-cmp.Compare(a.Score, b.Score))
	})
}

// explain makes the verdicts of one stage, without chances, and says how much is explored there.
func (p *Plan) explain(w *wanted) (verdicts []Verdict, explore float64) {
	p.explore = true
	s := p.scan(w)
	if s.explorer != nil {
		explore = exploration
	}
	for start := 0; start < len(w.table.rows); {
		end := s.ownerEnd(w.table.rows, start)
		rows := w.table.rows[start:end]
		share := s.sharesOf(rows)
		for _, id := range rows {
			verdicts = append(verdicts, p.verdict(s, id, share))
		}
		start = end
	}
	if s.sort != "" {
		onlyBest(verdicts)
	}
	return verdicts, explore
}

// onlyBest gives all weight to the first of a sorted choice, and to those that are as good.
func onlyBest(verdicts []Verdict) {
	best := -1
	for i := range verdicts {
		v := &verdicts[i]
		if v.eligible() && (best < 0 || v.class < verdicts[best].class || v.class == verdicts[best].class && v.key < verdicts[best].key) {
			best = i
		}
	}
	for i := range verdicts {
		v := &verdicts[i]
		v.proven, v.weight = false, 0
		if best >= 0 && v.key == verdicts[best].key {
			v.weight = 1
		}
	}
}

func (p *Plan) verdict(s *scan, id int32, share shares) Verdict {
	l, live := &p.g.ix.listings[id], &p.g.live[id]
	v := Verdict{Candidate: p.candidate(id, false), Excluded: s.f.exclude(l), Price: -1, State: live.state(s.now)}
	if v.State != Closed {
		v.Until = time.Unix(0, live.until.Load())
	}
	if l.stated&statesPrice != 0 {
		v.Price = float64(l.prices.of(&s.pricing.factors))
	}
	v.Factors = p.c.factors(p.g.ix.key(l))
	v.Score = v.Factors.Score()
	rests := s.rests(live)
	if v.Excluded == 0 && rests == RateLimited {
		v.Excluded = RateLimited
	}
	if v.Excluded != 0 {
		return v
	}
	s.last = true // so that what rests is seen as well
	row := s.see(id)
	s.last = false
	v.class, v.share, v.owner, v.proven = row.class, float64(share.alike), l.owner, row.flags&flagProven != 0
	v.weight = max(float64(row.weight*share.of(row)), minWeight)
	if s.sort != "" {
		v.key = s.sortKey(l, live)
	}
	v.Demoted = s.demotions(l, v.class)
	if rests == Resting {
		v.Demoted = slices.Insert(v.Demoted, 0, Resting)
	}
	return v
}

// demotions are the bits of a class in words.
func (s *scan) demotions(l *listing, class uint32) (why []Reason) {
	if class >= classOrder && s.f.place(l) == len(s.f.order) {
		why = append(why, OutsideOrder)
	}
	for _, d := range []struct {
		bit uint32
		why Reason
	}{
		{classUnreliable, Unreliable}, {classBreaks, BreaksPromises}, {classUnsure, CapabilityUnknown}, {classShort, OutputTooShort}, {classSlow, TooSlow},
	} {
		if class&d.bit != 0 {
			why = append(why, d.why)
		}
	}
	if s.f.preference[l.protocol&7] > 0 {
		why = append(why, LessPreferred)
	}
	if class&classTranslated != 0 {
		why = append(why, Translated)
	}
	return why
}

// chances divides the probability among those that may be tried first. It reports whether there are any.
func chances(verdicts []Verdict, explore float64) bool {
	first, explored := pools(verdicts)
	if len(first) == 0 {
		return false
	}
	sum := 0.0
	for _, i := range first {
		sum += verdicts[i].weight
	}
	for _, i := range first {
		verdicts[i].Chance += (1 - explore) * verdicts[i].weight / sum
	}
	shares := 0.0
	for _, i := range explored {
		shares += verdicts[i].share
	}
	for _, i := range explored {
		verdicts[i].Chance += explore * verdicts[i].share / shares
	}
	return true
}

// chancesOfResting divides the probability among those that are tried first when everything rests: of the first place in
// the order, what rests for the shortest time. It reports whether there are any.
func chancesOfResting(verdicts []Verdict, now time.Time) bool {
	before := func(a, b *Verdict) int {
		return cmp.Or(cmp.Compare(a.class/classOrder, b.class/classOrder), cmp.Compare(max(a.Until.Sub(now), 0), max(b.Until.Sub(now), 0)))
	}
	var first []*Verdict
	for i := range verdicts {
		switch v := &verdicts[i]; {
		case v.Excluded != 0 || len(first) > 0 && before(v, first[0]) > 0:
		case len(first) > 0 && before(v, first[0]) == 0:
			first = append(first, v)
		default:
			first = []*Verdict{v}
		}
	}
	for _, v := range first {
		v.Chance = 1 / float64(len(first))
	}
	return len(first) > 0
}

// pools are the verdicts that are drawn among by weight, and those that exploration draws among.
func pools(verdicts []Verdict) (first, explored []int) {
	best, bestExplored := uint32(math.MaxUint32), uint32(math.MaxUint32)
	for i := range verdicts {
		if v := &verdicts[i]; v.eligible() {
			best = min(best, v.class)
			bestExplored = min(bestExplored, v.class&^classLearned)
		}
	}
	owners := map[int32]bool{}
	for i := range verdicts {
		if v := &verdicts[i]; v.eligible() && v.class == best {
			if v.proven {
				owners[v.owner] = true
			}
		}
	}
	for i := range verdicts {
		v := &verdicts[i]
		if !v.eligible() {
			continue
		}
		if v.class&^classLearned == bestExplored {
			explored = append(explored, i)
		}
		switch {
		case v.class != best || v.weight == 0:
		case len(owners) >= provenEnough && !v.proven:
			v.Demoted = append(v.Demoted, Unproven)
		default:
			first = append(first, i)
		}
	}
	return first, explored
}

// eligible reports whether a candidate may be tried while others are left.
func (v *Verdict) eligible() bool {
	return v.Excluded == 0 && (len(v.Demoted) == 0 || v.Demoted[0] != Resting)
}
