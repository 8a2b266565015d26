// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"strconv"

	"github.com/tokengo/tokengo/dialect/wire"
)

// jsonText is JSON that is being written. Commas come by themselves.
type jsonText []byte

func (j *jsonText) comma() {
	if n := len(*j); n > 0 {
		switch (*j)[n-1] {
		case '{', '[', ':', ' ':
		default:
			*j = append(*j, ',')
		}
	}
}

// open begins an object or array that is an element, or the value of the member named before.
func (j *jsonText) open(c byte) {
	j.comma()
	*j = append(*j, c)
}

func (j *jsonText) close(c byte) { *j = append(*j, c) }

// name writes the name of a member, which is one of the protocol's.
func (j *jsonText) name(name string) {
	j.comma()
	*j = append(*j, '"')
	*j = append(*j, name...)
	*j = append(*j, '"', ':')
}

// object begins a member that is an object, array one that is an array.
func (j *jsonText) object(name string) {
	j.name(name)
	*j = append(*j, '{')
}

func (j *jsonText) array(name string) {
	j.name(name)
	*j = append(*j, '[')
}

// element writes an element that is JSON already.
func (j *jsonText) element(json string) {
	j.comma()
	*j = append(*j, json...)
}

func (j *jsonText) text(name, value string) {
	j.name(name)
	*j = wire.AppendString(*j, value)
}

// textIf writes a member unless it is empty.
func (j *jsonText) textIf(name, value string) {
	if value != "" {
		j.text(name, value)
	}
}

// raw writes a member whose value is JSON already.
func (j *jsonText) raw(name, json string) {
	j.name(name)
	*j = append(*j, json...)
}

func (j *jsonText) integer(name string, value int64) {
	j.name(name)
	*j = strconv.AppendInt(*j, value, 10)
}

func (j *jsonText) boolean(name string, value bool) {
	j.name(name)
	*j = strconv.AppendBool(*j, value)
}

func (j *jsonText) float(name string, value float64) {
	j.name(name)
	*j = wire.AppendFloat(*j, value)
}

// isObject reports whether a text is a JSON object.
func isObject(text string) bool {
	p := wire.Parse([]byte(text))
	return p.Object(func([]byte) {}) && p.End() == nil
}
