// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import "slices"

const (
	minPrefix   = 8  // characters of an identity or hash that name an exit, as tables show them
	maxPrefixed = 16 // exits that one such beginning can mean
)

// exitSet is the exits that names mean, in an index: all of some operators, and some one by one.
type exitSet struct {
	operators []int32
	exits     []int32
}

func (s *exitSet) has(l *listing) bool {
	return slices.Contains(s.operators, l.owner) || slices.Contains(s.exits, l.exit)
}

func (s *exitSet) add(other exitSet) {
	s.operators = append(s.operators, other.operators...)
	s.exits = append(s.exits, other.exits...)
}

// named is the set of exits that any of the names means. A name that is a whole identity or hash means that exit only,
// whatever others call themselves.
func (ix *Index) named(names []string) (s exitSet) {
	for _, name := range names {
		if len(name) >= minPrefix {
			found := append(prefixed(ix.identities, name, maxPrefixed), prefixed(ix.hashes, name, maxPrefixed)...)
			s.exits = append(s.exits, found...)
			if len(found) == 1 && ix.isWhole(found[0], name) {
				continue
			}
		}
		s.add(ix.operated([]string{name}))
	}
	return s
}

// isWhole reports whether the name is all of the exit's identity or hash.
func (ix *Index) isWhole(exit int32, name string) bool {
	e := ix.exits[exit]
	if string(e.Service().Identity) == name {
		return true
	}
	k, ok := e.(Keyed)
	return ok && string(k.KeyHash()) == name
}

// operated is the set of exits that say that one of the operators runs them.
func (ix *Index) operated(names []string) (s exitSet) {
	for _, name := range names {
		if n := ix.operators.find(name); n > 0 {
			s.operators = append(s.operators, n)
		}
	}
	return s
}

// numbers are those of the strings that are known.
func (in interner) numbers(values []string) []int32 {
	numbers := make([]int32, 0, len(values)+1)
	for _, v := range values {
		if n := in.find(v); n > 0 {
			numbers = append(numbers, n)
		}
	}
	return numbers
}
