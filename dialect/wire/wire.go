// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package wire takes streams of AI answers apart, and puts the same bytes together: Server-Sent Events, JSON lines and
// streamed JSON arrays, as the codecs in dialect/{openai,responses,claude,gemini,ollama} need them.
//
// Readers are fed pieces of any size, cut anywhere, and call back once for each whole item. What they pass to a callback
// is theirs again when it returns. They hold at most one unfinished item and no more than [MaxItem] bytes of it, and
// allocate only to grow that buffer. They know framing, not meaning: whether an item is what a protocol expects, or a
// stream that ended had reached its end, is for the codec to say.
//
// The functions whose names begin with Append, and [JSON], write JSON and events without intermediate values.
//
// There is no I/O here, no goroutine and no logging. Readers are not safe for concurrent use.
package wire

import "errors"

// MaxItem is the longest event, line or array element that is read, in bytes. Ours: real ones are below a few hundred
// KiB, but images come inline, in base64, and backends send those in one piece.
const MaxItem = 16 << 20

// Errors of readers. After one, or after an error of a callback, which they return as it is, a reader is of no more use.
var (
	// ErrTooLong is an item of more than MaxItem bytes.
	ErrTooLong = errors.New("wire: an item of the stream is too long")
	// ErrSyntax is what is no streamed JSON array.
	ErrSyntax = errors.New("wire: not an array of JSON values")
)
