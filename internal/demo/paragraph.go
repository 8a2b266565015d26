// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"io"
	"strings"
	"unicode/utf8"
)

// paragraph writes text that comes in pieces of any size as a paragraph that hangs behind its title: it breaks lines
// between words, and begins each with the title's width in spaces. A word is written when the next one begins, so end
// has to be called. What w does not take is lost.
type paragraph struct {
	w      io.Writer
	width  int
	indent int
	at     int // column
	word   strings.Builder
}

// newParagraph writes the title.
func newParagraph(w io.Writer, title string) *paragraph {
	io.WriteString(w, title)
	indent := utf8.RuneCountInString(title)
	return &paragraph{w: w, width: terminalWidth(w), indent: indent, at: indent}
}

// Write implements [io.Writer].
func (p *paragraph) Write(text []byte) (int, error) {
	for _, b := range text { // no part of a letter of several bytes is a space
		if b != ' ' && b != '\n' {
			p.word.WriteByte(b)
			continue
		}
		p.putWord()
		if b == '\n' {
			p.newLine()
		}
	}
	return len(text), nil
}

// end writes the last word, and ends the line.
func (p *paragraph) end() {
	p.putWord()
	io.WriteString(p.w, "\n")
}

func (p *paragraph) putWord() {
	if p.word.Len() == 0 {
		return
	}
	long := utf8.RuneCountInString(p.word.String())
	switch {
	case p.at == p.indent:
	case p.at+1+long > p.width:
		p.newLine()
	default:
		io.WriteString(p.w, " ")
		p.at++
	}
	io.WriteString(p.w, p.word.String())
	p.at += long
	p.word.Reset()
}

func (p *paragraph) newLine() {
	io.WriteString(p.w, "\n"+strings.Repeat(" ", p.indent))
	p.at = p.indent
}
