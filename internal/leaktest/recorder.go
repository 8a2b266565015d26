// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// event is a number of sealed bytes that the relay passed on at once.
type event struct {
	at   time.Duration // since the relay got the request
	size int
}

// MarshalJSON writes [milliseconds, bytes].
func (e event) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]float64{float64(e.at.Microseconds()) / 1000, float64(e.size)})
}

// recorder watches at the relay, where a curious operator would. Which answer it sees follows from the connection, and
// from the order of requests on it: every user asks one thing after the other.
type recorder struct {
	mu     sync.Mutex // guards what follows
	queues map[string]chan *script

	open sync.WaitGroup // answers that are passing
}

// expect says which scripts the user on a connection from addr asks for, in order.
func (rec *recorder) expect(addr string, asked chan *script) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.queues == nil {
		rec.queues = make(map[string]chan *script)
	}
	rec.queues[addr] = asked
}

// wrap is what goes around the relay's handler of requests.
func (rec *recorder) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec.mu.Lock()
		queue := rec.queues[r.RemoteAddr]
		rec.mu.Unlock()
		if queue == nil || !strings.HasPrefix(r.URL.Path, "/ohttp/") {
			next.ServeHTTP(w, r)
			return
		}
		rec.open.Add(1)
		defer rec.open.Done()
		s := <-queue
		s.asked = time.Now()
		next.ServeHTTP(&watched{w, s}, r)
	})
}

// watched records what is written.
type watched struct {
	http.ResponseWriter
	script *script
}

// Write implements [io.Writer].
func (w *watched) Write(p []byte) (int, error) {
	w.script.trace = append(w.script.trace, event{time.Since(w.script.asked), len(p)})
	return w.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] find Flush.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// writeTraces writes one JSON object a line.
func writeTraces(w io.Writer, mode string, scripts []*script) error {
	encoder := json.NewEncoder(w)
	for _, s := range scripts {
		if err := encoder.Encode(struct {
			Mode  string  `json:"mode"`
			Label string  `json:"label"`
			Group string  `json:"group"`
			Trace []event `json:"trace"`
		}{mode, s.label, s.group, s.trace}); err != nil {
			return err
		}
	}
	return nil
}
