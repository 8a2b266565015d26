// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

func TestChat(t *testing.T) {
	for _, format := range []ohttp.Format{ohttp.Chunked, ohttp.Whole} {
		t.Run(format.String(), func(t *testing.T) {
			exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
			got := make(chan *exchange, 1)
			exit.answer = func(x *exchange) {
				got <- x
				x.respond(200, "application/json", `{"answer":1}`)
			}
			c := start(t, Config{Format: format}, newTestRelay(t, exit))
			resp := c.do("POST", "/v1/chat/completions", chatBody, "Content-Type", "application/json")
			if body := read(t, resp); body != `{"answer":1}` || resp.StatusCode != 200 {
				t.Errorf("answer: %d %q", resp.StatusCode, body)
			}
			if resp.ContentLength != int64(len(`{"answer":1}`)) {
				t.Errorf("Content-Length = %d, want that of a small body", resp.ContentLength)
			}
			x := <-got
			want := &bhttp.Request{
				Method: "POST", Scheme: "https", Authority: "exit", Path: "/v1/chat/completions",
				Fields: bhttp.Fields{
					{Name: "user-agent", Value: "tokengo"},
					{Name: "content-type", Value: "application/json"},
					{Name: "accept", Value: "application/json"},
					{Name: "tokengo-shape", Value: "pad"},
				},
			}
			if diff := cmp.Diff(want, x.req, cmpopts.IgnoreFields(bhttp.Request{}, "Body")); diff != "" {
				t.Errorf("inner request (-want +got):\n%s", diff)
			}
			if string(x.body) != chatBody {
				t.Errorf("inner body = %q", x.body)
			}
		})
	}
}

// canary is in everything that a tool sends and that may not leave the machine.
const canary = "CANARY-7f3a"

// scrubbed are what is left inside the seal.
var scrubbed = []struct {
	path string
	want bhttp.Fields
}{
	{"/v1/chat/completions?key=" + canary + "&user=" + canary, bhttp.Fields{
		{Name: "user-agent", Value: "tokengo"},
		{Name: "content-type", Value: "application/json"},
		{Name: "accept", Value: "application/json"},
		{Name: "openai-beta", Value: "a=1"},
	}},
	{"/v1/messages?beta=true&key=" + canary, bhttp.Fields{
		{Name: "user-agent", Value: "tokengo"},
		{Name: "content-type", Value: "application/json"},
		{Name: "accept", Value: "application/json"},
		{Name: "anthropic-version", Value: "2023-06-01"},
		{Name: "anthropic-beta", Value: "x,y"},
	}},
	{"/v1beta/models/m:generateContent?key=" + canary, bhttp.Fields{
		{Name: "user-agent", Value: "tokengo"},
		{Name: "content-type", Value: "application/json"},
		{Name: "accept", Value: "application/json"},
	}},
	{"/api/chat?token=" + canary, bhttp.Fields{
		{Name: "user-agent", Value: "tokengo"},
		{Name: "content-type", Value: "application/json"},
		{Name: "accept", Value: "application/json"},
	}},
}

// Whatever identifies the user or the tool must be neither inside the seal nor outside of it.
func TestScrubsRequests(t *testing.T) {
	info := testInfo(models(service.OpenAI, "m"), models(service.Claude, "m"), models(service.Gemini, "m"), models(service.Ollama, "m"))
	info.Betas = []string{"a=1", "y", "x"}
	exit := newExit(t, newIdentity(t), info)
	got := make(chan *exchange, 1)
	exit.answer = func(x *exchange) {
		got <- x
		x.respond(200, "application/json", "{}")
	}
	c := start(t, Config{}, newTestRelay(t, exit))
	for _, tt := range scrubbed {
		resp := c.do("POST", tt.path, `{"model":"m"}`,
			"Anthropic-Beta", " y", "anthropic-beta", "x , "+canary, "anthropic-version", "2023-06-01",
			"OpenAI-Beta", "a=1, b=2", "Accept", "text/event-stream",
			"Content-Type", "application/json; charset="+canary,
			"Authorization", "Bearer "+canary, "X-Api-Key", canary, "X-Goog-Api-Key", canary, "Cookie", "a="+canary,
			"User-Agent", canary, "X-Stainless-OS", canary, "X-Forwarded-For", canary, "Forwarded", "for="+canary,
			"Traceparent", canary, "Idempotency-Key", canary, "OpenAI-Organization", canary, "Referer", canary,
			"X-Request-Id", canary, "Accept-Language", canary, "Date", canary)
		read(t, resp)
		x := <-got
		if diff := cmp.Diff(append(tt.want, bhttp.Field{Name: "tokengo-shape", Value: "pad"}), x.req.Fields); diff != "" {
			t.Errorf("%s: inner fields (-want +got):\n%s", tt.path, diff)
		}
		inner := fmt.Sprint(x.req.Path, x.req.Authority, x.req.Fields, string(x.body))
		outer := fmt.Sprint(x.outer.URL, x.outer.Header, x.outer.Trailer, x.outer.Host)
		if strings.Contains(inner, canary) {
			t.Errorf("%s: canary inside the seal: %s", tt.path, inner)
		}
		if strings.Contains(outer, canary) {
			t.Errorf("%s: canary outside the seal: %s", tt.path, outer)
		}
		const sealed = "5240" // bytes of any small request: 4 KiB of plaintext
		want := http.Header{"Content-Type": {"message/ohttp-chunked-req"}, "Content-Length": {sealed}, "Incremental": {"?1"}}
		if diff := cmp.Diff(want, x.outer.Header); diff != "" {
			t.Errorf("%s: outer header (-want +got):\n%s", tt.path, diff)
		}
	}
	if logs := c.logs.String(); strings.Contains(logs, canary) {
		t.Errorf("canary in the logs:\n%s", logs)
	}
}

// The lengths of header and body must not show in the sizes of chunks.
func TestChunkSizesTellOnlyTheSum(t *testing.T) {
	info := testInfo(models(service.OpenAI, "m"))
	betas := map[int]string{1: "b", 200: strings.Repeat("b", 200)}
	info.Betas = []string{betas[1], betas[200]}
	exit := newExit(t, newIdentity(t), info)
	got := make(chan *exchange, 1)
	exit.answer = func(x *exchange) {
		got <- x
		x.respond(200, "application/json", "{}")
	}
	var sealed []int64
	relay := newTestRelay(t, exit)
	relay.forward = func(_ http.ResponseWriter, r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != int64(len(body)) {
			t.Errorf("%d bytes where %d are announced; %v", len(body), r.ContentLength, err)
		}
		sealed = append(sealed, int64(len(body)))
		r.Body = io.NopCloser(bytes.NewReader(body))
		return false
	}
	c := start(t, Config{Shape: shape.Off}, relay)
	const total = 40000
	for _, beta := range []int{1, 200} { // more header, less body
		body := fmt.Sprintf(`{"model":"m","x":"%s"}`, strings.Repeat("x", total-beta))
		read(t, c.do("POST", "/v1/chat/completions", body, "OpenAI-Beta", betas[beta]))
		<-got
	}
	if d := sealed[0] - sealed[1]; d < -4 || d > 4 { // lengths of integers differ
		t.Errorf("sealed lengths %v differ with what is header and what is body", sealed)
	}
}

func TestLargeRequest(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	got := make(chan []byte, 1)
	exit.answer = func(x *exchange) {
		got <- x.body
		x.respond(200, "application/json", "{}")
	}
	c := start(t, Config{}, newTestRelay(t, exit))
	image := make([]byte, 10<<20)
	rand.Read(image)
	body := fmt.Sprintf(`{"image":"%x","model":"m"}`, image)
	resp := c.do("POST", "/v1/chat/completions", body)
	if read(t, resp); resp.StatusCode != 200 {
		t.Fatalf("status %d", resp.StatusCode)
	}
	if inner := <-got; string(inner) != body {
		t.Errorf("inner body has %d bytes that are not the %d sent", len(inner), len(body))
	}
}

// errorText returns the message of an error in the protocol's shape, and the code that is in it.
func errorText(t *testing.T, proto service.Protocol, body string) (message, code string) {
	t.Helper()
	var v struct {
		Type  string
		Code  string
		Error json.RawMessage
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("error body %q: %v", body, err)
	}
	if proto == service.Ollama {
		var text string
		if err := json.Unmarshal(v.Error, &text); err != nil {
			t.Errorf("ollama error %s is no string", v.Error)
		}
		return text, v.Code
	}
	var inner struct {
		Message string
		Code    any
		Status  string
		Details any
	}
	if err := json.Unmarshal(v.Error, &inner); err != nil {
		t.Fatalf("error body %q: %v", body, err)
	}
	switch proto {
	case service.Claude:
		if v.Type != "error" {
			t.Errorf("claude error has type %q", v.Type)
		}
		return inner.Message, inner.Details.(map[string]any)["error_code"].(string)
	case service.Gemini:
		reason := inner.Details.([]any)[0].(map[string]any)["reason"].(string)
		return inner.Message, strings.ToLower(reason)
	}
	return inner.Message, inner.Code.(string)
}

func TestBadRequests(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "gpt-4o", "gpt-4o-mini"),
		models(service.Ollama, "llama:latest"), models(service.Claude, "claude-x")))
	c := start(t, Config{MaxRequestBytes: 1000}, newTestRelay(t, exit))
	big := `{"model":"gpt-4o","x":"` + strings.Repeat("x", 2000) + `"}`
	tests := []struct {
		name, method, path, body string
		proto                    service.Protocol
		status                   int
		code                     string
		says                     []string
	}{
		{"not JSON", "POST", "/v1/chat/completions", "hello", service.OpenAI, 400, "not_json", nil},
		{"no model", "POST", "/v1/messages", "{}", service.Claude, 400, "no_model", nil},
		{"unknown path", "POST", "/v1/unheard", "{}", service.OpenAI, 404, "unknown_path", nil},
		{"method", "GET", "/v1/messages", "", service.Claude, 405, "method_not_allowed", nil},
		{"too large", "POST", "/v1/chat/completions", big, service.OpenAI, 413, "request_too_large", []string{"1000 bytes"}},
		{"too large for claude", "POST", "/v1/messages", big, service.Claude, 413, "request_too_large", nil},
		{
			"unknown model", "POST", "/v1/chat/completions", `{"model":"gpt-4o-2024"}`, service.OpenAI, 404, "model_not_found",
			[]string{`"gpt-4o-2024"`, "openai: gpt-4o, gpt-4o-mini; claude: claude-x; ollama: llama:latest"},
		},
		{
			"unknown gemini model", "POST", "/v1beta/models/x:generateContent", "{}", service.Gemini, 404, "model_not_found",
			[]string{`"x"`, "openai: "},
		},
		{
			"what cannot be translated", "POST", "/api/embed", `{"model":"claude-x"}`, service.Ollama, 400, "invalid_request",
			[]string{"over claude alone", "openai: gpt-4o"},
		},
		{"unknown single model", "GET", "/v1/models/nothing", "", service.OpenAI, 404, "model_not_found", []string{"nothing"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := c.do(tt.method, tt.path, tt.body)
			body := read(t, resp)
			message, code := errorText(t, tt.proto, body)
			if resp.StatusCode != tt.status || code != tt.code {
				t.Errorf("status %d, code %q, want %d, %q; body %s", resp.StatusCode, code, tt.status, tt.code, body)
			}
			for _, text := range tt.says {
				if !strings.Contains(message, text) {
					t.Errorf("message %q does not say %q", message, text)
				}
			}
		})
	}
	if n := exit.requests.Load(); n != 0 {
		t.Errorf("%d bad requests reached the exit", n)
	}
}

func TestCompressedRequest(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	c := start(t, Config{}, newTestRelay(t, exit))
	resp := c.do("POST", "/v1/chat/completions", "\x1f\x8b", "Content-Encoding", "gzip")
	message, code := errorText(t, service.OpenAI, read(t, resp))
	if resp.StatusCode != 400 || code != "not_json" || !strings.Contains(message, "compress") {
		t.Errorf("status %d, code %q, message %q", resp.StatusCode, code, message)
	}
}

func TestUpgrade(t *testing.T) {
	c := start(t, Config{}, newTestRelay(t))
	resp := c.do("GET", "/v1/responses", "", "Upgrade", "websocket", "Connection", "Upgrade")
	if _, code := errorText(t, service.OpenAI, read(t, resp)); resp.StatusCode != 426 || code != "upgrade_not_supported" {
		t.Errorf("status %d, code %q", resp.StatusCode, code)
	}
}

// Published names are a stranger's text.
func TestMessagesArePrintable(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "evil\u202emodel")))
	c := start(t, Config{}, newTestRelay(t, exit))
	body := read(t, c.do("POST", "/v1/chat/completions", `{"model":"x"}`))
	if strings.ContainsRune(body, '\u202e') {
		t.Errorf("error repeats an exit's control character: %q", body)
	}
}

func TestPreferences(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m"), models(service.Claude, "m")))
	cfg := Config{}
	cfg.Preferences.Protocols = []service.Protocol{service.Claude}
	c := start(t, cfg, newTestRelay(t, exit))
	if resp := c.do("POST", "/v1/messages", chatBody); resp.StatusCode != 200 {
		t.Errorf("allowed protocol: status %d", resp.StatusCode)
	}
	if resp := c.do("POST", "/v1/chat/completions", chatBody); resp.StatusCode != 200 {
		t.Errorf("translated to the allowed protocol: status %d", resp.StatusCode)
	}
	cfg.Preferences.Protocols = []service.Protocol{service.Gemini}
	c = start(t, cfg, newTestRelay(t, exit))
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	message, code := errorText(t, service.OpenAI, read(t, resp))
	if resp.StatusCode != 503 || code != "no_exit" || !strings.Contains(message, "protocols does not list its protocol") {
		t.Errorf("protocols ruled out: status %d, code %q, message %q", resp.StatusCode, code, message)
	}
}

func TestHTTP2Tool(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	c := start(t, Config{}, newTestRelay(t, exit))
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	c.http = &http.Client{Transport: transport}
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if body := read(t, resp); resp.ProtoMajor != 2 || resp.StatusCode != 200 || body != "{}" {
		t.Errorf("HTTP/%d, status %d, body %q", resp.ProtoMajor, resp.StatusCode, body)
	}
}

// A fault of our own breaks one connection, and the log names the fault without quoting anything.
func TestPanic(t *testing.T) {
	logs := &logBuffer{}
	p := &proxy{cfg: Config{Logger: slog.New(slog.NewTextHandler(logs, nil))}} // without metrics
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("ServeHTTP panics with %v, want http.ErrAbortHandler", v)
		}
		if !strings.Contains(logs.String(), "panic in a request") {
			t.Errorf("log = %q", logs)
		}
	}()
	p.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

// Older tools ask chat models for vectors, which an Ollama makes without listing that.
func TestEmbeddingByChatModel(t *testing.T) {
	for _, tt := range []struct {
		native     service.Protocol
		wantStatus int
	}{{service.Ollama, 200}, {service.OpenAI, 400}} {
		info := testInfo(models(tt.native, "m"))
		info.Models[0].Features = []string{"json_schema", "tools"}
		exit := newExit(t, newIdentity(t), info)
		exit.answer = func(x *exchange) { x.respond(200, "application/json", `{"ok":true}`) }
		c := start(t, Config{}, newTestRelay(t, exit))
		for path, body := range map[string]string{
			"/api/embed":                    `{"model":"m","input":"hi"}`,
			"/api/embeddings":               `{"model":"m","prompt":"hi"}`,
			"/v1/embeddings":                `{"model":"m","input":"hi"}`,
			"/v1beta/models/m:embedContent": `{"content":{"parts":[{"text":"hi"}]}}`,
		} {
			resp := c.do("POST", path, body)
			if text := read(t, resp); resp.StatusCode != tt.wantStatus {
				t.Errorf("%s over %s: status %d, want %d: %s", path, tt.native, resp.StatusCode, tt.wantStatus, text)
			}
		}
	}
}
