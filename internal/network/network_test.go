// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/demobackend"
	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/scrub"
	"github.com/tokengo/tokengo/service"
)

// run starts a network in front of backend, which speaks every protocol, and stops it with the test.
// change may adjust the configuration.
func run(t testing.TB, backend http.Handler, change ...func(*network.Config)) *network.Network {
	t.Helper()
	srv := httptest.NewServer(backend)
	t.Cleanup(srv.Close)
	cfg := network.Config{Exits: []exit.Config{{
		StateDir: t.TempDir(), Operator: "test", Backends: everyProtocol(srv.URL),
		DrainTimeout: 5 * time.Second,
	}}}
	for _, f := range change {
		f(&cfg)
	}
	return start(t, cfg)
}

// start runs a network until the test ends, and returns when the client knows what each exit offers.
func start(t testing.TB, cfg network.Config) *network.Network {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	n, err := network.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the network ended with %v", err)
		}
	})
	ready, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	if err := n.WaitReady(ready); err != nil {
		t.Fatal(err)
	}
	return n
}

func everyProtocol(url string) []exit.Backend {
	var backends []exit.Backend
	for _, p := range service.Protocols() {
		backends = append(backends, exit.Backend{Protocol: p, URL: url, Key: secret.New("sk-operator")})
	}
	return backends
}

// models has a backend list one model, m, in every protocol, and hands the rest to answer.
func models(answer http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"object":"list","data":[{"id":"m","object":"model","type":"model","display_name":"m","created_at":"2025-01-01T00:00:00Z"}],"has_more":false}`)
	})
	mux.HandleFunc("POST /api/show", http.NotFound)
	mux.HandleFunc("GET /v1beta/models", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"models":[{"name":"models/m"}]}`)
	})
	mux.HandleFunc("GET /api/tags", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"models":[{"name":"m","model":"m"}]}`)
	})
	mux.HandleFunc("POST /v1/responses", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) == "{}" { // the exit asks whether there is such a path
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer(w, r)
	})
	mux.HandleFunc("/", answer)
	return mux
}

func demo(t testing.TB) http.Handler {
	t.Helper()
	backend, err := demobackend.New(demobackend.Config{TokenDelay: -1, Clock: func() time.Time { return time.Unix(1700000000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

func post(t testing.TB, ctx context.Context, url, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

const chat = `{"model":"m","messages":[{"role":"user","content":"hello"}],"unknown":{"kept":[1.0,"é"]}}`

// The paths that a request takes in each protocol, plain and streamed, with a body that the demo
// backend answers.
var requests = []struct{ name, path, body string }{
	{"openai chat", "/v1/chat/completions", `{"model":"demo-gpt","messages":[{"role":"user","content":"hi"}]}`},
	{"openai chat streamed", "/v1/chat/completions", `{"model":"demo-gpt","stream":true,"messages":[{"role":"user","content":"hi"}]}`},
	{"openai completion", "/v1/completions", `{"model":"demo-gpt","prompt":"hi"}`},
	{"openai responses", "/v1/responses", `{"model":"demo-gpt","input":"hi"}`},
	{"openai responses streamed", "/v1/responses", `{"model":"demo-gpt","input":"hi","stream":true}`},
	{"openai embeddings", "/v1/embeddings", `{"model":"demo-gpt","input":"hi"}`},
	{"claude messages", "/v1/messages", `{"model":"demo-claude","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}`},
	{"claude messages streamed", "/v1/messages", `{"model":"demo-claude","max_tokens":20,"stream":true,"messages":[{"role":"user","content":"hi"}]}`},
	{"claude count_tokens", "/v1/messages/count_tokens", `{"model":"demo-claude","messages":[{"role":"user","content":"hi"}]}`},
	{"gemini generate", "/v1beta/models/demo-gemini:generateContent", `{"contents":[{"parts":[{"text":"hi"}]}]}`},
	{"gemini stream, SSE", "/v1beta/models/demo-gemini:streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":"hi"}]}]}`},
	{"gemini stream, array", "/v1beta/models/demo-gemini:streamGenerateContent", `{"contents":[{"parts":[{"text":"hi"}]}]}`},
	{"gemini countTokens", "/v1beta/models/demo-gemini:countTokens", `{"contents":[{"parts":[{"text":"hi"}]}]}`},
	{"gemini embedContent", "/v1beta/models/demo-gemini:embedContent", `{"content":{"parts":[{"text":"hi"}]}}`},
	{"ollama chat", "/api/chat", `{"model":"demo-llama","stream":false,"messages":[{"role":"user","content":"hi"}]}`},
	{"ollama chat streamed", "/api/chat", `{"model":"demo-llama","messages":[{"role":"user","content":"hi"}]}`},
	{"ollama generate", "/api/generate", `{"model":"demo-llama","prompt":"hi","stream":false}`},
	{"ollama embed", "/api/embed", `{"model":"demo-llama","input":"hi"}`},
	{"ollama embeddings", "/api/embeddings", `{"model":"demo-llama","prompt":"hi"}`},
	{"ollama show", "/api/show", `{"model":"demo-llama"}`},
}

// TestBytesAreExact compares what a tool gets through the network with what the backend gave the exit,
// and what the backend got with what was sealed: what the tool sent, with scrubbing off, and its canonical form
// without.
func TestBytesAreExact(t *testing.T) {
	sealed := map[scrub.Level]func(body string) string{
		scrub.Off: func(body string) string { return body },
		scrub.Full: func(body string) string {
			canonical, err := scrub.Canonical([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			return string(canonical)
		},
	}
	for level, want := range sealed {
		t.Run(string(level), func(t *testing.T) { bytesAreExact(t, level, want) })
	}
}

func bytesAreExact(t *testing.T, level scrub.Level, sealed func(body string) string) {
	var backend network.Recorder
	n := run(t, backend.Wrap(demo(t)), func(cfg *network.Config) { cfg.Client.Scrub = level })
	for _, q := range requests {
		t.Run(q.name, func(t *testing.T) {
			before := len(backend.Exchanges())
			answer := post(t, t.Context(), n.ClientURL()+q.path, q.body)
			got, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("status %d, error %v: %s", answer.StatusCode, err, got)
			}
			var direct network.Exchange
			for _, e := range backend.Exchanges()[before:] {
				if e.Method == http.MethodPost {
					direct = e
				}
			}
			if diff := cmp.Diff(string(direct.Response), string(got)); diff != "" {
				t.Errorf("answer (-backend +tool):\n%s", diff)
			}
			want := q.body
			if q.path == "/v1/responses" && level == scrub.Full {
				want = strings.Replace(want, "{", `{"store":false,`, 1) // that API stores unless told not to
			}
			if diff := cmp.Diff(sealed(want), string(direct.Request)); diff != "" {
				t.Errorf("request (-sealed +backend):\n%s", diff)
			}
			if direct.URI != q.path {
				t.Errorf("the backend was asked for %s, want %s", direct.URI, q.path)
			}
		})
	}
}

// TestFlushByFlush has the backend write the next piece only when the tool has the last.
func TestFlushByFlush(t *testing.T) {
	next := make(chan string)
	n := run(t, models(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for piece := range next {
			io.WriteString(w, piece)
			http.NewResponseController(w).Flush()
		}
	}))
	answers := make(chan *http.Response, 1)
	go func() { answers <- post(t, t.Context(), n.ClientURL()+"/v1/chat/completions", chat) }()
	next <- "data: 0\n\n"
	answer := <-answers
	buf := make([]byte, 100)
	for i := range 50 {
		k, err := answer.Body.Read(buf)
		if want := fmt.Sprintf("data: %d\n\n", i); string(buf[:k]) != want || err != nil {
			t.Fatalf("piece %d = %q, %v, want %q", i, buf[:k], err, want)
		}
		if i < 49 {
			next <- fmt.Sprintf("data: %d\n\n", i+1)
		}
	}
	close(next)
	if k, err := answer.Body.Read(buf); k != 0 || err != io.EOF {
		t.Errorf("at the end %q, %v, want EOF", buf[:k], err)
	}
}

// TestCancel has the tool go away in the middle of a stream.
func TestCancel(t *testing.T) {
	cancelled := make(chan time.Time, 1)
	n := run(t, models(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "data: {}\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		cancelled <- time.Now()
	}))
	fastest := time.Hour
	for range 10 { // whatever else the machine does
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		answer := post(t, ctx, n.ClientURL()+"/v1/chat/completions", chat)
		if _, err := answer.Body.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		cancel()
		fastest = min(fastest, (<-cancelled).Sub(begin))
	}
	if fastest > 100*time.Millisecond {
		t.Errorf("the backend was cancelled after %v at best, want 100 ms at most", fastest)
	}
}

// TestLargeRequest sends 20 MiB, as tools with images do.
func TestLargeRequest(t *testing.T) {
	sizes := make(chan int, 1)
	n := run(t, models(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sizes <- len(body)
		io.WriteString(w, `{"ok":true}`)
	}))
	body := `{"model":"m","image":"` + strings.Repeat("A", 20<<20) + `"}`
	answer := post(t, t.Context(), n.ClientURL()+"/v1/chat/completions", body)
	text, err := io.ReadAll(answer.Body)
	if err != nil || string(text) != `{"ok":true}` {
		t.Fatalf("answer %q, %v", text, err)
	}
	if got := <-sizes; got != len(body) {
		t.Errorf("the backend got %d bytes, want %d", got, len(body))
	}
}

// TestModelLists asks for the local lists in each protocol.
func TestModelLists(t *testing.T) {
	n := run(t, demo(t))
	tests := []struct{ path, header, want string }{
		{"/v1/models", "", "demo-gpt"},
		{"/v1/models", "anthropic-version", "demo-claude"},
		{"/v1beta/models", "", "models/demo-gemini"},
		{"/api/tags", "", "demo-llama"},
		{"/api/version", "", "version"},
		{"/", "", ""},
	}
	for _, test := range tests {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.ClientURL()+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if test.header != "" {
			r.Header.Set(test.header, "2023-06-01")
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(test.want)) {
			t.Errorf("GET %s: %d %s %v, want %q in it", test.path, answer.StatusCode, body, err, test.want)
		}
	}
}

// TestErrorShapes breaks every request of every protocol in the same ways, and wants the error in the
// shape that the protocol's tools understand.
func TestErrorShapes(t *testing.T) {
	n := run(t, demo(t))
	shapes := map[string]func(map[string]any) bool{
		"/v1/chat/completions": func(m map[string]any) bool { e, ok := m["error"].(map[string]any); return ok && e["message"] != nil },
		"/v1/messages":         func(m map[string]any) bool { return m["type"] == "error" && m["error"] != nil },
		"/v1beta/models/no-such-model:generateContent": func(m map[string]any) bool {
			e, ok := m["error"].(map[string]any)
			return ok && e["status"] != nil
		},
		"/api/chat": func(m map[string]any) bool { _, ok := m["error"].(string); return ok },
	}
	for path, shaped := range shapes {
		for body, status := range map[string]int{
			`{"model":"no-such-model"}`: http.StatusNotFound,
			`not JSON`:                  http.StatusBadRequest,
			`[]`:                        http.StatusBadRequest,
		} {
			answer := post(t, t.Context(), n.ClientURL()+path, body)
			var m map[string]any
			if err := json.NewDecoder(answer.Body).Decode(&m); err != nil {
				t.Errorf("POST %s %s: %v", path, body, err)
			}
			if answer.StatusCode != status || !shaped(m) {
				t.Errorf("POST %s %s: %d %v, want %d in the protocol's shape", path, body, answer.StatusCode, m, status)
			}
		}
	}
}
