// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/translate"
	"github.com/tokengo/tokengo/service"
)

// sentLimits are what a backend may be sent that limits an answer, in tokens.
type sentLimits struct {
	MaxTokens           int `json:"max_tokens"`            // openai, claude
	MaxCompletionTokens int `json:"max_completion_tokens"` // OpenAI's own models
	Config              struct {
		MaxOutputTokens int `json:"maxOutputTokens"`
		Thinking        struct {
			Budget int `json:"thinkingBudget"`
		} `json:"thinkingConfig"`
	} `json:"generationConfig"` // gemini
	Options struct {
		NumPredict int `json:"num_predict"`
	} `json:"options"` // ollama
	Thinking struct {
		Budget int `json:"budget_tokens"`
	} `json:"thinking"` // claude
}

func sentOf(t *testing.T, x *translate.Exchange) (s sentLimits) {
	t.Helper()
	if err := json.Unmarshal(x.Body, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// limitedTools are what tools of each protocol send that allow an answer of so many tokens.
var limitedTools = []struct{ path, body string }{
	{"/v1/chat/completions", `{"model":"m","max_tokens":%d,"messages":[{"role":"user","content":"hi"}]}`},
	{"/v1/responses", `{"model":"m","max_output_tokens":%d,"input":"hi"}`},
	{"/v1/messages", `{"model":"m","max_tokens":%d,"messages":[{"role":"user","content":"hi"}]}`},
	{"/v1beta/models/m:generateContent", `{"generationConfig":{"maxOutputTokens":%d},"contents":[{"parts":[{"text":"hi"}]}]}`},
	{"/api/chat", `{"model":"m","options":{"num_predict":%d},"messages":[{"role":"user","content":"hi"}]}`},
}

// Every backend is asked for no longer answer than its model can give, in its own field, and no tool is told that
// anything was left out.
func TestLimitIsLowered(t *testing.T) {
	backends := []struct {
		protocol service.Protocol
		model    string
		sent     func(int) sentLimits
	}{
		{service.OpenAI, "llama", func(n int) (s sentLimits) { s.MaxTokens = n; return s }},
		{service.OpenAI, "gpt-5", func(n int) (s sentLimits) { s.MaxCompletionTokens = n; return s }},
		{service.Claude, "glm", func(n int) (s sentLimits) { s.MaxTokens = n; return s }},
		{service.Gemini, "gemma", func(n int) (s sentLimits) { s.Config.MaxOutputTokens = n; return s }},
		{service.Ollama, "qwen", func(n int) (s sentLimits) { s.Options.NumPredict = n; return s }},
	}
	limits := []struct{ asked, maxOutput, maxCtx, want int }{
		{32_000, 0, 0, 32_000},
		{32_000, 8192, 0, 8192},
		{32_000, 8192, 200_000, 8192},
		{32_000, 32_000, 200_000, 32_000},
		{100, 8192, 200_000, 100},
		{32_000, 0, 200_000, 32_000},
		{1 << 30, 8192, 0, 8192},
	}
	for _, tool := range limitedTools {
		for _, b := range backends {
			op := operation(t, tool.path)
			if !op.Translates(b.protocol) && tool.path != "/v1/responses" {
				continue
			}
			for _, l := range limits {
				to := translate.Target{Protocol: b.protocol, Model: b.model, MaxOutput: l.maxOutput, MaxCtx: l.maxCtx}
				x, fail := translate.New(op, fmt.Appendf(nil, tool.body, l.asked), to)
				if fail != nil {
					t.Fatal(fail)
				}
				if diff := cmp.Diff(b.sent(l.want), sentOf(t, x)); diff != "" || len(x.Dropped) > 0 {
					t.Errorf("%s to %s %s, %+v: dropped %v (-want +got):\n%s", tool.path, b.protocol, b.model, l, x.Dropped, diff)
				}
			}
		}
	}
}

// A long conversation leaves less of the context window than the tool allows. The count of it is rough.
func TestLimitLeavesRoomForTheRequest(t *testing.T) {
	tests := []struct {
		words    int // each is a token to most models
		maxCtx   int
		min, max int // what may be asked for
	}{
		{20_000, 200_000, 32_000, 32_000},
		{20_000, 32_768, 7000, 12_768},
		{20_000, 0, 32_000, 32_000},
		{40_000, 32_768, 1024, 1024}, // too long, which is for the backend to say
	}
	for _, tt := range tests {
		text := strings.Repeat("word ", tt.words)
		body := `{"model":"m","max_tokens":32000,"messages":[{"role":"user","content":"` + text + `"}]}`
		x, fail := translate.New(operation(t, "/v1/messages"), []byte(body), translate.Target{Protocol: service.OpenAI, Model: "m", MaxCtx: tt.maxCtx})
		if fail != nil {
			t.Fatal(fail)
		}
		if got := sentOf(t, x).MaxTokens; got < tt.min || got > tt.max || len(x.Dropped) > 0 {
			t.Errorf("%+v: max_tokens %d, dropped %v", tt, got, x.Dropped)
		}
	}
}

// A limit that the tool does not state and Claude's protocol demands is the model's, as the exit knows it, else as its name
// tells, and leaves room for the request too.
func TestLimitNotStated(t *testing.T) {
	tests := []struct {
		model             string
		maxOutput, maxCtx int
		min, max          int
	}{
		{"claude-3-opus", 0, 0, 4096, 4096},
		{"claude-3-opus", 5000, 0, 5000, 5000},
		{"claude-3-opus", 0, 200_000, 4096, 4096},
		{"glm-x", 16_384, 0, 16_384, 16_384},
		{"glm-x", 0, 0, 32_000, 32_000},
		{"glm-x", 0, 200_000, 32_000, 32_000},
		{"glm-x", 16_384, 8192, 6000, 8000},
		{"glm-x", 0, 8192, 6000, 8000},
	}
	body := `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("word ", 500) + `"}]}`
	for _, tt := range tests {
		to := translate.Target{Protocol: service.Claude, Model: tt.model, MaxOutput: tt.maxOutput, MaxCtx: tt.maxCtx}
		x, fail := translate.New(operation(t, "/v1/chat/completions"), []byte(body), to)
		if fail != nil {
			t.Fatal(fail)
		}
		if got := sentOf(t, x).MaxTokens; got < tt.min || got > tt.max || len(x.Dropped) > 0 {
			t.Errorf("%+v: max_tokens %d, dropped %v", tt, got, x.Dropped)
		}
	}
}

// A budget of thinking stays below a limit that was lowered.
func TestBudgetBelowLoweredLimit(t *testing.T) {
	const body = `{"model":"m","max_tokens":64000,"reasoning_effort":"high","messages":[{"role":"user","content":"hi"}]}`
	tests := []struct {
		protocol      service.Protocol
		model         string
		maxOutput     int
		limit, budget int
	}{
		{service.Claude, "claude-sonnet-4-5", 0, 64_000, 24_576},
		{service.Claude, "claude-sonnet-4-5", 16_384, 16_384, 8192},
		{service.Claude, "claude-sonnet-4-5", 2048, 2048, 1024},
		{service.Claude, "claude-sonnet-4-5", 1024, 1024, 0}, // no budget fits
		{service.Gemini, "gemini-2.5-flash", 65_536, 64_000, 24_576},
		{service.Gemini, "gemini-2.5-flash", 8192, 8192, 4096},
	}
	for _, tt := range tests {
		op := operation(t, "/v1/chat/completions")
		x, fail := translate.New(op, []byte(body), translate.Target{Protocol: tt.protocol, Model: tt.model, MaxOutput: tt.maxOutput})
		if fail != nil {
			t.Fatal(fail)
		}
		sent := sentOf(t, x)
		limit, budget := sent.MaxTokens+sent.Config.MaxOutputTokens, sent.Thinking.Budget+sent.Config.Thinking.Budget
		if limit != tt.limit || budget != tt.budget {
			t.Errorf("%+v: limit %d, budget %d, dropped %v", tt, limit, budget, x.Dropped)
		}
	}
}

// Responses repeats the request's settings, as the tool made them.
func TestAnswerRepeatsTheToolsLimit(t *testing.T) {
	tool := limitedTools[1]
	to := translate.Target{Protocol: service.Ollama, Model: "m", MaxOutput: 8192}
	x, fail := translate.New(operation(t, tool.path), fmt.Appendf(nil, tool.body, 32_000), to)
	if fail != nil {
		t.Fatal(fail)
	}
	answer, err := x.Answer([]byte(`{"model":"m","message":{"role":"assistant","content":"Hello"},"done":true,"done_reason":"length"}`))
	if err != nil || !strings.Contains(string(answer), `"max_output_tokens":32000`) {
		t.Errorf("answer %s, %v", answer, err)
	}
}
