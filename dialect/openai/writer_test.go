// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

func signature(i int, p service.Protocol, value string) cv {
	return cv{Kind: conversation.Signed, Index: i, Signature: conversation.Signature{By: p, Value: value}}
}

func TestWriter(t *testing.T) {
	const head = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m",`
	chunk := func(delta, finish string) string {
		return head + `"choices":[{"index":0,"delta":` + delta + `,"logprobs":null,"finish_reason":` + finish + "}]}\n\n"
	}
	role := chunk(`{"role":"assistant","content":"","refusal":null}`, "null")
	withUsage := func(s string) string { return strings.ReplaceAll(s, "}]}\n\n", "}],\"usage\":null}\n\n") }
	for _, tt := range []struct {
		name string
		req  conversation.Request
		in   []cv
		want string
	}{
		{
			"text",
			conversation.Request{},
			with(textPart, finish(conversation.Stopped)),
			role + chunk(`{"content":"hi"}`, "null") + chunk(`{}`, `"stop"`) + done,
		},
		{
			"usage",
			conversation.Request{StreamUsage: true},
			with(textPart, usage(conversation.Usage{Input: 9}), usage(conversation.Usage{Input: 9, Output: 5, CacheRead: 2, Reasoning: 1}), usage(conversation.Usage{}), finish(conversation.Stopped)),
			withUsage(role+chunk(`{"content":"hi"}`, "null")+chunk(`{}`, `"stop"`)) + head +
				`"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":2},"completion_tokens_details":{"reasoning_tokens":1}}}` + "\n\n" + done,
		},
		{
			"calls",
			conversation.Request{},
			[]cv{
				begin, partBegin(0, conversation.PartText), delta(0, "hi"), partEnd(0), callBegin(1, "a", "f"), delta(1, "{"), callBegin(2, "b", "g"), delta(1, "}"),
				partEnd(2), partEnd(1), finish(conversation.ToolCalls),
			},
			role + chunk(`{"content":"hi"}`, "null") +
				chunk(`{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}`, "null") +
				chunk(`{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}`, "null") +
				chunk(`{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}]}`, "null") +
				chunk(`{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}`, "null") +
				chunk(`{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}`, "null") + chunk(`{}`, `"tool_calls"`) + done,
		},
		{
			"reasoning with signatures",
			conversation.Request{},
			[]cv{
				begin, partBegin(0, conversation.PartThinking), delta(0, "a"), signature(0, service.Claude, "s"), partEnd(0),
				partBegin(1, conversation.PartThinking),
				{Kind: conversation.Signed, Index: 1, Redacted: "r"},
				partEnd(1),
				callBegin(2, "a", "f"), delta(2, "{}"), signature(2, service.Gemini, "s"), partEnd(2), finish(conversation.ToolCalls),
			},
			role + chunk(`{"reasoning_content":"a","reasoning_details":[{"type":"reasoning.text","text":"a","index":0}]}`, "null") +
				chunk(`{"reasoning_details":[{"type":"reasoning.text","text":"","signature":"tokengo:claude:cw","index":0}]}`, "null") +
				chunk(`{"reasoning_details":[{"type":"reasoning.encrypted","data":"tokengo:claude:cg","index":1}]}`, "null") +
				chunk(`{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}`, "null") +
				chunk(`{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}`, "null") +
				chunk(`{"tool_calls":[{"index":0,"function":{"arguments":""},"extra_content":{"google":{"thought_signature":"tokengo:gemini:cw"}}}]}`, "null") +
				chunk(`{}`, `"tool_calls"`) + done,
		},
		{
			"hidden reasoning",
			conversation.Request{Reasoning: conversation.Reasoning{Visible: new(false)}},
			[]cv{begin, partBegin(0, conversation.PartThinking), delta(0, "a"), partEnd(0), finish(conversation.Length)},
			role + chunk(`{}`, `"length"`) + done,
		},
		{
			"refusal",
			conversation.Request{},
			[]cv{begin, partBegin(0, conversation.PartRefusal), delta(0, "no"), partEnd(0), finish(conversation.Refused)},
			role + chunk(`{"refusal":"no"}`, "null") + chunk(`{}`, `"stop"`) + done,
		},
		{"refused", conversation.Request{}, []cv{begin, finish(conversation.Refused)}, role + chunk(`{}`, `"content_filter"`) + done},
		{"cut", conversation.Request{}, textPart, role + chunk(`{"content":"hi"}`, "null")},
		{
			"failed",
			conversation.Request{},
			with(textPart[:3], failed("backend_overloaded")),
			role + chunk(`{"content":"hi"}`, "null") + string((&dialect.Error{Code: dialect.CodeBackendOverloaded}).StreamEventAfter(chatOp, eventStream, nil)),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, written(chatOp, &tt.req, tt.in)); diff != "" {
				t.Errorf("stream (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriterTakesNamesFromTheRequest(t *testing.T) {
	got := written(chatOp, &conversation.Request{Model: "asked"}, []cv{{Kind: conversation.Begin, ID: "msg_1"}})
	if !strings.Contains(got, `"id":"chatcmpl-msg_1"`) || !strings.Contains(got, `"model":"asked"`) {
		t.Errorf("chunk %s, want the prefix of the id and the request's model", got)
	}
}

func TestWriterCompletion(t *testing.T) {
	in := []cv{
		begin, partBegin(0, conversation.PartThinking), delta(0, "t"), partEnd(0), partBegin(1, conversation.PartText),
		{Kind: conversation.Delta, Index: 1, Text: "hé", Logprobs: []conversation.Logprob{{Token: "hé", Logprob: -1, Top: []conversation.Logprob{{Token: "ho", Logprob: -2}}}}},
		{Kind: conversation.Delta, Index: 1, Text: "y", Logprobs: []conversation.Logprob{{Token: "y", Logprob: -1}}},
		partEnd(1), callBegin(2, "a", "f"), delta(2, "{}"), partEnd(2), finish(conversation.ToolCalls),
	}
	const head = `data: {"id":"cmpl-chatcmpl-1","object":"text_completion","created":7,"model":"m","choices":[{"index":0,"text":`
	want := head + `"hé","logprobs":{"tokens":["hé"],"token_logprobs":[-1],"top_logprobs":[{"ho":-2}],"text_offset":[0]},"finish_reason":null}]}` + "\n\n" +
		head + `"y","logprobs":{"tokens":["y"],"token_logprobs":[-1],"top_logprobs":[{}],"text_offset":[2]},"finish_reason":null}]}` + "\n\n" +
		head + `"","logprobs":null,"finish_reason":"stop"}]}` + "\n\n" + done
	if diff := cmp.Diff(want, written(completionOp, &conversation.Request{}, in)); diff != "" {
		t.Errorf("stream (-want +got):\n%s", diff)
	}
	sameJSON(t, `{"id":"cmpl-chatcmpl-1","object":"text_completion","created":7,"model":"m","choices":[{"index":0,"text":"héy","logprobs":{"tokens":["hé","y"],
		"token_logprobs":[-1,-1],"top_logprobs":[{"ho":-2},{}],"text_offset":[0,2]},"finish_reason":"stop"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0,
		"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}`,
		string(EncodeAnswer(completionOp, &conversation.Request{}, collect(in))))
}

func TestEncodeAnswer(t *testing.T) {
	answer := func(message, logprobs, finish string) string {
		return `{"id":"chatcmpl-1","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,"message":` + message + `,"logprobs":` + logprobs +
			`,"finish_reason":"` + finish + `"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":3},"completion_tokens_details":{"reasoning_tokens":0}}}`
	}
	used := usage(conversation.Usage{Input: 9, Output: 5, CacheWrite: 3})
	withLogprobs := with(textPart)
	withLogprobs[2].Logprobs = []conversation.Logprob{{Token: "hi", Logprob: -0.5, Bytes: []byte("hi")}}
	for _, tt := range []struct {
		name string
		in   []cv
		want string
	}{
		{"text", with(textPart, used, finish(conversation.Stopped)), answer(`{"role":"assistant","content":"hi","refusal":null}`, "null", "stop")},
		{"nothing", []cv{begin, used, finish(conversation.Filtered)}, answer(`{"role":"assistant","content":"","refusal":null}`, "null", "content_filter")},
		{
			"logprobs", with(withLogprobs, used, finish(conversation.Length)),
			answer(`{"role":"assistant","content":"hi","refusal":null}`, `{"content":[{"token":"hi","logprob":-0.5,"bytes":[104,105],"top_logprobs":[]}],"refusal":null}`, "length"),
		},
		{
			"refusal",
			[]cv{begin, partBegin(0, conversation.PartRefusal), delta(0, "no"), partEnd(0), used, finish(conversation.Refused)},
			answer(`{"role":"assistant","content":null,"refusal":"no"}`, "null", "stop"),
		},
		{
			"calls",
			[]cv{
				begin, partBegin(0, conversation.PartThinking), delta(0, "a"), signature(0, service.Claude, "s"), partEnd(0),
				partBegin(1, conversation.PartThinking), delta(1, "b"), signed(1, "chat:reasoning"), partEnd(1),
				callBegin(2, "a", "f"), signature(2, service.Gemini, "s"), partEnd(2), callBegin(3, "b", "g"), delta(3, `{"x":1}`), partEnd(3), used, finish(conversation.ToolCalls),
			},
			answer(`{"role":"assistant","content":null,"refusal":null,"reasoning_content":"ab","reasoning_details":[{"type":"reasoning.text","text":"a","signature":"tokengo:claude:cw","index":0},
				{"type":"reasoning.text","text":"b","index":1}],"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"tokengo:gemini:cw"}}},
				{"id":"b","type":"function","function":{"name":"g","arguments":"{\"x\":1}"}}]}`, "null", "tool_calls"),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sameJSON(t, tt.want, string(EncodeAnswer(chatOp, &conversation.Request{}, collect(tt.in))))
		})
	}
}

func TestIdle(t *testing.T) {
	w := NewWriter(chatOp, &conversation.Request{})
	stream := string(w.Idle(nil)) + chunks("", `"delta":{"content":"hi"},"finish_reason":"stop"`) + string(w.Idle(nil)) + done
	got, err := events(0, &conversation.Request{}, stream)
	if diff := cmp.Diff(with(textPart, finish(conversation.Stopped)), got, emptyIsNil); err != nil || diff != "" {
		t.Errorf("a stream with idle comments: %v\n%s", err, diff)
	}
	if w.ContentType() != "text/event-stream" {
		t.Errorf("content type %q", w.ContentType())
	}
}

func TestErrorCode(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		want   dialect.Code
	}{
		{401, "", dialect.CodeBackendAuth},
		{200, `{"error":{"type":"insufficient_quota"}}`, dialect.CodeBackendRateLimited},
		{200, `{"error":{"code":"slow_down"}}`, dialect.CodeBackendError},
		{200, `<html>`, dialect.CodeBackendError},
	} {
		if got := ErrorCode(tt.status, []byte(tt.body)); got != tt.want {
			t.Errorf("ErrorCode(%d, %s) = %s, want %s", tt.status, tt.body, got, tt.want)
		}
	}
}
