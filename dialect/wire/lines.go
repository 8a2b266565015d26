// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import "bytes"

// splitter cuts a stream into lines that end in LF, CR LF or CR. It holds at most one unfinished line.
type splitter struct {
	rest   []byte
	skipLF bool // the last byte was CR, which ended a line: LF belongs to it
}

func (s *splitter) feed(p []byte, each func(line []byte) error) error {
	for len(p) > 0 {
		if s.skipLF {
			s.skipLF = false
			if p[0] == '\n' {
				p = p[1:]
				continue
			}
		}
		end := lineEnd(p)
		if end < 0 {
			return s.keep(p)
		}
		line := p[:end]
		s.skipLF = p[end] == '\r'
		p = p[end+1:]
		if len(s.rest) > 0 {
			if err := s.keep(line); err != nil {
				return err
			}
			line, s.rest = s.rest, s.rest[:0]
		}
		if len(line) > MaxItem {
			return ErrTooLong
		}
		if err := each(line); err != nil {
			return err
		}
	}
	return nil
}

// lineEnd returns where the first LF or CR is, -1 if there is none.
func lineEnd(p []byte) int {
	lf := bytes.IndexByte(p, '\n')
	before := p
	if lf >= 0 {
		before = p[:lf]
	}
	if cr := bytes.IndexByte(before, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

func (s *splitter) keep(p []byte) error {
	if len(s.rest)+len(p) > MaxItem {
		return ErrTooLong
	}
	s.rest = append(s.rest, p...)
	return nil
}

// end passes on a last line without an end.
func (s *splitter) end(each func(line []byte) error) error {
	line := s.rest
	s.rest = s.rest[:0]
	if len(line) == 0 {
		return nil
	}
	return each(line)
}

// Lines reads JSON lines (NDJSON). Lines may end in LF, CR LF or CR, the last one in nothing; blank lines are skipped.
// The zero value is ready.
type Lines struct {
	lines splitter
	begun bool
}

// Feed takes the next piece of the stream and calls each for every line that ends in it. Errors are ErrTooLong and those
// of each.
func (l *Lines) Feed(p []byte, each func(line []byte) error) error {
	return l.lines.feed(p, func(line []byte) error { return l.line(line, each) })
}

// End tells that the stream is over, and calls each for a last line without an end.
func (l *Lines) End(each func(line []byte) error) error {
	return l.lines.end(func(line []byte) error { return l.line(line, each) })
}

func (l *Lines) line(line []byte, each func([]byte) error) error {
	if !l.begun {
		l.begun = true
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	if line = bytes.TrimSpace(line); len(line) == 0 {
		return nil
	}
	return each(line)
}
