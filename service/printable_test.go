// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	tests := []struct {
		name, in string
		max      int
		want     string
	}{
		{"plain", "gpt-5.2 (fast)", 40, "gpt-5.2 (fast)"},
		{"other scripts", "模型 é שלום 🦙", 40, "模型 é שלום 🦙"},
		{"empty", "", 5, ""},
		{"escape sequence", "\x1b[2J\x1b]0;x\x07", 40, "�[2J�]0;x�"},
		{"C1 control", "\u009b31m", 40, "�31m"},
		{"line breaks", "a\r\nb\u2028c\td", 40, "a��b�c�d"},
		{"bidirectional override", "abc\u202etxt.exe\u2066", 40, "abc�txt.exe�"},
		{"invisible", "a\u200bb\u00adc\ufeff", 40, "a�b�c�"},
		{"invalid UTF-8", "a\xff\xc0\xafb", 40, "a���b"},
		{"private use", "\ue000", 40, "�"},
		{"odd spaces", "a\u00a0b\u3000c", 40, "a b c"},
		{"just fits", "abcde", 5, "abcde"},
		{"cut", "abcdef", 5, "abcd…"},
		{"cut in runes", "äöüß", 3, "äö…"},
		{"cut to one", "abc", 1, "…"},
		{"one fits", "a", 1, "a"},
		{"nothing fits", "abc", 0, ""},
		{"negative", "abc", -1, ""},
		{"invalid at the cut", "ab\xff", 3, "ab�"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Printable(tt.in, tt.max); got != tt.want {
				t.Errorf("Printable(%q, %d) = %q, want %q", tt.in, tt.max, got, tt.want)
			}
		})
	}
}

func FuzzPrintable(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := Printable(s, limit)
		if !utf8.ValidString(got) {
			t.Errorf("Printable(%q) = %q, which is not valid UTF-8", s, got)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("Printable(%q) = %q, which contains %U", s, got, r)
			}
		}
		runes := utf8.RuneCountInString(got)
		if want := min(utf8.RuneCountInString(s), max(limit, 0)); runes != want {
			t.Errorf("Printable(%q, %d) = %q of %d runes, want %d", s, limit, got, runes, want)
		}
		if Printable(got, runes) != got {
			t.Errorf("Printable changes its own %q", got)
		}
	})
}
