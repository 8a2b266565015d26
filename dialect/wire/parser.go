// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// maxDepth is how deep arrays and objects may nest, as for the requests that package dialect checks.
const maxDepth = 1000

// ErrJSON is what is no JSON text (RFC 8259). Errors say where, never what.
var ErrJSON = errors.New("wire: not valid JSON")

// Parser reads one JSON text in a single pass, without reflection and without copying what nobody asks for. Each method
// that reads takes the next value, whatever it is, and returns the zero value if it is of another kind: Kind tells
// before, where that matters. After an error every value is absent; Err is looked at once, at the end.
//
//	p := wire.Parse(data)
//	p.Object(func(key []byte) {
//		switch string(key) {
//		case "id":
//			id = p.String()
//		case "choices":
//			p.Array(func(int) { … })
//		} // what is not read is skipped
//	})
//	err := p.End()
type Parser struct {
	data  []byte
	pos   int
	depth int
	err   error
}

// Parse returns a parser of the text, which must not change while it is used.
func Parse(data []byte) *Parser { return &Parser{data: data} }

// Err returns what was wrong first, if anything.
func (p *Parser) Err() error { return p.err }

// End returns what was wrong first, which may be that something follows the value that was read.
func (p *Parser) End() error {
	if p.space(); p.err == nil && p.pos != len(p.data) {
		p.fail()
	}
	return p.err
}

// Fail ends reading with an error of the caller's.
func (p *Parser) Fail(err error) {
	if p.err == nil {
		p.err = err
	}
	p.pos = len(p.data)
}

func (p *Parser) fail() { p.Fail(fmt.Errorf("%w at byte %d", ErrJSON, p.pos)) }

// Kinds of values, as [Parser.Kind] has them.
const (
	None        = byte(0) // no value: the text has ended, or is wrong
	ObjectValue = byte('{')
	ArrayValue  = byte('[')
	StringValue = byte('"')
	NumberValue = byte('0')
	BoolValue   = byte('t')
	NullValue   = byte('n')
)

// Kind returns the kind of the next value.
func (p *Parser) Kind() byte {
	p.space()
	if p.pos >= len(p.data) {
		return None
	}
	switch c := p.data[p.pos]; c {
	case '{', '[', '"', 't', 'n':
		return c
	case 'f':
		return BoolValue
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return NumberValue
	}
	return None
}

// Object calls each for every member of an object; each may read the value once. It reports whether there was one. The
// key is valid during the call only.
func (p *Parser) Object(each func(key []byte)) bool {
	if p.Kind() != ObjectValue {
		p.Skip()
		return false
	}
	if !p.enter() {
		return true
	}
	for first := true; p.more('}', first); first = false {
		key := p.key()
		if p.space(); p.peek() != ':' {
			p.fail()
			return true
		}
		p.pos++
		p.space()
		start := p.pos
		if each(key); p.pos == start {
			p.Skip()
		}
	}
	p.depth--
	return true
}

// Array calls each for every element of an array, with its index; each may read it once. It reports whether there was one.
func (p *Parser) Array(each func(i int)) bool {
	if p.Kind() != ArrayValue {
		p.Skip()
		return false
	}
	if !p.enter() {
		return true
	}
	for i := 0; p.more(']', i == 0); i++ {
		p.space()
		start := p.pos
		if each(i); p.pos == start {
			p.Skip()
		}
	}
	p.depth--
	return true
}

func (p *Parser) enter() bool {
	if p.depth++; p.depth > maxDepth {
		p.fail()
		return false
	}
	p.pos++
	return true
}

// more moves to the next member or element and reports whether there is one.
func (p *Parser) more(end byte, first bool) bool {
	p.space()
	if p.err != nil {
		return false
	}
	if p.peek() == end {
		p.pos++
		return false
	}
	if !first {
		if p.peek() != ',' {
			p.fail()
			return false
		}
		p.pos++
		p.space()
	}
	if c := p.peek(); c == 0 || c == end {
		p.fail()
		return false
	}
	return true
}

func (p *Parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

func (p *Parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return
		}
	}
}

// Null takes a null and reports whether there was one. Any other value stays.
func (p *Parser) Null() bool {
	if p.Kind() != NullValue {
		return false
	}
	p.word("null")
	return true
}

// Bool takes a boolean.
func (p *Parser) Bool() bool {
	if p.Kind() != BoolValue {
		p.Skip()
		return false
	}
	if p.peek() == 't' {
		p.word("true")
		return p.err == nil
	}
	p.word("false")
	return false
}

func (p *Parser) word(w string) {
	if !bytes.HasPrefix(p.data[p.pos:], []byte(w)) {
		p.fail()
		return
	}
	p.pos += len(w)
}

// Float takes a number.
func (p *Parser) Float() float64 {
	if p.Kind() != NumberValue {
		p.Skip()
		return 0
	}
	f, err := strconv.ParseFloat(string(p.number()), 64)
	if err != nil && p.err == nil { // out of range: the nearest there is would be infinite
		return 0
	}
	return f
}

// Int takes a number; a fraction is cut off, and what no int can hold is 0.
func (p *Parser) Int() int {
	if p.Kind() != NumberValue {
		p.Skip()
		return 0
	}
	n := p.number()
	if i, err := strconv.Atoi(string(n)); err == nil {
		return i
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil || f < -1<<53 || f > 1<<53 {
		return 0
	}
	return int(f)
}

// number takes a number as it is written.
func (p *Parser) number() []byte {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	if p.peek() == '0' {
		p.pos++
	} else {
		p.digits()
	}
	if p.peek() == '.' {
		p.pos++
		p.digits()
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		p.digits()
	}
	if p.err != nil {
		return nil
	}
	return p.data[start:p.pos]
}

// digits takes one digit or more.
func (p *Parser) digits() {
	start := p.pos
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.pos++
	}
	if p.pos == start {
		p.fail()
	}
}

// Raw takes any value and returns it as it is written. It is part of the text that is parsed.
func (p *Parser) Raw() []byte {
	p.space()
	start := p.pos
	if p.Skip(); p.err != nil {
		return nil
	}
	return p.data[start:p.pos]
}

// Skip takes any value.
func (p *Parser) Skip() {
	switch p.Kind() {
	case ObjectValue:
		p.Object(func([]byte) {})
	case ArrayValue:
		p.Array(func(int) {})
	case StringValue:
		p.scanString()
	case NumberValue:
		p.number()
	case BoolValue:
		p.Bool()
	case NullValue:
		p.word("null")
	default:
		p.fail()
	}
}
