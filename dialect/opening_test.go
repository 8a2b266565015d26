// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"strings"
	"testing"

	"github.com/tokengo/tokengo/service"
)

const (
	typeEvents = "text/event-stream; charset=utf-8"
	typeLines  = "application/x-ndjson"
)

var (
	chatOp      = Operation{Protocol: service.OpenAI, Kind: Chat}
	textOp      = Operation{Protocol: service.OpenAI, Kind: Completion}
	responsesOp = Operation{Protocol: service.OpenAI, Kind: Responses}
	claudeOp    = Operation{Protocol: service.Claude, Kind: Chat}
	geminiOp    = Operation{Protocol: service.Gemini, Kind: Chat, Stream: true}
	ollamaOp    = Operation{Protocol: service.Ollama, Kind: Chat}
	generateOp  = Operation{Protocol: service.Ollama, Kind: Completion}
)

// openings are how answers may begin. Each piece of text is one event or line.
var openings = []struct {
	name string
	op   Operation
	kind string
	text string
	want Stage
}{
	{"nothing", chatOp, typeEvents, "", Silent},
	{"empty lines", chatOp, typeEvents, "\n\r\n\n", Silent},
	{"a comment", chatOp, typeEvents, ": keep-alive\n\n: OPENROUTER PROCESSING\n\n", Silent},
	{"half an event", chatOp, typeEvents, `data: {"choices":[{"delta":{"content":"a`, Silent},
	{"the time to reconnect", chatOp, typeEvents, "retry: 3000\n\nid: 1\n\n", Silent},
	{"a byte order mark", chatOp, typeEvents, "\uFEFF: x\n\n", Silent},

	{"the role", chatOp, typeEvents, `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n", Accepted},
	{"the role and nothing", chatOp, typeEvents, `data: {"choices":[{"delta":{"role":"assistant","content":null,"refusal":null,"tool_calls":[]}}],"usage":null}` + "\n\n", Accepted},
	{"results of a filter", chatOp, typeEvents, `data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}]}` + "\n\n", Accepted},
	{"a word", chatOp, typeEvents, `data: {"choices":[{"delta":{"content":"Hi"}}]}` + "\n\n", Begun},
	{"a space", chatOp, typeEvents, `data: {"choices":[{"delta":{"content":" "}}]}` + "\n\n", Begun},
	{"a thought", chatOp, typeEvents, `data: {"choices":[{"delta":{"content":"","reasoning_content":"Hm"}}]}` + "\n\n", Begun},
	{"a call", chatOp, typeEvents, `data: {"choices":[{"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""}}]}}]}` + "\n\n", Begun},
	{"the end", chatOp, typeEvents, `data: {"choices":[{"delta":{},"finish_reason":"stop"}]}` + "\n\n", Begun},
	{"the very end", chatOp, typeEvents, "data: [DONE]\n\n", Begun},
	{"what nobody knows", chatOp, typeEvents, "data: {}\n\n", Begun},
	{"no object", chatOp, typeEvents, "data: 1\n\n", Begun},
	{"an error", chatOp, typeEvents, `data: {"error":{"message":"overloaded","code":503}}` + "\n\n", Refused},
	{"an error as a text", chatOp, typeEvents, `data: {"error":"out of memory"}` + "\n\n", Refused},
	{"no error", chatOp, typeEvents, `data: {"error":null,"choices":[{"delta":{"content":""}}]}` + "\n\n", Accepted},
	{"an error of llama.cpp", chatOp, typeEvents, `error: {"code":500,"message":"","type":"server_error"}` + "\n\n", Refused},
	{"an error by its name", chatOp, typeEvents, "event: error\n" + `data: {"message":"x"}` + "\n\n", Refused},
	{"an error by its name, as text", chatOp, typeEvents, "event: error\ndata: Overloaded\n\n", Refused},
	{"an error by its name, without a text", claudeOp, typeEvents, "event: error\ndata:\n\n", Refused},
	{"an error of llama.cpp, as text", chatOp, typeEvents, "error: out of memory\n\n", Refused},
	{"an error of no members", chatOp, typeEvents, `data: {"error":{ },"choices":[]}` + "\n\n", Accepted},
	{"an error of no text", chatOp, typeEvents, `data: {"error":"","choices":[]}` + "\n\n", Accepted},
	{"an error after the role", chatOp, typeEvents, `data: {"choices":[{"delta":{"role":"assistant"}}]}` + "\n\n" + `data: {"error":{"message":"x"}}` + "\n\n", Refused},
	{"an error after a word", chatOp, typeEvents, `data: {"choices":[{"delta":{"content":"Hi"}}]}` + "\n\n" + `data: {"error":{"message":"x"}}` + "\n\n", Begun},

	{"completion: nothing", textOp, typeEvents, `data: {"choices":[{"text":"","finish_reason":null}]}` + "\n\n", Accepted},
	{"completion: a word", textOp, typeEvents, `data: {"choices":[{"text":"a"}]}` + "\n\n", Begun},

	{"response.created", responsesOp, typeEvents, "event: response.created\n" + `data: {"type":"response.created","response":{"status":"in_progress","error":null,"instructions":"You are","output":[]}}` + "\n\n", Accepted},
	{"an item of text", responsesOp, typeEvents, `data: {"type":"response.output_item.added","item":{"type":"message","content":[],"role":"assistant"}}` + "\n\n", Accepted},
	{"a part of text", responsesOp, typeEvents, `data: {"type":"response.content_part.added","part":{"type":"output_text","text":"","annotations":[]}}` + "\n\n", Accepted},
	{"an item of hidden thoughts", responsesOp, typeEvents, `data: {"type":"response.output_item.added","item":{"type":"reasoning","summary":[]}}` + "\n\n", Begun},
	{"responses: a word", responsesOp, typeEvents, `data: {"type":"response.output_text.delta","delta":"Hi"}` + "\n\n", Begun},
	{"response.failed", responsesOp, typeEvents, `data: {"type":"response.failed","response":{"error":{"code":"server_error"}}}` + "\n\n", Refused},
	{"responses: an error", responsesOp, typeEvents, `data: {"type":"error","code":"server_error","message":""}` + "\n\n", Refused},

	{"claude: a ping", claudeOp, typeEvents, "event: ping\n" + `data: {"type": "ping"}` + "\n\n", Silent},
	{"message_start", claudeOp, typeEvents, "event: message_start\n" + `data: {"type":"message_start","message":{"role":"assistant","content":[],"usage":{"input_tokens":9}}}` + "\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n", Accepted},
	{"a block of text", claudeOp, typeEvents, `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n", Accepted},
	{"a block of hidden thoughts", claudeOp, typeEvents, `data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}` + "\n\n", Begun},
	{"claude: a word", claudeOp, typeEvents, `data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}` + "\n\n", Begun},
	{"claude: an error", claudeOp, typeEvents, "event: error\n" + `data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}` + "\n\n", Refused},

	{"gemini: nothing", geminiOp, typeEvents, `data: {"candidates":[{"content":{"role":"model","parts":[{"text":"","thought":true}]},"index":0}],"usageMetadata":{"promptTokenCount":3}}` + "\r\n\r\n", Accepted},
	{"gemini: a word", geminiOp, typeEvents, `data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}` + "\r\n\r\n", Begun},
	{"gemini: blocked", geminiOp, typeEvents, `data: {"promptFeedback":{"blockReason":"SAFETY"}}` + "\r\n\r\n", Begun},
	{"gemini: an error", geminiOp, typeEvents, `data: {"error":{"code":503,"status":"UNAVAILABLE"}}` + "\r\n\r\n", Refused},
	{"gemini: a bare error", geminiOp, typeEvents, "{\n\"error\": {\"code\": 503}\n}\n\n", Refused},
	{"gemini: an array", geminiOp, "application/json", `[{"candidates":[{"content":{"parts":[{"text":""}]}}]}`, Accepted},
	{"gemini: an array with a word", geminiOp, "application/json", `[{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}`, Begun},
	{"gemini: an array with an error", geminiOp, "application/json", `[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}` + "\n]", Refused},

	{"ollama: nothing", ollamaOp, typeLines, `{"model":"m","message":{"role":"assistant","content":""},"done":false}` + "\n", Accepted},
	{"ollama: a word", ollamaOp, typeLines, `{"model":"m","message":{"role":"assistant","content":"Hi"},"done":false}` + "\n", Begun},
	{"ollama: the end", ollamaOp, typeLines, `{"model":"m","message":{"role":"assistant","content":""},"done":true}` + "\n", Begun},
	{"ollama: an error", ollamaOp, typeLines, `{"error":"model requires more system memory"}` + "\n", Refused},
	{"generate: nothing", generateOp, typeLines, `{"model":"m","response":"","done":false}` + "\n", Accepted},
	{"generate: a thought", generateOp, typeLines, `{"response":"","thinking":"Hm","done":false}` + "\n", Begun},

	{"JSON: white space", chatOp, "application/json", " \n\n", Silent},
	{"JSON", chatOp, "application/json", "{", Begun},
	{"any type", chatOp, "", "x", Begun},
}

func TestOpening(t *testing.T) {
	for _, tt := range openings {
		t.Run(tt.name, func(t *testing.T) {
			whole, bytewise := tt.op.Opening(tt.kind), tt.op.Opening(tt.kind)
			whole.Add([]byte(tt.text))
			for i := range len(tt.text) {
				bytewise.Add([]byte(tt.text[i : i+1]))
			}
			for how, o := range map[string]*Opening{"at once": whole, "byte by byte": bytewise} {
				if o.Stage() != tt.want || (tt.want == Refused) != (o.Fault() != nil) {
					t.Errorf("%s: stage %d with the fault %q, want %d", how, o.Stage(), o.Fault(), tt.want)
				}
			}
			if tt.want < Begun {
				whole.Add([]byte("data: x\n\n{\n"))
				if tt.name == "half an event" {
					return
				}
				if got := whole.Stage(); got != Begun {
					t.Errorf("after content: stage %d", got)
				}
			}
		})
	}
}

// The last event of an answer counts also where nothing follows it.
func TestOpeningEnds(t *testing.T) {
	for text, want := range map[string]Stage{
		"": Silent, ": x": Silent, `data: {"choices":[{"delta":{"content":"a"}}]}`: Begun, `data: {"error":{"code":1}}`: Refused, `data: {"choices":[]}`: Accepted,
	} {
		o := chatOp.Opening(typeEvents)
		o.Add([]byte(text))
		if got := o.End(); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// Whoever sends signs of life without end does not fill the memory.
func TestOpeningIsBounded(t *testing.T) {
	o := chatOp.Opening(typeEvents)
	for range longestOpening/1024 + 1 {
		o.Add([]byte(strings.Repeat("x", 1024)))
	}
	if o.Stage() != Begun {
		t.Errorf("stage %d after more than %d bytes", o.Stage(), longestOpening)
	}
}

// An answer may go on for long after it is known how it begins: what read its events is let go of.
func TestOpeningLetsGo(t *testing.T) {
	for _, text := range []string{"data: [DONE]\n\n", `data: {"error":{"code":1}}` + "\n\n", strings.Repeat("x", longestOpening+1)} {
		o := chatOp.Opening(typeEvents)
		o.Add([]byte(text))
		if o.feed != nil || o.end != nil {
			t.Errorf("after %.20q at stage %d the reader of events is kept", text, o.Stage())
		}
	}
	o := chatOp.Opening(typeEvents)
	if o.End(); o.feed != nil || o.end != nil {
		t.Error("after the end the reader of events is kept")
	}
}

// A whole body is judged as an event is.
func TestIsFault(t *testing.T) {
	for body, want := range map[string]bool{
		`{"error":{"code":500}}`: true, " {\n\"error\" : \"out of memory\"}\n": true, `{"error":{"message":"x"},"choices":[]}`: true,
		``: false, `[]`: false, `{}`: false, `"error"`: false, `{"error":{}}`: false, `{"error":{ }}`: false, `{"error":""}`: false, `{"error":null}`: false,
		`{"error":{"code":500}} x`: false, `{"choices":[{"message":{"content":"{\"error\":\"x\"}"}}]}`: false,
	} {
		if got := chatOp.IsFault([]byte(body)); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
	if !claudeOp.IsFault([]byte(`{"type":"error"}`)) {
		t.Error("claude's error is none by its type")
	}
}

func FuzzOpening(f *testing.F) {
	for _, tt := range openings {
		f.Add(tt.text, uint8(0))
	}
	ops := []Operation{chatOp, textOp, responsesOp, claudeOp, geminiOp, ollamaOp, generateOp}
	f.Fuzz(func(t *testing.T, text string, split uint8) {
		for _, op := range ops {
			for _, kind := range []string{typeEvents, typeLines, "application/json"} {
				whole, pieces := op.Opening(kind), op.Opening(kind)
				whole.Add([]byte(text))
				at := min(int(split), len(text))
				pieces.Add([]byte(text[:at]))
				pieces.Add([]byte(text[at:]))
				if whole.Stage() != pieces.Stage() || whole.End() != pieces.End() || string(whole.Fault()) != string(pieces.Fault()) {
					t.Errorf("stage %d in one piece, %d in two", whole.Stage(), pieces.Stage())
				}
			}
		}
	})
}
