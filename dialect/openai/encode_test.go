// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

func TestEncodeOptions(t *testing.T) {
	type request = conversation.Request
	f := conversation.Tool{Name: "f", Description: "d", Parameters: json.RawMessage(`{"type":"object","properties":{}}`), Strict: new(true)}
	toolsJSON := `,"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}},"strict":true}}]`
	search := conversation.Tool{Builtin: "web_search"}
	on := func(effort string, budget int) func(*request) {
		return func(r *request) {
			r.Reasoning = conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: effort, Budget: budget}
		}
	}
	as := func(model string, also func(*request)) func(*request) {
		return func(r *request) { also(r); r.Model = model }
	}
	off := func(r *request) { r.Reasoning.Mode = conversation.ReasoningOff }
	for _, tt := range []struct {
		name    string
		change  func(*request)
		want    string // members besides the model and the messages
		dropped []string
	}{
		{"nothing", nil, ``, nil},
		{"stream", func(r *request) { r.Stream = true }, `,"stream":true,"stream_options":{"include_usage":true}`, nil},
		{"limit", func(r *request) { r.MaxTokens = 5 }, `,"max_tokens":5`, nil},
		{"limit of OpenAI's", as("gpt-4o", func(r *request) { r.MaxTokens = 5 }), `,"max_completion_tokens":5`, nil},
		{"limit of open weights", as("gpt-oss:20b", func(r *request) { r.MaxTokens = 5 }), `,"max_tokens":5`, nil},
		{"sampling", func(r *request) {
			r.Sampling = conversation.Sampling{
				Temperature: new(0.0), TopP: new(0.5), TopK: new(4), MinP: new(0.1), FrequencyPenalty: new(0.5), PresencePenalty: new(0.25),
				RepeatPenalty: new(1.5), Seed: new(int64(9007199254740993)),
			}
			r.Stop = []string{"a", "b"}
		}, `,"temperature":0,"top_p":0.5,"frequency_penalty":0.5,"presence_penalty":0.25,"seed":9007199254740993,"stop":["a","b"]`, []string{"top_k", "min_p", "repeat_penalty"}},
		{"sampling of a model that reasons", as("o3", func(r *request) {
			r.Sampling = conversation.Sampling{Temperature: new(1.0), TopP: new(0.5), FrequencyPenalty: new(0.0)}
		}), ``, []string{"top_p"}},
		{"logprobs", func(r *request) { r.Logprobs, r.TopLogprobs = true, 2 }, `,"logprobs":true,"top_logprobs":2`, nil},
		{"logprobs of too many", func(r *request) { r.Logprobs, r.TopLogprobs = true, 21 }, `,"logprobs":true,"top_logprobs":20`, []string{"top_logprobs"}},
		{"logprobs of a model that reasons", as("gpt-5", func(r *request) { r.Logprobs, r.TopLogprobs = true, 2 }), ``, []string{"logprobs"}},
		{"stop of many", func(r *request) { r.Stop = []string{"1", "2", "3", "4", "5"} }, `,"stop":["1","2","3","4","5"]`, nil},
		{"stop of too many", as("gpt-4o", func(r *request) { r.Stop = []string{"1", "2", "3", "4", "5"} }), `,"stop":["1","2","3","4"]`, []string{"stop"}},
		{"stop of a model that reasons", as("o3", func(r *request) { r.Stop = []string{"1"} }), ``, []string{"stop"}},
		{"tools", func(r *request) { r.Tools = []conversation.Tool{f}; r.Parallel = new(false) }, toolsJSON + `,"parallel_tool_calls":false`, nil},
		{"tool without parameters", func(r *request) {
			r.Tools = []conversation.Tool{{Name: "g", Cache: &conversation.CacheControl{}}}
		}, `,"tools":[{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}]`, []string{"cache_control"}},
		{"auto", func(r *request) { r.Tools = []conversation.Tool{f}; r.Choice.Mode = conversation.ChoiceAuto }, toolsJSON + `,"tool_choice":"auto"`, nil},
		{"none", func(r *request) { r.Tools = []conversation.Tool{f}; r.Choice.Mode = conversation.ChoiceNone }, toolsJSON + `,"tool_choice":"none"`, nil},
		{"required", func(r *request) { r.Tools = []conversation.Tool{f}; r.Choice.Mode = conversation.ChoiceRequired }, toolsJSON + `,"tool_choice":"required"`, nil},
		{"named", func(r *request) {
			r.Tools, r.Choice = []conversation.Tool{f}, conversation.Choice{Mode: conversation.ChoiceNamed, Name: "f"}
		}, toolsJSON + `,"tool_choice":{"type":"function","function":{"name":"f"}}`, nil},
		{"choice without tools", func(r *request) { r.Choice.Mode, r.Parallel = conversation.ChoiceAuto, new(true) }, ``, nil},
		{"builtin", func(r *request) { r.Tools = []conversation.Tool{search, f} }, toolsJSON, []string{"tools.builtin"}},
		{"JSON", func(r *request) { r.Format.Kind = conversation.FormatJSON }, `,"response_format":{"type":"json_object"}`, nil},
		{"schema", func(r *request) {
			r.Format = conversation.Format{Kind: conversation.FormatSchema, Schema: json.RawMessage(`{"type":"object"}`), Strict: new(true)}
		}, `,"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}}`, nil},
		{"effort", on("low", 0), `,"reasoning_effort":"low"`, nil},
		{"low budget", on("", 1024), `,"reasoning_effort":"low"`, nil},
		{"medium budget", on("", 10000), `,"reasoning_effort":"medium"`, nil},
		{"high budget", on("", 31999), `,"reasoning_effort":"high"`, nil},
		{"effort before budget", on("high", 1024), `,"reasoning_effort":"high"`, nil},
		{"on", on("", 0), ``, nil},
		{"on, of OpenAI's", as("gpt-5.1", on("", 0)), `,"reasoning_effort":"medium"`, nil},
		{"on, of a model that cannot", as("gpt-4o", on("high", 0)), ``, []string{"reasoning"}},
		{"max", on("max", 0), `,"reasoning_effort":"high"`, nil},
		{"max, where there is more", as("gpt-5.2", on("max", 0)), `,"reasoning_effort":"xhigh"`, nil},
		{"minimal", on("minimal", 0), `,"reasoning_effort":"low"`, nil},
		{"minimal, where it is", as("openai/gpt-5-mini", on("minimal", 0)), `,"reasoning_effort":"minimal"`, nil},
		{"adaptive", func(r *request) { r.Reasoning.Mode = conversation.ReasoningAdaptive }, ``, nil},
		{"adaptive with effort", func(r *request) {
			r.Reasoning = conversation.Reasoning{Mode: conversation.ReasoningAdaptive, Effort: "medium"}
		}, `,"reasoning_effort":"medium"`, nil},
		{"off", off, `,"reasoning_effort":"none"`, nil},
		{"off, nearly", as("gpt-5", off), `,"reasoning_effort":"minimal"`, nil},
		{"off, impossible", as("o4-mini", off), `,"reasoning_effort":"low"`, []string{"reasoning"}},
		{"off, already", as("gpt-4.1", off), ``, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var dropped conversation.Dropped
			req := hiRequest(tt.change)
			path, body, fail := EncodeRequest(req, &dropped)
			if fail != nil || path != "/v1/chat/completions" {
				t.Fatalf("path %q, error %v", path, fail)
			}
			sameJSON(t, `{"model":"`+req.Model+`",`+askHi+tt.want+`}`, string(body))
			if diff := cmp.Diff(tt.dropped, dropped.Names()); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeMessages(t *testing.T) {
	sig := func(p service.Protocol, v string) conversation.Signature {
		return conversation.Signature{By: p, Value: v}
	}
	results := func(parts ...conversation.Part) cm { return cm{Role: conversation.ToolResults, Parts: parts} }
	assistant := func(parts ...conversation.Part) cm { return cm{Role: conversation.Assistant, Parts: parts} }
	call := func(id, name string) conversation.Part { return conversation.CallPart{ID: id, Name: name} }
	callJSON := func(id, name string) string {
		return `{"id":"` + id + `","type":"function","function":{"name":"` + name + `","arguments":"{}"}}`
	}
	png := conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: "AAAA"}}
	note := conversation.FilePart{Media: conversation.Media{MediaType: "text/plain", Data: base64.StdEncoding.EncodeToString([]byte("note")), Name: "n.txt"}}
	for _, tt := range []struct {
		name    string
		in      []cm
		want    string
		dropped []string
	}{
		{
			"roles stay in place",
			[]cm{{Role: conversation.System, Parts: cp{text("s"), text("t")}}, user("u"), {Role: conversation.Developer, Parts: cp{text("d")}}, assistant(text("a")), {Role: conversation.System, Parts: cp{text("s2")}}, user("v")},
			`{"role":"system","content":"s\n\nt"},{"role":"user","content":"u"},{"role":"system","content":"d"},{"role":"assistant","content":"a"},{"role":"system","content":"s2"},{"role":"user","content":"v"}`, nil,
		},
		{
			"names",
			[]cm{{Role: conversation.User, Name: "bob", Parts: cp{text("u")}}, {Role: conversation.User, Name: "b o b", Parts: cp{text("u")}}},
			`{"role":"user","name":"bob","content":"u"},{"role":"user","content":"u"}`,
			[]string{"message.name"},
		},
		{
			"media",
			[]cm{{Role: conversation.User, Parts: cp{
				text("u"), png,
				conversation.ImagePart{Media: conversation.Media{URL: "https://x/y", Detail: "low"}},
				conversation.AudioPart{Media: conversation.Media{MediaType: "audio/mpeg", Data: "AAAA"}},
				conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", Data: "AAAA"}},
				note,
			}}},
			`{"role":"user","content":[{"type":"text","text":"u"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"image_url","image_url":{"url":"https://x/y","detail":"low"}},
				{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}},{"type":"file","file":{"filename":"file.pdf","file_data":"data:application/pdf;base64,AAAA"}},{"type":"text","text":"n.txt:\nnote"}]}`, nil,
		},
		{
			"calls in one message",
			[]cm{user("u"), assistant(text("a")), assistant(call("1", "f")), assistant(call("2", "g")), results(conversation.ResultPart{CallID: "1", Parts: cp{text("r")}}), results(conversation.ResultPart{CallID: "2"})},
			`{"role":"user","content":"u"},{"role":"assistant","content":"a","tool_calls":[` + callJSON("1", "f") + `,` + callJSON("2", "g") + `]},
				{"role":"tool","tool_call_id":"1","content":"r"},{"role":"tool","tool_call_id":"2","content":""}`, nil,
		},
		{
			"ids where there are none",
			[]cm{assistant(call("", "f"), call("", "g"), call("", "f")), results(conversation.ResultPart{Name: "g"}, conversation.ResultPart{Name: "f"}, conversation.ResultPart{Name: "f"}), assistant(call("", "f")), results(conversation.ResultPart{Name: "f"})},
			`{"role":"assistant","content":null,"tool_calls":[` + callJSON("call_0", "f") + `,` + callJSON("call_1", "g") + `,` + callJSON("call_2", "f") + `]},
				{"role":"tool","tool_call_id":"call_1","content":""},{"role":"tool","tool_call_id":"call_0","content":""},{"role":"tool","tool_call_id":"call_2","content":""},
				{"role":"assistant","content":null,"tool_calls":[` + callJSON("call_3", "f") + `]},{"role":"tool","tool_call_id":"call_3","content":""}`, nil,
		},
		{
			"long ids",
			[]cm{assistant(call(strings.Repeat("x", 50), "f")), results(conversation.ResultPart{CallID: strings.Repeat("x", 50)})},
			`{"role":"assistant","content":null,"tool_calls":[` + callJSON("call_77cf12060d47183ea8c40345e7389e7e", "f") + `]},{"role":"tool","tool_call_id":"call_77cf12060d47183ea8c40345e7389e7e","content":""}`, nil,
		},
		{
			"results with images come after all results",
			[]cm{
				assistant(call("1", "f"), call("2", "g")),
				results(conversation.ResultPart{CallID: "1", Parts: cp{text("r"), png}}, conversation.ResultPart{CallID: "2", Parts: cp{png}}), user("u"),
			},
			`{"role":"assistant","content":null,"tool_calls":[` + callJSON("1", "f") + `,` + callJSON("2", "g") + `]},{"role":"tool","tool_call_id":"1","content":"r"},
				{"role":"tool","tool_call_id":"2","content":"The result is in the next message of the user's."},
				{"role":"user","content":[{"type":"text","text":"Result of the tool call 1:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
				{"type":"text","text":"Result of the tool call 2:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},{"role":"user","content":"u"}`, nil,
		},
		{
			"errors",
			[]cm{assistant(call("1", "f")), results(
				conversation.ResultPart{CallID: "1", IsError: true, Parts: cp{text("no such file")}}, conversation.ResultPart{CallID: "1", IsError: true, Parts: cp{text("Error: x")}},
				conversation.ResultPart{CallID: "1", IsError: true}, conversation.ResultPart{CallID: "1", JSON: json.RawMessage(`{"a":1}`)},
			)},
			`{"role":"assistant","content":null,"tool_calls":[` + callJSON("1", "f") + `]},{"role":"tool","tool_call_id":"1","content":"Error: no such file"},
				{"role":"tool","tool_call_id":"1","content":"Error: x"},{"role":"tool","tool_call_id":"1","content":"Error"},{"role":"tool","tool_call_id":"1","content":"{\"a\":1}"}`, nil,
		},
		{
			"reasoning goes back where it came from",
			[]cm{user("u"), assistant(
				conversation.ThinkingPart{Text: "a", Signature: sig(service.OpenAI, "chat:reasoning_content")}, conversation.ThinkingPart{Text: "b", Signature: sig(service.OpenAI, "chat:reasoning")},
				conversation.ThinkingPart{Text: "c", Signature: sig(service.OpenAI, `chat:reasoning_details:{"type":"reasoning.text","signature":"s","index":0}`)},
				conversation.ThinkingPart{Signature: sig(service.OpenAI, `chat:reasoning_details:{"type":"reasoning.encrypted","data":"d","index":1}`)}, text("x"),
			)},
			`{"role":"user","content":"u"},{"role":"assistant","content":"x","reasoning_content":"a","reasoning":"b","reasoning_details":[{"type":"reasoning.text","text":"c","signature":"s","index":0},{"type":"reasoning.encrypted","data":"d","index":1}]}`, nil,
		},
		{
			"reasoning of others",
			[]cm{user("u"), assistant(
				conversation.ThinkingPart{Text: "a", Signature: sig(service.Claude, "s")}, conversation.ThinkingPart{Redacted: "r"}, text("x"),
				conversation.CallPart{ID: "1", Name: "f", Signature: sig(service.Gemini, "s")}, conversation.CallPart{ID: "2", Name: "f", Signature: sig(service.OpenAI, "s")},
			)},
			`{"role":"user","content":"u"},{"role":"assistant","content":"x","tool_calls":[` + callJSON("1", "f") + `,{"id":"2","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]}`,
			[]string{"thinking", "thinking.signature"},
		},
		{"nothing but reasoning", []cm{user("u"), assistant(conversation.ThinkingPart{Text: "a"})}, `{"role":"user","content":"u"}`, []string{"thinking"}},
		{"refusal", []cm{user("u"), assistant(conversation.RefusalPart{Text: "no"})}, `{"role":"user","content":"u"},{"role":"assistant","content":"","refusal":"no"}`, nil},
		{"cache marks", []cm{{Role: conversation.User, Parts: cp{conversation.TextPart{Text: "u", Cache: &conversation.CacheControl{}}}}}, `{"role":"user","content":"u"}`, []string{"cache_control"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var dropped conversation.Dropped
			_, body, fail := EncodeRequest(&conversation.Request{Model: "m", Messages: tt.in}, &dropped)
			if fail != nil {
				t.Fatal(fail)
			}
			sameJSON(t, `{"model":"m","messages":[`+tt.want+`]}`, string(body))
			if diff := cmp.Diff(tt.dropped, dropped.Names()); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	type request = conversation.Request
	userSays := func(part conversation.Part) func(*request) {
		return func(r *request) { r.Messages[0].Parts = cp{part} }
	}
	for name, change := range map[string]func(*request){
		"no messages": func(r *request) { r.Messages = nil },
		"nothing but reasoning": func(r *request) {
			r.Messages[0] = cm{Role: conversation.Assistant, Parts: cp{conversation.ThinkingPart{}}}
		},
		"several answers":          func(r *request) { r.Candidates = 2 },
		"another's file":           userSays(conversation.FilePart{Media: conversation.Media{FileID: "canary", FileBy: service.Claude}}),
		"suffix":                   func(r *request) { r.Suffix = "s" },
		"a call without tools":     func(r *request) { r.Choice.Mode = conversation.ChoiceRequired },
		"a tool that is not there": func(r *request) { r.Choice = conversation.Choice{Mode: conversation.ChoiceNamed, Name: "f"} },
		"a builtin by force": func(r *request) {
			r.Tools, r.Choice.Mode = []conversation.Tool{{Builtin: "web_search"}}, conversation.ChoiceRequired
		},
		"image in a bucket":      userSays(conversation.ImagePart{Media: conversation.Media{URL: "gs://canary"}}),
		"image by id":            userSays(conversation.ImagePart{Media: conversation.Media{FileID: "canary"}}),
		"file by id":             userSays(conversation.FilePart{Media: conversation.Media{FileID: "canary"}}),
		"file by URL":            userSays(conversation.FilePart{Media: conversation.Media{URL: "https://canary"}}),
		"other audio":            userSays(conversation.AudioPart{Media: conversation.Media{MediaType: "audio/ogg", Data: "canary"}}),
		"image in a system turn": func(r *request) { r.Messages[0] = cm{Role: conversation.System, Parts: cp{conversation.ImagePart{}}} },
		"image in an answer": func(r *request) {
			r.Messages[0] = cm{Role: conversation.Assistant, Parts: cp{conversation.ImagePart{}}}
		},
	} {
		var dropped conversation.Dropped
		_, body, fail := EncodeRequest(hiRequest(change), &dropped)
		if fail == nil || fail.Status != 400 || body != nil || strings.Contains(fail.Message, "canary") {
			t.Errorf("%s: error %v, want one with status 400 and our own words", name, fail)
		}
	}
}

func TestEncodeJSONWord(t *testing.T) {
	for asked, want := range map[string]string{
		"as Json": `{"role":"user","content":"as Json"}`,
		"hi":      `{"role":"system","content":"Answer in JSON."},{"role":"user","content":"hi"}`,
	} {
		req := &conversation.Request{Model: "gpt-4o", Messages: []cm{user(asked)}, Format: conversation.Format{Kind: conversation.FormatJSON}}
		_, body, fail := EncodeRequest(req, &conversation.Dropped{})
		if fail != nil {
			t.Fatal(fail)
		}
		sameJSON(t, `{"model":"gpt-4o","messages":[`+want+`],"response_format":{"type":"json_object"}}`, string(body))
	}
}

func TestEncodeParameters(t *testing.T) {
	for in, want := range map[string]string{
		``:                              `{"type":"object","properties":{}}`,
		` { } `:                         `{"type":"object","properties":{}}`,
		`{"type":"object"}`:             `{"properties":{},"type":"object"}`,
		`{"properties":{"a":{}}}`:       `{"type":"object","properties":{"a":{}}}`,
		`{"$schema":"x"}`:               `{"type":"object","properties":{},"$schema":"x"}`,
		`{"anyOf":[{"type":"object"}]}`: `{"anyOf":[{"type":"object"}]}`,
		`{"type":"string"}`:             `{"type":"string"}`,
	} {
		req := hiRequest(func(r *conversation.Request) {
			r.Tools = []conversation.Tool{{Name: "f", Parameters: json.RawMessage(in)}}
		})
		_, body, fail := EncodeRequest(req, &conversation.Dropped{})
		if fail != nil {
			t.Fatal(fail)
		}
		sameJSON(t, `{"model":"m",`+askHi+`,"tools":[{"type":"function","function":{"name":"f","parameters":`+want+`}}]}`, string(body))
	}
}
