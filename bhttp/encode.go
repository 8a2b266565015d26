// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp

import "fmt"

// AppendRequestHead appends a request of known length (RFC 9292 section 3.1) up to and including the
// content length. The caller appends the content, exactly contentLen bytes, and then [AppendTrailer].
// Fields about a connection are left out. On error dst is returned as it was, and the error wraps
// [ErrInvalid].
func AppendRequestHead(dst []byte, req *Request, contentLen int64) ([]byte, error) {
	if err := req.check(); err != nil {
		return dst, fmt.Errorf("write request: %w", err)
	}
	if contentLen < 0 || contentLen > maxVarint {
		return dst, fmt.Errorf("write request: %w", invalid("content length out of range"))
	}
	if err := req.Fields.check(); err != nil {
		return dst, fmt.Errorf("write request: header section: %w", err)
	}
	out := appendVarint(dst, knownRequest)
	for _, s := range []string{req.Method, req.Scheme, req.Authority, req.Path} {
		out = appendString(out, s)
	}
	out = appendKnownSection(out, req.Fields)
	return appendVarint(out, uint64(contentLen)), nil
}

// AppendTrailer appends the trailer section that ends a message of known length (RFC 9292 section 3.1).
// On error dst is returned as it was, and the error wraps [ErrInvalid].
func AppendTrailer(dst []byte, trailer Fields) ([]byte, error) {
	if err := trailer.check(); err != nil {
		return dst, fmt.Errorf("write trailer section: %w", err)
	}
	return appendKnownSection(dst, trailer), nil
}

// AppendResponseKnown appends a whole response of known length (RFC 9292 section 3.1): informational
// responses, control data, header section, content and resp.Trailer. Fields about a connection are
// left out. On error dst is returned as it was, and the error wraps [ErrInvalid].
func AppendResponseKnown(dst []byte, resp *Response, content []byte) ([]byte, error) {
	if err := resp.Trailer.check(); err != nil {
		return dst, fmt.Errorf("write response: trailer section: %w", err)
	}
	out, err := appendHead(dst, resp, knownResponse)
	if err != nil {
		return dst, err
	}
	out = appendVarint(out, uint64(len(content)))
	out = append(out, content...)
	return appendKnownSection(out, resp.Trailer), nil
}

// AppendResponseHead appends a response of indeterminate length (RFC 9292 section 3.2) up to and
// including the end of its header section. [AppendContentChunk] and [AppendContentEnd] follow. Fields
// about a connection are left out. On error dst is returned as it was, and the error wraps [ErrInvalid].
func AppendResponseHead(dst []byte, resp *Response) ([]byte, error) {
	return appendHead(dst, resp, indeterminateResponse)
}

// AppendContentChunk appends p as one chunk of content of a message of indeterminate length (RFC 9292
// section 3.2): at most 8 bytes more than p, and nothing at all when p is empty, because an empty
// chunk would end the content.
func AppendContentChunk(dst, p []byte) []byte {
	if len(p) == 0 {
		return dst
	}
	return append(appendVarint(dst, uint64(len(p))), p...)
}

// AppendContentEnd appends the end of the content and the trailer section of a message of
// indeterminate length (RFC 9292 section 3.2). Nothing but padding may follow. On error dst is returned
// as it was, and the error wraps [ErrInvalid].
func AppendContentEnd(dst []byte, trailer Fields) ([]byte, error) {
	if err := trailer.check(); err != nil {
		return dst, fmt.Errorf("write trailer section: %w", err)
	}
	return appendSection(append(dst, 0), trailer), nil
}

// appendHead appends what both framings of a response begin with.
func appendHead(dst []byte, resp *Response, framing uint64) ([]byte, error) {
	if err := resp.check(); err != nil {
		return dst, fmt.Errorf("write response: %w", err)
	}
	section := appendSection
	if framing == knownResponse {
		section = appendKnownSection
	}
	out := appendVarint(dst, framing)
	for i := range resp.Informational {
		out = appendVarint(out, uint64(resp.Informational[i].Status))
		out = section(out, resp.Informational[i].Fields)
	}
	out = appendVarint(out, uint64(resp.Status))
	return section(out, resp.Fields), nil
}

// check reports what makes the head of a response one that cannot be written.
func (r *Response) check() error {
	for i := range r.Informational {
		info := &r.Informational[i]
		if info.Status < minInformational || info.Status >= minFinal {
			return fmt.Errorf("informational response %d: %w", i+1, invalid("status code out of range"))
		}
		if err := info.Fields.check(); err != nil {
			return fmt.Errorf("informational response %d: %w", i+1, err)
		}
	}
	if r.Status < minFinal || r.Status > maxFinal {
		return invalid("final status code out of range")
	}
	if err := r.Fields.check(); err != nil {
		return fmt.Errorf("header section: %w", err)
	}
	return nil
}

// appendKnownSection appends a checked section with its length before it.
func appendKnownSection(dst []byte, fields Fields) []byte {
	fields = fields.kept()
	size := 0
	for i := range fields {
		size += stringSize(fields[i].Name) + stringSize(fields[i].Value)
	}
	return appendLines(appendVarint(dst, uint64(size)), fields)
}

// appendSection appends a checked section with a zero after it.
func appendSection(dst []byte, fields Fields) []byte {
	return append(appendLines(dst, fields.kept()), 0)
}

func appendLines(dst []byte, fields Fields) []byte {
	for i := range fields {
		dst = appendString(dst, fields[i].Name)
		dst = appendString(dst, fields[i].Value)
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	return append(appendVarint(dst, uint64(len(s))), s...)
}

func stringSize(s string) int { return varintSize(uint64(len(s))) + len(s) }
