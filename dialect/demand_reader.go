// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"strconv"
	"strings"
)

// reader walks over a request with a scanner, so that what it passes is checked as well. Its methods take the value that
// stands at the scanner's place if it is of their kind, and leave it if not; what a visit leaves is passed over. A visit
// takes one value and no more. After an error nothing is taken.
type reader struct {
	s     scanner
	err   error
	keyed span // the key of the member that is visited
	due   int  // where the value begins that may be taken
}

// next is the first byte of the value that may be taken, or 0.
func (r *reader) next() byte {
	if r.err != nil || r.s.pos != r.due {
		return 0
	}
	return r.s.peek()
}

// object takes an object and visits each member's value.
func (r *reader) object(visit func(name []byte)) {
	if r.next() != '{' {
		return
	}
	r.err = r.s.object(func(key span) error {
		r.keyed = key
		at := r.s.pos
		r.due = at
		visit(r.s.key(key))
		return r.pass(at)
	})
}

// array takes an array and visits each element.
func (r *reader) array(visit func()) {
	if r.next() != '[' {
		return
	}
	r.err = r.s.array(func() error {
		at := r.s.pos
		r.due = at
		visit()
		return r.pass(at)
	})
}

// pass takes the value at a place if that has not been done.
func (r *reader) pass(at int) error {
	if r.err == nil && r.s.pos == at {
		r.err = r.s.value(elsewhere)
	}
	return r.err
}

// raw takes any value and returns it as it is written.
func (r *reader) raw() []byte {
	start := r.s.pos
	r.pass(start)
	return r.s.data[start:r.s.pos]
}

// text takes a string and returns where it stands, with its quotes.
func (r *reader) text() (at span, ok bool) {
	if r.next() != '"' {
		return span{}, false
	}
	at, r.err = r.s.text()
	return at, r.err == nil
}

// word takes a string that is one of a few words. It is nothing when it is longer than all of them.
func (r *reader) word() []byte {
	at, ok := r.text()
	if !ok {
		return nil
	}
	return r.s.key(at)
}

// truth takes true, and reports whether it was there.
func (r *reader) truth() bool {
	if r.next() != 't' {
		return false
	}
	r.err = r.s.value(elsewhere)
	return r.err == nil
}

// number takes a number; it is 0 when there is none or it is written at an absurd length.
func (r *reader) number() float64 {
	if c := r.next(); c != '-' && (c < '0' || c > '9') {
		return 0
	}
	digits := r.raw()
	if len(digits) > 64 {
		return 0
	}
	n, _ := strconv.ParseFloat(string(digits), 64) // out of range it is infinite, which will do
	return n
}

// isModel and isName compare as decoders do that ignore case: see [scanner.named].
func isModel(name []byte) bool { return strings.EqualFold(string(name), "model") }
func isName(name []byte) bool  { return strings.EqualFold(string(name), "name") }
