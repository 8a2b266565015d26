// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"

	"github.com/tokengo/tokengo/service"
)

// Said counts what a streamed answer says as it passes: the characters in the members in which its protocol has text,
// thoughts and arguments of calls, whatever the answer claims to have counted. Comments, and lines that are no data,
// count for nothing. It keeps nothing of the text.
type Said struct {
	members []string
	sse     bool // only lines of data count

	plain, other int // characters of ASCII, and others

	state   sayState
	name    [longestMember]byte // of the string before a colon, or as much as matters
	nameLen int                 // also of a mark or the name of a field, as far as it came
	counted bool                // the string is a value that counts
	escape  int                 // digits of an escape that are to come; -1 after its backslash
}

// sayState is what a [Said] is within.
type sayState uint8

const (
	atStart    sayState = iota // of the answer, before or in a byte order mark
	lineStart                  // between lines
	inField                    // in the name of a field of Server-Sent Events
	skipped                    // a line that does not count
	outside                    // of strings
	afterText                  // behind a string, which may be a name
	afterColon                 // behind a name and its colon
	inText                     // within a string
)

// longestMember is longer than the names of all members that count.
const longestMember = len("reasoning_content") + 1

// saidIn are the members that have what a model writes. Where a protocol has it twice, as the Responses API has at the
// end and OpenRouter in details, one counts.
func (op Operation) saidIn() []string {
	switch {
	case op.Protocol == service.Claude:
		return []string{"text", "thinking", "partial_json"}
	case op.Protocol == service.Gemini:
		return []string{"text"}
	case op.Protocol == service.Ollama:
		return []string{"content", "thinking", "response"}
	case op.Kind == Responses:
		return []string{"delta"}
	case op.Kind == Completion:
		return []string{"text"}
	}
	return []string{"content", "reasoning_content", "reasoning", "refusal", "arguments"}
}

// Said returns a counter for an answer of this content type to the operation.
func (op Operation) Said(contentType string) Said {
	return Said{members: op.saidIn(), sse: framingOf(contentType) == sse}
}

// Tokens is about how many tokens a model needed to say it: of English text and code one for four characters, of other
// scripts one for two.
func (s *Said) Tokens() int { return (s.plain + 2*s.other) / 4 }

// Add takes in the next bytes of the answer, in pieces of any size.
func (s *Said) Add(p []byte) {
	for len(p) > 0 {
		switch s.state {
		case atStart:
			p = s.mark(p)
		case inField:
			p = s.field(p)
		case skipped:
			p = s.skip(p)
		case inText:
			p = s.text(p)
		default:
			p = s.structure(p)
		}
	}
}

// The beginnings of an answer and of a line that counts (WHATWG HTML, section 9.2.6).
const (
	byteOrderMark = "\uFEFF"
	dataField     = "data:"
)

// mark takes a byte order mark.
func (s *Said) mark(p []byte) []byte {
	for s.nameLen < len(byteOrderMark) {
		if len(p) == 0 {
			return nil
		}
		if p[0] != byteOrderMark[s.nameLen] {
			break
		}
		s.nameLen++
		p = p[1:]
	}
	s.state = lineStart
	if s.sse && s.nameLen > 0 && s.nameLen < len(byteOrderMark) {
		s.state = skipped // half of one is the name of a field that nobody knows
	}
	s.nameLen = 0
	return p
}

// field takes the name of a field, and its colon if it is that of data.
func (s *Said) field(p []byte) []byte {
	for i, c := range p {
		if c != dataField[s.nameLen] {
			s.state = skipped
			return p[i:]
		}
		if s.nameLen++; s.nameLen == len(dataField) {
			s.state = outside
			return p[i+1:]
		}
	}
	return nil
}

// skip takes what is left of a line.
func (s *Said) skip(p []byte) []byte {
	end := bytes.IndexAny(p, "\r\n")
	if end < 0 {
		return nil
	}
	s.state = lineStart
	return p[end+1:]
}

// structure takes bytes outside of strings, up to the beginning of one or of a field.
func (s *Said) structure(p []byte) []byte {
	for i, c := range p {
		if s.state == lineStart && c != '\n' && c != '\r' {
			s.state = outside
			if s.sse {
				s.state, s.nameLen = inField, 0
				return p[i:]
			}
		}
		switch c {
		case '\n', '\r':
			s.state = lineStart
		case '"':
			s.counted = s.state == afterColon && s.isMember()
			s.state, s.nameLen, s.escape = inText, 0, 0
			return p[i+1:]
		case ':':
			if s.state == afterText {
				s.state = afterColon
			}
		case ' ', '\t':
		default:
			s.state = outside
		}
	}
	return nil
}

func (s *Said) isMember() bool {
	for _, m := range s.members {
		if m == string(s.name[:s.nameLen]) {
			return true
		}
	}
	return false
}

// text takes bytes within a string, up to its end if that is there.
func (s *Said) text(p []byte) []byte {
	for i, c := range p {
		switch {
		case s.escape != 0:
			s.escaped(c)
		case c == '\\':
			s.escape = -1
		case c == '"':
			s.state = afterText
			return p[i+1:]
		case c == '\n', c == '\r': // cut off
			s.state = lineStart
			return p[i+1:]
		case s.counted && c < 0x80:
			s.plain++
		default:
			s.char(c)
		}
	}
	return nil
}

// escaped takes a byte of an escape that is not its backslash.
func (s *Said) escaped(c byte) {
	switch {
	case s.escape > 0: // a digit of \u
		s.escape--
		return
	case c == 'u':
		s.escape, c = 4, notASCII
	default:
		s.escape = 0
	}
	s.char(c)
}

// notASCII is how characters beyond ASCII begin in UTF-8; bytes from 0x80 to it continue one.
const notASCII = 0xC0

// char takes a character, or a byte of one.
func (s *Said) char(c byte) {
	switch {
	case !s.counted && s.nameLen < longestMember:
		s.name[s.nameLen] = c
		s.nameLen++
	case !s.counted:
	case c < 0x80:
		s.plain++
	case c >= notASCII:
		s.other++
	}
}
