// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
)

func TestEncodeThinking(t *testing.T) {
	tools := []conversation.Tool{{Name: "f"}}
	type reasoning = conversation.Reasoning
	for _, test := range []struct {
		name, model string
		req         conversation.Request
		thinking    string
		config      string
		dropped     []string
	}{
		{name: "not asked for", model: "m"},
		{"off", "m", conversation.Request{Reasoning: reasoning{Mode: conversation.ReasoningOff}}, `{"type":"disabled"}`, "", nil},
		{
			"off where it cannot be", "claude-fable-5-1",
			conversation.Request{Reasoning: reasoning{Mode: conversation.ReasoningOff}},
			"", `{"effort":"low"}`,
			[]string{"reasoning"},
		},
		{
			"an effort is a budget", "m",
			conversation.Request{Reasoning: reasoning{Mode: conversation.ReasoningOn, Effort: "medium"}},
			`{"type":"enabled","budget_tokens":8192}`, "", nil,
		},
		{
			"an effort stays one", "claude-opus-4-7",
			conversation.Request{Reasoning: reasoning{Mode: conversation.ReasoningOn, Effort: "minimal"}},
			`{"type":"adaptive"}`, `{"effort":"low"}`, nil,
		},
		{
			"a budget is an effort", "claude-sonnet-5",
			conversation.Request{
				Reasoning: reasoning{Mode: conversation.ReasoningOn, Budget: 20000, Visible: pointer(true)},
			},
			`{"type":"adaptive","display":"summarized"}`, `{"effort":"high"}`, nil,
		},
		{
			"a summary is to be seen", "claude-opus-4-8",
			conversation.Request{Reasoning: reasoning{Mode: conversation.ReasoningOn, Summary: "auto"}},
			`{"type":"adaptive","display":"summarized"}`, "", nil,
		},
		{
			"a budget where both are accepted", "claude-sonnet-4-6",
			conversation.Request{Reasoning: reasoning{Mode: conversation.ReasoningOn, Budget: 2000, Visible: pointer(false)}},
			`{"type":"enabled","budget_tokens":2000,"display":"omitted"}`, "", nil,
		},
		{
			"adaptive", "m",
			conversation.Request{Reasoning: reasoning{Mode: conversation.ReasoningAdaptive, Effort: "max"}},
			`{"type":"adaptive"}`, `{"effort":"max"}`, nil,
		},
		{
			"adaptive where it is not known", "claude-haiku-4-5",
			conversation.Request{Reasoning: reasoning{Mode: conversation.ReasoningAdaptive, Effort: "high"}},
			`{"type":"enabled","budget_tokens":24576}`, "", nil,
		},
		{
			"an effort that is newer", "claude-opus-4-6",
			conversation.Request{Reasoning: reasoning{Mode: conversation.ReasoningAdaptive, Effort: "xhigh"}},
			`{"type":"adaptive"}`, `{"effort":"high"}`, nil,
		},
		{
			"budgets leave room", "m",
			conversation.Request{MaxTokens: 3000, Reasoning: reasoning{Mode: conversation.ReasoningOn, Effort: "high"}},
			`{"type":"enabled","budget_tokens":1500}`, "", nil,
		},
		{
			"budgets are 1024 at least", "m",
			conversation.Request{MaxTokens: 1100, Reasoning: reasoning{Mode: conversation.ReasoningOn, Budget: 100}},
			`{"type":"enabled","budget_tokens":1024}`, "", nil,
		},
		{
			"no room", "m",
			conversation.Request{MaxTokens: 1024, Reasoning: reasoning{Mode: conversation.ReasoningOn, Effort: "low"}},
			"", "",
			[]string{"reasoning"},
		},
		{
			"models without", "claude-3-5-haiku-latest",
			conversation.Request{Reasoning: reasoning{Mode: conversation.ReasoningOn, Effort: "low"}},
			"", "",
			[]string{"reasoning"},
		},
		{
			"a forced call", "m",
			conversation.Request{
				Tools: tools, Choice: conversation.Choice{Mode: conversation.ChoiceRequired},
				Reasoning: reasoning{Mode: conversation.ReasoningOn, Effort: "low"},
			},
			"", "",
			[]string{"reasoning"},
		},
		{
			"a forced call where thinking is on unasked", "claude-opus-5",
			conversation.Request{
				Tools: tools, Choice: conversation.Choice{Mode: conversation.ChoiceNamed, Name: "f"},
			},
			`{"type":"disabled"}`, "", nil,
		},
		{
			"results for a call that lost its thinking", "m",
			conversation.Request{
				Messages:  []conversation.Message{user("1"), called("x"), answered("x")},
				Reasoning: reasoning{Mode: conversation.ReasoningOn, Effort: "low"},
			},
			"", "",
			[]string{"reasoning"},
		},
		{
			"the same, long ago", "m",
			conversation.Request{
				Messages:  []conversation.Message{user("1"), called("x"), answered("x"), said(conversation.Assistant, "2"), user("3")},
				Reasoning: reasoning{Mode: conversation.ReasoningOn, Effort: "low"},
			},
			`{"type":"enabled","budget_tokens":2048}`, "", nil,
		},
		{
			"an effort alone", "m", conversation.Request{Reasoning: reasoning{Effort: "low"}}, "", `{"effort":"low"}`, nil,
		},
		{
			"a schema", "m",
			conversation.Request{Format: conversation.Format{
				Kind: conversation.FormatSchema, Schema: json.RawMessage(`{"type":"object","properties":{"a":{"type":"string"}}}`),
			}},
			"", `{"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}}}`, nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := test.req
			req.Model = test.model
			if req.Messages == nil {
				req.Messages = []conversation.Message{user("hi")}
			}
			got, dropped := encoded(t, &req)
			wantFields(t, got, map[string]string{"thinking": test.thinking, "output_config": test.config})
			if diff := cmp.Diff(test.dropped, dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeSampling(t *testing.T) {
	for _, test := range []struct {
		model    string
		sampling conversation.Sampling
		thinking bool
		want     map[string]string
		dropped  []string
	}{
		{
			"m",
			conversation.Sampling{Temperature: pointer(0.5), TopP: pointer(0.9), TopK: pointer(5)},
			false,
			map[string]string{"temperature": "0.5", "top_p": "0.9", "top_k": "5"},
			nil,
		},
		{
			"m",
			conversation.Sampling{Temperature: pointer(1.5), TopP: pointer(0.9)},
			false,
			map[string]string{"temperature": "1", "top_p": "0.9"},
			[]string{"temperature"},
		},
		{
			"m",
			conversation.Sampling{Temperature: pointer(0.5), TopP: pointer(0.96), TopK: pointer(5)},
			true,
			map[string]string{"temperature": "", "top_p": "0.96", "top_k": ""},
			[]string{"temperature", "top_k"},
		},
		{
			"claude-sonnet-4-5",
			conversation.Sampling{Temperature: pointer(0.5), TopP: pointer(0.9)},
			false,
			map[string]string{"temperature": "0.5", "top_p": ""},
			[]string{"top_p"},
		},
		{
			"claude-opus-4-7",
			conversation.Sampling{Temperature: pointer(0.5), TopP: pointer(0.9), TopK: pointer(5)},
			false,
			map[string]string{"temperature": "", "top_p": "", "top_k": ""},
			[]string{"temperature", "top_k", "top_p"},
		},
		{
			"claude-opus-4-7",
			conversation.Sampling{Temperature: pointer(1.0), TopP: pointer(1.0)},
			false,
			map[string]string{"temperature": "1", "top_p": ""},
			nil,
		},
		{
			"m", conversation.Sampling{
				MinP: pointer(0.1), FrequencyPenalty: pointer(0.1), PresencePenalty: pointer(0.0), RepeatPenalty: pointer(1.1),
				Seed: pointer(int64(1)),
			}, false, nil, []string{"min_p", "frequency_penalty", "repeat_penalty", "seed"},
		},
	} {
		req := &conversation.Request{Model: test.model, Sampling: test.sampling, Messages: []conversation.Message{user("hi")}}
		if test.thinking {
			req.Reasoning.Mode = conversation.ReasoningOn
		}
		got, dropped := encoded(t, req)
		wantFields(t, got, test.want)
		if diff := cmp.Diff(test.dropped, dropped); diff != "" {
			t.Errorf("%s: dropped (-want +got):\n%s", test.model, diff)
		}
	}
}
