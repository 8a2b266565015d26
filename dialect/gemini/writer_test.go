// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// answerEvents is an answer of another protocol's backend: reasoning, text, and two calls whose arguments interleave.
var answerEvents = []conversation.Event{
	{Kind: conversation.Begin, ID: "msg_1", Model: "opus"},
	{Kind: conversation.UsageKnown, Usage: conversation.Usage{Input: 10, CacheRead: 4}},
	{Kind: conversation.PartBegin, Index: 0, Part: conversation.PartThinking},
	{Kind: conversation.Delta, Index: 0, Text: "hm"},
	{Kind: conversation.Signed, Index: 0, Signature: conversation.Signature{By: service.Claude, Value: "c2ln"}},
	{Kind: conversation.PartEnd, Index: 0},
	{Kind: conversation.PartBegin, Index: 1, Part: conversation.PartText},
	{Kind: conversation.Delta, Index: 1, Text: "a\n\"ü"},
	{Kind: conversation.Delta, Index: 1, Text: "b"},
	{Kind: conversation.PartEnd, Index: 1},
	{Kind: conversation.PartBegin, Index: 2, Part: conversation.PartCall, Call: conversation.Call{ID: "toolu_1", Name: "f"}},
	{Kind: conversation.PartBegin, Index: 3, Part: conversation.PartCall, Call: conversation.Call{ID: "toolu_2", Name: "g"}},
	{Kind: conversation.Delta, Index: 2, Text: "{\"x\":\n"},
	{Kind: conversation.Delta, Index: 3, Text: ""},
	{Kind: conversation.Delta, Index: 2, Text: " [1.50, 2]}"},
	{Kind: conversation.PartEnd, Index: 2},
	{Kind: conversation.PartEnd, Index: 3},
	{Kind: conversation.Finish, Reason: conversation.ToolCalls},
	{Kind: conversation.UsageKnown, Usage: conversation.Usage{Output: 9, Reasoning: 2}},
}

func written(op dialect.Operation, req *conversation.Request, events []conversation.Event) string {
	w := NewWriter(op, req)
	var out []byte
	for i := range events {
		out = w.Event(out, &events[i])
		out = w.Idle(out)
	}
	return string(w.End(out))
}

func visible() *conversation.Request {
	return &conversation.Request{Reasoning: conversation.Reasoning{Visible: ptr(true)}}
}

func chunkOf(part, rest string) string {
	return `{"candidates":[{"content":{"parts":[` + part + `],"role":"model"},` + rest + `"modelVersion":"opus","responseId":"msg_1"}`
}

func TestWriter(t *testing.T) {
	signature := (&carried{before: []conversation.ThinkingPart{{Signature: conversation.Signature{By: service.Claude, Value: "c2ln"}}}}).String()
	chunks := []string{
		chunkOf(`{"text":"hm","thought":true}`, `"index":0}],`),
		chunkOf(`{"text":"a\n\"ü","thoughtSignature":"`+signature+`"}`, `"index":0}],`),
		chunkOf(`{"text":"b"}`, `"index":0}],`),
		chunkOf(`{"functionCall":{"id":"toolu_1","name":"f","args":{"x":[1.50,2]}}}`, `"index":0}],`),
		chunkOf(`{"functionCall":{"id":"toolu_2","name":"g","args":{}}}`, `"index":0}],`),
		chunkOf(`{"text":""}`, `"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":7,"thoughtsTokenCount":2,"totalTokenCount":19},`),
	}
	if diff := cmp.Diff("data: "+strings.Join(chunks, "\n\ndata: ")+"\n\n", written(streamOp, visible(), answerEvents)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	array := written(arrayOp, visible(), answerEvents)
	if diff := cmp.Diff("["+strings.Join(chunks, ",\r\n")+"]\n", array); diff != "" {
		t.Errorf("array (-want +got):\n%s", diff)
	}
	if !json.Valid([]byte(array)) {
		t.Errorf("the array is no JSON: %s", array)
	}
	hidden := written(streamOp, &conversation.Request{}, answerEvents)
	if want := "data: " + strings.Join(chunks[1:], "\n\ndata: ") + "\n\n"; hidden != want {
		t.Errorf("without reasoning: %s", cmp.Diff(want, hidden))
	}
}

func TestWriterContentType(t *testing.T) {
	if got := NewWriter(streamOp, &conversation.Request{}).ContentType(); got != "text/event-stream" {
		t.Errorf("with alt=sse: %q", got)
	}
	if got := NewWriter(arrayOp, &conversation.Request{}).ContentType(); got != "application/json" {
		t.Errorf("without: %q", got)
	}
}

func TestWriterEnds(t *testing.T) {
	begin := conversation.Event{Kind: conversation.Begin}
	call := []conversation.Event{
		begin,
		{Kind: conversation.PartBegin, Part: conversation.PartCall, Call: conversation.Call{ID: "1", Name: "f"}},
		{Kind: conversation.Delta, Text: `{"a":`},
		{Kind: conversation.PartEnd},
	}
	finish := func(r conversation.Reason) conversation.Event {
		return conversation.Event{Kind: conversation.Finish, Reason: r}
	}
	last := func(reason string) string {
		return `data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"` + reason + `","index":0}],"modelVersion":"g"}` + "\n\n"
	}
	tests := []struct {
		name   string
		op     dialect.Operation
		events []conversation.Event
		want   string
	}{
		{"done", streamOp, []conversation.Event{begin, finish(conversation.Stopped)}, last("STOP")},
		{"length", streamOp, []conversation.Event{begin, finish(conversation.Length)}, last("MAX_TOKENS")},
		{"filtered", streamOp, []conversation.Event{begin, finish(conversation.Filtered)}, last("SAFETY")},
		{"refused", streamOp, []conversation.Event{begin, finish(conversation.Refused)}, last("SAFETY")},
		{"arguments that are none", streamOp, append(call[:4:4], finish(conversation.ToolCalls)), last("MALFORMED_FUNCTION_CALL")},
		{"cut arguments", streamOp, append(call[:4:4], finish(conversation.Length)), last("MAX_TOKENS")},
		{"no end", streamOp, []conversation.Event{begin}, ""},
		{"no end of an array", arrayOp, []conversation.Event{begin}, ""},
		{
			"a refusal is text", arrayOp,
			[]conversation.Event{begin, {Kind: conversation.PartBegin, Part: conversation.PartRefusal}, {Kind: conversation.Delta, Text: "no"}, {Kind: conversation.PartEnd}},
			`[{"candidates":[{"content":{"parts":[{"text":"no"}],"role":"model"},"index":0}],"modelVersion":"g"}`,
		},
		{
			"probabilities", arrayOp,
			[]conversation.Event{begin, {Kind: conversation.PartBegin, Part: conversation.PartText}, {
				Kind: conversation.Delta, Text: "a", Logprobs: []conversation.Logprob{{Token: "a", Logprob: -0.5, Top: []conversation.Logprob{{Token: "b", Logprob: -1}}}},
			}},
			`[{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0,"logprobsResult":{"topCandidates":[{"candidates":[{"token":"b","logProbability":-1}]}],"chosenCandidates":[{"token":"a","logProbability":-0.5}]}}],"modelVersion":"g"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, written(tt.op, &conversation.Request{}, tt.events)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriterFails(t *testing.T) {
	events := []conversation.Event{
		{Kind: conversation.Begin},
		{Kind: conversation.Failed, Failure: conversation.Failure{Code: string(dialect.CodeBackendRateLimited), RetryAfter: "7"}},
		{Kind: conversation.Finish, Reason: conversation.Stopped},
	}
	got := written(streamOp, &conversation.Request{}, events)
	if !strings.HasPrefix(got, `data: {"error":{"code":429,`) || !strings.Contains(got, `"retryDelay":"7s"`) || strings.Contains(got, "finishReason") {
		t.Errorf("events: %s", got)
	}
	got = written(arrayOp, &conversation.Request{}, events)
	if !strings.HasPrefix(got, `[{"error":{"code":429,`) || json.Valid([]byte(got)) {
		t.Errorf("array, which must stay open: %s", got)
	}
}

func TestEncodeAnswer(t *testing.T) {
	var c conversation.Collector
	for i := range answerEvents {
		c.Add(&answerEvents[i])
	}
	signature := (&carried{before: []conversation.ThinkingPart{{Signature: conversation.Signature{By: service.Claude, Value: "c2ln"}}}}).String()
	got := EncodeAnswer(wholeOp, visible(), c.Answer())
	sameJSON(t, `{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"a\n\"üb","thoughtSignature":"`+signature+`"},
		{"functionCall":{"id":"toolu_1","name":"f","args":{"x":[1.5,2]}}},{"functionCall":{"id":"toolu_2","name":"g","args":{}}}],"role":"model"},
		"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":7,
		"thoughtsTokenCount":2,"totalTokenCount":19},"modelVersion":"opus","responseId":"msg_1"}`, string(got))

	got = EncodeAnswer(wholeOp, &conversation.Request{}, &conversation.Answer{Reason: conversation.Length})
	sameJSON(t, `{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"MAX_TOKENS","index":0}],"modelVersion":"g"}`, string(got))
}

// TestSignaturesReturn sends what a tool got back, whole, in pieces, and as Gemini CLI keeps it: without reasoning.
func TestSignaturesReturn(t *testing.T) {
	claude := conversation.Signature{By: service.Claude, Value: "EqQB+/=="}
	own := conversation.Signature{By: service.Gemini, Value: "QUJD"}
	answer := &conversation.Answer{Parts: []conversation.AnswerPart{
		{Kind: conversation.PartThinking, Text: "t", Signature: claude},
		{Kind: conversation.PartThinking, Redacted: "r\x00ü"},
		{Kind: conversation.PartCall, Call: conversation.Call{ID: "1", Name: "f"}, Text: "{}", Signature: own},
		{Kind: conversation.PartCall, Call: conversation.Call{ID: "2", Name: "f"}, Text: "{}", Signature: claude},
	}, Reason: conversation.ToolCalls}
	want := []conversation.Part{
		conversation.ThinkingPart{Text: "t", Signature: claude},
		conversation.ThinkingPart{Redacted: "r\x00ü"},
		conversation.CallPart{ID: "1", Name: "f", Arguments: "{}", Signature: own},
		conversation.CallPart{ID: "2", Name: "f", Arguments: "{}", Signature: claude},
	}
	var got struct {
		Candidates []struct{ Content json.RawMessage }
	}
	if err := json.Unmarshal(EncodeAnswer(wholeOp, visible(), answer), &got); err != nil {
		t.Fatal(err)
	}
	content := string(got.Candidates[0].Content)
	back := mustDecode(t, `{"contents":[`+content+`]}`)
	if diff := cmp.Diff(want, back.Messages[0].Parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}

	back = mustDecode(t, `{"contents":[`+strings.Replace(content, `{"text":"t","thought":true},`, "", 1)+`]}`)
	want[0] = conversation.ThinkingPart{Signature: claude}
	if diff := cmp.Diff(want, back.Messages[0].Parts); diff != "" {
		t.Errorf("without reasoning (-want +got):\n%s", diff)
	}

	value := (&carried{own: claude}).String()
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		t.Fatalf("%q is not what Google's SDKs decode: %v", value, err)
	}
	if c := readCarried(base64.URLEncoding.EncodeToString(raw)); c.own != claude {
		t.Errorf("in the alphabet for URLs: %+v", c)
	}
	odd := conversation.Signature{By: service.Gemini, Value: "not base64!"}
	if c := readCarried((&carried{own: odd}).String()); c.own != odd {
		t.Errorf("an own signature that is not base64: %+v", c)
	}
	for _, broken := range []string{"tokengo", "tokengo-carried:", "dG9rZW5nbw==", base64.StdEncoding.EncodeToString([]byte(carriedMark + "{"))} {
		if c := readCarried(broken); c.own.By != service.Gemini || c.own.Value == "" {
			t.Errorf("%q: %+v", broken, c)
		}
	}
}
