// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
)

// readPieces reads a stream in pieces of random sizes.
func readPieces(rng *rand.Rand, stream string) ([]conversation.Event, error) {
	r := NewReader(nil)
	var events []conversation.Event
	var err error
	for len(stream) > 0 {
		n := min(len(stream), 1+rng.IntN(1+rng.IntN(len(stream))))
		piece := []byte(stream[:n])
		if events, err = r.Feed(events, piece); err != nil {
			return events, err
		}
		clear(piece) // nothing of it may be kept
		stream = stream[n:]
	}
	return r.End(events)
}

// The events of the tests, short.
func begin(model string, created int64) conversation.Event {
	return conversation.Event{Kind: conversation.Begin, Model: model, Created: created}
}

func partBegin(i int, kind conversation.PartKind) conversation.Event {
	return conversation.Event{Kind: conversation.PartBegin, Index: i, Part: kind}
}

func callBegin(i int, id, name string) conversation.Event {
	return conversation.Event{
		Kind: conversation.PartBegin, Index: i, Part: conversation.PartCall, Call: conversation.Call{ID: id, Name: name},
	}
}

func delta(i int, s string) conversation.Event {
	return conversation.Event{Kind: conversation.Delta, Index: i, Text: s}
}

func partEnd(i int) conversation.Event {
	return conversation.Event{Kind: conversation.PartEnd, Index: i}
}

func usage(in, out int) conversation.Event {
	return conversation.Event{Kind: conversation.UsageKnown, Usage: conversation.Usage{Input: in, Output: out}}
}

func finish(r conversation.Reason) conversation.Event {
	return conversation.Event{Kind: conversation.Finish, Reason: r}
}

func failed(code dialect.Code) conversation.Event {
	return conversation.Event{Kind: conversation.Failed, Failure: conversation.Failure{Code: string(code)}}
}

const (
	at   = `"model":"m","created_at":"2026-01-02T03:04:05.000000001Z",`
	atID = "call_dfdrqei87dvl_" // of calls of an answer at that time, with their number
	when = 1767323045
)

func say(content string) string {
	return `{` + at + `"message":{"role":"assistant","content":"` + content + `"},"done":false}` + "\n"
}

func think(s string) string {
	return `{` + at + `"message":{"role":"assistant","content":"","thinking":"` + s + `"},"done":false}` + "\n"
}

func callLine(calls string) string {
	return `{` + at + `"message":{"role":"assistant","content":"","tool_calls":[` + calls + `]},"done":false}` + "\n"
}

func last(reason string) string {
	return `{` + at + `"message":{"role":"assistant","content":""},"done":true,"done_reason":"` + reason +
		`","total_duration":9,"prompt_eval_count":7,"eval_count":3}` + "\n"
}

var streams = []struct {
	name, in string
	want     []conversation.Event
	err      error
}{
	{
		"text", say("Grüße, ") + say("世界") + last("stop"),
		[]conversation.Event{
			begin("m", when), partBegin(0, conversation.PartText), delta(0, "Grüße, "), delta(0, "世界"), partEnd(0), usage(7, 3),
			finish(conversation.Stopped),
		},
		nil,
	},
	{
		"CRLF, blank lines, no end of the last line", strings.TrimSpace(strings.ReplaceAll(say("a")+"\n"+last("length"), "\n", "\r\n")),
		[]conversation.Event{
			begin("m", when), partBegin(0, conversation.PartText), delta(0, "a"), partEnd(0), usage(7, 3), finish(conversation.Length),
		},
		nil,
	},
	{
		"thinking, text, calls, plain stop",
		think("h") + think("m") + say("Look:") +
			callLine(`{"id":"call_a","function":{"index":0,"name":"f","arguments":{"x":1}}},{"id":"call_b","function":{"index":1,"name":"g"}}`) +
			last("stop"),
		[]conversation.Event{
			begin("m", when), partBegin(0, conversation.PartThinking), delta(0, "h"), delta(0, "m"), partEnd(0),
			partBegin(1, conversation.PartText), delta(1, "Look:"), partEnd(1),
			callBegin(2, "call_a", "f"), delta(2, `{"x":1}`), partEnd(2), callBegin(3, "call_b", "g"), delta(3, "{}"), partEnd(3),
			usage(7, 3), finish(conversation.ToolCalls),
		},
		nil,
	},
	{
		"calls without ids, with one twice, with arguments as text, cut by the limit",
		callLine(`{"function":{"name":"f","arguments":null}},{"function":{"name":"f","arguments":"{\"a\":1}"}}`) +
			callLine(`{"id":"x","function":{"name":"f","arguments":{}}},{"id":"x","function":{"name":"f","arguments":"no"}}`) + last("length"),
		[]conversation.Event{
			begin("m", when),
			callBegin(0, atID+"0", "f"), delta(0, "{}"), partEnd(0),
			callBegin(1, atID+"1", "f"), delta(1, `{"a":1}`), partEnd(1),
			callBegin(2, "x", "f"), delta(2, "{}"), partEnd(2),
			callBegin(3, atID+"3", "f"), delta(3, `{"arguments":"no"}`), partEnd(3),
			usage(7, 3), finish(conversation.Length),
		},
		nil,
	},
	{
		"generate", `{` + at + `"response":"","thinking":"h","done":false}` + "\n" + `{` + at + `"response":"hi","done":false}` + "\n" +
			`{` + at + `"response":"","done":true,"done_reason":"stop","context":[1,2],"prompt_eval_count":7,"eval_count":3}` + "\n",
		[]conversation.Event{
			begin("m", when), partBegin(0, conversation.PartThinking), delta(0, "h"), partEnd(0),
			partBegin(1, conversation.PartText), delta(1, "hi"), partEnd(1), usage(7, 3), finish(conversation.Stopped),
		},
		nil,
	},
	{
		"logprobs, of which some come before their text",
		`{` + at + `"message":{"content":""},"logprobs":[{"token":"a","logprob":-1,"bytes":[97]}],"done":false}` + "\n" +
			`{` + at + `"message":{"content":"ab"},"logprobs":[{"token":"b","logprob":-2,"top_logprobs":[{"token":"c","logprob":-3}]}],"done":false}` + "\n" +
			last("stop"),
		[]conversation.Event{
			begin("m", when), partBegin(0, conversation.PartText),
			{Kind: conversation.Delta, Text: "ab", Logprobs: []conversation.Logprob{
				{Token: "a", Logprob: -1, Bytes: []byte("a")}, {Token: "b", Logprob: -2, Top: []conversation.Logprob{{Token: "c", Logprob: -3}}},
			}},
			partEnd(0), usage(7, 3), finish(conversation.Stopped),
		},
		nil,
	},
	{
		"error in the middle", say("a") + `{"error":"s3cret"}` + "\n" + last("stop"),
		[]conversation.Event{begin("m", when), partBegin(0, conversation.PartText), delta(0, "a"), failed(dialect.CodeBackendError)},
		nil,
	},
	{
		"error with a status", `{"error":"s3cret","status":503}`,
		[]conversation.Event{begin("", 0), failed(dialect.CodeBackendOverloaded)},
		nil,
	},
	{"nothing", "", nil, ErrCut},
	{
		"cut", say("a"), []conversation.Event{begin("m", when), partBegin(0, conversation.PartText), delta(0, "a")}, ErrCut,
	},
	{
		"cut in a line", say("a") + `{"model":`,
		[]conversation.Event{begin("m", when), partBegin(0, conversation.PartText), delta(0, "a")},
		ErrCut,
	},
	{
		"reason without done", `{` + at + `"message":{"content":"a"},"done_reason":"stop"}`,
		[]conversation.Event{begin("m", when), partBegin(0, conversation.PartText), delta(0, "a"), partEnd(0), finish(conversation.Stopped)},
		nil,
	},
	{"no JSON", "<html>\n", nil, ErrMalformed},
	{"no object", "[1]\n", nil, ErrMalformed},
}

func TestReader(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, test := range streams {
		t.Run(test.name, func(t *testing.T) {
			for range 50 {
				got, err := readPieces(rng, test.in)
				if !errors.Is(err, test.err) {
					t.Fatalf("error %v, want %v", err, test.err)
				}
				if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Fatal(diff)
				}
			}
		})
	}
}

// TestMadeIDs wants ids of calls that have none to differ between the answers of a conversation.
func TestMadeIDs(t *testing.T) {
	stream := []byte(`{"message":{"tool_calls":[{"function":{"name":"f"}}]},"done":true}` + "\n")
	seen := map[string]bool{}
	for turns := range 3 {
		events, err := NewReader(&conversation.Request{Messages: make([]conversation.Message, turns)}).Feed(nil, stream)
		if err != nil {
			t.Fatal(err)
		}
		seen[events[1].Call.ID] = true
	}
	if len(seen) != 3 {
		t.Errorf("ids %v", seen)
	}
}

func TestDecodeAnswer(t *testing.T) {
	whole := `{
		"model": "m", "created_at": "2026-01-02T03:04:05.000000001Z",
		"message": {"role": "assistant", "content": "a", "thinking": "h", "tool_calls": [{"function": {"name": "f", "arguments": {
			"x": 1
		}}}]}, "done_reason": "stop", "done": true, "prompt_eval_count": 7, "eval_count": 3}`
	want := []conversation.Event{
		begin("m", when), partBegin(0, conversation.PartThinking), delta(0, "h"), partEnd(0), partBegin(1, conversation.PartText),
		delta(1, "a"), partEnd(1), callBegin(2, atID+"0", "f"), delta(2, `{"x":1}`), partEnd(2), usage(7, 3),
		finish(conversation.ToolCalls),
	}
	got, err := DecodeAnswer(nil, []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, test := range map[string]struct {
		in   string
		want []conversation.Event
		err  error
	}{
		"a stream":      {streams[0].in, streams[0].want, nil},
		"error":         {`{"error":"s3cret"}`, []conversation.Event{begin("", 0), failed(dialect.CodeBackendError)}, nil},
		"nothing":       {``, nil, ErrMalformed},
		"no done":       {`{"response":"a"}`, []conversation.Event{begin("", 0), partBegin(0, conversation.PartText), delta(0, "a"), partEnd(0), finish(conversation.Stopped)}, nil},
		"no answer":     {`{"status":"success"}`, nil, ErrMalformed},
		"half":          {whole[:40], nil, ErrMalformed},
		"half a stream": {say("a"), []conversation.Event{begin("m", when), partBegin(0, conversation.PartText), delta(0, "a")}, ErrCut},
	} {
		got, err := DecodeAnswer(nil, []byte(test.in))
		if !errors.Is(err, test.err) {
			t.Errorf("%s: error %v, want %v", name, err, test.err)
		}
		if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestErrorCode(t *testing.T) {
	for status, want := range map[int]dialect.Code{
		400: dialect.CodeBackendRejected, 401: dialect.CodeBackendAuth, 403: dialect.CodeBackendAuth, 404: dialect.CodeBackendRejected,
		408: dialect.CodeBackendTimeout, 429: dialect.CodeBackendRateLimited, 500: dialect.CodeBackendError,
		502: dialect.CodeBackendError, 503: dialect.CodeBackendOverloaded, 504: dialect.CodeBackendTimeout,
	} {
		if got := ErrorCode(status, []byte(`{"error":"x"}`)); got != want {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}

func TestThinkingRefused(t *testing.T) {
	for body, want := range map[string]bool{
		`{"error":"\"llama3\" does not support thinking"}`:                 true,
		`{"error":"think value \"high\" is not supported for this model"}`: true,
		`{"error":"\"llama3\" does not support tools"}`:                    false,
	} {
		if got := ThinkingRefused(400, []byte(body)); got != want {
			t.Errorf("%s: %v", body, got)
		}
		if ThinkingRefused(500, []byte(body)) {
			t.Errorf("%s with status 500", body)
		}
	}
}

func TestEmbeddingRefused(t *testing.T) {
	refused := `{"error":"this model does not support embeddings"}` // Ollama 0.17.4
	tests := []struct {
		status int
		body   string
		want   bool
	}{
		{501, refused, true},
		{500, refused, true},
		{501, `{"error":{"message":"this model does not support embeddings","type":"api_error"}}`, true}, // at /v1/embeddings
		{400, refused, false}, // tools are told as it is
		{500, `{"error":"llama runner process has terminated"}`, false},
		{501, ``, false},
	}
	for _, tt := range tests {
		if got := EmbeddingRefused(tt.status, []byte(tt.body)); got != tt.want {
			t.Errorf("%d %s: %v", tt.status, tt.body, got)
		}
	}
}
