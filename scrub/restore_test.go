// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/scrub"
)

// askedByAlice is a request that has every name in it.
func askedByAlice(t testing.TB) *scrub.Request {
	t.Helper()
	id := alice
	id.Words = append([]string{`"Al" \ Liddell`}, id.Words...)
	return renamed(t, "/v1/chat/completions", chat("/home/alice"), id)
}

var streams = []struct{ name, contentType, in, want string }{
	{
		"openai", "text/event-stream; charset=utf-8",
		": hello {\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"in /home/us\"}}]}\n\ndata: {\"choices\":[{\"index\":0, \"delta\":{\"content\":\"er4\"}}]}\n\n" +
			"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"17/x\"}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
		": hello {\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"in /home/alice\"}}]}\n\ndata: {\"choices\":[{\"index\":0, \"delta\":{\"content\":\"\"}}]}\n\n" +
			"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"/x\"}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
	},
	{
		"openai, two calls in turns", "text/event-stream",
		`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"p\":\"/home/us"}}]}}]}` + "\n\n" +
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{\"w\":\"word4"}}]}}]}` + "\n\n" +
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"er417/x\"}"}}]}}]}` + "\n\n" +
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"17\"}"}}]}}]}` + "\n\n",
		`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"p\":\"/home/alice"}}]}}]}` + "\n\n" +
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{\"w\":\"\\\"Al\\\" \\\\ Liddell"}}]}}]}` + "\n\n" +
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"/x\"}"}}]}}]}` + "\n\n" +
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"\"}"}}]}}]}` + "\n\n",
	},
	{
		"claude", "text/event-stream",
		"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"user417"}}` + "\n\n" +
			"event: ping\n" + `data: {"type":"ping"}` + "\n\n" +
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@example.inv"}}` + "\n\n" +
			"event: content_block_stop\n" + `data: {"type":"content_block_stop","index":0}` + "\n\n" +
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":\"hi\\nuser"}}` + "\n\n" +
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"417\"}"}}` + "\n\n",
		"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"alice"}}` + "\n\n" +
			"event: ping\n" + `data: {"type":"ping"}` + "\n\n" +
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@example.inv"}}` + "\n\n" +
			"event: content_block_stop\n" + `data: {"type":"content_block_stop","index":0}` + "\n\n" +
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":\"hi\\nalice"}}` + "\n\n" +
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"\"}"}}` + "\n\n",
	},
	{
		"responses", "text/event-stream",
		`data: {"type":"response.output_text.delta","item_id":"a","output_index":0,"content_index":0,"delta":"by Al"}` + "\n\n" +
			`data: {"type":"response.output_text.delta","item_id":"a","output_index":0,"content_index":0,"delta":"ex Person417"}` + "\n\n" +
			`data: {"type":"response.output_text.done","item_id":"a","text":"by Alex Person417"}` + "\n\n" +
			`data: {"type":"response.function_call_arguments.done","arguments":"{\"x\":\"word417\"}"}` + "\n\n",
		`data: {"type":"response.output_text.delta","item_id":"a","output_index":0,"content_index":0,"delta":"by Alice Liddell"}` + "\n\n" +
			`data: {"type":"response.output_text.delta","item_id":"a","output_index":0,"content_index":0,"delta":""}` + "\n\n" +
			`data: {"type":"response.output_text.done","item_id":"a","text":"by Alice Liddell"}` + "\n\n" +
			`data: {"type":"response.function_call_arguments.done","arguments":"{\"x\":\"\\\"Al\\\" \\\\ Liddell\"}"}` + "\n\n",
	},
	{
		"gemini, array", "application/json",
		"[{\n \"candidates\": [{\"content\": {\"parts\": [{\"text\": \"thought of u\",\"thought\":true}]}}]\n}\n,\r\n" +
			`{"candidates":[{"content":{"parts":[{"text":"host"},{"text":"417 is"}]}}]},{"candidates":[{"content":{"parts":[{"functionCall":{"args":{"path":"/home/user417/x"}}}]}}]}]`,
		"[{\n \"candidates\": [{\"content\": {\"parts\": [{\"text\": \"thought of u\",\"thought\":true}]}}]\n}\n,\r\n" +
			`{"candidates":[{"content":{"parts":[{"text":"wonderland"},{"text":" is"}]}}]},{"candidates":[{"content":{"parts":[{"functionCall":{"args":{"path":"/home/alice/x"}}}]}}]}]`,
	},
	{
		"ollama", "application/x-ndjson",
		`{"message":{"content":"in /home"},"done":false}` + "\n" + `{"message":{"content":"/user417"},"done":false}` + "\n" + `{"message":{"content":""},"done":true}` + "\n",
		`{"message":{"content":"in /home/alice"},"done":false}` + "\n" + `{"message":{"content":""},"done":false}` + "\n" + `{"message":{"content":""},"done":true}` + "\n",
	},
	{
		"whole", "application/json",
		`{ "choices":[{"index":0,"message":{"content":"caf\u00e9 user417","tool_calls":[{"function":{"arguments":"{\"a\":\"word417\"}"}}]}}]}`,
		`{ "choices":[{"index":0,"message":{"content":"café alice","tool_calls":[{"function":{"arguments":"{\"a\":\"\\\"Al\\\" \\\\ Liddell\"}"}}]}}]}`,
	},
	{
		"arguments that are an object", "application/json",
		`{"id":"user417","content":[{"type":"tool_use","name":"user417","input":{"/home/user417/x":{"id":"user417"}}},{"type":"thinking","signature":"user417","thinking":"user417"}]}`,
		`{"id":"user417","content":[{"type":"tool_use","name":"user417","input":{"/home/alice/x":{"id":"alice"}}},{"type":"thinking","signature":"user417","thinking":"alice"}]}`,
	},
	{"broken JSON", "text/event-stream", "data: {\"a\":user417}\n\ndata: {\"a\":\n\ndata: {\"a\":\"user417\"}\n\n", "data: {\"a\":user417}\n\ndata: {\"a\":\n\ndata: {\"a\":\"alice\"}\n\n"},
	{"cut", "application/json", `{"a":"user417`, `{"a":"user417`},
	{"something else", "text/html", "<p>user417 {", "<p>user417 {"},
	{"no type", "", "user417", "user417"},
}

// Names come back in every protocol's answers, however the bytes arrive, and nothing else changes.
func TestRestore(t *testing.T) {
	for _, tt := range streams {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, string(restored(t, askedByAlice(t), tt.in, tt.contentType))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			bytewise := askedByAlice(t).Restore(iotest.OneByteReader(strings.NewReader(tt.in)), tt.contentType)
			got, err := io.ReadAll(iotest.OneByteReader(bytewise))
			if err != nil || string(got) != tt.want {
				t.Errorf("byte by byte %v:\n%s", err, cmp.Diff(tt.want, string(got)))
			}
		})
	}
}

// An event waits only while its text could be the beginning of a placeholder.
func TestRestoreDoesNotWait(t *testing.T) {
	src, in := io.Pipe()
	out := askedByAlice(t).Restore(src, "text/event-stream")
	event := func(text string) string {
		return fmt.Sprintf("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", text)
	}
	buf := make([]byte, 1000)
	for _, step := range []struct{ in, want string }{
		{event("hello"), event("hello")},
		{event("see /home/user417,") + event("the us"), event("see /home/alice,") + "data: "},
		{event("age"), event("the us")[len("data: "):] + event("age")},
	} {
		go io.WriteString(in, step.in)
		n := 0
		for n < len(step.want) {
			m, err := out.Read(buf[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += m
		}
		if got := string(buf[:n]); got != step.want {
			t.Errorf("after %q came %q, want %q", step.in, got, step.want)
		}
	}
}

// A text that never goes on does not hold others up for ever.
func TestRestoreHoldsLittle(t *testing.T) {
	var in strings.Builder
	in.WriteString(`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"user"}}]}}]}` + "\n\n")
	for range 1000 {
		in.WriteString(`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"x"}}]}}]}` + "\n\n")
	}
	src := strings.NewReader(in.String())
	out := askedByAlice(t).Restore(src, "text/event-stream")
	if _, err := io.ReadFull(out, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if src.Len() == 0 {
		t.Error("nothing came before all had been read")
	}
}

// What came before an error is passed on, and then the error.
func TestRestoreFails(t *testing.T) {
	broken := errors.New("broken")
	src := io.MultiReader(strings.NewReader(`data: {"choices":[{"index":0,"delta":{"content":"user"}}]}`+"\n\ndata: {"), iotest.ErrReader(broken))
	got, err := io.ReadAll(askedByAlice(t).Restore(src, "text/event-stream"))
	if err != broken || !strings.Contains(string(got), `"user"`) {
		t.Errorf("got %q, %v", got, err)
	}
}

// A request without names changes no answer.
func TestRestoreNothing(t *testing.T) {
	src := strings.NewReader("user417")
	if got := renamed(t, "/v1/chat/completions", chat("hi"), alice).Restore(src, "application/json"); got != src {
		t.Error("an answer to a request without names is looked at")
	}
}

// However a text is cut into events, the same comes back, and the stream stays one.
func FuzzRestore(f *testing.F) {
	f.Add("in /home/user417/x by Alex Person417 user417@example.invalid", uint64(0x1234567890abcdef))
	f.Add("uuser417 user4177 USER417\\nuser417", uint64(1))
	f.Fuzz(func(t *testing.T, text string, cuts uint64) {
		q := askedByAlice(t)
		text = content(t, chat(text)) // valid UTF-8
		want := content(t, restored(t, q, string(chat(text)), "application/json"))
		var in strings.Builder
		rest := []rune(text)
		for len(rest) > 0 {
			n := min(len(rest), int(cuts%5)+1)
			cuts = cuts>>3 | cuts<<61
			in.WriteString("data: " + string(streamed(string(rest[:n]))) + "\n\n")
			rest = rest[n:]
		}
		got := ""
		for line := range strings.SplitSeq(string(restored(t, q, in.String(), "text/event-stream")), "\n\n") {
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				got += piece(t, data)
			}
		}
		if got != want {
			t.Fatalf("%q became %q, want %q", text, got, want)
		}
	})
}

func BenchmarkRestore(b *testing.B) {
	event := `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}` + "\n\n"
	in := strings.Repeat(event, 1000)
	q := askedByAlice(b)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.Copy(io.Discard, q.Restore(strings.NewReader(in), "text/event-stream")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPseudonyms(b *testing.B) {
	body := largeBody()
	op := operation(b, "/v1/chat/completions")
	p := scrub.NewPseudonyms(alice)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, problem := scrub.New(op, nil, body, scrub.Options{Pseudonyms: p}); problem != nil {
			b.Fatal(problem)
		}
	}
}

// streamed is a chunk of a chat with a piece of text.
func streamed(text string) []byte {
	var c chunk
	c.Choices = append(c.Choices, choice{})
	c.Choices[0].Delta.Content = text
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return raw
}

// piece is the text of such a chunk.
func piece(t *testing.T, data string) string {
	t.Helper()
	var c chunk
	if err := json.Unmarshal([]byte(data), &c); err != nil || len(c.Choices) != 1 {
		t.Fatalf("%s: %v", data, err)
	}
	return c.Choices[0].Delta.Content
}

type chunk struct {
	Choices []choice `json:"choices"`
}

type choice struct {
	Index int `json:"index"`
	Delta struct {
		Content string `json:"content"`
	} `json:"delta"`
}
