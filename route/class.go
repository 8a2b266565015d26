// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import "math"

// The bits of a class, the weightiest first. Lower is better; rows of one class differ by weight alone.
const (
	classUnreliable = 1 << 12
	classBreaks     = 1 << 11
	classUnsure     = 1 << 10
	classShort      = 1 << 9
	classSlow       = 1 << 8
	classPreference = 1 << 1 // times the place in the preference, at most maxListed
	classTranslated = 1
	classOrder      = 1 << 16 // times the place in the order

	// classLearned are the bits that come from measurements, which exploration ignores.
	classLearned = classUnreliable | classBreaks | classSlow
)

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
	promised := &f.ix.facts[l.exit].sla
	for i := range quantiles {
		millis, speed := float32(promised.MaxTTFTMillis), float32(promised.MinTokensPerSecond)
		if m != nil && m.millis[i] > 0 {
			millis = m.millis[i]
		}
		if m != nil && m.speed[i] > 0 {
			speed = m.speed[i]
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
	m, promised := live.measured.Load(), &s.f.ix.facts[l.exit].sla
	switch {
	case s.sort == SortThroughput && m != nil && m.speed[0] > 0:
		return -m.speed[0]
	case s.sort == SortThroughput:
		return -float32(promised.MinTokensPerSecond)
	case m != nil && m.millis[0] > 0:
		return m.millis[0]
	case promised.MaxTTFTMillis > 0:
		return float32(promised.MaxTTFTMillis)
	}
	return math.MaxFloat32
}
