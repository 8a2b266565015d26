// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"cmp"
	"slices"
)

// pair is a text and what comes in its place.
type pair struct{ from, to string }

// replacer looks for many texts at once, the longest first. Values are found where they are not part of a longer word.
// Placeholders are found in the same places, and directly behind one another.
type replacer struct {
	pairs []pair
	by    [256][]pair // by the first byte of from, the longest first
	back  bool        // from placeholders to values
}

// value is the one of the two texts that is the user's own.
func (r *replacer) value(p pair) string {
	if r.back {
		return p.to
	}
	return p.from
}

// begins reports whether a pair may begin at a place of a text. A value that does not begin with a letter or digit may
// begin anywhere.
func (r *replacer) begins(p pair, text []byte, i int) bool {
	return !wordBefore(text, i) || !alphanumeric(r.value(p)[0]) || r.back && isDigit(text[i-1])
}

// isLonger reports whether a byte behind a pair makes its text a longer one.
func (r *replacer) isLonger(p pair, next byte) bool {
	value := r.value(p)
	switch {
	case !alphanumeric(value[len(value)-1]):
		return false
	case r.back:
		return isDigit(next)
	default:
		return alphanumeric(next)
	}
}

func newReplacer(pairs []pair) *replacer {
	r := &replacer{pairs: pairs}
	for _, p := range pairs {
		r.by[p.from[0]] = append(r.by[p.from[0]], p)
	}
	for i := range r.by {
		slices.SortStableFunc(r.by[i], func(a, b pair) int { return cmp.Compare(len(b.from), len(a.from)) })
	}
	return r
}

// newRestorer makes a replacer for the way back.
func newRestorer(pairs []pair) *replacer {
	r := newReplacer(pairs)
	r.back = true
	return r
}

// verdict is what stands at a place of a text.
type verdict uint8

const (
	nothing verdict = iota
	found
	unsure // of what follows it depends
)

// at looks at one place of a text. It is found by the longest pair; if a longer one could still come, it is not decided.
func (r *replacer) at(text []byte, i int, e ending) (pair, verdict) {
	for _, p := range r.by[text[i]] {
		rest := text[i:]
		n := min(len(rest), len(p.from))
		if string(rest[:n]) != p.from[:n] || !r.begins(p, text, i) {
			continue
		}
		if n < len(p.from) {
			if e == goesOn {
				return pair{}, unsure
			}
			continue
		}
		if len(rest) == len(p.from) && e == goesOn && r.isLonger(p, '0') {
			return pair{}, unsure
		}
		if len(rest) == len(p.from) || !r.isLonger(p, rest[len(p.from)]) {
			return p, found
		}
	}
	return pair{}, nothing
}

// ending says whether a text is all there is.
type ending uint8

const (
	goesOn ending = iota
	ended
)

// replace returns a text with all pairs applied: the text itself where nothing is found.
func (r *replacer) replace(text []byte) (out []byte, changed bool) {
	done := 0
	for i := 0; i < len(text); {
		if r.by[text[i]] == nil {
			i++
			continue
		}
		p, m := r.at(text, i, ended)
		if m != found {
			i++
			continue
		}
		out = append(append(out, text[done:i]...), p.to...)
		i += len(p.from)
		done = i
	}
	if done == 0 {
		return text, false
	}
	return append(out, text[done:]...), true
}
