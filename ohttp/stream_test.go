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
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// chunkLens returns the sizes of the plaintexts in a sealed message.
func chunkLens(t testing.TB, msg []byte, headLen int) []int {
	t.Helper()
	var lens []int
	for _, c := range split(t, msg, headLen).chunks {
		lens = append(lens, len(c)-tagLen)
	}
	return lens
}

// A request has the length that can be announced before any of it is read.
func TestSealedRequestLen(t *testing.T) {
	for _, kem := range []KEM{KEMX25519, KEMXWing} {
		for _, f := range []Format{Whole, Chunked} {
			p := newPair(t, kem, supportedSuites()[0], f)
			for _, size := range []int{0, 1, 63, 64, MaxChunk - 1, MaxChunk, MaxChunk + 1, 2 * MaxChunk, 5*MaxChunk + 7} {
				req, err := SealRequest(&p.cfg, f, bytes.NewReader(pattern(size)))
				if err != nil {
					t.Fatal(err)
				}
				want := req.Len(int64(size))
				sealed, err := io.ReadAll(req)
				if err != nil {
					t.Fatal(err)
				}
				if after := req.Len(int64(size)); int64(len(sealed)) != want || after != want {
					t.Errorf("KEM %#04x, %v, %d bytes: %d sealed; Len said %d before and %d after", uint16(kem), f, size, len(sealed), want, after)
				}
			}
		}
	}
}

// What a request took to be sealed and opened must not be held while its response streams.
func TestRequestsHoldNoMemory(t *testing.T) {
	for _, f := range []Format{Whole, Chunked} {
		p := newPair(t, KEMX25519, supportedSuites()[0], f)
		req, err := SealRequest(&p.cfg, f, bytes.NewReader(pattern(3*MaxChunk)))
		if err != nil {
			t.Fatal(err)
		}
		opened, err := p.ring.OpenRequest(req, f, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(opened); err != nil {
			t.Fatal(err)
		}
		if _, err := req.Read(make([]byte, 1)); err != io.EOF {
			t.Fatalf("read on: %v", err)
		}
		if n := cap(req.plain) + cap(req.store) + cap(opened.msg.in.buf); n != 0 || req.src != nil || opened.msg.in.src != nil {
			t.Errorf("%v: %d bytes and the sources are held: %v, %v", f, n, req.src, opened.msg.in.src)
		}
	}
}

// The chunks of a request depend on the size of its content only.
func TestRequestChunksAreFull(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	tests := []struct {
		size int
		want []int
	}{
		{0, []int{0}},
		{1, []int{1}},
		{MaxChunk - 1, []int{MaxChunk - 1}},
		{MaxChunk, []int{MaxChunk}},
		{MaxChunk + 1, []int{MaxChunk, 1}},
		{2 * MaxChunk, []int{MaxChunk, MaxChunk}},
		{2*MaxChunk + 7, []int{MaxChunk, MaxChunk, 7}},
	}
	for _, tt := range tests {
		plain := pattern(tt.size)
		sources := map[string]io.Reader{
			"whole":         bytes.NewReader(plain),
			"one byte":      iotest.OneByteReader(bytes.NewReader(plain)),
			"data with EOF": iotest.DataErrReader(bytes.NewReader(plain)),
			"empty reads":   &stutterReader{r: bytes.NewReader(plain)},
			"three readers": io.MultiReader(
				bytes.NewReader(plain[:tt.size/3]), strings.NewReader(""), bytes.NewReader(plain[tt.size/3:])),
		}
		for name, src := range sources {
			req, err := SealRequest(&p.cfg, Chunked, src)
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := io.ReadAll(iotest.HalfReader(req))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, chunkLens(t, sealed, headerLen+32)); diff != "" {
				t.Errorf("%d bytes from %s: %s", tt.size, name, diff)
			}
			if got, err := p.open(bytes.NewReader(sealed)); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes from %s: opened as %d bytes, %v", tt.size, name, len(got), err)
			}
		}
	}
}

// scriptReader returns one step for each Read and counts them.
type scriptReader struct {
	steps [][]byte
	reads int
}

func (s *scriptReader) Read(p []byte) (int, error) {
	s.reads++
	if len(s.steps) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.steps[0])
	if s.steps[0] = s.steps[0][n:]; len(s.steps[0]) == 0 {
		s.steps = s.steps[1:]
	}
	return n, nil
}

// Content is sealed when it is asked for, one chunk and one byte ahead at most.
func TestRequestIsSealedLazily(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	src := &scriptReader{steps: [][]byte{pattern(MaxChunk + 1), pattern(MaxChunk), pattern(10)}}
	req, err := SealRequest(&p.cfg, Chunked, src)
	if err != nil || src.reads != 0 {
		t.Fatalf("SealRequest read %d times, %v; want 0", src.reads, err)
	}
	first := make([]byte, headerLen+32+4+MaxChunk+tagLen)
	for i, want := range []int{2, 3} { // two for the first, whose buffer begins small
		if _, err := io.ReadFull(req, first); err != nil || src.reads != want {
			t.Errorf("chunk %d: %d reads of the source, %v; want %d", i, src.reads, err, want)
		}
		first = first[:4+MaxChunk+tagLen]
	}
}

func TestRequestSourceErrors(t *testing.T) {
	broken := errors.New("file vanished")
	for _, f := range formats {
		p := newPair(t, KEMX25519, supportedSuites()[0], f)
		for _, tt := range []struct{ failure, want error }{
			{broken, broken},
			{io.ErrUnexpectedEOF, ErrTruncated},
			{fmt.Errorf("read: %w", io.EOF), ErrTruncated},
		} {
			for _, size := range []int{0, 10, MaxChunk, MaxChunk + 1, 2 * MaxChunk} {
				src := io.MultiReader(bytes.NewReader(pattern(size)), failReader{tt.failure})
				req, err := SealRequest(&p.cfg, f, src)
				if err != nil {
					t.Fatal(err)
				}
				sealed, err := io.ReadAll(req)
				if !errors.Is(err, tt.want) || errors.Is(err, io.EOF) {
					t.Errorf("%v, %d bytes and %q: got %v, want %v", f, size, tt.failure, err, tt.want)
				}
				if got, err := p.open(bytes.NewReader(sealed)); !errors.Is(err, ErrTruncated) {
					t.Errorf("%v, %d bytes and %q: what was sealed opens as %d bytes, %v", f, size, tt.failure, len(got), err)
				}
			}
		}
	}
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	req, err := SealRequest(&p.cfg, Chunked, failReader{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(req); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("source without progress: got %v", err)
	}
}

// A chunk is returned once its last byte is there: a source that waits for more is not read again.
func TestChunksAreReturnedAtOnce(t *testing.T) {
	chunks := [][]byte{[]byte("first"), pattern(9000), pattern(MaxChunk), []byte("x"), nil}
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	for _, d := range directions(t, p, chunks...) {
		parts := split(t, d.sealed, d.headLen)
		src := &scriptReader{steps: [][]byte{d.sealed[:d.headLen]}}
		for i, c := range parts.chunks[:len(parts.chunks)-1] {
			// Each step ends with a chunk; its length came with the step before.
			src.steps[i] = append(bytes.Clone(src.steps[i]), appendVarint(nil, len(c))...)
			src.steps = append(src.steps, c)
		}
		var r io.Reader
		if d.name == "request" {
			opened, err := p.ring.OpenRequest(src, Chunked, 0)
			if err != nil {
				t.Fatal(err)
			}
			r = opened
		} else {
			r = responseReader(t, p, src, chunks)
		}
		for i, want := range chunks[:len(chunks)-1] {
			got := make([]byte, 2*MaxChunk)
			n, err := r.Read(got)
			if err != nil || !bytes.Equal(got[:n], want) {
				t.Fatalf("%s, chunk %d: got %d bytes, %v; want %d", d.name, i, n, err, len(want))
			}
			if left := len(chunks) - 2 - i; len(src.steps) != left {
				t.Errorf("%s, chunk %d: %d steps of the source left, want %d", d.name, i, len(src.steps), left)
			}
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, ErrTruncated) {
			t.Errorf("%s, behind the last step: got %d, %v", d.name, n, err)
		}
	}
}

// responseReader seals chunks as a response and lets src return it as it did the one it had.
func responseReader(t *testing.T, p *pair, src *scriptReader, chunks [][]byte) io.Reader {
	t.Helper()
	req, opened := p.exchange(t)
	sealed := sealResponse(t, opened, chunks...)
	for i, step := range src.steps {
		src.steps[i], sealed = sealed[:len(step)], sealed[len(step):]
	}
	return req.OpenResponse(src, 0)
}

// Several chunks that arrive in one Read are returned one by one, without reading again.
func TestChunksStayApart(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	req, opened := p.exchange(t)
	sealed := sealResponse(t, opened, []byte("one"), []byte("two"), []byte("three"))
	src := &scriptReader{steps: [][]byte{sealed}}
	r := req.OpenResponse(src, 0)
	if src.reads != 0 {
		t.Errorf("OpenResponse read %d times", src.reads)
	}
	buf := make([]byte, 100)
	for i, want := range []string{"one", "two", "three"} {
		n, err := r.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Errorf("got %q, %v; want %q", buf[:n], err, want)
		}
		if wantReads := 1 + i/2; src.reads != wantReads { // only the final chunk needs to see the end
			t.Errorf("%q took %d reads, want %d", want, src.reads, wantReads)
		}
	}
	if n, err := r.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("got %d, %v; want io.EOF", n, err)
	}
	if err := iotest.TestReader(req.OpenResponse(bytes.NewReader(sealed), 0), []byte("onetwothree")); err != nil {
		t.Error(err)
	}
}

// countWriter keeps every Write apart.
type countWriter struct {
	writes [][]byte
	err    error
	short  bool
}

func (w *countWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.short {
		return len(p) - 1, nil
	}
	w.writes = append(w.writes, bytes.Clone(p))
	return len(p), nil
}

func TestResponseWrites(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	_, opened := p.exchange(t)
	var w countWriter
	s, err := opened.SealResponse(&w)
	if err != nil {
		t.Fatal(err)
	}
	const nonce, overhead = 16, tagLen
	steps := []struct {
		write func() error
		want  []int // sizes of Writes so far
	}{
		{func() error { return nil }, nil},
		{func() error { return s.WriteChunk(nil) }, nil},
		{func() error { return s.WriteChunk([]byte("a")) }, []int{nonce + 1 + 1 + overhead}},
		{func() error { return s.WriteChunk([]byte{}) }, []int{34}},
		{func() error { return s.WriteChunk(pattern(100)) }, []int{34, 2 + 100 + overhead}},
		{func() error { return s.WriteChunk(pattern(MaxChunk)) }, []int{34, 118, 4 + MaxChunk + overhead}},
		{func() error { return s.WriteChunk(pattern(MaxChunk + 1)) }, []int{34, 118, 16404, 16404 + 1 + 1 + overhead}},
		{func() error { return s.Close(pattern(2 * MaxChunk)) }, []int{34, 118, 16404, 16422, 16404 + 1 + MaxChunk + overhead}},
	}
	for i, step := range steps {
		if err := step.write(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		var got []int
		for _, p := range w.writes {
			got = append(got, len(p))
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
	}
	for name, err := range map[string]error{
		"WriteChunk": s.WriteChunk([]byte("x")), "empty WriteChunk": s.WriteChunk(nil), "Close": s.Close(nil),
	} {
		if err == nil {
			t.Errorf("%s after Close worked", name)
		}
	}
	if len(w.writes) != 5 {
		t.Errorf("%d writes, want 5", len(w.writes))
	}
}

func TestWholeResponseIsWrittenOnce(t *testing.T) {
	p := newPair(t, KEMXWing, supportedSuites()[1], Whole)
	req, opened := p.exchange(t)
	var w countWriter
	s, err := opened.SealResponse(&w)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"one ", "", "two "} {
		if err := s.WriteChunk([]byte(c)); err != nil || len(w.writes) != 0 {
			t.Fatalf("WriteChunk: %v, %d writes", err, len(w.writes))
		}
	}
	if err := s.Close([]byte("three")); err != nil || len(w.writes) != 1 {
		t.Fatalf("Close: %v, %d writes", err, len(w.writes))
	}
	got, err := io.ReadAll(req.OpenResponse(bytes.NewReader(w.writes[0]), 0))
	if err != nil || string(got) != "one two three" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := s.Close(nil); err == nil {
		t.Error("Close after Close worked")
	}
}

// After a failed write nothing more is written, the end least of all.
func TestResponseWriteErrors(t *testing.T) {
	broken := errors.New("tunnel closed")
	for _, f := range formats {
		for _, tt := range []struct {
			w    countWriter
			want error
		}{
			{countWriter{err: broken}, broken},
			{countWriter{short: true}, io.ErrShortWrite},
		} {
			p := newPair(t, KEMX25519, supportedSuites()[0], f)
			_, opened := p.exchange(t)
			s, err := opened.SealResponse(&tt.w)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.WriteChunk([]byte("x")); f == Chunked && !errors.Is(err, tt.want) {
				t.Errorf("%v: WriteChunk: got %v, want %v", f, err, tt.want)
			}
			if err := s.Close(nil); !errors.Is(err, tt.want) {
				t.Errorf("%v: Close: got %v, want %v", f, err, tt.want)
			}
			tt.w = countWriter{}
			if s.WriteChunk([]byte("x")) == nil || s.Close(nil) == nil || len(tt.w.writes) != 0 {
				t.Errorf("%v: %d writes after a failure, want 0", f, len(tt.w.writes))
			}
		}
	}
}

// A response that is not closed is truncated, however much was written.
func TestUnclosedResponse(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	req, opened := p.exchange(t)
	var w bytes.Buffer
	s, err := opened.SealResponse(&w)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.WriteChunk([]byte("part ")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(req.OpenResponse(&w, 0))
	if string(got) != "part part part " || !errors.Is(err, ErrTruncated) {
		t.Errorf("got %q, %v; want ErrTruncated", got, err)
	}
}

func TestResponseNoncesAreFresh(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Whole)
	_, opened := p.exchange(t)
	seen := map[string]bool{}
	for range 100 {
		seen[string(sealResponse(t, opened, nil)[:16])] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d different nonces of 100", len(seen))
	}
}

// The limit on chunks holds on both sides, before a nonce could repeat.
func TestResponseChunkLimit(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	_, opened := p.exchange(t)
	var w countWriter
	s, err := opened.SealResponse(&w)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := opened.exchange.responseCipher(s.buf)
	if err != nil {
		t.Fatal(err)
	}
	s.cipher.count = maxResponseChunks - 1
	receiver.count = maxResponseChunks - 1
	if err := s.WriteChunk([]byte("the last one")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(nil); !errors.Is(err, ErrTooLarge) || len(w.writes) != 1 {
		t.Errorf("one more: got %v and %d writes, want ErrTooLarge and 1", err, len(w.writes))
	}
	sealed := w.writes[0][16+1:]
	if got, err := receiver.open(nil, sealed); err != nil || string(got) != "the last one" {
		t.Errorf("open: got %q, %v", got, err)
	}
	m := messageReader{format: Chunked, doing: "open", open: receiver.open}
	m.in.src = bytes.NewReader(append([]byte{20}, pattern(20)...))
	if _, err := m.Read(make([]byte, 10)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("open one more: got %v, want ErrTooLarge", err)
	}
}

// One large write must not hold its memory for the rest of a long stream.
func TestResponseBufferShrinks(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	_, opened := p.exchange(t)
	s, err := opened.SealResponse(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriteChunk(make([]byte, 1<<20)); err != nil || cap(s.buf) > 2*maxSealedChunk {
		t.Errorf("%d bytes held, %v", cap(s.buf), err)
	}
}
