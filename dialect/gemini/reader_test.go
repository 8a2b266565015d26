// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
)

// readAll reads a stream in pieces that end at the given places.
func readAll(stream string, cuts ...int) ([]conversation.Event, error) {
	r := NewReader(&conversation.Request{Messages: make([]conversation.Message, 3)})
	var events []conversation.Event
	var err error
	from := 0
	for _, to := range append(cuts, len(stream)) {
		if events, err = r.Feed(events, []byte(stream[from:to])); err != nil {
			return events, err
		}
		from = to
	}
	return r.End(events)
}

// brief is the events in a short form.
func brief(events []conversation.Event) string {
	var b strings.Builder
	for i := range events {
		e := &events[i]
		switch e.Kind {
		case conversation.Begin:
			fmt.Fprintf(&b, "begin %s %s", e.ID, e.Model)
		case conversation.PartBegin:
			fmt.Fprintf(&b, "%d %s", e.Index, map[conversation.PartKind]string{
				conversation.PartText: "text", conversation.PartThinking: "thinking", conversation.PartCall: "call", conversation.PartRefusal: "refusal",
			}[e.Part])
			if e.Part == conversation.PartCall {
				fmt.Fprintf(&b, " %s %s", e.Call.ID, e.Call.Name)
			}
		case conversation.Delta:
			fmt.Fprintf(&b, "%d %q", e.Index, e.Text)
			for _, l := range e.Logprobs {
				fmt.Fprintf(&b, " %q %g/%d", l.Token, l.Logprob, len(l.Top))
			}
		case conversation.Signed:
			fmt.Fprintf(&b, "%d signed %s %s%s", e.Index, e.Signature.By, e.Signature.Value, e.Redacted)
		case conversation.PartEnd:
			fmt.Fprintf(&b, "%d end", e.Index)
		case conversation.UsageKnown:
			fmt.Fprintf(&b, "usage %d/%d %d/%d", e.Usage.Input, e.Usage.CacheRead, e.Usage.Output, e.Usage.Reasoning)
		case conversation.Finish:
			fmt.Fprintf(&b, "finish %d", e.Reason)
		case conversation.Failed:
			fmt.Fprintf(&b, "failed %s %s", e.Failure.Code, e.Failure.RetryAfter)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// lines puts an expectation into the form of brief.
func lines(s ...string) string { return strings.Join(s, "\n") + "\n" }

func piece(parts, rest string) string {
	return `{"candidates":[{"content":{"parts":[` + parts + `],"role":"model"}` + rest + `,"index":0}],"modelVersion":"gemini-x","responseId":"r1"}`
}

func sse(pieces ...string) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString("data: " + p + "\r\n\r\n")
	}
	return b.String()
}

var streams = []struct{ name, stream, want string }{
	{
		"text", sse(
			`{"candidates":[{"content":{"parts":[{"text":"Grü"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":5,"cachedContentTokenCount":2,"totalTokenCount":5},"modelVersion":"gemini-x","responseId":"r1"}`,
			piece(`{"text":"ße \u4f60"}`, ""), piece(`{"text":""}`, ""),
			`{"candidates":[{"content":{"parts":[{"text":"!"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7,"thoughtsTokenCount":3,"toolUsePromptTokenCount":1}}`,
		),
		lines("begin r1 gemini-x", "usage 5/2 0/0", "0 text", `0 "Grü"`, `0 "ße 你"`, "usage 6/2 10/3", `0 "!"`, "0 end", "finish 1"),
	},
	{
		"an array", "[" + piece(`{"text":"a"}`, "") + "\n,\r\n" + piece(`{"text":"b"}`, `,"finishReason":"MAX_TOKENS"`) + "\n]\n",
		lines("begin r1 gemini-x", "0 text", `0 "a"`, `0 "b"`, "0 end", "finish 2"),
	},
	{
		"a reason in every piece", sse(piece(`{"text":"a"}`, `,"finishReason":"STOP"`), piece(`{"functionCall":{"name":"f"}}`, `,"finishReason":"STOP"`), piece(`{"text":"b"}`, `,"finishReason":"STOP"`)),
		lines("begin r1 gemini-x", "0 text", `0 "a"`, "0 end", "1 call call_r1_0 f", "1 end", "2 text", `2 "b"`, "2 end", "finish 3"),
	},
	{
		"calls", sse(piece(`{"text":"t","thought":true},{"functionCall":{"name":"f","args":{"a": 1}},"thoughtSignature":"U0lH"},{"functionCall":{"id":"own","name":"g","args":{}}}`, ""), piece("", `,"finishReason":"STOP"`)),
		lines("begin r1 gemini-x", "0 thinking", `0 "t"`, "0 end", "1 call call_r1_0 f", `1 "{\"a\": 1}"`, "1 signed gemini U0lH", "1 end", "2 call own g", "2 end", "finish 3"),
	},
	{
		"calls of an answer without an id", sse(`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":null}}]},"finishReason":"STOP"}]}`, "[DONE]"),
		lines("begin  ", "0 call call_m3_0 f", "0 end", "finish 3"),
	},
	{
		"signatures", sse(piece(`{"text":"t","thought":true,"thoughtSignature":"MQ=="}`, ""), piece(`{"text":"u","thought":true}`, ""), piece(`{"text":"","thought":true,"thoughtSignature":"Mg=="}`, ""),
			piece(`{"text":"x"}`, ""), piece(`{"text":"","thoughtSignature":"Mw=="}`, `,"finishReason":"STOP"`)),
		lines("begin r1 gemini-x", "0 thinking", `0 "t"`, "0 signed gemini MQ==", "0 end", "1 thinking", `1 "u"`, "1 signed gemini Mg==", "1 end", "2 text", `2 "x"`, "2 end", "3 thinking", "3 signed gemini Mw==", "3 end", "finish 1"),
	},
	{
		"length stays length", sse(piece(`{"functionCall":{"name":"f"}}`, `,"finishReason":"MAX_TOKENS"`)),
		lines("begin r1 gemini-x", "0 call call_r1_0 f", "0 end", "finish 2"),
	},
	{
		"withheld", sse(piece(`{"text":"a"}`, ""), `{"candidates":[{"finishReason":"SAFETY"}]}`),
		lines("begin r1 gemini-x", "0 text", `0 "a"`, "0 end", "finish 4"),
	},
	{
		"the prompt was blocked", sse(`{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}}`),
		lines("begin  ", "usage 4/0 0/0", "finish 4"),
	},
	{
		"a call that is none", sse(piece(`{"text":"a"}`, ""), piece("", `,"finishReason":"MALFORMED_FUNCTION_CALL"`)),
		lines("begin r1 gemini-x", "0 text", `0 "a"`, "failed backend_error "),
	},
	{
		"an error in the stream", sse(piece(`{"text":"a"}`, ""), `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"secret","details":[{"@type":"x","retryDelay":"12.3s"}]}}`, piece(`{"text":"b"}`, `,"finishReason":"STOP"`)),
		lines("begin r1 gemini-x", "0 text", `0 "a"`, "failed backend_rate_limited 13"),
	},
	{
		"an error beside the events", sse(piece(`{"text":"a"}`, "")) + "{\n  \"error\": {\"code\": 503, \"status\": \"UNAVAILABLE\"}\n}\n",
		lines("begin r1 gemini-x", "0 text", `0 "a"`, "failed backend_overloaded "),
	},
	{
		"an error in an array", `[{"error":{"code":500,"status":"INTERNAL"}}]`,
		lines("begin  ", "failed backend_error "),
	},
	{
		"probabilities", sse(piece(`{"text":"ab"}`, `,"logprobsResult":{"topCandidates":[{"candidates":[{"token":"a","logProbability":-0.5},{"token":"x","logProbability":-2}]},{"candidates":[]}],"chosenCandidates":[{"token":"a","logProbability":-0.5},{"token":"b","logProbability":-1}]},"finishReason":"STOP"`)),
		lines("begin r1 gemini-x", "0 text", `0 "ab" "a" -0.5/2 "b" -1/0`, "0 end", "finish 1"),
	},
	{
		"other candidates and parts", ": hello\n\n" + sse(`{"candidates":[{"content":{"parts":[{"text":"no"}]},"finishReason":"MAX_TOKENS","index":1},{"content":{"parts":[{"text":"yes"},{"inlineData":{"data":"AA=="}}]},"finishReason":"STOP"}],"later":{"a":[1,{}]}}`),
		lines("begin  ", "0 text", `0 "yes"`, "0 end", "finish 1"),
	},
	{
		"no line end at the end", "data: " + piece(`{"text":"a"}`, `,"finishReason":"STOP"`),
		lines("begin r1 gemini-x", "0 text", `0 "a"`, "0 end", "finish 1"),
	},
	{
		"a whole answer instead of a stream", "{\n \"candidates\": [ {\"content\": {\"parts\": [ {\"text\": \"a\"} ]},\n \"finishReason\": \"STOP\"} ]\n}",
		lines("begin  ", "0 text", `0 "a"`, "0 end", "finish 1"),
	},
}

func TestReader(t *testing.T) {
	for _, tt := range streams {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readAll(tt.stream)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, brief(got)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			random := rand.New(rand.NewPCG(1, 2))
			for range 50 {
				var cuts []int
				for at := 0; at < len(tt.stream); at += 1 + random.IntN(40) {
					cuts = append(cuts, at)
				}
				again, err := readAll(tt.stream, cuts...)
				if diff := cmp.Diff(got, again); diff != "" || err != nil {
					t.Fatalf("cut at %v: %v\n%s", cuts, err, diff)
				}
			}
		})
	}
}

func TestReaderErrors(t *testing.T) {
	tests := []struct {
		name, stream string
		want         error
	}{
		{"nothing", "", ErrCut},
		{"no reason", sse(piece(`{"text":"a"}`, "")), ErrCut},
		{"a cut event", "data: " + piece(`{"text":"a"}`, `,"finishReason":"STOP"`)[:60], ErrCut},
		{"an open array", "[" + piece(`{"text":"a"}`, ""), ErrCut},
		{"no JSON", "data: hello\n\n", ErrMalformed},
		{"no object", "data: [1]\n\n", ErrMalformed},
		{"a call without a name", sse(piece(`{"functionCall":{}}`, "")), ErrMalformed},
		{"a broken array", "[1 2", ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := readAll(tt.stream); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	cutAfterReason := "[" + piece(`{"text":"a"}`, `,"finishReason":"STOP"`)
	if _, err := readAll(cutAfterReason); err != nil {
		t.Errorf("an array that lacks only its bracket: %v", err)
	}
}

func TestDecodeAnswer(t *testing.T) {
	const usage = `"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}`
	tests := []struct{ name, body, want string }{
		{"text", `{"candidates":[{"content":{"parts":[{"text":"a"},{"text":"b"}]},"finishReason":"STOP"}],` + usage + `,"responseId":"r","modelVersion":"m"}`, lines("begin r m", "usage 3/0 2/0", "0 text", `0 "a"`, `0 "b"`, "0 end", "finish 1")},
		{"no reason", `{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}`, lines("begin  ", "0 text", `0 "a"`, "0 end", "finish 1")},
		{"nothing said", `{"candidates":[{"finishReason":"MAX_TOKENS"}]}`, lines("begin  ", "finish 2")},
		{"an array of pieces", `[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},{"candidates":[{"finishReason":"STOP"}]}]`, lines("begin  ", "0 text", `0 "a"`, "0 end", "finish 1")},
		{"an error", `{"error":{"code":400,"status":"INVALID_ARGUMENT"}}`, lines("begin  ", "failed backend_rejected ")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeAnswer(&conversation.Request{}, []byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, brief(got)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
	for _, body := range []string{"", "{}", "[]", "{", "null", `{"usageMetadata":{"promptTokenCount":1}}`} {
		if _, err := DecodeAnswer(&conversation.Request{}, []byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: error %v, want ErrMalformed", body, err)
		}
	}
}

func TestErrorCode(t *testing.T) {
	tests := []struct {
		status int
		body   string
		want   dialect.Code
	}{
		{400, `{"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}`, dialect.CodeBackendAuth},
		{400, `[{"error":{"code":400,"status":"INVALID_ARGUMENT"}}]`, dialect.CodeBackendRejected},
		{403, ``, dialect.CodeBackendAuth},
		{404, `{}`, dialect.CodeBackendRejected},
		{429, `oops`, dialect.CodeBackendRateLimited},
		{503, ``, dialect.CodeBackendOverloaded},
		{504, ``, dialect.CodeBackendTimeout},
		{500, `{"error":{"status":"INTERNAL"}}`, dialect.CodeBackendError},
	}
	for _, tt := range tests {
		if got := ErrorCode(tt.status, []byte(tt.body)); got != tt.want {
			t.Errorf("%d %s is %s, want %s", tt.status, tt.body, got, tt.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	body := `{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}]}}`
	if got := RetryAfter([]byte(body)); got != "35" {
		t.Errorf("got %q, want 35", got)
	}
	if got := RetryAfter([]byte(`{"error":{"details":[{"retryDelay":"soon"}]}}`)); got != "" {
		t.Errorf("got %q, want none", got)
	}
}

// wellFormed says what is wrong with a sequence of events.
func wellFormed(events []conversation.Event, ended bool) error {
	open := map[int]bool{}
	for i := range events {
		e := &events[i]
		last := i == len(events)-1
		switch {
		case i == 0 && e.Kind != conversation.Begin, i > 0 && e.Kind == conversation.Begin:
			return fmt.Errorf("event %d is of kind %d", i, e.Kind)
		case e.Kind == conversation.PartBegin && (open[e.Index] || e.Part == conversation.PartCall && e.Call.ID == ""):
			return fmt.Errorf("event %d begins part %d badly", i, e.Index)
		case e.Kind == conversation.PartBegin:
			open[e.Index] = true
		case (e.Kind == conversation.Delta || e.Kind == conversation.Signed || e.Kind == conversation.PartEnd) && !open[e.Index]:
			return fmt.Errorf("event %d is of part %d, which is not open", i, e.Index)
		case e.Kind == conversation.PartEnd:
			delete(open, e.Index)
		case e.Kind == conversation.Finish && (len(open) > 0 || !last), e.Kind == conversation.Failed && !last:
			return fmt.Errorf("event %d ends too early", i)
		}
		if ended && last && e.Kind != conversation.Finish && e.Kind != conversation.Failed {
			return errors.New("no end")
		}
	}
	return nil
}

func FuzzReader(f *testing.F) {
	for _, s := range streams {
		f.Add(s.stream, uint8(7))
	}
	f.Fuzz(func(t *testing.T, stream string, step uint8) {
		whole, err := readAll(stream)
		if problem := wellFormed(whole, err == nil); problem != nil {
			t.Fatalf("%v in\n%s", problem, brief(whole))
		}
		var cuts []int
		for at := 0; at < len(stream); at += int(step) + 1 {
			cuts = append(cuts, at)
		}
		pieces, again := readAll(stream, cuts...)
		if (err == nil) != (again == nil) {
			t.Fatalf("whole: %v, in pieces: %v", err, again)
		}
		if diff := cmp.Diff(whole, pieces); diff != "" {
			t.Fatalf("in pieces:\n%s", diff)
		}
		for _, op := range []dialect.Operation{streamOp, arrayOp} {
			w := NewWriter(op, &conversation.Request{})
			var out []byte
			for i := range whole {
				out = w.Event(out, &whole[i])
			}
			out = w.End(out)
			if err != nil || whole[len(whole)-1].Kind != conversation.Finish {
				continue
			}
			if _, err := readAll(string(out)); err != nil {
				t.Fatalf("what was written cannot be read: %v\n%s", err, out)
			}
		}
	})
}
