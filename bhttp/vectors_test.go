// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/bhttp"
)

// vector is an example of RFC 9292 section 5.
type vector struct {
	Name    string `json:"name"`
	Hex     string `json:"hex"`
	Decoded struct {
		Framing       int    `json:"framing"`
		Method        string `json:"method"`
		Scheme        string `json:"scheme"`
		Authority     string `json:"authority"`
		Path          string `json:"path"`
		Informational []struct {
			Status int         `json:"status"`
			Fields [][2]string `json:"fields"`
		} `json:"informational"`
		Status      int         `json:"status"`
		Fields      [][2]string `json:"fields"`
		ContentHex  string      `json:"content_hex"`
		Trailers    [][2]string `json:"trailers"`
		Padding     int         `json:"padding"`
		Truncatable int         `json:"truncatable_bytes"`
	} `json:"decoded"`
}

func loadVectors(t testing.TB) []vector {
	t.Helper()
	raw, err := os.ReadFile("testdata/rfc9292.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Examples []vector `json:"examples"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Examples) != 4 {
		t.Fatalf("got %d examples, want 4", len(file.Examples))
	}
	return file.Examples
}

func (v *vector) bytes(t testing.TB) []byte { return unhex(t, v.Hex) }

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (v *vector) message(t testing.TB) *message {
	d := &v.Decoded
	m := &message{
		Method: d.Method, Scheme: d.Scheme, Authority: d.Authority, Path: d.Path,
		Status: d.Status, Fields: pairs(d.Fields), Content: string(unhex(t, d.ContentHex)), Trailer: pairs(d.Trailers),
	}
	for _, i := range d.Informational {
		m.Informational = append(m.Informational,
			bhttp.Informational{Status: i.Status, Fields: pairs(i.Fields)})
	}
	return m
}

func pairs(in [][2]string) bhttp.Fields {
	var out bhttp.Fields
	for _, p := range in {
		out = append(out, bhttp.Field{Name: p[0], Value: p[1]})
	}
	return out
}

func TestVectorsDecode(t *testing.T) {
	for _, v := range loadVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			want := v.message(t)
			got, err := want.reader()(bytes.NewReader(v.bytes(t)), bhttp.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(want, got); d != "" {
				t.Errorf("decoded (-want +got):\n%s", d)
			}
		})
	}
}

func TestVectorsTruncated(t *testing.T) {
	for _, v := range loadVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			want, b := v.message(t), v.bytes(t)
			removable := v.Decoded.Truncatable
			if removable == 0 && len(v.Decoded.Trailers) == 0 {
				removable = 1 // the RFC gives no number here: it is the empty trailer section
			}
			for n := range len(b) {
				got, err := want.reader()(bytes.NewReader(b[:n]), bhttp.Limits{})
				d := diff(want, got)
				switch {
				case err != nil && !errors.Is(err, bhttp.ErrTruncated):
					t.Errorf("first %d bytes: got error %v, want ErrTruncated or none", n, err)
				case n < len(b)-removable && d == "":
					t.Errorf("first %d bytes: got the whole message", n)
				case n >= len(b)-removable && d != "":
					t.Errorf("first %d bytes: %v (-want +got):\n%s", n, err, d)
				}
			}
		})
	}
}

func TestVectorsEncode(t *testing.T) {
	for _, v := range loadVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			m := v.message(t)
			var got []byte
			var err error
			switch v.Decoded.Framing {
			case 0, 1:
				got, err = m.encodeKnown()
			case 2:
				t.Skip("requests are written with known length only")
			case 3:
				if got, err = bhttp.AppendResponseHead(nil, m.response()); err == nil {
					got, err = bhttp.AppendContentEnd(bhttp.AppendContentChunk(got, []byte(m.Content)), m.Trailer)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, make([]byte, v.Decoded.Padding)...)
			if diff := cmp.Diff(v.Hex, hex.EncodeToString(got)); diff != "" {
				t.Errorf("encoded (-want +got):\n%s", diff)
			}
		})
	}
}
