// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

// watch is a clock that stands until it is moved.
type watch struct{ now atomic.Int64 }

func newWatchAt(t time.Time) *watch {
	w := &watch{}
	w.now.Store(t.UnixNano())
	return w
}

func (w *watch) time() time.Time         { return time.Unix(0, w.now.Load()) }
func (w *watch) advance(d time.Duration) { w.now.Add(int64(d)) }

func dateField(t time.Time) bhttp.Fields {
	return bhttp.Fields{{Name: "date", Value: t.UTC().Format(http.TimeFormat)}}
}

func idOf(n uint64) [32]byte { return sha256.Sum256(binary.BigEndian.AppendUint64(nil, n)) }

func kindOf(f *fault) string {
	if f == nil {
		return ""
	}
	return string(f.counted())
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestAdmit(t *testing.T) {
	clock := newWatchAt(noon)
	r, err := openReplays("", 25*time.Hour, nil, clock.time)
	if err != nil {
		t.Fatal(err)
	}
	garbled := bhttp.Fields{{Name: "date", Value: "yesterday"}}
	steps := []struct {
		name   string
		after  time.Duration
		id     uint64
		fields bhttp.Fields
		want   outcome
	}{
		{"new", 0, 1, dateField(noon), ""},
		{"again", 0, 1, dateField(noon), outcomeReplayed},
		{"again at the end of the window", dateWindow, 1, dateField(noon), outcomeReplayed},
		{"again when its date is too old", time.Second, 1, dateField(noon), outcomeReplayed},
		{"oldest", 0, 2, dateField(noon.Add(time.Second)), ""},
		{"too old", 0, 3, dateField(noon), outcomeDate},
		{"newest", 0, 4, dateField(noon.Add(dateWindow + time.Second + dateAhead)), ""},
		{"too new", 0, 5, dateField(noon.Add(dateWindow + 2*time.Second + dateAhead)), outcomeDate},
		{"newest again, as late as it can come", dateWindow + dateAhead, 4, dateField(noon.Add(dateWindow + time.Second + dateAhead)), outcomeReplayed},
		{"not a date", 0, 6, garbled, outcomeDate},
		{"two dates", 0, 7, append(dateField(noon), dateField(noon)...), outcomeDate},
		{"undated", 0, 8, nil, ""},
		{"undated again", 24 * time.Hour, 8, nil, outcomeReplayed},
		{"undated again after two lives of a key", 51 * time.Hour, 8, nil, ""},
	}
	for _, s := range steps {
		clock.advance(s.after)
		if got := outcome(kindOf(r.admit(idOf(s.id), 0, s.fields))); got != s.want {
			t.Errorf("%s: %q, want %q", s.name, got, s.want)
		}
	}
}

// Memory is bounded: what there is no room for is refused, not forgotten.
func TestAdmitBound(t *testing.T) {
	clock := newWatchAt(noon)
	r, err := openReplays("", time.Hour, nil, clock.time)
	if err != nil {
		t.Fatal(err)
	}
	r.dated.most, r.undated.most = 100, 10
	for n := range uint64(100) {
		if f := r.admit(idOf(n), 0, dateField(noon)); f != nil {
			t.Fatalf("request %d: %s", n, f.title)
		}
	}
	if got := r.admit(idOf(100), 0, dateField(noon)); got == nil || got.status != http.StatusServiceUnavailable {
		t.Errorf("beyond the bound: %v, want 503", got)
	}
	if got := r.admit(idOf(0), 0, dateField(noon)); kindOf(got) != string(outcomeReplayed) {
		t.Errorf("a replay when full: %v", got)
	}
	clock.advance(dateWindow + dateAhead)
	if got := r.admit(idOf(101), 0, dateField(clock.time())); got != nil {
		t.Errorf("in the next span: %s", got.title)
	}
}

// Of requests that arrive at once one is admitted.
func TestAdmitOnce(t *testing.T) {
	r, err := openReplays("", time.Hour, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var admitted atomic.Int32
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if r.admit(idOf(1), 0, dateField(time.Now())) == nil {
				admitted.Add(1)
			}
		})
	}
	all.Wait()
	if n := admitted.Load(); n != 1 {
		t.Errorf("%d of 32 were admitted, want 1", n)
	}
}

// A new life refuses what an earlier one could have accepted, and says what date will do.
func TestAdmitAfterRestart(t *testing.T) {
	dir := t.TempDir()
	clock := newWatchAt(noon)
	keys, err := openKeyStore(dir, lifetimes{time.Hour, time.Hour}, noon)
	if err != nil {
		t.Fatal(err)
	}
	life := func() *replays {
		t.Helper()
		r, err := openReplays(dir, 2*time.Hour, keys, clock.time)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.close)
		return r
	}
	old := keys.published().id
	first := life()
	ahead := noon.Add(dateAhead)
	for id, fields := range map[uint64]bhttp.Fields{1: dateField(noon), 2: dateField(ahead), 3: nil} {
		if f := first.admit(idOf(id), old, fields); f != nil {
			t.Fatal(f.title)
		}
	}
	second := life() // the first was killed
	for id, fields := range map[uint64]bhttp.Fields{1: dateField(noon), 2: dateField(ahead), 3: nil} {
		got := second.admit(idOf(id), old, fields)
		if kindOf(got) != string(outcomeDate) {
			t.Errorf("request %d of the earlier life: %q, want it refused for its date", id, kindOf(got))
			continue
		}
		clock.advance(got.date.Sub(clock.time()))
		if f := second.admit(idOf(id+10), old, dateField(got.date)); f != nil {
			t.Errorf("sealed again with the date that the exit gave: %s", f.title)
		}
	}
	if err := keys.replace(clock.time()); err != nil {
		t.Fatal(err)
	}
	if f := second.admit(idOf(30), keys.published().id, nil); f != nil {
		t.Errorf("undated, to keys that were made since: %s", f.title)
	}
	if err := os.WriteFile(filepath.Join(dir, newestFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := life().admit(idOf(1), old, dateField(clock.time())); kindOf(got) != string(outcomeDate) {
		t.Errorf("when the date was cut off: %q, want the worst assumed", kindOf(got))
	}
}

// One sealed request, delivered in every way a relay could think of, reaches the backend once.
func TestReplayedRequest(t *testing.T) {
	var asked atomic.Int32
	r := newRig(t, Config{Backends: []Backend{openAIBackend(backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	}))}})
	for _, s := range allSealings {
		asked.Store(0)
		for _, fields := range []bhttp.Fields{nil, dateField(time.Now())} {
			q := chat()
			q.fields = append(q.fields, fields...)
			sealed, err := ohttp.SealRequest(r.config(t, s.kem), s.format, bytes.NewReader(q.encode(t)))
			if err != nil {
				t.Fatal(err)
			}
			var wire bytes.Buffer
			if _, err := wire.ReadFrom(sealed); err != nil {
				t.Fatal(err)
			}
			for n := range 3 {
				resp, err := r.outer(t.Context(), t, s.format.RequestType(), bytes.NewReader(wire.Bytes()))
				if err != nil {
					t.Fatal(err)
				}
				inner, err := bhttp.ReadResponse(sealed.OpenResponse(resp.Body, 1<<20), bhttp.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				got := read(inner)
				problem, isProblem := service.ParseProblem(got.fields.Get("content-type"), []byte(got.body))
				resp.Body.Close()
				switch {
				case got.err != nil && !errors.Is(got.err, io.EOF):
					t.Errorf("%v, delivery %d: %v", s, n, got.err)
				case n == 0 && got.status != http.StatusOK:
					t.Errorf("%v: the first delivery: status %d", s, got.status)
				case n > 0 && (got.status != http.StatusBadRequest || !isProblem || problem.Type != service.TypeReplayed):
					t.Errorf("%v: delivery %d: status %d, %s", s, n, got.status, got.body)
				}
			}
		}
		if n := asked.Load(); n != 2 {
			t.Errorf("%v: the backend was asked %d times, want once for each of 2 requests", s, n)
		}
	}
}

// A wrong clock is told the right time, under seal, and nothing is asked.
func TestWrongClock(t *testing.T) {
	r := newRig(t, Config{Backends: []Backend{openAIBackend(backendServer(t, func(http.ResponseWriter, *http.Request) {
		t.Error("the backend was asked")
	}))}})
	for _, off := range []time.Duration{-time.Hour, -dateWindow - 2*time.Second, dateAhead + 2*time.Second, time.Hour} {
		q := chat()
		q.fields = append(q.fields, dateField(time.Now().Add(off))...)
		got := r.do(t, chunked, q)
		problem, ok := service.ParseProblem(got.fields.Get("content-type"), []byte(got.body))
		at, err := http.ParseTime(got.fields.Get("date"))
		if got.status != http.StatusBadRequest || !ok || problem.Type != service.TypeDate || err != nil {
			t.Errorf("off by %v: status %d, %s, date %v", off, got.status, got.body, err)
		}
		if d := time.Since(at); d < -time.Second || d > 10*time.Second {
			t.Errorf("off by %v: told %v, which is %v off", off, at, d)
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	r, err := openReplays(b.TempDir(), time.Hour, &keyStore{}, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	defer r.close()
	r.dated.most = 1 << 30
	b.ReportAllocs()
	for n := uint64(0); b.Loop(); n++ {
		r.admit(idOf(n), 0, dateField(time.Now()))
	}
}
