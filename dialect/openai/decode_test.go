// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

const askHi = `"messages":[{"role":"user","content":"hi"}]`

func hiRequest(change func(*conversation.Request)) *conversation.Request {
	r := &conversation.Request{Model: "m", Messages: []cm{user("hi")}}
	if change != nil {
		change(r)
	}
	return r
}

func TestDecodeOptions(t *testing.T) {
	f := conversation.Tool{Name: "f", Description: "d", Parameters: json.RawMessage(`{"type":"object"}`), Strict: new(true)}
	tools := `,"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}},{"type":"function","function":{"name":"g"}}]`
	both := []conversation.Tool{f, {Name: "g"}}
	type request = conversation.Request
	for _, tt := range []struct {
		name, more string
		want       func(*request)
	}{
		{"nothing", ``, nil},
		{"nulls", `,"tools":null,"tool_choice":null,"temperature":null,"stop":null,"response_format":null,"stream":null,"user":null,"n":null,"logit_bias":null`, nil},
		{"sampling", `,"temperature":0,"top_p":0.5,"frequency_penalty":1,"presence_penalty":-1,"seed":42,"top_k":3,"min_p":0.1,"repetition_penalty":1.1`, func(r *request) {
			r.Sampling = conversation.Sampling{
				Temperature: new(0.0), TopP: new(0.5), FrequencyPenalty: new(1.0), PresencePenalty: new(-1.0), Seed: new(int64(42)),
				TopK: new(3), MinP: new(0.1), RepeatPenalty: new(1.1),
			}
		}},
		{"old limit", `,"max_tokens":7`, func(r *request) { r.MaxTokens = 7 }},
		{"limit", `,"max_completion_tokens":7`, func(r *request) { r.MaxTokens = 7 }},
		{"stop", `,"stop":"a"`, func(r *request) { r.Stop = []string{"a"} }},
		{"stops", `,"stop":["a","b"]`, func(r *request) { r.Stop = []string{"a", "b"} }},
		{"stream", `,"stream":true`, func(r *request) { r.Stream = true }},
		{"stream with usage", `,"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}`, func(r *request) { r.Stream, r.StreamUsage = true, true }},
		{"n", `,"n":2`, func(r *request) { r.Candidates = 2 }},
		{"logprobs", `,"logprobs":true,"top_logprobs":3`, func(r *request) { r.Logprobs, r.TopLogprobs = true, 3 }},
		{"tools", tools, func(r *request) { r.Tools = both }},
		{"auto", tools + `,"tool_choice":"auto"`, func(r *request) { r.Tools, r.Choice.Mode = both, conversation.ChoiceAuto }},
		{"none", tools + `,"tool_choice":"none"`, func(r *request) { r.Tools, r.Choice.Mode = both, conversation.ChoiceNone }},
		{"required", tools + `,"tool_choice":"required"`, func(r *request) { r.Tools, r.Choice.Mode = both, conversation.ChoiceRequired }},
		{"named", tools + `,"tool_choice":{"type":"function","function":{"name":"f"}}`, func(r *request) {
			r.Tools, r.Choice = both, conversation.Choice{Mode: conversation.ChoiceNamed, Name: "f"}
		}},
		{"allowed", tools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}`, func(r *request) {
			r.Tools, r.Choice.Mode = both[1:], conversation.ChoiceRequired
		}},
		{"parallel", `,"parallel_tool_calls":false`, func(r *request) { r.Parallel = new(false) }},
		{"builtin", `,"tools":[{"type":"custom","custom":{"name":"x"}}]`, func(r *request) {
			r.Tools = []conversation.Tool{{Builtin: "custom", Raw: json.RawMessage(`{"type":"custom","custom":{"name":"x"}}`)}}
		}},
		{"text", `,"response_format":{"type":"text"}`, nil},
		{"JSON", `,"response_format":{"type":"json_object"}`, func(r *request) { r.Format.Kind = conversation.FormatJSON }},
		{"schema", `,"response_format":{"type":"json_schema","json_schema":{"name":"x","description":"d","schema":{"type":"object"},"strict":true}}`, func(r *request) {
			r.Format = conversation.Format{Kind: conversation.FormatSchema, Name: "x", Description: "d", Schema: json.RawMessage(`{"type":"object"}`), Strict: new(true)}
		}},
		{"effort", `,"reasoning_effort":"low"`, func(r *request) {
			r.Reasoning = conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: "low"}
		}},
		{"no effort", `,"reasoning_effort":"none"`, func(r *request) { r.Reasoning.Mode = conversation.ReasoningOff }},
		{"budget", `,"reasoning":{"max_tokens":2000,"exclude":true}`, func(r *request) {
			r.Reasoning = conversation.Reasoning{Mode: conversation.ReasoningOn, Budget: 2000, Visible: new(false)}
		}},
		{"thinking off", `,"thinking":{"type":"disabled"}`, func(r *request) { r.Reasoning.Mode = conversation.ReasoningOff }},
		{"thinking on", `,"enable_thinking":true`, func(r *request) { r.Reasoning.Mode = conversation.ReasoningOn }},
		{"template", `,"chat_template_kwargs":{"enable_thinking":false,"x":1}`, func(r *request) {
			r.Reasoning.Mode, r.Unmapped = conversation.ReasoningOff, []string{"chat_template_kwargs"}
		}},
		{"modalities", `,"modalities":["text"]`, nil},
		{"unmapped", `,"user":"u","store":false,"logit_bias":{"1":2},"new_field":{"a":[1]},"bad name\n":1`, func(r *request) {
			r.Unmapped = []string{"user", "store", "logit_bias", "new_field", "bad?name?"}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, fail := DecodeRequest(chatOp, []byte(`{"model":"m",`+askHi+tt.more+`}`))
			if fail != nil {
				t.Fatal(fail)
			}
			if diff := cmp.Diff(hiRequest(tt.want), got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeMessages(t *testing.T) {
	image := func(m conversation.Media) conversation.Part { return conversation.ImagePart{Media: m} }
	call := func(id, name, arguments string) conversation.Part {
		return conversation.CallPart{ID: id, Name: name, Arguments: arguments}
	}
	result := func(id, name string, parts ...conversation.Part) conversation.Part {
		return conversation.ResultPart{CallID: id, Name: name, Parts: parts}
	}
	assistant := func(parts ...conversation.Part) cm { return cm{Role: conversation.Assistant, Parts: parts} }
	mark := func(v string) conversation.Signature { return conversation.Signature{By: service.OpenAI, Value: v} }
	for _, tt := range []struct {
		name, messages string
		want           []cm
	}{
		{
			"roles", `{"role":"system","content":"s"},{"role":"developer","content":"d"},{"role":"user","content":"u","name":"bob"},{"role":"assistant","content":"a"},{"role":"system","content":"s2"}`,
			[]cm{
				{Role: conversation.System, Parts: cp{text("s")}},
				{Role: conversation.Developer, Parts: cp{text("d")}},
				{Role: conversation.User, Parts: cp{text("u")}, Name: "bob"},
				assistant(text("a")),
				{Role: conversation.System, Parts: cp{text("s2")}},
			},
		},
		{"parts", `{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}`, []cm{{Role: conversation.User, Parts: cp{text("a"), text("b")}}}},
		{
			"images", `{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},{"type":"image_url","image_url":{"url":"https://x/y.png"}},{"type":"image_url","image_url":"http://x"}]}`,
			[]cm{{Role: conversation.User, Parts: cp{
				image(conversation.Media{MediaType: "image/png", Data: "AAAA", Detail: "low"}),
				image(conversation.Media{URL: "https://x/y.png"}), image(conversation.Media{URL: "http://x"}),
			}}},
		},
		{
			"audio and files", `{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}},{"type":"file","file":{"filename":"a.PDF","file_data":"AAAA"}},{"type":"file","file":{"file_id":"f-1"}}]}`,
			[]cm{{Role: conversation.User, Parts: cp{
				conversation.AudioPart{Media: conversation.Media{MediaType: "audio/mpeg", Data: "AAAA"}},
				conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", Data: "AAAA", Name: "a.pdf"}},
				conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", Data: "AAAA", Name: "a.PDF"}},
				conversation.FilePart{Media: conversation.Media{FileID: "f-1", FileBy: own}},
			}}},
		},
		{
			"calls and results", `{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":""}},{"id":"2","type":"function","function":{"name":"g","arguments":"{\"a\":1}"}}]},
				{"role":"tool","tool_call_id":"1","content":"r1"},{"role":"tool","tool_call_id":"2","content":[{"type":"text","text":"r2"}]}`,
			[]cm{
				assistant(call("1", "f", "{}"), call("2", "g", `{"a":1}`)),
				{Role: conversation.ToolResults, Parts: cp{result("1", "f", text("r1")), result("2", "g", text("r2"))}},
			},
		},
		{"empty text with calls", `{"role":"assistant","content":"","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}`, []cm{assistant(call("1", "f", "{}"))}},
		{"empty assistant", `{"role":"user","content":"u"},{"role":"assistant","content":""}`, []cm{user("u")}},
		{"empty user", `{"role":"user","content":""}`, []cm{user("")}},
		{"cut arguments", `{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a"}}]}`, []cm{assistant(call("1", "f", `{"arguments":"{\"a"}`))}},
		{"custom call", `{"role":"assistant","tool_calls":[{"id":"1","type":"custom","custom":{"name":"f","input":"a\"b"}}]}`, []cm{assistant(call("1", "f", `{"input":"a\"b"}`))}},
		{
			"functions", `{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"r"}`,
			[]cm{assistant(call("", "f", "{}")), {Role: conversation.ToolResults, Parts: cp{result("", "f", text("r"))}}},
		},
		{
			"refusals", `{"role":"assistant","content":null,"refusal":"no"},{"role":"assistant","content":[{"type":"refusal","refusal":"no"}]}`,
			[]cm{assistant(conversation.RefusalPart{Text: "no"}), assistant(conversation.RefusalPart{Text: "no"})},
		},
		{
			"cache marks", `{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}]},{"role":"system","content":"s","cache_control":{"type":"ephemeral"}}`,
			[]cm{
				{Role: conversation.User, Parts: cp{conversation.TextPart{Text: "a", Cache: &conversation.CacheControl{TTL: "1h"}}}},
				{Role: conversation.System, Parts: cp{conversation.TextPart{Text: "s", Cache: &conversation.CacheControl{}}}},
			},
		},
		{
			"reasoning", `{"role":"assistant","content":"a","reasoning_content":"t"},{"role":"assistant","content":"b","reasoning":"t"}`,
			[]cm{
				assistant(conversation.ThinkingPart{Text: "t", Signature: mark("chat:reasoning_content")}, text("a")),
				assistant(conversation.ThinkingPart{Text: "t", Signature: mark("chat:reasoning")}, text("b")),
			},
		},
		{
			"signatures of others", `{"role":"assistant","content":"a","reasoning_content":"xy","reasoning_details":[{"type":"reasoning.text","text":"x","index":0},{"type":"reasoning.text","text":"y","index":0},
				{"type":"reasoning.text","text":"","signature":"tokengo:claude:c2ln","index":0},{"type":"reasoning.encrypted","data":"tokengo:claude:c2ln","index":1}],
				"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"tokengo:gemini:c2ln"}}}]}`,
			[]cm{assistant(
				conversation.ThinkingPart{Text: "xy", Signature: conversation.Signature{By: service.Claude, Value: "sig"}},
				conversation.ThinkingPart{Redacted: "sig"},
				text("a"),
				conversation.CallPart{ID: "1", Name: "f", Arguments: "{}", Signature: conversation.Signature{By: service.Gemini, Value: "sig"}},
			)},
		},
		{
			"a detail without text, beside one that has it all", `{"role":"assistant","content":"a","reasoning_content":"xy","reasoning_details":[{"type":"reasoning.text","text":"xy","index":0},
				{"type":"reasoning.text","signature":"tokengo:gemini:c2ln","index":1}]}`,
			[]cm{assistant(
				conversation.ThinkingPart{Text: "xy", Signature: conversation.Signature{By: own, Value: `chat:reasoning_details:{"type":"reasoning.text","index":0}`}},
				conversation.ThinkingPart{Signature: conversation.Signature{By: service.Gemini, Value: "sig"}}, text("a"),
			)},
		},
		{
			"a detail without its text", `{"role":"assistant","content":"a","reasoning_content":"xy","reasoning_details":[{"type":"reasoning.text","signature":"tokengo:claude:c2ln","index":0}]}`,
			[]cm{assistant(conversation.ThinkingPart{Text: "xy", Signature: conversation.Signature{By: service.Claude, Value: "sig"}}, text("a"))},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, fail := DecodeRequest(chatOp, []byte(`{"model":"m","messages":[`+tt.messages+`]}`))
			if fail != nil {
				t.Fatal(fail)
			}
			if diff := cmp.Diff(tt.want, got.Messages); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeCompletion(t *testing.T) {
	got, fail := DecodeRequest(completionOp, []byte(`{"model":"m","prompt":["hi"],"suffix":"s","max_tokens":5,"logprobs":2,"echo":false,"best_of":1}`))
	if fail != nil {
		t.Fatal(fail)
	}
	want := hiRequest(func(r *conversation.Request) {
		r.Suffix, r.MaxTokens, r.Logprobs, r.TopLogprobs, r.Unmapped = "s", 5, true, 2, []string{"best_of"}
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	const canary = "canary"
	for _, tt := range []struct{ name, body, field string }{
		{"no messages", `{"model":"m"}`, "messages"},
		{"empty messages", `{"messages":[]}`, "messages"},
		{"messages", `{"messages":"canary"}`, "messages"},
		{"message", `{"messages":["canary"]}`, "messages[0]"},
		{"role", `{"messages":[{"role":"canary","content":"x"}]}`, "messages[0].role"},
		{"no role", `{"messages":[{"content":"x"}]}`, "messages[0].role"},
		{"content", `{"messages":[{"role":"user","content":3}]}`, "messages[0].content"},
		{"part", `{"messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"x"},{"type":"canary"}]}]}`, "messages[1].content[1].type"},
		{"data URL", `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,canary"}}]}]}`, "messages[0].content[0].image_url.url"},
		{"image", `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}},{"type":"image_url","image_url":{"url":""}}]}]}`, "messages[0].content[1].image_url.url"},
		{"result without id", `{"messages":[{"role":"tool","content":"x"}]}`, "messages[0].tool_call_id"},
		{"call without name", `{"messages":[{"role":"assistant","tool_calls":[{"id":"canary"}]}]}`, "messages[0].tool_calls"},
		{"old audio", `{"messages":[{"role":"assistant","audio":{"id":"canary"}}]}`, "messages[0].audio"},
		{"temperature", `{` + askHi + `,"temperature":"canary"}`, "temperature"},
		{"stop", `{` + askHi + `,"stop":[1]}`, "stop"},
		{"tool", `{` + askHi + `,"tools":[{"type":"function","function":{}}]}`, "tools[0].function.name"},
		{"parameters", `{` + askHi + `,"tools":[{"type":"function","function":{"name":"canary","parameters":"canary"}}]}`, "tools[0].function.parameters"},
		{"choice", `{` + askHi + `,"tool_choice":{"type":"canary"}}`, "tool_choice"},
		{"format", `{` + askHi + `,"response_format":{"type":"canary"}}`, "response_format.type"},
		{"schema", `{` + askHi + `,"response_format":{"type":"json_schema","json_schema":{"name":"canary"}}}`, "response_format.json_schema.schema"},
		{"speech", `{` + askHi + `,"modalities":["text","audio"]}`, "modalities"},
		{"voice", `{` + askHi + `,"audio":{"voice":"canary"}}`, "audio"},
		{"functions", `{` + askHi + `,"functions":[]}`, "functions"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, fail := DecodeRequest(chatOp, []byte(tt.body))
			if fail == nil || fail.Status != 400 {
				t.Fatalf("error %v, want one with status 400", fail)
			}
			if !strings.Contains(fail.Message, "field "+tt.field+" ") || strings.Contains(fail.Message, canary) {
				t.Errorf("message %q, want it to name %s and no value", fail.Message, tt.field)
			}
		})
	}
	for _, body := range []string{``, `[]`, `{"messages":[{"role":"user","content":"x"}`, `{"a":1} x`} {
		if _, fail := DecodeRequest(chatOp, []byte(body)); fail == nil || fail.Code != "not_json" {
			t.Errorf("%q: %v, want not_json", body, fail)
		}
	}
	for _, body := range []string{`{"prompt":[1,2]}`, `{"prompt":["a","b"]}`, `{"prompt":[[1]]}`, `{"prompt":""}`, `{}`} {
		if _, fail := DecodeRequest(completionOp, []byte(body)); fail == nil || fail.Status != 400 {
			t.Errorf("%s: %v, want status 400", body, fail)
		}
	}
}
