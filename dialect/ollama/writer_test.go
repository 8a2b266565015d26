// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"bytes"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

const (
	head1 = `{"model":"m","created_at":"2026-01-02T03:04:05Z",`
	end1  = `"total_duration":3000000000,"load_duration":0,"prompt_eval_count":7,"prompt_eval_duration":1000000000,` +
		`"eval_count":3,"eval_duration":2000000000}` + "\n"
)

func signed(i int, by service.Protocol, value string) conversation.Event {
	return conversation.Event{Kind: conversation.Signed, Index: i, Signature: conversation.Signature{By: by, Value: value}}
}

var written = []struct {
	name           string
	events         []conversation.Event
	chat, generate string
}{
	{
		"text",
		[]conversation.Event{
			begin("m", when), partBegin(0, conversation.PartText), delta(0, "a\n\u2028<"), delta(0, ""), delta(0, "b"), partEnd(0),
			usage(7, 0), usage(7, 3), finish(conversation.Stopped),
		},
		head1 + `"message":{"role":"assistant","content":"a\n\u2028<"},"done":false}` + "\n" +
			head1 + `"message":{"role":"assistant","content":"b"},"done":false}` + "\n" +
			head1 + `"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",` + end1,
		head1 + `"response":"a\n\u2028<","done":false}` + "\n" + head1 + `"response":"b","done":false}` + "\n" +
			head1 + `"response":"","done":true,"done_reason":"stop",` + end1,
	},
	{
		"thinking and refusal, cut by the limit",
		[]conversation.Event{
			begin("m", when), partBegin(0, conversation.PartThinking), delta(0, "h"), signed(0, service.Claude, "x"), partEnd(0),
			partBegin(1, conversation.PartRefusal), delta(1, "no"), partEnd(1), usage(7, 3), finish(conversation.Length),
		},
		head1 + `"message":{"role":"assistant","content":"","thinking":"h"},"done":false}` + "\n" +
			head1 + `"message":{"role":"assistant","content":"no"},"done":false}` + "\n" +
			head1 + `"message":{"role":"assistant","content":""},"done":true,"done_reason":"length",` + end1,
		head1 + `"response":"","thinking":"h","done":false}` + "\n" + head1 + `"response":"no","done":false}` + "\n" +
			head1 + `"response":"","done":true,"done_reason":"length",` + end1,
	},
	{
		"calls that interleave",
		[]conversation.Event{
			begin("m", when), callBegin(0, "1", "f"), callBegin(1, "2", "g"), delta(0, "{\n\"a"), delta(1, ""), delta(0, `":1}`),
			signed(0, service.Gemini, "\x01\x02"), callBegin(2, "3", "h"), partEnd(1), delta(2, "{"), partEnd(0), partEnd(2), usage(7, 3),
			finish(conversation.ToolCalls),
		},
		head1 + `"message":{"role":"assistant","content":"","tool_calls":[{"id":"2","function":{"index":1,"name":"g","arguments":{}}}]},"done":false}` + "\n" +
			head1 + `"message":{"role":"assistant","content":"","tool_calls":[{"id":"1","function":{"index":0,"name":"f","arguments":{"a":1}},"signature":"tokengo:gemini:AQI"}]},"done":false}` + "\n" +
			head1 + `"message":{"role":"assistant","content":"","tool_calls":[{"id":"3","function":{"index":2,"name":"h","arguments":{"arguments":"{"}}}]},"done":false}` + "\n" +
			head1 + `"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",` + end1,
		"",
	},
	{
		"logprobs",
		[]conversation.Event{
			begin("m", when), partBegin(0, conversation.PartText), {Kind: conversation.Delta, Text: "é", Logprobs: []conversation.Logprob{
				{Token: "é", Logprob: -0.5, Top: []conversation.Logprob{{Token: "e", Logprob: -2, Bytes: []byte{101}}}},
			}}, partEnd(0), usage(7, 3), finish(conversation.Filtered),
		},
		head1 + `"message":{"role":"assistant","content":"é"},"done":false,"logprobs":[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"e","logprob":-2,"bytes":[101]}]}]}` + "\n" +
			head1 + `"message":{"role":"assistant","content":""},"done":true,"done_reason":"content_filter",` + end1,
		"",
	},
	{
		"failure",
		[]conversation.Event{begin("m", when), partBegin(0, conversation.PartText), delta(0, "a"), failed("backend_overloaded"), delta(0, "b")},
		head1 + `"message":{"role":"assistant","content":"a"},"done":false}` + "\n" +
			`{"error":"The AI backend is overloaded. Try again in a while, or choose another exit.","code":"backend_overloaded"}` + "\n",
		"",
	},
	{
		"no end",
		[]conversation.Event{begin("m", when), partBegin(0, conversation.PartText), delta(0, "a")},
		head1 + `"message":{"role":"assistant","content":"a"},"done":false}` + "\n",
		"",
	},
}

func TestWriter(t *testing.T) {
	for _, test := range written {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := NewWriter(chatOp, &conversation.Request{Model: "asked"})
				if got := string(writeAll(w, test.events)); got != test.chat {
					t.Errorf("got\n%swant\n%s", got, test.chat)
				}
				if test.generate == "" {
					return
				}
				w = NewWriter(generateOp, &conversation.Request{Model: "asked"})
				if got := string(writeAll(w, test.events)); got != test.generate {
					t.Errorf("got\n%swant\n%s", got, test.generate)
				}
			})
		})
	}
}

// writeAll writes events, of which the first comes after a second and the end two seconds later.
func writeAll(w *Writer, events []conversation.Event) []byte {
	var dst []byte
	time.Sleep(time.Second)
	for i := range events {
		dst = w.Event(dst, &events[i])
		dst = w.Idle(dst)
	}
	time.Sleep(2 * time.Second)
	dst = w.End(dst)
	return w.End(dst)
}

func TestWriterNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWriter(chatOp, &conversation.Request{Model: "asked"})
		w.Event(nil, &conversation.Event{Kind: conversation.Begin})
		w.Event(nil, &conversation.Event{Kind: conversation.PartBegin, Part: conversation.PartText})
		got := string(w.Event(nil, &conversation.Event{Kind: conversation.Delta, Text: "a"}))
		want := `{"model":"asked","created_at":"2000-01-01T00:00:00Z","message":{"role":"assistant","content":"a"},"done":false}` + "\n"
		if got != want {
			t.Errorf("got %s want %s", got, want)
		}
		if got := w.ContentType(); got != "application/x-ndjson" {
			t.Errorf("content type %s", got)
		}
	})
}

func TestEncodeAnswer(t *testing.T) {
	for _, test := range []struct{ name, chat, generate string }{
		{
			"text",
			`{"model":"m","created_at":"2026-01-02T03:04:05Z","message":{"role":"assistant","content":"a\n\u2028<b"},"done":true,"done_reason":"stop",
			  "total_duration":0,"load_duration":0,"prompt_eval_count":7,"prompt_eval_duration":0,"eval_count":3,"eval_duration":0}`,
			`{"model":"m","created_at":"2026-01-02T03:04:05Z","response":"a\n\u2028<b","done":true,"done_reason":"stop",
			  "total_duration":0,"load_duration":0,"prompt_eval_count":7,"prompt_eval_duration":0,"eval_count":3,"eval_duration":0}`,
		},
		{
			"calls that interleave",
			`{"model":"m","created_at":"2026-01-02T03:04:05Z","message":{"role":"assistant","content":"","tool_calls":[
			  {"id":"1","function":{"index":0,"name":"f","arguments":{"a":1}},"signature":"tokengo:gemini:AQI"},
			  {"id":"2","function":{"index":1,"name":"g","arguments":{}}},{"id":"3","function":{"index":2,"name":"h","arguments":{"arguments":"{"}}}]},
			  "done":true,"done_reason":"stop",
			  "total_duration":0,"load_duration":0,"prompt_eval_count":7,"prompt_eval_duration":0,"eval_count":3,"eval_duration":0}`,
			"",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c conversation.Collector
			for _, w := range written {
				for i := range w.events {
					if w.name == test.name {
						c.Add(&w.events[i])
					}
				}
			}
			sameJSON(t, test.chat, string(EncodeAnswer(chatOp, nil, c.Answer())))
			if test.generate != "" {
				sameJSON(t, test.generate, string(EncodeAnswer(generateOp, nil, c.Answer())))
			}
		})
	}
}

// TestLines wants every line to be one JSON object, whatever is written.
func TestLines(t *testing.T) {
	for _, test := range written {
		w := NewWriter(chatOp, nil)
		var out []byte
		for i := range test.events {
			before := len(out)
			if out = w.Event(out, &test.events[i]); len(out) > before && !bytes.HasSuffix(out, []byte("\n")) {
				t.Errorf("%s: a line has no end", test.name)
			}
		}
		for line := range bytes.Lines(w.End(out)) {
			if !json.Valid(line) {
				t.Errorf("%s: not valid: %s", test.name, line)
			}
		}
	}
}
