// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// readAll feeds a stream in pieces of the given size, 0 for all at once.
func readAll(stream string, size int) ([]conversation.Event, error) {
	r := NewReader(nil)
	var events []conversation.Event
	var err error
	if size == 0 {
		size = max(1, len(stream))
	}
	for p := []byte(stream); len(p) > 0; {
		n := min(size, len(p))
		if events, err = r.Feed(events, p[:n]); err != nil {
			return events, err
		}
		p = p[n:]
	}
	return r.End(events)
}

// show writes events in a form to compare.
func show(events []conversation.Event) string {
	var b strings.Builder
	for _, e := range events {
		switch e.Kind {
		case conversation.Begin:
			fmt.Fprintf(&b, "begin %s %s\n", e.ID, e.Model)
		case conversation.PartBegin:
			fmt.Fprintf(&b, "%d part %d %s %s\n", e.Index, e.Part, e.Call.ID, e.Call.Name)
		case conversation.Delta:
			fmt.Fprintf(&b, "%d %q\n", e.Index, e.Text)
		case conversation.Signed:
			fmt.Fprintf(&b, "%d signed %s %s redacted %s\n", e.Index, e.Signature.By, e.Signature.Value, e.Redacted)
		case conversation.PartEnd:
			fmt.Fprintf(&b, "%d end\n", e.Index)
		case conversation.UsageKnown:
			fmt.Fprintf(&b, "usage %+v\n", e.Usage)
		case conversation.Finish:
			fmt.Fprintf(&b, "finish %d %q\n", e.Reason, e.StopSequence)
		case conversation.Failed:
			fmt.Fprintf(&b, "failed %s\n", e.Failure.Code)
		}
	}
	return b.String()
}

const wholeStream = `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"c","content":[],"stop_reason":null,"usage":{"input_tokens":10,"cache_read_input_tokens":5,"cache_creation_input_tokens":2,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm ü"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"S+/="}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: ping
data: {"type": "ping"}

: a comment
event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"R=="}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: content_block_start
data: {"type":"content_block_start","index":3,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"Hello 世界"}}

event: content_block_stop
data: {"type":"content_block_stop","index":3}

event: content_block_start
data: {"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"t1","name":"f","input":{}}}

event: content_block_start
data: {"type":"content_block_start","index":5,"content_block":{"type":"tool_use","id":"t2","name":"g","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":4}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":20,"output_tokens_details":{"thinking_tokens":7}}}

event: message_stop
data: {"type":"message_stop"}

`

const wholeEvents = `begin msg_1 c
usage {Input:17 CacheRead:5 CacheWrite:2 Output:1 Reasoning:0}
0 part 2  
0 "hm ü"
0 signed claude S+/= redacted 
0 end
1 part 2  
1 signed   redacted R==
1 end
2 part 1  
2 "Hello 世界"
2 end
3 part 3 t1 f
4 part 3 t2 g
3 "{\"a\":"
3 "1}"
3 end
usage {Input:17 CacheRead:5 CacheWrite:2 Output:20 Reasoning:7}
4 "{}"
4 end
finish 3 ""
`

func TestReader(t *testing.T) {
	data := func(events ...string) string { return "data: " + strings.Join(events, "\n\ndata: ") + "\n\n" }
	const start = `{"type":"message_start","message":{"id":"i","model":"c","usage":{"input_tokens":3,"output_tokens":0}}}`
	const begun = "begin i c\nusage {Input:3 CacheRead:0 CacheWrite:0 Output:0 Reasoning:0}\n"
	for _, test := range []struct{ name, stream, want string }{
		{"everything", wholeStream, wholeEvents},
		{"CR LF", strings.ReplaceAll(wholeStream, "\n", "\r\n"), wholeEvents},
		{"no final newline", strings.TrimRight(wholeStream, "\n"), wholeEvents},
		{"no end after the reason", wholeStream[:strings.Index(wholeStream, "event: message_stop")], wholeEvents},
		{
			"no start, no names, no blocks, done",
			data(`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"t"}}`,
				`{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"x"}}`,
				`{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, `{"type":"message_stop"}`, `[DONE]`),
			"begin  \n0 part 2  \n0 \"t\"\n1 part 1  \n1 \"x\"\n0 end\n1 end\nfinish 1 \"\"\n",
		},
		{
			"a call in one piece and a plain end",
			data(start, `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"f","input":{"a": 1}}}`,
				`{"type":"content_block_stop","index":0}`, `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, `{"type":"message_stop"}`),
			begun + "0 part 3 call_i_0 f\n0 \"{\\\"a\\\":1}\"\n0 end\nfinish 3 \"\"\n",
		},
		{
			"usage is cumulative and never 0 again",
			data(start, `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":0,"output_tokens":4}}`,
				`{"type":"message_delta","delta":{},"usage":{"input_tokens":1,"cache_read_input_tokens":9,"output_tokens":5}}`, `{"type":"message_stop"}`),
			begun + "usage {Input:3 CacheRead:0 CacheWrite:0 Output:4 Reasoning:0}\n" +
				"usage {Input:10 CacheRead:9 CacheWrite:0 Output:5 Reasoning:0}\nfinish 1 \"\"\n",
		},
		{
			"an error", data(start, `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}`,
				`{"type":"error","error":{"type":"overloaded_error","message":"x"}}`, `{"type":"message_stop"}`),
			begun + "0 part 1  \n0 \"a\"\nfailed backend_overloaded\n",
		},
		{"an error as text", data(`{"type":"error","error":"x"}`), "begin  \nfailed backend_error\n"},
		{
			"a stop sequence", data(start, `{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"}}`, `{"type":"message_stop"}`),
			begun + "finish 1 \"END\"\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, size := range []int{0, 1, 7} {
				events, err := readAll(test.stream, size)
				if err != nil {
					t.Fatalf("pieces of %d: %v", size, err)
				}
				if diff := cmp.Diff(test.want, show(events)); diff != "" {
					t.Errorf("pieces of %d (-want +got):\n%s", size, diff)
				}
			}
		})
	}
}

func TestReaderErrors(t *testing.T) {
	cut := wholeStream[:strings.Index(wholeStream, "event: message_delta")]
	if _, err := readAll(cut, 0); !errors.Is(err, ErrCut) {
		t.Errorf("cut: %v", err)
	}
	if _, err := readAll("", 0); !errors.Is(err, ErrCut) {
		t.Errorf("empty: %v", err)
	}
	if _, err := readAll("data: {canary\n\n", 0); !errors.Is(err, ErrMalformed) || strings.Contains(err.Error(), "canary") {
		t.Errorf("malformed: %v", err)
	}
	if _, err := readAll("data: {\"type\":\"mess", 0); !errors.Is(err, ErrCut) {
		t.Errorf("cut within an event: %v", err)
	}
}

// TestReaderSplits: where a stream is cut into reads never changes the events.
func TestReaderSplits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		r := NewReader(nil)
		var events []conversation.Event
		for p := []byte(wholeStream); len(p) > 0; {
			n := 1 + random.IntN(min(len(p), 1+random.IntN(400)))
			var err error
			if events, err = r.Feed(events, p[:n]); err != nil {
				t.Fatal(err)
			}
			p = p[n:]
		}
		events, err := r.End(events)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wholeEvents, show(events)); diff != "" {
			t.Fatalf("events (-want +got):\n%s", diff)
		}
	}
}

func TestDecodeAnswer(t *testing.T) {
	events, err := DecodeAnswer(nil, []byte(`{"id":"msg_1","type":"message","role":"assistant","model":"c","content":[
		{"type":"thinking","thinking":"hm","signature":"S=="},{"type":"redacted_thinking","data":"R"},{"type":"text","text":"x"},
		{"type":"web_search_tool_result","content":[]},
		{"type":"tool_use","id":"t","name":"f","input":{"a": {"b": [1, 2]}}},{"type":"tool_use","id":"u","name":"g","input":{}}],
		"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":2}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `begin msg_1 c
usage {Input:1 CacheRead:0 CacheWrite:0 Output:2 Reasoning:0}
0 part 2  
0 "hm"
0 signed claude S== redacted 
0 end
1 part 2  
1 signed   redacted R
1 end
2 part 1  
2 "x"
2 end
3 part 3 t f
3 "{\"a\":{\"b\":[1,2]}}"
3 end
4 part 3 u g
4 "{}"
4 end
finish 3 ""
`
	if diff := cmp.Diff(want, show(events)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestDecodeAnswerReasons(t *testing.T) {
	for reason, want := range map[string]conversation.Reason{
		"end_turn": conversation.Stopped, "stop_sequence": conversation.Stopped, "max_tokens": conversation.Length,
		"model_context_window_exceeded": conversation.Length, "refusal": conversation.Refused,
		"pause_turn": conversation.Paused, "later": conversation.Stopped,
	} {
		events, err := DecodeAnswer(nil, []byte(`{"content":[{"type":"text","text":"x"}],"stop_reason":"`+reason+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := events[len(events)-1].Reason; got != want {
			t.Errorf("%s: got %d, want %d", reason, got, want)
		}
	}
	events, err := DecodeAnswer(nil, []byte(`{"content":[{"type":"tool_use","id":"a","name":"b"}],"stop_reason":"max_tokens"}`))
	if err != nil || events[len(events)-1].Reason != conversation.Length {
		t.Errorf("a call cut by the limit: %v, %v", show(events), err)
	}
}

func TestDecodeAnswerErrors(t *testing.T) {
	for _, body := range []string{"", "[]", "{}", `{"content":"canary"}`} {
		if _, err := DecodeAnswer(nil, []byte(body)); !errors.Is(err, ErrMalformed) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", body, err)
		}
	}
	events, err := DecodeAnswer(nil, []byte(`{"type":"error","error":{"type":"rate_limit_error"}}`))
	if err != nil || show(events) != "begin  \nfailed backend_rate_limited\n" {
		t.Errorf("an error: %s, %v", show(events), err)
	}
}

func TestErrorCode(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   dialect.Code
	}{
		{400, `{"type":"error","error":{"type":"invalid_request_error"}}`, dialect.CodeBackendRejected},
		{401, `{"type":"error","error":{"type":"authentication_error"}}`, dialect.CodeBackendAuth},
		{402, `{"type":"error","error":{"type":"billing_error"}}`, dialect.CodeBackendAuth},
		{403, `{"type":"error","error":{"type":"permission_error"}}`, dialect.CodeBackendAuth},
		{404, `{"type":"error","error":{"type":"not_found_error"}}`, dialect.CodeBackendRejected},
		{413, `{"type":"error","error":{"type":"request_too_large"}}`, dialect.CodeBackendRejected},
		{429, `{"type":"error","error":{"type":"rate_limit_error"}}`, dialect.CodeBackendRateLimited},
		{500, `{"type":"error","error":{"type":"api_error"}}`, dialect.CodeBackendError},
		{500, `{"type":"error","error":{"type":"invalid_request_error"}}`, dialect.CodeBackendError},
		{504, `{"type":"error","error":{"type":"timeout_error"}}`, dialect.CodeBackendTimeout},
		{529, `{"type":"error","error":{"type":"overloaded_error"}}`, dialect.CodeBackendOverloaded},
		{529, ``, dialect.CodeBackendOverloaded},
		{503, `<html>`, dialect.CodeBackendOverloaded},
		{429, `{"error":"slow down"}`, dialect.CodeBackendRateLimited},
		{401, `{"error":{"code":1}}`, dialect.CodeBackendAuth},
		{408, ``, dialect.CodeBackendTimeout},
		{422, ``, dialect.CodeBackendRejected},
		{502, `{"error":null}`, dialect.CodeBackendError},
	} {
		if got := ErrorCode(test.status, []byte(test.body)); got != test.want {
			t.Errorf("ErrorCode(%d, %s) = %s, want %s", test.status, test.body, got, test.want)
		}
	}
}

func TestSignaturesAreExact(t *testing.T) {
	s := conversation.Signature{By: service.Claude, Value: "ErUB+/=\u2028"}
	if got := conversation.Unwrap(protocol, s.Wrap(protocol)); got != s {
		t.Errorf("got %q", got)
	}
}
