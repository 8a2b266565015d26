// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"bytes"
	"errors"
	"slices"
	"unicode/utf8"
)

var errTwice = errors.New("an object has one key twice")

// Canonical returns a JSON object in the form that the level [Full] sends: no white space, the members of each object in
// the order of their keys' bytes, strings with the fewest escapes that JSON allows, numbers with the digits they had.
// Arrays keep their order, and so do the members of an object called "properties": JSON schemas list there what a model is
// to write, and models write it in that order.
//
// Bytes that are no UTF-8 become U+FFFD, as JSON decoders read them. A key that is given twice is an error, and so is what
// is not one JSON object; errors hold positions, never bytes of the body.
func Canonical(body []byte) ([]byte, error) {
	c := canonicalizer{cursor: cursor{data: body}, out: make([]byte, 0, len(body))}
	c.begin()
	c.value(sorted)
	if err := c.end(); err != nil {
		return nil, err
	}
	return c.out, nil
}

// order says which order the members of an object get.
type order uint8

const (
	sorted order = iota
	kept
)

// member is where a member stands in the output.
type member struct{ start, keyEnd, end int }

type canonicalizer struct {
	cursor
	out     []byte
	members []member // of all objects that are open, the innermost at the end
	scratch []byte
}

func (c *canonicalizer) value(o order) {
	switch c.peek() {
	case '{':
		c.object(o)
	case '[':
		c.open()
		c.out = append(c.out, '[')
		for first := true; c.more(']', first); first = false {
			if !first {
				c.out = append(c.out, ',')
			}
			c.value(sorted)
		}
		c.out = append(c.out, ']')
	case '"':
		c.out = appendCanonical(c.out, c.text())
	default:
		c.out = append(c.out, c.scalar()...)
	}
}

func (c *canonicalizer) object(o order) {
	c.open()
	c.out = append(c.out, '{')
	base := len(c.members)
	for first := true; c.more('}', first); first = false {
		if !first {
			c.out = append(c.out, ',')
		}
		m := member{start: len(c.out)}
		c.out = appendCanonical(c.out, c.key())
		m.keyEnd = len(c.out)
		c.out = append(c.out, ':')
		if string(c.out[m.start:m.keyEnd]) == `"properties"` {
			c.value(kept)
		} else {
			c.value(sorted)
		}
		m.end = len(c.out)
		c.members = append(c.members, m)
	}
	if c.err == nil {
		c.arrange(c.members[base:], o)
	}
	c.members = c.members[:base]
	c.out = append(c.out, '}')
}

// arrange puts the members that were just written in order.
func (c *canonicalizer) arrange(members []member, o order) {
	compare := func(a, b member) int {
		return bytes.Compare(c.out[a.start+1:a.keyEnd-1], c.out[b.start+1:b.keyEnd-1])
	}
	rising := true
	for i := 1; i < len(members) && rising; i++ {
		rising = compare(members[i-1], members[i]) < 0
	}
	if rising {
		return
	}
	from, to := members[0].start, members[len(members)-1].end
	slices.SortFunc(members, compare)
	for i := 1; i < len(members); i++ {
		if compare(members[i-1], members[i]) == 0 {
			c.stop(errTwice)
			return
		}
	}
	if o == kept {
		return
	}
	c.scratch = c.scratch[:0]
	for i, m := range members {
		if i > 0 {
			c.scratch = append(c.scratch, ',')
		}
		c.scratch = append(c.scratch, c.out[m.start:m.end]...)
	}
	copy(c.out[from:to], c.scratch)
}

// appendCanonical appends a valid string token in its canonical form.
func appendCanonical(dst, token []byte) []byte {
	if !utf8.Valid(token) {
		return appendString(dst, decode(token))
	}
	for {
		i := bytes.IndexByte(token, '\\')
		if i < 0 {
			return append(dst, token...)
		}
		dst = append(dst, token[:i]...)
		r, size := escaped(token[i:])
		dst = appendEscaped(dst, r)
		token = token[i+size:]
	}
}

const hexDigits = "0123456789abcdef"

// shortEscapes are the one-letter escapes of what cannot stand for itself.
var shortEscapes = [utf8.RuneSelf]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

// appendEscaped appends a character of a string. Half a surrogate pair has no other form than its escape.
func appendEscaped(dst []byte, r rune) []byte {
	switch {
	case r < utf8.RuneSelf && shortEscapes[r] != 0:
		return append(dst, '\\', shortEscapes[r])
	case r < ' ', 0xd800 <= r && r < 0xe000:
		return append(dst, '\\', 'u', hexDigits[r>>12], hexDigits[r>>8&0xf], hexDigits[r>>4&0xf], hexDigits[r&0xf])
	}
	return utf8.AppendRune(dst, r)
}

// appendString appends a text as a JSON string in canonical form.
func appendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		dst = appendEscaped(dst, r)
		text = text[size:]
	}
	return append(dst, '"')
}
