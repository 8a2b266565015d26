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
	f       *filter
	live    []live
	pricing pricing
	now     int64
	sort    Sort
	last    bool // also what rests: nothing else is left
	native  uint8
	retryAt int64 // when the first that is rate-limited may be asked again; 0: none is

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
	for done := 0; done < n; {
		if done >= maxRows && s.found() {
			return
		}
		i := (start + done) % n
		end := s.ownerEnd(rows, i)
		s.owner(rows[i:end])
		done += end - i
	}
}

func (s *scan) found() bool { return s.proven.n+s.others.n > 0 }

// afterOwner is where the next owner's rows begin, so that no owner is cut in two.
func (s *scan) afterOwner(rows []int32, i int) int { return s.ownerEnd(rows, i) % len(rows) }

// ownerEnd is where the rows end that have the owner of rows[i].
func (s *scan) ownerEnd(rows []int32, i int) int {
	owner := s.f.ix.listings[rows[i]].owner
	end := i + 1
	for end < len(rows) && s.f.ix.listings[rows[end]].owner == owner {
		end++
	}
	return end
}

// owner lets the rows of one owner take part, which share one share among those that are well.
func (s *scan) owner(rows []int32) {
	if len(rows) == 1 {
		s.row(rows[0], 1)
		return
	}
	share := 1 / float32(s.wellOf(rows))
	for _, id := range rows {
		s.row(id, share)
	}
}

// wellOf is how many of the rows share, at least 1.
func (s *scan) wellOf(rows []int32) int {
	well := 0
	for _, id := range rows {
		if s.isWell(id) {
			well++
		}
	}
	return max(well, 1)
}

// isWell reports whether a row can be chosen and is not written off.
func (s *scan) isWell(id int32) bool {
	return s.f.exclude(&s.f.ix.listings[id]) == 0 && s.live[id].state(s.now) != Open &&
		s.live[id].flags.Load()&(flagUnreliable|flagBreaks) == 0
}

// row lets one listing take part.
func (s *scan) row(id int32, share float32) {
	l, live := &s.f.ix.listings[id], &s.live[id]
	reason := s.f.exclude(l)
	if reason == 0 && !s.last {
		reason = s.rests(live)
	} else if reason == 0 && s.rests(live) == RateLimited {
		reason = RateLimited
	}
	if reason != 0 {
		s.counts[reason]++
		return
	}
	class := s.class(l, live)
	switch {
	case s.last:
		s.others.rank(id, class>>16, float32(max(live.until.Load()-s.now, 0)))
		return
	case s.sort != "":
		s.others.rank(id, class, s.sortKey(l, live))
	case live.flags.Load()&flagProven != 0:
		s.proven.weigh(id, class, s.weight(l, live, share))
	default:
		s.others.weigh(id, class, s.weight(l, live, share))
	}
	if s.explorer != nil && !s.others.skip(id) {
		s.explorer.offer(id, class, share)
	}
}

// rests is why a listing is left alone for now.
func (s *scan) rests(live *live) Reason {
	if live.state(s.now) != Open {
		return 0
	}
	if live.flags.Load()&flagLimited == 0 {
		return Resting
	}
	if until := live.until.Load(); s.retryAt == 0 || until < s.retryAt {
		s.retryAt = until
	}
	return RateLimited
}

// class is the listing's place before weight and chance count.
func (s *scan) class(l *listing, live *live) uint32 {
	class := uint32(s.f.preference[l.protocol&3]) * classPreference
	if l.protocol != s.native && s.sort == "" {
		class += classTranslated
	}
	if len(s.f.order) > 0 {
		class += uint32(s.f.place(l)) * classOrder
	}
	flags := live.flags.Load()
	if flags&flagUnreliable != 0 {
		class |= classUnreliable
	}
	if flags&flagBreaks != 0 {
		class |= classBreaks
	}
	if s.f.needs.unsure(l) {
		class |= classUnsure
	}
	if s.f.slowBounds && s.f.tooSlow(l, live.measured.Load()) {
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

// weight is the listing's chance, not yet divided by the sum of all.
func (s *scan) weight(l *listing, live *live, share float32) float32 {
	return max(live.weight()*s.pricing.advantage(s.pricing.price(l))*share, math.SmallestNonzeroFloat32)
}

// sortKey is the measure that the user asks to choose by, lower is better.
func (s *scan) sortKey(l *listing, live *live) float32 {
	if s.sort == SortPrice {
		if l.stated&statesPrice == 0 {
			return math.MaxFloat32
		}
		return l.prices.of(&s.pricing.size)
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
		owner := s.f.ix.listings[e.id].owner
		if e.class == s.proven.entries[0].class && !slices.Contains(owners, owner) {
			if owners = append(owners, owner); len(owners) == provenEnough {
				return true
			}
		}
	}
	return false
}
