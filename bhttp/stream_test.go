// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tokengo/tokengo/bhttp"
)

// script is a source that returns one piece for each Read and fails the test when it is read once more
// than that, as a network that has nothing yet would block.
type script struct {
	t      *testing.T
	pieces []string
	end    error // nil when the test does not expect the end to be read
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		if s.end == nil {
			s.t.Error("read when there was nothing to read")
			return 0, io.ErrUnexpectedEOF
		}
		return 0, s.end
	}
	n := copy(p, s.pieces[0])
	if s.pieces[0] = s.pieces[0][n:]; s.pieces[0] == "" {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

func TestHeadDoesNotWaitForContent(t *testing.T) {
	src := &script{t: t, pieces: []string{"\x00\x03GET\x05https\x00\x01/\x00"}}
	if _, err := bhttp.ReadRequest(src, bhttp.Limits{}); err != nil {
		t.Error(err)
	}
	src = &script{t: t, pieces: []string{"\x03\x40\xc8", "\x01a\x01b\x00"}}
	if _, err := bhttp.ReadResponse(src, bhttp.Limits{}); err != nil {
		t.Error(err)
	}
}

func TestBodyReturnsWhatIsThere(t *testing.T) {
	src := &script{t: t, pieces: []string{"\x03\x40\xc8\x00", "\x03one", "\x06t", "wo", "\x03xyz"}}
	resp, err := bhttp.ReadResponse(src, bhttp.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	// The chunk of six bytes arrives in three pieces; its last three happen to look like a chunk.
	for _, want := range []string{"one", "t", "wo", "\x03xy"} {
		p := make([]byte, 32<<10)
		n, err := resp.Body.Read(p)
		if got := string(p[:n]); got != want || err != nil {
			t.Fatalf("Read = %q, %v, want %q", got, err, want)
		}
	}
}

func TestBodyOfKnownLengthReturnsWhatIsThere(t *testing.T) {
	large := strings.Repeat("x", 10_000)
	head := "\x01\x40\xc8\x00" + "\xc0\x00\x00\x00\x00\x00\xff\xff"
	src := &script{t: t, pieces: []string{head, "one", large, "two"}}
	resp, err := bhttp.ReadResponse(src, bhttp.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", large, "two"} {
		p := make([]byte, 32<<10)
		n, err := resp.Body.Read(p)
		if got := string(p[:n]); got != want || err != nil {
			t.Fatalf("Read = %d bytes, %v, want %d", n, err, len(want))
		}
	}
}

func TestEOFOnlyAfterTheSourceEnded(t *testing.T) {
	unverified := errors.New("the end could not be verified")
	_, response := full()
	for _, w := range wires() {
		b, cuts := w.encode(response)
		for _, c := range cuts {
			src := &script{t: t, pieces: []string{string(b[:c.at])}, end: unverified}
			resp, err := bhttp.ReadResponse(src, bhttp.Limits{})
			if errors.Is(err, unverified) && c == cuts[0] && !w.indeterminate {
				continue // only the end of the source tells that there is no header section
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			if !errors.Is(err, unverified) || errors.Is(err, bhttp.ErrTruncated) {
				t.Errorf("%+v: got error %v, want that of the source", w, err)
			}
			if string(got) != c.left.Content {
				t.Errorf("%+v: got %d bytes of content, want %d", w, len(got), len(c.left.Content))
			}
			if len(resp.Trailer) != 0 {
				t.Errorf("%+v: trailer was set although the message did not end", w)
			}
		}
	}
}

func TestSourceErrorsAnywhere(t *testing.T) {
	broken := fmt.Errorf("connection lost: %w", io.ErrUnexpectedEOF)
	for name, m := range messages() {
		for _, w := range wires() {
			b, _ := w.encode(m)
			for n := range len(b) {
				src := io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(broken))
				_, err := m.reader()(src, bhttp.Limits{})
				if !errors.Is(err, broken) || errors.Is(err, bhttp.ErrTruncated) {
					t.Errorf("%s, %+v, after %d bytes: got error %v, want that of the source", name, w, n, err)
				}
			}
		}
	}
}

func TestBodyErrorsAreFinal(t *testing.T) {
	tests := []struct {
		name, rest string
		want       error
	}{
		{"complete", "\x01x\x00", io.EOF},
		{"truncated", "\x02x", bhttp.ErrTruncated},
		{"padding", "\x01x\x00\x00\x01\x00", bhttp.ErrInvalid},
		{"too large", "\x01x\x04abcd\x00", bhttp.ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := strings.NewReader("\x03\x40\xc8\x00" + tt.rest)
			resp, err := bhttp.ReadResponse(src, bhttp.Limits{BodyBytes: 4})
			if err != nil {
				t.Fatal(err)
			}
			_, first := io.Copy(io.Discard, resp.Body)
			for range 2 {
				n, err := resp.Body.Read(make([]byte, 10))
				if n != 0 || !errors.Is(err, tt.want) {
					t.Errorf("Read = %d, %v, want %v", n, err, tt.want)
				}
			}
			if tt.want == io.EOF && first != nil {
				t.Errorf("copied with error %v, want none", first)
			}
			if n, err := resp.Body.Read(nil); n != 0 || !errors.Is(err, tt.want) {
				t.Errorf("Read(nil) = %d, %v, want %v", n, err, tt.want)
			}
		})
	}
}

func TestBodyReadIntoNothing(t *testing.T) {
	src := &script{t: t, pieces: []string{"\x03\x40\xc8\x00"}}
	resp, err := bhttp.ReadResponse(src, bhttp.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := resp.Body.Read(nil); n != 0 || err != nil {
		t.Errorf("Read(nil) = %d, %v, want 0, nil", n, err)
	}
}

// stuttering returns nothing a number of times before each byte.
type stuttering struct {
	r    io.Reader
	each int
	left int
}

func (s *stuttering) Read(p []byte) (int, error) {
	if s.left > 0 {
		s.left--
		return 0, nil
	}
	s.left = s.each
	return s.r.Read(p[:1])
}

func TestEmptyReads(t *testing.T) {
	for name, m := range messages() {
		for _, w := range wires() {
			b, _ := w.encode(m)
			got, err := m.reader()(&stuttering{r: bytes.NewReader(b), each: 20}, bhttp.Limits{})
			if d := diff(m, got); err != nil || d != "" {
				t.Errorf("%s, %+v: %v, message (-want +got):\n%s", name, w, err, d)
			}
			for n := range len(b) {
				src := io.MultiReader(bytes.NewReader(b[:n]), forever{})
				if _, err := m.reader()(src, bhttp.Limits{}); !errors.Is(err, io.ErrNoProgress) {
					t.Fatalf("%s, %+v, after %d bytes: got error %v, want ErrNoProgress", name, w, n, err)
				}
			}
		}
	}
}

// forever returns nothing for ever.
type forever struct{}

func (forever) Read([]byte) (int, error) { return 0, nil }

func TestDeclaredLengthsAllocateNothing(t *testing.T) {
	const huge = "\xff\xff\xff\xff\xff\xff\xff\xff" // 2^62-1
	const large = "\x9f\xff\xff\xff"                // 512 MiB less one
	generous := bhttp.Limits{FieldBytes: 1 << 30}
	tests := []struct {
		name string
		read readFunc
		in   string
		want error
	}{
		{"huge method", readRequest, "\x00" + huge + "x", bhttp.ErrTooLarge},
		{"large method", readRequest, "\x00" + large + "x", bhttp.ErrTruncated},
		{"huge section", readResponse, "\x01\x40\xc8" + huge + "\x01a", bhttp.ErrTooLarge},
		{"large section", readResponse, "\x01\x40\xc8" + large + "\x01a", bhttp.ErrTruncated},
		{"huge name", readResponse, "\x03\x40\xc8" + huge + "x", bhttp.ErrTooLarge},
		{"large name", readResponse, "\x03\x40\xc8" + large + "x", bhttp.ErrTruncated},
		{"large value", readResponse, "\x03\x40\xc8\x01a" + large + "x", bhttp.ErrTruncated},
		{"huge content", readResponse, "\x01\x40\xc8\x00" + huge + "x", bhttp.ErrTruncated},
		{"huge chunk", readResponse, "\x03\x40\xc8\x00" + huge + "x", bhttp.ErrTruncated},
		{"huge trailer", readResponse, "\x01\x40\xc8\x00\x00" + huge + "x", bhttp.ErrTooLarge},
		{"large trailer", readResponse, "\x01\x40\xc8\x00\x00" + large + "\x01a", bhttp.ErrTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			got := allocated(func() { _, err = tt.read(strings.NewReader(tt.in), generous) })
			if !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
			if most := uint64(64 << 10); got > most {
				t.Errorf("allocated %d bytes, want at most %d", got, most)
			}
		})
	}
}

func TestContentStreamsInConstantMemory(t *testing.T) {
	const size = 64 << 20
	content := func(chunk int) io.Reader { return &repeat{piece: chunkOf(chunk), left: size / chunk} }
	sources := map[string]func() io.Reader{
		"known": func() io.Reader {
			return io.MultiReader(
				bytes.NewReader(join([]byte("\x01\x40\xc8\x00"), wire{}.int(size))), io.LimitReader(zeros{}, size))
		},
		"indeterminate": func() io.Reader {
			return io.MultiReader(
				strings.NewReader("\x03\x40\xc8\x00"), content(16384), strings.NewReader("\x00"))
		},
		"padding": func() io.Reader {
			return io.MultiReader(strings.NewReader("\x03\x40\xc8\x00\x00\x00"), io.LimitReader(zeros{}, size))
		},
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			p := make([]byte, 32<<10)
			var n int64
			var err error
			got := allocated(func() {
				var resp *bhttp.Response
				if resp, err = bhttp.ReadResponse(source(), bhttp.Limits{}); err == nil {
					n, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, p)
				}
			})
			if err != nil || n != size && name != "padding" {
				t.Errorf("copied %d bytes, %v, want %d", n, err, size)
			}
			if most := uint64(64 << 10); got > most {
				t.Errorf("allocated %d bytes, want at most %d", got, most)
			}
		})
	}
}

func chunkOf(n int) []byte { return bhttp.AppendContentChunk(nil, make([]byte, n)) }

// repeat returns a piece over and over.
type repeat struct {
	piece []byte
	pos   int
	left  int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.piece[r.pos:])
	if r.pos += n; r.pos == len(r.piece) {
		r.pos = 0
		r.left--
	}
	return n, nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
