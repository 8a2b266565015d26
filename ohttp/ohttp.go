// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package ohttp seals HTTP messages to a key and opens them: Oblivious HTTP (RFC 9458) and its
// chunked form (draft-ietf-ohai-chunked-ohttp-08), on the HPKE of the standard library.
//
// # Who sees what
//
// A client seals a request to the key configuration of an exit; the exit opens it and seals its
// response with a key that only that client can derive. Whoever carries the sealed bytes (a relay)
// sees the key identifier and the algorithms, the sizes of the chunks and when they pass, and
// nothing else. This package holds content only as opaque bytes: it does not know what is inside.
//
// # Invariants
//
//   - A reader of plaintext returns [io.EOF] only after the final chunk was authenticated. A message
//     that was cut, reordered, repeated, extended or changed anywhere ends in [ErrTruncated],
//     [ErrInvalid] or [ErrTooLarge] instead. What was returned before that error is authentic and is
//     the beginning of what was sealed.
//   - A response opens only with the request it answers, in the same [Format].
//   - A request shows nothing of how its plaintext was written: chunks are filled to [MaxChunk]
//     whatever sizes the source returns, and only the last one is shorter. A response is the contrary:
//     every [ResponseSealer.WriteChunk] becomes visible as a chunk at once, so its caller decides on
//     sizes and times.
//   - Memory is bounded by one chunk, or in the [Whole] format by the caller's limit.
//   - Nothing here starts a goroutine, and nothing waits except on the caller's readers and writers.
//   - A request can be replayed by whoever saw it; this package does not detect that (RFC 9458
//     section 6.5). Forward secrecy comes only with a new key.
//
// # Use
//
// The client takes the exit's list of keys through [ParseKeyConfigs] and the first configuration it
// likes to [SealRequest]; it sends what [SealedRequest] reads and gives the answer to
// [SealedRequest.OpenResponse]. The exit makes its keys with [GenerateKey], publishes
// [MarshalKeyConfigs] of their configurations, and opens with [Keyring.OpenRequest]; it answers
// through [OpenedRequest.SealResponse]. Messages inside are Binary HTTP in this project, which is
// the business of another package.
//
// # Limits
//
// A chunk has at most 64 KiB sealed when it is opened and [MaxChunk] bytes of plaintext when it is
// sealed. A response has at most 2^32 chunks, which keeps the counter of its nonces far from
// repeating (the specification forbids only 256^12); further ones are refused with [ErrTooLarge] on
// both sides. The chunks of a request are counted by HPKE in 64 bits. Neither counts bytes: to keep
// the margins of AES-128-GCM that section 7.3 of the draft computes, a message should stay below
// 2^30 bytes, which limits on content (the caller's) guarantee long before.
package ohttp

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Errors that callers match with [errors.Is]. Their wrapping says what was being tried, in words and
// numbers of this package: it never contains a byte of the message.
var (
	// ErrTruncated means that the message ended before it was complete.
	ErrTruncated = errors.New("message is truncated")
	// ErrInvalid means that the message, list or key does not follow the format, or does not
	// authenticate with the key it names.
	ErrInvalid = errors.New("not valid")
	// ErrTooLarge means that the message, or a chunk of it, is above a limit of this package or of
	// the caller.
	ErrTooLarge = errors.New("too large")
	// ErrUnknownKey means that a request names a key, or algorithms for it, that the keyring does not
	// offer. The sender probably holds an old list (RFC 9458 section 5.3).
	ErrUnknownKey = errors.New("unknown key")
)

// KeysType is the media type of a list of key configurations (RFC 9458 section 3.2).
const KeysType = "application/ohttp-keys"

// Sizes of chunks, in bytes.
const (
	// MaxChunk is how much plaintext one sealed chunk carries at most. Every receiver must accept
	// that much, and senders should send no more (chunked OHTTP section 3).
	MaxChunk = 16384

	// maxSealedChunk bounds what is accepted in one chunk, with its 16 bytes of authentication: four
	// times what must be accepted, for senders that know better.
	maxSealedChunk = 64 << 10
)

// defaultMaxWhole bounds the plaintext of a Whole message whose reader named no bound, in bytes.
const defaultMaxWhole = 16 << 20

// Format is how a message is sealed. The zero value is no format: a client must choose, because
// falling back from one to the other tells clients apart (chunked OHTTP section 7).
type Format uint8

const (
	// Whole seals a message in one piece (RFC 9458): nothing of it can be used before all has arrived.
	Whole Format = iota + 1
	// Chunked seals a message in chunks that are opened as they arrive (chunked OHTTP).
	Chunked
)

// RequestType returns the media type of a sealed request, "" for an invalid Format.
func (f Format) RequestType() string {
	switch f {
	case Whole:
		return "message/ohttp-req"
	case Chunked:
		return "message/ohttp-chunked-req"
	}
	return ""
}

// ResponseType returns the media type of a sealed response, "" for an invalid Format. It is what a
// successful response to [Format.RequestType] must have.
func (f Format) ResponseType() string {
	switch f {
	case Whole:
		return "message/ohttp-res"
	case Chunked:
		return "message/ohttp-chunked-res"
	}
	return ""
}

// String names the format in messages to people.
func (f Format) String() string {
	switch f {
	case Whole:
		return "whole"
	case Chunked:
		return "chunked"
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// FormatOf returns the format of a request from its Content-Type, whose parameters are ignored. It
// is false for anything else, the types of responses among them.
func FormatOf(contentType string) (Format, bool) {
	for _, f := range []Format{Chunked, Whole} {
		if isMediaType(contentType, f.RequestType()) {
			return f, true
		}
	}
	return 0, false
}

// MatchesResponse reports whether contentType, parameters ignored, is what a response to a request
// of format f must have. A client must not open a response of any other type.
func (f Format) MatchesResponse(contentType string) bool {
	return f.valid() && isMediaType(contentType, f.ResponseType())
}

func (f Format) valid() bool { return f == Whole || f == Chunked }

func isMediaType(contentType, want string) bool {
	got, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(got), want)
}

// Labels that bind keys to what they are used for (RFC 9458 sections 4.3 and 4.4; chunked OHTTP
// sections 6.1 and 6.2).

func (f Format) requestLabel() string {
	if f == Chunked {
		return "message/bhttp chunked request"
	}
	return "message/bhttp request"
}

func (f Format) responseLabel() string {
	if f == Chunked {
		return "message/bhttp chunked response"
	}
	return "message/bhttp response"
}

// finalAAD is the associated data of the final chunk; that of all others is empty (chunked OHTTP section 6).
var finalAAD = []byte("final")

// sourceError says that a reader failed. The end of a stream, however wrapped, becomes ErrTruncated,
// so that no caller takes it for the end of a complete message.
func sourceError(doing string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: %w", doing, ErrTruncated)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
