// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Recorder keeps all that passes through an [http.Handler], for the demo and for tests that look for
// what should not be there. It is for small exchanges: nothing it records is ever dropped.
type Recorder struct {
	mu   sync.Mutex // guards all, and the Exchanges in it until they are Done
	seen []*Exchange
}

// Exchange is one recorded request with its answer. What a handler sees of TLS is what is inside it.
type Exchange struct {
	Remote   string // the peer's address
	Method   string
	URI      string
	Header   http.Header
	Request  []byte
	Response []byte
	Done     bool // the handler has returned

	Begun  time.Time // when the request arrived
	Pieces []Piece   // the writes of Response
}

// Piece is one write of an answer.
type Piece struct {
	At    time.Duration // since the request arrived
	Bytes int
}

// Wrap records what passes to and from next. Its type is that of the roles' Observe.
func (rec *Recorder) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := &Exchange{Remote: r.RemoteAddr, Method: r.Method, URI: r.RequestURI, Header: r.Header.Clone(), Begun: time.Now()}
		rec.mu.Lock()
		rec.seen = append(rec.seen, e)
		rec.mu.Unlock()
		defer rec.update(func() { e.Done = true })
		r.Body = recordedBody{r.Body, func(p []byte) { rec.update(func() { e.Request = append(e.Request, p...) }) }}
		next.ServeHTTP(recordedWriter{w, func(p []byte) {
			rec.update(func() {
				e.Response = append(e.Response, p...)
				e.Pieces = append(e.Pieces, Piece{time.Since(e.Begun), len(p)})
			})
		}}, r)
	})
}

func (rec *Recorder) update(f func()) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	f()
}

// Exchanges returns copies of what was recorded so far, in the order in which requests arrived.
func (rec *Recorder) Exchanges() []Exchange {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	var all []Exchange
	for _, e := range rec.seen {
		c := *e
		c.Request, c.Response, c.Pieces = slices.Clone(e.Request), slices.Clone(e.Response), slices.Clone(e.Pieces)
		all = append(all, c)
	}
	return all
}

// Bytes returns all that was recorded, with addresses, targets and headers, in one piece to search in.
func (rec *Recorder) Bytes() []byte {
	var b bytes.Buffer
	for _, e := range rec.Exchanges() {
		io.WriteString(&b, e.Remote+" "+e.Method+" "+e.URI+"\n")
		e.Header.Write(&b)
		b.Write(e.Request)
		b.WriteByte('\n')
		b.Write(e.Response)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

type recordedBody struct {
	io.ReadCloser
	record func([]byte)
}

// Read implements [io.Reader].
func (b recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.record(p[:n])
	return n, err
}

type recordedWriter struct {
	http.ResponseWriter
	record func([]byte)
}

// Write implements [io.Writer].
func (w recordedWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.record(p[:n])
	return n, err
}

// Unwrap lets [http.ResponseController] find Flush.
func (w recordedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Overlap returns a stretch of at least n bytes that text and data have in common, or nil.
func Overlap(text, data []byte, n int) []byte {
	windows := make(map[string]bool)
	for i := 0; i+n <= len(text); i++ {
		windows[string(text[i:i+n])] = true
	}
	for i := 0; i+n <= len(data); i++ {
		if windows[string(data[i:i+n])] {
			return data[i : i+n]
		}
	}
	return nil
}
