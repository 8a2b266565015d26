// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"math"
	mathrand "math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/bhttp"
)

// sink records what a Writer sends, as the holder of the sealed bytes sees it and as the client does.
type sink struct {
	begin   time.Time
	pending int     // cells since the last Flush
	batches []batch // what a relay sees
	plain   []byte  // what the client opens
	closed  bool
	fail    error // what the next WriteChunk returns
}

// batch is a number of cells that left at once.
type batch struct {
	At    time.Duration
	Cells int
	Last  bool
}

func (s *sink) WriteChunk(cell []byte) error {
	if len(cell) != CellSize {
		return errors.New("cell of another size")
	}
	s.pending++
	s.plain = append(s.plain, cell...)
	return s.fail
}

func (s *sink) Close(last []byte) error {
	if len(last) != CellSize+finalExtra {
		return errors.New("last cell of another size")
	}
	s.pending++
	s.plain = append(s.plain, last...)
	s.closed = true
	return s.fail
}

func (s *sink) Flush() error {
	s.batches = append(s.batches, batch{time.Since(s.begin), s.pending, s.closed})
	s.pending = 0
	return nil
}

// message reads what the client would.
func (s *sink) message(t *testing.T) ([]byte, error) {
	t.Helper()
	resp, err := bhttp.ReadResponse(bytes.NewReader(s.plain), bhttp.Limits{})
	if err != nil {
		t.Fatalf("what is sealed is not Binary HTTP: %v", err)
	}
	want := bhttp.Fields{{Name: "content-type", Value: ContentType}}
	if diff := cmp.Diff(want, resp.Fields); diff != "" || resp.Status != 200 {
		t.Errorf("head of the shaped response: status %d, fields (-want +got):\n%s", resp.Status, diff)
	}
	r := NewReader(resp.Body)
	message, err := io.ReadAll(r)
	if r.Ended() {
		if err := r.Drain(math.MaxInt64); err != nil {
			t.Errorf("padding: %v", err)
		}
	}
	return message, err
}

// piece is part of a message and how long after the one before it is written.
type piece struct {
	after time.Duration
	data  []byte
}

// play writes pieces in a mode and returns what was sent. It runs in a bubble of synctest.
func play(t *testing.T, m Mode, pieces []piece, end func(*Writer) error) *sink {
	t.Helper()
	out := &sink{begin: time.Now()}
	w, err := NewWriter(m, out)
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- w.Run(t.Context()) }()
	for _, p := range pieces {
		<-time.After(p.after)
		if err := w.WriteChunk(p.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := end(w); err != nil {
		t.Fatal(err)
	}
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	return out
}

func closeNow(w *Writer) error { return w.Close(nil) }

func cutNow(w *Writer) error { w.Cut(); return nil }

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// steady is what a backend sends that writes n pieces of a size.
func steady(n, size int, gap time.Duration) []piece {
	var all []piece
	for range n {
		all = append(all, piece{gap, random(size)})
	}
	return all
}

func join(pieces []piece) []byte {
	var all []byte
	for _, p := range pieces {
		all = append(all, p.data...)
	}
	return all
}

func cellsOf(batches []batch) int {
	n := 0
	for _, b := range batches {
		n += b.Cells
	}
	return n
}

func TestMessagesArrive(t *testing.T) {
	tests := map[string][]piece{
		"empty":                 nil,
		"one byte":              {{0, []byte("x")}},
		"tokens":                steady(200, 220, 20*time.Millisecond),
		"slow tokens":           steady(20, 90, 700*time.Millisecond),
		"with long pauses":      steady(5, 300, 7*time.Second),
		"fast source":           steady(400, 2000, 5*time.Millisecond),
		"at once":               {{0, random(40_000)}},
		"larger than the queue": {{time.Second, random(1 << 20)}},
		"exactly one cell":      {{0, random(roomAtEnd(0))}},
		"one byte more":         {{0, random(roomAtEnd(0) + 1)}},
		"full cells":            {{0, random(room(0) + 4*room(1))}},
		"a byte less than full": {{0, random(room(0) + roomAtEnd(1))}},
		"exactly the total":     {{0, random(room(0) + 62*room(1) + maxEnd)}},
		"one more than that":    {{0, random(room(0) + 62*room(1) + maxEnd + 1)}},
		"two more than that":    {{0, random(room(0) + 63*room(1))}},
	}
	for name, pieces := range tests {
		for _, m := range []Mode{Pad, Constant} {
			t.Run(name+", "+string(m), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					out := play(t, m, pieces, closeNow)
					message, err := out.message(t)
					if err != nil || !bytes.Equal(message, join(pieces)) {
						t.Errorf("read %d bytes, %v; wrote %d", len(message), err, len(join(pieces)))
					}
					checkTotal(t, m, out.batches)
				})
			})
		}
	}
}

// checkTotal fails unless the answer is as long as the mode promises.
func checkTotal(t *testing.T, m Mode, batches []batch) {
	t.Helper()
	switch last := batches[len(batches)-1]; m {
	case Pad:
		n := cellsOf(batches)
		if n < 64 || n&(n-1) != 0 {
			t.Errorf("%d cells, want 64 times a power of two", n)
		}
	case Constant:
		ticks := len(batches)
		for ticks > 320 && ticks%4 == 0 {
			ticks /= 4
		}
		if ticks != 320 {
			t.Errorf("%d batches, want 320 times a power of four", len(batches))
		}
		if want := time.Duration(len(batches)-1) * 50 * time.Millisecond; last.At != want {
			t.Errorf("the last batch leaves at %v, want %v", last.At, want)
		}
	}
	for i, b := range batches {
		if b.Last != (i == len(batches)-1) {
			t.Errorf("batch %d of %d: last is %v", i+1, len(batches), b.Last)
		}
	}
}

// In the constant mode every answer that is not faster than the rate looks the same, whatever it is and
// however it ends.
func TestConstantIsConstant(t *testing.T) {
	var want []batch
	for i := range 320 {
		want = append(want, batch{time.Duration(i) * 50 * time.Millisecond, 1, i == 319})
	}
	tests := map[string]struct {
		pieces []piece
		end    func(*Writer) error
	}{
		"nothing":                  {nil, closeNow},
		"an error at once":         {[]piece{{0, random(300)}}, closeNow},
		"an error after 9 s":       {[]piece{{9 * time.Second, random(300)}}, closeNow},
		"a plain answer":           {[]piece{{2 * time.Second, random(8000)}}, closeNow},
		"a stream":                 {steady(300, 220, 25*time.Millisecond), closeNow},
		"a stream in bursts":       {steady(20, 4000, 500*time.Millisecond), closeNow},
		"a stream with a pause":    {append(steady(50, 220, 25*time.Millisecond), piece{8 * time.Second, random(90)}), closeNow},
		"a stream that breaks off": {steady(77, 220, 31*time.Millisecond), cutNow},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if diff := cmp.Diff(want, play(t, Constant, tt.pieces, tt.end).batches); diff != "" {
					t.Errorf("what leaves (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// In the padded mode an answer without a pause of a second, and not faster than the rate, tells when it began and
// which power of two it needs.
func TestPadHidesGapsAndEnd(t *testing.T) {
	var want []batch
	for i := range 32 {
		want = append(want, batch{time.Duration(2+i)*100*time.Millisecond - 100*time.Millisecond, 2, i == 31})
	}
	tests := map[string][]piece{
		"one token":         {{100 * time.Millisecond, random(200)}},
		"a plain answer":    {{100 * time.Millisecond, random(7000)}},
		"some tokens":       append([]piece{{100 * time.Millisecond, random(9)}}, steady(50, 220, 25*time.Millisecond)...),
		"gaps under 1 s":    {{100 * time.Millisecond, random(9)}, {900 * time.Millisecond, random(99)}, {900 * time.Millisecond, random(300)}},
		"tokens in a burst": {{100 * time.Millisecond, random(9)}, {20 * time.Millisecond, random(6000)}, {500 * time.Millisecond, random(5000)}},
	}
	for name, pieces := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if diff := cmp.Diff(want, play(t, Pad, pieces, closeNow).batches); diff != "" {
					t.Errorf("what leaves (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// What leaves depends on when how many bytes were written, not on their values and not on how they were
// divided.
func TestOnlyTimesAndSumsCount(t *testing.T) {
	for _, m := range []Mode{Pad, Constant} {
		for seed := range uint64(20) {
			synctest.Test(t, func(t *testing.T) {
				rng := mathrand.New(mathrand.NewPCG(seed, 1))
				var whole, split []piece
				for range 1 + rng.IntN(60) {
					gap := time.Duration(rng.ExpFloat64() * float64(120*time.Millisecond))
					n := 1 + rng.IntN(3000)
					whole = append(whole, piece{gap, random(n)})
					split = append(split, piece{gap, nil})
					for n > 0 {
						k := 1 + rng.IntN(n)
						split, n = append(split, piece{0, random(k)}), n-k
					}
				}
				a, b := play(t, m, whole, closeNow), play(t, m, split, closeNow)
				if diff := cmp.Diff(a.batches, b.batches); diff != "" {
					t.Errorf("%s, seed %d: whole and split writes look different:\n%s", m, seed, diff)
				}
			})
		}
	}
}

// The rate doubles with a backlog, keeps up with the source, and never goes down.
func TestRateGoesUp(t *testing.T) {
	for _, m := range []Mode{Pad, Constant} {
		synctest.Test(t, func(t *testing.T) {
			pieces := append(steady(200, 2000, 10*time.Millisecond), steady(30, 50, 100*time.Millisecond)...)
			out := play(t, m, pieces, closeNow)
			rate, steps := 0, 0
			for i, b := range out.batches[:len(out.batches)-1] {
				if b.Cells < rate {
					t.Errorf("%s: batch %d has %d cells after one with %d", m, i, b.Cells, rate)
				}
				if b.Cells > rate && rate > 0 {
					steps++
				}
				rate = max(rate, b.Cells)
			}
			if steps == 0 || steps > 5 || rate&(rate-1) != 0 {
				t.Errorf("%s: %d steps to %d cells, want a few to a power of two", m, steps, rate)
			}
		})
	}
}

func TestCut(t *testing.T) {
	for _, m := range []Mode{Pad, Constant} {
		synctest.Test(t, func(t *testing.T) {
			pieces := steady(30, 500, 10*time.Millisecond)
			out := play(t, m, pieces, cutNow)
			message, err := out.message(t)
			if !errors.Is(err, ErrCut) || !bytes.Equal(message, join(pieces)) {
				t.Errorf("%s: read %d bytes, %v; want all %d and ErrCut", m, len(message), err, len(join(pieces)))
			}
			checkTotal(t, m, out.batches)
		})
	}
}

// When Run cannot go on, neither can writes; one that waits for room is woken.
func TestWritesEndWithRun(t *testing.T) {
	broken := errors.New("no connection")
	tests := map[string]func(*sink, context.CancelFunc){
		"sink fails": func(s *sink, _ context.CancelFunc) { s.fail = broken },
		"cancelled":  func(_ *sink, cancel context.CancelFunc) { cancel() },
	}
	for name, breakIt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				out := &sink{begin: time.Now()}
				w, err := NewWriter(Pad, out)
				if err != nil {
					t.Fatal(err)
				}
				breakIt(out, cancel)
				wrote := make(chan error, 1)
				go func() { wrote <- w.WriteChunk(make([]byte, 2*maxBacklog)) }()
				ran := w.Run(ctx)
				if ran == nil || !errors.Is(ran, broken) && !errors.Is(ran, context.Canceled) {
					t.Errorf("Run returned %v", ran)
				}
				if err := <-wrote; !errors.Is(err, ran) {
					t.Errorf("a waiting write returned %v, want the error of Run", err)
				}
				if err := w.Close(nil); !errors.Is(err, ran) {
					t.Errorf("Close returned %v, want the error of Run", err)
				}
			})
		})
	}
}

func TestNothingAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := play(t, Pad, nil, func(w *Writer) error {
			if err := w.Close([]byte("all")); err != nil {
				return err
			}
			if w.WriteChunk([]byte("more")) == nil || w.Close(nil) == nil {
				t.Error("a message that had ended was continued")
			}
			w.Cut()
			return nil
		})
		if message, err := out.message(t); string(message) != "all" || err != nil {
			t.Errorf("read %q, %v", message, err)
		}
	})
}
