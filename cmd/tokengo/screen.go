// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// screen is where results are printed.
type screen struct {
	io.Writer
	width int // of a terminal, in columns; 0 when it is none, or nobody knows
}

// screenOf finds out whether what is written to is a terminal, and how wide it is.
func screenOf(w io.Writer) screen {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return screen{w, width}
		}
	}
	return screen{w, 0}
}

// row prints a line, and cuts it where the terminal ends.
func (s screen) row(line string) error {
	if s.width > 0 {
		line = cut(line, s.width)
	}
	_, err := fmt.Fprintln(s, line)
	return err
}

// say prints a sentence behind its name or indentation, folded between words where the terminal is narrower.
func (s screen) say(name, text string) error {
	if s.width == 0 {
		_, err := fmt.Fprintln(s, name+text)
		return err
	}
	var out strings.Builder
	hang(&out, name, text, s.width)
	_, err := io.WriteString(s, out.String())
	return err
}

// wide are the characters that take two columns of a terminal (Unicode Standard Annex #11: wide and fullwidth), as far
// as names are made of them.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x1100, 0x115f, 1},
		{0x2e80, 0x303e, 1},
		{0x3041, 0xa4cf, 1},
		{0xa960, 0xa97f, 1},
		{0xac00, 0xd7a3, 1},
		{0xf900, 0xfaff, 1},
		{0xfe30, 0xfe6f, 1},
		{0xff01, 0xff60, 1},
		{0xffe0, 0xffe6, 1},
	},
	R32: []unicode.Range32{{0x1f300, 0x1f64f, 1}, {0x1f680, 0x1f6ff, 1}, {0x1f900, 0x1f9ff, 1}, {0x20000, 0x3fffd, 1}},
}

// columns is how many columns of a terminal printable text takes.
func columns(text string) (n int) {
	for _, r := range text {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me): // on top of the character before
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}

// cut makes printable text fit into columns. What is cut ends in "…".
func cut(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	var b strings.Builder
	left := width - 1
	for _, r := range text {
		if left -= columnsOf(r); left < 0 {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + strings.Repeat("…", min(1, width))
}
