// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// String takes a string. Invalid UTF-8 and lone surrogates become U+FFFD.
func (p *Parser) String() string {
	if p.Kind() != StringValue {
		p.Skip()
		return ""
	}
	text, escaped := p.scanString()
	if escaped {
		return string(unescape(text))
	}
	return valid(string(text))
}

func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// key takes the string that a member's name is.
func (p *Parser) key() []byte {
	if p.Kind() != StringValue {
		p.fail()
		return nil
	}
	text, escaped := p.scanString()
	if escaped {
		return unescape(text)
	}
	return text
}

// scanString takes a string and returns what is between its quotes, and whether there are escapes in it.
func (p *Parser) scanString() (text []byte, escaped bool) {
	p.pos++
	start := p.pos
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '"':
			p.pos++
			return p.data[start : p.pos-1], escaped
		case c == '\\':
			escaped = true
			if !p.escape() {
				p.fail()
				return nil, false
			}
		case c < 0x20:
			p.fail()
			return nil, false
		default:
			p.pos++
		}
	}
	p.fail()
	return nil, false
}

// escape takes one escape sequence.
func (p *Parser) escape() bool {
	p.pos++
	c := p.peek()
	p.pos++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if !isHex(p.peek()) {
				return false
			}
			p.pos++
		}
		return true
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// unescape decodes what scanString found to be right.
func unescape(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\\' && text[i+1] == 'u':
			r := codeUnit(text[i+2:])
			i += 6
			if utf16.IsSurrogate(r) {
				full := rune(utf8.RuneError)
				if i+6 <= len(text) && text[i] == '\\' && text[i+1] == 'u' {
					full = utf16.DecodeRune(r, codeUnit(text[i+2:]))
				}
				if r = full; full != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
		case c == '\\':
			out = append(out, unescaped(text[i+1]))
			i += 2
		case c < utf8.RuneSelf:
			out = append(out, c)
			i++
		default:
			r, size := utf8.DecodeRune(text[i:])
			out = utf8.AppendRune(out, r)
			i += size
		}
	}
	return out
}

func codeUnit(hex []byte) rune {
	n, _ := strconv.ParseUint(string(hex[:4]), 16, 16) // scanString saw four hex digits
	return rune(n)
}

func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
