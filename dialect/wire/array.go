// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import "io"

// Array reads the elements of a streamed top-level JSON array, or of values that follow each other without one, such as
// a single object. It finds where elements end, by brackets and quotes; whether one is JSON, its decoder sees. The zero
// value is ready.
type Array struct {
	element []byte // so far, when it began in an earlier piece
	state   arrayState
	depth   int // of brackets within the element
	open    bool
	quoted  bool // within a string
	escaped bool // after a backslash within a string
	begun   bool // the element has begun
}

type arrayState uint8

const (
	arrayStart arrayState = iota // nothing has been read
	arrayIn                      // after "[", or between values without one
	arrayDone                    // after "]"
)

// Feed takes the next piece of the stream and calls each for every element that ends in it. Errors are ErrSyntax,
// ErrTooLong and those of each.
func (a *Array) Feed(p []byte, each func(element []byte) error) error {
	from := 0 // where the current element begins in p
	for i, c := range p {
		if !a.begun {
			begins, err := a.between(c)
			if err != nil {
				return err
			}
			if !begins {
				continue
			}
			a.begun, from = true, i
		}
		ends, included := a.inside(c)
		if !ends {
			continue
		}
		to := i
		if included {
			to++
		}
		if err := a.pass(p[from:to], each); err != nil {
			return err
		}
		if !included {
			if _, err := a.between(c); err != nil {
				return err
			}
		}
	}
	if a.begun {
		return a.keep(p[from:])
	}
	return nil
}

// End tells that the stream is over. A last value outside an array is passed to each. io.ErrUnexpectedEOF says that an
// array or an element was not closed.
func (a *Array) End(each func(element []byte) error) error {
	if a.begun && a.depth == 0 && !a.quoted && !a.open {
		return a.pass(nil, each)
	}
	if a.begun || a.open && a.state != arrayDone {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// between takes a byte outside any element and reports whether it begins one.
func (a *Array) between(c byte) (bool, error) {
	switch c {
	case ' ', '\t', '\r', '\n':
		return false, nil
	case ',':
		if a.state != arrayIn {
			return false, ErrSyntax
		}
		return false, nil
	case ']':
		if !a.open || a.state != arrayIn {
			return false, ErrSyntax
		}
		a.state = arrayDone
		return false, nil
	}
	switch {
	case a.state == arrayDone, c == '}', c == ':':
		return false, ErrSyntax
	case a.state == arrayStart && c == '[':
		a.open, a.state = true, arrayIn
		return false, nil
	}
	a.state = arrayIn
	return true, nil
}

// inside takes a byte of an element, or the one after it, and reports whether the element ends there and has the byte.
func (a *Array) inside(c byte) (ends, included bool) {
	if a.quoted {
		switch {
		case a.escaped:
			a.escaped = false
		case c == '\\':
			a.escaped = true
		case c == '"':
			a.quoted = false
			return a.depth == 0, true
		}
		return false, false
	}
	switch c {
	case '"':
		a.quoted = true
	case '{', '[':
		a.depth++
	case '}', ']':
		if a.depth == 0 { // a number or a word before the end of the array
			return true, false
		}
		a.depth--
		return a.depth == 0, true
	case ',', ' ', '\t', '\r', '\n':
		return a.depth == 0, false
	}
	return false, false
}

func (a *Array) pass(tail []byte, each func([]byte) error) error {
	element := tail
	if len(a.element) > 0 {
		if err := a.keep(tail); err != nil {
			return err
		}
		element = a.element
	}
	a.element, a.begun = a.element[:0], false
	if len(element) > MaxItem {
		return ErrTooLong
	}
	return each(element)
}

func (a *Array) keep(p []byte) error {
	if len(a.element)+len(p) > MaxItem {
		return ErrTooLong
	}
	a.element = append(a.element, p...)
	return nil
}
