// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect/wire"
)

// constraints are keywords of JSON Schema that the protocol refuses where it enforces a schema
// (platform.claude.com/docs, "Structured outputs", "JSON Schema limitations"). As Anthropic's own SDKs do, they are
// moved into the description, where the model still reads them.
var constraints = []string{
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems",
	"uniqueItems", "contains", "minContains", "maxContains", "minProperties", "maxProperties",
}

// maxSchemaDepth is our own limit; deeper parts are passed on as they are.
const maxSchemaDepth = 64

// closedSchema makes a schema one that the protocol can enforce: objects that say nothing of other properties have
// none, oneOf is anyOf, and constraints become part of descriptions. What is no object is returned as it is.
func closedSchema(schema json.RawMessage) json.RawMessage {
	return closeAt(schema, 0)
}

// member is one member of a JSON object, in the order of the text.
type member struct {
	name  string
	value json.RawMessage
}

// members reads an object without losing the order of its members.
func members(raw json.RawMessage) ([]member, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	var list []member
	for d.More() {
		name, err := d.Token()
		text, ok := name.(string)
		if err != nil || !ok {
			return nil, false
		}
		m := member{name: text}
		if d.Decode(&m.value) != nil {
			return nil, false
		}
		list = append(list, m)
	}
	return list, true
}

func find(list []member, name string) int {
	return slices.IndexFunc(list, func(m member) bool { return m.name == name })
}

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

func closeAt(schema json.RawMessage, depth int) json.RawMessage {
	list, ok := members(schema)
	if !ok || depth > maxSchemaDepth {
		return schema
	}
	var kept []member
	var moved []string
	for _, m := range list {
		if slices.Contains(constraints, m.name) || m.name == "minItems" && !oneOf(m.value, "0", "1") {
			moved = append(moved, m.name+": "+string(m.value))
			continue
		}
		if m.name == "oneOf" {
			m.name = "anyOf"
		}
		m.value = closeMember(m, depth)
		kept = append(kept, m)
	}
	if len(moved) > 0 {
		kept = describe(kept, moved)
	}
	if isObject(kept) && find(kept, "additionalProperties") < 0 {
		kept = append(kept, member{"additionalProperties", json.RawMessage("false")})
	}
	return writeMembers(kept)
}

// closeMember goes on into what holds schemas.
func closeMember(m member, depth int) json.RawMessage {
	switch m.name {
	case "properties", "$defs", "definitions":
		list, ok := members(m.value)
		if !ok {
			return m.value
		}
		for i := range list {
			list[i].value = closeAt(list[i].value, depth+1)
		}
		return writeMembers(list)
	case "anyOf", "allOf", "prefixItems":
		var list []json.RawMessage
		if json.Unmarshal(m.value, &list) != nil {
			return m.value
		}
		var j wire.JSON
		j.Open('[')
		for _, s := range list {
			j.Raw(string(closeAt(s, depth+1)))
		}
		j.Close(']')
		return json.RawMessage(j)
	case "items":
		return closeAt(m.value, depth+1)
	default:
		return m.value
	}
}

func oneOf(raw json.RawMessage, values ...string) bool { return slices.Contains(values, string(raw)) }

func isObject(list []member) bool {
	i := find(list, "type")
	return i >= 0 && bytes.Contains(list[i].value, []byte(`"object"`)) || i < 0 && find(list, "properties") >= 0
}

// describe adds constraints to a description.
func describe(list []member, moved []string) []member {
	note := "{" + strings.Join(moved, ", ") + "}"
	i := find(list, "description")
	if i < 0 {
		var j wire.JSON
		j.Text(note)
		return append(list, member{"description", json.RawMessage(j)})
	}
	var before string
	if json.Unmarshal(list[i].value, &before) == nil && before != "" {
		note = before + "\n\n" + note
	}
	var j wire.JSON
	j.Text(note)
	list[i].value = json.RawMessage(j)
	return list
}
