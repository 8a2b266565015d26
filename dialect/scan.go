// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strings"
)

// maxDepth is how deep arrays and objects may nest. Real requests nest a few dozen levels (JSON schemas of tools);
// backends give up between 128 and 10,000, and a bomb costs a stack frame a level.
const maxDepth = 1000

// place says what a JSON value is to the search for model names.
type place uint8

const (
	elsewhere   place = iota
	topObject         // the request itself
	requestList       // gemini's "requests": its elements are holders
	holder            // an object inside a gemini request that may name the model again
)

// span is where a JSON string stands in the body, with its quotes.
type span struct{ start, end int }

// search says which names of models matter besides the top object's "model".
type search struct {
	name  bool // the top object's "name"
	inner bool // the "model" of gemini's nested requests
}

// found is what a scan came upon.
type found struct {
	models []span // values of "model" of the top object
	names  []span // values of "name" of the top object
	inner  []span // values of "model" of holders
	odd    bool   // one of those keys has a value that is no string, or is written in another case
}

// scanner checks a JSON text (RFC 8259) and notes where it names models, in one pass and without copying. It accepts
// what encoding/json accepts, down to maxDepth.
type scanner struct {
	data   []byte
	search search
	pos    int
	depth  int
	slack  int // bytes that escapes take beyond what they stand for
	found  found
}

var (
	errNotObject = errors.New("not a JSON object")
	errTooDeep   = fmt.Errorf("more than %d levels deep", maxDepth)
)

// scanObject scans a body that must be one JSON object. Its errors hold positions, never bytes of the body.
func scanObject(body []byte, search search) (found, error) {
	s := scanner{data: body, search: search}
	s.space()
	if s.peek() != '{' {
		return found{}, errNotObject
	}
	if err := s.value(topObject); err != nil {
		return found{}, err
	}
	s.space()
	if s.pos != len(body) {
		return found{}, s.bad("text after the object")
	}
	return s.found, nil
}

func (s *scanner) bad(what string) error { return fmt.Errorf("%s at byte %d", what, s.pos) }

// peek returns the next byte, or 0 at the end: no JSON text has a 0 outside of strings, nor inside.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// value scans one value, which starts at pos, that stands at a place.
func (s *scanner) value(at place) error {
	switch c := s.peek(); {
	case c == '"':
		_, err := s.text()
		return err
	case c == '{':
		return s.object(func(key span) error { return s.member(at, key) })
	case c == '[':
		element := elsewhere
		if at == requestList {
			element = holder
		}
		return s.array(func() error { return s.value(element) })
	case c == '-', '0' <= c && c <= '9':
		return s.number()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	default:
		return s.bad("no JSON value")
	}
}

// object scans an object, which starts at pos. member scans the value of each key.
func (s *scanner) object(member func(key span) error) error {
	if err := s.open(); err != nil {
		return err
	}
	if s.space(); s.peek() == '}' {
		s.close()
		return nil
	}
	for {
		key, err := s.colon()
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
		if more, err := s.next('}'); !more {
			return err
		}
	}
}

// colon takes a key and what stands between it and its value.
func (s *scanner) colon() (key span, err error) {
	if s.space(); s.peek() != '"' {
		return span{}, s.bad("no object key")
	}
	if key, err = s.text(); err != nil {
		return span{}, err
	}
	if s.space(); s.peek() != ':' {
		return span{}, s.bad("no colon")
	}
	s.pos++
	s.space()
	return key, nil
}

// array scans an array, which starts at pos. element scans each value.
func (s *scanner) array(element func() error) error {
	if err := s.open(); err != nil {
		return err
	}
	if s.space(); s.peek() == ']' {
		s.close()
		return nil
	}
	for {
		s.space()
		if err := element(); err != nil {
			return err
		}
		if more, err := s.next(']'); !more {
			return err
		}
	}
}

// open takes the bracket of an object or array, close the one at its end.
func (s *scanner) open() error {
	if s.depth++; s.depth > maxDepth {
		return errTooDeep
	}
	s.pos++
	return nil
}

func (s *scanner) close() {
	s.pos++
	s.depth--
}

// next takes the comma before another element, or the closing byte.
func (s *scanner) next(closing byte) (more bool, err error) {
	s.space()
	switch s.peek() {
	case ',':
		s.pos++
		return true, nil
	case closing:
		s.close()
		return false, nil
	default:
		return false, s.bad("no comma")
	}
}

// member scans the value of an object's key and notes it if it names a model.
func (s *scanner) member(at place, key span) error {
	if at != topObject && at != holder {
		return s.value(elsewhere)
	}
	switch name := string(s.key(key)); {
	case strings.EqualFold(name, "model"):
		return s.named(name == "model", s.listOf(at))
	case at == topObject && s.search.name && strings.EqualFold(name, "name"):
		return s.named(name == "name", &s.found.names)
	case at == topObject && s.search.inner:
		return s.value(s.below(name))
	default:
		return s.value(elsewhere)
	}
}

// below returns the place of the value at pos, which belongs to a key of a gemini request.
func (s *scanner) below(key string) place {
	switch c := s.peek(); {
	case c == '[' && key == "requests":
		return requestList
	case c == '{' && (key == "generateContentRequest" || key == "generate_content_request"):
		return holder
	default:
		return elsewhere
	}
}

func (s *scanner) listOf(at place) *[]span {
	if at == holder {
		return &s.found.inner
	}
	return &s.found.models
}

// named notes the value at pos as the name of a model. A key in another case is no name, but it is odd: decoders that
// ignore case (Go's, so Ollama's) would take it for one, and two parties must not read two names in one body.
func (s *scanner) named(exact bool, list *[]span) error {
	start, isText := s.pos, s.peek() == '"'
	if err := s.value(elsewhere); err != nil {
		return err
	}
	if !exact || !isText {
		s.found.odd = true
		return nil
	}
	*list = append(*list, span{start, s.pos})
	return nil
}

// longestKey bounds the keys that are decoded: every character of the longest known one as an escape, and the quotes.
const longestKey = len("generate_content_request")*len(`\u0000`) + 2

// key returns an object key, or nothing if it is longer than all that matter.
func (s *scanner) key(k span) []byte {
	if k.end-k.start > longestKey {
		return nil
	}
	token := s.data[k.start:k.end]
	if bytes.IndexByte(token, '\\') < 0 {
		return token[1 : len(token)-1]
	}
	return []byte(decode(token))
}

// decode returns the text of a valid JSON string.
func decode(token []byte) string {
	var text string
	if err := json.Unmarshal(token, &text); err != nil {
		return "" // not for tokens that the scanner passed
	}
	return text
}

// text scans a string, which starts at pos with a quote.
func (s *scanner) text() (span, error) {
	start := s.pos
	s.pos++
	for {
		s.plain()
		switch c := s.peek(); {
		case c == '"':
			s.pos++
			return span{start, s.pos}, nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return span{}, err
			}
		default:
			return span{}, s.bad("control character or end in a string")
		}
	}
}

// plain moves to the next quote, backslash or control character, or to the end. It looks at eight bytes at a time: a
// request is mostly one long base64 string when it is long.
func (s *scanner) plain() {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := s.pos
	for ; i+8 <= len(s.data); i += 8 {
		word := binary.LittleEndian.Uint64(s.data[i:])
		quote, slash := word^ones*'"', word^ones*'\\'
		// The lowest marked byte is exact; borrows can only mark bytes above it.
		marks := ((word-ones*' ')&^word | (quote-ones)&^quote | (slash-ones)&^slash) & highs
		if marks != 0 {
			s.pos = i + bits.TrailingZeros64(marks)/8
			return
		}
	}
	for ; i < len(s.data); i++ {
		if c := s.data[i]; c < ' ' || c == '"' || c == '\\' {
			break
		}
	}
	s.pos = i
}

func (s *scanner) escape() error {
	s.pos++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		s.slack++
		return nil
	case 'u':
		s.pos++
		s.slack += 4 // six bytes for a character of two, which most are that are written so
		for range 4 {
			if !isHex(s.peek()) {
				return s.bad("bad escape")
			}
			s.pos++
		}
		return nil
	default:
		return s.bad("bad escape")
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func (s *scanner) literal(word string) error {
	if end := min(s.pos+len(word), len(s.data)); string(s.data[s.pos:end]) != word {
		return s.bad("no JSON value")
	}
	s.pos += len(word)
	return nil
}

func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if err := s.digits(); err != nil {
		return err
	}
	if s.peek() == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		return s.digits()
	}
	return nil
}

func (s *scanner) digits() error {
	start := s.pos
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		s.pos++
	}
	if s.pos == start {
		return s.bad("no digit in a number")
	}
	return nil
}
