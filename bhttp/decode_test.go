// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/bhttp"
)

// wires are all ways to write a message that differ in framing and integers.
func wires() []wire {
	var out []wire
	for _, indeterminate := range []bool{false, true} {
		for _, size := range []int{0, 2, 4, 8} {
			out = append(out, wire{indeterminate, size, 50})
		}
	}
	return out
}

func messages() map[string]*message {
	request, response := full()
	return map[string]*message{
		"full request":         request,
		"full response":        response,
		"empty request":        {Method: "GET", Scheme: "https", Path: "/"},
		"empty response":       {Status: 204},
		"content, no trailer":  {Status: 200, Content: "content"},
		"trailer, no content":  {Status: 200, Trailer: bhttp.Fields{{Name: "a", Value: "b"}}},
		"request with no body": {Method: "GET", Scheme: "https", Path: "/", Fields: request.Fields},
	}
}

func TestReadAllEncodings(t *testing.T) {
	for name, want := range messages() {
		for _, w := range wires() {
			t.Run(fmt.Sprintf("%s/%+v", name, w), func(t *testing.T) {
				b, _ := w.encode(want)
				for _, padding := range []int{0, 1, 10_000} {
					padded := append(b, make([]byte, padding)...)
					got, err := want.reader()(bytes.NewReader(padded), bhttp.Limits{})
					if err != nil {
						t.Fatalf("padding %d: %v", padding, err)
					}
					if d := diff(want, got); d != "" {
						t.Errorf("padding %d: message (-want +got):\n%s", padding, d)
					}
				}
			})
		}
	}
}

func TestReadTruncatedEverywhere(t *testing.T) {
	for name, want := range messages() {
		for _, w := range wires() {
			t.Run(fmt.Sprintf("%s/%+v", name, w), func(t *testing.T) {
				b, cuts := w.encode(want)
				allowed := make(map[int]*message)
				for _, c := range cuts {
					allowed[c.at] = c.left
				}
				for n := range len(b) + 1 {
					got, err := want.reader()(bytes.NewReader(b[:n]), bhttp.Limits{})
					left := allowed[n]
					if left == nil {
						if !errors.Is(err, bhttp.ErrTruncated) {
							t.Errorf("first %d of %d bytes: got %v, want ErrTruncated", n, len(b), err)
						}
						continue
					}
					if d := diff(left, got); err != nil || d != "" {
						t.Errorf("first %d of %d bytes: %v (-want +got):\n%s", n, len(b), err, d)
					}
				}
			})
		}
	}
}

func TestReadRefusesControlData(t *testing.T) {
	tests := []struct{ name, method, scheme, authority, path string }{
		{"empty method", "", "https", "exit", "/"},
		{"space in method", "GET /", "https", "exit", "/"},
		{"line break in method", "GET\r\n", "https", "exit", "/"},
		{"colon in method", "GE:T", "https", "exit", "/"},
		{"empty scheme", "GET", "", "exit", "/"},
		{"scheme with a colon", "GET", "https:", "exit", "/"},
		{"scheme with a digit first", "GET", "9p", "exit", "/"},
		{"space in authority", "GET", "https", "ex it", "/"},
		{"slash in authority", "GET", "https", "exit/", "/"},
		{"user information", "GET", "https", "me@exit", "/"},
		{"line break in authority", "GET", "https", "exit\r\nx: y", "/"},
		{"authority beyond ASCII", "GET", "https", "\xc3\xa9", "/"},
		{"empty path", "GET", "https", "exit", ""},
		{"empty path of an upper-case scheme", "GET", "HTTPS", "exit", ""},
		{"relative path", "GET", "https", "exit", "v1"},
		{"absolute URI as path", "GET", "http", "exit", "http://other/"},
		{"asterisk without OPTIONS", "GET", "https", "exit", "*"},
		{"space in path", "GET", "https", "exit", "/a b"},
		{"tab in path", "GET", "https", "exit", "/\t"},
		{"line break in path", "GET", "https", "exit", "/ HTTP/1.1\r\n"},
		{"NUL in path", "GET", "https", "exit", "/\x00"},
		{"DEL in path", "GET", "https", "exit", "/\x7f"},
		{"path beyond ASCII", "GET", "https", "exit", "/\xc3\xa9"},
		{"fragment in path", "GET", "https", "exit", "/#a"},
		{"CONNECT with a scheme", "CONNECT", "https", "exit:443", ""},
		{"CONNECT with a path", "CONNECT", "", "exit:443", "/"},
		{"CONNECT without an authority", "CONNECT", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &message{Method: tt.method, Scheme: tt.scheme, Authority: tt.authority, Path: tt.path}
			wantInvalid(t, m)
		})
	}
}

func TestReadAcceptsControlData(t *testing.T) {
	tests := []struct{ name, method, scheme, authority, path string }{
		{"own method", "M-SEARCH!", "https", "exit", "/"},
		{"lower-case method", "get", "http", "", "/"},
		{"asterisk", "OPTIONS", "https", "exit", "*"},
		{"port", "GET", "https", "exit.example:4433", "/?"},
		{"address", "GET", "https", "[2001:db8::1]", "/%20/~a;b=c?d={e}|f"},
		{"CONNECT", "CONNECT", "", "exit:443", ""},
		{"other scheme without a path", "GET", "coap+tcp", "exit", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := &message{Method: tt.method, Scheme: tt.scheme, Authority: tt.authority, Path: tt.path}
			b, err := want.encodeKnown()
			if err != nil {
				t.Fatal(err)
			}
			got, err := readRequest(bytes.NewReader(b), bhttp.Limits{})
			if d := diff(want, got); err != nil || d != "" {
				t.Errorf("%v, request (-want +got):\n%s", err, d)
			}
		})
	}
}

func TestReadRefusesFields(t *testing.T) {
	tests := []struct {
		name string
		line bhttp.Field
	}{
		{"pseudo-field", bhttp.Field{Name: ":path", Value: "secret-value"}},
		{"pseudo-field of an extension", bhttp.Field{Name: ":protocol", Value: "secret-value"}},
		{"colon only", bhttp.Field{Name: ":"}},
		{"space in name", bhttp.Field{Name: "a b"}},
		{"colon in name", bhttp.Field{Name: "a:"}},
		{"line break in name", bhttp.Field{Name: "a\r\nb"}},
		{"NUL in name", bhttp.Field{Name: "a\x00"}},
		{"name beyond ASCII", bhttp.Field{Name: "\xc3\xa9"}},
		{"CR in value", bhttp.Field{Name: "a", Value: "secret-value\rx"}},
		{"LF in value", bhttp.Field{Name: "a", Value: "secret-value\nx"}},
		{"NUL in value", bhttp.Field{Name: "a", Value: "secret-value\x00"}},
		{"space before value", bhttp.Field{Name: "a", Value: " secret-value"}},
		{"space after value", bhttp.Field{Name: "a", Value: "secret-value "}},
		{"tab before value", bhttp.Field{Name: "a", Value: "\tsecret-value"}},
		{"tab after value", bhttp.Field{Name: "a", Value: "secret-value\t"}},
		{"space as value", bhttp.Field{Name: "a", Value: " "}},
	}
	fine := bhttp.Field{Name: "fine", Value: "value"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, fields := range []bhttp.Fields{{tt.line}, {fine, tt.line}, {tt.line, fine}} {
				wantInvalid(t, &message{Method: "GET", Scheme: "https", Path: "/", Fields: fields})
				wantInvalid(t, &message{Method: "GET", Scheme: "https", Path: "/", Trailer: fields})
				wantInvalid(t, &message{Status: 200, Fields: fields})
				wantInvalid(t, &message{Status: 200, Trailer: fields})
				wantInvalid(t, &message{
					Status:        200,
					Informational: []bhttp.Informational{{Status: 103, Fields: fields}},
				})
			}
		})
	}
}

// The examples of RFC 9458 appendix A leave out everything behind the control data.
func TestReadWithoutHeaderSection(t *testing.T) {
	req, err := bhttp.ReadRequest(strings.NewReader("\x00\x03GET\x05https\x0bexample.com\x01/"), bhttp.Limits{})
	if err != nil || req.Authority != "example.com" || req.Fields != nil {
		t.Errorf("request: %+v, %v", req, err)
	}
	resp, err := bhttp.ReadResponse(strings.NewReader("\x01\x40\xc8"), bhttp.Limits{})
	if err != nil || resp.Status != 200 || resp.Fields != nil {
		t.Fatalf("response: %+v, %v", resp, err)
	}
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("body: %d, %v", n, err)
	}
}

// Field names are the same in whatever case they are written.
func TestReadLowersNames(t *testing.T) {
	m := &message{Status: 200, Fields: bhttp.Fields{{Name: "Content-TYPE", Value: "Text/Plain"}}}
	for _, w := range wires() {
		b, _ := w.encode(m)
		resp, err := bhttp.ReadResponse(bytes.NewReader(b), bhttp.Limits{})
		if err != nil || resp.Fields.Get("content-type") != "Text/Plain" {
			t.Errorf("%+v: %+v, %v", w, resp, err)
		}
	}
}

// wantInvalid checks that no framing of m can be read and that m cannot be written.
func wantInvalid(t *testing.T, m *message) {
	t.Helper()
	for _, w := range wires() {
		b, _ := w.encode(m)
		_, err := m.reader()(bytes.NewReader(b), bhttp.Limits{})
		if !errors.Is(err, bhttp.ErrInvalid) {
			t.Errorf("%+v: got error %v, want ErrInvalid", w, err)
		} else if strings.Contains(err.Error(), "secret-value") {
			t.Errorf("%+v: error quotes the field: %v", w, err)
		}
	}
	if _, err := m.encodeKnown(); !errors.Is(err, bhttp.ErrInvalid) {
		t.Errorf("written with error %v, want ErrInvalid", err)
	}
}

func TestReadKeepsConnectionFields(t *testing.T) {
	want := &message{Status: 200, Fields: bhttp.Fields{
		{Name: "connection", Value: "close"}, {Name: "transfer-encoding", Value: "chunked"},
	}}
	for _, w := range wires() {
		b, _ := w.encode(want)
		got, err := readResponse(bytes.NewReader(b), bhttp.Limits{})
		if d := diff(want, got); err != nil || d != "" {
			t.Errorf("%+v: %v, response (-want +got):\n%s", w, err, d)
		}
	}
}

func TestReadMalformed(t *testing.T) {
	const get = "\x03GET\x05https\x00\x01/"
	tests := []struct {
		name string
		read readFunc
		in   string
		want error
	}{
		{"no request", readRequest, "", bhttp.ErrTruncated},
		{"no response", readResponse, "", bhttp.ErrTruncated},
		{"response for a request", readRequest, "\x01\x40\xc8\x00", bhttp.ErrInvalid},
		{"response for a request, indeterminate", readRequest, "\x03\x40\xc8\x00", bhttp.ErrInvalid},
		{"request for a response", readResponse, "\x00" + get + "\x00", bhttp.ErrInvalid},
		{"request for a response, indeterminate", readResponse, "\x02" + get + "\x00", bhttp.ErrInvalid},
		{"framing 4", readRequest, "\x04" + get + "\x00", bhttp.ErrInvalid},
		{"framing 64", readResponse, "\x40\x40" + get + "\x00", bhttp.ErrInvalid},
		{"status 0", readResponse, "\x01\x00\x00", bhttp.ErrInvalid},
		{"status 99", readResponse, "\x01\x40\x63\x00", bhttp.ErrInvalid},
		{"status 600", readResponse, "\x01\x42\x58\x00", bhttp.ErrInvalid},
		{"status 2^32+200", readResponse, "\x01\xc0\x00\x00\x01\x00\x00\x00\xc8\x00", bhttp.ErrInvalid},
		{"only informational", readResponse, "\x01\x40\x64\x00", bhttp.ErrTruncated},
		{"informational without header section", readResponse, "\x01\x40\x64", bhttp.ErrTruncated},
		{"part of a header section", readResponse, "\x01\x40\xc8\x02", bhttp.ErrTruncated},
		{"no header section, indeterminate", readResponse, "\x03\x40\xc8", bhttp.ErrTruncated},
		{"empty name", readRequest, "\x00" + get + "\x02\x00\x00", bhttp.ErrInvalid},
		{"name past the section", readRequest, "\x00" + get + "\x02\x02ab\x00", bhttp.ErrInvalid},
		{"no value length", readRequest, "\x00" + get + "\x02\x01a\x00", bhttp.ErrInvalid},
		{"value past the section", readRequest, "\x00" + get + "\x03\x01a\x01b", bhttp.ErrInvalid},
		{"integer past the section", readRequest, "\x00" + get + "\x01\x40", bhttp.ErrInvalid},
		{"trailer past its section", readResponse, "\x01\x40\xc8\x00\x00\x03\x01a\x01b", bhttp.ErrInvalid},
		{"padding", readRequest, "\x00" + get + "\x00\x00\x00\x00\x01", bhttp.ErrInvalid},
		{"padding, indeterminate", readResponse, "\x03\x40\xc8\x00\x00\x00\x01", bhttp.ErrInvalid},
		{"late padding", readResponse, "\x03\x40\xc8" + strings.Repeat("\x00", 9000) + "\x01", bhttp.ErrInvalid},
		{"no content terminator", readResponse, "\x03\x40\xc8\x00\x01x", bhttp.ErrTruncated},
		{"trailer without terminator", readResponse, "\x03\x40\xc8\x00\x00\x01a\x01b", bhttp.ErrTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.read(strings.NewReader(tt.in), bhttp.Limits{})
			if !errors.Is(err, tt.want) {
				t.Errorf("got %+v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestReadLimits(t *testing.T) {
	request, response := full()
	many := &message{Status: 200}
	for range 100 {
		many.Informational = append(many.Informational, bhttp.Informational{Status: 102})
	}
	tests := []struct {
		name   string
		m      *message
		lim    bhttp.Limits
		tooBig bool
	}{
		{"defaults", response, bhttp.Limits{}, false},
		{"body fits", request, bhttp.Limits{BodyBytes: int64(len(request.Content))}, false},
		{"body does not", request, bhttp.Limits{BodyBytes: int64(len(request.Content)) - 1}, true},
		{"body in chunks fits", response, bhttp.Limits{BodyBytes: int64(len(response.Content))}, false},
		{"body in chunks does not", response, bhttp.Limits{BodyBytes: int64(len(response.Content)) - 1}, true},
		{"no body wanted, none there", many, bhttp.Limits{BodyBytes: -1}, false},
		{"no body wanted", request, bhttp.Limits{BodyBytes: -1}, true},
		{"control data", request, bhttp.Limits{FieldBytes: 20}, true},
		{"fields", request, bhttp.Limits{FieldBytes: 100}, true},
		{"fields fit, trailer does not", request, bhttp.Limits{FieldBytes: 390}, true},
		{"everything fits", request, bhttp.Limits{FieldBytes: 440}, false},
		{"many informational responses", many, bhttp.Limits{FieldBytes: 3000}, true},
		{"many informational responses fit", many, bhttp.Limits{FieldBytes: 3600}, false},
		{"a field larger than the default", &message{
			Status: 200, Fields: bhttp.Fields{{Name: "a", Value: strings.Repeat("x", bhttp.DefaultFieldBytes)}},
		}, bhttp.Limits{}, true},
		{"a field larger than the default allowed", &message{
			Status: 200, Fields: bhttp.Fields{{Name: "a", Value: strings.Repeat("x", bhttp.DefaultFieldBytes)}},
		}, bhttp.Limits{FieldBytes: 2 * bhttp.DefaultFieldBytes}, false},
		{"many tiny fields", &message{Status: 200, Trailer: tinyFields(2000)}, bhttp.Limits{}, true},
		{"many tiny fields fit", &message{Status: 200, Trailer: tinyFields(1800)}, bhttp.Limits{}, false},
	}
	for _, tt := range tests {
		for _, indeterminate := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/indeterminate=%v", tt.name, indeterminate), func(t *testing.T) {
				b, _ := wire{indeterminate: indeterminate, chunk: 50}.encode(tt.m)
				got, err := tt.m.reader()(bytes.NewReader(b), tt.lim)
				if tt.tooBig {
					if !errors.Is(err, bhttp.ErrTooLarge) {
						t.Errorf("got error %v, want ErrTooLarge", err)
					}
					return
				}
				if d := diff(tt.m, got); err != nil || d != "" {
					t.Errorf("%v, message (-want +got):\n%s", err, d)
				}
			})
		}
	}
}

func tinyFields(n int) bhttp.Fields {
	fields := make(bhttp.Fields, n)
	for i := range fields {
		fields[i].Name = "a"
	}
	return fields
}
