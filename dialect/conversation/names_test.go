// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNameRule(t *testing.T) {
	plain := NameRule{Longest: 64}
	wide := NameRule{Longest: 64, Also: ".:", Initial: true}
	long := "mcp__server__" + strings.Repeat("x", 60)
	tests := []struct {
		rule NameRule
		name string
		same bool
	}{
		{plain, "get_weather-2", true},
		{plain, "2nd", true},
		{plain, "a.b", false},
		{plain, long, false},
		{plain, "é", false},
		{plain, "", false},
		{wide, "a.b:c", true},
		{wide, "2nd", false},
		{wide, "-a", false},
		{wide, long, false},
	}
	for _, tt := range tests {
		got := tt.rule.Name(tt.name)
		if same := got == tt.name; same != tt.same || !tt.rule.fits(got) || got != tt.rule.Name(tt.name) {
			t.Errorf("%+v: %q became %q", tt.rule, tt.name, got)
		}
	}
	req := &Request{Tools: []Tool{{Name: "a.b"}, {Name: "plain"}, {Name: "web.search", Builtin: "x"}}}
	if diff := cmp.Diff(map[string]string{plain.Name("a.b"): "a.b"}, plain.Originals(req)); diff != "" {
		t.Errorf("original names (-want +got):\n%s", diff)
	}
	if plain.Originals(nil) != nil || wide.Originals(req) != nil {
		t.Error("there are original names where all fit")
	}
}
