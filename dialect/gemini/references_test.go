// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"strings"
	"testing"
)

func TestLoneReferences(t *testing.T) {
	tests := []struct{ name, schema, want string }{
		{"none", `{ "type":"object" }`, `{ "type":"object" }`},
		{"alone", `{"$ref":"#/$defs/a","$defs":{"a":{"type":"string"}}}`, ""},
		{
			"with a description",
			`{"type":"object","properties":{"x":{"$ref":"#/$defs/a","description":"d"}},"$defs":{"a":{"type":"string"}}}`,
			`{"$defs":{"a":{"type":"string"}},"type":"object","properties":{"x":{"anyOf":[{"$ref":"#/$defs/a"}],"description":"d"}}}`,
		},
		{
			"in a list", `{"type":"array","items":{"anyOf":[{"description":"d","$ref":"#"},{"type":"null"}]}}`,
			`{"type":"array","items":{"anyOf":[{"anyOf":[{"$ref":"#"}],"description":"d"},{"type":"null"}]}}`,
		},
		{"a property of that name", `{"properties":{"$ref":{"type":"string"},"y":{"type":"string"}}}`, ""},
		{"beside alternatives", `{"$ref":"#","anyOf":[{"type":"null"}]}`, ""},
		{"true", `{"$ref":"#","items":true}`, `{"anyOf":[{"$ref":"#"}],"items":true}`},
		{"deep", strings.Repeat(`{"not":`, 80) + `{"$ref":"#","x":1}` + strings.Repeat("}", 80), ""},
	}
	for _, tt := range tests {
		want := tt.want
		if want == "" {
			want = tt.schema
		}
		if got := string(loneReferences([]byte(tt.schema))); got != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, want)
		}
	}
}
