// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/tokengo/tokengo/dialect/wire"
)

// jsonText writes JSON in one go, on one line. Commas are put where they belong.
type jsonText []byte

// comma separates what follows from what was before. Nothing is to be separated from a bracket that has just been opened,
// from a name, or from the line before.
func (j *jsonText) comma() {
	if n := len(*j); n > 0 {
		switch (*j)[n-1] {
		case '{', '[', ':', '\n':
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

// member begins a member that is an object or an array.
func (j *jsonText) member(name string, bracket byte) {
	j.name(name)
	*j = append(*j, bracket)
}

// text writes an element that is a text.
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

func (j *jsonText) rawMember(name, json string) {
	j.name(name)
	*j = append(*j, json...)
}

func (j *jsonText) intMember(name string, value int64) {
	j.name(name)
	*j = strconv.AppendInt(*j, value, 10)
}

func (j *jsonText) floatMember(name string, value float64) {
	j.name(name)
	*j = wire.AppendFloat(*j, value)
}

// object returns a JSON object on one line, "{}" for none.
func object(text []byte) (string, bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || string(text) == "null" {
		return "{}", true
	}
	var b bytes.Buffer
	if text[0] != '{' || json.Compact(&b, text) != nil {
		return "", false
	}
	return b.String(), true
}

// argumentsObject makes an object of the arguments of a call. Those that a model got wrong are passed on as a text within
// one, so that whoever runs the tool can say what is wrong with them.
func argumentsObject(arguments []byte) string {
	if o, ok := object(arguments); ok {
		return o
	}
	var j jsonText
	j.open('{')
	j.textMember("arguments", string(arguments))
	j.close('}')
	return string(j)
}
