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
	var out wire.JSON
	d.schema(&out)
	return out
}

// schemaType is what decides how the other members of a schema are written.
type schemaType struct {
	name     string
	nullable bool
	enum     [][]byte
	anyOf    []byte // the elements, without brackets
	rest     wire.JSON
}

// schema reads a schema and writes it as an element.
func (d *decoder) schema(out *wire.JSON) {
	if d.Kind() != wire.ObjectValue {
		out.Comma()
		*out = append(*out, d.Raw()...)
		return
	}
	s := schemaType{rest: wire.JSON("{")}
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
		var list wire.JSON = []byte("[")
		d.Array(func(int) { d.schema(&list) })
		s.anyOf = list[1:]
	case "propertyOrdering":
		d.Skip()
	case "format":
		if format := d.String(); format != "enum" && format != "" {
			s.rest.TextMember("format", format)
		}
	case "example":
		s.rest.Array("examples")
		s.rest = append(s.rest, d.Raw()...)
		s.rest.Close(']')
	case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties", "minimum", "maximum":
		s.rest.RawBytes(string(camel([]byte(key))), unquoted(d.Raw()))
	case "properties", "defs", "$defs":
		d.properties(s, key)
	case "items":
		s.rest.Name("items")
		d.schema(&s.rest)
	default:
		s.rest.Comma()
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
	s.rest.RawBytes("type", d.Raw())
}

func (d *decoder) properties(s *schemaType, key string) {
	s.rest.Object(key)
	d.Object(func(key []byte) {
		s.rest.Comma()
		s.rest = append(wire.AppendString(s.rest, string(key)), ':')
		d.schema(&s.rest)
	})
	s.rest.Close('}')
}

func (s *schemaType) write(out *wire.JSON) {
	out.Open('{')
	switch {
	case s.name != "" && s.nullable:
		out.RawMember("type", `["`+s.name+`","null"]`)
	case s.name != "":
		out.TextMember("type", s.name)
	}
	if len(s.enum) > 0 {
		s.writeEnum(out)
	}
	if s.anyOf != nil {
		out.Array("anyOf")
		*out = append(*out, s.anyOf...)
		if s.nullable && s.name == "" {
			out.Comma()
			*out = append(*out, `{"type":"null"}`...)
		}
		out.Close(']')
	}
	if members := s.rest[1:]; len(members) > 0 {
		out.Comma()
		*out = append(*out, members...)
	}
	out.Close('}')
}

// writeEnum writes the values. The older form has texts for those of numbers, too.
func (s *schemaType) writeEnum(out *wire.JSON) {
	out.Array("enum")
	for _, value := range s.enum {
		if s.name == "integer" || s.name == "number" {
			value = unquoted(value)
		}
		out.Comma()
		*out = append(*out, value...)
	}
	if s.nullable {
		out.Comma()
		*out = append(*out, "null"...)
	}
	out.Close(']')
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
