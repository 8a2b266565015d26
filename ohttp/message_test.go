// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// pieces are the parts of a chunked message that can be moved about.
type pieces struct {
	head   []byte   // header and encapsulated key, or nonce
	chunks [][]byte // sealed, without lengths; the last one is final
}

func (p pieces) join() []byte {
	msg := bytes.Clone(p.head)
	for i, c := range p.chunks {
		n := len(c)
		if i == len(p.chunks)-1 {
			n = 0
		}
		msg = append(appendVarint(msg, n), c...)
	}
	return msg
}

// split takes a chunked message apart.
func split(t testing.TB, msg []byte, headLen int) pieces {
	t.Helper()
	p := pieces{head: msg[:headLen]}
	b := inBuffer{src: bytes.NewReader(msg[headLen:])}
	for {
		n, err := b.varint()
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			last, err := b.rest(maxSealedChunk)
			if err != nil {
				t.Fatal(err)
			}
			p.chunks = append(p.chunks, bytes.Clone(last))
			return p
		}
		if err := b.fill(int(n)); err != nil {
			t.Fatal(err)
		}
		p.chunks = append(p.chunks, bytes.Clone(b.take(int(n))))
	}
}

// direction is a sealed message and the way to open it: what holds for both directions is tested on both.
type direction struct {
	name    string
	plain   []byte
	sealed  []byte
	headLen int
	open    func(io.Reader) ([]byte, error)
}

// directions seals the same chunks as a request and as a response.
func directions(t testing.TB, p *pair, chunks ...[]byte) []direction {
	t.Helper()
	req, opened := p.exchange(t)
	params, _ := p.cfg.KEM.params()
	return []direction{
		{
			name: "request", plain: bytes.Join(chunks, nil), sealed: sealRequestChunks(t, p, chunks),
			headLen: headerLen + params.enc, open: p.open,
		},
		{
			name: "response", plain: bytes.Join(chunks, nil), sealed: sealResponse(t, opened, chunks...),
			headLen: p.cfg.Suites[0].entropyLen(),
			open:    func(r io.Reader) ([]byte, error) { return io.ReadAll(req.OpenResponse(r, 0)) },
		},
	}
}

// sealRequestChunks seals exactly these chunks, which Read of a SealedRequest would fill up. An empty
// chunk that is not final is possible here and forbidden on the wire.
func sealRequestChunks(t testing.TB, p *pair, chunks [][]byte) []byte {
	t.Helper()
	req, err := SealRequest(&p.cfg, p.f, bytes.NewReader(bytes.Join(chunks, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if p.f == Whole {
		sealed, err := io.ReadAll(req)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	sealed := req.head
	for i, c := range chunks {
		if sealed, err = appendRequestChunk(sealed, req.ctx, c, i == len(chunks)-1); err != nil {
			t.Fatal(err)
		}
	}
	return sealed
}

// mustFail opens msg, which is not what was sealed: there must be an error of ours that is not io.EOF,
// and what came before it must be the beginning of the plaintext.
func (d direction) mustFail(t *testing.T, what string, msg []byte) {
	t.Helper()
	got, err := d.open(bytes.NewReader(msg))
	if err == nil || errors.Is(err, io.EOF) {
		t.Errorf("%s, %s: opened as %d bytes, %v", d.name, what, len(got), err)
		return
	}
	known := []error{ErrTruncated, ErrInvalid, ErrTooLarge, ErrUnknownKey}
	if !containsIs(known, err) {
		t.Errorf("%s, %s: error %q is none of ours", d.name, what, err)
	}
	if !bytes.HasPrefix(d.plain, got) {
		t.Errorf("%s, %s: returned %d bytes that are not the beginning of the message", d.name, what, len(got))
	}
}

func containsIs(targets []error, err error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

func TestMalleability(t *testing.T) {
	forEach(t, func(t *testing.T, p *pair) {
		for _, d := range directions(t, p, []byte("first"), []byte("second"), []byte("last")) {
			if got, err := d.open(bytes.NewReader(d.sealed)); err != nil || !bytes.Equal(got, d.plain) {
				t.Fatalf("%s: got %q, %v", d.name, got, err)
			}
			for i := range d.sealed {
				for _, bit := range []byte{0x01, 0x80} {
					msg := bytes.Clone(d.sealed)
					msg[i] ^= bit
					d.mustFail(t, fmt.Sprintf("byte %d of %d xor %#x", i, len(msg), bit), msg)
				}
			}
		}
	})
}

func TestTruncationAndExtension(t *testing.T) {
	forEach(t, func(t *testing.T, p *pair) {
		for _, d := range directions(t, p, []byte("first"), []byte("second"), []byte("last")) {
			for n := range d.sealed {
				d.mustFail(t, fmt.Sprintf("first %d of %d bytes", n, len(d.sealed)), d.sealed[:n])
			}
			for _, tail := range []string{"\x00", "\x01", strings.Repeat("\x00", 100), string(d.sealed)} {
				msg := append(bytes.Clone(d.sealed), tail...)
				d.mustFail(t, fmt.Sprintf("%d bytes behind the end", len(tail)), msg)
			}
			d.mustFail(t, "far too long", append(bytes.Clone(d.sealed), make([]byte, defaultMaxWhole+1)...))
		}
	})
}

func TestRearrangement(t *testing.T) {
	for _, kem := range kems {
		for _, suite := range supportedSuites() {
			p := newPair(t, kem, suite, Chunked)
			other := directions(t, p, []byte("one"), []byte("two"), []byte("end"))
			for i, d := range directions(t, p, []byte("one"), []byte("two"), []byte("end")) {
				was := split(t, d.sealed, d.headLen)
				c := was.chunks
				foreign := split(t, other[i].sealed, d.headLen)
				for what, chunks := range map[string][][]byte{
					"swapped":                    {c[1], c[0], c[2]},
					"first repeated":             {c[0], c[0], c[1], c[2]},
					"first replaced":             {c[1], c[1], c[2]},
					"first removed":              {c[1], c[2]},
					"second removed":             {c[0], c[2]},
					"all but the final removed":  {c[2]},
					"final removed":              {c[0], c[1]},
					"final twice":                {c[0], c[1], c[2], c[2]},
					"final not last":             {c[0], c[2], c[1]},
					"chunk of another message":   {c[0], foreign.chunks[1], c[2]},
					"the end of another message": {c[0], c[1], foreign.chunks[2]},
				} {
					d.mustFail(t, what, pieces{head: was.head, chunks: chunks}.join())
				}
				final := append(bytes.Clone(was.join()), c[2]...)
				d.mustFail(t, "final chunk doubled in place", final)
				mid := append(bytes.Clone(was.head), appendVarint(nil, len(c[0]))...)
				mid = append(mid, c[0]...)
				d.mustFail(t, "ended behind a chunk", mid)
				if diff := cmp.Diff(d.sealed, was.join()); diff != "" {
					t.Errorf("the test does not put together what it took apart: %s", diff)
				}
			}
		}
	}
}

// Lengths are not authenticated and may be written in any of their encodings.
func TestLengthEncodings(t *testing.T) {
	encode := func(v, size int) []byte {
		p := make([]byte, size)
		for i := range p {
			p[size-1-i] = byte(v >> (8 * i))
		}
		p[0] |= map[int]byte{1: 0, 2: 0x40, 4: 0x80, 8: 0xc0}[size]
		return p
	}
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	for _, d := range directions(t, p, []byte("first"), []byte("last")) {
		parts := split(t, d.sealed, d.headLen)
		for _, sizes := range [][2]int{{1, 1}, {2, 1}, {4, 2}, {8, 4}, {1, 8}, {8, 8}} {
			msg := append(bytes.Clone(parts.head), encode(len(parts.chunks[0]), sizes[0])...)
			msg = append(msg, parts.chunks[0]...)
			msg = append(append(msg, encode(0, sizes[1])...), parts.chunks[1]...)
			if got, err := d.open(bytes.NewReader(msg)); err != nil || !bytes.Equal(got, d.plain) {
				t.Errorf("%s with lengths in %v bytes: got %q, %v", d.name, sizes, got, err)
			}
		}
	}
}

func TestChunkSizes(t *testing.T) {
	largest := maxSealedChunk - tagLen
	for _, tt := range []struct {
		name   string
		chunks [][]byte
		want   error
	}{
		{"empty final chunk", [][]byte{[]byte("x"), nil}, nil},
		{"empty message", [][]byte{nil}, nil},
		{"16384 bytes", [][]byte{pattern(MaxChunk), pattern(MaxChunk)}, nil},
		{"64 KiB sealed", [][]byte{pattern(largest), pattern(largest)}, nil},
		{"larger", [][]byte{pattern(largest + 1), nil}, ErrTooLarge},
		{"larger final", [][]byte{[]byte("x"), pattern(largest + 1)}, ErrTooLarge},
		{"empty first chunk", [][]byte{nil, []byte("x")}, ErrInvalid},
		{"empty second chunk", [][]byte{[]byte("x"), nil, []byte("x")}, ErrInvalid},
	} {
		p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
		req, opened := p.exchange(t)
		got, err := p.open(bytes.NewReader(sealRequestChunks(t, p, tt.chunks)))
		checkChunks(t, "request: "+tt.name, tt.chunks, got, err, tt.want)

		sealed := sealResponseChunks(t, opened, tt.chunks)
		got, err = io.ReadAll(req.OpenResponse(bytes.NewReader(sealed), 0))
		checkChunks(t, "response: "+tt.name, tt.chunks, got, err, tt.want)
	}
}

func checkChunks(t *testing.T, what string, chunks [][]byte, got []byte, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
	if all := bytes.Join(chunks, nil); want == nil && !bytes.Equal(got, all) {
		t.Errorf("%s: got %d bytes, want %d", what, len(got), len(all))
	}
}

// sealResponseChunks seals exactly these chunks, also those that ResponseSealer would not write.
func sealResponseChunks(t testing.TB, opened *OpenedRequest, chunks [][]byte) []byte {
	t.Helper()
	nonce := bytes.Repeat([]byte{9}, opened.exchange.suite.entropyLen())
	c, err := opened.exchange.responseCipher(nonce)
	if err != nil {
		t.Fatal(err)
	}
	msg := nonce
	for i, plain := range chunks {
		var aad []byte
		n := len(plain) + tagLen
		if i == len(chunks)-1 {
			n, aad = 0, finalAAD
		}
		if msg, err = c.seal(appendVarint(msg, n), plain, aad); err != nil {
			t.Fatal(err)
		}
	}
	return msg
}

func TestOversizedLength(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	for _, d := range directions(t, p, []byte("x")) {
		for _, tt := range []struct {
			length string
			want   error
		}{
			{"\x80\x01\x00\x01", ErrTooLarge}, // 64 KiB + 1
			{"\xff\xff\xff\xff\xff\xff\xff\xff", ErrTooLarge},
			{"\x80\x01\x00\x00", ErrTruncated}, // 64 KiB that never come
			{"\x01", ErrInvalid},
			{"\x10", ErrInvalid},
		} {
			msg := append(bytes.Clone(d.sealed[:d.headLen]), tt.length...)
			if _, err := d.open(bytes.NewReader(msg)); !errors.Is(err, tt.want) {
				t.Errorf("%s, length %x: got %v, want %v", d.name, tt.length, err, tt.want)
			}
		}
	}
}

func TestMaxWhole(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Whole)
	plain := pattern(100_000)
	req, sealed := p.seal(t, plain)
	opened, err := p.ring.OpenRequest(bytes.NewReader(sealed), Whole, 0)
	if err != nil {
		t.Fatal(err)
	}
	answer := sealResponse(t, opened, plain)
	for _, tt := range []struct {
		max  int64
		want error
	}{
		{1, ErrTooLarge}, {99_999, ErrTooLarge}, {100_000, nil}, {0, nil}, {-1, nil}, {math.MaxInt64, nil},
	} {
		opened, err := p.ring.OpenRequest(bytes.NewReader(sealed), Whole, tt.max)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(opened)
		checkChunks(t, fmt.Sprintf("request, limit %d", tt.max), [][]byte{plain}, got, err, tt.want)
		got, err = io.ReadAll(req.OpenResponse(bytes.NewReader(answer), tt.max))
		checkChunks(t, fmt.Sprintf("response, limit %d", tt.max), [][]byte{plain}, got, err, tt.want)
	}
}

// A source may return its bytes in any way.
func TestSources(t *testing.T) {
	wrappers := map[string]func(io.Reader) io.Reader{
		"one byte":       iotest.OneByteReader,
		"half":           iotest.HalfReader,
		"data with EOF":  iotest.DataErrReader,
		"empty reads":    func(r io.Reader) io.Reader { return &stutterReader{r: r} },
		"several chunks": func(r io.Reader) io.Reader { return r },
	}
	for _, f := range formats {
		p := newPair(t, KEMX25519, supportedSuites()[0], f)
		for _, d := range directions(t, p, pattern(5), pattern(MaxChunk), pattern(300), []byte("last")) {
			for name, wrap := range wrappers {
				got, err := d.open(wrap(bytes.NewReader(d.sealed)))
				if err != nil || !bytes.Equal(got, d.plain) {
					t.Errorf("%v %s, %s: got %d bytes, %v", f, d.name, name, len(got), err)
				}
			}
		}
	}
}

// stutterReader returns nothing every other time.
type stutterReader struct {
	r   io.Reader
	odd bool
}

func (s *stutterReader) Read(p []byte) (int, error) {
	if s.odd = !s.odd; s.odd {
		return 0, nil
	}
	return s.r.Read(p[:min(len(p), 7)])
}

// How a source fails decides what is reported, and it is never a clean end.
func TestSourceErrors(t *testing.T) {
	broken := errors.New("connection reset")
	tests := []struct {
		name    string
		failure error
		want    error
	}{
		{"EOF", io.EOF, ErrTruncated},
		{"unexpected EOF", io.ErrUnexpectedEOF, ErrTruncated},
		{"wrapped EOF", fmt.Errorf("read: %w", io.EOF), ErrTruncated},
		{"reset", broken, broken},
		{"wrapped reset", fmt.Errorf("read: %w", broken), broken},
		{"no progress", nil, io.ErrNoProgress},
	}
	for _, f := range formats {
		p := newPair(t, KEMX25519, supportedSuites()[0], f)
		for _, d := range directions(t, p, []byte("first"), []byte("last")) {
			for _, tt := range tests {
				for n := range len(d.sealed) {
					if tt.failure == io.EOF && n > len(d.sealed)-len("last")-tagLen {
						continue // the cut final chunk is an invalid one then
					}
					if tt.failure == io.EOF && f == Whole && n >= d.headLen+tagLen {
						continue
					}
					src := io.MultiReader(bytes.NewReader(d.sealed[:n]), failReader{tt.failure})
					got, err := d.open(src)
					if !errors.Is(err, tt.want) || errors.Is(err, io.EOF) || len(got) > len("first") {
						t.Errorf("%v %s, %s behind %d bytes: got %q, %v; want %v", f, d.name, tt.name, n, got, err, tt.want)
					}
				}
				// A failure behind the last byte is one too: the end is what completes the message.
				if tt.failure != io.EOF {
					src := io.MultiReader(bytes.NewReader(d.sealed), failReader{tt.failure})
					if got, err := d.open(src); !errors.Is(err, tt.want) {
						t.Errorf("%v %s, %s at the end: got %q, %v; want %v", f, d.name, tt.name, got, err, tt.want)
					}
				}
			}
		}
	}
}

// failReader returns nothing but its error, which may be nil.
type failReader struct{ err error }

func (r failReader) Read([]byte) (int, error) { return 0, r.err }

// What Read returned once it returns for ever.
func TestErrorsStay(t *testing.T) {
	for _, f := range formats {
		p := newPair(t, KEMX25519, supportedSuites()[0], f)
		req, opened := p.exchange(t)
		answer := sealResponse(t, opened, []byte("a"), []byte("b"))
		bad := bytes.Clone(answer)
		bad[len(bad)-1] ^= 1
		failing, err := SealRequest(&p.cfg, f, failReader{errors.New("no content")})
		if err != nil {
			t.Fatal(err)
		}
		for name, r := range map[string]io.Reader{
			"request read":       req,
			"request opened":     opened,
			"response":           req.OpenResponse(bytes.NewReader(answer), 0),
			"invalid response":   req.OpenResponse(bytes.NewReader(bad), 0),
			"truncated response": req.OpenResponse(bytes.NewReader(bad[:10]), 0),
			"failing request":    failing,
		} {
			_, first := io.Copy(io.Discard, struct{ io.Reader }{r})
			if first == nil {
				first = io.EOF
			}
			for range 3 {
				if n, err := r.Read(make([]byte, 10)); n != 0 || err == nil || err.Error() != first.Error() {
					t.Errorf("%v %s: Read = %d, %v after %v", f, name, n, err, first)
				}
			}
			if n, err := r.Read(nil); n != 0 || err != nil {
				t.Errorf("%v %s: Read of nothing = %d, %v", f, name, n, err)
			}
		}
	}
}
