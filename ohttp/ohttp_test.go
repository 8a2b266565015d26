// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kems and formats are what most tests run over.
var (
	kems    = []KEM{KEMXWing, KEMX25519}
	formats = []Format{Whole, Chunked}
)

// forEach runs test with every KEM, suite and format.
func forEach(t *testing.T, test func(t *testing.T, p *pair)) {
	t.Helper()
	for _, kem := range kems {
		for _, suite := range supportedSuites() {
			for _, f := range formats {
				name := fmt.Sprintf("KEM=%#04x/AEAD=%d/%v", uint16(kem), suite.AEAD, f)
				t.Run(name, func(t *testing.T) { test(t, newPair(t, kem, suite, f)) })
			}
		}
	}
}

// pair is a client and an exit that share a key.
type pair struct {
	f    Format
	cfg  KeyConfig
	ring *Keyring
}

func newPair(t testing.TB, kem KEM, suite Suite, f Format) *pair {
	t.Helper()
	key, err := NewPrivateKey(7, kem, bytes.Repeat([]byte{0x5a}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &pair{f: f, cfg: onlySuite(key, suite), ring: ringOf(t, key)}
}

func onlySuite(key *PrivateKey, suite Suite) KeyConfig {
	cfg := key.Config()
	cfg.Suites = []Suite{suite}
	return cfg
}

func ringOf(t testing.TB, keys ...*PrivateKey) *Keyring {
	t.Helper()
	ring, err := NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func (p *pair) seal(t testing.TB, plain []byte) (*SealedRequest, []byte) {
	t.Helper()
	req, err := SealRequest(&p.cfg, p.f, bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := io.ReadAll(req)
	if err != nil {
		t.Fatal(err)
	}
	return req, sealed
}

// open returns what can be read, whether or not it ends well.
func (p *pair) open(sealed io.Reader) ([]byte, error) {
	opened, err := p.ring.OpenRequest(sealed, p.f, 0)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(opened)
}

// exchange makes a request and returns its two ends.
func (p *pair) exchange(t testing.TB) (*SealedRequest, *OpenedRequest) {
	t.Helper()
	req, sealed := p.seal(t, []byte("request"))
	opened, err := p.ring.OpenRequest(bytes.NewReader(sealed), p.f, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(opened); err != nil || string(got) != "request" {
		t.Fatalf("opened request: got %q, %v", got, err)
	}
	return req, opened
}

// sealResponse seals chunks, the last of them as the final one.
func sealResponse(t testing.TB, opened *OpenedRequest, chunks ...[]byte) []byte {
	t.Helper()
	var sealed bytes.Buffer
	s, err := opened.SealResponse(&sealed)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chunks[:len(chunks)-1] {
		if err := s.WriteChunk(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(chunks[len(chunks)-1]); err != nil {
		t.Fatal(err)
	}
	return sealed.Bytes()
}

// pattern returns n bytes that differ from place to place.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return p
}

func TestRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 100, MaxChunk - 1, MaxChunk, MaxChunk + 1, 3 * MaxChunk, 3*MaxChunk + 5}
	forEach(t, func(t *testing.T, p *pair) {
		for _, n := range sizes {
			want := pattern(n)
			req, sealed := p.seal(t, want)
			opened, err := p.ring.OpenRequest(bytes.NewReader(sealed), p.f, 0)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(opened)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("request of %d bytes: got %d bytes, %v", n, len(got), err)
			}
			answer := sealResponse(t, opened, []byte("head"), nil, want, want)
			got, err = io.ReadAll(req.OpenResponse(bytes.NewReader(answer), 0))
			if err != nil || !bytes.Equal(got, bytes.Join([][]byte{[]byte("head"), want, want}, nil)) {
				t.Errorf("response of %d bytes: got %d bytes, %v", n, len(got), err)
			}
		}
	})
}

func TestFormats(t *testing.T) {
	tests := []struct {
		contentType  string
		want         Format
		wantOK       bool
		wantResponse Format // that it is the response type of
	}{
		{contentType: "message/ohttp-req", want: Whole, wantOK: true},
		{contentType: "message/ohttp-chunked-req", want: Chunked, wantOK: true},
		{contentType: " Message/OHTTP-Chunked-Req ; a=b; broken", want: Chunked, wantOK: true},
		{contentType: "message/ohttp-res", wantResponse: Whole},
		{contentType: "message/ohttp-chunked-res;v=1", wantResponse: Chunked},
		{contentType: "application/ohttp-keys"},
		{contentType: "message/ohttp-chunked-request"},
		{contentType: ""},
		{contentType: ";"},
	}
	for _, tt := range tests {
		got, ok := FormatOf(tt.contentType)
		if got != tt.want || ok != tt.wantOK {
			t.Errorf("FormatOf(%q) = %v, %v; want %v, %v", tt.contentType, got, ok, tt.want, tt.wantOK)
		}
		for _, f := range []Format{0, Whole, Chunked, 3} {
			want := f != 0 && f == tt.wantResponse
			if got := f.MatchesResponse(tt.contentType); got != want {
				t.Errorf("%v.MatchesResponse(%q) = %v, want %v", f, tt.contentType, got, want)
			}
		}
	}
	if got := fmt.Sprint(Whole, Chunked, Format(0), Format(0).RequestType(), Format(9).ResponseType()); got != "whole chunked Format(0)" {
		t.Errorf("got %q", got)
	}
}

func TestInvalidFormat(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Whole)
	_, sealed := p.seal(t, nil)
	for _, f := range []Format{0, 3} {
		if _, err := SealRequest(&p.cfg, f, strings.NewReader("x")); !errors.Is(err, ErrInvalid) {
			t.Errorf("SealRequest in %v: got %v, want ErrInvalid", f, err)
		}
		if _, err := p.ring.OpenRequest(bytes.NewReader(sealed), f, 0); !errors.Is(err, ErrInvalid) {
			t.Errorf("OpenRequest in %v: got %v, want ErrInvalid", f, err)
		}
	}
}

// A message of one format must not open as the other, nor a response for another request.
func TestFormatsAreNotInterchangeable(t *testing.T) {
	other := map[Format]Format{Whole: Chunked, Chunked: Whole}
	forEach(t, func(t *testing.T, p *pair) {
		req, sealed := p.seal(t, []byte("request"))
		q := *p
		q.f = other[p.f]
		if got, err := q.open(bytes.NewReader(sealed)); err == nil || len(got) > 0 {
			t.Errorf("request sealed %v opened %v: got %q, %v", p.f, q.f, got, err)
		}
		_, opened := p.exchange(t)
		_, otherOpened := q.exchange(t)
		for name, answer := range map[string][]byte{
			"of another request": sealResponse(t, opened, []byte("answer")),
			"of another format":  sealResponse(t, otherOpened, []byte("answer")),
		} {
			got, err := io.ReadAll(req.OpenResponse(bytes.NewReader(answer), 0))
			if err == nil || len(got) > 0 {
				t.Errorf("response %s: got %q, %v", name, got, err)
			}
		}
	})
}

func TestVarint(t *testing.T) {
	tests := []struct {
		in   string
		want uint64
	}{ // the examples of RFC 9000 appendix A.1, and other encodings of the same values
		{"\xc2\x19\x7c\x5e\xff\x14\xe8\x8c", 151288809941952652},
		{"\x9d\x7f\x3e\x7d", 494878333},
		{"\x7b\xbd", 15293},
		{"\x25", 37},
		{"\x40\x25", 37},
		{"\x80\x00\x00\x25", 37},
		{"\xc0\x00\x00\x00\x00\x00\x00\x25", 37},
		{"\x00", 0},
		{"\x40\x00", 0},
	}
	for _, tt := range tests {
		b := inBuffer{src: strings.NewReader(tt.in + "rest")}
		got, err := b.varint()
		if err != nil || got != tt.want {
			t.Errorf("varint(%x) = %d, %v; want %d", tt.in, got, err, tt.want)
		}
		rest, err := b.rest(4)
		if diff := cmp.Diff("rest", string(rest)); diff != "" || err != nil {
			t.Errorf("behind varint(%x): %v, %s", tt.in, err, diff)
		}
		for n := range len(tt.in) {
			b := inBuffer{src: strings.NewReader(tt.in[:n])}
			if v, err := b.varint(); err == nil {
				t.Errorf("varint(%x) = %d, want an error", tt.in[:n], v)
			}
		}
	}
	for _, v := range []int{0, 1, 63, 64, 16383, 16384, maxSealedChunk, 1<<30 - 1} {
		b := inBuffer{src: bytes.NewReader(appendVarint(nil, v))}
		if got, err := b.varint(); err != nil || got != uint64(v) {
			t.Errorf("varint(appendVarint(%d)) = %d, %v", v, got, err)
		}
	}
}
