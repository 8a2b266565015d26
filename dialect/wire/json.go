// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"strconv"
	"strings"
)

// JSON is JSON that is being written in one go, on one line (RFC 8259). Commas come by themselves, before a name or an
// element that is not the first, so that what is left out needs no thought. Whether brackets are closed and values follow
// names is the caller's to see to. Text may stand before the JSON: the zero value, `data: ` and a line that has ended are
// all good beginnings. Callers may append to it what they have written themselves.
type JSON []byte

// space is what may stand around JSON. It is taken off the ends of what is written as it is, because what comes before a
// space is not looked at for the next comma.
const space = " \t\r\n"

// Comma separates an element, which the caller then appends, from what was before. A bracket that has just been opened, a
// name, and what is no JSON (the beginning of an event, the line before) need none.
func (j *JSON) Comma() {
	if n := len(*j); n > 0 {
		switch (*j)[n-1] {
		case '{', '[', ':', '\n', ' ':
		default:
			*j = append(*j, ',')
		}
	}
}

// Open begins an object or an array that is an element, or the value of the member named before. The bracket is '{' or '['.
func (j *JSON) Open(bracket byte) {
	j.Comma()
	*j = append(*j, bracket)
}

// Close ends an object or an array. The bracket is '}' or ']'.
func (j *JSON) Close(bracket byte) { *j = append(*j, bracket) }

// Raw writes an element that is JSON already.
func (j *JSON) Raw(json string) {
	j.Comma()
	*j = append(*j, strings.Trim(json, space)...)
}

// Text writes an element that is a string, as [AppendString] does.
func (j *JSON) Text(s string) {
	j.Comma()
	*j = AppendString(*j, s)
}

// Name writes the name of a member, which is one of the protocol's: nothing in it is escaped.
func (j *JSON) Name(name string) {
	j.Comma()
	*j = append(*j, '"')
	*j = append(*j, name...)
	*j = append(*j, '"', ':')
}

// Object begins a member that is an object.
func (j *JSON) Object(name string) {
	j.Name(name)
	*j = append(*j, '{')
}

// Array begins a member that is an array.
func (j *JSON) Array(name string) {
	j.Name(name)
	*j = append(*j, '[')
}

// TextMember writes a member that is a string.
func (j *JSON) TextMember(name, value string) {
	j.Name(name)
	*j = AppendString(*j, value)
}

// TextIf writes a member that is a string, unless it is empty.
func (j *JSON) TextIf(name, value string) {
	if value != "" {
		j.TextMember(name, value)
	}
}

// RawMember writes a member whose value is JSON already.
func (j *JSON) RawMember(name, json string) {
	j.Name(name)
	*j = append(*j, strings.Trim(json, space)...)
}

// RawBytes is RawMember of bytes.
func (j *JSON) RawBytes(name string, json []byte) {
	j.Name(name)
	*j = append(*j, bytes.Trim(json, space)...)
}

// IntMember writes a member that is a whole number.
func (j *JSON) IntMember(name string, value int64) {
	j.Name(name)
	*j = strconv.AppendInt(*j, value, 10)
}

// FloatMember writes a member that is a number, as [AppendFloat] does.
func (j *JSON) FloatMember(name string, value float64) {
	j.Name(name)
	*j = AppendFloat(*j, value)
}

// FloatIf writes a member that is a number, unless it is nil.
func (j *JSON) FloatIf(name string, value *float64) {
	if value != nil {
		j.FloatMember(name, *value)
	}
}

// BoolMember writes a member that is true or false.
func (j *JSON) BoolMember(name string, value bool) {
	j.Name(name)
	*j = strconv.AppendBool(*j, value)
}

// IsObject reports whether a text is one JSON object.
func IsObject[T ~string | ~[]byte](text T) bool {
	p := Parse([]byte(text))
	return p.Kind() == ObjectValue && p.Raw() != nil && p.End() == nil
}
