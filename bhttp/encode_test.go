// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/bhttp"
)

// golden is what an Append function has to append.
type golden struct {
	name   string
	append func(dst []byte) ([]byte, error)
	want   string
}

var goldenFields = bhttp.Fields{{Name: "a", Value: "b"}, {Name: "cd", Value: ""}}

func goldenResponse() *bhttp.Response {
	return &bhttp.Response{
		Informational: []bhttp.Informational{{Status: 100}, {Status: 103, Fields: goldenFields[:1]}},
		Status:        599, Fields: goldenFields, Trailer: goldenFields[:1],
	}
}

func TestAppendKnownGolden(t *testing.T) {
	head := func(req bhttp.Request, contentLen int64) func([]byte) ([]byte, error) {
		return func(dst []byte) ([]byte, error) { return bhttp.AppendRequestHead(dst, &req, contentLen) }
	}
	checkGolden(t, []golden{
		{
			"request head",
			head(bhttp.Request{Method: "GET", Scheme: "https", Authority: "exit", Path: "/"}, 0),
			"\x00\x03GET\x05https\x04exit\x01/\x00\x00",
		},
		{
			"request head with fields and content",
			head(bhttp.Request{Method: "OPTIONS", Scheme: "http", Path: "*", Fields: goldenFields}, 16384),
			"\x00\x07OPTIONS\x04http\x00\x01*\x08\x01a\x01b\x02cd\x00\x80\x00\x40\x00",
		},
		{
			"request head for CONNECT",
			head(bhttp.Request{Method: "CONNECT", Authority: "[::1]:443"}, 1<<62-1),
			"\x00\x07CONNECT\x00\x09[::1]:443\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff",
		},
		{
			"trailer",
			func(dst []byte) ([]byte, error) { return bhttp.AppendTrailer(dst, goldenFields) },
			"\x08\x01a\x01b\x02cd\x00",
		},
		{
			"no trailer",
			func(dst []byte) ([]byte, error) { return bhttp.AppendTrailer(dst, nil) },
			"\x00",
		},
		{
			"response",
			func(dst []byte) ([]byte, error) {
				return bhttp.AppendResponseKnown(dst, goldenResponse(), []byte("hi"))
			},
			"\x01\x40\x64\x00\x40\x67\x04\x01a\x01b\x42\x57\x08\x01a\x01b\x02cd\x00\x02hi\x04\x01a\x01b",
		},
	})
}

func TestAppendIndeterminateGolden(t *testing.T) {
	chunk := func(p string) func([]byte) ([]byte, error) {
		return func(dst []byte) ([]byte, error) { return bhttp.AppendContentChunk(dst, []byte(p)), nil }
	}
	end := func(trailer bhttp.Fields) func([]byte) ([]byte, error) {
		return func(dst []byte) ([]byte, error) { return bhttp.AppendContentEnd(dst, trailer) }
	}
	checkGolden(t, []golden{
		{
			"response head",
			func(dst []byte) ([]byte, error) { return bhttp.AppendResponseHead(dst, goldenResponse()) },
			"\x03\x40\x64\x00\x40\x67\x01a\x01b\x00\x42\x57\x01a\x01b\x02cd\x00\x00",
		},
		{"chunk", chunk(strings.Repeat("x", 64)), "\x40\x40" + strings.Repeat("x", 64)},
		{"empty chunk", chunk(""), ""},
		{"content end", end(nil), "\x00\x00"},
		{"content end with trailer", end(goldenFields), "\x00\x01a\x01b\x02cd\x00\x00"},
	})
}

func checkGolden(t *testing.T, tests []golden) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.append([]byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("before"+tt.want, string(got)); diff != "" {
				t.Errorf("appended (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAppendLeavesOutConnectionFields(t *testing.T) {
	fields := bhttp.Fields{
		{Name: "connection", Value: "close, X-Named ,"},
		{Name: "first", Value: "1"},
		{Name: "keep-alive", Value: "5"},
		{Name: "proxy-connection", Value: "close"},
		{Name: "te", Value: "trailers"},
		{Name: "transfer-encoding", Value: "chunked"},
		{Name: "upgrade", Value: "h2c"},
		{Name: "x-named", Value: "named by the connection field"},
		{Name: "last", Value: "2"},
	}
	want := bhttp.Fields{{Name: "first", Value: "1"}, {Name: "last", Value: "2"}}
	before := append(bhttp.Fields(nil), fields...)
	m := &message{
		Informational: []bhttp.Informational{{Status: 103, Fields: fields}},
		Status:        200, Fields: fields, Trailer: fields,
	}
	for name, encode := range map[string]func() ([]byte, error){
		"known": m.encodeKnown, "indeterminate": m.encodeStream,
	} {
		t.Run(name, func(t *testing.T) {
			b, err := encode()
			if err != nil {
				t.Fatal(err)
			}
			got, err := readResponse(bytes.NewReader(b), bhttp.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			wantMessage := &message{
				Informational: []bhttp.Informational{{Status: 103, Fields: want}},
				Status:        200, Fields: want, Trailer: want,
			}
			if d := diff(wantMessage, got); d != "" {
				t.Errorf("message (-want +got):\n%s", d)
			}
		})
	}
	if diff := cmp.Diff(before, fields); diff != "" {
		t.Errorf("the caller's fields changed (-want +got):\n%s", diff)
	}
}

func TestAppendRefuses(t *testing.T) {
	bad := bhttp.Fields{{Name: "fine", Value: ""}, {Name: "Upper", Value: "secret-value"}}
	get := bhttp.Request{Method: "GET", Scheme: "https", Path: "/"}
	request := func(req bhttp.Request, contentLen int64) func([]byte) ([]byte, error) {
		return func(dst []byte) ([]byte, error) { return bhttp.AppendRequestHead(dst, &req, contentLen) }
	}
	head := func(resp bhttp.Response) func([]byte) ([]byte, error) {
		return func(dst []byte) ([]byte, error) { return bhttp.AppendResponseHead(dst, &resp) }
	}
	known := func(resp bhttp.Response) func([]byte) ([]byte, error) {
		return func(dst []byte) ([]byte, error) { return bhttp.AppendResponseKnown(dst, &resp, nil) }
	}
	tests := []struct {
		name   string
		append func(dst []byte) ([]byte, error)
	}{
		{"zero request", request(bhttp.Request{}, 0)},
		{"request fields", request(bhttp.Request{Method: "GET", Scheme: "https", Path: "/", Fields: bad}, 0)},
		{"negative content length", request(get, -1)},
		{"content length", request(get, math.MaxInt64)},
		{"trailer", func(dst []byte) ([]byte, error) { return bhttp.AppendTrailer(dst, bad) }},
		{"content end", func(dst []byte) ([]byte, error) { return bhttp.AppendContentEnd(dst, bad) }},
		{"zero response", head(bhttp.Response{})},
		{"informational as final", head(bhttp.Response{Status: 199})},
		{"status 600", head(bhttp.Response{Status: 600})},
		{"negative status", known(bhttp.Response{Status: -200})},
		{"response fields", head(bhttp.Response{Status: 200, Fields: bad})},
		{"final as informational", head(bhttp.Response{
			Status: 200, Informational: []bhttp.Informational{{Status: 200}},
		})},
		{"status 99", known(bhttp.Response{Status: 200, Informational: []bhttp.Informational{{Status: 99}}})},
		{"informational fields", known(bhttp.Response{
			Status: 200, Informational: []bhttp.Informational{{Status: 100, Fields: bad}},
		})},
		{"known trailer", known(bhttp.Response{Status: 200, Trailer: bad})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.append([]byte("before"))
			if !errors.Is(err, bhttp.ErrInvalid) {
				t.Fatalf("got error %v, want ErrInvalid", err)
			}
			if strings.Contains(err.Error(), "secret-value") {
				t.Errorf("error quotes the field: %v", err)
			}
			if string(got) != "before" {
				t.Errorf("got %q, want dst as it was", got)
			}
		})
	}
}

func TestFieldsGet(t *testing.T) {
	fields := bhttp.Fields{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}, {Name: "a", Value: "3"}}
	for name, want := range map[string]string{"a": "1", "b": "2", "c": "", "A": ""} {
		if got := fields.Get(name); got != want {
			t.Errorf("Get(%q) = %q, want %q", name, got, want)
		}
	}
}
