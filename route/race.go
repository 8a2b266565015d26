// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import "math"

// batch is how many candidates are drawn at once: more than a request will usually try.
const batch = 8

// entry is a listing with its place in the draw: by class, then by key, then by chance.
type entry struct {
	id    int32
	class uint32
	key   float32
	tie   float32
}

func (e *entry) before(o *entry) bool {
	switch {
	case e.class != o.class:
		return e.class < o.class
	case e.key != o.key:
		return e.key < o.key
	}
	return e.tie < o.tie
}

// race draws the first few of a weighted draw without replacement, in one pass and without memory for the rest. Each
// runner's key is an exponential random number divided by its weight; the lowest keys win, in order, as if one had been
// drawn after the other. Random numbers are not needed for runners that lose: how much weight will pass until the next
// one gets in is itself exponential (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006, with
// their exponential jumps).
type race struct {
	random  func() float64
	skip    func(id int32) bool // runners that may not win; asked only for those that would
	entries [batch]entry        // the best so far, sorted
	n       int
	left    float32 // weight times the last key that has to pass until the next runner gets in
}

// exponential is a random number of mean 1.
func (r *race) exponential() float32 { return float32(-math.Log(1 - r.random())) }

// run lets a runner take part by weight.
func (r *race) run(id int32, class uint32, weight float32) {
	if !r.loses(class, weight) {
		r.win(id, class, weight)
	}
}

// loses reports whether a runner is out already. One that is not must be given to win. Apart from each other the two
// cost little for the many that lose.
func (r *race) loses(class uint32, weight float32) bool {
	last := &r.entries[batch-1]
	if class != last.class {
		return class > last.class && r.n == batch
	}
	r.left -= weight * last.key
	return r.left > 0 && r.n == batch
}

// win lets a runner in that does not lose.
func (r *race) win(id int32, class uint32, weight float32) {
	weight = max(weight, minWeight)
	last := &r.entries[batch-1]
	if r.n < batch || class != last.class {
		r.insert(entry{id: id, class: class, key: r.exponential() / weight})
		return
	}
	// It is known to be below the last key: an exponential number on that condition.
	below := 1 - math.Exp(-float64(weight*last.key))
	key := float32(-math.Log(1-r.random()*below)) / weight
	r.insert(entry{id: id, class: class, key: min(key, last.key)})
}

// minWeight keeps every chance above nothing.
const minWeight = 1e-20

// rank lets a runner take part by a key of its own; equal keys are in random order.
func (r *race) rank(id int32, class uint32, key float32) {
	e := entry{id: id, class: class, key: key}
	if r.n == batch {
		if last := &r.entries[batch-1]; class > last.class || class == last.class && key > last.key {
			return
		}
	}
	e.tie = float32(r.random())
	r.insert(e)
}

// insert puts an entry into its place and drops the last when there are too many.
func (r *race) insert(e entry) {
	r.left = r.exponential()
	if r.skip(e.id) {
		return
	}
	if r.n == batch {
		if !e.before(&r.entries[batch-1]) {
			return
		}
		r.n--
	}
	i := r.n
	for ; i > 0 && e.before(&r.entries[i-1]); i-- {
		r.entries[i] = r.entries[i-1]
	}
	r.entries[i] = e
	r.n++
}
