// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/service"
)

const (
	createdLine   = `{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","created_at":1700000000,"status":"in_progress","model":"m","output":[],"error":null,"usage":null}}`
	completedLine = `{"type":"response.completed","response":{"id":"resp_1","status":"completed","model":"m","error":null,"incomplete_details":null,"output":[{"type":"message"}],"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":1},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":16}}}`
)

var allUsage = usage(conversation.Usage{Input: 9, CacheRead: 4, CacheWrite: 1, Output: 7, Reasoning: 3})

func failedEvent(code dialect.Code) conversation.Event {
	return conversation.Event{Kind: conversation.Failed, Failure: conversation.Failure{Code: string(code)}}
}

var streams = []struct {
	name, stream string
	want         []conversation.Event
	err          error
}{
	{
		"text", sse(createdLine, `{"type":"response.in_progress","response":{"id":"resp_1"}}
			{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","content":[],"role":"assistant"}}
			{"type":"response.content_part.added","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}}
			{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hé","logprobs":[{"token":"Hé","logprob":-0.1,"bytes":[72],"top_logprobs":[]}],"obfuscation":"x"}
			{"type":"keepalive","sequence_number":5}
			{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"llo 🙂","logprobs":[]}
			{"type":"response.output_text.done","item_id":"msg_1","output_index":0,"content_index":0,"text":"Héllo 🙂"}
			{"type":"response.content_part.done","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"Héllo 🙂"}}
			{"type":"response.output_item.done","output_index":0,"item":{"id":"msg_1","type":"message","status":"completed","content":[{"type":"output_text","text":"Héllo 🙂"}],"role":"assistant"}}`,
			completedLine),
		[]conversation.Event{
			begin(), partBegin(0, conversation.PartText),
			{Kind: conversation.Delta, Text: "Hé", Logprobs: []conversation.Logprob{{Token: "Hé", Logprob: -0.1, Bytes: []byte{72}}}},
			delta(0, "llo 🙂"), partEnd(0), allUsage, finish(conversation.Stopped),
		},
		nil,
	},
	{
		"reasoning and calls that interleave", sse(createdLine, `
			{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"early"}}
			{"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}
			{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"one"}
			{"type":"response.reasoning_summary_text.done","item_id":"rs_1","output_index":0,"summary_index":0,"text":"one"}
			{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":1,"delta":"two"}
			{"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"one"},{"type":"summary_text","text":"two"}],"encrypted_content":"enc"}}
			{"type":"response.output_item.added","output_index":1,"item":{"id":"fc_1","type":"function_call","call_id":"a","name":"f","arguments":""}}
			{"type":"response.output_item.added","output_index":2,"item":{"id":"fc_2","type":"function_call","call_id":"b","name":"g","arguments":""}}
			{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":1,"delta":"{\"x\""}
			{"type":"response.function_call_arguments.delta","item_id":"fc_2","output_index":2,"delta":"{}"}
			{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":1,"delta":":1}"}
			{"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":1,"arguments":"{\"x\":1}"}
			{"type":"response.output_item.done","output_index":1,"item":{"id":"fc_1","type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":1}"}}
			{"type":"response.output_item.done","output_index":2,"item":{"id":"fc_2","type":"function_call","call_id":"b","name":"g","arguments":"{}"}}
			{"type":"response.output_item.added","output_index":3,"item":{"id":"ws","type":"web_search_call"}}
			{"type":"response.output_item.done","output_index":3,"item":{"id":"ws","type":"web_search_call"}}`, completedLine),
		[]conversation.Event{
			begin(), partBegin(0, conversation.PartThinking), delta(0, "one"), delta(0, "\n\ntwo"),
			signed(0, signature(service.OpenAI, "enc")), partEnd(0), callBegin(1, "a", "f"), callBegin(2, "b", "g"),
			delta(1, `{"x"`), delta(2, `{}`), delta(1, `:1}`), partEnd(1), partEnd(2), allUsage, finish(conversation.ToolCalls),
		},
		nil,
	},
	{
		"encrypted reasoning, empty text, call in one piece", sse(createdLine, `
			{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}
			{"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"enc"}}
			{"type":"response.output_item.done","output_index":1,"item":{"id":"rs_2","type":"reasoning","summary":[],"encrypted_content":null}}
			{"type":"response.output_item.added","output_index":2,"item":{"id":"msg","type":"message","content":[]}}
			{"type":"response.output_item.done","output_index":2,"item":{"id":"msg","type":"message","content":[{"type":"output_text","text":""}]}}
			{"type":"response.output_item.added","output_index":3,"item":{"id":"fc_1","type":"function_call","call_id":"a","name":"f","arguments":""}}
			{"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":3,"arguments":"{\"x\":1}"}
			{"type":"response.output_item.done","output_index":3,"item":{"id":"fc_1","type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":1}"}}
			{"type":"response.output_item.done","output_index":4,"item":{"id":"fc_2","type":"function_call","call_id":"b","name":"g","arguments":""}}`,
			completedLine),
		[]conversation.Event{
			begin(), partBegin(0, conversation.PartThinking), signed(0, signature(service.OpenAI, "enc")), partEnd(0),
			callBegin(1, "a", "f"), delta(1, `{"x":1}`), partEnd(1), callBegin(2, "b", "g"), delta(2, "{}"), partEnd(2),
			allUsage, finish(conversation.ToolCalls),
		},
		nil,
	},
	{
		"reasoning in the open and its summary", sse(createdLine, `
			{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}
			{"type":"response.reasoning_text.delta","item_id":"rs_1","output_index":0,"content_index":0,"delta":"long"}
			{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"short"}
			{"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}`, completedLine),
		[]conversation.Event{
			begin(), partBegin(0, conversation.PartThinking), delta(0, "long"), partEnd(0), allUsage, finish(conversation.Stopped),
		},
		nil,
	},
	{
		"text and refusal in one message", sse(createdLine, `
			{"type":"response.output_item.added","output_index":0,"item":{"id":"m","type":"message","content":[]}}
			{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":"a"}
			{"type":"response.refusal.delta","item_id":"m","output_index":0,"content_index":1,"delta":"no"}
			{"type":"response.refusal.done","item_id":"m","output_index":0,"content_index":1,"refusal":"no"}
			{"type":"response.output_item.done","output_index":0,"item":{"id":"m","type":"message","content":[{"type":"output_text","text":"a"},{"type":"refusal","refusal":"no"}]}}`,
			completedLine),
		[]conversation.Event{
			begin(), partBegin(0, conversation.PartText), delta(0, "a"), partBegin(1, conversation.PartRefusal), delta(1, "no"),
			partEnd(0), partEnd(1), allUsage, finish(conversation.Stopped),
		},
		nil,
	},
	{
		"no starts, no ids, no ends", sse(`
			{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"a"}
			{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"b"}
			{"type":"response.completed","response":{"status":"completed","output":[]}}`),
		[]conversation.Event{
			{Kind: conversation.Begin},
			partBegin(0, conversation.PartText), delta(0, "a"), delta(0, "b"), partEnd(0),
			finish(conversation.Stopped),
		},
		nil,
	},
	{
		"output at the end only", sse(createdLine,
			`{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"a"}]},{"type":"function_call","id":"fc","name":"f","arguments":{"x":1}}]}}`),
		[]conversation.Event{
			begin(), partBegin(0, conversation.PartText), delta(0, "a"), partEnd(0), callBegin(1, "call_resp_1fc_1", "f"),
			delta(1, `{"x":1}`), partEnd(1), finish(conversation.ToolCalls),
		},
		nil,
	},
	{
		"length", sse(createdLine, `{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":"a"}
			{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}`),
		[]conversation.Event{begin(), partBegin(0, conversation.PartText), delta(0, "a"), partEnd(0), finish(conversation.Length)},
		nil,
	},
	{
		"filtered", sse(createdLine, `{"type":"response.incomplete","response":{"incomplete_details":{"reason":"content_filter"}}}`),
		[]conversation.Event{begin(), finish(conversation.Filtered)},
		nil,
	},
	{
		"failed", sse(createdLine, `{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"secret"}}}
			{"type":"response.completed","response":{}}`),
		[]conversation.Event{begin(), failedEvent(dialect.CodeBackendRateLimited)},
		nil,
	},
	{
		"error event", sse(createdLine, `{"type":"error","code":"server_is_overloaded","message":"secret","param":null}`),
		[]conversation.Event{begin(), failedEvent(dialect.CodeBackendOverloaded)},
		nil,
	},
	{
		"error object", sse(createdLine) + "data: {\"error\":{\"type\":\"invalid_request_error\",\"code\":400}}\n\n",
		[]conversation.Event{begin(), failedEvent(dialect.CodeBackendRejected)},
		nil,
	},
	{
		"CRLF, comments, names only beside the data", ": hi\r\n\r\nevent: response.created\r\ndata: {\"response\":{\"id\":\"resp_1\",\"model\":\"m\",\"created_at\":1700000000}}\r\n\r\n" +
			"event: response.output_text.delta\r\ndata: {\"delta\":\r\ndata: \"a\"}\r\n\r\nevent: response.completed\r\ndata: {\"response\":{}}",
		[]conversation.Event{begin(), partBegin(0, conversation.PartText), delta(0, "a"), partEnd(0), finish(conversation.Stopped)},
		nil,
	},
	{"cut", sse(createdLine, `{"type":"response.output_text.delta","output_index":0,"delta":"a"}`), []conversation.Event{
		begin(), partBegin(0, conversation.PartText), delta(0, "a"),
	}, ErrCut},
	{"cut in an event", sse(createdLine) + "data: {\"type\":\"resp", []conversation.Event{begin()}, ErrCut},
	{"nothing", "", nil, ErrCut},
	{"marker without an end", sse(createdLine) + "data: [DONE]\n\n", []conversation.Event{begin()}, ErrCut},
	{"not JSON", sse(createdLine) + "data: {]\n\n", []conversation.Event{begin()}, ErrMalformed},
	{"no object", "data: 3\n\n", nil, ErrMalformed},
}

func TestReader(t *testing.T) {
	for _, tt := range streams {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(30) {
				got, err := readStream(nil, tt.stream, seed)
				if !errors.Is(err, tt.err) {
					t.Fatalf("seed %d: error %v, want %v", seed, err, tt.err)
				}
				if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("seed %d: (-want +got):\n%s", seed, diff)
				}
			}
		})
	}
}

func TestReaderNames(t *testing.T) {
	const name = "mcp.server/tool"
	req := &conversation.Request{Tools: []conversation.Tool{{Name: name}}}
	got, err := readStream(req, sse(`{"type":"response.output_item.added","item":{"type":"function_call","call_id":"a","name":"`+openaiapi.WireName(name)+`"}}
		{"type":"response.output_item.added","item":{"type":"custom_tool_call","call_id":"b","name":"c"}}
		{"type":"response.output_item.done","item":{"type":"custom_tool_call","call_id":"b","name":"c","input":"x"}}
		{"type":"response.completed","response":{}}`), 0)
	if err != nil {
		t.Fatal(err)
	}
	a := collect(got)
	if len(a.Parts) != 2 || a.Parts[0].Call.Name != name || a.Parts[1].Text != `{"input":"x"}` {
		t.Errorf("%+v", a.Parts)
	}
}

func TestDecodeAnswer(t *testing.T) {
	got, err := DecodeAnswer(nil, []byte(`{"id":"resp_1","created_at":1700000000,"model":"m","status":"completed","error":null,"output":[
		{"type":"reasoning","id":"rs","summary":[],"content":[{"type":"reasoning_text","text":"t"}],"encrypted_content":"enc"},
		{"type":"web_search_call"},{"type":"message","content":[{"type":"output_text","text":"a","logprobs":[{"token":"a","logprob":-1}]}]},
		{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}],"usage":{"input_tokens":1,"output_tokens":2}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []conversation.Event{
		begin(), usage(conversation.Usage{Input: 1, Output: 2}),
		partBegin(0, conversation.PartThinking), delta(0, "t"), signed(0, signature(service.OpenAI, "enc")), partEnd(0),
		partBegin(1, conversation.PartText),
		{Kind: conversation.Delta, Index: 1, Text: "a", Logprobs: []conversation.Logprob{{Token: "a", Logprob: -1}}},
		partEnd(1),
		callBegin(2, "c", "f"), delta(2, "{}"), partEnd(2), finish(conversation.ToolCalls),
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for body, want := range map[string]error{
		`{"status":"failed","error":{"code":"server_error"},"output":[]}`: nil, `{"error":{"type":"x"}}`: nil,
		``: ErrMalformed, `[]`: ErrMalformed, `{}`: ErrMalformed, `{"output":[`: ErrMalformed,
	} {
		events, err := DecodeAnswer(nil, []byte(body))
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", body, err)
		}
		if err == nil && collect(events).Failure.Code != string(dialect.CodeBackendError) {
			t.Errorf("%s: %+v", body, events)
		}
	}
}

func TestErrorCode(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		want   dialect.Code
	}{
		{401, "", dialect.CodeBackendAuth},
		{0, `{"error":{"code":"insufficient_quota"}}`, dialect.CodeBackendRateLimited},
		{0, `{"error":{"code":"slow_down"}}`, dialect.CodeBackendOverloaded},
		{0, `{"error":{"code":"image_too_small"}}`, dialect.CodeBackendRejected},
		{0, `{"error":"x"}`, dialect.CodeBackendError},
		{0, `x`, dialect.CodeBackendError},
	} {
		if got := ErrorCode(tt.status, []byte(tt.body)); got != tt.want {
			t.Errorf("%d %s: %s, want %s", tt.status, tt.body, got, tt.want)
		}
	}
}

// checkOrder holds what every sequence of events has.
func checkOrder(t *testing.T, events []conversation.Event) {
	t.Helper()
	open, over := map[int]bool{}, false
	next := 0
	for i, e := range events {
		if over || (e.Kind == conversation.Begin) != (i == 0) {
			t.Fatalf("event %d of %d: %+v", i, len(events), e)
		}
		switch e.Kind {
		case conversation.PartBegin:
			if e.Index != next || e.Part == conversation.PartCall && e.Call.ID == "" {
				t.Fatalf("part %+v, want index %d", e, next)
			}
			open[e.Index] = true
			next++
		case conversation.Delta, conversation.Signed, conversation.PartEnd:
			if !open[e.Index] {
				t.Fatalf("event of a part that is not open: %+v", e)
			}
			open[e.Index] = e.Kind != conversation.PartEnd
		case conversation.Finish:
			for index, is := range open {
				if is {
					t.Fatalf("part %d is open at the end", index)
				}
			}
			over = true
		case conversation.Failed:
			over = true
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, tt := range streams {
		f.Add(tt.stream, uint64(1))
	}
	f.Fuzz(func(t *testing.T, stream string, seed uint64) {
		whole, wholeErr := readStream(nil, stream, 0)
		split, splitErr := readStream(nil, stream, 1+seed%1000)
		if diff := cmp.Diff(whole, split); diff != "" || (wholeErr == nil) != (splitErr == nil) {
			t.Fatalf("events depend on the pieces: %v %v\n%s", wholeErr, splitErr, diff)
		}
		checkOrder(t, whole)
		if wholeErr == nil {
			streamOf(t, written(nil, whole))
		}
	})
}

func FuzzDecodeRequest(f *testing.F) {
	for seed := range uint64(5) {
		req := randomRequest(rand.New(rand.NewPCG(seed, 4)))
		var dropped conversation.Dropped
		_, body, _ := EncodeRequest(req, &dropped)
		f.Add(string(body))
	}
	f.Fuzz(func(t *testing.T, body string) {
		req, fail := DecodeRequest(op, []byte(body))
		if fail != nil {
			return
		}
		var dropped conversation.Dropped
		if _, out, fail := EncodeRequest(req, &dropped); fail == nil {
			compact(t, out)
		}
		for _, name := range req.Unmapped {
			if strings.ContainsAny(name, "\r\n ,:") {
				t.Errorf("unmapped %q", name)
			}
		}
	})
}

// The piece of an answer that comes most often, from a backend's bytes to a tool's.
func BenchmarkChunk(b *testing.B) {
	chunk := []byte(sse(`{"type":"response.output_text.delta","sequence_number":5,"item_id":"msg_67ccd2bf17f0819081ff3bb2cf6508e6","output_index":0,"content_index":0,"delta":" world","logprobs":[],"obfuscation":"dGhpcyBpcw"}`))
	r, w := NewReader(nil), NewWriter(op, nil)
	var events []conversation.Event
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if events, err = r.Feed(events[:0], chunk); err != nil {
			b.Fatal(err)
		}
		out = out[:0]
		for i := range events {
			out = w.Event(out, &events[i])
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	var tools []conversation.Tool
	schema := `{"type":"object","properties":{` + strings.Repeat(`"argument":{"type":"string","description":"What it is."},`, 30) + `"x":{}}}`
	for i := range 25 {
		tools = append(tools, conversation.Tool{Name: "tool_" + string(rune('a'+i)), Description: "A tool.", Parameters: []byte(schema)})
	}
	req := &conversation.Request{Model: "m", Tools: tools, Messages: []conversation.Message{
		{Role: conversation.User, Parts: parts{text(strings.Repeat("Some text of the user's.\n", 2400))}},
	}}
	var dropped conversation.Dropped
	_, body, _ := EncodeRequest(req, &dropped)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		got, fail := DecodeRequest(op, body)
		if fail != nil {
			b.Fatal(fail)
		}
		if _, _, fail := EncodeRequest(got, &dropped); fail != nil {
			b.Fatal(fail)
		}
	}
}
