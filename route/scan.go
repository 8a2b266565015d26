// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"math"
	"slices"
)

const (
	// exploration is the part of all choices that go to any candidate alike, so that what was written off, or never
	// tried, gets a chance to be found good.
	exploration = 0.03
	// provenEnough is how many operators must have proven good for the others to be explored only.
	provenEnough = 5
	// maxRows is how many listings of one model are drawn among for one request. Of a model that more exits offer, a part
	// is looked at that begins at random; more of it when that part has nothing. Who asks for the cheapest, the fastest, or
	// certain exits first has all looked at.
	maxRows = 6144
)

// scan looks once at all listings that a name means, under one filter, and keeps the best.
type scan struct {
	f         *filter
	listings  []listing
	live      []live
	pricing   pricing
	now       int64
	sort      Sort
	last      bool      // also what rests: nothing else is left
	protocols [8]uint32 // the class of each
	retryAt   int64     // when the first that is rate-limited may be asked again; 0: none is

	proven, others race
	provenClass    uint32    // the best class in which anything has proven good
	provenOwners   int32     // so many have something proven in it
	lastProven     int32     // the last of them: rows of one owner come after each other
	explorer       *explorer // nil: not this time
	counts         [reasons]int32
}

// explorer draws one candidate of all that do not differ but by what was learned, every operator alike.
type explorer struct {
	random func() float64
	id     int32
	class  uint32
	total  float32
}

func (x *explorer) offer(id int32, class uint32, share float32) {
	class &^= classLearned
	switch {
	case x.total > 0 && class > x.class:
		return
	case x.total == 0 || class < x.class:
		x.class, x.total = class, 0
	}
	x.total += share
	if float32(x.random())*x.total < share {
		x.id = id
	}
}

// run scans the rows, which are sorted by owner.
func (s *scan) run(rows []int32) {
	n := len(rows)
	i := 0
	if n > maxRows { // begin where an owner's rows begin, so that no owner is cut in two
		if i = s.ownerEnd(rows, int(s.others.random()*float64(n))); i == n {
			i = 0
		}
	}
	for done := 0; done < n; {
		enough := done >= maxRows && s.sort == "" && s.found()
		if enough && len(s.f.order) == 0 {
			return
		}
		end := s.ownerEnd(rows, i)
		switch {
		case enough && !slices.ContainsFunc(rows[i:end], s.isOrdered):
		case end > i+1:
			s.owner(rows[i:end])
		case s.sorts() && s.isBeaten(rows[i]):
		default:
			if v := s.see(rows[i]); v.class != out {
				s.enter(rows[i], v, 1, 1)
			}
		}
		done += end - i
		if i = end; i == n {
			i = 0
		}
	}
}

func (s *scan) found() bool { return s.proven.n+s.others.n > 0 }

// ownerEnd is where the rows end that have the owner of rows[i].
func (s *scan) ownerEnd(rows []int32, i int) int {
	owner := s.listings[rows[i]].owner
	end := i + 1
	for end < len(rows) && s.listings[rows[end]].owner == owner {
		end++
	}
	return end
}

// seen is what is thought of a row.
type seen struct {
	class  uint32 // or out
	flags  uint32
	weight float32 // its chance, not yet shared and divided by the sum of all
}

// out is the class of what cannot be chosen.
const out = math.MaxUint32

// isSound reports whether a row that can be chosen is neither resting nor written off.
func (v seen) isSound() bool { return v.flags&(flagUnreliable|flagBreaks|flagRests) == 0 }

// shares are how much of an owner's one share a row has: of those that are sound, of those that are not, which none
// that is sound is drawn against, and when all are drawn alike.
type shares struct{ sound, unsound, alike float32 }

// sharesOf divides among so many rows, of which so many are sound.
func sharesOf(all, sound int) shares {
	part := func(n int) float32 { return 1 / float32(max(n, 1)) }
	return shares{part(sound), part(all - sound), part(all)}
}

// of is the share of a row when it is drawn by weight.
func (s shares) of(v seen) float32 {
	if v.isSound() {
		return s.sound
	}
	return s.unsound
}

// owner lets the rows of one owner take part, which share one share. Few are looked at once and kept; many are looked at
// twice.
func (s *scan) owner(rows []int32) {
	var buffer [8]seen
	if s.sorts() { // there is nothing to share
		for _, id := range rows {
			if !s.isBeaten(id) {
				if v := s.see(id); v.class != out {
					s.enter(id, v, 1, 1)
				}
			}
		}
		return
	}
	if len(rows) > len(buffer) {
		share := s.sharesOf(rows)
		for _, id := range rows {
			if v := s.see(id); v.class != out {
				s.enter(id, v, share.of(v), share.alike)
			}
		}
		return
	}
	all, sound := 0, 0
	for i, id := range rows {
		v := s.see(id)
		buffer[i] = v
		v.count(&all, &sound)
	}
	share := sharesOf(all, sound)
	for i, id := range rows {
		if v := buffer[i]; v.class != out {
			s.enter(id, v, share.of(v), share.alike)
		}
	}
}

// count counts a row if it can be chosen, and if it is sound.
func (v seen) count(all, sound *int) {
	if v.class == out {
		return
	}
	*all++
	if v.isSound() {
		*sound++
	}
}

// isOrdered reports whether the order names a row's exit.
func (s *scan) isOrdered(id int32) bool { return s.f.place(&s.listings[id]) < len(s.f.order) }

// sorts reports whether nothing counts but classes and the measure that the user sorts by.
func (s *scan) sorts() bool { return s.sort != "" && !s.last && s.explorer == nil }

// isBeaten reports whether a row has no place among the best by the measure, whatever else is found of it. It is not
// counted then why it could not be chosen: there is enough that can.
func (s *scan) isBeaten(id int32) bool {
	r := &s.others
	if r.n < batch {
		return false
	}
	l := &s.listings[id]
	last, class := &r.entries[batch-1], s.protocols[l.protocol&7]
	return class > last.class || class == last.class && s.sortKey(l, &s.live[id]) > last.key
}

// sharesOf divides among the rows of one owner.
func (s *scan) sharesOf(rows []int32) shares {
	counts := s.counts
	all, sound := 0, 0
	for _, id := range rows {
		s.see(id).count(&all, &sound)
	}
	s.counts = counts // they will be seen again
	return sharesOf(all, sound)
}

// see looks at a row. Most of the time of a choice goes into this and enter: what no request or preference asks for is
// passed by in few instructions.
func (s *scan) see(id int32) seen {
	l, live, f := &s.listings[id], &s.live[id], s.f
	if f.checks || l.traits&f.can == 0 || f.needs.traits&^l.traits != 0 || f.needs.least > l.context {
		if r := f.exclude(l); r != 0 {
			s.counts[r]++
			return seen{class: out}
		}
	}
	chance, flags := live.load()
	if flags&flagRests != 0 {
		switch r := s.rests(live); {
		case r == 0:
			flags &^= flagRests // its rest is over
		case r == RateLimited || !s.last:
			s.counts[r]++
			return seen{class: out}
		}
	}
	class := s.protocols[l.protocol&7] | flags&(flagUnreliable|flagBreaks)
	if f.needs.curbs(l) {
		class |= classShort
	}
	if f.asks {
		class |= s.demote(l, live)
	}
	price := s.pricing.dear
	if l.stated&statesPrice != 0 {
		price = l.prices.of(&s.pricing.factors)
	}
	return seen{class, flags, chance * s.pricing.advantage(price)}
}

// enter lets a row take part that can be chosen, with its share of its owner's when it is drawn by weight, and when all are
// drawn alike.
func (s *scan) enter(id int32, v seen, share, alike float32) {
	if s.last || s.sort != "" || s.explorer != nil {
		s.enterSpecial(id, v, share, alike)
		return
	}
	r := &s.others
	if v.flags&flagProven != 0 {
		r = &s.proven
		s.prove(s.listings[id].owner, v.class)
	}
	if w := v.weight * share; !r.loses(v.class, w) {
		r.win(id, v.class, w)
	}
}

// enterSpecial is enter where weights are not all that counts.
func (s *scan) enterSpecial(id int32, v seen, share, alike float32) {
	l, live := &s.listings[id], &s.live[id]
	switch {
	case s.last:
		s.others.rank(id, v.class>>16, float32(max(live.until.Load()-s.now, 0)))
	case s.sort != "":
		s.others.rank(id, v.class, s.sortKey(l, live))
	case v.flags&flagProven != 0:
		s.prove(l.owner, v.class)
		s.proven.run(id, v.class, v.weight*share)
	default:
		s.others.run(id, v.class, v.weight*share)
	}
	if s.explorer != nil && !s.others.skip(id) {
		s.explorer.offer(id, v.class, alike)
	}
}

// prove counts an owner of something that has proven good.
func (s *scan) prove(owner int32, class uint32) {
	switch {
	case s.provenOwners > 0 && (class > s.provenClass || class == s.provenClass && owner == s.lastProven):
	case s.provenOwners > 0 && class == s.provenClass:
		s.provenOwners++
		s.lastProven = owner
	default:
		s.provenClass, s.provenOwners, s.lastProven = class, 1, owner
	}
}

// rests is why a listing is left alone for now.
func (s *scan) rests(live *live) Reason {
	if live.state(s.now) != Open {
		return 0
	}
	if _, flags := live.load(); flags&flagLimited == 0 {
		return Resting
	}
	if until := live.until.Load(); s.retryAt == 0 || until < s.retryAt {
		s.retryAt = until
	}
	return RateLimited
}

// drawn joins what was found into one order: those that have proven good before the others where there are enough of
// them, else by chance alone; what is explored comes before all.
func (s *scan) drawn(into []entry) []entry {
	proven, others := s.proven.entries[:s.proven.n], s.others.entries[:s.others.n]
	enough := s.enoughProven()
	for len(proven)+len(others) > 0 {
		if len(others) == 0 || len(proven) > 0 && (proven[0].before(&others[0]) || enough && proven[0].class <= others[0].class) {
			into, proven = append(into, proven[0]), proven[1:]
			continue
		}
		into, others = append(into, others[0]), others[1:]
	}
	if x := s.explorer; x != nil && x.total > 0 {
		into = slices.Insert(into, 0, entry{id: x.id, class: x.class})
	}
	return into
}

// enoughProven reports whether enough operators of the class that comes next have proven good.
func (s *scan) enoughProven() bool {
	return s.provenOwners >= provenEnough && s.proven.n > 0 && s.proven.entries[0].class == s.provenClass
}
