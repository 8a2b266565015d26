// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep arrays and objects may nest, as for the requests that package dialect checks.
const maxDepth = 1000

var (
	errNotObject = errors.New("not a JSON object")
	errTooDeep   = fmt.Errorf("more than %d levels deep", maxDepth)
)

// cursor walks over JSON (RFC 8259) without copying. After an error it stands at the end, and err says what was wrong and
// where, never with bytes of the text.
//
//	c.open()
//	for first := true; c.more('}', first); first = false {
//		key := c.key()
//		c.skip() // or anything else that takes the value
//	}
type cursor struct {
	data  []byte
	pos   int
	depth int
	comma int // where the comma before this member or element is
	err   error
}

func (c *cursor) fail(what string) { c.stop(fmt.Errorf("%s at byte %d", what, c.pos)) }

func (c *cursor) stop(err error) {
	if c.err == nil {
		c.err = err
	}
	c.pos = len(c.data)
}

// peek returns the next byte, or 0 at the end: no JSON text has a 0.
func (c *cursor) peek() byte {
	if c.pos < len(c.data) {
		return c.data[c.pos]
	}
	return 0
}

func (c *cursor) space() {
	for c.pos < len(c.data) {
		switch c.data[c.pos] {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return
		}
	}
}

// begin moves to the object that the whole text must be.
func (c *cursor) begin() {
	if c.space(); c.peek() != '{' {
		c.stop(errNotObject)
	}
}

// end checks that nothing follows the object, and returns what was wrong first.
func (c *cursor) end() error {
	if c.space(); c.err == nil && c.pos != len(c.data) {
		c.fail("text after the object")
	}
	return c.err
}

// open takes the bracket of an object or array.
func (c *cursor) open() {
	if c.depth++; c.depth > maxDepth {
		c.stop(errTooDeep)
		return
	}
	c.pos++
}

// more moves to the next member or element. At the closing bracket it takes that and returns false.
func (c *cursor) more(closing byte, first bool) bool {
	c.space()
	switch {
	case c.err != nil:
		return false
	case c.peek() == closing:
		c.pos++
		c.depth--
		return false
	case first:
		return true
	case c.peek() != ',':
		c.fail("no comma")
		return false
	}
	c.comma = c.pos
	c.pos++
	c.space()
	return true
}

// key takes a member's name and the colon, and returns the name as it is written, with its quotes.
func (c *cursor) key() []byte {
	if c.peek() != '"' {
		c.fail("no object key")
		return nil
	}
	key := c.text()
	if c.space(); c.peek() != ':' {
		c.fail("no colon")
		return nil
	}
	c.pos++
	c.space()
	return key
}

// text takes a string and returns it as it is written, with its quotes.
func (c *cursor) text() []byte {
	start := c.pos
	c.pos++
	for {
		c.plain()
		switch c.peek() {
		case '"':
			c.pos++
			return c.data[start:c.pos]
		case '\\':
			if !c.escape() {
				c.fail("bad escape")
				return nil
			}
		default:
			c.fail("control character or end in a string")
			return nil
		}
	}
}

// plain moves to the next quote, backslash or control character, or to the end, eight bytes at a time: long requests are
// mostly long strings.
func (c *cursor) plain() {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := c.pos
	for ; i+8 <= len(c.data); i += 8 {
		word := binary.LittleEndian.Uint64(c.data[i:])
		quote, slash := word^ones*'"', word^ones*'\\'
		// The lowest marked byte is exact; borrows can only mark bytes above it.
		marks := ((word-ones*' ')&^word | (quote-ones)&^quote | (slash-ones)&^slash) & highs
		if marks != 0 {
			c.pos = i + bits.TrailingZeros64(marks)/8
			return
		}
	}
	for ; i < len(c.data); i++ {
		if b := c.data[i]; b < ' ' || b == '"' || b == '\\' {
			break
		}
	}
	c.pos = i
}

func (c *cursor) escape() bool {
	c.pos++
	b := c.peek()
	c.pos++
	switch b {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if hexValue(c.peek()) < 0 {
				return false
			}
			c.pos++
		}
		return true
	}
	return false
}

// skip takes any value.
func (c *cursor) skip() {
	switch b := c.peek(); {
	case b == '"':
		c.text()
	case b == '{':
		c.open()
		for first := true; c.more('}', first); first = false {
			c.key()
			c.skip()
		}
	case b == '[':
		c.open()
		for first := true; c.more(']', first); first = false {
			c.skip()
		}
	default:
		c.scalar()
	}
}

// raw takes any value and returns it as it is written.
func (c *cursor) raw() []byte {
	start := c.pos
	if c.skip(); c.err != nil {
		return nil
	}
	return c.data[start:c.pos]
}

// scalar takes a number, true, false or null, and returns it as it is written.
func (c *cursor) scalar() []byte {
	start := c.pos
	for _, word := range []string{"true", "false", "null"} {
		if c.peek() == word[0] && bytes.HasPrefix(c.data[c.pos:], []byte(word)) {
			c.pos += len(word)
			return c.data[start:c.pos]
		}
	}
	c.number()
	if c.err != nil {
		return nil
	}
	return c.data[start:c.pos]
}

func (c *cursor) number() {
	if c.peek() == '-' {
		c.pos++
	}
	if c.peek() == '0' {
		c.pos++
	} else {
		c.digits()
	}
	if c.peek() == '.' {
		c.pos++
		c.digits()
	}
	if b := c.peek(); b == 'e' || b == 'E' {
		c.pos++
		if b := c.peek(); b == '+' || b == '-' {
			c.pos++
		}
		c.digits()
	}
}

func (c *cursor) digits() {
	start := c.pos
	for b := c.peek(); '0' <= b && b <= '9'; b = c.peek() {
		c.pos++
	}
	if c.pos == start && c.err == nil {
		c.fail("no JSON value")
	}
}

func hexValue(b byte) rune {
	switch {
	case '0' <= b && b <= '9':
		return rune(b - '0')
	case 'a' <= b && b <= 'f':
		return rune(b - 'a' + 10)
	case 'A' <= b && b <= 'F':
		return rune(b - 'A' + 10)
	}
	return -1
}

// codeUnit reads the four digits of a \u escape.
func codeUnit(digits []byte) rune {
	return hexValue(digits[0])<<12 | hexValue(digits[1])<<8 | hexValue(digits[2])<<4 | hexValue(digits[3])
}

// escapes are the one-letter escapes of JSON.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped decodes the escape sequence at the start of s, which is part of a valid string, and returns its length. A
// surrogate without its other half is returned as it is, and is no valid rune.
func escaped(s []byte) (r rune, size int) {
	if s[1] != 'u' {
		return rune(escapes[s[1]]), 2
	}
	r = codeUnit(s[2:])
	if utf16.IsSurrogate(r) && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if full := utf16.DecodeRune(r, codeUnit(s[8:])); full != utf8.RuneError {
			return full, 12
		}
	}
	return r, 6
}

// decode returns the text of a valid string token: part of the token where nothing in it is escaped.
func decode(token []byte) []byte {
	if len(token) < 2 {
		return nil
	}
	s := token[1 : len(token)-1]
	i := bytes.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	text := make([]byte, 0, len(s))
	for i >= 0 {
		text = append(text, s[:i]...)
		r, size := escaped(s[i:])
		text = utf8.AppendRune(text, r) // half a pair becomes U+FFFD
		s = s[i+size:]
		i = bytes.IndexByte(s, '\\')
	}
	return append(text, s...)
}
