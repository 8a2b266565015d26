// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Names of the client's own fields.
const (
	ownProvider = "provider"
	ownModels   = "models"
	ownRoute    = "route"
)

// ownForms are the bytes that values begin with that are the client's.
var ownForms = map[string]string{ownProvider: "{n", ownModels: "[n", ownRoute: `"n`}

// ownFields are the client's own fields of a request.
type ownFields struct {
	members  []ownMember
	others   int // members of the request before this place that are not the client's
	provider []byte
	models   []string
	list     bool // models is there as a list
}

// ownMember is where such a field stands, from its key's quote to the end of its value.
type ownMember struct {
	name       string
	start, end int
	others     int // before it
}

// ownMember reads a field if it is the client's.
func (r *demander) ownMember(name []byte) bool {
	forms := ownForms[string(name)]
	if forms == "" || !strings.ContainsRune(forms, rune(r.s.peek())) {
		r.own.others++
		return false
	}
	m := ownMember{name: string(name), start: r.keyed.start, others: r.own.others}
	for _, other := range r.own.members {
		if other.name == m.name {
			r.refuse(`The field "%s" is given twice. Give it once.`, m.name)
		}
	}
	start := r.s.pos
	if m.name == ownModels {
		r.listModels()
	}
	r.pass(start)
	m.end = r.s.pos
	if m.name == ownProvider && r.s.data[start] == '{' {
		r.own.provider = r.s.data[start:m.end]
	}
	r.own.members = append(r.own.members, m)
	return true
}

// listModels reads the names of further models.
func (r *demander) listModels() {
	r.own.list = r.s.peek() == '['
	n := 0
	r.array(func() {
		model := ""
		if at, ok := r.text(); ok {
			model = decode(r.s.data[at.start:at.end])
		}
		switch n++; {
		case model == "" || strings.ContainsRune(model, utf8.RuneError):
			r.refuse(`The field "%s" is not a list of names of models.`, ownModels)
		case n > maxModels:
			r.refuse(`The field "%s" names more than %d models.`, ownModels, maxModels)
		default:
			r.own.models = append(r.own.models, model)
		}
	})
}

// refuse notes what is wrong with one of the client's own fields.
func (r *demander) refuse(format string, args ...any) {
	if r.problem == nil {
		r.problem = &Error{Code: CodeInvalidRequest, Message: fmt.Sprintf(format, args...)}
	}
}

// taken reports whether a field is the client's: "route" is only beside a list of models.
func (f *ownFields) taken(m ownMember) bool { return m.name != ownRoute || f.list }

// cut returns the body without the fields, and with lead as its model in the place of the list unless lead is empty. It
// is the body itself when there is nothing to take out.
func (f *ownFields) cut(body []byte, lead string) []byte {
	var out []byte
	copied, kept := 0, 0 // kept counts those of the fields that have something in their place
	for _, m := range f.members {
		switch {
		case !f.taken(m):
			kept++
		case m.name == ownModels && lead != "":
			kept++
			out = append(append(out, body[copied:m.start]...), `"model":`...)
			out, copied = append(out, encode(lead)...), m.end
		case m.others+kept > 0:
			comma := bytes.LastIndexByte(body[:m.start], ',')
			out, copied = append(out, body[copied:comma]...), m.end
		default:
			out, copied = append(out, body[copied:m.start]...), afterComma(body, m.end)
		}
	}
	if copied == 0 {
		return body
	}
	return append(out, body[copied:]...)
}

// afterComma is where the next member stands after the end of one, or that end when it was the last.
func afterComma(body []byte, end int) int {
	s := scanner{data: body, pos: end}
	if s.space(); s.peek() != ',' {
		return end
	}
	s.pos++
	s.space()
	return s.pos
}
