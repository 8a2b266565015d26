// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp

import "io"

// source is a buffered reader that never reads more than once to satisfy a read, remembers the error that
// ended it, and gives up on a reader that returns nothing for ever.
type source struct {
	r    io.Reader
	buf  []byte // sourceBuffer bytes
	data []byte // what of buf has been read and not been consumed
	err  error  // of r, to be returned once data is consumed
}

func newSource(r io.Reader) source {
	return source{r: r, buf: make([]byte, sourceBuffer)}
}

// fetch reads into p once, again only while nothing at all comes. Either n > 0 or err is set.
func (s *source) fetch(p []byte) (n int, err error) {
	for range maxEmptyReads {
		if s.err != nil {
			return 0, s.err
		}
		n, s.err = s.r.Read(p)
		if n > 0 {
			return n, nil
		}
	}
	if s.err == nil {
		s.err = io.ErrNoProgress
	}
	return 0, s.err
}

// fill makes sure that there is data. It returns io.EOF at the end of the source.
func (s *source) fill() error {
	if len(s.data) > 0 {
		return nil
	}
	n, err := s.fetch(s.buf)
	s.data = s.buf[:n]
	return err
}

// read is io.Reader's Read for a p that is not empty.
func (s *source) read(p []byte) (int, error) {
	if len(s.data) == 0 && len(p) >= len(s.buf) {
		return s.fetch(p)
	}
	if err := s.fill(); err != nil {
		return 0, err
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	return n, nil
}

// readByte returns io.EOF at the end of the source.
func (s *source) readByte() (byte, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	c := s.data[0]
	s.data = s.data[1:]
	return c, nil
}

// varint reads an integer in any of its encodings. It returns io.EOF at the end of the source, and
// ErrTruncated within the integer.
func (s *source) varint() (uint64, error) {
	first, err := s.readByte()
	if err != nil {
		return 0, err
	}
	return s.varintAfter(first)
}

// varintLen is the length of an integer that begins with first (RFC 9000 section 16), bytes.
func varintLen(first byte) int { return 1 << (first >> 6) }

// varintAfter reads the rest of an integer.
func (s *source) varintAfter(first byte) (uint64, error) {
	v := uint64(first & 0x3f)
	for range varintLen(first) - 1 {
		c, err := s.readByte()
		if err != nil {
			return 0, truncated(err)
		}
		v = v<<8 | uint64(c)
	}
	return v, nil
}

// appendTo appends the next n bytes to dst, which grows only as they arrive.
func (s *source) appendTo(dst []byte, n int) ([]byte, error) {
	for n > 0 {
		if err := s.fill(); err != nil {
			return dst, truncated(err)
		}
		k := min(n, len(s.data))
		dst = append(dst, s.data[:k]...)
		s.data = s.data[k:]
		n -= k
	}
	return dst, nil
}

// skipPadding reads to the end of the source, where it returns nil.
func (s *source) skipPadding() error {
	for {
		if err := s.fill(); err != nil {
			return unlessEOF(err)
		}
		for _, c := range s.data {
			if c != 0 {
				return invalid("padding has a byte that is not zero")
			}
		}
		s.data = nil
	}
}

// truncated turns the end of the source into ErrTruncated, for places where a message cannot end.
func truncated(err error) error {
	if err == io.EOF {
		return ErrTruncated
	}
	return err
}

func unlessEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
