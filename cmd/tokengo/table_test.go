// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

func TestTableFits(t *testing.T) {
	long := strings.Repeat("x", 90)
	tests := []struct {
		name  string
		table table
		want  string // the second line, empty: only its length counts
	}{
		{"short", table{header: []string{"A", "B"}, rows: [][]string{{"1", "2"}}}, "1  2"},
		{"indented", table{header: []string{"LONG", "B"}, rows: [][]string{{"1", "2"}}, indent: "  "}, "  1     2"},
		{"one gives way", table{header: []string{"A", "B", "C"}, rows: [][]string{{long, "fixed", "c" + long[:50]}}, names: []string{"A"}}, ""},
		{"both give way", table{header: []string{"A", "B", "C"}, rows: [][]string{{long, "fixed", long}}, lists: []string{"A"}, names: []string{"C"}}, ""},
		{"wide characters", table{header: []string{"A", "B"}, rows: [][]string{{strings.Repeat("ö", 100), long}}, names: []string{"A", "B"}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := tt.table.write(screenOf(&out)); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n > tableWidth {
					t.Errorf("%d columns: %s", n, line)
				}
			}
			if tt.want != "" && lines[1] != tt.want {
				t.Errorf("row %q, want %q", lines[1], tt.want)
			}
		})
	}
}

// What exits say reaches a terminal as nothing but text, in a table and as JSON.
func TestShownIsPrintable(t *testing.T) {
	hostile := "a\x1b[2Jb\u202ec\u009bd\U000e0001e\nf"
	var out bytes.Buffer
	tab := &table{header: []string{"OPERATOR"}}
	tab.add(hostile)
	if err := tab.write(screenOf(&out)); err != nil {
		t.Fatal(err)
	}
	if err := writeJSON(&out, map[string]string{"operator": hostile}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if text := strings.TrimSuffix(line, "\n"); text != service.Printable(text, len(text)+1) {
			t.Errorf("not printable: %q", line)
		}
	}
	var back map[string]string
	if err := json.Unmarshal([]byte(out.String()[strings.Index(out.String(), "{"):]), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hostile, back["operator"]); diff != "" {
		t.Errorf("JSON means something else (-want +got):\n%s", diff)
	}
}
