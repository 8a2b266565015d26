// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// Events of an answer, in short.
func begin() conversation.Event {
	return conversation.Event{Kind: conversation.Begin, ID: "resp_1", Model: "m", Created: 1700000000}
}

func partBegin(i int, kind conversation.PartKind) conversation.Event {
	return conversation.Event{Kind: conversation.PartBegin, Index: i, Part: kind}
}

func callBegin(i int, id, name string) conversation.Event {
	e := partBegin(i, conversation.PartCall)
	e.Call = conversation.Call{ID: id, Name: name}
	return e
}

func delta(i int, text string) conversation.Event {
	return conversation.Event{Kind: conversation.Delta, Index: i, Text: text}
}

func signed(i int, s conversation.Signature) conversation.Event {
	return conversation.Event{Kind: conversation.Signed, Index: i, Signature: s}
}

func partEnd(i int) conversation.Event {
	return conversation.Event{Kind: conversation.PartEnd, Index: i}
}

func usage(u conversation.Usage) conversation.Event {
	return conversation.Event{Kind: conversation.UsageKnown, Usage: u}
}

func finish(reason conversation.Reason) conversation.Event {
	return conversation.Event{Kind: conversation.Finish, Reason: reason}
}

func TestWriterText(t *testing.T) {
	got := written(&conversation.Request{Model: "asked"}, []conversation.Event{
		begin(), partBegin(0, conversation.PartText), delta(0, "Hé"), delta(0, "llo\n"), partEnd(0),
		usage(conversation.Usage{Input: 5, CacheRead: 2, Output: 3, Reasoning: 1}), finish(conversation.Stopped),
	})
	const head = `"id":"resp_1","object":"response","created_at":1700000000,`
	const item = `{"id":"msg_1_0","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],` +
		`"logprobs":[],"text":"Héllo\n"}],"role":"assistant"}`
	for _, want := range []string{
		"event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{" + head,
		`event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"msg_1_0","type":"message","status":"in_progress","content":[],"role":"assistant"}}

event: response.content_part.added
data: {"type":"response.content_part.added","sequence_number":3,"item_id":"msg_1_0","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1_0","output_index":0,"content_index":0,"delta":"Hé","logprobs":[]}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":5,"item_id":"msg_1_0","output_index":0,"content_index":0,"delta":"llo\n","logprobs":[]}

event: response.output_text.done
data: {"type":"response.output_text.done","sequence_number":6,"item_id":"msg_1_0","output_index":0,"content_index":0,"text":"Héllo\n","logprobs":[]}

event: response.content_part.done
data: {"type":"response.content_part.done","sequence_number":7,"item_id":"msg_1_0","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":"Héllo\n"}}

event: response.output_item.done
data: {"type":"response.output_item.done","sequence_number":8,"output_index":0,"item":` + item + "}\n\n",
		"event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":9,\"response\":{" + head + `"status":"completed",`,
		`"output":[` + item + `]`,
		`"usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":2,"cache_write_tokens":0},"output_tokens":3,` +
			`"output_tokens_details":{"reasoning_tokens":1},"total_tokens":8}`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("stream lacks\n%s\nin\n%s", want, got)
		}
	}
	streamOf(t, got)
}

func TestWriterEvents(t *testing.T) {
	tools := &conversation.Request{Model: "m", Tools: []conversation.Tool{
		{Name: "patch", Raw: []byte(`{"type":"custom","name":"patch"}`)},
		{Name: "ns__f", Raw: []byte(`{"type":"function","namespace":"ns","name":"f"}`)},
		{Name: "tool_search", Raw: []byte(`{"type":"tool_search","name":"tool_search"}`)},
		{Name: "local_shell", Raw: []byte(`{"type":"local_shell","name":"local_shell"}`)},
	}}
	for _, tt := range []struct {
		name   string
		events []conversation.Event
		want   []string // names after the start
		output string   // of the last event
		status string
	}{
		{
			"calls that interleave",
			[]conversation.Event{
				begin(), callBegin(0, "a", "f"), callBegin(1, "b", "g"), delta(0, `{"x"`), delta(1, `{}`), delta(0, `:1}`),
				partEnd(0), partEnd(1), finish(conversation.ToolCalls),
			},
			[]string{
				"output_item.added", "output_item.added", "function_call_arguments.delta", "function_call_arguments.delta",
				"function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
				"function_call_arguments.done", "output_item.done", "completed",
			},
			`[{"id":"fc_1_0","type":"function_call","status":"completed","arguments":"{\"x\":1}","call_id":"a","name":"f"},
			{"id":"fc_1_1","type":"function_call","status":"completed","arguments":"{}","call_id":"b","name":"g"}]`, completed,
		},
		{
			"no arguments",
			[]conversation.Event{begin(), callBegin(0, "a", "f"), partEnd(0), finish(conversation.ToolCalls)},
			[]string{
				"output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done", "completed",
			},
			`[{"id":"fc_1_0","type":"function_call","status":"completed","arguments":"{}","call_id":"a","name":"f"}]`, completed,
		},
		{
			"own tools",
			[]conversation.Event{
				begin(), callBegin(0, "a", "patch"), delta(0, `{"input":"*** \"`), delta(0, `x\""}`), partEnd(0),
				callBegin(1, "b", "ns__f"), delta(1, `{}`), partEnd(1), callBegin(2, "c", "tool_search"), delta(2, `{"query":"q"}`),
				partEnd(2), callBegin(3, "d", "local_shell"), delta(3, `{"command":["ls"]}`), partEnd(3),
				finish(conversation.ToolCalls),
			},
			[]string{
				"output_item.added", "custom_tool_call_input.delta", "custom_tool_call_input.done", "output_item.done",
				"output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
				"output_item.added", "output_item.done", "output_item.added", "output_item.done", "completed",
			},
			`[{"id":"ctc_1_0","type":"custom_tool_call","status":"completed","input":"*** \"x\"","call_id":"a","name":"patch"},
			{"id":"fc_1_1","type":"function_call","status":"completed","arguments":"{}","call_id":"b","name":"f","namespace":"ns"},
			{"id":"tsc_1_2","type":"tool_search_call","status":"completed","call_id":"c","execution":"client","arguments":{"query":"q"}},
			{"id":"lsh_1_3","type":"local_shell_call","status":"completed","call_id":"d","action":{"type":"exec","command":["ls"]}}]`,
			completed,
		},
		{
			"reasoning",
			[]conversation.Event{
				begin(), partBegin(0, conversation.PartThinking), delta(0, "hm"), delta(0, "m"),
				signed(0, signature(service.Claude, "sig")), partEnd(0),
				partBegin(1, conversation.PartThinking),
				{Kind: conversation.Signed, Index: 1, Redacted: "red"},
				partEnd(1),
				partBegin(2, conversation.PartThinking), partEnd(2),
				callBegin(3, "c", "f"), delta(3, "{}"), signed(3, signature(service.Gemini, "gem")), partEnd(3),
				finish(conversation.ToolCalls),
			},
			[]string{
				"output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
				"reasoning_summary_text.delta", "reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done",
				"output_item.added", "output_item.done", "output_item.added", "function_call_arguments.delta",
				"function_call_arguments.done", "output_item.done", "output_item.added", "output_item.done", "completed",
			},
			`[{"id":"rs_1_0","type":"reasoning","summary":[{"type":"summary_text","text":"hmm"}],"encrypted_content":"tokengo:claude:c2ln"},
			{"id":"rs_1_1","type":"reasoning","summary":[],"encrypted_content":"tokengo-redacted:cmVk"},
			{"id":"fc_1_2","type":"function_call","status":"completed","arguments":"{}","call_id":"c","name":"f"},
			{"id":"rs_1_3","type":"reasoning","summary":[],"encrypted_content":"tokengo-call:Yw:gemini:Z2Vt"}]`, completed,
		},
		{
			"refusal",
			[]conversation.Event{
				begin(), partBegin(0, conversation.PartRefusal), delta(0, "no"), partEnd(0), finish(conversation.Refused),
			},
			[]string{
				"output_item.added", "content_part.added", "refusal.delta", "refusal.done", "content_part.done", "output_item.done",
				"completed",
			},
			`[{"id":"msg_1_0","type":"message","status":"completed","content":[{"type":"refusal","refusal":"no"}],"role":"assistant"}]`,
			completed,
		},
		{
			"length",
			[]conversation.Event{
				begin(), partBegin(0, conversation.PartText), delta(0, "a"), partEnd(0), callBegin(1, "c", "f"), delta(1, `{"a`),
				partEnd(1), finish(conversation.Length),
			},
			[]string{
				"output_item.added", "content_part.added", "output_text.delta", "output_text.done", "content_part.done",
				"output_item.done", "output_item.added", "function_call_arguments.delta", "function_call_arguments.done",
				"output_item.done", "incomplete",
			},
			`[{"id":"msg_1_0","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"a"}],"role":"assistant"},
			{"id":"fc_1_1","type":"function_call","status":"incomplete","arguments":"{\"a","call_id":"c","name":"f"}]`, incomplete,
		},
		{
			"nothing",
			[]conversation.Event{begin(), partBegin(0, conversation.PartText), partEnd(0), finish(conversation.Stopped)},
			[]string{"completed"},
			`[]`, completed,
		},
		{"filtered", []conversation.Event{begin(), finish(conversation.Filtered)}, []string{"incomplete"}, `[]`, incomplete},
		{
			"parts that do not end",
			[]conversation.Event{
				begin(), partBegin(0, conversation.PartText), delta(0, "a"), finish(conversation.Stopped),
			},
			[]string{
				"output_item.added", "content_part.added", "output_text.delta", "output_text.done", "content_part.done",
				"output_item.done", "completed",
			},
			`[{"id":"msg_1_0","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"a"}],"role":"assistant"}]`,
			completed,
		},
		{
			"failed",
			[]conversation.Event{
				begin(), partBegin(0, conversation.PartText), delta(0, "a"),
				{Kind: conversation.Failed, Failure: conversation.Failure{Code: string(dialect.CodeBackendRateLimited)}},
				delta(0, "b"),
			},
			[]string{"output_item.added", "content_part.added", "output_text.delta", "error", "failed"},
			`[{"id":"msg_1_0","type":"message","status":"incomplete","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"a"}],"role":"assistant"}]`,
			failed,
		},
		{"cut", []conversation.Event{begin()}, []string{"error", "failed"}, `[]`, failed},
		{"cut before it began", nil, []string{"error", "failed"}, `[]`, failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			events := streamOf(t, written(tools, tt.events))
			want := append([]string{"created", "in_progress"}, tt.want...)
			if diff := cmp.Diff(want, names(events)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			last := events[len(events)-1].Data["response"].(map[string]any)
			if diff := cmp.Diff(compact(t, []byte(tt.output)), last["output"]); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			if last["status"] != tt.status {
				t.Errorf("status %v, want %s", last["status"], tt.status)
			}
		})
	}
}

func TestWriterFailure(t *testing.T) {
	events := streamOf(t, written(nil, []conversation.Event{
		begin(), {Kind: conversation.Failed, Failure: conversation.Failure{Code: string(dialect.CodeBackendRateLimited)}},
	}))
	fault := events[len(events)-2].Data
	inner := fault["error"].(map[string]any)
	if fault["code"] != "backend_rate_limited" || inner["type"] != "rate_limit_error" || fault["message"] != inner["message"] {
		t.Errorf("error event: %v", fault)
	}
	reason := events[len(events)-1].Data["response"].(map[string]any)["error"].(map[string]any)
	if reason["code"] != "rate_limit_exceeded" || reason["message"] == "" {
		t.Errorf("response.failed: %v", reason)
	}
}

func TestWriterLogprobs(t *testing.T) {
	e := delta(0, "é")
	e.Logprobs = []conversation.Logprob{{Token: "é", Logprob: -0.5, Top: []conversation.Logprob{{Token: "e", Logprob: -1, Bytes: []byte{101}}}}}
	got := written(nil, []conversation.Event{begin(), partBegin(0, conversation.PartText), e, partEnd(0), finish(conversation.Stopped)})
	const want = `"logprobs":[{"token":"é","bytes":[195,169],"logprob":-0.5,"top_logprobs":[{"token":"e","bytes":[101],"logprob":-1}]}]`
	if n := strings.Count(got, want); n != 5 { // delta, done, part, item, response
		t.Errorf("%d times in\n%s", n, got)
	}
	streamOf(t, got)
}

func TestWriterIdle(t *testing.T) {
	w := NewWriter(op, nil)
	if got := string(w.Idle(nil)); got != ": keep-alive\n\n" {
		t.Errorf("idle: %q", got)
	}
	if w.End(nil); len(w.Idle(nil)) > 0 || len(w.End(nil)) > 0 {
		t.Error("something follows the end")
	}
	if w.ContentType() != "text/event-stream" {
		t.Error(w.ContentType())
	}
}
