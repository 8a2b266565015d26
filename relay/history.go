// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"math"
	"slices"
	"time"
)

// The windows of what is published, and the buckets in which it is counted.
const (
	shortWindow  = 5 * time.Minute
	middleWindow = 30 * time.Minute
	longWindow   = 24 * time.Hour
	fineBucket   = time.Minute      // of shortWindow and middleWindow
	coarseBucket = 30 * time.Minute // of longWindow
	judgedBucket = 5 * time.Minute  // of requests, over middleWindow
)

// history is what is remembered of an exit, whether it is connected or not: about 400 bytes. All times in
// it are the registry's age.
type history struct {
	first     time.Duration // when the exit was first seen
	accounted time.Duration // up to when the time connected has been added
	up        bool          // connected since then
	fine      tally         // microseconds connected
	coarse    tally
	reached   tally // requests that reached the exit, of which some were answered
	answered  tally
}

// verdict is what the end of a request says of the exit.
type verdict int

const (
	noVerdict verdict = iota // it did not reach the exit, or its client went away
	kept                     // answered to the end, whatever is in the answer
	failedIt                 // the exit went away, was silent or answered nonsense
)

func newHistory(now time.Duration) *history {
	return &history{
		first: now, accounted: now,
		fine:     newTally(fineBucket, middleWindow),
		coarse:   newTally(coarseBucket, longWindow),
		reached:  newTally(judgedBucket, middleWindow),
		answered: newTally(judgedBucket, middleWindow),
	}
}

// connected notes whether the exit is connected from now on.
func (h *history) connected(now time.Duration, up bool) {
	if h.up {
		h.fine.addTime(h.accounted, now)
		h.coarse.addTime(h.accounted, now)
	}
	h.accounted, h.up = now, up
}

// judged notes how a request ended.
func (h *history) judged(now time.Duration, v verdict) {
	if v == noVerdict {
		return
	}
	h.reached.add(now, 1)
	if v == kept {
		h.answered.add(now, 1)
	}
}

// uptime is the share of the window in which the exit was connected, of the time since it was first seen
// when that is shorter. The window begins with a whole bucket.
func (h *history) uptime(now, window time.Duration) float64 {
	counted := &h.fine
	if window > middleWindow {
		counted = &h.coarse
	}
	begin := max(h.first, counted.begin(now, window))
	if now <= begin {
		return 1
	}
	return min(1, float64(counted.sum(now, window))*float64(time.Microsecond)/float64(now-begin))
}

// share is the share of requests that reached the exit and were answered, over middleWindow, and how many
// those were.
func (h *history) share(now time.Duration) (share float64, requests int) {
	reached := h.reached.sum(now, middleWindow)
	if reached == 0 {
		return 0, 0
	}
	return float64(h.answered.sum(now, middleWindow)) / float64(reached), int(reached)
}

// tally adds amounts up in buckets of time, of which the newest are kept.
type tally struct {
	bucket time.Duration
	sums   []uint32
	newest int // number of the newest bucket, counted from age 0; it is at newest modulo len(sums)
}

// newTally makes a tally for windows up to the one given, and the bucket that has only begun.
func newTally(bucket, window time.Duration) tally {
	return tally{bucket: bucket, sums: make([]uint32, int(window/bucket)+1)}
}

func (t *tally) add(at time.Duration, amount uint32) {
	n := t.advance(at)
	if n > t.newest-len(t.sums) {
		t.sums[n%len(t.sums)] += amount
	}
}

// addTime adds the microseconds from one time to another, each to its bucket; those of half an hour fit.
func (t *tally) addTime(from, to time.Duration) {
	from = max(from, t.begin(to, time.Duration(len(t.sums)-1)*t.bucket))
	for from < to {
		end := min(to, from.Truncate(t.bucket)+t.bucket)
		t.add(from, uint32((end-from)/time.Microsecond))
		from = end
	}
}

// advance makes the bucket of a time the newest one, unless there is a newer, and returns its number.
func (t *tally) advance(at time.Duration) int {
	n := int(at / t.bucket)
	for steps := 0; t.newest < n && steps < len(t.sums); steps++ {
		t.newest++
		t.sums[t.newest%len(t.sums)] = 0
	}
	if t.newest < n { // all that was there is too old; every bucket is 0
		t.newest = n
	}
	return n
}

// begin is when the first bucket of a window begins.
func (t *tally) begin(now, window time.Duration) time.Duration {
	return max(0, now.Truncate(t.bucket)-window)
}

// sum adds up the buckets of a window that ends now.
func (t *tally) sum(now, window time.Duration) (sum uint64) {
	last := t.advance(now)
	for n := max(0, last-int(window/t.bucket)); n <= last; n++ {
		sum += uint64(t.sums[n%len(t.sums)])
	}
	return sum
}

// trips are the last round trips on a tunnel: four minutes of polls.
type trips struct {
	last [16]time.Duration
	n    int // measured in all
}

func (t *trips) add(rtt time.Duration) {
	t.last[t.n%len(t.last)] = rtt
	t.n++
}

// all are the round trips that are remembered.
func (t *trips) all() []time.Duration { return t.last[:min(t.n, len(t.last))] }

// quantile is the smallest of the values that at least the part q is not above; 0 when there are none. It
// sorts them.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[max(0, int(math.Ceil(q*float64(len(values))))-1)]
}
