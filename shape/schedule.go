// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package shape

// schedule decides how many cells go at each tick. It knows how much there is to send, not what.
type schedule struct {
	plan  plan
	rate  int  // cells a tick
	ticks int  // batches so far
	sent  int  // cells so far
	quiet int  // batches since there was content
	over  bool // the closing record has been sent
	done  bool // the last cell has been sent
}

func newSchedule(p plan) *schedule { return &schedule{plan: p, rate: p.rate, quiet: p.hold} }

// begin says how many cells the next batch has. Backlog is how many cells are needed for what is to be
// sent, the closing record included.
func (s *schedule) begin(backlog int) int {
	s.ticks++
	if backlog > s.rate*s.plan.slack {
		s.rate *= 2
	}
	if s.quiet++; backlog > 0 {
		s.quiet = 0
	}
	if s.plan.always || !s.over {
		return s.rate
	}
	return min(s.rate, s.total()-s.sent)
}

// idle reports whether there is nothing to send before there is content again.
func (s *schedule) idle() bool {
	return !s.plan.always && !s.over && s.quiet >= s.plan.hold
}

// next counts a cell, of which left more follow in its batch, and reports whether it is the last of all.
// Closes tells that it carries the closing record.
func (s *schedule) next(left int, closes bool) (last bool) {
	s.sent++
	s.over = s.over || closes
	switch {
	case !s.over:
	case s.plan.always:
		s.done = left == 0 && s.ticks == s.total()
	default:
		s.done = s.sent == s.total()
	}
	return s.done
}

// total is the smallest total that is not yet exceeded, in batches or cells.
func (s *schedule) total() int {
	n, used := s.plan.period, s.sent
	if s.plan.always {
		used = s.ticks
	}
	for n < used {
		n *= s.plan.growth
	}
	return n
}
