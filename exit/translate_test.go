// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// scripted is a backend that gives one answer after the other and keeps what it was asked.
type scripted struct {
	answers []scriptedAnswer
	bodies  []string
	headers []http.Header
}

type scriptedAnswer struct {
	status int
	body   string
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.bodies, s.headers = append(s.bodies, string(body)), append(s.headers, r.Header)
	a := s.answers[min(len(s.bodies), len(s.answers))-1]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	io.WriteString(w, a.body)
}

func scriptedRig(t *testing.T, p service.Protocol, models []service.Model, answers ...scriptedAnswer) (*rig, *scripted) {
	t.Helper()
	s := &scripted{answers: answers}
	return newRig(t, Config{Backends: []Backend{{Protocol: p, URL: backendServer(t, s.ServeHTTP), Models: models, Silent: true}}}), s
}

const thinkingRequest = `{"model":"m","max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":"hi"}]}`

// A model that cannot think is asked again, once, and the tool is told what was left out.
func TestAskedAgainWithoutReasoning(t *testing.T) {
	refusal := scriptedAnswer{400, `{"error":"\"m\" does not support thinking"}`}
	answer := scriptedAnswer{200, `{"model":"m","message":{"role":"assistant","content":"Hello"},"done":true,"done_reason":"stop"}`}
	r, s := scriptedRig(t, service.Ollama, testModels("m"), refusal, answer)
	got := r.do(t, chunked, inner{path: "/v1/messages", body: thinkingRequest})
	if got.status != 200 || !strings.Contains(got.body, "Hello") || got.fields.Get(dialect.FieldDropped) != "reasoning" {
		t.Errorf("got %+v", got)
	}
	if len(s.bodies) != 2 || !strings.Contains(s.bodies[0], `"think":true`) || strings.Contains(s.bodies[1], "think") {
		t.Errorf("asked %q", s.bodies)
	}
	r, s = scriptedRig(t, service.Ollama, testModels("m"), refusal)
	if got := r.do(t, chunked, inner{path: "/v1/messages", body: thinkingRequest}); got.status != 400 || len(s.bodies) != 2 {
		t.Errorf("a backend that refuses twice: %d after %d requests", got.status, len(s.bodies))
	}
}

// Google says in the body when to come back. Tools read it in the header, whatever they speak.
func TestRetryInfo(t *testing.T) {
	limited := scriptedAnswer{429, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"` + canaryKey + `","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"17s"}]}}`}
	for _, path := range []string{"/v1beta/models/m:generateContent", "/v1/messages", "/v1/chat/completions"} {
		r, _ := scriptedRig(t, service.Gemini, testModels("m"), limited)
		body := `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`
		if strings.HasPrefix(path, "/v1beta") {
			body = `{"contents":[{"parts":[{"text":"hi"}]}]}`
		}
		got := r.do(t, chunked, inner{path: path, body: body})
		if got.status != 429 || got.fields.Get("retry-after") != "17" || strings.Contains(got.body, canaryKey) {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

// A missing limit of tokens is that of the model's description, under its published name.
func TestMaxOutputOfTheModel(t *testing.T) {
	s := &scripted{answers: []scriptedAnswer{{200, `{"type":"message","content":[],"stop_reason":"end_turn","usage":{}}`}}}
	r := newRig(t, Config{Backends: []Backend{{
		Protocol: service.Claude, URL: backendServer(t, s.ServeHTTP),
		Silent: true, Models: []service.Model{{ID: "nice", MaxOutput: 12345}}, Aliases: map[string]string{"nice": "glm-secret"},
	}}})
	r.do(t, chunked, inner{path: "/v1/chat/completions", body: `{"model":"nice","messages":[{"role":"user","content":"hi"}]}`})
	var asked struct {
		Model     string `json:"model"`
		MaxTokens int    `json:"max_tokens"`
	}
	if err := json.Unmarshal([]byte(s.bodies[0]), &asked); err != nil || asked.Model != "glm-secret" || asked.MaxTokens != 12345 {
		t.Errorf("asked %s, %v", s.bodies[0], err)
	}
}

// A limit of tokens above what the model can give, by its description, is lowered where the request is translated, and
// nowhere else; the tool is told of nothing that was left out.
func TestLimitOfTokens(t *testing.T) {
	const claudeBody = ` {"model":"m", "max_tokens":32000,"messages":[{"role":"user","content":"hi"}]} `
	tests := []struct {
		backend   service.Protocol
		model     service.Model
		path      string
		want, not string // of what the backend is sent
	}{
		{service.OpenAI, service.Model{ID: "m", MaxOutput: 8192}, "/v1/messages", `"max_tokens":8192`, "32000"},
		{service.Ollama, service.Model{ID: "m", MaxOutput: 8192}, "/v1/messages", `"num_predict":8192`, "32000"},
		{service.Ollama, service.Model{ID: "m", MaxCtx: 8192}, "/v1/messages", `"num_predict":81`, "32000"},
		{service.Ollama, service.Model{ID: "m"}, "/v1/messages", `"num_predict":32000`, "8192"},
		{service.Claude, service.Model{ID: "m", MaxOutput: 8192}, "/v1/chat/completions", `"max_tokens":8192`, "32000"},
		{service.Claude, service.Model{ID: "m", MaxOutput: 8192, MaxCtx: 8192}, "/v1/messages", claudeBody, "8192"},
	}
	for _, tt := range tests {
		r, s := scriptedRig(t, tt.backend, []service.Model{tt.model}, scriptedAnswer{500, `{}`})
		got := r.do(t, chunked, inner{path: tt.path, body: claudeBody})
		if len(s.bodies) != 1 || !strings.Contains(s.bodies[0], tt.want) || strings.Contains(s.bodies[0], tt.not) {
			t.Errorf("%s to %s %+v: sent %q, want %s", tt.path, tt.backend, tt.model, s.bodies, tt.want)
		}
		if dropped := got.fields.Get(dialect.FieldDropped); dropped != "" {
			t.Errorf("%s to %s: dropped %q", tt.path, tt.backend, dropped)
		}
	}
}

// A native backend gets the request byte for byte, but for signatures of others.
func TestForeignSignaturesStay(t *testing.T) {
	const plain = ` {"model":"m", "unknown":[1e3, {}],"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":"b2s="}, {"type":"text","text":"tokengo: x"}]}]} `
	const marked = `{"model":"m","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":"tokengo:gemini:YQ"},{"type":"text","text":"b"}]}]}`
	r, s := scriptedRig(t, service.Claude, testModels("m"), scriptedAnswer{200, `{}`})
	r.do(t, chunked, inner{path: "/v1/messages", body: plain})
	r.do(t, chunked, inner{path: "/v1/messages", body: marked})
	want := []string{plain, `{"model":"m","messages":[{"role":"assistant","content":[{"type":"text","text":"b"}]}]}`}
	if diff := cmp.Diff(want, s.bodies); diff != "" {
		t.Errorf("the backend got (-want +got):\n%s", diff)
	}
}

// Header fields that ask for more than a protocol has are named when they are left out.
func TestBetaFieldsAreNamed(t *testing.T) {
	answer := scriptedAnswer{200, `{"model":"m","message":{"role":"assistant","content":"Hello"},"done":true,"done_reason":"stop"}`}
	for path, field := range map[string]string{"/v1/messages": "anthropic-beta", "/v1/chat/completions": "openai-beta", "/v1/responses": "openai-beta"} {
		r, s := scriptedRig(t, service.Ollama, testModels("m"), answer)
		body := `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}],"input":"hi"}`
		if path != "/v1/responses" {
			body = strings.Replace(body, `,"input":"hi"`, "", 1)
		} else {
			body = `{"model":"m","input":"hi"}`
		}
		got := r.do(t, chunked, inner{path: path, body: body, fields: bhttp.Fields{{Name: field, Value: "x-2026"}}})
		if got.status != 200 || got.fields.Get(dialect.FieldDropped) != field || s.headers[0].Get(field) != "" {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

// A model that turns out to make no embeddings is the request's fault, natively and translated: were it the backend's,
// clients would leave the model alone that answers well.
func TestModelWithoutEmbeddings(t *testing.T) {
	const refused = `{"error":"this model does not support embeddings"}`
	for _, tt := range []struct {
		backend    service.Protocol
		path, body string
		answer     scriptedAnswer
		wantStatus int
		wantCode   string
	}{
		{service.Ollama, "/api/embed", `{"model":"m","input":"x"}`, scriptedAnswer{501, refused}, 400, "invalid_request"},
		{service.Ollama, "/api/embeddings", `{"model":"m","prompt":"x"}`, scriptedAnswer{500, refused}, 400, "invalid_request"},
		{service.Ollama, "/v1/embeddings", `{"model":"m","input":"x"}`, scriptedAnswer{501, refused}, 400, "invalid_request"},
		{service.Ollama, "/v1beta/models/m:embedContent", `{"content":{"parts":[{"text":"x"}]}}`, scriptedAnswer{501, refused}, 400, "invalid_request"},
		{service.OpenAI, "/v1/embeddings", `{"model":"m","input":"x"}`, scriptedAnswer{501, `{"error":{"message":"this model does not support embeddings"}}`}, 400, "invalid_request"},
		{service.OpenAI, "/api/embed", `{"model":"m","input":"x"}`, scriptedAnswer{501, refused}, 400, "invalid_request"},
		{service.Ollama, "/api/embed", `{"model":"m","input":"x"}`, scriptedAnswer{500, `{"error":"llama runner process has terminated"}`}, 500, "backend_error"},
		{service.Ollama, "/v1/embeddings", `{"model":"m","input":"x"}`, scriptedAnswer{500, `{"error":"llama runner process has terminated"}`}, 500, "backend_error"},
		{service.Gemini, "/v1beta/models/m:embedContent", `{"content":{"parts":[{"text":"x"}]}}`, scriptedAnswer{501, refused}, 501, "backend_error"},
		{service.Ollama, "/api/chat", `{"model":"m","messages":[{"role":"user","content":"x"}]}`, scriptedAnswer{501, refused}, 501, "backend_error"},
	} {
		r, _ := scriptedRig(t, tt.backend, testModels("m"), tt.answer)
		got := r.do(t, chunked, inner{path: tt.path, body: tt.body})
		if got.status != tt.wantStatus || !strings.Contains(strings.ToLower(got.body), tt.wantCode) || strings.Contains(got.body, "this model") {
			t.Errorf("%s at %s, which says %+v: %+v", tt.path, tt.backend, tt.answer, got)
		}
		if failed := strings.Contains(r.log.String(), "does not answer as it should"); failed != (tt.wantCode == "backend_error") {
			t.Errorf("%s at %s, which says %+v: the operator is told of a failure: %t", tt.path, tt.backend, tt.answer, failed)
		}
	}
}

// What Ollama's tools ask about a model is answered from its description where no Ollama serves it.
func TestShowOfAnotherProtocol(t *testing.T) {
	models := []service.Model{
		{ID: "seeing", MaxCtx: 200000, Features: []string{"tools", "vision", "reasoning"}},
		{ID: "vectors", Features: []string{"embedding"}},
		{ID: "unknown"},
	}
	r, s := scriptedRig(t, service.Claude, models, scriptedAnswer{500, ""})
	type shown struct {
		ModelInfo    map[string]any `json:"model_info"`
		Capabilities []string       `json:"capabilities"`
	}
	for _, tt := range []struct {
		model string
		want  shown
	}{
		{"seeing", shown{map[string]any{"general.architecture": "tokengo", "general.basename": "seeing", "tokengo.context_length": 200000.0}, []string{"completion", "tools", "vision", "thinking"}}},
		{"vectors", shown{map[string]any{"general.architecture": "tokengo", "general.basename": "vectors"}, []string{"embedding"}}},
		{"unknown", shown{map[string]any{"general.architecture": "tokengo", "general.basename": "unknown"}, []string{"completion", "tools"}}},
	} {
		got := r.do(t, chunked, inner{path: "/api/show", body: `{"model":"` + tt.model + `"}`})
		var body shown
		if err := json.Unmarshal([]byte(got.body), &body); err != nil || got.status != 200 {
			t.Errorf("%s: %+v, %v", tt.model, got, err)
		}
		if diff := cmp.Diff(tt.want, body); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.model, diff)
		}
	}
	if got := r.do(t, chunked, inner{path: "/api/show", body: `{"model":"other"}`}); got.status != 404 || !strings.Contains(got.body, "seeing, vectors, unknown") {
		t.Errorf("an unknown model: %+v", got)
	}
	if len(s.bodies) != 0 {
		t.Errorf("the backend was asked %q", s.bodies)
	}
}
