// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Tuning, in bytes. Tokens of an answer arrive in chunks of about a hundred bytes, so that a reader
// that starts small rarely has to grow.
const (
	minBuffer = 4 << 10
	minPlain  = 2 << 10 // of a request's first chunk
)

// maxWholeEver bounds a Whole message in bytes whatever the caller says, so that sizes fit an int
// everywhere.
const maxWholeEver = math.MaxInt32 - 64

// maxEmptyReads is how often in a row a reader may return nothing without an error.
const maxEmptyReads = 100

// inBuffer reads from src whatever one Read returns, and only while fewer bytes are there than asked
// for: it never waits for more than its user needs.
type inBuffer struct {
	src        io.Reader
	buf        []byte
	start, end int   // buf[start:end] is read and not yet taken
	err        error // of src; it came with or after the last of these bytes
}

// fill makes at least n bytes available, or returns the error of src. Memory grows with what has
// arrived, not with n.
func (b *inBuffer) fill(n int) error {
	for empty := 0; b.end-b.start < n; {
		if b.err != nil {
			return b.err
		}
		b.makeRoom(n)
		var m int
		m, b.err = b.src.Read(b.buf[b.end:])
		b.end += m
		if m > 0 {
			empty = 0
		} else if empty++; empty >= maxEmptyReads && b.err == nil {
			b.err = io.ErrNoProgress
		}
	}
	return nil
}

// makeRoom leaves space behind end: first by moving what is there to the front, then by doubling.
func (b *inBuffer) makeRoom(n int) {
	if b.start > 0 && (b.start == b.end || len(b.buf)-b.start < n) {
		b.end = copy(b.buf, b.buf[b.start:b.end])
		b.start = 0
	}
	if b.end == len(b.buf) {
		grown := make([]byte, max(minBuffer, 2*len(b.buf)))
		b.end = copy(grown, b.buf[:b.end])
		b.buf = grown
	}
}

// take removes n available bytes. They stay valid until the next fill.
func (b *inBuffer) take(n int) []byte {
	p := b.buf[b.start : b.start+n : b.start+n]
	b.start += n
	return p
}

// rest takes all up to the end of src. It fails with ErrTooLarge beyond limit bytes.
func (b *inBuffer) rest(limit int) ([]byte, error) {
	switch err := b.fill(limit + 1); err {
	case io.EOF:
		return b.take(b.end - b.start), nil
	case nil:
		return nil, fmt.Errorf("more than %d bytes: %w", limit, ErrTooLarge)
	default:
		return nil, err
	}
}

// varint takes a variable-length integer (RFC 9000 section 16) in whichever of its encodings.
func (b *inBuffer) varint() (uint64, error) {
	if err := b.fill(1); err != nil {
		return 0, err
	}
	size := 1 << (b.buf[b.start] >> 6)
	if err := b.fill(size); err != nil {
		return 0, err
	}
	var v [8]byte
	copy(v[8-size:], b.take(size))
	v[8-size] &= 0x3f
	return binary.BigEndian.Uint64(v[:]), nil
}

// appendVarint appends the shortest encoding of v, which must be below 2^30.
func appendVarint(dst []byte, v int) []byte {
	switch {
	case v < 1<<6:
		return append(dst, byte(v))
	case v < 1<<14:
		return binary.BigEndian.AppendUint16(dst, uint16(v)|1<<14)
	default:
		return binary.BigEndian.AppendUint32(dst, uint32(v)|2<<30)
	}
}

// readFull reads until p is full. It returns io.EOF itself only when r did: an end that r reports in
// any other way is an error of r.
func readFull(r io.Reader, p []byte) (int, error) {
	n, empty := 0, 0
	for n < len(p) {
		m, err := r.Read(p[n:])
		n += m
		if err != nil {
			if n == len(p) {
				return n, nil // the error comes again
			}
			return n, err
		}
		if m > 0 {
			empty = 0
		} else if empty++; empty >= maxEmptyReads {
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}

// messageReader opens a sealed message of either format behind its header or nonce. Its Read returns
// at most one chunk, as soon as that is there.
type messageReader struct {
	doing    string // for errors
	format   Format
	maxWhole int64 // bytes of plaintext; 0 means defaultMaxWhole
	in       inBuffer
	begin    func() error // reads what precedes the content and sets open; nil when that is done
	open     func(aad, sealed []byte) ([]byte, error)
	pending  []byte // plaintext not yet returned; may lie in the buffer of in
	err      error  // what comes after pending
}

// Read implements io.Reader.
func (m *messageReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(m.pending) == 0 {
		if m.err != nil {
			m.in = inBuffer{} // of a request, the response to which may take long
			return 0, m.err
		}
		m.pending, m.err = m.next()
		if m.err != nil && m.err != io.EOF {
			m.err = sourceError(m.doing, m.err)
		}
	}
	n := copy(p, m.pending)
	m.pending = m.pending[n:]
	return n, nil
}

// next opens the next piece of the message. With the last one it returns io.EOF, so every other way
// in which a source ends must not be io.EOF.
func (m *messageReader) next() ([]byte, error) {
	if m.begin != nil {
		if err := notEOF(m.begin()); err != nil {
			return nil, err
		}
		m.begin = nil
	}
	if m.format == Whole {
		return m.last(nil, m.wholeLimit())
	}
	size, err := m.in.varint()
	switch {
	case err != nil:
		return nil, notEOF(err)
	case size == 0:
		return m.last(finalAAD, maxSealedChunk)
	case size > maxSealedChunk:
		return nil, fmt.Errorf("chunk of %d bytes: %w", size, ErrTooLarge)
	case size <= tagLen: // no plaintext: as bad as one that does not authenticate
		return nil, fmt.Errorf("empty chunk that is not final: %w", ErrInvalid)
	}
	if err := m.in.fill(int(size)); err != nil {
		return nil, notEOF(err)
	}
	plain, err := m.open(nil, m.in.take(int(size)))
	if err != nil {
		return nil, openError(err)
	}
	return plain, nil
}

// last opens what extends to the end of the source. It returns io.EOF if that is authentic.
func (m *messageReader) last(aad []byte, limit int) ([]byte, error) {
	sealed, err := m.in.rest(limit)
	if err != nil {
		return nil, notEOF(err)
	}
	if len(sealed) < tagLen {
		return nil, ErrTruncated
	}
	plain, err := m.open(aad, sealed)
	if err != nil {
		return nil, openError(err)
	}
	return plain, io.EOF
}

// wholeLimit returns how many sealed bytes a Whole message may have.
func (m *messageReader) wholeLimit() int {
	limit := m.maxWhole
	if limit <= 0 {
		limit = defaultMaxWhole
	}
	return int(min(limit, maxWholeEver)) + tagLen
}

func notEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// openError hides which way of not authenticating it was.
func openError(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	return fmt.Errorf("content does not authenticate: %w", ErrInvalid)
}
