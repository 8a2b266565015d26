// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"strings"
	"testing"
)

// What an answer says is counted the same in pieces of any size, and what no tool takes for text counts for nothing.
func TestSaid(t *testing.T) {
	long := strings.Repeat("word ", 40) // 200 characters, 50 tokens
	tests := []struct {
		name string
		op   Operation
		kind string
		text string
		want int
	}{
		{"chat", chatOp, typeEvents, `data: {"id":"` + long + `","choices":[{"delta":{"content":"` + long + `"}}]}` + "\n\n", 50},
		{"thoughts and arguments", chatOp, typeEvents, `data: {"delta":{"reasoning_content":"` + long + `","tool_calls":[{"function":{"arguments" : "` + long + `"}}]}}` + "\n\n", 100},
		{"a comment", chatOp, typeEvents, `: {"content":"` + long + `"}` + "\n\n", 0},
		{"a line that is no data", chatOp, typeEvents, `x: {"content":"` + long + `"}` + "\n\n", 0},
		{"a line that begins like data", chatOp, typeEvents, `dx: {"content":"` + long + `"}` + "\n" + `datax: {"content":"` + long + `"}` + "\nd\n" + `data: {"content":"` + long + `"}` + "\n\n", 50},
		{"data without a colon", chatOp, typeEvents, `data {"content":"` + long + `"}` + "\n\n", 0},
		{"data without a space", chatOp, typeEvents, `data:{"content":"` + long + `"}` + "\n\n", 50},
		{"a byte order mark", chatOp, typeEvents, "\uFEFF" + `data: {"content":"` + long + `"}` + "\n\n", 50},
		{"a byte order mark that is late", chatOp, typeEvents, "\n\uFEFF" + `data: {"content":"` + long + `"}` + "\n\n", 0},
		{"half a byte order mark", chatOp, typeEvents, "\xEF\xBB" + `data: {"content":"` + long + `"}` + "\n\n", 0},
		{"a byte order mark before lines", ollamaOp, typeLines, "\uFEFF" + `{"message":{"content":"` + long + `"}}` + "\n", 50},
		{"lines that end in CR", claudeOp, typeEvents, "event: x\r" + `data: {"text":"` + long + `"}` + "\r\r" + `event: {"text":"` + long + `"}` + "\r", 50},
		{"a quote in a comment", chatOp, typeEvents, ": don\"t\n" + `data: {"content":"` + long + `"}` + "\n\n", 50},
		{"empty lines", chatOp, typeEvents, strings.Repeat("\n", 1000), 0},
		{"empty events", chatOp, typeEvents, strings.Repeat("data: {}\n\n", 1000), 0},
		{"a value that is a member's name", chatOp, typeEvents, `data: {"a":"content","b":"` + long + `"}` + "\n\n", 0},
		{"a longer name", chatOp, typeEvents, `data: {"reasoning_contents":"` + long + `"}` + "\n\n", 0},
		{"a cut string", chatOp, typeEvents, "data: {\"content\":\"" + long + "\n\n" + `data: {"content":"` + long + `"}` + "\n\n", 100},
		{"escapes", chatOp, typeEvents, `data: {"content":"` + strings.Repeat(`\n\"`, 100) + `"}` + "\n\n", 50},
		{"other scripts", chatOp, typeEvents, `data: {"content":"` + strings.Repeat("语", 50) + strings.Repeat(`\u8bed`, 50) + `"}` + "\n\n", 50},
		{"claude", claudeOp, typeEvents, "event: content_block_delta\n" + `data: {"delta":{"type":"text_delta","text":"` + long + `"}}` + "\n\n", 50},
		{"the text of a response, twice", responsesOp, typeEvents, `data: {"type":"response.output_text.delta","delta":"` + long + `"}` + "\n\n" + `data: {"type":"response.output_text.done","text":"` + long + `"}` + "\n\n", 50},
		{"gemini, over several lines", geminiOp, "application/json", "[{\n  \"candidates\": [{\n \"text\": \"" + long + "\"\n}]}\n]", 50},
		{"ollama", ollamaOp, typeLines, `{"message":{"role":"assistant","content":"` + long + `"},"done":false}` + "\n", 50},
		{"generate", generateOp, typeLines, `{"response":"` + long + `"}` + "\n", 50},
	}
	for _, tt := range tests {
		whole, bytewise := tt.op.Said(tt.kind), tt.op.Said(tt.kind)
		whole.Add([]byte(tt.text))
		for i := range len(tt.text) {
			bytewise.Add([]byte(tt.text[i : i+1]))
		}
		if whole.Tokens() != tt.want || bytewise.Tokens() != tt.want {
			t.Errorf("%s: %d tokens, byte by byte %d, want %d", tt.name, whole.Tokens(), bytewise.Tokens(), tt.want)
		}
	}
}

func FuzzSaid(f *testing.F) {
	for _, tt := range openings {
		f.Add(tt.text, uint8(5))
	}
	f.Fuzz(func(t *testing.T, text string, split uint8) {
		for _, op := range []Operation{chatOp, responsesOp, claudeOp, geminiOp, ollamaOp} {
			whole, pieces := op.Said(typeEvents), op.Said(typeEvents)
			whole.Add([]byte(text))
			at := min(int(split), len(text))
			pieces.Add([]byte(text[:at]))
			pieces.Add([]byte(text[at:]))
			if whole.Tokens() != pieces.Tokens() || whole.Tokens() > len(text) {
				t.Errorf("%d tokens in one piece, %d in two, of %d bytes", whole.Tokens(), pieces.Tokens(), len(text))
			}
		}
	})
}

func BenchmarkSaid(b *testing.B) {
	event := []byte(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}` + "\n\n")
	b.SetBytes(int64(len(event)))
	s := chatOp.Said(typeEvents)
	for b.Loop() {
		s.Add(event)
	}
}
