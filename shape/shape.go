// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package shape gives sealed messages sizes and times that say little or nothing about what is in them.
//
// # Who sees what
//
// A relay cannot open what it forwards, but it sees how long each sealed chunk is and when it passes, and
// published attacks tell topics and the lengths of words from that. The exit therefore puts its answer
// into cells, each of which becomes one chunk of chunked Oblivious HTTP of one and the same size, and sends
// them by a schedule. The client takes the answer out again. Both agree on it inside the seal, in the
// request field [Field]. What is sealed stays a valid Binary HTTP response (RFC 9292) whose content, of the
// type [ContentType], is a sequence of records.
//
// # Modes
//
//   - [Off]: nothing is padded or delayed.
//   - [Pad]: every 100 ms a batch of cells, from the first byte of the answer on and for as long as bytes keep coming
//     (a pause of more than a second shows), and after the end until there are 64·2^k cells.
//   - [Constant]: a cell every 50 ms from the moment the exit has the request, whether there is
//     anything to say or not, until 16 s · 4^k are over.
//
// Both paced modes double the cells of a batch when a backlog of more than 400 ms has built up, at most
// once a batch, and never go back within an answer. Each doubling tells the relay that the source was faster
// than the rate before.
//
// # Invariants
//
//   - Every cell is [CellSize] bytes of plaintext, but for the last with one more, because the final chunk has a
//     length prefix that is one byte shorter: sealed, all have the same length.
//   - When a cell is sent, and how many are, depends on nothing but when how many bytes were written, never on
//     their values or on how they were divided among writes.
//   - An answer that broke off is as long, and ends as properly on the outside, as one that did not.
//   - A [Reader] returns [io.EOF] only after the record that says the message is complete, and returns it
//     then at once: nobody waits for the padding behind it.
//   - Memory is bounded: a [Writer] holds at most 256 KiB that are not sent, a [Reader] 2 KiB.
//   - Nothing here opens a socket, starts a goroutine or logs.
//
// # Use
//
// The exit runs [Writer.Run] on one goroutine and writes the answer's bytes with [Writer.WriteChunk] and
// [Writer.Close] on another. The client checks the content type, wraps the content in [NewReader], reads the
// message, and lets [Reader.Drain] take what follows it. [RequestSize] is how long a request is made.
package shape

import (
	"fmt"
	"time"
)

// Mode says how much sizes and times may tell. The zero value is no mode.
type Mode string

// The modes, from the one that costs nothing to the one that tells least.
const (
	Off      Mode = "off"
	Pad      Mode = "pad"
	Constant Mode = "constant"
)

// Default is the mode of a client that was not told another.
const Default = Pad

// Modes lists all, in the order of what they cost.
func Modes() []Mode { return []Mode{Off, Pad, Constant} }

// Parse returns the mode with that name.
func Parse(s string) (Mode, error) {
	for _, m := range Modes() {
		if s == string(m) {
			return m, nil
		}
	}
	return "", fmt.Errorf("%q is not a way to shape traffic: use off, pad or constant", s)
}

// What client and exit must agree on.
const (
	// Field is the field of the sealed request that asks for a mode other than [Off], by its name.
	Field = "tokengo-shape"
	// ContentType is the type of a response whose content is records.
	ContentType = "application/tokengo-shaped"
	// CellSize is the plaintext of one chunk in bytes, with the framing of Binary HTTP: 1042 bytes sealed.
	CellSize = 1024
)

// plan is what distinguishes the paced modes.
type plan struct {
	interval time.Duration // between batches
	rate     int           // cells of the first batch
	slack    int           // batches that a backlog may be worth before the rate doubles
	always   bool          // send cells from the start on, and through any silence
	hold     int           // batches without content after which silence is shown; unless always
	period   int           // smallest total: batches if always, else cells
	growth   int           // factor between one total and the next
}

var plans = map[Mode]plan{
	Pad: {
		interval: 100 * time.Millisecond,
		rate:     2, // 20 KiB a second: 80 tokens in OpenAI's events, which are the longest
		slack:    4,
		hold:     10,
		period:   64, // 64 KiB
		growth:   2,
	},
	Constant: {
		interval: 50 * time.Millisecond,
		rate:     1,
		slack:    8,
		always:   true,
		period:   320, // 16 s
		growth:   4,
	},
}

// Sizes in bytes, and of requests.
const (
	minRequest = 4 << 10
	// maxRequest is the largest length that a request is padded to. Sealed, in chunks of 16 KiB, it is below
	// the 64 MiB that relays and exits forward; the next power of two would not be.
	maxRequest = 63 << 20
)

// RequestSize is the length in bytes that a request of n bytes is padded to: the smallest of 4 KiB · 2^k that
// holds it, but 63 MiB above 32 MiB, and n itself above that.
func RequestSize(n int64) int64 {
	if n > maxRequest {
		return n
	}
	size := int64(minRequest)
	for size < n {
		size *= 2
	}
	return min(size, maxRequest)
}

// AnswerSize is the length in bytes that an answer of n bytes is padded to in the mode [Pad] when it is
// sealed in one piece, which cannot be sent in cells: the smallest of 64 KiB · 2^k that holds it.
func AnswerSize(n int) int {
	size := plans[Pad].period * CellSize
	for size < n {
		size *= plans[Pad].growth
	}
	return size
}
