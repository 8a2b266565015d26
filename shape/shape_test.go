// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package shape

import "testing"

func TestModes(t *testing.T) {
	for _, m := range Modes() {
		if got, err := Parse(string(m)); got != m || err != nil {
			t.Errorf("Parse(%q) = %q, %v", m, got, err)
		}
	}
	for _, s := range []string{"", "PAD", "none"} {
		if _, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) succeeded", s)
		}
	}
	for _, m := range []Mode{Off, "", "other"} {
		if _, err := NewWriter(m, &sink{}); err == nil {
			t.Errorf("NewWriter(%q) succeeded", m)
		}
	}
}

func TestSizes(t *testing.T) {
	requests := map[int64]int64{
		0: 4 << 10, 4 << 10: 4 << 10, 4<<10 + 1: 8 << 10, 100_000: 128 << 10, 32 << 20: 32 << 20,
		32<<20 + 1: 63 << 20, 63 << 20: 63 << 20, 63<<20 + 1: 63<<20 + 1,
	}
	for n, want := range requests {
		if got := RequestSize(n); got != want {
			t.Errorf("RequestSize(%d) = %d, want %d", n, got, want)
		}
	}
	for n, want := range map[int]int{0: 64 << 10, 64 << 10: 64 << 10, 64<<10 + 1: 128 << 10} {
		if got := AnswerSize(n); got != want {
			t.Errorf("AnswerSize(%d) = %d, want %d", n, got, want)
		}
	}
}
