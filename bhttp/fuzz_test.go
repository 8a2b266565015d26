// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tokengo/tokengo/bhttp"
)

// fuzzLimits are tight, so that the fuzzer meets them.
var fuzzLimits = bhttp.Limits{FieldBytes: 2 << 10, BodyBytes: 4 << 10}

// fuzzAlloc is many times what a message within fuzzLimits takes, and nothing to what one can declare.
const fuzzAlloc = 256 << 10

func FuzzReadRequest(f *testing.F)  { fuzz(f, readRequest) }
func FuzzReadResponse(f *testing.F) { fuzz(f, readResponse) }

func fuzz(f *testing.F, read readFunc) {
	for _, v := range loadVectors(f) {
		f.Add(v.bytes(f))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var got *message
		var err error
		if n := allocated(func() { got, err = read(bytes.NewReader(in), fuzzLimits) }); n > fuzzAlloc {
			t.Fatalf("allocated %d bytes, want at most %d", n, fuzzAlloc)
		}
		checkSplit(t, read, in, got, err)
		if err != nil {
			checkError(t, err)
			return
		}
		checkBounds(t, in, got)
		checkAgain(t, got)
	})
}

// checkSplit checks that the outcome does not depend on how the bytes arrive.
func checkSplit(t *testing.T, read readFunc, in []byte, want *message, wantErr error) {
	t.Helper()
	got, err := read(iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(in))), fuzzLimits)
	if errText(err) != errText(wantErr) {
		t.Fatalf("byte by byte: got error %v, want %v", err, wantErr)
	}
	if d := diff(want, got); d != "" {
		t.Fatalf("byte by byte: message (-want +got):\n%s", d)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// checkError checks that a message is refused for one reason.
func checkError(t *testing.T, err error) {
	t.Helper()
	n := 0
	for _, sentinel := range []error{bhttp.ErrTruncated, bhttp.ErrInvalid, bhttp.ErrTooLarge} {
		if errors.Is(err, sentinel) {
			n++
		}
	}
	if n != 1 {
		t.Fatalf("error %v is %d of the package's errors, want 1", err, n)
	}
}

// checkBounds checks that what was decoded is within its limits and within what was sent.
func checkBounds(t *testing.T, in []byte, m *message) {
	t.Helper()
	fields := len(m.Method) + len(m.Scheme) + len(m.Authority) + len(m.Path)
	fields += fieldCost(m.Fields) + fieldCost(m.Trailer)
	for _, info := range m.Informational {
		fields += 32 + fieldCost(info.Fields)
	}
	if fields > fuzzLimits.FieldBytes {
		t.Fatalf("fields cost %d, want at most %d", fields, fuzzLimits.FieldBytes)
	}
	if n := len(m.Content); int64(n) > fuzzLimits.BodyBytes || n > len(in) {
		t.Fatalf("%d bytes of content in a message of %d, limit %d", n, len(in), fuzzLimits.BodyBytes)
	}
}

func fieldCost(fields bhttp.Fields) (n int) {
	for _, f := range fields {
		n += len(f.Name) + len(f.Value) + 32
	}
	return n
}

// checkAgain checks that what was decoded can be written, and then read as the same.
func checkAgain(t *testing.T, m *message) {
	t.Helper()
	want := withoutConnection(m)
	encoders := []func() ([]byte, error){m.encodeKnown}
	if m.Status != 0 {
		encoders = append(encoders, m.encodeStream)
	}
	for _, encode := range encoders {
		b, err := encode()
		if err != nil {
			t.Fatalf("write what was read: %v", err)
		}
		got, err := m.reader()(bytes.NewReader(b), bhttp.Limits{})
		if err != nil {
			t.Fatalf("read what was written: %v", err)
		}
		if d := diff(want, got); d != "" {
			t.Fatalf("read, written and read (-want +got):\n%s", d)
		}
	}
}

// withoutConnection returns m as the package writes it.
func withoutConnection(m *message) *message {
	out := *m
	out.Fields = endToEnd(m.Fields)
	out.Trailer = endToEnd(m.Trailer)
	out.Informational = nil
	for _, info := range m.Informational {
		info.Fields = endToEnd(info.Fields)
		out.Informational = append(out.Informational, info)
	}
	return &out
}

func endToEnd(fields bhttp.Fields) bhttp.Fields {
	drop := ",connection,keep-alive,proxy-connection,te,transfer-encoding,upgrade,"
	for _, f := range fields {
		if f.Name == "connection" {
			drop += strings.ToLower(strings.NewReplacer(" ", "", "\t", "").Replace(f.Value)) + ","
		}
	}
	var out bhttp.Fields
	for _, f := range fields {
		if !strings.Contains(drop, ","+f.Name+",") {
			out = append(out, f)
		}
	}
	return out
}
