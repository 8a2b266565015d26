// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParagraph(t *testing.T) {
	const text = "Every evening  the café\nwrites one unbreakable-word-of-many-letters down"
	const want = "answer  Every evening\n        the café\n        writes one\n        unbreakable-word-of-many-letters\n        down\n"
	for _, size := range []int{1, 3, len(text)} {
		var out strings.Builder
		p := newParagraph(&out, "answer  ")
		p.width = 22
		for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
			io.WriteString(p, rest[:min(size, len(rest))])
		}
		p.end()
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("in pieces of %d (-want +got):\n%s", size, diff)
		}
	}
}

func TestChecksFitTheScreen(t *testing.T) {
	var out strings.Builder
	showChecks(&out, "it", []check{{"it holds", true}, {strings.Repeat("word ", 40) + "end", false}})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, line := range lines {
		if len(line) > 100 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if got := lines[len(lines)-1]; !strings.HasPrefix(got, "       word") || !strings.HasSuffix(got, "end") {
		t.Errorf("the last line is %q", got)
	}
}
