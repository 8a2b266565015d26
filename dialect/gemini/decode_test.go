// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

var (
	streamOp = dialect.Operation{
		Protocol: service.Gemini, Kind: dialect.Chat, Model: "g", Stream: true,
		Path: "/v1beta/models/g:streamGenerateContent?alt=sse",
	}
	arrayOp = dialect.Operation{
		Protocol: service.Gemini, Kind: dialect.Chat, Model: "g", Stream: true,
		Path: "/v1beta/models/g:streamGenerateContent",
	}
	wholeOp = dialect.Operation{
		Protocol: service.Gemini, Kind: dialect.Chat, Model: "g", Path: "/v1beta/models/g:generateContent",
	}
)

func ptr[T any](v T) *T { return &v }

func text(s string) conversation.TextPart { return conversation.TextPart{Text: s} }

func say(role conversation.Role, parts ...conversation.Part) conversation.Message {
	return conversation.Message{Role: role, Parts: parts}
}

// sameJSON compares two JSON texts by what they mean.
func sameJSON(t *testing.T, want, got string) {
	t.Helper()
	var w, g any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("the wanted JSON: %v", err)
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("(-want +got):\n%s\nin %s", diff, got)
	}
}

func mustDecode(t *testing.T, body string) *conversation.Request {
	t.Helper()
	req, fail := DecodeRequest(wholeOp, []byte(body))
	if fail != nil {
		t.Fatalf("error %v", fail)
	}
	return req
}

func TestDecodeMessages(t *testing.T) {
	const sys = conversation.System
	foreign := conversation.Signature{By: service.Claude, Value: "c2ln"}
	own := conversation.Signature{By: service.Gemini, Value: "QUJD"}
	wrapped := (&carried{own: foreign}).String()
	before := (&carried{before: []conversation.ThinkingPart{{Signature: foreign}, {Redacted: "xx"}}}).String()
	tests := []struct {
		name, body string
		want       []conversation.Message
	}{
		{
			"system comes first", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"system_instruction":{"parts":{"text":"be"}}}`,
			[]conversation.Message{say(sys, text("be")), say(conversation.User, text("hi"))},
		},
		{
			"no role is the user's", `{"contents":{"parts":[{"text":"hi"},{"text":"there"}]}}`,
			[]conversation.Message{say(conversation.User, text("hi"), text("there"))},
		},
		{
			"pieces of an answer are one", `{"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b","thought":true}]},
			{"role":"model","parts":[{"text":"c","thought":true}]},{"role":"model","parts":[{"text":"d"}]},
			{"role":"model","parts":[{"text":"e"},{"text":""}]}]}`,
			[]conversation.Message{
				say(conversation.User, text("a")),
				say(conversation.Assistant, conversation.ThinkingPart{Text: "bc"}, text("de")),
			},
		},
		{
			"calls without ids", `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"g","args":{"a":1}}},
			{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"text":"and"},
			{"functionResponse":{"name":"g","response":{"output":"2"}}},{"functionResponse":{"name":"f","response":{"error":"no"}}},
			{"functionResponse":{"id":"f-171","name":"f","response":{"x":1, "y":2}}}]}]}`,
			[]conversation.Message{
				say(conversation.Assistant, conversation.CallPart{ID: "call_0", Name: "f", Arguments: "{}"},
					conversation.CallPart{ID: "call_1", Name: "g", Arguments: `{"a":1}`},
					conversation.CallPart{ID: "call_2", Name: "f", Arguments: "{}"}),
				say(conversation.ToolResults,
					conversation.ResultPart{
						CallID: "call_1", Name: "g", Parts: []conversation.Part{text("2")}, JSON: json.RawMessage(`{"output":"2"}`),
					},
					conversation.ResultPart{
						CallID: "call_0", Name: "f", Parts: []conversation.Part{text("no")}, IsError: true, JSON: json.RawMessage(`{"error":"no"}`),
					},
					conversation.ResultPart{
						CallID: "call_2", Name: "f", Parts: []conversation.Part{text(`{"x":1,"y":2}`)}, JSON: json.RawMessage(`{"x":1, "y":2}`),
					}),
				say(conversation.User, text("and")),
			},
		},
		{
			"ids of calls", `{"contents":[{"role":"model","parts":[{"functionCall":{"id":"x","name":"f"}},{"functionCall":{"id":"y","name":"f"}}]},
			{"role":"function","parts":[{"functionResponse":{"id":"y","name":"f","response":{"result":[1, 2]},
			"parts":[{"inlineData":{"mimeType":"image/png","data":"_-8"}}]}}]},
			{"role":"function","parts":[{"functionResponse":{"id":"x","name":"f","response":{}}}]}]}`,
			[]conversation.Message{
				say(conversation.Assistant, conversation.CallPart{ID: "x", Name: "f", Arguments: "{}"},
					conversation.CallPart{ID: "y", Name: "f", Arguments: "{}"}),
				say(conversation.ToolResults,
					conversation.ResultPart{CallID: "y", Name: "f", JSON: json.RawMessage(`{"result":[1, 2]}`), Parts: []conversation.Part{
						text("[1,2]"), conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: "/+8="}},
					}},
					conversation.ResultPart{CallID: "x", Name: "f", JSON: json.RawMessage(`{}`), Parts: []conversation.Part{text("{}")}}),
			},
		},
		{
			"media", `{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"AAAA"}},
			{"fileData":{"fileUri":"https://x.example/a.jpg?q"}},{"inlineData":{"mimeType":"audio/wav","data":"AA=="}},
			{"fileData":{"mimeType":"application/pdf","fileUri":"gs://b/c","displayName":"c"}}]}]}`,
			[]conversation.Message{say(conversation.User,
				conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: "AAAA"}},
				conversation.ImagePart{Media: conversation.Media{URL: "https://x.example/a.jpg?q"}},
				conversation.AudioPart{Media: conversation.Media{MediaType: "audio/wav", Data: "AA=="}},
				conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", URL: "gs://b/c", Name: "c"}})},
		},
		{
			"signatures", `{"contents":[{"role":"model","parts":[{"text":"t","thought":true},
			{"text":"x","thoughtSignature":"` + before + `"},
			{"functionCall":{"id":"1","name":"f"},"thoughtSignature":"` + strings.TrimRight(wrapped, "=") + `"},
			{"functionCall":{"id":"2","name":"f"},"thoughtSignature":"QUJD"},{"text":"","thoughtSignature":"QUJD"}]}]}`,
			[]conversation.Message{say(conversation.Assistant,
				conversation.ThinkingPart{Text: "t", Signature: foreign}, conversation.ThinkingPart{Redacted: "xx"}, text("x"),
				conversation.CallPart{ID: "1", Name: "f", Arguments: "{}", Signature: foreign},
				conversation.CallPart{ID: "2", Name: "f", Arguments: "{}", Signature: own},
				conversation.ThinkingPart{Signature: own})},
		},
		{
			"code that the service ran", `{"contents":[{"role":"model","parts":[{"executableCode":{"language":"PYTHON","code":"print(1)\n"}},
			{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1\n"}}]}]}`,
			[]conversation.Message{say(conversation.Assistant, text("\n```python\nprint(1)\n```\n\n```\n1\n```\n"))},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, mustDecode(t, tt.body).Messages); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeConfig(t *testing.T) {
	hi := `"contents":[{"parts":[{"text":"hi"}]}]`
	tests := []struct {
		name, rest string
		want       conversation.Request
	}{
		{
			"sampling", `"generationConfig":{"temperature":0.5,"topP":"0.9","topK":40.0,"seed":7,"maxOutputTokens":100,"stop_sequences":["a"],
			"frequencyPenalty":1,"presencePenalty":-1,"candidateCount":1,"responseLogprobs":true,"logprobs":3}`,
			conversation.Request{MaxTokens: 100, Stop: []string{"a"}, Candidates: 1, Logprobs: true, TopLogprobs: 3, Sampling: conversation.Sampling{
				Temperature: ptr(0.5), TopP: ptr(0.9), TopK: ptr(40), Seed: ptr(int64(7)), FrequencyPenalty: ptr(1.0), PresencePenalty: ptr(-1.0),
			}},
		},
		{
			"no thinking", `"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}`,
			conversation.Request{Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOff, Visible: ptr(false)}},
		},
		{
			"dynamic thinking", `"generationConfig":{"thinkingConfig":{"thinkingBudget":-1,"includeThoughts":true}}`,
			conversation.Request{Reasoning: conversation.Reasoning{Mode: conversation.ReasoningAdaptive, Visible: ptr(true)}},
		},
		{
			"a budget", `"generationConfig":{"thinkingConfig":{"thinkingBudget":2048}}`,
			conversation.Request{Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOn, Budget: 2048, Visible: ptr(false)}},
		},
		{
			"a level", `"generation_config":{"thinking_config":{"thinking_level":"HIGH","include_thoughts":true}}`,
			conversation.Request{Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: "high", Visible: ptr(true)}},
		},
		{
			"JSON", `"generationConfig":{"responseMimeType":"application/json"}`,
			conversation.Request{Format: conversation.Format{Kind: conversation.FormatJSON}},
		},
		{
			"the older schema", `"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true}},"propertyOrdering":["a"]}}`,
			conversation.Request{Format: conversation.Format{
				Kind: conversation.FormatSchema, Schema: json.RawMessage(`{"type":"object","properties":{"a":{"type":["string","null"]}}}`),
			}},
		},
		{
			"JSON schema", `"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object", "$defs":{}}}`,
			conversation.Request{Format: conversation.Format{Kind: conversation.FormatSchema, Schema: json.RawMessage(`{"type":"object", "$defs":{}}`)}},
		},
		{
			"the newer format", `"generationConfig":{"responseFormat":[{"text":{"mimeType":"APPLICATION_JSON","schema":{"type":"object"}}}]}`,
			conversation.Request{Format: conversation.Format{Kind: conversation.FormatSchema, Schema: json.RawMessage(`{"type":"object"}`)}},
		},
		{
			"tools", `"tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"OBJECT"}},{"name":"g","parametersJsonSchema":{"x":1}},{"name":"h"}]},{"google_search":{}}]`,
			conversation.Request{Tools: []conversation.Tool{
				{Name: "f", Description: "d", Parameters: json.RawMessage(`{"type":"object"}`)},
				{Name: "g", Parameters: json.RawMessage(`{"x":1}`)},
				{Name: "h"},
				{Name: "googleSearch", Builtin: "googleSearch", Raw: json.RawMessage(`{}`)},
			}},
		},
		{"choice auto", `"toolConfig":{"functionCallingConfig":{"mode":"AUTO"}}`, conversation.Request{Choice: conversation.Choice{Mode: conversation.ChoiceAuto}}},
		{"choice none", `"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}`, conversation.Request{Choice: conversation.Choice{Mode: conversation.ChoiceNone}}},
		{"choice any", `"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}`, conversation.Request{Choice: conversation.Choice{Mode: conversation.ChoiceRequired}}},
		{
			"choice of one", `"tool_config":{"function_calling_config":{"mode":"ANY","allowed_function_names":["f"]}}`,
			conversation.Request{Choice: conversation.Choice{Mode: conversation.ChoiceNamed, Name: "f"}},
		},
		{
			"choice of some", `"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f","h"]}},"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"},{"name":"h"}]}]`,
			conversation.Request{Choice: conversation.Choice{Mode: conversation.ChoiceRequired}, Tools: []conversation.Tool{{Name: "f"}, {Name: "h"}}},
		},
		{
			"fields that others lack", `"safetySettings":[{"category":"X"}],"labels":null,"generationConfig":{"speechConfig":{},"mediaResolution":"LOW","later":1},"newer":true`,
			conversation.Request{Unmapped: []string{"safetySettings", "speechConfig", "mediaResolution", "later", "newer"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			want.Model, want.StreamUsage = "g", true
			want.Messages = []conversation.Message{say(conversation.User, text("hi"))}
			if diff := cmp.Diff(&want, mustDecode(t, "{"+hi+","+tt.rest+"}")); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	hi := `"contents":[{"parts":[{"text":"hi"}]}]`
	tests := []struct {
		name, body, message string
	}{
		{"no object", `[]`, "not a JSON object"},
		{"cut", `{"contents":[{"parts":[{"text":"hi"}`, "not a JSON object"},
		{"no contents", `{}`, "no contents"},
		{"text of a wrong type", `{"contents":[{"parts":[{"text":1}]}]}`, "contents[].parts[].text"},
		{"unknown role", `{"contents":[{"role":"secret","parts":[{"text":"a"}]}]}`, "contents[].role"},
		{"temperature", `{` + hi + `,"generationConfig":{"temperature":"warm"}}`, "generationConfig.temperature"},
		{"fraction", `{` + hi + `,"generationConfig":{"maxOutputTokens":1.5}}`, "generationConfig.maxOutputTokens"},
		{"function without a name", `{` + hi + `,"tools":[{"functionDeclarations":[{}]}]}`, "functionDeclarations[].name"},
		{"arguments", `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":"secret"}}]}]}`, "functionCall.args"},
		{"cached content", `{` + hi + `,"cachedContent":"cachedContents/secret"}`, "cached"},
		{"uploaded file", `{"contents":[{"parts":[{"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/secret"}}]}]}`, "uploaded"},
		{"pictures", `{` + hi + `,"generationConfig":{"responseModalities":["TEXT","IMAGE"]}}`, "not text"},
		{"enumeration", `{` + hi + `,"generationConfig":{"responseMimeType":"text/x.enum"}}`, "enumeration"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, fail := DecodeRequest(wholeOp, []byte(tt.body))
			if fail == nil {
				t.Fatal("no error")
			}
			status, _, body := fail.Response(wholeOp)
			if status != 400 || !strings.Contains(string(body), tt.message) || strings.Contains(string(body), "secret") {
				t.Errorf("got %d %s, want 400 with %q", status, body, tt.message)
			}
		})
	}
}

func TestOpenSchema(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"types", `{"type":"ARRAY","items":{"type":"INTEGER","format":"int32"},"minItems":"1","maxItems":3}`, `{"type":"array","items":{"type":"integer","format":"int32"},"minItems":1,"maxItems":3}`},
		{"enumeration", `{"type":"STRING","format":"enum","enum":["a","b"],"nullable":true}`, `{"type":["string","null"],"enum":["a","b",null]}`},
		{"numbers as texts", `{"type":"INTEGER","enum":["1","2"]}`, `{"type":"integer","enum":[1,2]}`},
		{"alternatives", `{"any_of":[{"type":"STRING"},{"type":"NUMBER"}],"nullable":true}`, `{"anyOf":[{"type":"string"},{"type":"number"},{"type":"null"}]}`},
		{"example", `{"type":"STRING","example":"x","title":"T","default":null,"pattern":"^a\"$"}`, `{"type":"string","examples":["x"],"title":"T","default":null,"pattern":"^a\"$"}`},
		{"a property called type", `{"type":"OBJECT","properties":{"type":{"type":"STRING"},"any_of":{"type":"BOOLEAN"}},"required":["type"]}`, `{"type":"object","properties":{"type":{"type":"string"},"any_of":{"type":"boolean"}},"required":["type"]}`},
		{"JSON schema already", `{"type":["string","null"],"additionalProperties":false,"$defs":{"a":{"type":"string"}}}`, `{"type":["string","null"],"additionalProperties":false,"$defs":{"a":{"type":"string"}}}`},
		{"nothing", `{"type":"TYPE_UNSPECIFIED"}`, `{}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := mustDecode(t, `{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":`+tt.in+`}]}]}`)
			sameJSON(t, tt.want, string(req.Tools[0].Parameters))
		})
	}
}
