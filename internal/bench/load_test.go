// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testOptions is a load that takes no time.
var testOptions = options{requests: 20, concurrency: 4, streams: 3, rounds: 2, chunks: 5, interval: time.Microsecond}

// newTestLoad returns a load that has the backend behind its direct path, and handler, or the backend
// again, behind the other one.
func newTestLoad(t *testing.T, handler http.Handler) *load {
	t.Helper()
	b := &backend{chunks: testOptions.chunks, interval: testOptions.interval}
	if handler == nil {
		handler = b
	}
	near, far := httptest.NewServer(b), httptest.NewServer(handler)
	l := newLoad([2]string{near.URL, far.URL}, 4)
	t.Cleanup(func() {
		l.close()
		near.Close()
		far.Close()
	})
	return l
}

func TestPlainTurns(t *testing.T) {
	for _, concurrency := range []int{1, 4} {
		l := newTestLoad(t, nil)
		both, err := l.plainTurns(t.Context(), 50, concurrency)
		if err != nil {
			t.Fatal(err)
		}
		for path, s := range both {
			if s.done != 50 || len(s.latencies) != 50 || s.elapsed <= 0 || slices.Min(s.latencies) <= 0 {
				t.Errorf("%d at once, %s: %d requests, %d latencies, %v", concurrency, paths[path], s.done, len(s.latencies), s.elapsed)
			}
		}
		if diff := cmp.Diff(Errors{Requests: 100}, l.errs); diff != "" {
			t.Errorf("%d at once, errors (-want +got):\n%s", concurrency, diff)
		}
	}
}

func TestStreamTurns(t *testing.T) {
	l := newTestLoad(t, nil)
	delays, err := l.streamTurns(t.Context(), testOptions)
	if err != nil {
		t.Fatal(err)
	}
	for path, d := range delays {
		if len(d) != 3*2*5 {
			t.Errorf("%s: %d chunks, want 30", paths[path], len(d))
		}
	}
	if diff := cmp.Diff(Errors{Streams: 12}, l.errs); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

func TestFailuresAreCounted(t *testing.T) {
	var asked atomic.Int64
	l := newTestLoad(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch n := asked.Add(1); n {
		case 1:
			http.Error(w, "no exit", http.StatusServiceUnavailable)
		case 2:
			w.Header().Set("Content-Type", typeJSON)
			w.Write(slices.Concat(plainAnswer[:100], []byte("X"), plainAnswer[101:]))
		case 3:
			w.Header().Set("Content-Type", typeJSON)
			w.Write(plainAnswer[:1000])
		case 4:
			w.Header().Set("Content-Type", "text/plain")
			w.Write(plainAnswer)
		default:
			w.Header().Set("Content-Type", typeJSON)
			w.Write(plainAnswer)
		}
	}))
	both, err := l.plainTurns(t.Context(), 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := Errors{Requests: 20, RequestFailures: 4, Samples: []string{
		"tunnelled: status 503, text/plain; charset=utf-8: no exit\n",
		"tunnelled: the answer differs from what the backend sent",
		"tunnelled: status 200, text/plain: " + string(plainAnswer[:500]),
	}}
	if diff := cmp.Diff(want, l.errs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := len(both[tunnelled].latencies); got != 6 || both[tunnelled].done != 10 {
		t.Errorf("%d latencies of %d requests, want 6 of 10", got, both[tunnelled].done)
	}
}

func TestBrokenStreamsAreCounted(t *testing.T) {
	l := newTestLoad(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", typeStream)
		stream := testStream(testOptions.chunks, time.Now().Add(-time.Second))
		w.Write(stream[:len(stream)-len(streamEnd)])
	}))
	if _, err := l.streamTurns(t.Context(), testOptions); err != nil {
		t.Fatal(err)
	}
	want := Errors{Streams: 12, StreamFailures: 6, Samples: []string{
		"tunnelled: " + errStreamDiffers.Error() + ": it ended after 5 of 5 chunks and 0 bytes",
	}}
	if diff := cmp.Diff(want, l.errs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCancelledLoadSaysWhy(t *testing.T) {
	l := newTestLoad(t, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the relay ended")
	cancel(why)
	if _, err := l.plainTurns(ctx, 10, 1); !errors.Is(err, why) {
		t.Errorf("plain: got %v", err)
	}
	if _, err := l.streamTurns(ctx, testOptions); !errors.Is(err, why) {
		t.Errorf("streams: got %v", err)
	}
}

func TestSamplesAreFewAndDifferent(t *testing.T) {
	var e Errors
	for i := range 100 {
		e.sample(fmt.Errorf("error %d", i/3))
	}
	if want := []string{"error 0", "error 1", "error 2", "error 3", "error 4"}; !slices.Equal(e.Samples, want) {
		t.Errorf("got %q", e.Samples)
	}
}

func TestBackendRefusesOthers(t *testing.T) {
	for _, test := range []struct {
		method, path, body string
		want               int
	}{
		{http.MethodGet, pathModels, "", http.StatusOK},
		{http.MethodPost, pathChat, plainRequest, http.StatusOK},
		{http.MethodPost, pathChat, `{"model":"other"}`, http.StatusBadRequest},
		{http.MethodPost, pathChat, `hello`, http.StatusBadRequest},
		{http.MethodPost, pathChat, strings.Repeat(" ", maxRequestBytes+1), http.StatusRequestEntityTooLarge},
		{http.MethodGet, pathChat, "", http.StatusNotFound},
		{http.MethodGet, "/", "", http.StatusNotFound},
	} {
		w := httptest.NewRecorder()
		b := &backend{chunks: 1}
		b.ServeHTTP(w, httptest.NewRequest(test.method, test.path, strings.NewReader(test.body)))
		if w.Code != test.want {
			t.Errorf("%s %s: got %d, want %d", test.method, test.path, w.Code, test.want)
		}
	}
}
