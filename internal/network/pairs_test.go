// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/service"
)

// failingBackend is what backends of a protocol say when they fail.
type failingBackend struct {
	protocol    service.Protocol
	contentType string // of a stream
	begun       string // how a stream begins, with the text "begun" in it
	failed      string // what follows when the backend fails
	status      int    // that it means
	tooLong     string // the error of a conversation that does not fit
}

var failingBackends = []failingBackend{
	{
		service.OpenAI, "text/event-stream",
		`data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"begun"}}]}` + "\n\n",
		`data: {"error":{"message":"secret","type":"server_error"}}` + "\n\n", 500,
		`{"error":{"message":"secret","type":"invalid_request_error","code":"context_length_exceeded"}}`,
	},
	{
		service.Claude, "text/event-stream",
		"event: message_start\n" + `data: {"type":"message_start","message":{"id":"1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}` + "\n\n" +
			"event: content_block_start\n" + `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n" +
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"begun"}}` + "\n\n",
		"event: error\n" + `data: {"type":"error","error":{"type":"overloaded_error","message":"secret"}}` + "\n\n", 503,
		`{"type":"error","error":{"type":"invalid_request_error","message":"secret: prompt is too long: 300000 tokens > 200000 maximum"}}`,
	},
	{
		service.Gemini, "text/event-stream",
		`data: {"candidates":[{"content":{"role":"model","parts":[{"text":"begun"}]},"index":0}],"modelVersion":"m"}` + "\n\n",
		`data: {"error":{"code":503,"status":"UNAVAILABLE","message":"secret"}}` + "\n\n", 503,
		`{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"secret: The input token count exceeds the maximum number of tokens allowed 1048576."}}`,
	},
	{
		service.Ollama, "application/x-ndjson",
		`{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"begun"},"done":false}` + "\n",
		`{"error":"secret"}` + "\n", 500,
		`{"error":"secret: the input exceeds the context length"}`,
	},
}

// failure is a way to fail, as a backend says it and as tools are to hear it.
type failure struct {
	name   string
	status int
	body   string // "" for the backend's own words for a conversation that does not fit
	tool   int
	// said is in the body that a tool of each form gets; ollama's has the code beside the text.
	openai, claude, gemini, ollama string
	retryAfter                     string
}

var failures = []failure{
	{"limited", 429, `{"error":{"message":"secret"}}`, 429, `"type":"rate_limit_error"`, `"type":"rate_limit_error"`, `"status":"RESOURCE_EXHAUSTED"`, `"code":"backend_rate_limited"`, "7"},
	{"overloaded", 529, `{"error":{"message":"secret"}}`, 529, `"code":"backend_overloaded"`, `"type":"overloaded_error"`, `"status":"UNAVAILABLE"`, `"code":"backend_overloaded"`, "7"},
	{"unavailable", 503, `secret`, 503, `"code":"backend_overloaded"`, `"type":"overloaded_error"`, `"status":"UNAVAILABLE"`, `"code":"backend_overloaded"`, "7"},
	{"too long", 400, "", 400, `"code":"context_length_exceeded"`, `"message":"prompt is too long`, `"status":"INVALID_ARGUMENT"`, `"error":"prompt is too long`, ""},
	{"rejected", 422, `{"error":{"message":"secret"}}`, 422, `"type":"invalid_request_error"`, `"type":"invalid_request_error"`, `"status":"INVALID_ARGUMENT"`, `"code":"backend_rejected"`, ""},
	{"wrong key", 401, `{"error":{"message":"secret"}}`, 502, `"code":"backend_auth"`, `"error_code":"backend_auth"`, `"reason":"BACKEND_AUTH"`, `"code":"backend_auth"`, ""},
	{"broken", 500, `{"error":{"message":"secret"}}`, 500, `"type":"server_error"`, `"type":"api_error"`, `"status":"INTERNAL"`, `"code":"backend_error"`, ""},
}

func (f failure) said(tool string) string {
	switch tool {
	case "claude":
		return f.claude
	case "gemini":
		return f.gemini
	case "ollama":
		return f.ollama
	default:
		return f.openai
	}
}

// translatedPairs runs do for each tool and backend that need a translation, over one network a backend, which answer
// answers.
func translatedPairs(t *testing.T, answer func(failingBackend) http.HandlerFunc, do func(t *testing.T, n *network.Network, tool int, b failingBackend)) {
	for i, b := range failingBackends {
		n := run(t, models(answer(b)), func(cfg *network.Config) {
			backend := cfg.Exits[0].Backends[i]
			if b.protocol == service.OpenAI {
				backend.Responses = exit.ResponsesTranslate
			}
			cfg.Exits[0].Backends = []exit.Backend{backend}
		})
		for tool := range tools {
			if tools[tool].name != string(b.protocol) {
				t.Run(tools[tool].name+"-"+string(b.protocol), func(t *testing.T) { do(t, n, tool, b) })
			}
		}
	}
}

// TestEveryPairFails has backends fail before their answer begins. The tool gets status, class and waiting time in its
// own shape, plain and streamed, and nothing of what the backend said.
func TestEveryPairFails(t *testing.T) {
	var now atomic.Int32 // of failures
	answer := func(b failingBackend) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			f := failures[now.Load()]
			w.Header().Set("Content-Type", "application/json")
			if f.retryAfter != "" {
				w.Header().Set("Retry-After", f.retryAfter)
			}
			w.WriteHeader(f.status)
			if f.body == "" {
				f.body = b.tooLong
			}
			io.WriteString(w, f.body)
		}
	}
	translatedPairs(t, answer, func(t *testing.T, n *network.Network, tool int, _ failingBackend) {
		for i, f := range failures {
			now.Store(int32(i))
			for form, request := range map[string]func(string) (string, string){"plain": tools[tool].plain, "streamed": tools[tool].stream} {
				path, body := request("m")
				n.Client().Forget() // that it asked to be left alone
				got := post(t, t.Context(), n.ClientURL()+path, body)
				text, err := io.ReadAll(got.Body)
				if err != nil || got.StatusCode != f.tool || !strings.Contains(string(text), f.said(tools[tool].name)) {
					t.Errorf("%s, %s: %d %s, %v; want %d and %s", f.name, form, got.StatusCode, text, err, f.tool, f.said(tools[tool].name))
				}
				if after := got.Header.Get("Retry-After"); after != f.retryAfter {
					t.Errorf("%s, %s: retry-after %q, want %q", f.name, form, after, f.retryAfter)
				}
				if strings.Contains(string(text), "secret") {
					t.Errorf("%s, %s: the backend's words are passed on: %s", f.name, form, text)
				}
			}
		}
	})
}

// How streams of each form of tool end: with an error, and when all is well.
var streamEnds = map[string]struct{ failed, well string }{
	"openai":    {`data: {"error":{`, "[DONE]"},
	"responses": {"event: response.failed\n", "response.completed"},
	"claude":    {"event: error\n", "message_stop"},
	"gemini":    {`"error":{"code":`, "finishReason"},
	"ollama":    {`{"error":"`, `"done":true`},
}

// TestEveryPairBreaks has a backend's stream end in the middle, by its own error or because it is cut. The tool gets what
// came, its protocol's error and a broken connection, and nothing that it could take for an end.
func TestEveryPairBreaks(t *testing.T) {
	var cut atomic.Bool
	answer := func(b failingBackend) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", b.contentType)
			io.WriteString(w, b.begun)
			http.NewResponseController(w).Flush()
			if cut.Load() {
				panic(http.ErrAbortHandler)
			}
			io.WriteString(w, b.failed)
		}
	}
	translatedPairs(t, answer, func(t *testing.T, n *network.Network, tool int, _ failingBackend) {
		ends := streamEnds[tools[tool].name]
		for how, is := range map[string]bool{"cut": true, "failed": false} {
			cut.Store(is)
			path, body := tools[tool].stream("m")
			got := post(t, t.Context(), n.ClientURL()+path, body)
			text, err := io.ReadAll(got.Body)
			if err == nil || got.StatusCode != http.StatusOK || !strings.Contains(string(text), "begun") || !strings.Contains(string(text), ends.failed) {
				t.Errorf("%s: %d %s, %v; want what was begun, %s and a broken connection", how, got.StatusCode, text, err, ends.failed)
			}
			if strings.Contains(string(text), ends.well) || strings.Contains(string(text), "secret") {
				t.Errorf("%s: it ends like a complete one, or in the backend's words: %s", how, text)
			}
		}
	})
}

// TestEveryPairFailsAtOnce has a backend begin a stream with an error. Nothing was sent yet, so the tool gets a status.
func TestEveryPairFailsAtOnce(t *testing.T) {
	answer := func(b failingBackend) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", b.contentType)
			io.WriteString(w, b.failed)
		}
	}
	translatedPairs(t, answer, func(t *testing.T, n *network.Network, tool int, b failingBackend) {
		path, body := tools[tool].stream("m")
		got := post(t, t.Context(), n.ClientURL()+path, body)
		text, err := io.ReadAll(got.Body)
		want := b.status
		if want == http.StatusServiceUnavailable && tools[tool].name == "claude" {
			want = 529 // Claude's own
		}
		if err != nil || got.StatusCode != want || !strings.Contains(string(text), `"error":`) || strings.Contains(string(text), "secret") {
			t.Errorf("%d %s, %v; want %d", got.StatusCode, text, err, want)
		}
		if media := got.Header.Get("Content-Type"); media != "application/json" {
			t.Errorf("the error is %s", media)
		}
	})
}

// TestResponsesOverChat has a tool of Responses ask an openai backend that has chat completions only.
func TestResponsesOverChat(t *testing.T) {
	demo := demo(t)
	n := run(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/responses" {
			http.NotFound(w, r)
			return
		}
		demo.ServeHTTP(w, r)
	}), func(cfg *network.Config) { cfg.Exits[0].Backends = cfg.Exits[0].Backends[:1] })
	for form, request := range map[string]func(string) (string, string){"plain": tools[1].plain, "streamed": tools[1].stream} {
		path, body := request("demo-gpt")
		answer := post(t, t.Context(), n.ClientURL()+path, body)
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s, %v", form, answer.StatusCode, text, err)
		}
		read := tools[1].text
		if form == "streamed" {
			read = tools[1].streamedText
		}
		if got := read(t, string(text)); !strings.HasPrefix(got, "[demo]") {
			t.Errorf("%s: the demo backend says %q in %s", form, got, text)
		}
	}
}
