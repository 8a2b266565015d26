// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// sameJSON compares JSON texts without regard to space and the order of members.
func sameJSON(t *testing.T, want, got string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(want), &a); err != nil {
		t.Fatalf("want: %v", err)
	}
	if err := json.Unmarshal([]byte(got), &b); err != nil {
		t.Fatalf("got %s: %v", got, err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}

func TestEncodeRequest(t *testing.T) {
	hi := []conversation.Message{user("hi")}
	const said1 = `"messages":[{"role":"user","content":"hi"}]`
	for _, test := range []struct {
		name    string
		req     conversation.Request
		want    string
		dropped []string
	}{
		{"least", conversation.Request{Model: "m", Messages: hi}, `{"model":"m",` + said1 + `,"stream":false}`, nil},
		{
			"options",
			conversation.Request{
				Model: "m", Messages: hi, Stream: true, MaxTokens: 5, Stop: []string{"a"}, Logprobs: true, TopLogprobs: 25,
				Sampling: conversation.Sampling{
					Temperature: pointer(0.0), TopP: pointer(0.5), TopK: pointer(3), MinP: pointer(0.1), Seed: pointer(int64(9)),
					RepeatPenalty: pointer(1.1), PresencePenalty: pointer(0.2), FrequencyPenalty: pointer(0.3),
				},
			},
			`{"model":"m",` + said1 + `,"stream":true,"logprobs":true,"top_logprobs":20,"options":{"num_predict":5,"temperature":0,"top_k":3,
			  "top_p":0.5,"min_p":0.1,"seed":9,"repeat_penalty":1.1,"presence_penalty":0.2,"frequency_penalty":0.3,"stop":["a"]}}`,
			[]string{"top_logprobs"},
		},
		{
			"conversation",
			conversation.Request{Model: "m", Messages: []conversation.Message{
				said(conversation.System, text("a"), conversation.TextPart{Text: "b", Cache: &conversation.CacheControl{}}),
				{Role: conversation.User, Name: "joe", Parts: []conversation.Part{text("look"), image}},
				said(conversation.Developer, text("c")),
				said(
					conversation.Assistant,
					conversation.ThinkingPart{Text: "hm", Signature: conversation.Signature{By: service.Claude, Value: "s"}}, text(""),
				),
				said(
					conversation.Assistant, conversation.CallPart{ID: "1", Name: "f", Arguments: `{"a":1}`},
					conversation.CallPart{ID: "2", Name: "g", Arguments: "{"},
				),
				said(
					conversation.ToolResults, conversation.ResultPart{CallID: "2", IsError: true, Parts: []conversation.Part{text("bad")}},
					conversation.ResultPart{CallID: "1", Name: "f", Parts: []conversation.Part{text("ok"), image}},
				),
			}},
			`{"model":"m","stream":false,"messages":[{"role":"system","content":"a\n\nb"},
			  {"role":"user","content":"look","images":["` + pixel + `"]},{"role":"system","content":"c"},
			  {"role":"assistant","content":"","thinking":"hm","tool_calls":[{"id":"1","function":{"index":0,"name":"f","arguments":{"a":1}}},
			    {"id":"2","function":{"index":1,"name":"g","arguments":{"arguments":"{"}}}]},
			  {"role":"tool","content":"Error: bad","tool_name":"g","tool_call_id":"2"},
			  {"role":"tool","content":"ok","images":["` + pixel + `"],"tool_name":"f","tool_call_id":"1"}]}`,
			[]string{"cache_control", "message.name", "thinking.signature"},
		},
		{
			"calls without ids",
			conversation.Request{Model: "m", Messages: []conversation.Message{
				user("hi"), said(conversation.Assistant, conversation.CallPart{Name: "f", Arguments: "{}"}),
				said(conversation.ToolResults, conversation.ResultPart{Name: "f", JSON: []byte(`{"r":1}`)}),
			}},
			`{"model":"m","stream":false,"messages":[{"role":"user","content":"hi"},
			  {"role":"assistant","content":"","tool_calls":[{"id":"call_1","function":{"index":0,"name":"f","arguments":{}}}]},
			  {"role":"tool","content":"{\"r\":1}","tool_name":"f","tool_call_id":"call_1"}]}`,
			nil,
		},
		{
			"files",
			conversation.Request{Model: "m", Messages: []conversation.Message{said(
				conversation.User, conversation.FilePart{Media: conversation.Media{MediaType: "text/csv; charset=utf-8", Data: "YSxi", Name: "x.csv"}},
				conversation.FilePart{Media: conversation.Media{MediaType: "image/png", Data: strings.TrimRight(pixel, "="), Detail: "high"}},
			)}},
			`{"model":"m","stream":false,"messages":[{"role":"user","content":"x.csv:\na,b","images":["` + pixel + `"]}]}`,
			[]string{"image.detail"},
		},
		{
			"tools",
			conversation.Request{
				Model: "m", Messages: hi, Parallel: pointer(false), Choice: conversation.Choice{Mode: conversation.ChoiceAuto},
				Tools: []conversation.Tool{
					{Name: "f", Description: "d", Parameters: []byte(`{"type":"object","properties":{"a":{"type":"string"}}}`), Strict: pointer(true)},
					{Builtin: "web_search"},
					{Name: "g"},
				},
			},
			`{"model":"m",` + said1 + `,"stream":false,"tools":[{"type":"function","function":{"name":"f","description":"d",
			  "parameters":{"type":"object","properties":{"a":{"type":"string"}}}}},
			  {"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}]}`,
			[]string{"tool.strict", "tools.builtin", "parallel_tool_calls"},
		},
		{
			"no tool may be called",
			conversation.Request{Model: "m", Messages: hi, Tools: []conversation.Tool{{Name: "g"}}, Choice: conversation.Choice{Mode: conversation.ChoiceNone}},
			`{"model":"m",` + said1 + `,"stream":false}`, nil,
		},
		{
			"JSON",
			conversation.Request{Model: "m", Messages: hi, Format: conversation.Format{Kind: conversation.FormatJSON}},
			`{"model":"m",` + said1 + `,"stream":false,"format":"json"}`, nil,
		},
		{
			"schema",
			conversation.Request{Model: "m", Messages: hi, Format: conversation.Format{
				Kind: conversation.FormatSchema, Name: "n", Schema: []byte(`{"type":"object"}`), Strict: pointer(true),
			}},
			`{"model":"m",` + said1 + `,"stream":false,"format":{"type":"object"}}`, nil,
		},
		{
			"suffix",
			conversation.Request{Model: "m", Suffix: "z", Messages: []conversation.Message{said(conversation.System, text("s")), user("a")}},
			`{"model":"m","system":"s","prompt":"a","suffix":"z","stream":false}`, nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var dropped conversation.Dropped
			path, body, fail := EncodeRequest(&test.req, &dropped)
			if fail != nil {
				t.Fatal(fail)
			}
			if want := map[bool]string{true: generatePath, false: chatPath}[test.req.Suffix != ""]; path != want {
				t.Errorf("path %s, want %s", path, want)
			}
			sameJSON(t, test.want, string(body))
			if diff := cmp.Diff(test.dropped, dropped.Names()); diff != "" {
				t.Error("dropped:", diff)
			}
		})
	}
}

func TestEncodeThink(t *testing.T) {
	for _, test := range []struct {
		model   string
		r       conversation.Reasoning
		want    string
		dropped bool
	}{
		{"qwen3", conversation.Reasoning{}, "", false},
		{"qwen3", conversation.Reasoning{Mode: conversation.ReasoningOff}, "false", false},
		{"qwen3", conversation.Reasoning{Mode: conversation.ReasoningOn}, "true", false},
		{"qwen3", conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: "high"}, "true", true},
		{"qwen3", conversation.Reasoning{Mode: conversation.ReasoningOn, Budget: 2048}, "true", true},
		{"qwen3", conversation.Reasoning{Mode: conversation.ReasoningAdaptive}, "", false},
		{"qwen3", conversation.Reasoning{Mode: conversation.ReasoningAdaptive, Effort: "low"}, "", true},
		{"gpt-oss:20b", conversation.Reasoning{}, "", false},
		{"gpt-oss:20b", conversation.Reasoning{Mode: conversation.ReasoningOff}, `"low"`, true},
		{"gpt-oss:20b", conversation.Reasoning{Mode: conversation.ReasoningOn}, "true", false},
		{"gpt-oss:20b", conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: "minimal"}, `"low"`, false},
		{"gpt-oss:20b", conversation.Reasoning{Mode: conversation.ReasoningAdaptive, Effort: "medium"}, `"medium"`, false},
		{"gpt-oss:20b", conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: "max"}, `"high"`, false},
		{"gpt-oss:20b", conversation.Reasoning{Mode: conversation.ReasoningOn, Budget: 1024}, `"low"`, false},
		{"gpt-oss:20b", conversation.Reasoning{Mode: conversation.ReasoningOn, Budget: 8192}, `"medium"`, false},
		{"gpt-oss:20b", conversation.Reasoning{Mode: conversation.ReasoningOn, Budget: 31999}, `"high"`, false},
	} {
		var dropped conversation.Dropped
		_, body, fail := EncodeRequest(&conversation.Request{
			Model: test.model, Reasoning: test.r, Messages: []conversation.Message{user("x")},
		}, &dropped)
		if fail != nil {
			t.Fatal(fail)
		}
		var got struct{ Think json.RawMessage }
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if string(got.Think) != test.want || (len(dropped.Names()) > 0) != test.dropped {
			t.Errorf("%s %+v: think %s, want %s; dropped %v", test.model, test.r, got.Think, test.want, dropped.Names())
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	part := func(p conversation.Part) conversation.Request {
		return conversation.Request{Messages: []conversation.Message{said(conversation.User, p)}}
	}
	hi := []conversation.Message{user("hi")}
	tools := []conversation.Tool{{Name: "f"}}
	for name, req := range map[string]conversation.Request{
		"nothing":         {},
		"audio":           part(conversation.AudioPart{}),
		"image by URL":    part(conversation.ImagePart{Media: conversation.Media{URL: "https://example.com/s3cret.png"}}),
		"image by id":     part(conversation.ImagePart{Media: conversation.Media{FileID: "s3cret"}}),
		"not base64":      part(conversation.ImagePart{Media: conversation.Media{Data: "s3cret!"}}),
		"PDF":             part(conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", Data: "AAAA"}}),
		"call by user":    part(conversation.CallPart{Name: "f"}),
		"required":        {Messages: hi, Tools: tools, Choice: conversation.Choice{Mode: conversation.ChoiceRequired}},
		"named":           {Messages: hi, Tools: tools, Choice: conversation.Choice{Mode: conversation.ChoiceNamed, Name: "f"}},
		"suffix and talk": {Messages: []conversation.Message{user("a"), said(conversation.Assistant, text("b"))}, Suffix: "z"},
		"several answers": {Messages: hi, Candidates: 2},
		"suffix, tools":   {Messages: hi, Tools: tools, Suffix: "z"},
	} {
		_, _, fail := EncodeRequest(&req, &conversation.Dropped{})
		if fail == nil {
			t.Errorf("%s was taken", name)
			continue
		}
		if status, _, body := fail.Response(chatOp); status != 400 || strings.Contains(string(body), "s3cret") {
			t.Errorf("%s: status %d, body %s", name, status, body)
		}
	}
}

func TestParameters(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"none", ``, noParameters},
		{"null", `null`, noParameters},
		{"empty", `{}`, noParameters},
		{"not valid", `{"type":`, noParameters},
		{
			"fits, to the byte", ` {"type" : "object", "properties":{"b":{"type":["string","null"],"items":{"$ref":"#/$defs/X"}}, "a":{}}, "x-y":1} `,
			`{"type" : "object", "properties":{"b":{"type":["string","null"],"items":{"$ref":"#/$defs/X"}}, "a":{}}, "x-y":1}`,
		},
		{
			"values that Ollama cannot read",
			`{"type":["object","null"],"required":null,"properties":{"a":true,"b":{"type":3,"description":["x"],"enum":"y"},"c":{"const":1}}}`,
			`{"type":"object","properties":{"a":{},"b":{},"c":{"enum":[1]}}}`,
		},
		{
			"references",
			`{"properties":{"a":{"$ref":"#/$defs/A","description":"mine"},"b":{"oneOf":[{"$ref":"#/definitions/B~1x"},{"type":"null"}]},"c":{"$ref":"http://x"}},
			  "$defs":{"A":{"type":"string","description":"theirs"}},"definitions":{"B/x":{"type":"object","properties":{"d":{"$ref":"#/$defs/A"}}}}}`,
			`{"type":"object","properties":{"a":{"type":"string","description":"mine"},"b":{"anyOf":[{"type":"object","properties":{"d":{"type":"string","description":"theirs"}}},{"type":"null"}]},"c":{}}}`,
		},
		{
			"a list of itself",
			`{"type":"object","properties":{"n":{"$ref":"#/$defs/N"}},"$defs":{"N":{"type":"object","properties":{"next":{"$ref":"#/$defs/N"}}}}}`,
			`{"type":"object","properties":{"n":{"type":"object","properties":{"next":{}}}}}`,
		},
		{
			"all of",
			`{"type":"object","allOf":[{"properties":{"a":{"allOf":[{"type":"string"}]}},"required":["a"]},{"properties":{"b":{}},"required":["b"]}]}`,
			`{"type":"object","properties":{"a":{"type":"string"},"b":{}},"required":["a","b"]}`,
		},
		{
			"references that stay", `{"type":"object","properties":{"a":true,"l":{"items":{"$ref":"#/$defs/A"}}},"$defs":{"A":{}}}`,
			`{"type":"object","properties":{"a":{},"l":{"items":{"$ref":"#/$defs/A"}}},"$defs":{"A":{}}}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := parametersOf([]byte(test.in))
			if strings.HasPrefix(test.name, "fits") {
				if got != test.want {
					t.Errorf("got %s", got)
				}
				return
			}
			sameJSON(t, test.want, got)
		})
	}
}

// TestParametersStaySmall refers to twice the level below, many levels deep.
func TestParametersStaySmall(t *testing.T) {
	defs := []string{`"z":{"type":"string"}`}
	for c := 'y'; c >= 'a'; c-- {
		ref := `{"$ref":"#/$defs/` + string(c+1) + `"}`
		defs = append(defs, `"`+string(c)+`":{"properties":{"l":`+ref+`,"r":`+ref+`}}`)
	}
	got := parametersOf([]byte(`{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{` + strings.Join(defs, ",") + `}}`))
	if len(got) > 256<<10 || !json.Valid([]byte(got)) {
		t.Errorf("%d bytes", len(got))
	}
}
