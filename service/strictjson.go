// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// Two parties that verify the same signed bytes must also read the same values in them. encoding/json takes the last of
// two equal names, matches names without regard to case and repairs invalid UTF-8; checkJSON refuses such input.

// maxDepth is how deep arrays and objects may nest: a description needs 4, and recursion needs a bound.
const maxDepth = 32

// shape is the names of a Go struct's JSON fields, each with the shape of the object (or the objects of the array) that
// it holds, nil when it holds none with known names.
type shape map[string]shape

// shapeOf returns the shape of t, which may be a struct or a pointer to or slice of one; of other types, nil.
func shapeOf(t reflect.Type) shape {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	s := shape{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" {
			s[name] = shapeOf(f.Type)
		}
	}
	return s
}

// checkJSON reports whether raw is one JSON object that every parser reads alike: valid UTF-8, no name twice in an
// object, no name that differs from one of s only in case, nothing after the object. No array or object in it may have
// more than maxItems elements.
func checkJSON(raw []byte, s shape, maxItems int) error {
	if !utf8.Valid(raw) {
		return errors.New("not valid UTF-8")
	}
	if !json.Valid(raw) {
		return errors.New("not one JSON value")
	}
	c := checker{raw: raw, maxItems: maxItems}
	c.space()
	if raw[c.pos] != '{' {
		return errors.New("not a JSON object")
	}
	return c.object(s, 0)
}

// checker walks JSON that is known to be well-formed.
type checker struct {
	raw      []byte
	pos      int
	maxItems int
	names    [][]byte // of the objects that are open, outermost first
}

func (c *checker) value(s shape, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	c.space()
	switch c.raw[c.pos] {
	case '{':
		return c.object(s, depth)
	case '[':
		return c.array(s, depth)
	case '"':
		c.text()
	default:
		c.scalar()
	}
	return nil
}

// scalar steps over a number, true, false or null, which is inside an object, so that something follows.
func (c *checker) scalar() {
	c.pos += bytes.IndexAny(c.raw[c.pos:], " \t\r\n,]}")
}

func (c *checker) array(s shape, depth int) error {
	for n := 0; c.next(']'); n++ {
		if n >= c.maxItems {
			return fmt.Errorf("array of more than %d elements", c.maxItems)
		}
		if err := c.value(s, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) object(s shape, depth int) error {
	base := len(c.names)
	for c.next('}') {
		if len(c.names)-base >= c.maxItems {
			return fmt.Errorf("object of more than %d elements", c.maxItems)
		}
		name := unquote(c.text())
		inner, known := s[string(name)]
		if !known && s.folds(name) {
			return fmt.Errorf("name near byte %d differs from a known one only in case", c.pos)
		}
		c.names = append(c.names, name)
		c.space()
		c.pos++ // the colon
		if err := c.value(inner, depth+1); err != nil {
			return err
		}
	}
	return c.closeObject(base)
}

// closeObject forgets the names of the innermost open object, which begin at base, unless one is there twice.
func (c *checker) closeObject(base int) error {
	if twice(c.names[base:]) {
		return fmt.Errorf("name twice in the object that ends near byte %d", c.pos)
	}
	c.names = c.names[:base]
	return nil
}

// twice sorts names and reports whether two are the same.
func twice(names [][]byte) bool {
	slices.SortFunc(names, bytes.Compare)
	for i := 1; i < len(names); i++ {
		if bytes.Equal(names[i-1], names[i]) {
			return true
		}
	}
	return false
}

// next steps over the opening bracket or a comma to the next element and reports whether there is one; it steps over
// the closing bracket end when there is not.
func (c *checker) next(end byte) bool {
	c.space()
	if c.raw[c.pos] != end {
		c.pos++ // the opening bracket, or a comma
		c.space()
	}
	if c.raw[c.pos] == end {
		c.pos++
		return false
	}
	return true
}

// text steps over a string and returns it with its quotes.
func (c *checker) text() []byte {
	start := c.pos
	for c.pos++; c.raw[c.pos] != '"'; c.pos++ {
		if c.raw[c.pos] == '\\' {
			c.pos++
		}
	}
	c.pos++
	return c.raw[start:c.pos]
}

func (c *checker) space() {
	for c.raw[c.pos] <= ' ' { // between values, well-formed JSON has nothing else below
		c.pos++
	}
}

// folds reports whether encoding/json would take name for one of s.
func (s shape) folds(name []byte) bool {
	for known := range s {
		if strings.EqualFold(known, string(name)) {
			return true
		}
	}
	return false
}

// unquote returns the text of a JSON string, a part of quoted itself when nothing is escaped.
func unquote(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil { // cannot be: quoted is a part of valid JSON
		return quoted
	}
	return []byte(s)
}

// plainError says what encoding/json did not like without repeating the input, which its own errors do.
func plainError(err error) error {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return fmt.Errorf("%s: not of the type that the format wants", wrongType.Field)
	}
	return errors.New("a time or base64 value is malformed")
}
