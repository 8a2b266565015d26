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
	// maxRows is how many listings of one model are looked at for one request. Of a model that more exits offer, a part
	// is looked at that begins at random; more of it when that part has nothing.
	maxRows = 16384
)

// The bits of a class, the weightiest first. Lower is better; rows of one class differ by weight alone.
const (
	classUnreliable = 1 << 12
	classBreaks     = 1 << 11
	classUnsure     = 1 << 10
	classSlow       = 1 << 9
	classPreference = 1 << 1 // times the place in the preference, below 1 << 8
	classTranslated = 1
	classOrder      = 1 << 16 // times the place in the order

	// classLearned are the bits that come from measurements, which exploration ignores.
	classLearned = classUnreliable | classBreaks | classSlow
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
	start := 0
	if n > maxRows {
		start = s.afterOwner(rows, int(s.others.random()*float64(n)))
	}
	i := start
	for done := 0; done < n; {
		if done >= maxRows && s.found() {
			return
		}
		end := s.ownerEnd(rows, i)
		s.owner(rows[i:end])
		done += end - i
		if i = end; i == n {
			i = 0
		}
	}
}

func (s *scan) found() bool { return s.proven.n+s.others.n > 0 }

// afterOwner is where the next owner's rows begin, so that no owner is cut in two.
func (s *scan) afterOwner(rows []int32, i int) int { return s.ownerEnd(rows, i) % len(rows) }

// ownerEnd is where the rows end that have the owner of rows[i].
func (s *scan) ownerEnd(rows []int32, i int) int {
	owner := s.listings[rows[i]].owner
	end := i + 1
	for end < len(rows) && s.listings[rows[end]].owner == owner {
		end++
	}
	return end
}

// seen is a row that can be chosen.
type seen struct {
	id     int32
	class  uint32
	flags  uint32
	weight float32 // its chance, not yet shared and divided by the sum of all
}

// isSound reports whether the row is neither resting nor written off.
func (v *seen) isSound() bool { return v.flags&(flagUnreliable|flagBreaks|flagRests) == 0 }

// owner lets the rows of one owner take part, which share one share among those that are sound. Few are looked at once
// and kept; many are looked at twice.
func (s *scan) owner(rows []int32) {
	if len(rows) == 1 {
		if v, ok := s.see(rows[0]); ok {
			s.enter(&v, 1)
		}
		return
	}
	var buffer [16]seen
	if len(rows) > len(buffer) {
		share := 1 / float32(s.soundOf(rows))
		for _, id := range rows {
			if v, ok := s.see(id); ok {
				s.enter(&v, share)
			}
		}
		return
	}
	able, sound := buffer[:0], 0
	for _, id := range rows {
		if v, ok := s.see(id); ok {
			able = append(able, v)
			if v.isSound() {
				sound++
			}
		}
	}
	share := 1 / float32(max(sound, 1))
	for i := range able {
		s.enter(&able[i], share)
	}
}

// soundOf is how many of the rows share, at least 1.
func (s *scan) soundOf(rows []int32) int {
	counts := s.counts
	sound := 0
	for _, id := range rows {
		if v, ok := s.see(id); ok && v.isSound() {
			sound++
		}
	}
	s.counts = counts // they will be seen again
	return max(sound, 1)
}

// see looks at a row. It is what most of the time of a choice goes into: what no request or preference asks for is
// passed by in few instructions.
func (s *scan) see(id int32) (v seen, ok bool) {
	l, live, f := &s.listings[id], &s.live[id], s.f
	if f.checks || l.traits&f.can == 0 || f.needs.traits&^l.traits != 0 || f.needs.context > l.context || f.needs.output > l.output {
		if r := f.exclude(l); r != 0 {
			s.counts[r]++
			return v, false
		}
	}
	chance, flags := live.load()
	if flags&flagRests != 0 {
		switch r := s.rests(live); {
		case r == 0:
			flags &^= flagRests // its rest is over
		case r == RateLimited || !s.last:
			s.counts[r]++
			return v, false
		}
	}
	v = seen{id: id, flags: flags, class: s.protocols[l.protocol&7] | flags&(flagUnreliable|flagBreaks)}
	if f.asks || f.preferred || len(f.order) > 0 {
		v.class |= s.demote(l, live)
	}
	if s.sort == "" {
		v.weight = s.weigh(l, chance)
	}
	return v, true
}

// weigh is the product of what a listing's score and its price are worth.
func (s *scan) weigh(l *listing, chance float32) float32 {
	price := s.pricing.dear
	if l.stated&statesPrice != 0 {
		price = l.prices.of(&s.pricing.factors)
	}
	w := chance * s.pricing.advantage(price)
	if w < minWeight {
		return minWeight
	}
	return w
}

// minWeight keeps every chance above nothing.
const minWeight = 1e-20

// enter lets a row take part.
func (s *scan) enter(v *seen, share float32) {
	switch {
	case s.last:
		s.others.rank(v.id, v.class>>16, float32(max(s.live[v.id].until.Load()-s.now, 0)))
		return
	case s.sort != "":
		s.others.rank(v.id, v.class, s.sortKey(&s.listings[v.id], &s.live[v.id]))
	case v.flags&flagProven != 0:
		s.proven.weigh(v.id, v.class, v.weight*share)
	default:
		s.others.weigh(v.id, v.class, v.weight*share)
	}
	if s.explorer != nil && !s.others.skip(v.id) {
		s.explorer.offer(v.id, v.class, share)
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

// classes are the bits of a class that the protocol decides.
func classes(f *filter, native uint8, sort Sort) (of [8]uint32) {
	for i := range of {
		of[i] = f.preference[i] * classPreference
		if i != int(native) && sort == "" {
			of[i] |= classTranslated
		}
	}
	return of
}

// demote is the bits of a class that a request and its preferences ask for.
func (s *scan) demote(l *listing, live *live) (class uint32) {
	if len(s.f.order) > 0 {
		class |= uint32(s.f.place(l)) * classOrder
	}
	if s.f.needs.unsure(l) {
		class |= classUnsure
	}
	if s.f.preferred && s.f.tooSlow(l, live.measured.Load()) {
		class |= classSlow
	}
	return class
}

// tooSlow compares what was measured with what is preferred, and what is promised while nothing was.
func (f *filter) tooSlow(l *listing, m *measured) bool {
	if m == nil {
		m = &measured{}
	}
	for i := range quantiles {
		millis, speed := m.millis[i], m.speed[i]
		if millis == 0 {
			millis = float32(l.ttftMillis)
		}
		if speed == 0 {
			speed = l.tokensPerSecond
		}
		if f.latency[i] > 0 && float64(millis) > 1000*f.latency[i] || f.speed[i] > 0 && speed > 0 && float64(speed) < f.speed[i] {
			return true
		}
	}
	return false
}

// sortKey is the measure that the user asks to choose by, lower is better.
func (s *scan) sortKey(l *listing, live *live) float32 {
	if s.sort == SortPrice {
		if l.stated&statesPrice == 0 {
			return math.MaxFloat32
		}
		return l.prices.of(&s.pricing.factors)
	}
	m := live.measured.Load()
	if m == nil {
		m = &measured{}
	}
	if s.sort == SortThroughput {
		if m.speed[0] > 0 {
			return -m.speed[0]
		}
		return -l.tokensPerSecond
	}
	switch {
	case m.millis[0] > 0:
		return m.millis[0]
	case l.ttftMillis > 0:
		return float32(l.ttftMillis)
	}
	return math.MaxFloat32
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

// enoughProven reports whether enough operators of the best class have proven good.
func (s *scan) enoughProven() bool {
	owners := make([]int32, 0, provenEnough)
	for i := range s.proven.entries[:s.proven.n] {
		e := &s.proven.entries[i]
		owner := s.listings[e.id].owner
		if e.class == s.proven.entries[0].class && !slices.Contains(owners, owner) {
			if owners = append(owners, owner); len(owners) == provenEnough {
				return true
			}
		}
	}
	return false
}
