// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
	"github.com/tokengo/tokengo/service"
)

// event constructors, short because the tests are made of them.
func begin() conversation.Event {
	return conversation.Event{Kind: conversation.Begin, ID: "msg_1", Model: "m"}
}

func partOf(i int, kind conversation.PartKind) conversation.Event {
	return conversation.Event{Kind: conversation.PartBegin, Index: i, Part: kind}
}

func callOf(i int, id, name string) conversation.Event {
	return conversation.Event{Kind: conversation.PartBegin, Index: i, Part: conversation.PartCall, Call: conversation.Call{ID: id, Name: name}}
}

func piece(i int, s string) conversation.Event {
	return conversation.Event{Kind: conversation.Delta, Index: i, Text: s}
}

func endOf(i int) conversation.Event { return conversation.Event{Kind: conversation.PartEnd, Index: i} }

func signedBy(i int, by service.Protocol, value string) conversation.Event {
	return conversation.Event{Kind: conversation.Signed, Index: i, Signature: conversation.Signature{By: by, Value: value}}
}

func usageOf(u conversation.Usage) conversation.Event {
	return conversation.Event{Kind: conversation.UsageKnown, Usage: u}
}

func finishOf(r conversation.Reason) conversation.Event {
	return conversation.Event{Kind: conversation.Finish, Reason: r}
}

func written(events ...conversation.Event) []byte {
	w := NewWriter(toolOp, &conversation.Request{Model: "asked"})
	var dst []byte
	for i := range events {
		dst = w.Event(dst, &events[i])
	}
	return w.End(dst)
}

// brief is a stream in a short form; it checks that the name of each event is its type and its data is JSON.
func brief(t *testing.T, stream []byte) string {
	t.Helper()
	var s wire.SSE
	var b strings.Builder
	each := func(name string, data []byte) error {
		var e struct {
			Type    string          `json:"type"`
			Index   int             `json:"index"`
			Message json.RawMessage `json:"message"`
			Block   json.RawMessage `json:"content_block"`
			Delta   json.RawMessage `json:"delta"`
			Usage   json.RawMessage `json:"usage"`
		}
		if err := json.Unmarshal(data, &e); err != nil {
			t.Errorf("data %s: %v", data, err)
		}
		if e.Type != name {
			t.Errorf("event %q has type %q", name, e.Type)
		}
		switch name {
		case "message_start":
			fmt.Fprintf(&b, "start %s\n", e.Message)
		case "content_block_start":
			fmt.Fprintf(&b, "%d %s\n", e.Index, e.Block)
		case "content_block_delta":
			fmt.Fprintf(&b, "%d + %s\n", e.Index, e.Delta)
		case "content_block_stop":
			fmt.Fprintf(&b, "%d stop\n", e.Index)
		case "message_delta":
			fmt.Fprintf(&b, "delta %s %s\n", e.Delta, e.Usage)
		default:
			fmt.Fprintf(&b, "%s\n", name)
		}
		return nil
	}
	if err := s.Feed(stream, each); err != nil {
		t.Fatal(err)
	}
	if err := s.End(each); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const briefStart = `start {"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,` +
	`"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}` + "\n"

func ended(reason string) string {
	return `delta {"stop_reason":"` + reason + `","stop_sequence":null} {"output_tokens":0}` + "\nmessage_stop\n"
}

func TestWriter(t *testing.T) {
	for _, test := range []struct {
		name   string
		events []conversation.Event
		want   string
	}{
		{
			"text",
			[]conversation.Event{
				begin(), partOf(0, conversation.PartText), piece(0, "a\u2028"), piece(0, ""), piece(0, "<b>"), endOf(0), finishOf(conversation.Stopped),
			},
			briefStart + `0 {"type":"text","text":""}` + "\n" + `0 + {"type":"text_delta","text":"a\u2028"}` + "\n" +
				`0 + {"type":"text_delta","text":"<b>"}` + "\n0 stop\n" + ended("end_turn"),
		},
		{
			"nothing is no block",
			[]conversation.Event{
				begin(), partOf(0, conversation.PartText), endOf(0), partOf(1, conversation.PartThinking), endOf(1), finishOf(conversation.Length),
			},
			briefStart + ended("max_tokens"),
		},
		{
			"text then calls that interleave; a plain stop is tool_use",
			[]conversation.Event{
				begin(), partOf(0, conversation.PartText), piece(0, "t"), callOf(1, "x", "f"), callOf(2, "y", "g"), callOf(3, "z", "h"),
				piece(1, `{"a`), piece(2, `{"b`), piece(1, `":1`), piece(2, `":2}`), piece(1, `}`),
				endOf(0), endOf(1), endOf(2), endOf(3), finishOf(conversation.Stopped),
			},
			briefStart + `0 {"type":"text","text":""}` + "\n" + `0 + {"type":"text_delta","text":"t"}` + "\n0 stop\n" +
				`1 {"type":"tool_use","id":"x","name":"f","input":{}}` + "\n" + `1 + {"type":"input_json_delta","partial_json":"{\"a"}` + "\n" +
				`1 + {"type":"input_json_delta","partial_json":"\":1"}` + "\n" + `1 + {"type":"input_json_delta","partial_json":"}"}` + "\n1 stop\n" +
				`2 {"type":"tool_use","id":"y","name":"g","input":{}}` + "\n" + `2 + {"type":"input_json_delta","partial_json":"{\"b\":2}"}` + "\n2 stop\n" +
				`3 {"type":"tool_use","id":"z","name":"h","input":{}}` + "\n3 stop\n" + ended("tool_use"),
		},
		{
			"text goes on after a call",
			[]conversation.Event{
				begin(), partOf(0, conversation.PartText), piece(0, "a"), callOf(1, "x", "f"), piece(1, "null"), piece(0, "b"), endOf(1), endOf(0),
				finishOf(conversation.ToolCalls),
			},
			briefStart + `0 {"type":"text","text":""}` + "\n" + `0 + {"type":"text_delta","text":"a"}` + "\n0 stop\n" +
				`1 {"type":"tool_use","id":"x","name":"f","input":{}}` + "\n1 stop\n" +
				`2 {"type":"text","text":""}` + "\n" + `2 + {"type":"text_delta","text":"b"}` + "\n2 stop\n" + ended("tool_use"),
		},
		{
			"thinking, redacted, withheld, and a call with another's signature",
			[]conversation.Event{
				begin(), partOf(0, conversation.PartThinking), piece(0, "h"), signedBy(0, service.Claude, "S="), endOf(0),
				partOf(1, conversation.PartThinking),
				{Kind: conversation.Signed, Index: 1, Redacted: "R="},
				endOf(1),
				partOf(2, conversation.PartThinking), signedBy(2, service.OpenAI, "sig"), endOf(2),
				callOf(3, "x", "f"), piece(3, "{}"), signedBy(3, service.Gemini, "sig"), endOf(3), finishOf(conversation.ToolCalls),
			},
			briefStart + `0 {"type":"thinking","thinking":"","signature":""}` + "\n" + `0 + {"type":"thinking_delta","thinking":"h"}` + "\n" +
				`0 + {"type":"signature_delta","signature":"S="}` + "\n0 stop\n" + `1 {"type":"redacted_thinking","data":"R="}` + "\n1 stop\n" +
				`2 {"type":"thinking","thinking":"","signature":""}` + "\n" + `2 + {"type":"signature_delta","signature":"tokengo:openai:c2ln"}` + "\n2 stop\n" +
				`3 {"type":"thinking","thinking":"","signature":""}` + "\n" + `3 + {"type":"signature_delta","signature":"tokengo:call:gemini:c2ln"}` + "\n3 stop\n" +
				`4 {"type":"tool_use","id":"x","name":"f","input":{}}` + "\n" + `4 + {"type":"input_json_delta","partial_json":"{}"}` + "\n4 stop\n" + ended("tool_use"),
		},
		{
			"a refusal",
			[]conversation.Event{begin(), partOf(0, conversation.PartRefusal), piece(0, "no"), endOf(0), finishOf(conversation.Stopped)},
			briefStart + `0 {"type":"text","text":""}` + "\n" + `0 + {"type":"text_delta","text":"no"}` + "\n0 stop\n" + ended("refusal"),
		},
		{
			"parts that nobody ended, and no start",
			[]conversation.Event{partOf(0, conversation.PartText), piece(0, "a"), finishOf(conversation.Filtered)},
			strings.NewReplacer(`"msg_1"`, `ID`, `"m"`, `"asked"`).Replace(briefStart) + `0 {"type":"text","text":""}` + "\n" +
				`0 + {"type":"text_delta","text":"a"}` + "\n0 stop\n" + ended("refusal"),
		},
		{
			"usage at the start and at the end",
			[]conversation.Event{
				begin(), usageOf(conversation.Usage{Input: 10, CacheRead: 4, CacheWrite: 1}),
				usageOf(conversation.Usage{Output: 7, Reasoning: 3}),
				{Kind: conversation.Finish, Reason: conversation.Stopped, StopSequence: "E"},
			},
			strings.Replace(briefStart, `"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0`,
				`"input_tokens":5,"cache_creation_input_tokens":1,"cache_read_input_tokens":4`, 1) +
				`delta {"stop_reason":"stop_sequence","stop_sequence":"E"} {"input_tokens":5,"cache_creation_input_tokens":1,` +
				`"cache_read_input_tokens":4,"output_tokens":7,"output_tokens_details":{"thinking_tokens":3}}` + "\nmessage_stop\n",
		},
		{
			"a failure has no end",
			[]conversation.Event{
				begin(), partOf(0, conversation.PartText), piece(0, "a"),
				{Kind: conversation.Failed, Failure: conversation.Failure{Code: "backend_overloaded"}},
				finishOf(conversation.Stopped),
			},
			briefStart + `0 {"type":"text","text":""}` + "\n" + `0 + {"type":"text_delta","text":"a"}` + "\nerror\n",
		},
		{"a cut has no end", []conversation.Event{begin(), partOf(0, conversation.PartText)}, briefStart},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := brief(t, written(test.events...))
			if i := strings.Index(got, `"id":"msg_`); strings.Contains(test.want, "ID") && i >= 0 {
				got = got[:i] + `"id":ID` + got[i+len(`"id":"msg_"`)+26:]
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("stream (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriterIdle(t *testing.T) {
	w := NewWriter(toolOp, nil)
	if got := w.Idle(nil); len(got) > 0 {
		t.Errorf("before the start: %s", got)
	}
	e := begin()
	got := w.Idle(w.Event(nil, &e))
	if diff := cmp.Diff(briefStart+"ping\n", brief(t, got)); diff != "" {
		t.Errorf("after the start (-want +got):\n%s", diff)
	}
	e = finishOf(conversation.Stopped)
	w.End(w.Event(nil, &e))
	if got := w.Idle(nil); len(got) > 0 {
		t.Errorf("after the end: %s", got)
	}
	if w.ContentType() != "text/event-stream" {
		t.Errorf("content type %q", w.ContentType())
	}
}

// randomAnswer makes the events of an answer in any order that is allowed, with what they say.
func randomAnswer(random *rand.Rand) []conversation.Event {
	events := []conversation.Event{begin()}
	n := random.IntN(5)
	var open []int
	pieces := make([]int, n)
	kinds := make([]conversation.PartKind, n)
	for next := 0; next < n || len(open) > 0; {
		switch step := random.IntN(3); {
		case step == 0 && next < n:
			kinds[next] = []conversation.PartKind{conversation.PartText, conversation.PartThinking, conversation.PartCall}[random.IntN(3)]
			e := partOf(next, kinds[next])
			if kinds[next] == conversation.PartCall {
				e.Call = conversation.Call{ID: fmt.Sprint("c", next), Name: "f"}
			}
			events = append(events, e)
			open = append(open, next)
			next++
		case step == 1 && len(open) > 0:
			i := open[random.IntN(len(open))]
			events = append(events, piece(i, fmt.Sprint("p", i, pieces[i], " ")))
			pieces[i]++
		case step == 2 && len(open) > 0:
			at := random.IntN(len(open))
			i := open[at]
			if kinds[i] == conversation.PartThinking {
				events = append(events, signedBy(i, service.Claude, fmt.Sprint("s", i)))
			}
			events = append(events, endOf(i))
			open = append(open[:at], open[at+1:]...)
		}
	}
	return append(events, usageOf(conversation.Usage{Input: 5, Output: 6}), finishOf(conversation.Stopped))
}

func collect(events []conversation.Event) *conversation.Answer {
	var c conversation.Collector
	for i := range events {
		c.Add(&events[i])
	}
	return c.Answer()
}

// said is what an answer says: texts in one, and the other parts in their order.
func saidBy(a *conversation.Answer) (text string, parts []conversation.AnswerPart) {
	for _, p := range a.Parts {
		switch {
		case p.Kind == conversation.PartText:
			text += p.Text
		default:
			parts = append(parts, p)
		}
	}
	return text, parts
}

// TestWriterReader: whatever order parts come in, the stream has one block after the other and says the same.
func TestWriterReader(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		events := randomAnswer(random)
		stream := written(events...)
		assertSequential(t, stream)
		back, err := readAll(string(stream), 0)
		if err != nil {
			t.Fatal(err)
		}
		want, got := collect(events), collect(back)
		wantText, wantParts := saidBy(want)
		gotText, gotParts := saidBy(got)
		byCall := cmpopts.SortSlices(func(a, b conversation.AnswerPart) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
		if len(wantText) != len(gotText) || !cmp.Equal(wantParts, gotParts, byCall) || want.Usage != got.Usage {
			t.Fatalf("events\n%s\nstream\n%s\ngot %q %+v\nwant %q %+v", show(events), stream, gotText, gotParts, wantText, wantParts)
		}
	}
}

// assertSequential checks the order that the protocol promises.
func assertSequential(t *testing.T, stream []byte) {
	t.Helper()
	next, open := 0, false
	for line := range strings.Lines(brief(t, stream)) {
		var index int
		if _, err := fmt.Sscanf(line, "%d", &index); err != nil {
			continue
		}
		switch {
		case strings.Contains(line, " stop"):
			if !open || index != next-1 {
				t.Fatalf("stop out of order in\n%s", stream)
			}
			open = false
		case strings.Contains(line, " + "):
			if !open || index != next-1 {
				t.Fatalf("delta out of order in\n%s", stream)
			}
		default:
			if open || index != next {
				t.Fatalf("start out of order in\n%s", stream)
			}
			open = true
			next++
		}
	}
	if open && !bytes.Contains(stream, []byte("event: error\n")) { // after an error nothing ends
		t.Fatalf("a block did not end in\n%s", stream)
	}
}

func TestEncodeAnswer(t *testing.T) {
	got := EncodeAnswer(toolOp, &conversation.Request{Model: "asked"}, &conversation.Answer{
		ID: "chatcmpl-1", Parts: []conversation.AnswerPart{
			{Kind: conversation.PartThinking, Text: "h", Signature: conversation.Signature{By: service.Claude, Value: "S="}},
			{Kind: conversation.PartThinking, Redacted: "R"},
			{Kind: conversation.PartThinking},
			{Kind: conversation.PartText},
			{Kind: conversation.PartText, Text: "a"},
			{Kind: conversation.PartCall, Call: conversation.Call{ID: "x", Name: "f"}, Text: ` {"a": 1}`, Signature: conversation.Signature{By: service.Gemini, Value: "sig"}},
			{Kind: conversation.PartCall, Call: conversation.Call{ID: "y", Name: "g"}, Text: "null"},
		},
		Usage: conversation.Usage{Input: 10, CacheRead: 4, Output: 5}, Reason: conversation.Stopped,
	})
	want := `{"id":"msg_chatcmpl-1","type":"message","role":"assistant","model":"asked","content":[` +
		`{"type":"thinking","thinking":"h","signature":"S="},{"type":"redacted_thinking","data":"R"},{"type":"text","text":"a"},` +
		`{"type":"thinking","thinking":"","signature":"tokengo:call:gemini:c2ln"},` +
		`{"type":"tool_use","id":"x","name":"f","input":{"a":1}},{"type":"tool_use","id":"y","name":"g","input":{}}],` +
		`"stop_reason":"tool_use","stop_sequence":null,` +
		`"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":5}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	var nothing struct{ Content []int }
	if err := json.Unmarshal(EncodeAnswer(toolOp, nil, &conversation.Answer{}), &nothing); err != nil || nothing.Content == nil {
		t.Errorf("an empty answer: %+v, %v", nothing, err)
	}
}
