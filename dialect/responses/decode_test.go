// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

func TestDecodeRequest(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       conversation.Request
	}{
		{
			"text", `{"model":"m","input":"Hi"}`,
			conversation.Request{Model: "m", Messages: []conversation.Message{{Role: conversation.User, Parts: parts{text("Hi")}}}},
		},
		{
			"settings", `{"model":"m","input":"Hi","instructions":"Be brief.","stream":true,"max_output_tokens":99,
				"temperature":0.5,"top_p":0.9,"top_logprobs":3,"parallel_tool_calls":false,"store":false,"truncation":"disabled",
				"background":false,"previous_response_id":null,"conversation":null,"prompt":null,"metadata":null,
				"include":["reasoning.encrypted_content","message.output_text.logprobs"],
				"reasoning":{"effort":"high","summary":"auto"},
				"text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":{"type":"object"}}}}`,
			conversation.Request{
				Model: "m", Stream: true, StreamUsage: true, MaxTokens: 99, Logprobs: true, TopLogprobs: 3, Parallel: ptr(false),
				Sampling: conversation.Sampling{Temperature: ptr(0.5), TopP: ptr(0.9)},
				Messages: []conversation.Message{
					{Role: conversation.System, Parts: parts{text("Be brief.")}}, {Role: conversation.User, Parts: parts{text("Hi")}},
				},
				Reasoning: conversation.Reasoning{
					Mode: conversation.ReasoningOn, Effort: "high", Summary: "auto", Visible: ptr(true),
				},
				Format: conversation.Format{
					Kind: conversation.FormatSchema, Name: "n", Strict: ptr(true), Schema: []byte(`{"type":"object"}`),
				},
			},
		},
		{
			"no reasoning, JSON", `{"model":"m","input":"Hi","reasoning":{"effort":"none"},"text":{"format":{"type":"json_object"}}}`,
			conversation.Request{
				Model: "m", Messages: []conversation.Message{{Role: conversation.User, Parts: parts{text("Hi")}}},
				Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOff},
				Format:    conversation.Format{Kind: conversation.FormatJSON},
			},
		},
		{
			"unmapped", `{"model":"m","input":"Hi","metadata":{"a":"b"},"store":true,"service_tier":"flex","user":"u",
				"text":{"verbosity":"low","format":{"type":"text"}},"reasoning":{"summary":null,"context":"auto"},"new_field":1,
				"x y":1,"stream_options":{"include_obfuscation":false},"include":["file_search_call.results"],"truncation":"auto"}`,
			conversation.Request{
				Model: "m", Messages: []conversation.Message{{Role: conversation.User, Parts: parts{text("Hi")}}},
				Unmapped: []string{
					"metadata", "store", "service_tier", "user", "text.verbosity", "reasoning.context", "new_field", "unknown",
					"include", "truncation",
				},
			},
		},
		{
			"roles stay in place", `{"model":"m","input":[{"role":"user","content":"a"},
				{"type":"message","role":"developer","content":[{"type":"input_text","text":"b"}]},
				{"role":"system","content":"c"},{"role":"user","content":"d"},
				{"type":"message","role":"assistant","phase":"final_answer","content":[{"type":"output_text","text":"e","annotations":[]},{"type":"refusal","refusal":"f"}]}]}`,
			conversation.Request{
				Model: "m", Unmapped: []string{"input.phase"},
				Messages: []conversation.Message{
					{Role: conversation.User, Parts: parts{text("a")}},
					{Role: conversation.Developer, Parts: parts{text("b")}},
					{Role: conversation.System, Parts: parts{text("c")}},
					{Role: conversation.User, Parts: parts{text("d")}},
					{Role: conversation.Assistant, Parts: parts{text("e"), conversation.RefusalPart{Text: "f"}}},
				},
			},
		},
		{
			"media", `{"model":"m","input":[{"role":"user","content":[
				{"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"high"},
				{"type":"input_image","image_url":"https://x/y.png","detail":"auto"},{"type":"input_image","file_id":"file-1"},
				{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,BBBB"},
				{"type":"input_file","filename":"b.pdf","file_data":"CCCC"},{"type":"input_file","file_url":"https://x/c.pdf"},
				{"type":"input_audio","input_audio":{"data":"DDDD","format":"wav"}}]}]}`,
			conversation.Request{Model: "m", Messages: []conversation.Message{{Role: conversation.User, Parts: parts{
				conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: "AAAA", Detail: "high"}},
				conversation.ImagePart{Media: conversation.Media{URL: "https://x/y.png"}},
				conversation.ImagePart{Media: conversation.Media{FileID: "file-1", FileBy: protocol}},
				conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", Data: "BBBB", Name: "a.pdf"}},
				conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", Data: "CCCC", Name: "b.pdf"}},
				conversation.FilePart{Media: conversation.Media{URL: "https://x/c.pdf"}},
				conversation.AudioPart{Media: conversation.Media{MediaType: "audio/wav", Data: "DDDD"}},
			}}}},
		},
		{
			"calls", `{"model":"m","input":[{"role":"user","content":"a"},
				{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"x"},{"type":"summary_text","text":"y"}],"encrypted_content":"enc"},
				{"type":"message","role":"assistant","content":[{"type":"output_text","text":""}]},
				{"type":"function_call","call_id":"c1","name":"f","arguments":"{\"a\":1}","status":"completed"},
				{"type":"function_call","call_id":"c2","name":"g","arguments":""},
				{"type":"function_call_output","call_id":"c1","output":"one"},
				{"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"two"},{"type":"input_image","image_url":"https://x/y.png"}]},
				{"type":"web_search_call","id":"ws_1","status":"completed"},{"role":"user","content":""}]}`,
			conversation.Request{Model: "m", Unmapped: []string{"input.web_search_call"}, Messages: []conversation.Message{
				{Role: conversation.User, Parts: parts{text("a")}},
				{Role: conversation.Assistant, Parts: parts{
					conversation.ThinkingPart{ID: "rs_1", Text: "x\n\ny", Signature: signature(service.OpenAI, "enc")},
					conversation.CallPart{ID: "c1", Name: "f", Arguments: `{"a":1}`},
					conversation.CallPart{ID: "c2", Name: "g", Arguments: `{}`},
				}},
				{Role: conversation.ToolResults, Parts: parts{
					conversation.ResultPart{CallID: "c1", Name: "f", Parts: parts{text("one")}},
					conversation.ResultPart{CallID: "c2", Name: "g", Parts: parts{
						text("two"), conversation.ImagePart{Media: conversation.Media{URL: "https://x/y.png"}},
					}},
				}},
			}},
		},
		{
			"agents", `{"model":"m","max_tokens":5,"input":[{"type":"agent_message","author":"/root","recipient":"/a","content":[{"type":"input_text","text":"x"}]},
				{"type":"configuration_update"}]}`,
			conversation.Request{
				Model: "m", MaxTokens: 5, Unmapped: []string{"input.configuration_update"},
				Messages: []conversation.Message{{Role: conversation.User, Parts: parts{
					text("Message from the agent /root to the agent /a:"), text("x"),
				}}},
			},
		},
		{
			"wrong arguments", `{"model":"m","input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a"}]}`,
			conversation.Request{Model: "m", Messages: []conversation.Message{{Role: conversation.Assistant, Parts: parts{
				conversation.CallPart{ID: "c", Name: "f", Arguments: `{"arguments":"{\"a"}`},
			}}}},
		},
		{
			"output of older Codex", `{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":{"content":"x","success":false}}]}`,
			conversation.Request{Model: "m", Messages: []conversation.Message{{Role: conversation.ToolResults, Parts: parts{
				conversation.ResultPart{CallID: "c", Parts: parts{text("x")}, IsError: true},
			}}}},
		},
		{
			"signatures of others", `{"model":"m","input":[
				{"type":"reasoning","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":"tokengo:claude:c2ln"},
				{"type":"reasoning","summary":[],"encrypted_content":"tokengo-redacted:cmVk"},
				{"type":"function_call","call_id":"c:1","name":"f","arguments":"{}"},
				{"type":"reasoning","summary":[],"encrypted_content":"tokengo-call:Yzox:gemini:Z2Vt"},
				{"type":"reasoning","summary":[]}]}`,
			conversation.Request{Model: "m", Messages: []conversation.Message{{Role: conversation.Assistant, Parts: parts{
				conversation.ThinkingPart{Text: "t", Signature: signature(service.Claude, "sig")},
				conversation.ThinkingPart{Redacted: "red"},
				conversation.CallPart{ID: "c:1", Name: "f", Arguments: "{}", Signature: signature(service.Gemini, "gem")},
			}}}},
		},
		{
			"tools", `{"model":"m","input":"Hi","tool_choice":{"type":"function","name":"f"},"tools":[
				{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true},
				{"type":"function","name":"g","parameters":null},{"type":"web_search","x":1}]}`,
			conversation.Request{
				Model: "m", Messages: []conversation.Message{{Role: conversation.User, Parts: parts{text("Hi")}}},
				Choice: conversation.Choice{Mode: conversation.ChoiceNamed, Name: "f"},
				Tools: []conversation.Tool{
					{Name: "f", Description: "d", Parameters: []byte(`{"type":"object"}`), Strict: ptr(true)},
					{Name: "g"},
					{Name: "web_search", Builtin: "web_search", Raw: []byte(`{"type":"web_search","x":1}`)},
				},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, fail := DecodeRequest(op, []byte(tt.body))
			if fail != nil {
				t.Fatal(fail)
			}
			if diff := cmp.Diff(&tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeChoice(t *testing.T) {
	const tools = `"tools":[{"type":"function","name":"f"},{"type":"custom","name":"c"},{"type":"web_search"}]`
	for choice, want := range map[string]conversation.Choice{
		`null`:                           {},
		`"auto"`:                         {Mode: conversation.ChoiceAuto},
		`"none"`:                         {Mode: conversation.ChoiceNone},
		`"required"`:                     {Mode: conversation.ChoiceRequired},
		`{"type":"function","name":"f"}`: {Mode: conversation.ChoiceNamed, Name: "f"},
		`{"type":"custom","name":"c"}`:   {Mode: conversation.ChoiceNamed, Name: "c"},
	} {
		got, fail := DecodeRequest(op, []byte(`{"model":"m","input":"Hi","tool_choice":`+choice+`,`+tools+`}`))
		if fail != nil {
			t.Errorf("%s: %v", choice, fail)
		} else if diff := cmp.Diff(want, got.Choice); diff != "" {
			t.Errorf("%s (-want +got):\n%s", choice, diff)
		}
	}
	got, fail := DecodeRequest(op, []byte(`{"model":"m","input":"Hi",`+tools+`,
		"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"custom","name":"c"}]}}`))
	if fail != nil {
		t.Fatal(fail)
	}
	if len(got.Tools) != 1 || got.Tools[0].Name != "c" || got.Choice.Mode != conversation.ChoiceRequired {
		t.Errorf("allowed tools: %+v, %+v", got.Tools, got.Choice)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct{ name, body, field string }{
		{"previous_response_id", `{"input":"Hi","previous_response_id":"resp_1"}`, "previous_response_id"},
		{"conversation", `{"input":"Hi","conversation":{"id":"c"}}`, "conversation"},
		{"prompt", `{"input":"Hi","prompt":{"id":"p"}}`, "prompt"},
		{"background", `{"input":"Hi","background":true}`, "background"},
		{"no input", `{"model":"m"}`, "input"},
		{"input of another type", `{"input":3}`, "input"},
		{"reference", `{"input":[{"type":"item_reference","id":"msg_1"}]}`, "input"},
		{"reference without a type", `{"input":[{"id":"msg_1"}]}`, "input"},
		{"compaction", `{"input":[{"type":"compaction","encrypted_content":"x"}]}`, "input"},
		{"unknown item", `{"input":[{"type":"secret_thing"}]}`, "input"},
		{"unknown role", `{"input":[{"role":"secret","content":"x"}]}`, "role"},
		{"unknown content", `{"input":[{"role":"user","content":[{"type":"secret"}]}]}`, "input.content"},
		{"image without content", `{"input":[{"role":"user","content":[{"type":"input_image"}]}]}`, "input.content"},
		{"data URI", `{"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:text/plain,secret"}]}]}`, "input.content"},
		{"effort", `{"input":"Hi","reasoning":{"effort":"secret"}}`, "reasoning.effort"},
		{"summary", `{"input":"Hi","reasoning":{"summary":"secret"}}`, "reasoning.summary"},
		{"format", `{"input":"Hi","text":{"format":{"type":"secret"}}}`, "text.format"},
		{"schema", `{"input":"Hi","text":{"format":{"type":"json_schema"}}}`, "text.format"},
		{"tokens", `{"input":"Hi","max_output_tokens":-1}`, "max_output_tokens"},
		{"temperature", `{"input":"Hi","temperature":"secret"}`, "temperature"},
		{"choice", `{"input":"Hi","tool_choice":"secret"}`, "tool_choice"},
		{"chosen tool", `{"input":"Hi","tool_choice":{"type":"function","name":"secret"}}`, "tool_choice"},
		{"chosen builtin", `{"input":"Hi","tools":[{"type":"web_search"}],"tool_choice":{"type":"web_search"}}`, "tool_choice"},
		{"tool without a type", `{"input":"Hi","tools":[{"name":"secret"}]}`, "tool"},
		{"tool without a name", `{"input":"Hi","tools":[{"type":"function"}]}`, "tool"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, fail := DecodeRequest(op, []byte(tt.body))
			if fail == nil {
				t.Fatal("no error")
			}
			if fail.Status != 400 || !strings.Contains(fail.Message, tt.field) || strings.Contains(fail.Message, "secret") {
				t.Errorf("%d %s", fail.Status, fail.Message)
			}
		})
	}
	for _, body := range []string{``, `[]`, `"x"`, `{"input":`, `{"input":"Hi"} x`, `{"input":[{]}`} {
		if _, fail := DecodeRequest(op, []byte(body)); fail == nil || fail.Code != dialect.CodeNotJSON {
			t.Errorf("%s: %v", body, fail)
		}
	}
}

// What tools run themselves and no other protocol has goes out as functions.
func TestDecodeOwnTools(t *testing.T) {
	got, fail := DecodeRequest(op, []byte(`{"model":"m","tools":[
		{"type":"custom","name":"apply_patch","description":"Patches.","format":{"type":"grammar","syntax":"lark","definition":"start: X"}},
		{"type":"namespace","name":"mcp__db","description":"A database.","tools":[{"type":"function","name":"query","parameters":{"type":"object"}},{"type":"custom","name":"raw"}]},
		{"type":"namespace","name":"functions","description":"","tools":[{"type":"function","name":"exec"}]},
		{"type":"tool_search","execution":"client","description":"Finds.","parameters":{"type":"object"}},
		{"type":"function","name":"mcp__db__query"},{"type":"local_shell"}],
		"input":[{"role":"user","content":"a"},
		{"type":"custom_tool_call","call_id":"c1","name":"apply_patch","input":"*** \"x\"\n"},
		{"type":"custom_tool_call_output","call_id":"c1","output":"ok"},
		{"type":"function_call","call_id":"c2","namespace":"mcp__db","name":"query","arguments":"{}"},
		{"type":"function_call","call_id":"c3","namespace":"functions","name":"exec","arguments":"{}"},
		{"type":"function_call","call_id":"c4","name":"mcp__db__query","arguments":"{}"},
		{"type":"function_call","call_id":"c5","namespace":"gone","name":"f","arguments":"{}"},
		{"type":"tool_search_call","call_id":"c6","execution":"client","arguments":{"query":"mail"}},
		{"type":"tool_search_output","call_id":"c6","execution":"client","tools":[{"type":"namespace","name":"mail","tools":[{"type":"function","name":"send","defer_loading":true}]}]},
		{"type":"local_shell_call","call_id":"c7","action":{"type":"exec","command":["ls"],"env":{}}},
		{"type":"local_shell_call_output","id":"c7","output":"{}"}]}`))
	if fail != nil {
		t.Fatal(fail)
	}
	var tools []string
	for i := range got.Tools {
		tools = append(tools, got.Tools[i].Name+" "+string(got.Tools[i].Raw))
	}
	second := origin{kind: typeFunction, name: "mcp__db__query"}.distinctName()
	wantTools := []string{
		`apply_patch {"type":"custom","name":"apply_patch"}`,
		`mcp__db__query {"type":"function","namespace":"mcp__db","name":"query"}`,
		`mcp__db__raw {"type":"custom","namespace":"mcp__db","name":"raw"}`,
		`exec {"type":"function","namespace":"functions","name":"exec"}`,
		`tool_search {"type":"tool_search","name":"tool_search"}`,
		second + ` {"type":"function","name":"mcp__db__query"}`,
		`local_shell {"type":"local_shell","name":"local_shell"}`,
		`mail__send {"type":"function","namespace":"mail","name":"send"}`,
	}
	if diff := cmp.Diff(wantTools, tools); diff != "" {
		t.Errorf("tools (-want +got):\n%s", diff)
	}
	wantDescription := "Patches.\n\nThe input must match this grammar (lark):\nstart: X"
	if got.Tools[0].Description != wantDescription || string(got.Tools[0].Parameters) != customSchema {
		t.Errorf("custom tool: %+v", got.Tools[0])
	}
	want := []conversation.Message{
		{Role: conversation.User, Parts: parts{text("a")}},
		{Role: conversation.Assistant, Parts: parts{
			conversation.CallPart{ID: "c1", Name: "apply_patch", Arguments: `{"input":"*** \"x\"\n"}`},
		}},
		{Role: conversation.ToolResults, Parts: parts{
			conversation.ResultPart{CallID: "c1", Name: "apply_patch", Parts: parts{text("ok")}},
		}},
		{Role: conversation.Assistant, Parts: parts{
			conversation.CallPart{ID: "c2", Name: "mcp__db__query", Arguments: `{}`},
			conversation.CallPart{ID: "c3", Name: "exec", Arguments: `{}`},
			conversation.CallPart{ID: "c4", Name: second, Arguments: `{}`},
			conversation.CallPart{ID: "c5", Name: "gone__f", Arguments: `{}`},
			conversation.CallPart{ID: "c6", Name: "tool_search", Arguments: `{"query":"mail"}`},
		}},
		{Role: conversation.ToolResults, Parts: parts{conversation.ResultPart{
			CallID: "c6", Name: "tool_search", Parts: parts{text("These tools can be called now: mail__send")},
		}}},
		{Role: conversation.Assistant, Parts: parts{
			conversation.CallPart{ID: "c7", Name: "local_shell", Arguments: `{"command":["ls"],"env":{}}`},
		}},
		{Role: conversation.ToolResults, Parts: parts{
			conversation.ResultPart{CallID: "c7", Name: "local_shell", Parts: parts{text("{}")}},
		}},
	}
	if diff := cmp.Diff(want, got.Messages); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"tools.format", "tools.description", "tools.defer_loading"}, got.Unmapped); diff != "" {
		t.Errorf("unmapped (-want +got):\n%s", diff)
	}
}

func TestCustomInput(t *testing.T) {
	for arguments, want := range map[string]string{
		`{"input":"a\nb"}`:    "a\nb",
		`{"patch":"x"}`:       "x",
		`{"input":"x","n":1}`: "x",
		`"plain"`:             "plain",
		`{"a":"1","b":"2"}`:   `{"a":"1","b":"2"}`,
		`*** Begin`:           "*** Begin",
		`{"input":"cut`:       `{"input":"cut`,
		`{}`:                  "",
		``:                    "",
	} {
		if got := customInput(arguments); got != want {
			t.Errorf("%s: got %q, want %q", arguments, got, want)
		}
	}
}
