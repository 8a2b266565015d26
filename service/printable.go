// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns text that a stranger wrote in a form that is safe to show on a terminal or in a log: every space is
// a plain one, and whatever is not printable (control characters, escapes, line breaks, bidirectional and invisible
// formatting, invalid UTF-8) is U+FFFD. Text of more than max runes is cut and ends in "…", which counts. A max below 1
// gives "".
func Printable(s string, max int) string {
	if max < 1 {
		return ""
	}
	var b strings.Builder
	for n := 0; len(s) > 0; n++ {
		r, size := utf8.DecodeRuneInString(s)
		if n == max-1 && len(s) > size {
			b.WriteRune('…')
			break
		}
		b.WriteRune(printable(r))
		s = s[size:]
	}
	return b.String()
}

func printable(r rune) rune {
	switch {
	case unicode.IsPrint(r):
		return r
	case unicode.Is(unicode.Zs, r):
		return ' '
	default:
		return utf8.RuneError
	}
}
