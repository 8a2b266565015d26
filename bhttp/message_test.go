// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp_test

import (
	"bytes"
	"io"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/bhttp"
)

// message is a whole request or response, to be compared.
type message struct {
	Method, Scheme, Authority, Path string

	Informational []bhttp.Informational
	Status        int // 0 for a request

	Fields  bhttp.Fields
	Content string
	Trailer bhttp.Fields
}

// diff is empty when the messages are the same.
func diff(want, got *message) string { return cmp.Diff(want, got, cmpopts.EquateEmpty()) }

// readFunc reads a whole message, in full or not at all.
type readFunc func(io.Reader, bhttp.Limits) (*message, error)

func readRequest(r io.Reader, lim bhttp.Limits) (*message, error) {
	req, err := bhttp.ReadRequest(r, lim)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	return &message{
		Method: req.Method, Scheme: req.Scheme, Authority: req.Authority, Path: req.Path,
		Fields: req.Fields, Content: string(content), Trailer: req.Trailer,
	}, nil
}

func readResponse(r io.Reader, lim bhttp.Limits) (*message, error) {
	resp, err := bhttp.ReadResponse(r, lim)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return &message{
		Informational: resp.Informational, Status: resp.Status,
		Fields: resp.Fields, Content: string(content), Trailer: resp.Trailer,
	}, nil
}

// reader returns the function that reads messages of m's kind.
func (m *message) reader() readFunc {
	if m.Status == 0 {
		return readRequest
	}
	return readResponse
}

// encodeKnown writes m with the package's functions for known length.
func (m *message) encodeKnown() ([]byte, error) {
	if m.Status != 0 {
		return bhttp.AppendResponseKnown(nil, m.response(), []byte(m.Content))
	}
	req := &bhttp.Request{
		Method: m.Method, Scheme: m.Scheme, Authority: m.Authority, Path: m.Path, Fields: m.Fields,
	}
	b, err := bhttp.AppendRequestHead(nil, req, int64(len(m.Content)))
	if err != nil {
		return nil, err
	}
	return bhttp.AppendTrailer(append(b, m.Content...), m.Trailer)
}

// encodeStream writes m, a response, with the package's functions for indeterminate length.
func (m *message) encodeStream() ([]byte, error) {
	b, err := bhttp.AppendResponseHead(nil, m.response())
	if err != nil {
		return nil, err
	}
	half := len(m.Content) / 2
	b = bhttp.AppendContentChunk(b, []byte(m.Content[:half]))
	b = bhttp.AppendContentChunk(b, []byte(m.Content[half:]))
	return bhttp.AppendContentEnd(b, m.Trailer)
}

func (m *message) response() *bhttp.Response {
	return &bhttp.Response{
		Informational: m.Informational, Status: m.Status, Fields: m.Fields, Trailer: m.Trailer,
	}
}

// wire is a second encoder, written for the tests alone, that can make every choice the format leaves
// open and also break its rules.
type wire struct {
	indeterminate bool
	intSize       int // least length of an integer, bytes: 0, 2, 4 or 8
	chunk         int // greatest length of a chunk, bytes; 0 for the whole content
}

// cut is a place where the format lets a message end, and what then is left of it.
type cut struct {
	at   int
	left *message
}

// encode returns m and the places where it may be cut.
func (w wire) encode(m *message) (b []byte, cuts []cut) {
	framing := 0
	if m.Status != 0 {
		framing++
	}
	if w.indeterminate {
		framing += 2
	}
	b = w.int(framing)
	if m.Status == 0 {
		b = join(b, w.str(m.Method), w.str(m.Scheme), w.str(m.Authority), w.str(m.Path))
	} else {
		for _, info := range m.Informational {
			b = join(b, w.int(info.Status), w.section(info.Fields))
		}
		b = append(b, w.int(m.Status)...)
	}
	if !w.indeterminate { // RFC 9458 appendix A
		bare := *m
		bare.Fields, bare.Content, bare.Trailer = nil, "", nil
		cuts = append(cuts, cut{len(b), &bare})
	}
	b = append(b, w.section(m.Fields)...)
	head, noTrailer := *m, *m
	head.Content, head.Trailer, noTrailer.Trailer = "", nil, nil
	cuts = append(cuts, cut{len(b), &head})
	b = append(b, w.content(m.Content)...)
	cuts = append(cuts, cut{len(b), &noTrailer})
	b = append(b, w.section(m.Trailer)...)
	return b, append(cuts, cut{len(b), m})
}

func (w wire) content(p string) []byte {
	if !w.indeterminate {
		return append(w.int(len(p)), p...)
	}
	var b []byte
	for len(p) > 0 {
		n := len(p)
		if w.chunk > 0 {
			n = min(n, w.chunk)
		}
		b = join(b, w.int(n), []byte(p[:n]))
		p = p[n:]
	}
	return append(b, w.int(0)...)
}

func (w wire) section(fields bhttp.Fields) []byte {
	var b []byte
	for _, f := range fields {
		b = join(b, w.str(f.Name), w.str(f.Value))
	}
	if w.indeterminate {
		return append(b, w.int(0)...)
	}
	return append(w.int(len(b)), b...)
}

func (w wire) str(s string) []byte { return append(w.int(len(s)), s...) }

func (w wire) int(v int) []byte {
	size, prefix := 1, byte(0)
	for size < w.intSize || v >= 1<<(8*size-2) {
		size *= 2
		prefix++
	}
	b := make([]byte, size)
	for i := range b {
		b[size-1-i] = byte(v >> (8 * i))
	}
	b[0] |= prefix << 6
	return b
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// full is a request and a response that use every part of the format.
func full() (request, response *message) {
	fields := bhttp.Fields{
		{Name: "content-type", Value: "application/json"},
		{Name: "x-empty", Value: ""},
		{Name: "x-twice", Value: "one\ttwo \xff"},
		{Name: "x-twice", Value: strings.Repeat("long", 30)},
	}
	trailer := bhttp.Fields{{Name: "x-usage", Value: "input=3, output=4"}}
	request = &message{
		Method: "POST", Scheme: "https", Authority: "exit", Path: "/v1/messages?beta=true",
		Fields: fields, Content: `{"model":"m"}`, Trailer: trailer,
	}
	response = &message{
		Informational: []bhttp.Informational{
			{Status: 102},
			{Status: 103, Fields: bhttp.Fields{{Name: "link", Value: "</a>"}}},
		},
		Status: 200,
		Fields: fields, Content: strings.Repeat("data: x\n\n", 20), Trailer: trailer,
	}
	return request, response
}
