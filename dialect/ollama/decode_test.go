// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

func pointer[T any](v T) *T { return &v }

var (
	chatOp     = dialect.Operation{Protocol: service.Ollama, Kind: dialect.Chat, Path: chatPath}
	generateOp = dialect.Operation{Protocol: service.Ollama, Kind: dialect.Completion, Path: generatePath}
)

func said(role conversation.Role, parts ...conversation.Part) conversation.Message {
	return conversation.Message{Role: role, Parts: parts}
}

func text(s string) conversation.TextPart { return conversation.TextPart{Text: s} }

func user(s string) conversation.Message { return said(conversation.User, text(s)) }

const (
	pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	sound = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA"
)

var image = conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: pixel}}

func TestDecodeRequest(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       conversation.Request
	}{
		{
			"streams unless told otherwise", `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":null}`,
			conversation.Request{Model: "m", Stream: true, StreamUsage: true, Messages: []conversation.Message{user("hi")}},
		},
		{
			"options",
			`{"model":"m","stream":false,"messages":[{"role":"user","content":"hi"}],"keep_alive":"5m","truncate":false,"new_field":1,
			  "options":{"num_predict":10,"temperature":0.5,"top_k":4,"top_p":0.9,"min_p":0.1,"seed":7,"stop":["a","b"],
			  "repeat_penalty":1.2,"presence_penalty":0.3,"frequency_penalty":0.4,"num_ctx":8192,"mirostat":null},
			  "logprobs":true,"top_logprobs":3}`,
			conversation.Request{
				Model: "m", MaxTokens: 10, Stop: []string{"a", "b"}, Logprobs: true, TopLogprobs: 3,
				Sampling: conversation.Sampling{
					Temperature: pointer(0.5), TopK: pointer(4), TopP: pointer(0.9), MinP: pointer(0.1), Seed: pointer(int64(7)),
					RepeatPenalty: pointer(1.2), PresencePenalty: pointer(0.3), FrequencyPenalty: pointer(0.4),
				},
				Messages: []conversation.Message{user("hi")},
				Unmapped: []string{"keep_alive", "truncate", "new_field", "num_ctx"},
			},
		},
		{
			"no limit, no seed",
			`{"model":"m","stream":false,"messages":[{"role":"user","content":"hi"}],"options":{"num_predict":-1,"seed":-1,"stop":"x"}}`,
			conversation.Request{Model: "m", Stop: []string{"x"}, Messages: []conversation.Message{user("hi")}},
		},
		{
			"system and developer messages in their places",
			`{"model":"m","stream":false,"messages":[{"role":"System","content":"a"},{"role":"user","content":"hi"},
			  {"role":"system","content":"b"},{"role":"developer","content":"c"},{"role":"assistant","content":"yes","thinking":"hm"}]}`,
			conversation.Request{Model: "m", Messages: []conversation.Message{
				said(conversation.System, text("a")), user("hi"), said(conversation.System, text("b")),
				said(conversation.Developer, text("c")),
				said(conversation.Assistant, conversation.ThinkingPart{Text: "hm"}, text("yes")),
			}},
		},
		{
			"images and sounds",
			`{"model":"m","stream":false,"messages":[{"role":"user","content":"what","images":["` + pixel + `","data:image/webp;base64,AAAA","` + sound + `"]}]}`,
			conversation.Request{Model: "m", Messages: []conversation.Message{said(
				conversation.User, image, conversation.ImagePart{Media: conversation.Media{MediaType: "image/webp", Data: "AAAA"}},
				conversation.AudioPart{Media: conversation.Media{MediaType: "audio/wav", Data: sound}}, text("what"),
			)}},
		},
		{
			"tools",
			`{"model":"m","stream":false,"messages":[{"role":"user","content":"hi"}],"tools":[
			  {"type":"function","function":{"name":"f","description":"does","parameters":{"type":"object"}}},{"function":{"name":"g"}}]}`,
			conversation.Request{
				Model: "m", Messages: []conversation.Message{user("hi")},
				Tools: []conversation.Tool{
					{Name: "f", Description: "does", Parameters: []byte(`{"type":"object"}`)},
					{Name: "g"},
				},
			},
		},
		{
			"format", `{"model":"m","stream":false,"messages":[{"role":"user","content":"hi"}],"format":"json"}`,
			conversation.Request{
				Model: "m", Messages: []conversation.Message{user("hi")}, Format: conversation.Format{Kind: conversation.FormatJSON},
			},
		},
		{
			"schema", `{"model":"m","stream":false,"messages":[{"role":"user","content":"hi"}],"format":{"type": "object"}}`,
			conversation.Request{
				Model: "m", Messages: []conversation.Message{user("hi")},
				Format: conversation.Format{Kind: conversation.FormatSchema, Schema: []byte(`{"type": "object"}`)},
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, fail := DecodeRequest(chatOp, []byte(test.body))
			if fail != nil {
				t.Fatal(fail)
			}
			if diff := cmp.Diff(&test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeCalls(t *testing.T) {
	call := func(id, name, arguments string) conversation.CallPart {
		return conversation.CallPart{ID: id, Name: name, Arguments: arguments}
	}
	result := func(id, name, s string) conversation.ResultPart {
		return conversation.ResultPart{CallID: id, Name: name, Parts: []conversation.Part{text(s)}}
	}
	for _, test := range []struct {
		name, messages string
		want           []conversation.Message
	}{
		{
			"by id",
			`{"role":"assistant","content":"","tool_calls":[{"id":"1","function":{"index":0,"name":"f","arguments":{"a": 1}}},
			  {"id":"2","type":"function","function":{"name":"f","arguments":"{\"a\":2}"}}]},
			  {"role":"tool","tool_call_id":"2","content":"two"},{"role":"tool","tool_call_id":"1","content":"one"}`,
			[]conversation.Message{
				said(conversation.Assistant, call("1", "f", `{"a":1}`), call("2", "f", `{"a":2}`)),
				said(conversation.ToolResults, result("2", "f", "two"), result("1", "f", "one")),
			},
		},
		{
			"by name, without ids",
			`{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{}}},{"function":{"name":"g"}},{"function":{"name":"f"}}]},
			  {"role":"tool","tool_name":"g","content":"g1"},{"role":"tool","name":"f","content":"f1"},{"role":"tool","tool_name":"f","content":"f2"},
			  {"role":"assistant","content":"then","tool_calls":[{"function":{"name":"f"}}]},{"role":"tool","content":"f3","images":["` + pixel + `"]}`,
			[]conversation.Message{
				said(conversation.Assistant, call("call_1", "f", "{}"), call("call_2", "g", "{}"), call("call_3", "f", "{}")),
				said(conversation.ToolResults, result("call_2", "g", "g1"), result("call_1", "f", "f1"), result("call_3", "f", "f2")),
				said(conversation.Assistant, text("then"), call("call_4", "f", "{}")),
				said(conversation.ToolResults, conversation.ResultPart{CallID: "call_4", Name: "f", Parts: []conversation.Part{text("f3"), image}}),
			},
		},
		{
			"ids of calls, names of results, as Ollama's own documentation has it",
			`{"role":"assistant","content":"","tool_calls":[{"id":"call_x","function":{"name":"f","arguments":{}}}]},
			  {"role":"tool","tool_name":"f","content":"one"}`,
			[]conversation.Message{
				said(conversation.Assistant, call("call_x", "f", "{}")),
				said(conversation.ToolResults, result("call_x", "f", "one")),
			},
		},
		{
			"another backend's signature",
			`{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f"},"signature":"tokengo:gemini:AQI"}]}`,
			[]conversation.Message{said(conversation.Assistant, conversation.CallPart{
				ID: "1", Name: "f", Arguments: "{}", Signature: conversation.Signature{By: service.Gemini, Value: "\x01\x02"},
			})},
		},
		{
			"result without a call", `{"role":"user","content":"x"},{"role":"tool","tool_name":"f","content":"one"}`,
			[]conversation.Message{user("x"), said(conversation.ToolResults, result("", "f", "one"))},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, fail := DecodeRequest(chatOp, []byte(`{"model":"m","messages":[`+test.messages+`]}`))
			if fail != nil {
				t.Fatal(fail)
			}
			if diff := cmp.Diff(test.want, got.Messages, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeThink(t *testing.T) {
	on := func(effort string) conversation.Reasoning {
		return conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: effort, Visible: pointer(true)}
	}
	off := conversation.Reasoning{Mode: conversation.ReasoningOff}
	for think, want := range map[string]conversation.Reasoning{
		"null": {}, `""`: {}, "true": on(""), "false": off, `"low"`: on("low"), `"medium"`: on("medium"), `"high"`: on("high"),
		`"max"`: on("max"), `"none"`: off,
	} {
		req, fail := DecodeRequest(chatOp, []byte(`{"model":"m","messages":[{"role":"user","content":"x"}],"think":`+think+`}`))
		if fail != nil {
			t.Errorf("think %s: %v", think, fail)
			continue
		}
		if diff := cmp.Diff(want, req.Reasoning); diff != "" {
			t.Errorf("think %s: %s", think, diff)
		}
	}
}

func TestDecodeGenerate(t *testing.T) {
	req, fail := DecodeRequest(generateOp, []byte(`{"model":"m","prompt":"a","system":"s","suffix":"z","images":["`+pixel+`"],
		"context":[],"raw":false,"template":"t","format":"json","think":false,"keep_alive":-1,"stream":false,"options":{"num_predict":3}}`))
	if fail != nil {
		t.Fatal(fail)
	}
	want := &conversation.Request{
		Model: "m", Suffix: "z", MaxTokens: 3,
		Messages:  []conversation.Message{said(conversation.System, text("s")), said(conversation.User, image, text("a"))},
		Format:    conversation.Format{Kind: conversation.FormatJSON},
		Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOff},
		Unmapped:  []string{"template", "keep_alive"},
	}
	if diff := cmp.Diff(want, req); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	const secret = "s3cret"
	chat := func(message string) string { return `{"model":"m","messages":[` + message + `]}` }
	for _, test := range []struct {
		name, body, field string
		op                dialect.Operation
	}{
		{"no JSON", `{"model":`, "", chatOp},
		{"no object", `[]`, "", chatOp},
		{"nothing to answer", `{"model":"m","messages":[]}`, "message", chatOp},
		{"messages", `{"model":"m","messages":"s3cret"}`, "messages", chatOp},
		{"content", chat(`{"role":"user","content":[{"type":"text","text":"s3cret"}]}`), "messages.content", chatOp},
		{"role", chat(`{"role":"s3cret","content":"x"}`), "messages.role", chatOp},
		{"image", chat(`{"role":"user","content":"x","images":["https://s3cret/x.png"]}`), "images", chatOp},
		{"arguments", chat(`{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"s3cret"}}]}`), "arguments", chatOp},
		{"stream", `{"model":"m","stream":"s3cret"}`, "stream", chatOp},
		{"option", `{"model":"m","options":{"temperature":"s3cret"}}`, "options.temperature", chatOp},
		{"think", `{"model":"m","think":"s3cret"}`, "think", chatOp},
		{"format", `{"model":"m","format":"s3cret"}`, "format", chatOp},
		{"tool", `{"model":"m","tools":[{"type":"s3cret"}]}`, "tools.type", chatOp},
		{"top_logprobs", `{"model":"m","top_logprobs":21}`, "top_logprobs", chatOp},
		{"raw", `{"model":"m","prompt":"s3cret","raw":true}`, "raw", generateOp},
		{"context", `{"model":"m","prompt":"s3cret","context":[1,2]}`, "context", generateOp},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, fail := DecodeRequest(test.op, []byte(test.body))
			if fail == nil {
				t.Fatal("it was taken")
			}
			status, _, body := fail.Response(test.op)
			if status != 400 || !strings.Contains(string(body), test.field) || strings.Contains(string(body), secret) {
				t.Errorf("status %d, body %s", status, body)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			op         dialect.Operation
			body, want string
		}{
			{
				generateOp, `{"model":"m"}`,
				`{"model":"m","created_at":"2000-01-01T00:00:00Z","response":"","done":true,"done_reason":"load"}`,
			},
			{
				chatOp, `{"model":"m","messages":[],"keep_alive":0}`,
				`{"model":"m","created_at":"2000-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"unload"}`,
			},
			{chatOp, `{"model":"m","messages":[{"role":"user","content":"x"}]}`, ""},
			{generateOp, `{"model":"m","prompt":"x"}`, ""},
			{chatOp, `{"model":"m","messages":1}`, ""},
		} {
			got, ok := Load(test.op, []byte(test.body))
			if ok != (test.want != "") || string(got) != test.want {
				t.Errorf("Load(%s) = %s, %v, want %s", test.body, got, ok, test.want)
			}
		}
	})
}

// TestUnmapped makes sure that the list is what is read: nothing that is translated, and everything is noted.
func TestUnmapped(t *testing.T) {
	for _, name := range Unmapped {
		for _, body := range []string{
			`{"model":"m","prompt":"x","` + name + `":"1"}`, `{"model":"m","prompt":"x","options":{"` + name + `":1}}`,
		} {
			req, fail := DecodeRequest(generateOp, []byte(body))
			if fail != nil || !slices.Contains(req.Unmapped, name) {
				t.Errorf("%s is not noted: %v", body, fail)
			}
		}
	}
}
