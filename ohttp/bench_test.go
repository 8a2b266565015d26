// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

var chunkSizes = []int{100, MaxChunk}

// sealedStream is a response of so many chunks of the same size, without its end.
func sealedStream(t testing.TB, suite Suite, size, count int) (*SealedRequest, []byte) {
	t.Helper()
	p := newPair(t, KEMX25519, suite, Chunked)
	req, opened := p.exchange(t)
	var w bytes.Buffer
	w.Grow(count * (size + tagLen + 4))
	s, err := opened.SealResponse(&w)
	if err != nil {
		t.Fatal(err)
	}
	chunk := pattern(size)
	for range count {
		if err := s.WriteChunk(chunk); err != nil {
			t.Fatal(err)
		}
	}
	return req, w.Bytes()
}

// Tokens of an answer pass here one by one.
func TestAllocationsPerChunk(t *testing.T) {
	const runs = 200
	for _, suite := range supportedSuites() {
		for _, size := range chunkSizes {
			p := newPair(t, KEMX25519, suite, Chunked)
			_, opened := p.exchange(t)
			s, err := opened.SealResponse(io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			chunk := pattern(size)
			sealing := testing.AllocsPerRun(runs, func() {
				if err := s.WriteChunk(chunk); err != nil {
					t.Fatal(err)
				}
			})
			req, stream := sealedStream(t, suite, size, runs+1)
			r := req.OpenResponse(bytes.NewReader(stream), 0)
			buf := make([]byte, MaxChunk)
			opening := testing.AllocsPerRun(runs, func() {
				if n, err := r.Read(buf); err != nil || n != size {
					t.Fatalf("Read = %d, %v", n, err)
				}
			})
			if sealing > 1 || opening > 1 {
				t.Errorf("AEAD %d, %d bytes: %v allocations to seal, %v to open; want at most 1",
					suite.AEAD, size, sealing, opening)
			}
		}
	}
}

func BenchmarkSealOpenRequest(b *testing.B) {
	for _, kem := range kems {
		for _, size := range []int{2 << 10, 256 << 10} {
			b.Run(fmt.Sprintf("KEM=%#04x/%d", uint16(kem), size), func(b *testing.B) {
				p := newPair(b, kem, supportedSuites()[0], Chunked)
				plain := pattern(size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					req, err := SealRequest(&p.cfg, p.f, bytes.NewReader(plain))
					if err != nil {
						b.Fatal(err)
					}
					opened, err := p.ring.OpenRequest(req, p.f, 0)
					if err != nil {
						b.Fatal(err)
					}
					if n, err := io.Copy(io.Discard, opened); err != nil || n != int64(size) {
						b.Fatal(n, err)
					}
				}
			})
		}
	}
}

func BenchmarkSealRequestOnly(b *testing.B) {
	for _, kem := range kems {
		b.Run(fmt.Sprintf("KEM=%#04x", uint16(kem)), func(b *testing.B) {
			p := newPair(b, kem, supportedSuites()[0], Chunked)
			plain := pattern(2 << 10)
			b.ReportAllocs()
			for b.Loop() {
				req, err := SealRequest(&p.cfg, p.f, bytes.NewReader(plain))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func forEachChunkSize(b *testing.B, bench func(b *testing.B, suite Suite, size int)) {
	for _, suite := range supportedSuites() {
		for _, size := range chunkSizes {
			b.Run(fmt.Sprintf("AEAD=%d/%d", suite.AEAD, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				bench(b, suite, size)
			})
		}
	}
}

func BenchmarkSealResponseChunk(b *testing.B) {
	forEachChunkSize(b, func(b *testing.B, suite Suite, size int) {
		p := newPair(b, KEMX25519, suite, Chunked)
		_, opened := p.exchange(b)
		s, err := opened.SealResponse(io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		chunk := pattern(size)
		for b.Loop() {
			if err := s.WriteChunk(chunk); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOpenResponseChunk(b *testing.B) {
	forEachChunkSize(b, func(b *testing.B, suite Suite, size int) {
		const count = 1000
		req, stream := sealedStream(b, suite, size, count)
		buf := make([]byte, MaxChunk)
		var r io.Reader
		left := 0
		for b.Loop() {
			if left == 0 {
				r, left = req.OpenResponse(bytes.NewReader(stream), 0), count
			}
			if n, err := r.Read(buf); err != nil || n != size {
				b.Fatal(n, err)
			}
			left--
		}
	})
}

func BenchmarkParseKeyConfigs(b *testing.B) {
	xwing, x25519 := testConfigs(b)
	list, err := MarshalKeyConfigs([]KeyConfig{xwing, x25519})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseKeyConfigs(list); err != nil {
			b.Fatal(err)
		}
	}
}
