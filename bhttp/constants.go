// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp

import "math"

// Constants of the specification.

// Framing indicators (RFC 9292 section 3.3).
const (
	knownRequest          = 0
	knownResponse         = 1
	indeterminateRequest  = 2
	indeterminateResponse = 3
)

// Status codes (RFC 9292 section 3.5).
const (
	minInformational = 100
	minFinal         = 200
	maxFinal         = 599
)

// maxVarint is the largest integer that the format can hold (RFC 9000 section 16).
const maxVarint = 1<<62 - 1

// Constants of our own.

// DefaultFieldBytes is the default of [Limits].FieldBytes: more than any AI tool sends, and little
// enough to hold for every request in flight.
const DefaultFieldBytes = 64 << 10

const (
	// entryCost is charged against Limits.FieldBytes for each field line and informational response on
	// top of its bytes. It is the size of the struct that holds one, and what RFC 9113 section 6.5.2 adds.
	entryCost = 32

	// sourceBuffer is the size of the reads that look for integers and fields. The heads of AI
	// requests and responses fit; larger pieces of content bypass the buffer.
	sourceBuffer = 4 << 10

	// scratchBytes and scratchStrings are the room for a field section before its buffers have to grow.
	scratchBytes   = 512
	scratchStrings = 32

	// maxEmptyReads is how often in a row a source may return neither data nor an error. The bufio
	// package uses the same number.
	maxEmptyReads = 100

	// unbounded is what is left of the current field section when its length is not known.
	unbounded = math.MaxUint64
)
