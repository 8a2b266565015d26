// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// encoded is the request with one user's turn and what the test adds.
func encoded(t *testing.T, req conversation.Request) (path, body string, dropped []string) {
	t.Helper()
	if req.Messages == nil {
		req.Messages = []conversation.Message{say(conversation.User, text("hi"))}
	}
	var d conversation.Dropped
	path, raw, fail := EncodeRequest(&req, &d)
	if fail != nil {
		t.Fatalf("error %v", fail)
	}
	return path, string(raw), d.Names()
}

func TestEncodePath(t *testing.T) {
	tests := []struct {
		model  string
		stream bool
		want   string
	}{
		{"gemini-2.5-pro", false, "/v1beta/models/gemini-2.5-pro:generateContent"},
		{"models/x", true, "/v1beta/models/x:streamGenerateContent?alt=sse"},
		{"tunedModels/a b", false, "/v1beta/tunedModels/a%20b:generateContent"},
		{"org/x:y?z", false, "/v1beta/models/org/x:y%3Fz:generateContent"},
	}
	for _, tt := range tests {
		if path, _, _ := encoded(t, conversation.Request{Model: tt.model, Stream: tt.stream}); path != tt.want {
			t.Errorf("path of %q is %q, want %q", tt.model, path, tt.want)
		}
	}
}

func TestEncodeMessages(t *testing.T) {
	const user, assistant, results = conversation.User, conversation.Assistant, conversation.ToolResults
	own := conversation.Signature{By: service.Gemini, Value: "QUJD"}
	foreign := conversation.Signature{By: service.Claude, Value: "c2ln"}
	picture := conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: "AAAA"}}
	twoCalls := say(assistant, text("t"), conversation.CallPart{ID: "a", Name: "f", Arguments: `{"x":1}`}, conversation.CallPart{ID: "b", Name: "g"})
	tests := []struct {
		name     string
		model    string
		messages []conversation.Message
		want     string // contents, and systemInstruction if there is one
		dropped  []string
	}{
		{
			"instructions stay instructions", "m",
			[]conversation.Message{say(conversation.System, text("a"), text("b")), say(user, text("hi")), say(conversation.Developer, text("c")), say(assistant, text("yo"))},
			`{"systemInstruction":{"parts":[{"text":"a"},{"text":"b"},{"text":"c"}]},"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"yo"}]}]}`,
			[]string{"system.position"},
		},
		{
			"instructions alone", "m",
			[]conversation.Message{say(conversation.System, text("a"))},
			`{"systemInstruction":{"parts":[{"text":"a"}]},"contents":[{"role":"user","parts":[{"text":" "}]}]}`, nil,
		},
		{
			"parallel results are one content", "m",
			[]conversation.Message{
				say(user, text("hi")), twoCalls,
				say(results, conversation.ResultPart{CallID: "a", Parts: []conversation.Part{text("1")}}), say(conversation.System, text("s")),
				say(results, conversation.ResultPart{CallID: "b", Parts: []conversation.Part{text("no")}, IsError: true}), say(user, text("go on")),
			},
			`{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"hi"}]},
			{"role":"model","parts":[{"text":"t"},{"functionCall":{"id":"a","name":"f","args":{"x":1}}},{"functionCall":{"id":"b","name":"g","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"1"}}},{"functionResponse":{"id":"b","name":"g","response":{"error":"no"}}}]},
			{"role":"user","parts":[{"text":"go on"}]}]}`,
			[]string{"system.position"},
		},
		{
			"results around a user's text", "m",
			[]conversation.Message{
				twoCalls, say(results, conversation.ResultPart{CallID: "a", Parts: []conversation.Part{text("1")}}), say(user, text("x")),
				say(results, conversation.ResultPart{CallID: "b", Parts: []conversation.Part{text("2")}}),
			},
			`{"contents":[{"role":"user","parts":[{"text":"."}]},{"role":"model","parts":[{"text":"t"},{"functionCall":{"id":"a","name":"f","args":{"x":1}}},{"functionCall":{"id":"b","name":"g","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"1"}}},{"functionResponse":{"id":"b","name":"g","response":{"output":"2"}}}]},
			{"role":"user","parts":[{"text":"x"}]}]}`, nil,
		},
		{
			"calls in messages of their own", "m",
			[]conversation.Message{
				say(assistant, conversation.CallPart{ID: "a", Name: "f"}), say(assistant, conversation.CallPart{ID: "b", Name: "g", Arguments: "not JSON"}),
			},
			`{"contents":[{"role":"user","parts":[{"text":"."}]},{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}}},{"functionCall":{"id":"b","name":"g","args":{"arguments":"not JSON"}}}]}]}`, nil,
		},
		{
			"calls without ids", "m",
			[]conversation.Message{
				say(assistant, conversation.CallPart{Name: "f"}, conversation.CallPart{Name: "g"}),
				say(results, conversation.ResultPart{Parts: []conversation.Part{text("1")}}, conversation.ResultPart{Name: "g", JSON: json.RawMessage(`{"a":[1]}`)}),
			},
			`{"contents":[{"role":"user","parts":[{"text":"."}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"1"}}},{"functionResponse":{"name":"g","response":{"a":[1]}}}]}]}`, nil,
		},
		{
			"own signatures", "gemini-3-pro",
			[]conversation.Message{say(user, text("hi")), say(assistant,
				conversation.ThinkingPart{Text: "t", Signature: own}, conversation.CallPart{ID: "a", Name: "f", Signature: own}, conversation.ThinkingPart{Signature: own})},
			`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"t","thought":true,"thoughtSignature":"QUJD"},
			{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"QUJD"},{"text":"","thoughtSignature":"QUJD"}]}]}`, nil,
		},
		{
			"signatures of others", "gemini-2.5-pro",
			[]conversation.Message{say(user, text("hi")), say(assistant,
				conversation.ThinkingPart{Text: "t", Signature: foreign}, conversation.ThinkingPart{Redacted: "r"}, conversation.CallPart{ID: "a", Name: "f", Signature: foreign})},
			`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"t","thought":true},{"functionCall":{"id":"a","name":"f","args":{}}}]}]}`,
			[]string{"thinking.signature", "thinking"},
		},
		{
			"calls of others to a model that wants signatures", "gemini-3-pro",
			[]conversation.Message{
				say(user, text("hi")), say(assistant, conversation.CallPart{ID: "a", Name: "f"}), say(results, conversation.ResultPart{CallID: "a"}),
				say(user, text("and")), say(assistant, conversation.CallPart{ID: "b", Name: "f"}, conversation.CallPart{ID: "c", Name: "f"}),
			},
			`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":""}}}]},{"role":"user","parts":[{"text":"and"}]},
			{"role":"model","parts":[{"functionCall":{"id":"b","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"id":"c","name":"f","args":{}}}]}]}`, nil,
		},
		{
			"media", "m",
			[]conversation.Message{say(user, picture,
				conversation.ImagePart{Media: conversation.Media{URL: "https://x.example/a.PNG?x", Detail: "high"}, Cache: &conversation.CacheControl{}},
				conversation.FilePart{Media: conversation.Media{Name: "a.pdf", Data: "AAAA"}}, conversation.AudioPart{Media: conversation.Media{MediaType: "audio/wav", Data: "AAAA"}},
				conversation.ImagePart{Media: conversation.Media{URL: "https://x.example/a"}})},
			`{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"fileData":{"mimeType":"image/png","fileUri":"https://x.example/a.PNG?x"}},
			{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}},{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}},{"fileData":{"fileUri":"https://x.example/a"}}]}]}`,
			[]string{"cache_control", "image.detail"},
		},
		{
			"a picture in a result", "gemini-3-flash",
			[]conversation.Message{say(assistant, conversation.CallPart{ID: "a", Name: "f", Signature: own}), say(results, conversation.ResultPart{CallID: "a", Parts: []conversation.Part{text("see"), picture}})},
			`{"contents":[{"role":"user","parts":[{"text":"."}]},{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"QUJD"}]},
			{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"see"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}]}]}`, nil,
		},
		{
			"a picture in a result for an older model", "gemini-2.5-flash",
			[]conversation.Message{say(assistant, conversation.CallPart{ID: "a", Name: "f"}), say(results, conversation.ResultPart{CallID: "a", Parts: []conversation.Part{text("see"), picture}})},
			`{"contents":[{"role":"user","parts":[{"text":"."}]},{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"see"}}},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}]}`, nil,
		},
		{
			"no empty parts", "m",
			[]conversation.Message{say(user, text("hi")), say(assistant, text(""), conversation.RefusalPart{Text: "no"}), say(assistant), {Role: user, Name: "Bob", Parts: []conversation.Part{text("x")}}},
			`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"no"}]},{"role":"user","parts":[{"text":"x"}]}]}`,
			[]string{"message.name"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, body, dropped := encoded(t, conversation.Request{Model: tt.model, Messages: tt.messages})
			sameJSON(t, tt.want, body)
			if diff := cmp.Diff(tt.dropped, dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeConfig(t *testing.T) {
	f := []conversation.Tool{{Name: "f"}}
	on := func(model, effort string, budget int) conversation.Request {
		return conversation.Request{Model: model, Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: effort, Budget: budget}}
	}
	mode := func(model string, m conversation.ReasoningMode) conversation.Request {
		return conversation.Request{Model: model, Reasoning: conversation.Reasoning{Mode: m}}
	}
	tests := []struct {
		name    string
		req     conversation.Request
		want    string // what stands beside contents
		dropped []string
	}{
		{"nothing", conversation.Request{}, `{}`, nil},
		{
			"sampling",
			conversation.Request{MaxTokens: 9, Stop: []string{"a", ""}, Logprobs: true, TopLogprobs: 30, Sampling: conversation.Sampling{
				Temperature: ptr(0.0), TopP: ptr(0.5), TopK: ptr(4), Seed: ptr(int64(1) << 40), FrequencyPenalty: ptr(1.0), PresencePenalty: ptr(2.0),
			}},
			`{"generationConfig":{"maxOutputTokens":9,"stopSequences":["a"],"responseLogprobs":true,"logprobs":20,"temperature":0,"topP":0.5,"topK":4,"frequencyPenalty":1,"presencePenalty":2,"seed":256}}`,
			[]string{"top_logprobs"},
		},
		{
			"what it has not",
			conversation.Request{
				Parallel: ptr(false), Stop: []string{"1", "2", "3", "4", "5", "6"},
				Sampling: conversation.Sampling{MinP: ptr(0.1), RepeatPenalty: ptr(1.1)},
			},
			`{"generationConfig":{"stopSequences":["1","2","3","4","5"]}}`,
			[]string{"parallel_tool_calls", "stop", "min_p", "repeat_penalty"},
		},
		{"JSON", conversation.Request{Format: conversation.Format{Kind: conversation.FormatJSON}}, `{"generationConfig":{"responseMimeType":"application/json"}}`, nil},
		{
			"schema",
			conversation.Request{Format: conversation.Format{Kind: conversation.FormatSchema, Name: "n", Schema: json.RawMessage("{\"type\":\"object\"}\n")}},
			`{"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}}}`, nil,
		},
		{
			"tools",
			conversation.Request{Tools: []conversation.Tool{
				{Name: "f", Description: "d", Parameters: json.RawMessage(`{"type":"object","properties":{},"$schema":"x"}`), Strict: ptr(true), Cache: &conversation.CacheControl{}},
				{Name: "g"},
				{Builtin: "web_search_20250305", Name: "web_search", Raw: json.RawMessage(`{}`)},
				{Builtin: "googleSearch", Raw: json.RawMessage(`{}`)},
			}, Parallel: ptr(true)},
			`{"tools":[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type":"object","properties":{},"$schema":"x"}},{"name":"g"}]},{"googleSearch":{}}]}`,
			[]string{"tools.builtin", "tool.strict", "cache_control"},
		},
		{"auto", conversation.Request{Tools: f, Choice: conversation.Choice{Mode: conversation.ChoiceAuto}}, `{"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"AUTO"}}}`, nil},
		{"none", conversation.Request{Tools: f, Choice: conversation.Choice{Mode: conversation.ChoiceNone}}, `{"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}}`, nil},
		{"any", conversation.Request{Tools: f, Choice: conversation.Choice{Mode: conversation.ChoiceRequired}}, `{"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}`, nil},
		{"named", conversation.Request{Tools: f, Choice: conversation.Choice{Mode: conversation.ChoiceNamed, Name: "f"}}, `{"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}}`, nil},
		{"auto without tools", conversation.Request{Choice: conversation.Choice{Mode: conversation.ChoiceAuto}}, `{}`, nil},

		{"level", on("gemini-3-flash", "medium", 0), `{"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"MEDIUM"}}}`, nil},
		{"lowest level", on("gemini-3-pro", "minimal", 0), `{"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"LOW"}}}`, nil},
		{"highest level", on("gemini-3-flash", "max", 0), `{"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"HIGH"}}}`, nil},
		{"effort as a budget", on("gemini-2.5-flash", "low", 0), `{"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":1024}}}`, nil},
		{"budget", on("gemini-2.5-pro", "", 4000), `{"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":4000}}}`, nil},
		{"budget over the limit", on("gemini-2.5-flash", "", 31999), `{"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":24576}}}`, nil},
		{"budget over the limit of tokens", conversation.Request{MaxTokens: 3000, Model: "gemini-2.5-flash", Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: "high"}}, `{"generationConfig":{"maxOutputTokens":3000,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":1500}}}`, nil},
		{"no thinking there", on("gemini-2.0-flash", "high", 0), `{}`, []string{"reasoning"}},
		{"off", mode("gemini-2.5-flash", conversation.ReasoningOff), `{"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}}`, nil},
		{"off is not possible", mode("gemini-2.5-pro", conversation.ReasoningOff), `{"generationConfig":{"thinkingConfig":{"thinkingBudget":128}}}`, []string{"reasoning"}},
		{"off, lite", mode("gemini-2.5-flash-lite", conversation.ReasoningOff), `{"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}}`, nil},
		{"off, not Google's", mode("my-gemini", conversation.ReasoningOff), `{"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}}`, nil},
		{"off is the lowest level", mode("gemini-3.5-flash-lite", conversation.ReasoningOff), `{"generationConfig":{"thinkingConfig":{"thinkingLevel":"MINIMAL"}}}`, []string{"reasoning"}},
		{"off without the lowest level", mode("gemini-3.7-flash", conversation.ReasoningOff), `{"generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"}}}`, []string{"reasoning"}},
		{"off of an alias", mode("gemini-flash-latest", conversation.ReasoningOff), `{"generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"}}}`, []string{"reasoning"}},
		{"off where none is", mode("gemini-2.0-flash", conversation.ReasoningOff), `{}`, nil},
		{"budget as a level", on("gemini-3.1-pro-preview", "", 8000), `{"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"MEDIUM"}}}`, nil},
		{"two levels", on("gemini-3-pro-preview", "medium", 0), `{"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"HIGH"}}}`, nil},
		{"adaptive", mode("gemini-2.5-pro", conversation.ReasoningAdaptive), `{"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":-1}}}`, nil},
		{"adaptive by level", mode("gemini-3-pro", conversation.ReasoningAdaptive), `{"generationConfig":{"thinkingConfig":{"includeThoughts":true}}}`, nil},
		{
			"hidden",
			conversation.Request{Model: "gemini-3-pro", Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: "high", Visible: ptr(false)}},
			`{"generationConfig":{"thinkingConfig":{"thinkingLevel":"HIGH"}}}`, nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.req.Model == "" {
				tt.req.Model = "m"
			}
			_, body, dropped := encoded(t, tt.req)
			const contents = `"contents":[{"role":"user","parts":[{"text":"hi"}]}]`
			want := "{" + contents + strings.TrimSuffix(","+tt.want[1:], ",}")
			if tt.want == "{}" {
				want += "}"
			}
			sameJSON(t, want, body)
			if diff := cmp.Diff(tt.dropped, dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := []struct {
		name string
		req  conversation.Request
		want string
	}{
		{"a tool that is not there", conversation.Request{Tools: []conversation.Tool{{Name: "f"}}, Choice: conversation.Choice{Mode: conversation.ChoiceNamed, Name: "secret"}}, "tool_choice"},
		{"a builtin that is forced", conversation.Request{Tools: []conversation.Tool{{Builtin: "x"}}, Choice: conversation.Choice{Mode: conversation.ChoiceRequired}}, "tool_choice"},
		{"another service's file", conversation.Request{Messages: []conversation.Message{say(conversation.User, conversation.FilePart{Media: conversation.Media{FileID: "secret"}})}}, "a file"},
		{"a gap", conversation.Request{Suffix: "secret"}, "suffix"},
		{"several answers", conversation.Request{Candidates: 2}, "several answers"},
		{"data of no type", conversation.Request{Messages: []conversation.Message{say(conversation.User, conversation.FilePart{Media: conversation.Media{Data: "AAAA"}})}}, "unknown type"},
		{"a picture as an instruction", conversation.Request{Messages: []conversation.Message{say(conversation.System, conversation.ImagePart{})}}, "system message"},
		{"a result of nothing", conversation.Request{Messages: []conversation.Message{say(conversation.ToolResults, conversation.ResultPart{CallID: "secret"})}}, "no call"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d conversation.Dropped
			_, _, fail := EncodeRequest(&tt.req, &d)
			if fail == nil || fail.Status != 400 || !strings.Contains(fail.Message, tt.want) || strings.Contains(fail.Message, "secret") {
				t.Errorf("got %v, want 400 with %q", fail, tt.want)
			}
		})
	}
}
