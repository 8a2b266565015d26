// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestClosedSchema(t *testing.T) {
	for _, test := range []struct{ schema, want string }{
		{`true`, `true`},
		{``, ``},
		{`{"type":"object","additionalProperties":{"type":"string"}}`, `{"type":"object","additionalProperties":{"type":"string"}}`},
		{`{"type":["object","null"]}`, `{"type":["object","null"],"additionalProperties":false}`},
		{`{"properties":{"minimum":{"type":"object"}}}`, `{"properties":{"minimum":{"type":"object","additionalProperties":false}},"additionalProperties":false}`},
		{
			`{"type":"array","minItems":1,"maxItems":3,"description":"list","items":{"type":"string","minLength":2}}`,
			`{"type":"array","minItems":1,"description":"list\n\n{maxItems: 3}","items":{"type":"string","description":"{minLength: 2}"}}`,
		},
		{`{"minItems":2}`, `{"description":"{minItems: 2}"}`},
		{
			`{"oneOf":[{"type":"object"},{"$ref":"#/$defs/a"}],"$defs":{"a":{"type":"object"}}}`,
			`{"anyOf":[{"type":"object","additionalProperties":false},{"$ref":"#/$defs/a"}],"$defs":{"a":{"type":"object","additionalProperties":false}}}`,
		},
		{`{"properties":7,"allOf":8,"items":9}`, `{"properties":7,"allOf":8,"items":9,"additionalProperties":false}`},
	} {
		if got := string(closedSchema(json.RawMessage(test.schema))); got != test.want {
			t.Errorf("closedSchema(%s)\n got %s\nwant %s", test.schema, got, test.want)
		}
	}
	deep := strings.Repeat(`{"items":`, 5000) + `{}` + strings.Repeat(`}`, 5000)
	if got := closedSchema(json.RawMessage(deep)); !json.Valid(got) {
		t.Error("a deep schema is broken")
	}
}

func TestObjectSchema(t *testing.T) {
	for schema, want := range map[string]string{
		"":                           `{"type":"object","properties":{}}`,
		"null":                       `{"type":"object","properties":{}}`,
		" { } ":                      `{"type":"object","properties":{}}`,
		"[]":                         `{"type":"object","properties":{}}`,
		`{"properties":{}}`:          `{"type":"object","properties":{}}`,
		`{"type":"object","a":"b" }`: `{"type":"object","a":"b" }`,
	} {
		if got := objectSchema(json.RawMessage(schema)); got != want {
			t.Errorf("objectSchema(%s) = %s, want %s", schema, got, want)
		}
	}
}
