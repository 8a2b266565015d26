// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package bhttp reads and writes Binary HTTP messages (RFC 9292, media type message/bhttp): one HTTP
// request or response as one sequence of bytes, which is what is sealed with Oblivious HTTP.
//
// Whoever holds these bytes sees the whole request or response, so only the two ends of the seal
// use this package: the client that asks and the exit that answers. Errors of this package name the
// part of the message that was wrong and never quote it.
//
// # Reading
//
// [ReadRequest] and [ReadResponse] accept both framings, known and indeterminate length, and every
// encoding of an integer. They read only the head; the content streams through Body in constant
// memory, each Read returning as soon as there is something to return:
//
//	req, err := bhttp.ReadRequest(r, bhttp.Limits{BodyBytes: 32 << 20})
//	...
//	_, err = io.Copy(w, req.Body)
//	// err is nil: the message was complete, and req.Trailer is set
//
// What holds for every message that was read to its end:
//
//   - Body returns io.EOF only after the trailer section and the padding have been checked and the
//     source itself has returned io.EOF. A source that verifies its own end, such as an opened
//     chunked OHTTP message, is therefore always asked for that proof.
//   - A message that stops early is [ErrTruncated], unless it stops where RFC 9292 section 3.8 lets an
//     encoder stop: right before the trailer section, or right after the header section; a known-length
//     message also where RFC 9458 appendix A does, right before the header section. A message cut
//     there looks like a shorter one, which is one more reason for a source that verifies its end.
//   - Field names are tokens in lower case, however they were sent, values hold no CR, LF or NUL and have no white space around
//     them, there are no pseudo-fields, and the control data can be written on an HTTP/1.1 request
//     line without being mistaken for anything else.
//   - Memory follows the bytes that arrived, within [Limits], never a length that was only declared.
//
// Fields about a connection (RFC 9110 section 7.6.1) mean nothing here but are allowed in what is
// read; whoever hands the message on has to leave them out. Control characters other than CR, LF and
// NUL are allowed in values, too, as RFC 9292 has it.
//
// # Writing
//
// Append functions add one part of a message to a byte slice, in the manner of the built-in append, with
// minimal integers. They refuse what the readers would refuse, and leave connection fields out. A
// message whose length is known:
//
//	b, err := bhttp.AppendRequestHead(nil, req, int64(len(content)))
//	b = append(b, content...)
//	b, err = bhttp.AppendTrailer(b, nil)
//
// A response that is produced while it is sent:
//
//	b, err := bhttp.AppendResponseHead(nil, resp)
//	b = bhttp.AppendContentChunk(b, chunk) // any number of times
//	b, err = bhttp.AppendContentEnd(b, trailer)
//
// Either may be followed by any number of zero bytes as padding.
package bhttp

import (
	"errors"
	"io"
)

var (
	// ErrTruncated is wrapped when the source ended inside a message (RFC 9292 section 3.8).
	ErrTruncated = errors.New("truncated binary HTTP message")
	// ErrInvalid is wrapped when a message breaks a rule of RFC 9292 (section 4), by readers and
	// Append functions alike.
	ErrInvalid = errors.New("invalid binary HTTP message")
	// ErrTooLarge is wrapped when a message exceeds its [Limits].
	ErrTooLarge = errors.New("binary HTTP message exceeds its limit")
)

// Field is one field line of a header or trailer section (RFC 9292 section 3.6).
type Field struct {
	Name  string // lower case
	Value string
}

// Fields is a header or trailer section: its field lines in their order, names possibly repeated.
type Fields []Field

// Get returns the value of the first line with that name, which must be given in lower case, or "" when
// there is none.
func (f Fields) Get(name string) string {
	for i := range f {
		if f[i].Name == name {
			return f[i].Value
		}
	}
	return ""
}

// Request is an HTTP request (RFC 9292 section 3.4).
type Request struct {
	Method    string // a token, "POST"
	Scheme    string // "https"; empty for CONNECT
	Authority string // host and optional port; may be empty, never with user information
	Path      string // path and query: "/v1/messages?beta=true"; "*" for OPTIONS; empty for CONNECT
	Fields    Fields

	// Body is the content. [ReadRequest] sets it, never to nil; it is not safe for concurrent use.
	// Append functions ignore it.
	Body io.Reader
	// Trailer is the trailer section. [ReadRequest] leaves it empty until Body has returned io.EOF.
	// [AppendRequestHead] ignores it.
	Trailer Fields
}

// Informational is an informational response that precedes the final one (RFC 9292 section 3.5.1).
type Informational struct {
	Status int // 100 to 199
	Fields Fields
}

// Response is an HTTP response (RFC 9292 section 3.5).
type Response struct {
	Informational []Informational // in the order they were sent
	Status        int             // 200 to 599
	Fields        Fields

	// Body is the content. [ReadResponse] sets it, never to nil; it is not safe for concurrent use.
	// Append functions ignore it.
	Body io.Reader
	// Trailer is the trailer section. [ReadResponse] leaves it empty until Body has returned io.EOF.
	// [AppendResponseHead] ignores it, [AppendResponseKnown] writes it.
	Trailer Fields
}

// Limits bounds what one message may make its reader hold or pass on. Padding is not limited: it is
// read and forgotten.
type Limits struct {
	// FieldBytes bounds everything that is not content or padding, in bytes as they were sent: control
	// data and all header and trailer sections together, those of informational responses included. Each
	// field line and each informational response counts 32 bytes more, as in RFC 9113 section
	// 6.5.2, so that the limit bounds memory too. Default, for zero and below: [DefaultFieldBytes].
	FieldBytes int
	// BodyBytes bounds the content, in bytes. Default: unlimited. Below zero, no content is accepted.
	BodyBytes int64
}
