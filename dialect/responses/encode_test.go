// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

func TestEncodeRequest(t *testing.T) {
	user := conversation.Message{Role: conversation.User, Parts: parts{text("Hi")}}
	tool := conversation.Tool{Name: "f", Parameters: json.RawMessage(`{"type":"object"}`)}
	for _, tt := range []struct {
		name    string
		req     conversation.Request
		want    string
		dropped []string
	}{
		{
			"text",
			conversation.Request{Model: "m", Messages: []conversation.Message{user}},
			`{"model":"m","input":[{"type":"message","role":"user","content":"Hi"}],"store":false}`, nil,
		},
		{
			"settings",
			conversation.Request{
				Model: "m", Stream: true, MaxTokens: 99, Logprobs: true, TopLogprobs: 3, Parallel: ptr(true),
				Tools: []conversation.Tool{tool, {Name: "a.b", Strict: ptr(true)}, {Name: "web", Builtin: "web"}},
				Sampling: conversation.Sampling{
					Temperature: ptr(0.5), TopP: ptr(0.9), TopK: ptr(1), MinP: ptr(0.1), FrequencyPenalty: ptr(1.0),
					PresencePenalty: ptr(1.0), RepeatPenalty: ptr(1.1), Seed: ptr(int64(1)),
				},
				Stop:      []string{"x"},
				Choice:    conversation.Choice{Mode: conversation.ChoiceNamed, Name: "a.b"},
				Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: "high", Visible: ptr(true)},
				Format:    conversation.Format{Kind: conversation.FormatSchema, Schema: json.RawMessage(`{}`)},
				Messages: []conversation.Message{
					{Role: conversation.System, Parts: parts{conversation.TextPart{Text: "s", Cache: &conversation.CacheControl{}}}},
					{Role: conversation.User, Name: "n", Parts: user.Parts},
					{Role: conversation.System, Parts: parts{text("later")}},
					{Role: conversation.Developer, Parts: parts{text("d"), text("e")}},
				},
			},
			`{"model":"m","instructions":"s","input":[{"type":"message","role":"user","content":"Hi"},
				{"type":"message","role":"system","content":"later"},
				{"type":"message","role":"developer","content":[{"type":"input_text","text":"d"},{"type":"input_text","text":"e"}]}],
				"tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":false},
				{"type":"function","name":"a_b_2e7336dc","parameters":{"type":"object","properties":{}},"strict":true}],
				"tool_choice":{"type":"function","name":"a_b_2e7336dc"},"parallel_tool_calls":true,"max_output_tokens":99,
				"top_logprobs":3,"temperature":0.5,"top_p":0.9,"text":{"format":{"type":"json_schema","name":"answer","schema":{}}},
				"reasoning":{"effort":"high","summary":"auto"},
				"include":["reasoning.encrypted_content","message.output_text.logprobs"],"store":false,"stream":true}`,
			[]string{
				"cache_control", "message.name", "tools.builtin", "stop", "top_k", "min_p", "frequency_penalty",
				"presence_penalty", "repeat_penalty", "seed",
			},
		},
		{
			"reasoning model",
			conversation.Request{
				Model: "gpt-5", MaxTokens: 1, Messages: []conversation.Message{user},
				Sampling:  conversation.Sampling{Temperature: ptr(0.5), TopP: ptr(1.0)},
				Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOn, Budget: 10000},
			},
			`{"model":"gpt-5","input":[{"type":"message","role":"user","content":"Hi"}],"max_output_tokens":16,
				"reasoning":{"effort":"medium"},"include":["reasoning.encrypted_content"],"store":false}`,
			[]string{"max_tokens", "temperature"},
		},
		{
			"assistant",
			conversation.Request{Model: "m", Messages: []conversation.Message{
				user,
				{Role: conversation.Assistant, Parts: parts{
					conversation.ThinkingPart{ID: "rs_1", Text: "t", Signature: signature(service.OpenAI, "enc")},
					conversation.ThinkingPart{Text: "foreign", Signature: signature(service.Claude, "sig")},
					conversation.ThinkingPart{Text: "chat", Signature: signature(service.OpenAI, "chat:reasoning")},
					conversation.ThinkingPart{Redacted: "r"},
					text("a"), text(""),
					conversation.RefusalPart{Text: "no"},
					conversation.CallPart{ID: "c1", Name: "f", Signature: signature(service.Gemini, "g")},
					text("b"),
					conversation.ThinkingPart{Text: "last", Signature: signature(service.OpenAI, "enc2")},
				}},
				{Role: conversation.ToolResults, Parts: parts{conversation.ResultPart{CallID: "c1", IsError: true, Parts: parts{text("x"), text("y")}}}},
			}},
			`{"model":"m","input":[{"type":"message","role":"user","content":"Hi"},
				{"type":"reasoning","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":"enc"},
				{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"},{"type":"refusal","refusal":"no"}]},
				{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
				{"type":"message","role":"assistant","content":[{"type":"output_text","text":"b"}]},
				{"type":"function_call_output","call_id":"c1","output":"Error: x\n\ny"}],"store":false}`,
			[]string{"thinking", "thinking.signature"},
		},
		{
			"results without ids",
			conversation.Request{Model: "m", Messages: []conversation.Message{
				{Role: conversation.Assistant, Parts: parts{
					conversation.CallPart{Name: "f", Arguments: `{"n":1}`}, conversation.CallPart{Name: "g"}, conversation.CallPart{Name: "f"},
				}},
				{Role: conversation.ToolResults, Parts: parts{
					conversation.ResultPart{Name: "g", JSON: json.RawMessage(`{"a":1}`)},
					conversation.ResultPart{Name: "f", Parts: parts{
						text("x"), conversation.ImagePart{Media: conversation.Media{MediaType: "image/gif", Data: "AAAA"}},
					}},
					conversation.ResultPart{Name: "f"},
				}},
			}},
			`{"model":"m","input":[{"type":"function_call","call_id":"call_0","name":"f","arguments":"{\"n\":1}"},
				{"type":"function_call","call_id":"call_1","name":"g","arguments":"{}"},
				{"type":"function_call","call_id":"call_2","name":"f","arguments":"{}"},
				{"type":"function_call_output","call_id":"call_1","output":"{\"a\":1}"},
				{"type":"function_call_output","call_id":"call_0","output":[{"type":"input_text","text":"x"},
				{"type":"input_image","image_url":"data:image/gif;base64,AAAA","detail":"auto"}]},
				{"type":"function_call_output","call_id":"call_2","output":""}],"store":false}`, nil,
		},
		{
			"media",
			conversation.Request{Model: "m", Messages: []conversation.Message{{Role: conversation.User, Parts: parts{
				conversation.ImagePart{Media: conversation.Media{URL: "https://x/y", Detail: "low"}},
				conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", Data: "AAAA"}},
				conversation.FilePart{Media: conversation.Media{URL: "https://x/z"}},
				conversation.FilePart{Media: conversation.Media{FileID: "file-1", FileBy: protocol}},
			}}}},
			`{"model":"m","input":[{"type":"message","role":"user","content":[
				{"type":"input_image","image_url":"https://x/y","detail":"low"},
				{"type":"input_file","filename":"file.pdf","file_data":"data:application/pdf;base64,AAAA"},
				{"type":"input_file","file_url":"https://x/z"},{"type":"input_file","file_id":"file-1"}]}],"store":false}`, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var dropped conversation.Dropped
			path, body, fail := EncodeRequest(&tt.req, &dropped)
			if fail != nil {
				t.Fatal(fail)
			}
			if path != "/v1/responses" {
				t.Errorf("path %s", path)
			}
			if diff := cmp.Diff(compact(t, []byte(tt.want)), compact(t, body)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.dropped, dropped.Names(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	user := conversation.Message{Role: conversation.User, Parts: parts{text("Hi")}}
	spoken := func(p conversation.Part) conversation.Request {
		return conversation.Request{Messages: []conversation.Message{{Role: conversation.User, Parts: parts{p}}}}
	}
	for name, req := range map[string]conversation.Request{
		"no message": {},
		"suffix":     {Messages: []conversation.Message{user}, Suffix: "x"},
		"required":   {Messages: []conversation.Message{user}, Choice: conversation.Choice{Mode: conversation.ChoiceRequired}},
		"named": {
			Messages: []conversation.Message{user}, Choice: conversation.Choice{Mode: conversation.ChoiceNamed, Name: "f"},
			Tools: []conversation.Tool{{Name: "f", Builtin: "f"}},
		},
		"audio":        spoken(conversation.AudioPart{}),
		"image scheme": spoken(conversation.ImagePart{Media: conversation.Media{URL: "gs://secret"}}),
		"file id":      spoken(conversation.FilePart{Media: conversation.Media{FileID: "file-secret"}}),
		"another's id": spoken(conversation.ImagePart{Media: conversation.Media{FileID: "secret", FileBy: service.Claude}}),
		"several":      {Messages: []conversation.Message{user}, Candidates: 2},
	} {
		var dropped conversation.Dropped
		_, _, fail := EncodeRequest(&req, &dropped)
		if fail == nil || fail.Status != 400 || strings.Contains(fail.Message, "secret") {
			t.Errorf("%s: %v", name, fail)
		}
	}
}

func TestEffort(t *testing.T) {
	for model, want := range map[string]string{"gpt-5.2": "xhigh", "o3": "high", "gpt-oss:20b": "max"} {
		req := conversation.Request{
			Model: model, Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: "max"},
			Messages: []conversation.Message{{Role: conversation.User, Parts: []conversation.Part{conversation.TextPart{Text: "hi"}}}},
		}
		var dropped conversation.Dropped
		_, body, fail := EncodeRequest(&req, &dropped)
		if fail != nil || !strings.Contains(string(body), `"effort":"`+want+`"`) {
			t.Errorf("%s: %v, %s, want effort %s", model, fail, body, want)
		}
	}
}

// randomRequest makes a conversation that Responses can say in full.
func randomRequest(rng *rand.Rand) *conversation.Request {
	pick := func(n int) bool { return rng.IntN(n) == 0 }
	word := func() string {
		return []string{"a", "é\n", `"q"`, "日本", "<b>&", "\u2028", "🙂"}[rng.IntN(7)] + fmt.Sprint(rng.IntN(99))
	}
	req := &conversation.Request{Model: "m", Stream: pick(2)}
	req.StreamUsage = req.Stream
	if pick(2) {
		req.Messages = append(req.Messages, conversation.Message{Role: conversation.System, Parts: parts{text(word())}})
	}
	var open []conversation.ResultPart
	for range 1 + rng.IntN(6) {
		m := conversation.Message{Role: []conversation.Role{conversation.User, conversation.Developer, conversation.System}[rng.IntN(3)]}
		m.Parts = append(m.Parts, text(word()))
		if m.Role == conversation.User && pick(2) {
			m.Parts = append(m.Parts, conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: "AAAA"}}, text(word()))
		}
		req.Messages = append(req.Messages, m)
		var said parts
		open = open[:0]
		if pick(2) {
			said = append(said, conversation.ThinkingPart{Text: word(), Signature: signature(service.OpenAI, "enc"+word())})
		}
		said = append(said, text(word()))
		for range rng.IntN(3) {
			id := fmt.Sprintf("call_%d", rng.IntN(1<<30))
			said = append(said, conversation.CallPart{ID: id, Name: "f", Arguments: fmt.Sprintf(`{"n":%d}`, rng.IntN(9))})
			open = append(open, conversation.ResultPart{CallID: id, Name: "f", Parts: parts{text(word())}})
		}
		req.Messages = append(req.Messages, conversation.Message{Role: conversation.Assistant, Parts: said})
		if len(open) > 0 {
			m := conversation.Message{Role: conversation.ToolResults}
			for _, r := range open {
				m.Parts = append(m.Parts, r)
			}
			req.Messages = append(req.Messages, m)
		}
	}
	if pick(2) {
		req.Tools = []conversation.Tool{{
			Name: "f", Description: word(), Parameters: json.RawMessage(`{"type":"object","properties":{}}`), Strict: ptr(pick(2)),
		}}
		req.Choice.Mode, req.Parallel = conversation.ChoiceMode(rng.IntN(4)), ptr(pick(2))
	}
	if pick(2) {
		req.MaxTokens, req.Sampling.Temperature = 16+rng.IntN(9999), ptr(float64(rng.IntN(20))/10)
	}
	if pick(3) {
		req.Reasoning = conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: "low", Summary: "auto", Visible: ptr(true)}
	}
	if pick(3) {
		req.Logprobs, req.TopLogprobs = true, rng.IntN(5)
	}
	return req
}

func TestRequestRoundTrip(t *testing.T) {
	for seed := range uint64(300) {
		req := randomRequest(rand.New(rand.NewPCG(seed, 2)))
		var dropped conversation.Dropped
		_, body, fail := EncodeRequest(req, &dropped)
		if fail != nil {
			t.Fatalf("seed %d: %v", seed, fail)
		}
		if len(dropped.Names()) > 0 {
			t.Fatalf("seed %d: dropped %v", seed, dropped.Names())
		}
		got, fail := DecodeRequest(op, body)
		if fail != nil {
			t.Fatalf("seed %d: %v in %s", seed, fail, body)
		}
		if diff := cmp.Diff(req, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s\n%s", seed, diff, body)
		}
	}
}
