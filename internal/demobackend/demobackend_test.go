// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demobackend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/internal/demobackend"
)

var update = flag.Bool("update", false, "write the answers in testdata anew")

const answerLine = "--- answer ---\n"

// TestGolden replays the exchanges in testdata.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("find exchanges in testdata: %d found, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			request, want, ok := strings.Cut(strings.ReplaceAll(string(raw), "\r\n", "\n"), answerLine)
			if !ok {
				t.Fatalf("%s has no line %q", path, answerLine)
			}
			rec := httptest.NewRecorder()
			newBackend(t, demobackend.Config{TokenDelay: -1, Clock: tickingClock()}).ServeHTTP(rec, parseRequest(t, request))
			body := strings.ReplaceAll(rec.Body.String(), "\r", `\r`)
			got := fmt.Sprintf("%d %s\n\n%s", rec.Code, rec.Header().Get("Content-Type"), body)
			if *update {
				if err := os.WriteFile(path, []byte(request+answerLine+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func newBackend(t testing.TB, cfg demobackend.Config) *demobackend.Backend {
	t.Helper()
	b, err := demobackend.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tickingClock returns a clock on which a millisecond passes between readings.
func tickingClock() func() time.Time {
	var readings atomic.Int64
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return func() time.Time { return start.Add(time.Duration(readings.Add(1)) * time.Millisecond) }
}

func parseRequest(t *testing.T, text string) *http.Request {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	method, target, ok := strings.Cut(lines[0], " ")
	if !ok {
		t.Fatalf("request line %q has no target", lines[0])
	}
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return r
}

// endpoint is one way to ask for text.
type endpoint struct {
	name   string
	path   string
	stream string // path to stream from, when it differs
	body   func(prompt string, max int, stream bool) string
	text   func(body []byte) (text string, tokens int) // of a plain answer
	piece  func(value []byte) string                   // of one value of a stream
}

func quoted(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func format(layout string) func(string, int, bool) string {
	return func(prompt string, max int, stream bool) string {
		return strings.NewReplacer("PROMPT", quoted(prompt), "MAX", fmt.Sprint(max), "STREAM", fmt.Sprint(stream)).Replace(layout)
	}
}

// pick returns the string (or the number, as text) at a path of keys and first
// elements in JSON, and "" when there is none.
func pick(raw []byte, path ...string) string {
	for _, key := range path {
		if key == "0" {
			var list []json.RawMessage
			if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
				return ""
			}
			raw = list[0]
			continue
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return ""
		}
		raw = object[key]
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

func picker(path ...string) func([]byte) string {
	return func(raw []byte) string { return pick(raw, path...) }
}

func plain(textPath, tokensPath string) func([]byte) (string, int) {
	return func(raw []byte) (text string, tokens int) {
		_, _ = fmt.Sscan(pick(raw, strings.Split(tokensPath, ".")...), &tokens)
		return pick(raw, strings.Split(textPath, ".")...), tokens
	}
}

// deltaOf returns the piece in an event of the given type.
func deltaOf(kind string, path ...string) func([]byte) string {
	return func(raw []byte) string {
		if pick(raw, "type") != kind {
			return ""
		}
		return pick(raw, path...)
	}
}

var endpoints = []endpoint{
	{
		name: "openai chat", path: "/v1/chat/completions",
		body:  format(`{"model":"demo-gpt","max_tokens":MAX,"stream":STREAM,"messages":[{"role":"user","content":PROMPT}]}`),
		text:  plain("choices.0.message.content", "usage.completion_tokens"),
		piece: picker("choices", "0", "delta", "content"),
	},
	{
		name: "openai completion", path: "/v1/completions",
		body:  format(`{"model":"demo-gpt","max_tokens":MAX,"stream":STREAM,"prompt":PROMPT}`),
		text:  plain("choices.0.text", "usage.completion_tokens"),
		piece: picker("choices", "0", "text"),
	},
	{
		name: "openai responses", path: "/v1/responses",
		body:  format(`{"model":"demo-gpt","max_output_tokens":MAX,"stream":STREAM,"input":PROMPT}`),
		text:  plain("output.0.content.0.text", "usage.output_tokens"),
		piece: deltaOf("response.output_text.delta", "delta"),
	},
	{
		name: "claude", path: "/v1/messages",
		body:  format(`{"model":"demo-claude","max_tokens":MAX,"stream":STREAM,"messages":[{"role":"user","content":PROMPT}]}`),
		text:  plain("content.0.text", "usage.output_tokens"),
		piece: deltaOf("content_block_delta", "delta", "text"),
	},
	{
		name: "gemini", path: "/v1beta/models/demo-gemini:generateContent",
		stream: "/v1beta/models/demo-gemini:streamGenerateContent?alt=sse",
		body:   format(`{"contents":[{"parts":[{"text":PROMPT}]}],"generationConfig":{"maxOutputTokens":MAX}}`),
		text:   plain("candidates.0.content.parts.0.text", "usageMetadata.candidatesTokenCount"),
		piece:  picker("candidates", "0", "content", "parts", "0", "text"),
	},
	{
		name: "gemini array", path: "/v1beta/models/demo-gemini:generateContent",
		stream: "/v1beta/models/demo-gemini:streamGenerateContent",
		body:   format(`{"contents":[{"parts":[{"text":PROMPT}]}],"generationConfig":{"maxOutputTokens":MAX}}`),
		text:   plain("candidates.0.content.parts.0.text", "usageMetadata.candidatesTokenCount"),
		piece:  picker("candidates", "0", "content", "parts", "0", "text"),
	},
	{
		name: "ollama chat", path: "/api/chat",
		body:  format(`{"model":"demo-llama","stream":STREAM,"options":{"num_predict":MAX},"messages":[{"role":"user","content":PROMPT}]}`),
		text:  plain("message.content", "eval_count"),
		piece: picker("message", "content"),
	},
	{
		name: "ollama generate", path: "/api/generate",
		body:  format(`{"model":"demo-llama","stream":STREAM,"options":{"num_predict":MAX},"prompt":PROMPT}`),
		text:  plain("response", "eval_count"),
		piece: picker("response"),
	},
}

func (e endpoint) request(ctx context.Context, prompt string, limit int, stream bool) *http.Request {
	path := e.path
	if stream && e.stream != "" {
		path = e.stream
	}
	return httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(e.body(prompt, limit, stream)))
}

// values returns the JSON values of a stream in any of the framings.
func values(body string) [][]byte {
	if list := []json.RawMessage(nil); json.Unmarshal([]byte(body), &list) == nil {
		var all [][]byte
		for _, v := range list {
			all = append(all, v)
		}
		return all
	}
	var all [][]byte
	for line := range strings.Lines(body) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "data: ")
		if strings.HasPrefix(line, "{") {
			all = append(all, []byte(line))
		}
	}
	return all
}

// flushCounter counts what a handler writes between flushes.
type flushCounter struct {
	*httptest.ResponseRecorder
	writes, flushes int
}

func (f *flushCounter) Write(p []byte) (int, error) { f.writes++; return f.ResponseRecorder.Write(p) }

func (f *flushCounter) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func (f *flushCounter) FlushError() error { f.flushes++; return nil }

func TestPlainAndStreamedAnswersAreText(t *testing.T) {
	backend := newBackend(t, demobackend.Config{TokenDelay: -1})
	for _, e := range endpoints {
		for _, limit := range []int{1, 7, 1000} {
			t.Run(fmt.Sprintf("%s/%d", e.name, limit), func(t *testing.T) {
				const prompt = "Warum ist der \"Himmel\" blau?\n空はなぜ青い"
				want := demobackend.Text(prompt, limit)

				rec := httptest.NewRecorder()
				backend.ServeHTTP(rec, e.request(t.Context(), prompt, limit, false))
				got, tokens := e.text(rec.Body.Bytes())
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("plain answer (-want +got):\n%s", diff)
				}
				if words := len(strings.Fields(want)); tokens != words {
					t.Errorf("usage says %d tokens, want %d", tokens, words)
				}

				counter := &flushCounter{ResponseRecorder: httptest.NewRecorder()}
				backend.ServeHTTP(counter, e.request(t.Context(), prompt, limit, true))
				var pieces strings.Builder
				for _, v := range values(counter.Body.String()) {
					pieces.WriteString(e.piece(v))
				}
				if diff := cmp.Diff(want, pieces.String()); diff != "" {
					t.Errorf("streamed answer (-want +got):\n%s", diff)
				}
				if counter.writes < tokens || counter.flushes != counter.writes {
					t.Errorf("%d writes and %d flushes for %d tokens", counter.writes, counter.flushes, tokens)
				}
			})
		}
	}
}

func TestPaceIsTokenDelay(t *testing.T) {
	for _, stream := range []bool{false, true} {
		for _, e := range endpoints {
			synctest.Test(t, func(t *testing.T) {
				backend := newBackend(t, demobackend.Config{})
				begun := time.Now()
				backend.ServeHTTP(httptest.NewRecorder(), e.request(t.Context(), "Why?", 10, stream))
				if got, want := time.Since(begun), 10*demobackend.DefaultTokenDelay; got != want {
					t.Errorf("%s, stream %t: 10 tokens took %v, want %v", e.name, stream, got, want)
				}
			})
		}
	}
}

func TestCancelledRequestStopsAtOnce(t *testing.T) {
	for _, stream := range []bool{false, true} {
		for _, e := range endpoints {
			synctest.Test(t, func(t *testing.T) {
				backend := newBackend(t, demobackend.Config{TokenDelay: time.Minute})
				ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
				defer cancel()
				begun := time.Now()
				rec := httptest.NewRecorder()
				backend.ServeHTTP(rec, e.request(ctx, "Why?", 1000, stream))
				if got := time.Since(begun); got != 90*time.Second {
					t.Errorf("%s, stream %t: returned after %v, want 1m30s", e.name, stream, got)
				}
				var pieces strings.Builder
				for _, v := range values(rec.Body.String()) {
					pieces.WriteString(e.piece(v))
				}
				if stream && e.name != "gemini array" && pieces.String() != demobackend.Label {
					t.Errorf("%s: streamed %q, want the first token", e.name, pieces.String())
				}
				if !stream && rec.Body.Len() != 0 {
					t.Errorf("%s: answered %q", e.name, rec.Body)
				}
			})
		}
	}
}

// TestStreamArrivesOverHTTP looks at a stream from the far end of a connection.
func TestStreamArrivesOverHTTP(t *testing.T) {
	server := httptest.NewServer(newBackend(t, demobackend.Config{TokenDelay: time.Hour}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	body := `{"model":"demo-gpt","stream":true,"messages":[{"role":"user","content":"Why?"}]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, len("data: "))
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "data: " {
		t.Errorf("read %q, %v before the first token; want the role", first, err)
	}
	cancel() // server.Close waits for the handler, an hour if it did not stop
}

func TestOversizedBodyIsRefused(t *testing.T) {
	backend := newBackend(t, demobackend.Config{})
	big := make([]byte, 33<<20)
	send := func(name, path string, body io.Reader) {
		rec := httptest.NewRecorder()
		backend.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, path, body))
		if rec.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: status %d, want 413", name, rec.Code)
		}
	}
	for _, e := range endpoints {
		send(e.name, e.path, bytes.NewReader(big))
	}
	send("unknown length", endpoints[0].path, io.MultiReader(bytes.NewReader(big)))
}

func TestConfiguredModels(t *testing.T) {
	backend := newBackend(t, demobackend.Config{Models: demobackend.Models{Gemini: []string{"a", "b/c:d"}}})
	for path, want := range map[string]int{
		"/v1beta/models/a":           http.StatusOK,
		"/v1beta/models/b/c:d":       http.StatusOK,
		"/v1beta/models/demo-gemini": http.StatusNotFound,
		"/v1/models/a":               http.StatusNotFound,
		"/v1/models/demo-gpt":        http.StatusOK,
	} {
		rec := httptest.NewRecorder()
		backend.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code != want {
			t.Errorf("GET %s: status %d, want %d", path, rec.Code, want)
		}
	}
	if _, err := demobackend.New(demobackend.Config{Models: demobackend.Models{Ollama: []string{""}}}); err == nil {
		t.Error("New accepted an empty model id")
	}
}

// FuzzRequest sends any body anywhere: the answer is an answer or a refusal.
func TestFailsOnPurpose(t *testing.T) {
	b := newBackend(t, demobackend.Config{TokenDelay: -1})
	ask := func(method, path string) int {
		rec := httptest.NewRecorder()
		body := `{"model":"demo-gpt","messages":[{"role":"user","content":"hi"}]}`
		b.ServeHTTP(rec, httptest.NewRequest(method, path, strings.NewReader(body)))
		return rec.Code
	}
	for _, test := range []struct{ fail, want int }{{0, 200}, {503, 503}, {429, 429}, {0, 200}} {
		b.Fail(test.fail)
		if got := ask("POST", "/v1/chat/completions"); got != test.want {
			t.Errorf("after Fail(%d): status %d, want %d", test.fail, got, test.want)
		}
		if got := ask("GET", "/v1/models"); got != 200 {
			t.Errorf("after Fail(%d): models have status %d, want 200", test.fail, got)
		}
	}
}

func FuzzRequest(f *testing.F) {
	for i, e := range endpoints {
		f.Add(uint(i), []byte(e.body("Why?", 3, true)))
	}
	f.Add(uint(len(endpoints)), []byte(`{"model":"demo-gpt","input":[[1,2],[3]]}`))
	var paths []string
	for _, e := range endpoints {
		paths = append(paths, e.path)
	}
	paths = append(paths, "/v1/embeddings", "/v1/messages/count_tokens", "/api/embed", "/api/embeddings", "/v1beta/models/demo-gemini:batchEmbedContents")
	backend := newBackend(f, demobackend.Config{TokenDelay: -1})
	f.Fuzz(func(t *testing.T, path uint, body []byte) {
		rec := httptest.NewRecorder()
		backend.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, paths[path%uint(len(paths))], bytes.NewReader(body)))
		switch rec.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusNotFound:
		default:
			t.Errorf("status %d", rec.Code)
		}
	})
}
