// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"bytes"
	"strconv"

	"github.com/tokengo/tokengo/dialect/wire"
)

// jsonText writes JSON in one go, on one line. Commas are put where they belong.
type jsonText []byte

// comma separates what follows from what was before. Nothing is to be separated from a bracket that has just been
// opened, from a name, or from what is no JSON (the beginning of an event).
func (j *jsonText) comma() {
	if n := len(*j); n > 0 {
		switch (*j)[n-1] {
		case '{', '[', ':', '\n', ' ':
		default:
			*j = append(*j, ',')
		}
	}
}

// open begins an object or an array.
func (j *jsonText) open(bracket byte) {
	j.comma()
	*j = append(*j, bracket)
}

func (j *jsonText) close(bracket byte) { *j = append(*j, bracket) }

// name writes the name of a member, which is one of the protocol's.
func (j *jsonText) name(name string) {
	j.comma()
	*j = append(*j, '"')
	*j = append(*j, name...)
	*j = append(*j, '"', ':')
}

// object begins a member that is an object.
func (j *jsonText) object(name string) {
	j.name(name)
	*j = append(*j, '{')
}

// array begins a member that is an array.
func (j *jsonText) array(name string) {
	j.name(name)
	*j = append(*j, '[')
}

// text writes an element.
func (j *jsonText) text(s string) {
	j.comma()
	*j = wire.AppendString(*j, s)
}

func (j *jsonText) textMember(name, value string) {
	j.name(name)
	*j = wire.AppendString(*j, value)
}

// textIf writes a member unless it is empty.
func (j *jsonText) textIf(name, value string) {
	if value != "" {
		j.textMember(name, value)
	}
}

// rawMember writes a member that is JSON already.
func (j *jsonText) rawMember(name string, json []byte) {
	j.name(name)
	*j = append(*j, bytes.TrimSpace(json)...)
}

func (j *jsonText) trueMember(name string) {
	j.name(name)
	*j = append(*j, "true"...)
}

func (j *jsonText) intMember(name string, value int) {
	j.name(name)
	*j = strconv.AppendInt(*j, int64(value), 10)
}

func (j *jsonText) floatIf(name string, value *float64) {
	if value != nil {
		j.name(name)
		*j = wire.AppendFloat(*j, *value)
	}
}

// camel is a field's name as it is written in camelCase; the service takes snake_case as well.
func camel(key []byte) []byte {
	under := false
	for _, c := range key {
		under = under || c == '_'
	}
	if !under {
		return key
	}
	name := make([]byte, 0, len(key))
	upper := false
	for _, c := range key {
		switch {
		case c == '_':
			upper = len(name) > 0
			continue
		case upper && 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		name, upper = append(name, c), false
	}
	return name
}

// isObject reports whether a text is one JSON object.
func isObject(text []byte) bool {
	p := wire.Parse(text)
	return p.Kind() == wire.ObjectValue && p.Raw() != nil && p.End() == nil
}
