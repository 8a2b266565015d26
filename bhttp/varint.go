// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp

// appendVarint appends v, at most maxVarint, in its shortest encoding (RFC 9000 section 16).
func appendVarint(dst []byte, v uint64) []byte {
	switch varintSize(v) {
	case 1:
		return append(dst, byte(v))
	case 2:
		return append(dst, 1<<6|byte(v>>8), byte(v))
	case 4:
		return append(dst, 2<<6|byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	default:
		return append(dst, 3<<6|byte(v>>56), byte(v>>48), byte(v>>40), byte(v>>32),
			byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
}

// varintSize returns the length of the shortest encoding of v, bytes.
func varintSize(v uint64) int {
	switch {
	case v < 1<<6:
		return 1
	case v < 1<<14:
		return 2
	case v < 1<<30:
		return 4
	default:
		return 8
	}
}
