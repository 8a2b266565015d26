// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// readBuffer is the memory of a Reader in bytes: two cells, so that one read of a chunk fits.
const readBuffer = 2 * CellSize

// Reader takes a message out of the content of a shaped response. It is not for use by several goroutines
// at once.
type Reader struct {
	src  *bufio.Reader
	kind byte  // of the record at hand
	left int   // bytes of it that have not been read
	err  error // what comes after them, once the message has ended or failed
}

// NewReader returns a reader of the message in content, which is a sequence of records.
func NewReader(content io.Reader) *Reader {
	return &Reader{src: bufio.NewReaderSize(content, readBuffer)}
}

// Read returns bytes of the message as soon as there are any. It returns [io.EOF] when the closing record has been
// read, without looking at what follows; [ErrCut] where the sender broke off; an error that wraps [ErrInvalid]
// for what are no records, [io.ErrUnexpectedEOF] when the content ends without a closing record; else that of
// the content, wrapped.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.left == 0 {
		if r.err == nil {
			r.err = r.next()
		}
		if r.err != nil {
			return 0, r.err
		}
	}
	n, err := r.src.Read(p[:min(len(p), r.left)])
	if r.left -= n; err != nil {
		r.err = failed(err)
		return n, r.err
	}
	if r.left == 0 && r.kind == kindEnd {
		r.err = io.EOF
	}
	return n, nil
}

// next reads the head of the next record. It returns io.EOF for a closing record that is empty.
func (r *Reader) next() error {
	kind, err := r.src.ReadByte()
	for kind == kindPadding && err == nil {
		kind, err = r.src.ReadByte()
	}
	if err != nil {
		return failed(err)
	}
	var length [2]byte
	if _, err := io.ReadFull(r.src, length[:]); err != nil {
		return failed(err)
	}
	r.kind, r.left = kind, int(binary.BigEndian.Uint16(length[:]))
	switch empty := r.left == 0; {
	case kind == kindData && !empty:
		return nil
	case kind == kindEnd && empty:
		return io.EOF
	case kind == kindEnd:
		return nil
	case kind == kindCut && empty:
		return ErrCut
	}
	r.left = 0
	return fmt.Errorf("read record: %w", ErrInvalid)
}

func failed(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read shaped content: %w", err)
}

// Ended reports whether the message has ended, completely or broken off by its sender: all that follows is
// padding.
func (r *Reader) Ended() bool { return r.left == 0 && (r.err == io.EOF || r.err == ErrCut) }

// Drain reads the padding behind the message to the end of the content, at most limit bytes of it. It
// is how whoever reads the message keeps to itself when that ended. An error says that the padding did
// not end as it should; the message is none the worse for it.
func (r *Reader) Drain(limit int64) error {
	n, err := io.CopyN(io.Discard, r.src, limit)
	switch {
	case err == io.EOF:
		return nil
	case err != nil:
		return failed(err)
	}
	return fmt.Errorf("padding of more than %d bytes: %w", n, ErrInvalid)
}
