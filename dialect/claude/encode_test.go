// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

func text(s string) []conversation.Part { return []conversation.Part{conversation.TextPart{Text: s}} }

func said(role conversation.Role, s string) conversation.Message {
	return conversation.Message{Role: role, Parts: text(s)}
}

func called(ids ...string) conversation.Message {
	m := conversation.Message{Role: conversation.Assistant}
	for _, id := range ids {
		m.Parts = append(m.Parts, conversation.CallPart{ID: id, Name: "f", Arguments: "{}"})
	}
	return m
}

func answered(ids ...string) conversation.Message {
	m := conversation.Message{Role: conversation.ToolResults}
	for _, id := range ids {
		m.Parts = append(m.Parts, conversation.ResultPart{CallID: id, Name: "f", Parts: text("r" + id)})
	}
	return m
}

// encoded is a request's JSON with its parts at hand.
func encoded(t *testing.T, req *conversation.Request) (map[string]json.RawMessage, []string) {
	t.Helper()
	var dropped conversation.Dropped
	path, body, fail := EncodeRequest(req, &dropped)
	if fail != nil {
		t.Fatalf("EncodeRequest: %v", fail)
	}
	if path != "/v1/messages" {
		t.Errorf("path %q", path)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatalf("EncodeRequest wrote %s: %v", body, err)
	}
	return fields, dropped.Names()
}

// wantFields compares fields given as JSON; "" is a field that must not be there.
func wantFields(t *testing.T, got map[string]json.RawMessage, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if diff := cmp.Diff(value, string(got[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEncodeMessages(t *testing.T) {
	for _, test := range []struct {
		name, model  string
		messages     []conversation.Message
		system, want string
	}{
		{
			name:     "leading system and developer messages are the system prompt",
			messages: []conversation.Message{said(conversation.System, "a"), said(conversation.Developer, "b"), user("hi")},
			system:   `[{"type":"text","text":"a"},{"type":"text","text":"b"}]`,
			want:     `[{"role":"user","content":"hi"}]`,
		},
		{
			name: "a system message stays in its place",
			messages: []conversation.Message{
				said(conversation.System, "a"), user("1"), said(conversation.Assistant, "2"), said(conversation.Developer, "b"), user("3"),
			},
			system: `"a"`,
			want: `[{"role":"user","content":"1"},{"role":"assistant","content":"2"},{"role":"system","content":"b"},` +
				`{"role":"user","content":"3"}]`,
		},
		{
			name: "neighbouring system messages are one", model: "claude-opus-4-8",
			messages: []conversation.Message{user("1"), said(conversation.System, "a"), said(conversation.Developer, "b")},
			want: `[{"role":"user","content":"1"},` +
				`{"role":"system","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]`,
		},
		{
			name: "where a place is demanded, behind the user's turn", model: "claude-opus-5",
			messages: []conversation.Message{user("1"), said(conversation.Assistant, "2"), said(conversation.System, "a"), user("3"), user("4")},
			want: `[{"role":"user","content":"1"},{"role":"assistant","content":"2"},{"role":"user","content":"3"},` +
				`{"role":"user","content":"4"},{"role":"system","content":"a"}]`,
		},
		{
			name: "models that take no system message have it in the prompt", model: "claude-haiku-4-5-20251001",
			messages: []conversation.Message{user("1"), said(conversation.System, "a"), said(conversation.Assistant, "2"), user("3")},
			system:   `"a"`,
			want:     `[{"role":"user","content":"1"},{"role":"assistant","content":"2"},{"role":"user","content":"3"}]`,
		},
		{
			name:     "results follow their calls even if the system speaks in between",
			messages: []conversation.Message{user("1"), called("x"), said(conversation.System, "a"), answered("x")},
			want: `[{"role":"user","content":"1"},{"role":"assistant","content":[{"type":"tool_use","id":"x","name":"f","input":{}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":"rx"}]},{"role":"system","content":"a"}]`,
		},
		{
			name: "parallel results are one turn, in order, before what the user says",
			messages: []conversation.Message{
				user("1"), called("x", "y"), answered("x"), answered("y"), user("2"),
			},
			want: `[{"role":"user","content":"1"},{"role":"assistant","content":[{"type":"tool_use","id":"x","name":"f","input":{}},` +
				`{"type":"tool_use","id":"y","name":"f","input":{}}]},{"role":"user","content":[` +
				`{"type":"tool_result","tool_use_id":"x","content":"rx"},{"type":"tool_result","tool_use_id":"y","content":"ry"},` +
				`{"type":"text","text":"2"}]}]`,
		},
		{
			name: "ids are made, matched by name and order, and cleaned",
			messages: []conversation.Message{
				user("1"),
				{Role: conversation.Assistant, Parts: []conversation.Part{
					conversation.CallPart{Name: "f"}, conversation.CallPart{Name: "g"}, conversation.CallPart{ID: "functions.h:0", Name: "h"},
				}},
				{Role: conversation.ToolResults, Parts: []conversation.Part{
					conversation.ResultPart{CallID: "functions.h:0"}, conversation.ResultPart{Name: "g"}, conversation.ResultPart{},
				}},
			},
			want: `[{"role":"user","content":"1"},{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"f","input":{}},` +
				`{"type":"tool_use","id":"toolu_2","name":"g","input":{}},{"type":"tool_use","id":"functions_h_0","name":"h","input":{}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"functions_h_0"},` +
				`{"type":"tool_result","tool_use_id":"toolu_2"},{"type":"tool_result","tool_use_id":"toolu_1"}]}]`,
		},
		{
			name: "nothing is empty, and an answer to be continued ends without space",
			messages: []conversation.Message{
				user("1"), said(conversation.Assistant, ""), user(" \n"), said(conversation.Assistant, "so \n"),
			},
			want: `[{"role":"user","content":"1"},{"role":"assistant","content":"so"}]`,
		},
		{
			name: "results with errors, objects and images, and arguments that are no object",
			messages: []conversation.Message{
				user("1"),
				{Role: conversation.Assistant, Parts: []conversation.Part{
					conversation.CallPart{ID: "x", Name: "f", Arguments: `{"a": "b`}, conversation.CallPart{ID: "y", Name: "f", Arguments: ` {"a" : 1}`},
				}},
				{Role: conversation.ToolResults, Parts: []conversation.Part{
					conversation.ResultPart{CallID: "x", IsError: true, Parts: text("no")},
					conversation.ResultPart{CallID: "y", JSON: json.RawMessage(`{"r":1}`)},
				}},
			},
			want: `[{"role":"user","content":"1"},{"role":"assistant","content":[` +
				`{"type":"tool_use","id":"x","name":"f","input":{"arguments":"{\"a\": \"b"}},{"type":"tool_use","id":"y","name":"f","input":{"a":1}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":"no","is_error":true},` +
				`{"type":"tool_result","tool_use_id":"y","content":"{\"r\":1}"}]}]`,
		},
		{
			name: "media",
			messages: []conversation.Message{{Role: conversation.User, Parts: []conversation.Part{
				conversation.ImagePart{Media: conversation.Media{MediaType: "image/jpg", Data: "AAAA"}},
				conversation.ImagePart{Media: conversation.Media{Data: "iVBORw0K"}},
				conversation.ImagePart{Media: conversation.Media{URL: "https://a/b"}},
				conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", Data: "AAAA", Name: "n"}},
				conversation.FilePart{Media: conversation.Media{MediaType: "text/markdown; charset=utf-8", Data: "YWJj"}},
				conversation.FilePart{Media: conversation.Media{FileID: "f", FileBy: service.Claude}},
				conversation.FilePart{Media: conversation.Media{MediaType: "image/png", Data: "AAAA"}},
			}}},
			want: `[{"role":"user","content":[` +
				`{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"AAAA"}},` +
				`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0K"}},` +
				`{"type":"image","source":{"type":"url","url":"https://a/b"}},` +
				`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AAAA"},"title":"n"},` +
				`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"abc"}},` +
				`{"type":"document","source":{"type":"file","file_id":"f"}},` +
				`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _ := encoded(t, &conversation.Request{Model: test.model, Messages: test.messages})
			wantFields(t, got, map[string]string{"system": test.system, "messages": test.want})
		})
	}
}

// TestEncodeSignatures: what another backend made is left out by name, what a Claude backend made goes back as it was.
func TestEncodeSignatures(t *testing.T) {
	got, dropped := encoded(t, &conversation.Request{Messages: []conversation.Message{
		user("1"),
		{Role: conversation.Assistant, Parts: []conversation.Part{
			conversation.ThinkingPart{Text: "own", Signature: conversation.Signature{By: service.Claude, Value: "A+/="}},
			conversation.ThinkingPart{Redacted: "R+/="},
			conversation.ThinkingPart{Text: "foreign", Signature: conversation.Signature{By: service.Gemini, Value: "x"}},
			conversation.ThinkingPart{Text: "unsigned"},
			conversation.CallPart{ID: "c", Name: "f", Arguments: "{}", Signature: conversation.Signature{By: service.Gemini, Value: "x"}},
		}},
		answered("c"),
	}})
	wantFields(t, got, map[string]string{"messages": `[{"role":"user","content":"1"},{"role":"assistant","content":[` +
		`{"type":"thinking","thinking":"own","signature":"A+/="},{"type":"redacted_thinking","data":"R+/="},` +
		`{"type":"tool_use","id":"c","name":"f","input":{}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"rc"}]}]`})
	if diff := cmp.Diff([]string{"thinking.signature", "thinking"}, dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
}

func TestEncodeTools(t *testing.T) {
	tools := []conversation.Tool{
		{Name: "f", Description: "d", Parameters: json.RawMessage(`{"properties":{"a":{"type":"integer","minimum":1}}}`), Strict: pointer(true)},
		{Name: "g"},
		{Builtin: "web_search_preview", Raw: json.RawMessage(`{"type":"web_search_preview"}`)},
		{Name: "web_search", Builtin: "web_search_20250305", Raw: json.RawMessage(`{"type":"web_search_20250305","name":"web_search"}`)},
	}
	const want = `[{"name":"f","description":"d","input_schema":{"type":"object",` +
		`"properties":{"a":{"type":"integer","description":"{minimum: 1}"}},"additionalProperties":false},"strict":true},` +
		`{"name":"g","input_schema":{"type":"object","properties":{}}},{"type":"web_search_20250305","name":"web_search"}]`
	for _, test := range []struct {
		choice   conversation.Choice
		parallel *bool
		want     string
	}{
		{},
		{conversation.Choice{Mode: conversation.ChoiceAuto}, nil, `{"type":"auto"}`},
		{conversation.Choice{Mode: conversation.ChoiceNone}, pointer(false), `{"type":"none"}`},
		{conversation.Choice{Mode: conversation.ChoiceRequired}, pointer(true), `{"type":"any","disable_parallel_tool_use":false}`},
		{conversation.Choice{Mode: conversation.ChoiceNamed, Name: "g"}, nil, `{"type":"tool","name":"g"}`},
		{conversation.Choice{}, pointer(false), `{"type":"auto","disable_parallel_tool_use":true}`},
	} {
		got, dropped := encoded(t, &conversation.Request{
			Messages: []conversation.Message{user("hi")}, Tools: tools, Choice: test.choice, Parallel: test.parallel,
		})
		wantFields(t, got, map[string]string{"tools": want, "tool_choice": test.want})
		if diff := cmp.Diff([]string{"tools.builtin"}, dropped); diff != "" {
			t.Errorf("dropped (-want +got):\n%s", diff)
		}
	}
}

func TestEncodeJSONMode(t *testing.T) {
	got, dropped := encoded(t, &conversation.Request{
		Messages: []conversation.Message{user("hi")}, Format: conversation.Format{Kind: conversation.FormatJSON},
	})
	if !strings.Contains(string(got["system"]), "JSON object") || !slices.Equal(dropped, []string{"response_format"}) {
		t.Errorf("system %s, dropped %v", got["system"], dropped)
	}
}

func TestEncodeMaxTokens(t *testing.T) {
	for _, test := range []struct {
		model string
		asked int
		want  string
	}{
		{"claude-3-haiku-20240307", 0, "4096"},
		{"claude-3-5-sonnet-20241022", 0, "8192"},
		{"claude-3-7-sonnet-latest", 0, "64000"},
		{"claude-opus-4-20250514", 0, "32000"},
		{"claude-opus-4-1-20250805", 0, "32000"},
		{"anthropic/claude-opus-4.5", 0, "64000"},
		{"claude-sonnet-4@20250514", 0, "64000"},
		{"claude-haiku-4-5-20251001", 0, "64000"},
		{"us.anthropic.claude-opus-4-6-v1", 0, "128000"},
		{"claude-mythos-preview", 0, "128000"},
		{"something-else", 0, "32000"},
		{"something-else", 500000, "500000"},
		{"claude-haiku-4-5", 65536, "64000"},
	} {
		got, dropped := encoded(t, &conversation.Request{
			Model: test.model, MaxTokens: test.asked, Messages: []conversation.Message{user("hi")},
		})
		if string(got["max_tokens"]) != test.want || len(dropped) > 0 {
			t.Errorf("%s, %d asked: got %s, dropped %v, want %s", test.model, test.asked, got["max_tokens"], dropped, test.want)
		}
	}
}

func TestEncodeDropped(t *testing.T) {
	m := user("hi")
	m.Name = "bob"
	m.Parts = append(m.Parts, conversation.ImagePart{Media: conversation.Media{URL: "https://x", Detail: "high"}})
	got, dropped := encoded(t, &conversation.Request{
		Messages: []conversation.Message{m}, Logprobs: true, TopLogprobs: 3,
		Stop: []string{"a", "\n"}, Stream: true,
	})
	wantFields(t, got, map[string]string{"stop_sequences": `["a"]`, "stream": "true"})
	want := []string{"message.name", "logprobs", "top_logprobs", "image.detail", "stop"}
	if diff := cmp.Diff(want, dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
}

// TestEncodeCaches: of more than four breakpoints the last four stay.
func TestEncodeCaches(t *testing.T) {
	mark := &conversation.CacheControl{TTL: "1h"}
	req := &conversation.Request{Tools: []conversation.Tool{{Name: "f", Cache: mark}}}
	for _, s := range []string{"a", "b", "c", "d"} {
		req.Messages = append(req.Messages, conversation.Message{
			Role: conversation.User, Parts: []conversation.Part{conversation.TextPart{Text: s, Cache: mark}},
		})
	}
	got, dropped := encoded(t, req)
	if strings.Contains(string(got["tools"]), "cache_control") {
		t.Errorf("the first breakpoint stayed: %s", got["tools"])
	}
	if n := strings.Count(string(got["messages"]), `"cache_control":{"type":"ephemeral","ttl":"1h"}`); n != 4 {
		t.Errorf("%d breakpoints, want 4", n)
	}
	if !slices.Equal(dropped, []string{"cache_control"}) {
		t.Errorf("dropped %v", dropped)
	}
	req.Messages = req.Messages[:3]
	got, dropped = encoded(t, req)
	if !strings.Contains(string(got["tools"]), "cache_control") || len(dropped) > 0 {
		t.Errorf("four breakpoints: %s, dropped %v", got["tools"], dropped)
	}
}

func TestEncodeRefuses(t *testing.T) {
	with := func(p conversation.Part) *conversation.Request {
		return &conversation.Request{Messages: []conversation.Message{{Role: conversation.User, Parts: []conversation.Part{p}}}}
	}
	for name, req := range map[string]*conversation.Request{
		"another's image":     with(conversation.ImagePart{Media: conversation.Media{FileID: "file-1", FileBy: service.OpenAI}}),
		"another's file":      with(conversation.FilePart{Media: conversation.Media{FileID: "file-1", FileBy: service.OpenAI}}),
		"a result of nothing": {Messages: []conversation.Message{user("hi"), answered("x")}},
		"two results":         {Messages: []conversation.Message{user("hi"), called("x"), answered("x", "x")}},
		"a gap":               {Messages: []conversation.Message{user("hi")}, Suffix: "s"},
		"several answers":     {Messages: []conversation.Message{user("hi")}, Candidates: 2},
		"no message":          {Messages: []conversation.Message{said(conversation.System, "a")}},
		"audio":               with(conversation.AudioPart{Media: conversation.Media{Data: "AAAA"}}),
		"kind of image":       with(conversation.ImagePart{Media: conversation.Media{MediaType: "image/bmp", Data: "AAAA"}}),
		"scheme of an image":  with(conversation.ImagePart{Media: conversation.Media{URL: "gs://a/b"}}),
		"kind of file":        with(conversation.FilePart{Media: conversation.Media{MediaType: "application/zip", Data: "AAAA"}}),
		"text that is broken": with(conversation.FilePart{Media: conversation.Media{MediaType: "text/plain", Data: "*"}}),
		"forced without tools": {
			Messages: []conversation.Message{user("hi")}, Choice: conversation.Choice{Mode: conversation.ChoiceRequired},
		},
		"forced tool of another's": {
			Messages: []conversation.Message{user("hi")}, Choice: conversation.Choice{Mode: conversation.ChoiceNamed, Name: "x"},
			Tools: []conversation.Tool{{Name: "x", Builtin: "web_search_preview"}},
		},
		"broken schema": {
			Messages: []conversation.Message{user("hi")}, Format: conversation.Format{Kind: conversation.FormatSchema},
		},
		"image of the system": {Messages: []conversation.Message{
			{Role: conversation.System, Parts: []conversation.Part{conversation.ImagePart{}}}, user("hi"),
		}},
	} {
		if _, _, fail := EncodeRequest(req, &conversation.Dropped{}); fail == nil || fail.Status != 400 || fail.Message == "" {
			t.Errorf("%s: got %v, want a refusal", name, fail)
		}
	}
}
