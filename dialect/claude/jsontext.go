// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"strconv"

	"github.com/tokengo/tokengo/dialect/wire"
)

// jsonText writes JSON in one go. Commas are put where they belong: before a name or an element that is not the first.
type jsonText []byte

// comma separates what follows from what was before. Only a bracket that has just been opened, or a colon, is the last
// byte of something to which no comma belongs.
func (j *jsonText) comma() {
	if n := len(*j); n > 0 {
		switch (*j)[n-1] {
		case '{', '[', ':', '\n', ' ':
		default:
			*j = append(*j, ',')
		}
	}
}

// open begins an object or a list.
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

// raw writes an element that is JSON already.
func (j *jsonText) raw(json string) {
	j.comma()
	*j = append(*j, json...)
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

func (j *jsonText) rawMember(name, json string) {
	j.name(name)
	*j = append(*j, json...)
}

func (j *jsonText) intMember(name string, value int) {
	j.name(name)
	*j = strconv.AppendInt(*j, int64(value), 10)
}

func (j *jsonText) floatMember(name string, value float64) {
	j.name(name)
	*j = wire.AppendFloat(*j, value)
}
