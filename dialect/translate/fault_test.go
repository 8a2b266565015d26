// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/dialect/translate"
	"github.com/tokengo/tokengo/service"
)

// A model that cannot think gets the same request without the wish, once.
func TestWithoutReasoning(t *testing.T) {
	const refusal = `{"error":"\"llama3\" does not support thinking"}`
	thinks := `{"model":"m","max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":"hi"}]}`
	plain := `{"model":"m","max_tokens":2000,"messages":[{"role":"user","content":"hi"}]}`
	tests := []struct {
		name   string
		body   string
		to     service.Protocol
		status int
		error  string
		again  bool
	}{
		{"ollama", thinks, service.Ollama, 400, refusal, true},
		{"ollama over OpenAI's protocol", thinks, service.OpenAI, 400, refusal, true},
		{"not asked for", plain, service.Ollama, 400, refusal, false},
		{"another error", thinks, service.Ollama, 400, `{"error":"out of memory"}`, false},
		{"another status", thinks, service.Ollama, 500, refusal, false},
		{"another backend", thinks, service.Gemini, 400, refusal, false},
	}
	for _, tt := range tests {
		x, fail := translate.New(operation(t, "/v1/messages"), []byte(tt.body), translate.Target{Protocol: tt.to, Model: "m"})
		if fail != nil {
			t.Fatal(fail)
		}
		again, ok := x.WithoutReasoning(tt.status, []byte(tt.error))
		if ok != tt.again {
			t.Errorf("%s: tried again is %v, want %v", tt.name, ok, tt.again)
		}
		if !ok {
			continue
		}
		if s := string(again.Body); strings.Contains(s, `"think"`) || strings.Contains(s, "reasoning_effort") || !slices.Contains(again.Dropped, "reasoning") {
			t.Errorf("%s: again with %s, dropped %v", tt.name, s, again.Dropped)
		}
		if _, ok := again.WithoutReasoning(tt.status, []byte(tt.error)); ok {
			t.Errorf("%s: a third try", tt.name)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	const body = `{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.2s"}]}}`
	for p, want := range map[service.Protocol]string{service.Gemini: "35", service.OpenAI: "", service.Claude: ""} {
		if got := translate.RetryAfter(p, []byte(body)); got != want {
			t.Errorf("%s: %q, want %q", p, got, want)
		}
	}
}
