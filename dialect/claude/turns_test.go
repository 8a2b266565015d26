// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// TestSystemPosition: a message of the system's that does not stay where it was is named.
func TestSystemPosition(t *testing.T) {
	system, assistant := said(conversation.System, "s"), said(conversation.Assistant, "a")
	moved := []string{"system.position"}
	for _, tt := range []struct {
		name, model string
		messages    []conversation.Message
		system      string
		messagesOut string
		dropped     []string
	}{
		{"first", "claude-opus-4-5", []conversation.Message{system, user("1")}, `"s"`, `[{"role":"user","content":"1"}]`, nil},
		{
			"in place", "other",
			[]conversation.Message{user("1"), system, assistant},
			"",
			`[{"role":"user","content":"1"},{"role":"system","content":"s"},{"role":"assistant","content":"a"}]`, nil,
		},
		{
			"in place, where places are told", "claude-opus-4-8",
			[]conversation.Message{user("1"), system},
			"",
			`[{"role":"user","content":"1"},{"role":"system","content":"s"}]`, nil,
		},
		{
			"older model", "claude-sonnet-4-5",
			[]conversation.Message{user("1"), assistant, system, user("2")},
			`"s"`,
			`[{"role":"user","content":"1"},{"role":"assistant","content":"a"},{"role":"user","content":"2"}]`, moved,
		},
		{
			"behind the user's turn", "claude-sonnet-5",
			[]conversation.Message{user("1"), assistant, system, user("2")},
			"",
			`[{"role":"user","content":"1"},{"role":"assistant","content":"a"},{"role":"user","content":"2"},{"role":"system","content":"s"}]`, moved,
		},
		{
			"behind an answer, the last", "claude-opus-5",
			[]conversation.Message{user("1"), assistant, system},
			`"s"`,
			`[{"role":"user","content":"1"},{"role":"assistant","content":"a"}]`, moved,
		},
		{
			"between answers", "claude-opus-5",
			[]conversation.Message{user("1"), assistant, system, assistant, user("2")},
			`"s"`,
			`[{"role":"user","content":"1"},{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"a"}]},` +
				`{"role":"user","content":"2"}]`, moved,
		},
		{
			"between call and result", "other",
			[]conversation.Message{user("1"), called("x"), system, answered("x")},
			"",
			`[{"role":"user","content":"1"},{"role":"assistant","content":[{"type":"tool_use","id":"x","name":"f","input":{}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":"rx"}]},{"role":"system","content":"s"}]`, moved,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, dropped := encoded(t, &conversation.Request{Model: tt.model, Messages: tt.messages})
			wantFields(t, got, map[string]string{"system": tt.system, "messages": tt.messagesOut})
			if diff := cmp.Diff(tt.dropped, dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCallIDsAreUnique: a tool that makes the same ids in every turn is understood.
func TestCallIDsAreUnique(t *testing.T) {
	got, _ := encoded(t, &conversation.Request{Messages: []conversation.Message{
		user("1"), called("call.0", "call_0"), answered("call_0", "call.0"), called("call_0", ""), answered("call_0", ""),
	}})
	var messages []struct{ Content json.RawMessage }
	if err := json.Unmarshal(got["messages"], &messages); err != nil {
		t.Fatal(err)
	}
	type block struct {
		ID     string `json:"id"`
		Result string `json:"tool_use_id"`
	}
	var ids []block
	for _, m := range messages[1:] {
		var blocks []block
		if err := json.Unmarshal(m.Content, &blocks); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, blocks...)
	}
	want := []block{
		{ID: "call_0"},
		{ID: "toolu_1_call_0"},
		{Result: "toolu_1_call_0"},
		{Result: "call_0"},
		{ID: "toolu_2_call_0"},
		{ID: "toolu_3"},
		{Result: "toolu_2_call_0"},
		{Result: "toolu_3"},
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

// TestNamesReturn: names that the protocol refuses are changed in the request, and back in its answer.
func TestNamesReturn(t *testing.T) {
	const name = "files.read"
	changed := functionNames.Name(name)
	req := &conversation.Request{
		Tools:  []conversation.Tool{{Name: name}},
		Choice: conversation.Choice{Mode: conversation.ChoiceNamed, Name: name},
		Messages: []conversation.Message{user("1"), {Role: conversation.Assistant, Parts: []conversation.Part{
			conversation.CallPart{ID: "x", Name: name, Arguments: "{}"},
		}}, answered("x")},
	}
	got, _ := encoded(t, req)
	for _, field := range []string{"tools", "tool_choice", "messages"} {
		if text := string(got[field]); strings.Contains(text, name) || !strings.Contains(text, `"`+changed+`"`) {
			t.Errorf("%s: %s", field, text)
		}
	}
	call := `{"type":"tool_use","id":"y","name":"` + changed + `","input":{}}`
	whole, err := DecodeAnswer(req, []byte(`{"content":[`+call+`],"stop_reason":"tool_use"}`))
	if err != nil || whole[1].Call.Name != name {
		t.Errorf("answer: %v %+v", err, whole)
	}
	stream, err := NewReader(req).Feed(nil, []byte(`data: {"type":"content_block_start","index":0,"content_block":`+call+"}\n\n"))
	if err != nil || stream[1].Call.Name != name {
		t.Errorf("stream: %v %+v", err, stream)
	}
}

// TestFirstTurnIsTheUsers: the protocol takes no conversation that the assistant begins.
func TestFirstTurnIsTheUsers(t *testing.T) {
	got, dropped := encoded(t, &conversation.Request{Messages: []conversation.Message{said(conversation.Assistant, "Welcome"), user("hi")}})
	wantFields(t, got, map[string]string{
		"messages": `[{"role":"user","content":"."},{"role":"assistant","content":"Welcome"},{"role":"user","content":"hi"}]`,
	})
	if len(dropped) > 0 {
		t.Errorf("dropped %v", dropped)
	}
}
