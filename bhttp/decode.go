// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp

import (
	"fmt"
	"io"
	"strings"
)

// ReadRequest reads the head of a request of either framing (RFC 9292 sections 3.1 and 3.2) and returns as
// soon as it is complete. The rest is read through the Body of the request, whose errors are like those
// below; it returns io.EOF once the whole message has been checked and r has ended.
//
// Errors wrap [ErrTruncated], [ErrInvalid] or [ErrTooLarge], or the error of r. r is read ahead of what is
// returned, so nothing else can follow a message in it.
func ReadRequest(r io.Reader, lim Limits) (*Request, error) {
	req := new(Request)
	b := newBody(r, lim, &req.Trailer)
	if err := b.dec.request(req); err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	req.Body = b
	return req, nil
}

// ReadResponse reads the head of a response of either framing, with the informational responses before it
// (RFC 9292 section 3.5.1). It is like [ReadRequest] in all else.
func ReadResponse(r io.Reader, lim Limits) (*Response, error) {
	resp := new(Response)
	b := newBody(r, lim, &resp.Trailer)
	if err := b.dec.response(resp); err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	resp.Body = b
	return resp, nil
}

// decoder reads control data and field sections, within Limits.FieldBytes for all of them.
type decoder struct {
	src     source
	known   bool   // known-length framing
	allowed uint64 // what is left of Limits.FieldBytes
	section uint64 // what is left of the field section that is being read, else unbounded

	text []byte // the strings that are being read, one after the other
	ends []int  // where in text each of them ends
}

func (d *decoder) request(req *Request) error {
	if err := d.framing(knownRequest, indeterminateRequest); err != nil {
		return err
	}
	for _, name := range []string{"method", "scheme", "authority", "path"} {
		if err := d.string(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	s := d.strings()
	req.Method, req.Scheme, req.Authority, req.Path = s.next(), s.next(), s.next(), s.next()
	if err := req.check(); err != nil {
		return err
	}
	var err error
	if req.Fields, err = d.header(); err != nil {
		return fmt.Errorf("header section: %w", err)
	}
	return nil
}

func (d *decoder) response(resp *Response) error {
	if err := d.framing(knownResponse, indeterminateResponse); err != nil {
		return err
	}
	for {
		status, err := d.status()
		if err != nil {
			return fmt.Errorf("status code: %w", err)
		}
		if status < minFinal {
			if err := d.charge(entryCost); err != nil {
				return fmt.Errorf("informational responses: %w", err)
			}
		}
		read := d.fields
		if status >= minFinal {
			read = d.header
		}
		fields, err := read()
		if err != nil {
			return fmt.Errorf("header section of status %d: %w", status, err)
		}
		if status >= minFinal {
			resp.Status, resp.Fields = status, fields
			return nil
		}
		resp.Informational = append(resp.Informational, Informational{status, fields})
	}
}

// framing reads the framing indicator, which must be one of two.
func (d *decoder) framing(known, indeterminate uint64) error {
	v, err := d.varint()
	if err != nil {
		return fmt.Errorf("framing indicator: %w", err)
	}
	if v != known && v != indeterminate {
		return invalid("framing indicator is not one of this kind of message")
	}
	d.known = v == known
	return nil
}

func (d *decoder) status() (int, error) {
	v, err := d.varint()
	if err != nil {
		return 0, err
	}
	if v < minInformational || v > maxFinal {
		return 0, invalid("out of range")
	}
	return int(v), nil
}

// header reads the header section of a request or final response. A known-length message may end before
// it, when it is empty and nothing follows: RFC 9292 section 3.8 speaks of content and trailers only, but
// both examples in RFC 9458 appendix A are written so, and their encoders are in use.
func (d *decoder) header() (Fields, error) {
	if d.known && d.src.fill() == io.EOF {
		return nil, nil
	}
	return d.fields()
}

// fields reads a field section, which must not be missing. Names are returned in lower case: HTTP compares
// them without regard to it (RFC 9110 section 5.1).
func (d *decoder) fields() (Fields, error) {
	if d.known {
		n, err := d.varint()
		if err != nil {
			return nil, err
		}
		if n > d.allowed {
			return nil, ErrTooLarge
		}
		d.section = n
		defer func() { d.section = unbounded }()
	}
	for {
		more, err := d.line()
		if err != nil {
			return nil, fmt.Errorf("field line %d: %w", len(d.ends)/2+1, err)
		}
		if !more {
			break
		}
	}
	out := d.lines()
	for i := range out {
		out[i].Name = strings.ToLower(out[i].Name)
	}
	return out, out.check()
}

// line reads a field line; more is false at the end of the section.
func (d *decoder) line() (more bool, err error) {
	if d.known && d.section == 0 {
		return false, nil
	}
	n, err := d.varint()
	if err != nil {
		return false, err
	}
	if n == 0 && !d.known {
		return false, nil
	}
	if n == 0 {
		return false, invalid("name is empty")
	}
	if err := d.charge(entryCost); err != nil {
		return false, err
	}
	if err := d.bytes(n); err != nil {
		return false, err
	}
	return true, d.string()
}

// lines takes the strings that were read as field lines. It is nil when there are none.
func (d *decoder) lines() Fields {
	if len(d.ends) == 0 {
		return nil
	}
	out := make(Fields, len(d.ends)/2)
	s := d.strings()
	for i := range out {
		out[i] = Field{Name: s.next(), Value: s.next()}
	}
	return out
}

// string reads a string with its length before it.
func (d *decoder) string() error {
	n, err := d.varint()
	if err != nil {
		return err
	}
	return d.bytes(n)
}

// bytes reads a string of n bytes.
func (d *decoder) bytes(n uint64) error {
	if err := d.consume(n); err != nil {
		return err
	}
	var err error
	d.text, err = d.src.appendTo(d.text, int(n)) // an int, because it is within Limits.FieldBytes
	d.ends = append(d.ends, len(d.text))
	return err
}

// varint reads an integer that is no length of content.
func (d *decoder) varint() (uint64, error) {
	first, err := d.src.readByte()
	if err != nil {
		return 0, truncated(err)
	}
	if err := d.consume(uint64(varintLen(first))); err != nil {
		return 0, err
	}
	return d.src.varintAfter(first)
}

// consume accounts for n bytes of the message, before they are read.
func (d *decoder) consume(n uint64) error {
	if n > d.section {
		return invalid("runs past the end of its section")
	}
	if err := d.charge(n); err != nil {
		return err
	}
	if d.section != unbounded {
		d.section -= n
	}
	return nil
}

// charge accounts for n bytes of Limits.FieldBytes.
func (d *decoder) charge(n uint64) error {
	if n > d.allowed {
		return ErrTooLarge
	}
	d.allowed -= n
	return nil
}

// strings takes the strings that were read since it was called last. They share one allocation.
func (d *decoder) strings() cutter {
	c := cutter{text: string(d.text), ends: d.ends}
	d.text, d.ends = d.text[:0], d.ends[:0]
	return c
}

// cutter hands out strings in the order in which they were read.
type cutter struct {
	text  string
	ends  []int
	start int
}

func (c *cutter) next() string {
	end := c.ends[0]
	s := c.text[c.start:end]
	c.start, c.ends = end, c.ends[1:]
	return s
}
