// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// walker reads JSON in one pass, checking each byte as it goes. It knows the JSON that programs write; once it meets
// anything else, right or wrong, it has given up, and everything that it returns from then on is empty. A walker that
// has not given up at the end has read what [checkJSON] accepts, and read it as encoding/json does. The text must be
// valid UTF-8.
type walker struct {
	raw     []byte
	pos     int
	unusual bool     // it has given up
	names   [][]byte // of the objects that are open and have no other record of theirs, outermost first
}

// maxSkipped is how deep arrays and objects may nest in a field that is not known. Together with what is around them it
// is less than maxDepth.
const maxSkipped = maxDepth / 2

// giveUp leaves nothing to read, which ends all loops.
func (w *walker) giveUp() { w.unusual, w.pos = true, len(w.raw) }

// peek steps over space and returns the byte that follows it, 0 at the end.
func (w *walker) peek() byte {
	for w.pos < len(w.raw) {
		switch c := w.raw[w.pos]; c {
		case ' ', '\t', '\r', '\n':
			w.pos++
		default:
			return c
		}
	}
	return 0
}

// take steps over c, which must be what follows.
func (w *walker) take(c byte) {
	if w.peek() != c {
		w.giveUp()
		return
	}
	w.pos++
}

// end gives up when anything but space is left.
func (w *walker) end() {
	if w.peek(); w.pos < len(w.raw) {
		w.giveUp()
	}
}

// elements reads an array or an object between its brackets. each reads one element, or name and value.
func (w *walker) elements(open, end byte, each func()) {
	w.take(open)
	if w.peek() == end {
		w.pos++
		return
	}
	for !w.unusual {
		each()
		if w.peek() != ',' {
			w.take(end)
			return
		}
		w.pos++
	}
}

// text reads a string. The result is a part of the JSON, or a copy when something was escaped.
func (w *walker) text() []byte {
	w.take('"')
	start := w.pos
	for i := start; i < len(w.raw); i++ {
		switch c := w.raw[i]; {
		case c == '"':
			w.pos = i + 1
			return w.raw[start:i]
		case c == '\\':
			return w.escaped(start)
		case c < ' ':
			w.giveUp()
			return nil
		}
	}
	w.giveUp()
	return nil
}

// escaped is text for a string in which something is escaped.
func (w *walker) escaped(start int) []byte {
	for i := start; i < len(w.raw) && w.raw[i] != '"'; i++ {
		if w.raw[i] == '\\' {
			i++
		}
		w.pos = i + 1
	}
	var s string
	if w.pos >= len(w.raw) || json.Unmarshal(w.raw[start-1:w.pos+1], &s) != nil {
		w.giveUp()
		return nil
	}
	w.pos++
	return []byte(s)
}

// numeral reads a number and returns it as it is written.
func (w *walker) numeral() []byte {
	w.peek()
	start, digits := w.pos, true
	for w.pos < len(w.raw) && strings.IndexByte("0123456789+-.eE", w.raw[w.pos]) >= 0 {
		digits = digits && w.raw[w.pos] >= '0' && w.raw[w.pos] <= '9'
		w.pos++
	}
	number := w.raw[start:w.pos]
	plain := digits && len(number) > 0 && (number[0] != '0' || len(number) == 1)
	if !plain && !json.Valid(number) {
		w.giveUp()
		return nil
	}
	return number
}

// integer reads a number that is a whole one, written so, and fits into so many bits.
func (w *walker) integer(bits int) int64 {
	n, err := strconv.ParseInt(string(w.numeral()), 10, bits)
	if err != nil {
		w.giveUp()
	}
	return n
}

func (w *walker) float() float64 {
	x, err := strconv.ParseFloat(string(w.numeral()), 64)
	if err != nil {
		w.giveUp()
	}
	return x
}

func (w *walker) time() (t time.Time) {
	w.peek()
	start := w.pos
	if w.text(); w.unusual || t.UnmarshalJSON(w.raw[start:w.pos]) != nil {
		w.giveUp()
	}
	return t
}

// skip reads any value, as deep as this inside one that is not known.
func (w *walker) skip(depth int) {
	switch c := w.peek(); {
	case depth > maxSkipped:
		w.giveUp()
	case c == '{':
		open := len(w.names)
		w.elements('{', '}', func() {
			w.names = append(w.names, w.text())
			w.take(':')
			w.skip(depth + 1)
		})
		w.differ(open)
	case c == '[':
		w.elements('[', ']', func() { w.skip(depth + 1) })
	case c == '"':
		w.text()
	case c >= 'a':
		w.literal()
	default:
		w.numeral()
	}
}

// literal reads true, false or null.
func (w *walker) literal() {
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(w.raw[w.pos:], []byte(word)) {
			w.pos += len(word)
			return
		}
	}
	w.giveUp()
}

// differ forgets the names from open on, and gives up when two of them are the same.
func (w *walker) differ(open int) {
	if twice(w.names[open:]) {
		w.giveUp()
	}
	w.names = w.names[:open]
}
