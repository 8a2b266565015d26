// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

func TestMeansResponses(t *testing.T) {
	type verdict struct{ Has, Known bool }
	has, lacks, unknown := verdict{true, true}, verdict{false, true}, verdict{false, false}
	tests := []struct {
		name   string
		status int
		body   string
		want   verdict
	}{
		{"OpenAI misses the model", 400, `{"error":{"code":"missing_required_parameter"}}`, has},
		{"vLLM misses the input", 422, `{}`, has},
		{"no such model", 404, `{"error":{"message":"The model does not exist."}}`, has},
		{"answered", 200, `{"object":"response"}`, has},
		{"llama.cpp before it had it", 404, `{"error":{"code":404,"message":"File Not Found"}}`, lacks},
		{"a gateway", 405, ``, lacks},
		{"not implemented", 501, ``, lacks},
		{"LM Studio before it had it", 200, `{"error":"Unexpected endpoint or method. (POST /v1/responses)"}`, lacks},
		{"a web page", 200, `<html>`, lacks},
		{"wrong key", 401, ``, unknown},
		{"too many requests", 429, ``, unknown},
		{"down", 502, ``, unknown},
		{"moved", 301, ``, unknown},
	}
	for _, tt := range tests {
		var got verdict
		if got.Has, got.Known = meansResponses(tt.status, []byte(tt.body)); got.Known != tt.want.Known || got.Known && got != tt.want {
			t.Errorf("%s: %d %s means %+v, want %+v", tt.name, tt.status, tt.body, got, tt.want)
		}
	}
}

// paths is a backend that remembers what it was asked and answers in chat completions; it has Responses while has says so.
type paths struct {
	mu    sync.Mutex // guards asked and has
	asked []string
	has   bool
}

func (p *paths) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r.URL.Path)
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/v1/chat/completions":
		io.WriteString(w, `{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"by chat"},"finish_reason":"stop"}]}`)
	case !p.has:
		w.WriteHeader(http.StatusNotFound)
	case string(body) == "{}":
		w.WriteHeader(http.StatusBadRequest)
	default:
		io.WriteString(w, `{"object":"response","output":[{"content":[{"text":"by responses"}]}]}`)
	}
}

func (p *paths) set(has bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.has, p.asked = has, nil
}

// A backend without the Responses API answers such requests over chat completions: as it was found or as it is configured.
func TestResponsesModes(t *testing.T) {
	const probe = "/v1/responses"
	tests := []struct {
		mode  ResponsesMode
		has   bool
		asked []string
		want  string
	}{
		{ResponsesAuto, true, []string{probe, "/v1/responses"}, "by responses"},
		{ResponsesAuto, false, []string{probe, "/v1/chat/completions"}, "by chat"},
		{ResponsesNative, true, []string{"/v1/responses"}, "by responses"},
		{ResponsesTranslate, true, []string{"/v1/chat/completions"}, "by chat"},
	}
	for _, tt := range tests {
		p := &paths{has: tt.has}
		cfg := openAIBackend(backendServer(t, p.ServeHTTP))
		cfg.Responses = tt.mode
		r := newRig(t, Config{Backends: []Backend{cfg}})
		got := r.do(t, chunked, inner{path: "/v1/responses", body: `{"model":"gpt-test","input":"hi"}`})
		if got.status != http.StatusOK || !strings.Contains(got.body, tt.want) || !strings.Contains(got.body, `"object":"response"`) {
			t.Errorf("%s, has %v: %d %s", tt.mode, tt.has, got.status, got.body)
		}
		if diff := cmp.Diff(tt.asked, p.asked); diff != "" {
			t.Errorf("%s, has %v: the backend was asked (-want +got):\n%s", tt.mode, tt.has, diff)
		}
	}
}

// What a backend has is asked again as often as its models, and sooner after it could not be asked.
func TestResponsesAskedAgain(t *testing.T) {
	p := &paths{}
	now := time.Now()
	cfg := openAIBackend(backendServer(t, p.ServeHTTP))
	cfg.Responses = ResponsesAuto
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	e, err := New(Config{Relays: testRelays, Backends: []Backend{cfg}, Clock: func() time.Time { return now }, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	m := &maintainer{exit: e, cfg: e.cfg, backends: e.backends, sources: make([]source, 1)}
	b := e.backends[0]
	for _, step := range []struct {
		after time.Duration
		has   bool
		asks  int
		lacks bool
	}{
		{0, false, 1, true},
		{time.Minute, true, 0, true}, // not due
		{defaultModelsRefresh, true, 1, false},
	} {
		now = now.Add(step.after)
		p.set(step.has)
		m.askBackends(t.Context())
		if len(p.asked) != step.asks || b.abilities.noResponses.Load() != step.lacks {
			t.Errorf("after %v: asked %d times, lacks is %v, want %+v", step.after, len(p.asked), !step.lacks, step)
		}
	}
	if n := strings.Count(log.String(), "Responses API"); n != 2 {
		t.Errorf("the operator was told %d times, want once for each change: %s", n, &log)
	}
	b.transport = failing{}
	now = now.Add(defaultModelsRefresh)
	m.askBackends(t.Context())
	if due := b.abilities.asksAt.Sub(now); due != wakeInterval || b.abilities.noResponses.Load() {
		t.Errorf("a backend that cannot be asked is asked again in %v and lacks %v, want in %v what was known", due, b.abilities.noResponses.Load(), wakeInterval)
	}
}

// failing is a connection that cannot be made.
type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func TestParseResponsesMode(t *testing.T) {
	for s, want := range map[string]ResponsesMode{
		"": ResponsesAuto, "auto": ResponsesAuto, "native": ResponsesNative, "translate": ResponsesTranslate,
	} {
		if got, err := ParseResponsesMode(s); err != nil || got != want {
			t.Errorf("%q is %q, %v", s, got, err)
		}
	}
	if _, err := ParseResponsesMode("chat"); err == nil {
		t.Error("an unknown mode is taken")
	}
	if _, err := newBackend(Backend{Protocol: service.Claude, URL: "http://h", Responses: ResponsesNative}, discard); err == nil {
		t.Error("a claude backend has a mode of Responses")
	}
}
