// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/service"
)

var begin = cv{Kind: conversation.Begin, ID: "chatcmpl-1", Model: "m", Created: 7}

func partBegin(i int, kind conversation.PartKind) cv {
	return cv{Kind: conversation.PartBegin, Index: i, Part: kind}
}

func callBegin(i int, id, name string) cv {
	e := partBegin(i, conversation.PartCall)
	e.Call = conversation.Call{ID: id, Name: name}
	return e
}

func delta(i int, text string) cv { return cv{Kind: conversation.Delta, Index: i, Text: text} }

func signed(i int, mark string) cv {
	return cv{Kind: conversation.Signed, Index: i, Signature: conversation.Signature{By: service.OpenAI, Value: mark}}
}

func partEnd(i int) cv { return cv{Kind: conversation.PartEnd, Index: i} }

func finish(r conversation.Reason) cv { return cv{Kind: conversation.Finish, Reason: r} }

func usage(u conversation.Usage) cv { return cv{Kind: conversation.UsageKnown, Usage: u} }

func failed(code string) cv {
	return cv{Kind: conversation.Failed, Failure: conversation.Failure{Code: code}}
}

var textPart = []cv{begin, partBegin(0, conversation.PartText), delta(0, "hi"), partEnd(0)}

type streamCase struct {
	name, in string
	want     []cv
	err      error
}

func runStreams(t *testing.T, list []streamCase) {
	t.Helper()
	for _, tt := range list {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(20) {
				got, err := events(seed, &conversation.Request{}, tt.in)
				if !errors.Is(err, tt.err) {
					t.Fatalf("seed %d: error %v, want %v", seed, err, tt.err)
				}
				if diff := cmp.Diff(tt.want, got, emptyIsNil); diff != "" {
					t.Fatalf("seed %d: events (-want +got):\n%s", seed, diff)
				}
			}
		})
	}
}

func with(list []cv, more ...cv) []cv { return append(append([]cv{}, list...), more...) }

func TestReaderText(t *testing.T) {
	stop := `"delta":{},"finish_reason":"stop"`
	hi := `"delta":{"role":"assistant","content":"hi"},"finish_reason":null`
	runStreams(t, []streamCase{
		{"plain", chunks(done, hi, stop), with(textPart, finish(conversation.Stopped)), nil},
		{"role first", chunks(done, `"delta":{"role":"assistant","content":""}`, hi, stop), with(textPart, finish(conversation.Stopped)), nil},
		{"no marker after the reason", chunks("", hi, stop), with(textPart, finish(conversation.Stopped)), nil},
		{"no reason before the marker", chunks(done, hi), with(textPart, finish(conversation.Stopped)), nil},
		{"no final newline", strings.TrimRight(chunks("", hi, stop), "\n"), with(textPart, finish(conversation.Stopped)), nil},
		{"CRLF", strings.ReplaceAll(chunks(done, hi, stop), "\n", "\r\n"), with(textPart, finish(conversation.Stopped)), nil},
		{"comments", ": OPENROUTER PROCESSING\n\n" + chunks(done, hi, stop), with(textPart, finish(conversation.Stopped)), nil},
		{"length", chunks(done, hi, `"delta":{},"finish_reason":"length"`), with(textPart, finish(conversation.Length)), nil},
		{"filtered", chunks(done, hi, `"delta":{},"finish_reason":"content_filter"`), with(textPart, finish(conversation.Filtered)), nil},
		{
			"reason with the last text", chunks(done, `"delta":{"content":"hi"},"finish_reason":"stop"`),
			with(textPart, finish(conversation.Stopped)), nil,
		},
		{"other choices", chunks(done, hi, `"index":1,"delta":{"content":"no"}`, stop), with(textPart, finish(conversation.Stopped)), nil},
		{"after the marker", chunks(done+chunks("", hi), hi, stop), with(textPart, finish(conversation.Stopped)), nil},
		{"cut", chunks("", hi), textPart[:3], ErrCut},
		{"cut in an event", chunks(`data: {"id":"chatcm`, hi), textPart[:3], ErrCut},
		{"nothing", "", nil, ErrCut},
		{"malformed", chunks("data: {oops}\n\n", hi), textPart[:3], ErrMalformed},
		{"no object", "data: [1]\n\n", nil, ErrMalformed},
		{
			"azure's first chunk", `data: {"id":"","model":"","choices":[],"prompt_filter_results":[]}` + "\n\n" + chunks(done, hi, stop),
			with(textPart, finish(conversation.Stopped)), nil,
		},
		{
			"refusal", chunks(done, `"delta":{"role":"assistant","refusal":"no"}`, stop),
			[]cv{begin, partBegin(0, conversation.PartRefusal), delta(0, "no"), partEnd(0), finish(conversation.Refused)},
			nil,
		},
	})
}

func TestReaderFailures(t *testing.T) {
	hi := `"delta":{"content":"hi"}`
	open := textPart[:3]
	runStreams(t, []streamCase{
		{"error object", chunks(`data: {"error":{"message":"m","type":"server_error","code":null}}`+"\n\n", hi), with(open, failed("backend_error")), nil},
		{"rate limit", chunks(`data: {"error":{"code":"rate_limit_exceeded"}}`+"\n\n", hi), with(open, failed("backend_rate_limited")), nil},
		{"status", chunks(`data: {"error":{"code":503}}`+"\n\n", hi), with(open, failed("backend_overloaded")), nil},
		{"status in a string", chunks(`data: {"error":{"code":"429"}}`+"\n\n", hi), with(open, failed("backend_rate_limited")), nil},
		{"text", chunks(`data: {"error":"oh no"}`+"\n\n", hi), with(open, failed("backend_error")), nil},
		{"named event", chunks("event: error\n"+`data: {"message":"m","type":"overloaded_error"}`+"\n\n", hi), with(open, failed("backend_overloaded")), nil},
		{"field", chunks(`error: {"code":500,"message":"m"}`+"\n\n", hi), with(open, failed("backend_error")), nil},
		{"bare", chunks(`{"error":{"status":"RESOURCE_EXHAUSTED"}}`, hi), with(open, failed("backend_rate_limited")), nil},
		{"first", `data: {"error":{"type":"invalid_request_error"}}` + "\n\n", []cv{{Kind: conversation.Begin}, failed("backend_rejected")}, nil},
		{
			"in the choice", chunks(done, hi, `"delta":{"content":""},"finish_reason":"error","error":{"code":502}`),
			with(open, failed("backend_error")), nil,
		},
		{"null", chunks(done, `"delta":{"content":"hi"},"finish_reason":"stop","error":null`), with(textPart, finish(conversation.Stopped)), nil},
	})
}

func TestReaderCalls(t *testing.T) {
	stop := `"delta":{},"finish_reason":"stop"`
	calls := `"delta":{},"finish_reason":"tool_calls"`
	toolDelta := func(s string) string { return `"delta":{"tool_calls":[` + s + `]}` }
	one := []cv{begin, callBegin(0, "c1", "f"), delta(0, `{"a":`), delta(0, `1}`), partEnd(0), finish(conversation.ToolCalls)}
	two := []cv{
		begin, callBegin(0, "c1", "f"), delta(0, `{"a":1}`), callBegin(1, "c2", "g"), delta(1, `{}`),
		partEnd(0), partEnd(1), finish(conversation.ToolCalls),
	}
	runStreams(t, []streamCase{
		{
			"pieces", chunks(done, toolDelta(`{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}`),
				toolDelta(`{"index":0,"function":{"arguments":"{\"a\":"}}`), toolDelta(`{"index":0,"function":{"arguments":"1}"}}`), calls), one, nil,
		},
		{
			"id and name again and again", chunks(done, toolDelta(`{"index":0,"id":"c1","function":{"name":"f","arguments":"{\"a\":"}}`),
				toolDelta(`{"index":0,"id":"c1","function":{"name":"f","arguments":"1}"}}`), calls), one, nil,
		},
		{
			"name late", chunks(done, toolDelta(`{"index":0,"id":"c1"}`), toolDelta(`{"index":0,"function":{"arguments":"{\"a\":"}}`),
				toolDelta(`{"index":0,"function":{"name":"f","arguments":"1}"}}`), calls),
			[]cv{begin, callBegin(0, "c1", "f"), delta(0, `{"a":1}`), partEnd(0), finish(conversation.ToolCalls)},
			nil,
		},
		{
			"no index", chunks(done, toolDelta(`{"id":"c1","function":{"name":"f","arguments":"{\"a\":"}}`),
				toolDelta(`{"function":{"arguments":"1}"}}`), stop), one, nil,
		},
		{
			"interleaved", chunks(done, toolDelta(`{"index":0,"id":"c1","function":{"name":"f","arguments":""}}`),
				toolDelta(`{"index":1,"id":"c2","function":{"name":"g","arguments":"{"}}`), toolDelta(`{"index":0,"function":{"arguments":"{}"}}`),
				toolDelta(`{"index":1,"function":{"arguments":"}"}}`), calls),
			[]cv{
				begin, callBegin(0, "c1", "f"), callBegin(1, "c2", "g"), delta(1, "{"), delta(0, "{}"), delta(1, "}"),
				partEnd(0), partEnd(1), finish(conversation.ToolCalls),
			},
			nil,
		},
		{
			"one index for all", chunks(done, toolDelta(`{"index":0,"id":"c1","function":{"name":"f","arguments":"{\"a\":1}"}}`),
				toolDelta(`{"index":0,"id":"c2","function":{"name":"g","arguments":"{}"}}`), calls), two, nil,
		},
		{
			"whole, in one chunk, without an index", chunks(done, toolDelta(
				`{"id":"c1","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"c2","function":{"name":"g","arguments":"{}"}}`), stop), two, nil,
		},
		{
			"arguments as an object", chunks(done, toolDelta(`{"index":0,"id":"c1","function":{"name":"f","arguments":{"a": 1}}}`), calls),
			[]cv{begin, callBegin(0, "c1", "f"), delta(0, `{"a": 1}`), partEnd(0), finish(conversation.ToolCalls)},
			nil,
		},
		{
			"no arguments", chunks(done, toolDelta(`{"index":0,"id":"c1","function":{"name":"f","arguments":null}}`), calls),
			[]cv{begin, callBegin(0, "c1", "f"), partEnd(0), finish(conversation.ToolCalls)},
			nil,
		},
		{
			"no ids", chunks(done, toolDelta(`{"function":{"name":"f","arguments":"{}"}},{"function":{"name":"f","arguments":"{}"}}`), stop),
			[]cv{
				begin, callBegin(0, "call_chatcmpl-1_0", "f"), delta(0, "{}"), callBegin(1, "call_chatcmpl-1_1", "f"), delta(1, "{}"),
				partEnd(0), partEnd(1), finish(conversation.ToolCalls),
			},
			nil,
		},
		{
			"one id for all", chunks(done, toolDelta(`{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}`),
				toolDelta(`{"index":1,"id":"c","function":{"name":"f","arguments":"{}"}}`), calls),
			[]cv{
				begin, callBegin(0, "c", "f"), delta(0, "{}"), callBegin(1, "call_chatcmpl-1_1", "f"), delta(1, "{}"),
				partEnd(0), partEnd(1), finish(conversation.ToolCalls),
			},
			nil,
		},
		{
			"function_call", chunks(done, `"delta":{"function_call":{"name":"f","arguments":"{"}}`, `"delta":{"function_call":{"arguments":"}"}}`,
				`"delta":{},"finish_reason":"function_call"`),
			[]cv{begin, callBegin(0, "call_chatcmpl-1_0", "f"), delta(0, "{"), delta(0, "}"), partEnd(0), finish(conversation.ToolCalls)},
			nil,
		},
		{
			"text before and stop after", chunks(done, `"delta":{"content":"hi"}`,
				toolDelta(`{"index":0,"id":"c1","function":{"name":"f","arguments":"{}"}}`), calls, stop),
			with(textPart, callBegin(1, "c1", "f"), delta(1, "{}"), partEnd(1), finish(conversation.ToolCalls)), nil,
		},
		{
			"length stays", chunks(done, toolDelta(`{"index":0,"id":"c1","function":{"name":"f","arguments":"{\"a"}}`), `"delta":{},"finish_reason":"length"`, stop),
			[]cv{begin, callBegin(0, "c1", "f"), delta(0, `{"a`), partEnd(0), finish(conversation.Length)},
			nil,
		},
		{"no call at all", chunks(done, `"delta":{"content":"hi"}`, calls), with(textPart, finish(conversation.Stopped)), nil},
		{"no name", chunks(done, toolDelta(`{"index":0,"id":"c1","function":{"arguments":"{}"}}`), calls), []cv{begin}, ErrMalformed},
	})
}

func TestReaderReasoning(t *testing.T) {
	stop := `"delta":{},"finish_reason":"stop"`
	thinking := partBegin(0, conversation.PartThinking)
	answered := []cv{partBegin(1, conversation.PartText), delta(1, "hi"), partEnd(1), finish(conversation.Stopped)}
	hi := `"delta":{"content":"hi"}`
	open := []cv{begin, thinking, delta(0, "a"), delta(0, "b")}
	runStreams(t, []streamCase{
		{
			"reasoning_content", chunks(done, `"delta":{"role":"assistant","content":null,"reasoning_content":"a"}`, `"delta":{"reasoning_content":"b"}`, hi, stop),
			with(with(open, signed(0, "chat:reasoning_content"), partEnd(0)), answered...), nil,
		},
		{
			"reasoning", chunks(done, `"delta":{"content":"","reasoning":"a"}`, `"delta":{"content":"","reasoning":"b"}`, hi, stop),
			with(with(open, signed(0, "chat:reasoning"), partEnd(0)), answered...), nil,
		},
		{
			"both", chunks(done, `"delta":{"reasoning":"a","reasoning_content":"a"}`, `"delta":{"reasoning_content":"b","reasoning":"b"}`, hi, stop),
			with(with(open, signed(0, "chat:reasoning_content"), partEnd(0)), answered...), nil,
		},
		{
			"mistral's", chunks(done, `"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]}]}`,
				`"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"b"}]}]}`, `"delta":{"content":[{"type":"text","text":"hi"}]}`, stop),
			with(with(open, signed(0, "chat:content"), partEnd(0)), answered...), nil,
		},
		{
			"details", chunks(done, `"delta":{"reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a","format":"x","index":0}]}`,
				`"delta":{"reasoning":"b","reasoning_details":[{"type":"reasoning.text","text":"b","format":"x","index":0}]}`,
				`"delta":{"reasoning_details":[{"type":"reasoning.text","signature":"s","index":0}]}`, hi, stop),
			with(with(open, signed(0, `chat:reasoning_details:{"type":"reasoning.text","signature":"s","format":"x","index":0}`), partEnd(0)), answered...), nil,
		},
		{
			"encrypted", chunks(done, `"delta":{"reasoning_details":[{"type":"reasoning.encrypted","data":"d","id":"r","index":0}]}`, hi, stop),
			with([]cv{begin, thinking, signed(0, `chat:reasoning_details:{"type":"reasoning.encrypted","data":"d","id":"r","index":0}`), partEnd(0)}, answered...), nil,
		},
		{
			"nothing but reasoning", chunks(done, `"delta":{"reasoning":"a"}`, `"delta":{},"finish_reason":"length"`),
			[]cv{begin, thinking, delta(0, "a"), signed(0, "chat:reasoning"), partEnd(0), finish(conversation.Length)},
			nil,
		},
	})
}

func TestReaderUsage(t *testing.T) {
	stop := `"delta":{"content":"hi"},"finish_reason":"stop"`
	last := func(u string) string { return `data: {"id":"chatcmpl-1","choices":[],"usage":` + u + "}\n\n" + done }
	at := func(u conversation.Usage) []cv { return with(textPart, usage(u), finish(conversation.Stopped)) }
	runStreams(t, []streamCase{
		{
			"OpenAI's", chunks(last(`{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}`), stop),
			at(conversation.Usage{Input: 9, CacheRead: 4, Output: 5, Reasoning: 2}), nil,
		},
		{"null details", chunks(last(`{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":null}`), stop), at(conversation.Usage{Input: 9, Output: 5}), nil},
		{"DeepSeek's", chunks(last(`{"prompt_tokens":9,"completion_tokens":5,"prompt_cache_hit_tokens":3,"prompt_cache_miss_tokens":6}`), stop), at(conversation.Usage{Input: 9, CacheRead: 3, Output: 5}), nil},
		{"xAI's", chunks(last(`{"prompt_tokens":9,"completion_tokens":5,"total_tokens":21,"completion_tokens_details":{"reasoning_tokens":7}}`), stop), at(conversation.Usage{Input: 9, Output: 12, Reasoning: 7}), nil},
		{"Moonshot's", chunks(done, stop+`,"usage":{"prompt_tokens":9,"completion_tokens":5}`), at(conversation.Usage{Input: 9, Output: 5}), nil},
		{
			"in each chunk, then zero", `data: {"id":"chatcmpl-1","created":7,"model":"m","choices":[{"index":0,` + stop + `}],"usage":{"prompt_tokens":9,"completion_tokens":1}}` + "\n\n" +
				`data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}` + "\n\n" + last(`{"prompt_tokens":0,"completion_tokens":0}`),
			with(textPart, usage(conversation.Usage{Input: 9, Output: 1}), usage(conversation.Usage{Input: 9, Output: 2}), finish(conversation.Stopped)), nil,
		},
	})
}

func TestReaderLogprobs(t *testing.T) {
	in := chunks(done, `"delta":{"content":"hi"},"logprobs":{"content":[{"token":"hi","logprob":-0.5,"bytes":[104,105],"top_logprobs":[{"token":"ho","logprob":-1,"bytes":null}]}],"refusal":null},"finish_reason":"stop"`)
	want := with(textPart, finish(conversation.Stopped))
	want[2].Logprobs = []conversation.Logprob{{
		Token: "hi", Logprob: -0.5, Bytes: []byte("hi"), Top: []conversation.Logprob{{Token: "ho", Logprob: -1}},
	}}
	runStreams(t, []streamCase{{"", in, want, nil}})
}

func TestReaderStopSequence(t *testing.T) {
	for word, want := range map[string]string{"END": "END", "stop": ""} {
		in := chunks(done, `"delta":{"content":"hi"},"finish_reason":"stop","stop_reason":"`+word+`"`)
		got, err := events(0, &conversation.Request{Stop: []string{"END"}}, in)
		if err != nil || collect(got).StopSequence != want {
			t.Errorf("stop_reason %s: %v, stop sequence %q, want %q", word, err, collect(got).StopSequence, want)
		}
	}
}

func TestReaderRestoresNames(t *testing.T) {
	long := "mcp__server__" + strings.Repeat("x", 60)
	req := &conversation.Request{Tools: []conversation.Tool{{Name: long}, {Name: "a.b"}, {Name: "plain"}}}
	in := chunks(done, `"delta":{"tool_calls":[{"index":0,"id":"1","function":{"name":"`+openaiapi.WireName(long)+`","arguments":"{}"}},`+
		`{"index":1,"id":"2","function":{"name":"`+openaiapi.WireName("a.b")+`","arguments":"{}"}},{"index":2,"id":"3","function":{"name":"plain","arguments":"{}"}}]}`)
	got, err := events(0, req, in)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range collect(got).Parts {
		names = append(names, p.Call.Name)
	}
	if diff := cmp.Diff([]string{long, "a.b", "plain"}, names); diff != "" {
		t.Error(diff)
	}
	if n := len(openaiapi.WireName(long)); n != 64 {
		t.Errorf("the long name has %d characters on the wire, want 64", n)
	}
}

func TestDecodeAnswer(t *testing.T) {
	body := `{"id":"chatcmpl-1","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,"message":{"role":"assistant",
		"content":"hi","refusal":null,"reasoning_content":"a","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
		"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}`
	got, err := DecodeAnswer(&conversation.Request{}, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := []cv{
		begin, partBegin(0, conversation.PartThinking), delta(0, "a"), signed(0, "chat:reasoning_content"), partEnd(0),
		partBegin(1, conversation.PartText), delta(1, "hi"), partEnd(1), callBegin(2, "c1", "f"), delta(2, "{}"), partEnd(2),
		usage(conversation.Usage{Input: 9, Output: 5}), finish(conversation.ToolCalls),
	}
	if diff := cmp.Diff(want, got, emptyIsNil); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for _, body := range []string{``, `[]`, `{}`, `{"choices":[]}`, `{"choices":null,`, `{"choices":[1]}`} {
		if _, err := DecodeAnswer(&conversation.Request{}, []byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: error %v, want ErrMalformed", body, err)
		}
	}
	got, err = DecodeAnswer(&conversation.Request{}, []byte(`{"error":{"code":429}}`))
	if diff := cmp.Diff([]cv{{Kind: conversation.Begin}, failed("backend_rate_limited")}, got, emptyIsNil); err != nil || diff != "" {
		t.Errorf("an error with status 200: %v\n%s", err, diff)
	}
}
