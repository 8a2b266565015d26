// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/network"
)

// The four protocols, streamed, with what a tool of each takes for an error within a stream.
var streams = []struct{ name, path, contentType, piece, broken string }{
	{"openai", "/v1/chat/completions", "text/event-stream", "data: {}\n\n", `data: {"error":`},
	{"claude", "/v1/messages", "text/event-stream", "event: ping\ndata: {}\n\n", "event: error\ndata: {\"type\":\"error\""},
	{"gemini", "/v1beta/models/m:streamGenerateContent?alt=sse", "text/event-stream", "data: {}\n\n", `"error":`},
	{"ollama", "/api/chat", "application/x-ndjson", "{}\n", `{"error":`},
}

// TestStreamBreaks cuts streams at every hop. The tool sees what came before the cut, an error in its
// protocol, and a connection that does not end properly.
func TestStreamBreaks(t *testing.T) {
	var exitCable, clientCable network.Cable
	begun, hold := make(chan struct{}), make(chan struct{})
	n := run(t, models(func(w http.ResponseWriter, r *http.Request) {
		for _, s := range streams {
			if path, _, _ := strings.Cut(s.path, "?"); r.URL.Path == path {
				w.Header().Set("Content-Type", s.contentType)
				io.WriteString(w, s.piece)
			}
		}
		http.NewResponseController(w).Flush()
		select {
		case begun <- struct{}{}:
		case <-r.Context().Done():
		}
		select {
		case <-hold:
			panic(http.ErrAbortHandler) // the backend breaks off
		case <-r.Context().Done():
		}
	}), func(cfg *network.Config) {
		cfg.Exits[0].DialContext = exitCable.DialContext
		cfg.Client.DialContext = clientCable.DialContext
	})
	cuts := []struct {
		hop string
		cut func()
	}{
		{"backend", func() { hold <- struct{}{} }},
		{"between relay and exit", exitCable.Break},
		{"between client and relay", clientCable.Break},
	}
	for _, c := range cuts {
		for _, s := range streams {
			t.Run(c.hop+"/"+s.name, func(t *testing.T) {
				answer := askUntilBegun(t, n, s.path, begun)
				c.cut()
				text, err := io.ReadAll(answer.Body)
				if err == nil {
					t.Error("the broken stream ended like a complete one")
				}
				if !strings.HasPrefix(string(text), s.piece) || !strings.Contains(string(text), s.broken) {
					t.Errorf("the tool got %q, want %q and then %q", text, s.piece, s.broken)
				}
			})
		}
	}
}

// askUntilBegun asks until the backend has begun an answer: after a cut the tunnel takes a moment to heal.
func askUntilBegun(t *testing.T, n *network.Network, path string, begun <-chan struct{}) *http.Response {
	t.Helper()
	deadline := time.Now().Add(10 * slowdown * time.Second)
	for {
		answer := post(t, t.Context(), n.ClientURL()+path, chat)
		if answer.StatusCode == http.StatusOK {
			<-begun
			return answer
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if time.Now().After(deadline) {
			t.Fatalf("no answer began: %d %s", answer.StatusCode, text)
		}
	}
}

// TestPlainAnswerBreaks cuts an answer that has no way to carry an error.
func TestPlainAnswerBreaks(t *testing.T) {
	n := run(t, models(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "100000")
		io.WriteString(w, `{"choices":[`)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	answer := post(t, t.Context(), n.ClientURL()+"/v1/chat/completions", chat)
	text, err := io.ReadAll(answer.Body)
	if answer.StatusCode == http.StatusOK && err == nil {
		t.Errorf("the tool got a complete answer: %q", text)
	}
}

// TestBackendErrors has the backend fail before its answer begins.
func TestBackendErrors(t *testing.T) {
	n := run(t, models(func(w http.ResponseWriter, r *http.Request) {
		var status int
		body, _ := io.ReadAll(r.Body)
		if _, err := fmt.Sscanf(string(body), `{"model":"m","status":%d}`, &status); err != nil {
			<-r.Context().Done() // too slow
			return
		}
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, `{"error":{"message":"no credit left for org-secret"}}`)
	}), func(cfg *network.Config) { cfg.Exits[0].BackendHeaderTimeout = 200 * time.Millisecond })
	tests := []struct{ backend, tool int }{
		{400, 400}, {401, 502}, {403, 502}, {404, 404}, {422, 422}, {429, 429}, {500, 500}, {503, 503}, {529, 529}, {0, 504},
	}
	for _, test := range tests {
		body := `{"model":"m","slow":true}`
		if test.backend != 0 {
			body = fmt.Sprintf(`{"model":"m","status":%d}`, test.backend)
		}
		n.Client().Forget() // that it asked to be left alone
		answer := post(t, t.Context(), n.ClientURL()+"/v1/messages", body)
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != test.tool {
			t.Errorf("backend %d: tool got %d %s %v, want %d", test.backend, answer.StatusCode, text, err, test.tool)
		}
		passed := test.backend == 400 || test.backend == 404 || test.backend == 422
		if strings.Contains(string(text), "org-secret") != passed {
			t.Errorf("backend %d: its text passed is %v, want %v: %s", test.backend, !passed, passed, text)
		}
		if test.backend == 429 && answer.Header.Get("Retry-After") != "7" {
			t.Errorf("backend 429: retry-after = %q", answer.Header.Get("Retry-After"))
		}
		if !passed && !strings.Contains(string(text), `"type":"error"`) {
			t.Errorf("backend %d: not in Claude's shape: %s", test.backend, text)
		}
	}
}

// TestHeals cuts each connection under traffic; requests succeed again within seconds.
func TestHeals(t *testing.T) {
	var exitCable, clientCable network.Cable
	n := run(t, demo(t), func(cfg *network.Config) {
		cfg.Exits[0].DialContext = exitCable.DialContext
		cfg.Client.DialContext = clientCable.DialContext
	})
	for name, cut := range map[string]func(){"exit": exitCable.Break, "client": clientCable.Break} {
		for range 3 {
			cut()
			begin := time.Now()
			for {
				answer := post(t, t.Context(), n.ClientURL()+requests[0].path, requests[0].body)
				io.Copy(io.Discard, answer.Body)
				if answer.StatusCode == http.StatusOK {
					break
				}
				if took := time.Since(begin); took > 5*slowdown*time.Second {
					t.Fatalf("%s: still %s after %v", name, answer.Status, took)
				}
			}
		}
	}
}
