// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/tokengo/tokengo/dialect/wire"
)

// openSchema reads a schema in the older form, a subset of OpenAPI 3.0 (ai.google.dev/api/caching#Schema), and returns
// it as JSON schema; nil for null. Types are written in lower case, "nullable" becomes the type "null", and numbers that
// stand in quotes lose them. The order of properties is a hint that JSON schema has not; they keep the order they have.
func (d *decoder) openSchema() []byte {
	switch {
	case d.Null():
		return nil
	case d.Kind() != wire.ObjectValue:
		d.isNot("schema", "an object")
		return nil
	}
	var out jsonText
	d.schema(&out)
	return out
}

// schemaType is what decides how the other members of a schema are written.
type schemaType struct {
	name     string
	nullable bool
	enum     [][]byte
	anyOf    []byte // the elements, without brackets
	rest     jsonText
}

// schema reads a schema and writes it as an element.
func (d *decoder) schema(out *jsonText) {
	if d.Kind() != wire.ObjectValue {
		out.comma()
		*out = append(*out, d.Raw()...)
		return
	}
	s := schemaType{rest: jsonText("{")}
	d.Object(func(key []byte) { d.schemaMember(&s, string(key)) })
	s.write(out)
}

func (d *decoder) schemaMember(s *schemaType, key string) {
	switch string(camel([]byte(key))) {
	case "type":
		d.schemaType(s)
	case "nullable":
		s.nullable = d.Bool()
	case "enum":
		d.Array(func(int) { s.enum = append(s.enum, d.Raw()) })
	case "anyOf":
		var list jsonText = []byte("[")
		d.Array(func(int) { d.schema(&list) })
		s.anyOf = list[1:]
	case "propertyOrdering":
		d.Skip()
	case "format":
		if format := d.String(); format != "enum" && format != "" {
			s.rest.textMember("format", format)
		}
	case "example":
		s.rest.array("examples")
		s.rest = append(s.rest, d.Raw()...)
		s.rest.close(']')
	case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties", "minimum", "maximum":
		s.rest.rawMember(string(camel([]byte(key))), unquoted(d.Raw()))
	case "properties", "defs", "$defs":
		d.properties(s, key)
	case "items":
		s.rest.name("items")
		d.schema(&s.rest)
	default:
		s.rest.comma()
		s.rest = append(wire.AppendString(s.rest, key), ':')
		s.rest = append(s.rest, d.Raw()...)
	}
}

// schemaType reads a type: one name, or several as JSON schema has it.
func (d *decoder) schemaType(s *schemaType) {
	if d.Kind() == wire.StringValue {
		if name := strings.ToLower(d.String()); name != "type_unspecified" {
			s.name = name
		}
		return
	}
	s.rest.rawMember("type", d.Raw())
}

func (d *decoder) properties(s *schemaType, key string) {
	s.rest.object(key)
	d.Object(func(key []byte) {
		s.rest.comma()
		s.rest = append(wire.AppendString(s.rest, string(key)), ':')
		d.schema(&s.rest)
	})
	s.rest.close('}')
}

func (s *schemaType) write(out *jsonText) {
	out.open('{')
	switch {
	case s.name != "" && s.nullable:
		out.rawMember("type", []byte(`["`+s.name+`","null"]`))
	case s.name != "":
		out.textMember("type", s.name)
	}
	if len(s.enum) > 0 {
		s.writeEnum(out)
	}
	if s.anyOf != nil {
		out.array("anyOf")
		*out = append(*out, s.anyOf...)
		if s.nullable && s.name == "" {
			out.comma()
			*out = append(*out, `{"type":"null"}`...)
		}
		out.close(']')
	}
	if members := s.rest[1:]; len(members) > 0 {
		out.comma()
		*out = append(*out, members...)
	}
	out.close('}')
}

// writeEnum writes the values. The older form has texts for those of numbers, too.
func (s *schemaType) writeEnum(out *jsonText) {
	out.array("enum")
	for _, value := range s.enum {
		if s.name == "integer" || s.name == "number" {
			value = unquoted(value)
		}
		out.comma()
		*out = append(*out, value...)
	}
	if s.nullable {
		out.comma()
		*out = append(*out, "null"...)
	}
	out.close(']')
}

// unquoted is a number without quotes; what is no number stays as it is.
func unquoted(raw []byte) []byte {
	inner := bytes.Trim(raw, `"`)
	if len(inner) == len(raw) {
		return raw
	}
	if _, err := strconv.ParseFloat(string(inner), 64); err != nil || !wireNumber(inner) {
		return raw
	}
	return inner
}

// wireNumber reports whether a text is a number of JSON, which Go's spelling of one need not be.
func wireNumber(text []byte) bool {
	p := wire.Parse(text)
	if p.Kind() != wire.NumberValue {
		return false
	}
	p.Skip()
	return p.End() == nil
}
