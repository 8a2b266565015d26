// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"sync"
)

// compression is how hard the directory is compressed. Most of it is keys, which are random: with level 6 a
// segment takes half as long again and is one hundredth smaller.
const compression = 3

var gzipWriters = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, compression)
	if err != nil {
		panic(err) // the level exists
	}
	return w
}}

// compress returns b in gzip (RFC 1952).
func compress(b []byte) ([]byte, error) {
	var buf bytes.Buffer
	zip := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(zip)
	zip.Reset(&buf)
	if _, err := zip.Write(b); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(buf.Bytes()), nil // without the room to grow
}

// What follows joins pieces that were compressed each on its own into one gzip file, which costs no more
// than a checksum of the whole: deflate (RFC 1951) is a sequence of blocks, and a piece that ends with an
// empty stored block ends on a whole byte.

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, compression)
	if err != nil {
		panic(err) // the level exists
	}
	return w
}}

// deflate returns b as blocks that do not refer to anything before them and none of which is the last.
func deflate(b []byte) ([]byte, error) {
	var buf bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&buf)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return bytes.Clone(buf.Bytes()), nil
}

// stored returns a short text as a block that is not compressed (RFC 1951 section 3.2.4).
func stored(text string, final byte) []byte {
	b := []byte{final}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	b = binary.LittleEndian.AppendUint16(b, ^uint16(len(text)))
	return append(b, text...)
}

// gzipHead is the head of a file without name or time (RFC 1952 section 2.3).
var gzipHead = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// gzipTail is what follows the last block: checksum and length of all that was compressed.
func gzipTail(plain [][]byte) []byte {
	sum, size := uint32(0), uint32(0)
	for _, b := range plain {
		sum = crc32.Update(sum, crc32.IEEETable, b)
		size += uint32(len(b)) // modulo 2^32, as the format wants
	}
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, sum), size)
}
