// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkPlain is one plain request: straight to the backend, and through client, relay and exit in
// one process. The difference is what privacy costs; internal/bench measures it between processes.
func BenchmarkPlain(b *testing.B) {
	answer := `{"choices":[{"message":{"content":"` + strings.Repeat("word ", 200) + `"}}]}`
	backend := models(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answer)
	})
	once := func(b *testing.B, url string) {
		got := post(b, b.Context(), url+"/v1/chat/completions", chat)
		text, err := io.ReadAll(got.Body)
		if err != nil || string(text) != answer {
			b.Fatalf("answer %q, %v", text, err)
		}
		got.Body.Close()
	}
	b.Run("direct", func(b *testing.B) {
		srv := httptest.NewServer(backend)
		defer srv.Close()
		for b.Loop() {
			once(b, srv.URL)
		}
	})
	b.Run("network", func(b *testing.B) {
		n := run(b, backend)
		for b.Loop() {
			once(b, n.ClientURL())
		}
	})
}

// BenchmarkStreamedChunk is one flush of a backend on its way to the tool.
func BenchmarkStreamedChunk(b *testing.B) {
	piece := "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"}}]}\n\n"
	next := make(chan struct{})
	backend := models(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
			io.WriteString(w, piece)
			http.NewResponseController(w).Flush()
		}
	})
	stream := func(b *testing.B, url string) {
		go func() { next <- struct{}{} }()
		answer := post(b, b.Context(), url+"/v1/chat/completions", chat)
		buf := make([]byte, len(piece))
		if _, err := io.ReadFull(answer.Body, buf); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			next <- struct{}{}
			if _, err := io.ReadFull(answer.Body, buf); err != nil || string(buf) != piece {
				b.Fatalf("read %q, %v", buf, err)
			}
		}
	}
	b.Run("direct", func(b *testing.B) {
		srv := httptest.NewServer(backend)
		defer srv.CloseClientConnections()
		stream(b, srv.URL)
	})
	b.Run("network", func(b *testing.B) {
		stream(b, run(b, backend).ClientURL())
	})
}
