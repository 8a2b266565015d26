// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

func pointer[T any](v T) *T { return &v }

var toolOp = dialect.Operation{Protocol: service.Claude, Kind: dialect.Chat, Path: messagesPath}

func mustDecode(t *testing.T, body string) *conversation.Request {
	t.Helper()
	req, fail := DecodeRequest(toolOp, []byte(body))
	if fail != nil {
		t.Fatalf("DecodeRequest(%s): %v", body, fail)
	}
	return req
}

func user(text string) conversation.Message {
	return conversation.Message{Role: conversation.User, Parts: []conversation.Part{conversation.TextPart{Text: text}}}
}

func TestDecodeRequest(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       conversation.Request
	}{
		{
			"sampling and limits",
			`{"model":"m","max_tokens":10,"temperature":0.5,"top_p":0.9,"top_k":4,"stop_sequences":["a","b"],"stream":true,
			  "messages":[{"role":"user","content":"hi"}]}`,
			conversation.Request{
				Model: "m", MaxTokens: 10, Stop: []string{"a", "b"}, Stream: true, StreamUsage: true,
				Sampling: conversation.Sampling{Temperature: pointer(0.5), TopP: pointer(0.9), TopK: pointer(4)},
				Messages: []conversation.Message{user("hi")},
			},
		},
		{
			"system prompt and system message in their places",
			`{"model":"m","system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"b"}],
			  "messages":[{"role":"user","content":"hi"},{"role":"system","content":"c"},{"role":"assistant","content":"yes"}]}`,
			conversation.Request{Model: "m", Messages: []conversation.Message{
				{Role: conversation.System, Parts: []conversation.Part{
					conversation.TextPart{Text: "a", Cache: &conversation.CacheControl{TTL: "1h"}}, conversation.TextPart{Text: "b"},
				}},
				user("hi"),
				{Role: conversation.System, Parts: []conversation.Part{conversation.TextPart{Text: "c"}}},
				{Role: conversation.Assistant, Parts: []conversation.Part{conversation.TextPart{Text: "yes"}}},
			}},
		},
		{
			"calls without text, parallel results, then the user",
			`{"model":"m","messages":[
			  {"role":"assistant","content":[{"type":"text","text":""},{"type":"tool_use","id":"1","name":"f","input":{"a": 1}},{"type":"tool_use","id":"2","name":"g"}]},
			  {"role":"user","content":[
			    {"type":"tool_result","tool_use_id":"1","content":"one"},
			    {"type":"tool_result","tool_use_id":"2","is_error":true,"content":[{"type":"text","text":"two"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]},
			    {"type":"text","text":"go on"}]}]}`,
			conversation.Request{Model: "m", Messages: []conversation.Message{
				{Role: conversation.Assistant, Parts: []conversation.Part{
					conversation.CallPart{ID: "1", Name: "f", Arguments: `{"a":1}`},
					conversation.CallPart{ID: "2", Name: "g", Arguments: `{}`},
				}},
				{Role: conversation.ToolResults, Parts: []conversation.Part{
					conversation.ResultPart{CallID: "1", Name: "f", Parts: []conversation.Part{conversation.TextPart{Text: "one"}}},
					conversation.ResultPart{CallID: "2", Name: "g", IsError: true, Parts: []conversation.Part{
						conversation.TextPart{Text: "two"},
						conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: "AAAA"}},
					}},
				}},
				user("go on"),
			}},
		},
		{
			"thinking, redacted, another's signature and the signature of a call",
			`{"model":"m","messages":[{"role":"assistant","content":[
			  {"type":"thinking","thinking":"hm","signature":"Sig=="},
			  {"type":"redacted_thinking","data":"Red"},
			  {"type":"thinking","thinking":"","signature":"tokengo:openai:c2ln"},
			  {"type":"thinking","thinking":"","signature":"tokengo:call:gemini:c2ln"},
			  {"type":"tool_use","id":"1","name":"f","input":{}}]}]}`,
			conversation.Request{Model: "m", Messages: []conversation.Message{
				{Role: conversation.Assistant, Parts: []conversation.Part{
					conversation.ThinkingPart{Text: "hm", Signature: conversation.Signature{By: service.Claude, Value: "Sig=="}},
					conversation.ThinkingPart{Redacted: "Red"},
					conversation.ThinkingPart{Signature: conversation.Signature{By: service.OpenAI, Value: "sig"}},
					conversation.CallPart{
						ID: "1", Name: "f", Arguments: "{}", Signature: conversation.Signature{By: service.Gemini, Value: "sig"},
					},
				}},
			}},
		},
		{
			"media",
			`{"model":"m","messages":[{"role":"user","content":[
			  {"type":"image","source":{"type":"url","url":"https://a/b.png"},"cache_control":{"type":"ephemeral"}},
			  {"type":"image","source":{"type":"file","file_id":"f1"}},
			  {"type":"document","title":"T","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}},
			  {"type":"document","source":{"type":"text","media_type":"text/plain","data":"abc"}},
			  {"type":"document","source":{"type":"url","url":"https://a/b.pdf"}},
			  {"type":"document","source":{"type":"content","content":"inline"},"citations":{"enabled":true},"context":"c"},
			  {"type":"search_result","source":"https://s","title":"S","content":[{"type":"text","text":"found"}]}]}]}`,
			conversation.Request{
				Model: "m", Unmapped: []string{"document.citations", "document.context"},
				Messages: []conversation.Message{{Role: conversation.User, Parts: []conversation.Part{
					conversation.ImagePart{Media: conversation.Media{URL: "https://a/b.png"}, Cache: &conversation.CacheControl{}},
					conversation.ImagePart{Media: conversation.Media{FileID: "f1", FileBy: service.Claude}},
					conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", Data: "JVBERi0=", Name: "T"}},
					conversation.FilePart{Media: conversation.Media{MediaType: "text/plain", Data: "YWJj"}},
					conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", URL: "https://a/b.pdf"}},
					conversation.TextPart{Text: "inline"},
					conversation.TextPart{Text: "S\nhttps://s\nfound"},
				}}},
			},
		},
		{
			"tools and a named choice, one at a time",
			`{"model":"m","messages":[{"role":"user","content":"hi"}],
			  "tools":[{"name":"f","description":"d","input_schema":{"type":"object"},"strict":true,"cache_control":{"type":"ephemeral"},"input_examples":[]},
			           {"type":"web_search_20250305","name":"web_search","max_uses":5}],
			  "tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true}}`,
			conversation.Request{
				Model: "m", Messages: []conversation.Message{user("hi")},
				Choice: conversation.Choice{Mode: conversation.ChoiceNamed, Name: "f"}, Parallel: pointer(false),
				Unmapped: []string{"tools.input_examples"},
				Tools: []conversation.Tool{
					{
						Name: "f", Description: "d", Parameters: json.RawMessage(`{"type":"object"}`), Strict: pointer(true),
						Cache: &conversation.CacheControl{},
					},
					{
						Name: "web_search", Builtin: "web_search_20250305",
						Raw: json.RawMessage(`{"type":"web_search_20250305","name":"web_search","max_uses":5}`),
					},
				},
			},
		},
		{
			"thinking with a budget, output schema, effort",
			`{"model":"m","messages":[{"role":"user","content":"hi"}],"thinking":{"type":"enabled","budget_tokens":2000,"display":"omitted"},
			  "output_config":{"effort":"low","task_budget":{"total":1},"format":{"type":"json_schema","schema":{"type":"object"}}}}`,
			conversation.Request{
				Model: "m", Messages: []conversation.Message{user("hi")},
				Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOn, Budget: 2000, Effort: "low", Visible: pointer(false)},
				Format:    conversation.Format{Kind: conversation.FormatSchema, Schema: json.RawMessage(`{"type":"object"}`)},
				Unmapped:  []string{"output_config.task_budget"},
			},
		},
		{
			"fields without counterpart, unknown ones, and null",
			`{"model":"m","messages":[{"role":"user","content":"hi"}],"metadata":{"user_id":"x"},"service_tier":null,"new_field":1,
			  "bad\nname":1,"thinking":{"type":"adaptive"},
			  "mcp_servers":[]}`,
			conversation.Request{
				Model: "m", Messages: []conversation.Message{user("hi")},
				Reasoning: conversation.Reasoning{Mode: conversation.ReasoningAdaptive},
				Unmapped:  []string{"unknown", "mcp_servers", "metadata", "new_field"},
			},
		},
		{
			"blocks of Claude's own servers",
			`{"model":"m","messages":[{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{}},
			  {"type":"web_search_tool_result","tool_use_id":"s","content":{"type":"web_search_tool_result_error"}},
			  {"type":"later_kind"},{"type":"text","text":"x","citations":[]}]}]}`,
			conversation.Request{
				Model: "m", Messages: []conversation.Message{
					{Role: conversation.Assistant, Parts: []conversation.Part{conversation.TextPart{Text: "x"}}},
				},
				Unmapped: []string{
					"messages.server_tool_use", "messages.web_search_tool_result", "messages.later_kind", "text.citations",
				},
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := mustDecode(t, test.body)
			if diff := cmp.Diff(&test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeChoice(t *testing.T) {
	for body, want := range map[string]conversation.Choice{
		`{"type":"auto"}`: {Mode: conversation.ChoiceAuto},
		`{"type":"any"}`:  {Mode: conversation.ChoiceRequired},
		`{"type":"none"}`: {Mode: conversation.ChoiceNone},
		`null`:            {},
	} {
		req := mustDecode(t, `{"model":"m","messages":[],"tool_choice":`+body+`}`)
		if req.Choice != want || req.Parallel != nil {
			t.Errorf("tool_choice %s: got %+v, parallel %v, want %+v", body, req.Choice, req.Parallel, want)
		}
	}
	if req := mustDecode(t, `{"tool_choice":{"type":"auto","disable_parallel_tool_use":false}}`); !*req.Parallel {
		t.Error("disable_parallel_tool_use false is not parallel")
	}
}

// TestDecodeRequestRefuses also checks that no error repeats what the tool sent.
func TestDecodeRequestRefuses(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{`{"max_tokens":"canary"}`, "max_tokens"},
		{`{"messages":[{"role":"canary","content":"x"}]}`, "role"},
		{`{"messages":[{"role":"user","content":[{"type":"canary"}]}]}`, "content"},
		{`{"messages":[{"role":"user","content":17}]}`, "content"},
		{`{"messages":[{"role":"user","content":[{"type":"text","text":17}]}]}`, "text"},
		{`{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"canary"}}]}]}`, "image"},
		{`{"messages":[{"role":"user","content":[{"type":"document"}]}]}`, "document"},
		{`{"messages":[{"role":"user","content":[{"type":"tool_result"}]}]}`, "tool_result"},
		{`{"messages":[{"role":"user","content":[{"type":"tool_use","id":"a","name":"b"}]}]}`, "content"},
		{`{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a"}]}]}`, "tool_use"},
		{`{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"b","input":"canary"}]}]}`, "input"},
		{`{"messages":[{"role":"system","content":[{"type":"image"}]}]}`, "content"},
		{`{"system":[{"type":"image"}]}`, "content"},
		{`{"tools":[{"input_schema":{}}]}`, "name"},
		{`{"tool_choice":{"type":"canary"}}`, "tool_choice"},
		{`{"tool_choice":{"type":"tool"}}`, "tool_choice"},
		{`{"thinking":{"type":"canary"}}`, "thinking.type"},
		{`{"thinking":{"type":"enabled","budget_tokens":1023}}`, "budget_tokens"},
		{`{"thinking":{"type":"adaptive","display":"canary"}}`, "display"},
		{`{"output_config":{"effort":"canary"}}`, "effort"},
		{`{"output_config":{"format":{"type":"canary"}}}`, "format"},
		{`{"output_format":{"type":"json_schema"}}`, "format"},
		{`[`, "JSON"},
	} {
		_, fail := DecodeRequest(toolOp, []byte(test.body))
		if fail == nil {
			t.Errorf("DecodeRequest(%s): no error", test.body)
			continue
		}
		status, _, body := fail.Response(toolOp)
		if status != 400 || !strings.Contains(string(body), test.want) || strings.Contains(string(body), "canary") {
			t.Errorf("DecodeRequest(%s): status %d, %s, want %q", test.body, status, body, test.want)
		}
	}
}

func TestTopNames(t *testing.T) {
	body := ` { "a" : {"b":1,"c":["d",{"e":2}]} , "f\"g":"h\\" , "i" : null,"j":[], "k\u006c": "m,\"n\":" } `
	want := []string{"a", `f"g`, "j", "kl"}
	if diff := cmp.Diff(want, slices.Collect(topNames([]byte(body)))); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
