// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"cmp"
	"slices"
	"strings"
)

// pair is a text and what comes in its place.
type pair struct{ from, to string }

// replacer looks for many texts at once. A text is found only where it is not part of a longer word, the longest first.
type replacer struct {
	pairs []pair
	by    [256][]pair // by the first byte of from, the longest first
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
		if alphanumeric(p.from[0]) && wordBefore(text, i) {
			continue
		}
		rest := text[i:]
		if len(rest) < len(p.from) {
			if e == goesOn && strings.HasPrefix(p.from, string(rest)) {
				return pair{}, unsure
			}
			continue
		}
		if string(rest[:len(p.from)]) != p.from {
			continue
		}
		switch isWord := alphanumeric(p.from[len(p.from)-1]); {
		case !isWord, len(rest) == len(p.from) && e == ended:
			return p, found
		case len(rest) == len(p.from):
			return pair{}, unsure
		case !alphanumeric(rest[len(p.from)]):
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

// isIn reports whether a text has any of the texts that are looked for.
func (r *replacer) isIn(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if r.by[text[i]] != nil {
			if _, m := r.at(text, i, ended); m == found {
				return true
			}
		}
	}
	return false
}
