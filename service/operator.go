// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// CheckOperator reports whether s may be the name of who runs an exit or a relay: at most 256 bytes of valid UTF-8
// without control characters. Empty means that it is not told. Every error is an ErrInvalid.
func CheckOperator(s string) error {
	if err := checkText("operator", s); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// SameOperator reports whether two names are of one operator: they differ in upper and lower case, in white space and in
// characters that do not show (Unicode category Cf, such as U+200B) at most. Names that are not told are nobody's. A name
// is the word of whoever gives it.
func SameOperator(a, b string) bool {
	x, y := nameReader{rest: a}, nameReader{rest: b}
	for told := false; ; told = true {
		switch p, q := x.next(), y.next(); {
		case !sameLetter(p, q):
			return false
		case p == endOfName:
			return told
		}
	}
}

// nameReader reads a name as it looks to people.
type nameReader struct {
	rest  string
	begun bool
}

const endOfName rune = -1

// next returns the next character. White space between words is one space, and none is at the beginning or the end.
func (n *nameReader) next() rune {
	spaced := false
	for len(n.rest) > 0 {
		r, size := utf8.DecodeRuneInString(n.rest)
		switch {
		case unicode.IsSpace(r):
			spaced = n.begun
		case unicode.Is(unicode.Cf, r):
		case spaced:
			return ' '
		default:
			n.rest, n.begun = n.rest[size:], true
			return r
		}
		n.rest = n.rest[size:]
	}
	return endOfName
}

// sameLetter reports whether two characters differ in case at most, by Unicode's simple folding.
func sameLetter(a, b rune) bool {
	for r := unicode.SimpleFold(a); r != a && a != b; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return a == b
}
