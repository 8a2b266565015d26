// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"
)

const (
	maxRequestBytes = 1 << 20
	headerTimeout   = 10 * time.Second
	// looseGC is the collector's setting of the load generator and the backend, which should get in the way of what is
	// measured as rarely as they can.
	looseGC = 800
)

// backend answers like an OpenAI-compatible service: a plain request at once and always the same, a
// streamed one with chunks at fixed times.
type backend struct {
	chunks   int
	interval time.Duration
}

// runBackend serves a backend on a loopback port, prints its URL, and ends with ctx or with stdin: when
// the benchmark dies, however it dies, its end of the pipe closes.
func runBackend(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	b := &backend{}
	flags := flag.NewFlagSet("bench "+backendCommand, flag.ContinueOnError)
	flags.IntVar(&b.chunks, "chunks", defaultChunks, "chunks of a stream")
	flags.DurationVar(&b.interval, "interval", defaultInterval, "between chunks")
	if err := flags.Parse(args); err != nil {
		return err
	}
	debug.SetGCPercent(looseGC)
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the backend: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the process, as reading a pipe cannot be called off
		io.Copy(io.Discard, stdin)
		cancel()
	}()
	srv := &http.Server{Handler: b, ReadHeaderTimeout: headerTimeout}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	fmt.Fprintln(stdout, "http://"+ln.Addr().String())
	select {
	case err := <-served:
		return fmt.Errorf("serve the backend: %w", err)
	case <-ctx.Done():
		srv.Close()
		<-served
		return nil
	}
}

// ServeHTTP implements [http.Handler].
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Path == pathModels:
		w.Header().Set("Content-Type", typeJSON)
		fmt.Fprintf(w, `{"object":"list","data":[{"id":%q,"object":"model","created":1700000000,"owned_by":"bench"}]}`, model)
	case r.Method == http.MethodPost && r.URL.Path == pathChat:
		b.chat(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (b *backend) chat(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		http.Error(w, "the request is too long or broke off", http.StatusRequestEntityTooLarge)
		return
	}
	var asked struct {
		Model  string `json:"model"`
		Stream bool   `json:"stream"`
	}
	if err := json.Unmarshal(body, &asked); err != nil || asked.Model != model {
		http.Error(w, "not a request of the benchmark", http.StatusBadRequest)
		return
	}
	if asked.Stream {
		b.stream(w, r)
		return
	}
	w.Header().Set("Content-Type", typeJSON)
	w.Header().Set("Content-Length", strconv.Itoa(len(plainAnswer)))
	w.Write(plainAnswer)
}

// stream sends the chunks, each at its time after the beginning, late ones at once.
func (b *backend) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", typeStream)
	control := http.NewResponseController(w)
	begin := time.Now()
	due := time.NewTimer(0)
	defer due.Stop()
	var buf []byte
	for n := range b.chunks {
		select {
		case <-r.Context().Done():
			return
		case <-due.C:
		}
		buf = appendChunk(buf[:0], n, time.Now())
		if _, err := w.Write(buf); err != nil {
			return
		}
		if err := control.Flush(); err != nil {
			return
		}
		due.Reset(time.Until(begin.Add(time.Duration(n+1) * b.interval)))
	}
	io.WriteString(w, streamEnd)
}
