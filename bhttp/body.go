// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp

import (
	"fmt"
	"io"
	"math"
)

// body reads what follows the head of a message: content, trailer section and padding.
type body struct {
	dec     decoder
	trailer *Fields // of the message, set at its end
	allowed uint64  // what is left of Limits.BodyBytes
	left    uint64  // what is left of the current chunk, or of the content when its length is known
	begun   bool    // a length of content has been read
	err     error   // what ended the body, io.EOF when it was complete
}

func newBody(r io.Reader, lim Limits, trailer *Fields) *body {
	if lim.FieldBytes <= 0 {
		lim.FieldBytes = DefaultFieldBytes
	}
	if lim.BodyBytes == 0 {
		lim.BodyBytes = math.MaxInt64
	}
	return &body{
		dec: decoder{
			src:     newSource(r),
			allowed: uint64(lim.FieldBytes),
			section: unbounded,
			text:    make([]byte, 0, scratchBytes),
			ends:    make([]int, 0, scratchStrings),
		},
		trailer: trailer,
		allowed: uint64(max(lim.BodyBytes, 0)),
	}
}

// Read returns content as soon as there is some. Errors are final.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.read(p)
	if err != nil {
		b.err = err
		b.dec = decoder{} // the buffers are not needed again
	}
	return n, err
}

func (b *body) read(p []byte) (int, error) {
	if b.left == 0 {
		more, err := b.next()
		if err != nil {
			return 0, fmt.Errorf("read content: %w", err)
		}
		if !more {
			return 0, b.finish()
		}
	}
	n, err := b.dec.src.read(p[:min(uint64(len(p)), b.left)])
	b.left -= uint64(n)
	if err != nil {
		return n, fmt.Errorf("read content: %w", truncated(err))
	}
	return n, nil
}

// next reads the length of the content or of its next chunk; more is false at the end of the content.
func (b *body) next() (more bool, err error) {
	if b.dec.known && b.begun {
		return false, nil
	}
	n, err := b.dec.src.varint()
	if err == io.EOF && !b.begun {
		return false, nil // empty content that was omitted
	}
	if err != nil {
		return false, truncated(err)
	}
	if n > b.allowed {
		return false, ErrTooLarge
	}
	b.begun = true
	b.left = n
	b.allowed -= n
	return n > 0, nil
}

// finish reads what follows the content and returns io.EOF when all of it is as it should be.
func (b *body) finish() error {
	if err := b.dec.src.fill(); err == io.EOF {
		return io.EOF // an empty trailer section that was omitted
	}
	trailer, err := b.dec.fields()
	if err != nil {
		return fmt.Errorf("read trailer section: %w", err)
	}
	if err := b.dec.src.skipPadding(); err != nil {
		return fmt.Errorf("read padding: %w", err)
	}
	*b.trailer = trailer
	return io.EOF
}
