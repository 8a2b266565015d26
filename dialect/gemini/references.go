// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"bytes"
	"strings"

	"github.com/tokengo/tokengo/dialect/wire"
)

// maxReferenceDepth is our own limit of nesting; deeper parts of a schema are passed on as they are.
const maxReferenceDepth = 64

// loneReferences writes a JSON schema so that a reference stands alone in its subschema, because the service refuses one
// beside anything that does not begin with "$" (ai.google.dev/api/generate-content, responseJsonSchema). A reference with
// a description, as generators write it, becomes the only alternative of an anyOf, which means the same.
func loneReferences(schema []byte) []byte {
	if !bytes.Contains(schema, []byte(`"$ref"`)) {
		return schema
	}
	return loneAt(schema, 0)
}

// loneAt rewrites a value. Members that are no schemas, such as examples, are rewritten alike: there a reference is text.
func loneAt(value []byte, depth int) []byte {
	p := wire.Parse(value)
	var out wire.JSON
	switch {
	case depth > maxReferenceDepth:
		return value
	case p.Kind() == wire.ArrayValue:
		out.Open('[')
		p.Array(func(int) { out.Raw(string(loneAt(p.Raw(), depth+1))) })
		out.Close(']')
	case p.Kind() == wire.ObjectValue:
		s := referenceSchema{depth: depth}
		p.Object(func(key []byte) { s.member(string(key), p.Raw()) })
		s.write(&out)
	default:
		return value
	}
	return out
}

// referenceSchema is a schema whose members that begin with "$" are told apart. It refers only if $ref is a text, which it
// is not where it is the name of a property.
type referenceSchema struct {
	depth         int
	refers        bool
	alternatives  bool // there is an anyOf already
	dollars, rest wire.JSON
}

func (s *referenceSchema) member(key string, value []byte) {
	s.refers = s.refers || key == "$ref" && wire.Parse(value).Kind() == wire.StringValue
	s.alternatives = s.alternatives || key == "anyOf"
	to := &s.rest
	if strings.HasPrefix(key, "$") {
		to = &s.dollars
	}
	if len(*to) > 0 {
		*to = append(*to, ',')
	}
	*to = append(wire.AppendString(*to, key), ':')
	*to = append(*to, loneAt(value, s.depth+1)...)
}

func (s *referenceSchema) write(out *wire.JSON) {
	out.Open('{')
	if s.refers && len(s.rest) > 0 && !s.alternatives {
		out.Array("anyOf")
		out.Raw("{" + string(s.dollars) + "}")
		out.Close(']')
		*out = append(append(*out, ','), s.rest...)
	} else {
		*out = append(*out, s.dollars...)
		if len(s.dollars) > 0 && len(s.rest) > 0 {
			*out = append(*out, ',')
		}
		*out = append(*out, s.rest...)
	}
	out.Close('}')
}
