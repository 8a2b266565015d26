// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"encoding/binary"
	"errors"

	"github.com/tokengo/tokengo/bhttp"
)

// A record is a kind, a length of two bytes (big endian), and as many bytes of the message. Bytes of zero
// between records, and behind the last one, are padding.
const (
	kindPadding byte = 0 // stands alone, without length
	kindData    byte = 1 // part of the message
	kindEnd     byte = 2 // the last part of it; may be empty
	kindCut     byte = 3 // empty: the message breaks off here

	recordHead = 3
)

var (
	// ErrInvalid is wrapped when content does not consist of records.
	ErrInvalid = errors.New("invalid shaped content")
	// ErrCut is returned when the sender says that the message breaks off.
	ErrCut = errors.New("the message was broken off by its sender")
)

// Lengths of what Binary HTTP adds to the records of a cell (RFC 9292 section 3.2).
const (
	lengthPrefix = 2 // of a chunk of content with 64 to 16383 bytes
	contentEnd   = 2 // end of the content, empty trailer section
)

// finalExtra is how much longer the plaintext of the last cell is: a chunk begins with its length in two
// bytes, the final one with a single zero (chunked OHTTP section 6).
const finalExtra = 1

// maxEnd is how many bytes a closing record may hold: what fits into the last cell, whichever that is.
const maxEnd = CellSize + finalExtra - lengthPrefix - contentEnd - recordHead

// head is how every shaped response begins, whatever is in it.
var head = func() []byte {
	b, err := bhttp.AppendResponseHead(nil, &bhttp.Response{
		Status: 200, Fields: bhttp.Fields{{Name: "content-type", Value: ContentType}},
	})
	if err != nil {
		panic(err) // constants always encode
	}
	return b
}()

// room is how much of the message the cell with this number (from 0) takes at most.
func room(cell int) int {
	n := CellSize - lengthPrefix - recordHead
	if cell == 0 {
		n -= len(head)
	}
	return n
}

// roomAtEnd is the same for a closing record.
func roomAtEnd(cell int) int { return min(room(cell), maxEnd) }

// record is what a cell carries.
type record struct {
	kind byte // kindPadding: nothing
	data []byte
}

// appendCell appends the plaintext of one cell: the first, one in the middle, or the last.
func appendCell(dst []byte, rec record, first, last bool) []byte {
	size := CellSize
	if first {
		dst = append(dst, head...)
		size -= len(head)
	}
	if last {
		size += finalExtra - contentEnd
	}
	begin := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, 1<<14|uint16(size-lengthPrefix))
	if rec.kind != kindPadding {
		dst = binary.BigEndian.AppendUint16(append(dst, rec.kind), uint16(len(rec.data)))
		dst = append(dst, rec.data...)
	}
	end := begin + size
	if last {
		end += contentEnd // zeros, as the padding before them
	}
	return append(dst, make([]byte, end-len(dst))...)
}
