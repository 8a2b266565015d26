// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/bhttp"
)

func TestAppendContentChunkAllocatesNothing(t *testing.T) {
	chunk := make([]byte, 16<<10)
	dst := make([]byte, 0, len(chunk)+8)
	if got := testing.AllocsPerRun(100, func() { dst = bhttp.AppendContentChunk(dst[:0], chunk) }); got != 0 {
		t.Errorf("AppendContentChunk allocates %v times, want 0", got)
	}
}

func TestBodyReadAllocatesNothing(t *testing.T) {
	chunks := &repeat{piece: chunkOf(1000), left: 1 << 30}
	src := io.MultiReader(strings.NewReader("\x03\x40\xc8\x00"), chunks)
	resp, err := bhttp.ReadResponse(src, bhttp.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 4<<10)
	got := testing.AllocsPerRun(1000, func() {
		if _, err := resp.Body.Read(p); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Errorf("Read allocates %v times, want 0", got)
	}
}

func TestAppendRequestHeadAllocatesNothing(t *testing.T) {
	m, _ := full()
	req := &bhttp.Request{Method: m.Method, Scheme: m.Scheme, Path: m.Path, Fields: m.Fields}
	dst := make([]byte, 0, 4<<10)
	got := testing.AllocsPerRun(100, func() {
		if _, err := bhttp.AppendRequestHead(dst, req, 100); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Errorf("AppendRequestHead allocates %v times, want 0", got)
	}
}

func BenchmarkReadRequest(b *testing.B) {
	m, _ := full()
	in, err := m.encodeKnown()
	if err != nil {
		b.Fatal(err)
	}
	r := bytes.NewReader(in)
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(in)
		req, err := bhttp.ReadRequest(r, bhttp.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadResponseChunk(b *testing.B) {
	chunks := &repeat{piece: chunkOf(16 << 10), left: 1 << 40}
	src := io.MultiReader(strings.NewReader("\x03\x40\xc8\x00"), chunks)
	resp, err := bhttp.ReadResponse(src, bhttp.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	p := make([]byte, 16<<10)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.ReadFull(resp.Body, p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendRequestHead(b *testing.B) {
	m, _ := full()
	req := &bhttp.Request{Method: m.Method, Scheme: m.Scheme, Path: m.Path, Fields: m.Fields}
	dst := make([]byte, 0, 4<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bhttp.AppendRequestHead(dst, req, 100); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendContentChunk(b *testing.B) {
	chunk := make([]byte, 16<<10)
	dst := make([]byte, 0, len(chunk)+8)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		dst = bhttp.AppendContentChunk(dst[:0], chunk)
	}
}
