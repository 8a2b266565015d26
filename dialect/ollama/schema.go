// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect/wire"
)

// Ollama reads the parameters of a tool into types of its own (api.ToolFunctionParameters). It refuses requests with
// schemas that do not fit, such as true for a property, and what it has no field for, $ref and oneOf among others, never
// reaches the model. So schemas that fit go as they are, and of others those parts are written in the way that it reads.

// noParameters is the schema of a tool that takes none.
const noParameters = `{"type":"object","properties":{}}`

// Our own limits of schemas that are rewritten. Of what is beyond them nothing is said, which allows all values.
const (
	maxSchemaDepth  = 32
	schemaGrowth    = 4        // times its own length may references make a schema longer
	minSchemaGrowth = 16 << 10 // or that many bytes
)

// parametersOf is a tool's schema as Ollama reads it.
func parametersOf(raw json.RawMessage) string {
	text := bytes.TrimSpace(raw)
	if len(text) == 0 || text[0] != '{' {
		return noParameters
	}
	c := schemaCheck{Parser: wire.Parse(text), fits: true}
	c.parameters()
	if c.End() != nil {
		return noParameters
	}
	if c.fits {
		return string(text)
	}
	list, ok := members(text)
	if !ok {
		return noParameters
	}
	r := rewriter{root: list, room: max(schemaGrowth*len(text), minSchemaGrowth)}
	return string(r.parameters())
}

// schemaCheck finds out whether a schema fits.
type schemaCheck struct {
	*wire.Parser
	fits bool
}

func (c *schemaCheck) parameters() {
	typed := false
	c.Object(func(key []byte) {
		switch string(key) {
		case "type":
			typed = true
			c.need(c.Kind() == wire.StringValue)
		case "required":
			c.strings()
		case "properties":
			c.properties()
		case "$ref", "anyOf", "oneOf", "allOf":
			c.need(false)
		}
	})
	c.need(typed)
}

func (c *schemaCheck) need(ok bool) { c.fits = c.fits && ok }

func (c *schemaCheck) strings() {
	c.need(c.Kind() == wire.ArrayValue)
	c.Array(func(int) { c.need(c.Kind() == wire.StringValue) })
}

func (c *schemaCheck) properties() {
	c.need(c.Kind() == wire.ObjectValue)
	c.Object(func([]byte) { c.property() })
}

func (c *schemaCheck) property() {
	c.need(c.Kind() == wire.ObjectValue)
	c.Object(func(key []byte) {
		switch string(key) {
		case "type":
			if c.Kind() != wire.StringValue {
				c.strings()
			}
		case "description":
			c.need(c.Kind() == wire.StringValue)
		case "enum":
			c.need(c.Kind() == wire.ArrayValue)
		case "properties":
			c.properties()
		case "anyOf":
			c.need(c.Kind() == wire.ArrayValue)
			c.Array(func(int) { c.property() })
		case "$ref", "oneOf", "allOf", "const":
			c.need(false)
		}
	})
}

// member is one member of a JSON object, in the order of the text.
type member struct {
	name  string
	value json.RawMessage
}

// members reads an object without losing the order of its members.
func members(raw []byte) ([]member, bool) {
	var list []member
	p := wire.Parse(raw)
	ok := p.Object(func(key []byte) { list = append(list, member{string(key), p.Raw()}) })
	return list, ok && p.End() == nil
}

func elements(raw []byte) ([]json.RawMessage, bool) {
	var list []json.RawMessage
	p := wire.Parse(raw)
	ok := p.Array(func(int) { list = append(list, p.Raw()) })
	return list, ok && p.End() == nil
}

func find(list []member, name string) int {
	return slices.IndexFunc(list, func(m member) bool { return m.name == name })
}

func kindOf(raw []byte) byte { return wire.Parse(raw).Kind() }

func writeMembers(list []member) json.RawMessage {
	var j wire.JSON
	j.Open('{')
	for _, m := range list {
		j.Text(m.name)
		j = append(j, ':')
		j = append(j, m.value...)
	}
	j.Close('}')
	return json.RawMessage(j)
}

// rewriter writes a schema so that it fits.
type rewriter struct {
	root []member // where references point into
	refs []string // that are being followed
	room int      // bytes that may still be written
}

func (r *rewriter) parameters() json.RawMessage {
	kept := []member{{"type", json.RawMessage(`"object"`)}}
	for _, m := range r.resolved(r.root) {
		switch m.name {
		case "type": // of parameters, all others would be wrong
			continue
		case "required":
			if names, ok := elements(m.value); !ok || !allStrings(names) {
				continue
			}
		case "properties":
			m.value = r.properties(m.value, 0)
		}
		kept = append(kept, m)
	}
	if find(kept, "properties") < 0 {
		kept = append(kept, member{"properties", json.RawMessage("{}")})
	}
	isDefs := func(m member) bool { return m.name == "$defs" || m.name == "definitions" }
	bare := writeMembers(slices.DeleteFunc(slices.Clone(kept), isDefs))
	if !bytes.Contains(bare, []byte(`"$ref"`)) { // nothing points to them any more
		return bare
	}
	return writeMembers(kept)
}

func allStrings(list []json.RawMessage) bool {
	return !slices.ContainsFunc(list, func(e json.RawMessage) bool { return kindOf(e) != wire.StringValue })
}

func (r *rewriter) properties(raw json.RawMessage, depth int) json.RawMessage {
	list, _ := members(raw)
	for i := range list {
		list[i].value = r.property(list[i].value, depth)
	}
	return writeMembers(list)
}

func (r *rewriter) property(raw json.RawMessage, depth int) json.RawMessage {
	list, ok := members(raw)
	if !ok || depth >= maxSchemaDepth { // true allows all values, as nothing does
		return json.RawMessage("{}")
	}
	followed := len(r.refs)
	defer func() { r.refs = r.refs[:followed] }()
	var kept []member
	for _, m := range r.resolved(list) {
		if r.room -= len(m.name) + len(m.value); r.room < 0 {
			break
		}
		if m, ok = r.keyword(m, depth); ok {
			kept = append(kept, m)
		}
	}
	return writeMembers(kept)
}

// keyword is a keyword of a property's schema as it fits.
func (r *rewriter) keyword(m member, depth int) (member, bool) {
	switch m.name {
	case "type":
		if kindOf(m.value) != wire.StringValue {
			list, ok := elements(m.value)
			return m, ok && allStrings(list)
		}
	case "description":
		return m, kindOf(m.value) == wire.StringValue
	case "enum":
		return m, kindOf(m.value) == wire.ArrayValue
	case "const":
		return member{"enum", slices.Concat(json.RawMessage("["), m.value, json.RawMessage("]"))}, true
	case "properties":
		m.value = r.properties(m.value, depth+1)
	case "anyOf", "oneOf":
		list, ok := elements(m.value)
		if !ok {
			return m, false
		}
		var j wire.JSON
		j.Open('[')
		for i, e := range list {
			if i > 0 {
				j = append(j, ',')
			}
			j = append(j, r.property(e, depth+1)...)
		}
		j.Close(']')
		return member{"anyOf", json.RawMessage(j)}, true
	}
	return m, true
}

// resolved puts what a schema refers to, and what it demands with allOf, in its place. What the schema says itself counts
// more. References that are being followed already say nothing.
func (r *rewriter) resolved(list []member) []member {
	kept := slices.Clone(list)
	for range maxSchemaDepth {
		at := slices.IndexFunc(kept, func(m member) bool { return m.name == "$ref" || m.name == "allOf" })
		if at < 0 {
			break
		}
		m := kept[at]
		kept = slices.Delete(kept, at, at+1)
		if m.name == "$ref" {
			kept = merge(kept, r.target(m.value))
			continue
		}
		all, _ := elements(m.value)
		for _, one := range all {
			more, _ := members(one)
			kept = merge(kept, more)
		}
	}
	return kept
}

// merge adds what is not there yet; properties and what is required add up.
func merge(list, more []member) []member {
	for _, m := range more {
		at := find(list, m.name)
		switch {
		case at < 0:
			list = append(list, m)
		case m.name == "properties":
			a, _ := members(list[at].value)
			b, _ := members(m.value)
			list[at].value = writeMembers(merge(a, b))
		case m.name == "required":
			a, _ := elements(list[at].value)
			b, _ := elements(m.value)
			list[at].value = joinElements(append(a, b...))
		}
	}
	return list
}

func joinElements(list []json.RawMessage) json.RawMessage {
	out := json.RawMessage("[")
	for i, e := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, e...)
	}
	return append(out, ']')
}

// target is the schema that a reference within the document points to; nothing if there is none.
func (r *rewriter) target(ref json.RawMessage) []member {
	path, ok := strings.CutPrefix(wire.Parse(ref).String(), "#/")
	if !ok || slices.Contains(r.refs, path) {
		return nil
	}
	r.refs = append(r.refs, path)
	at := r.root
	for _, name := range strings.Split(path, "/") {
		i := find(at, strings.NewReplacer("~1", "/", "~0", "~").Replace(name))
		if i < 0 {
			return nil
		}
		if at, ok = members(at[i].value); !ok {
			return nil
		}
	}
	return at
}
