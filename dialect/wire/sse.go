// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import "bytes"

var byteOrderMark = []byte("\uFEFF")

// SSE reads Server-Sent Events (WHATWG HTML, section 9.2.6). The zero value is ready.
//
// It differs from the standard where AI backends do: an event at the end of the stream needs no empty line after it; a
// field "error" is an event of that name (llama.cpp); and a JSON object that stands bare between events (what Google's
// front end writes when a stream fails) is an event without a name.
type SSE struct {
	lines splitter
	data  []byte // of the event so far
	has   bool   // the event has data
	bare  bool   // the event is a bare JSON object
	begun bool   // the first line has been read
	named bool   // the event has the name in name
	name  string // of this event or an earlier one
}

// Feed takes the next piece of the stream and calls each for every event that ends in it. The name is "" when the event
// has none. An event with neither data nor an end is none. Errors are ErrTooLong and those of each.
func (s *SSE) Feed(p []byte, each func(event string, data []byte) error) error {
	return s.lines.feed(p, func(line []byte) error { return s.line(line, each) })
}

// End tells that the stream is over, and calls each for what is left.
func (s *SSE) End(each func(event string, data []byte) error) error {
	if err := s.lines.end(func(line []byte) error { return s.line(line, each) }); err != nil {
		return err
	}
	return s.dispatch(each)
}

func (s *SSE) line(line []byte, each func(string, []byte) error) error {
	if !s.begun {
		s.begun = true
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	switch {
	case len(line) == 0:
		return s.dispatch(each)
	case line[0] == ':': // comment
		return nil
	case s.bare, line[0] == '{' && !s.has:
		s.bare = true
		return s.addData(line)
	}
	field, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(field) {
	case "data":
		return s.addData(value)
	case "error":
		s.setName(field)
		return s.addData(value)
	case "event":
		s.setName(value)
	}
	return nil
}

func (s *SSE) setName(name []byte) {
	s.named = true
	if string(name) != s.name { // most streams repeat one name
		s.name = string(name)
	}
}

func (s *SSE) addData(value []byte) error {
	if len(s.data)+len(value)+1 > MaxItem {
		return ErrTooLong
	}
	if s.has {
		s.data = append(s.data, '\n')
	}
	s.has = true
	s.data = append(s.data, value...)
	return nil
}

func (s *SSE) dispatch(each func(string, []byte) error) error {
	name, data, has := "", s.data, s.has
	if s.named {
		name = s.name
	}
	s.data, s.has, s.bare, s.named = s.data[:0], false, false, false
	if !has {
		return nil
	}
	return each(name, data)
}

// AppendSSE appends one event: "event: name", unless the name is "", and the data, then an empty line.
func AppendSSE(dst []byte, event string, data []byte) []byte {
	if event != "" {
		dst = append(dst, "event: "...)
		dst = append(dst, event...)
		dst = append(dst, '\n')
	}
	for {
		line, rest, more := bytes.Cut(data, []byte("\n"))
		dst = append(dst, "data: "...)
		dst = append(dst, line...)
		dst = append(dst, '\n')
		if !more {
			return append(dst, '\n')
		}
		data = rest
	}
}
