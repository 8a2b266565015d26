// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// tools are what AI tools of each protocol send and understand, reduced to text.
var tools = []struct {
	name         string
	plain        func(model string) (path, body string)
	stream       func(model string) (path, body string)
	text         func(t *testing.T, answer string) string
	streamedText func(t *testing.T, answer string) string
}{
	{
		"openai",
		func(m string) (string, string) {
			return "/v1/chat/completions", `{"model":"` + m + `","messages":[{"role":"user","content":"hi"}]}`
		},
		func(m string) (string, string) {
			return "/v1/chat/completions", `{"model":"` + m + `","stream":true,"messages":[{"role":"user","content":"hi"}]}`
		},
		func(t *testing.T, answer string) string { return texts(t, answer, "choices", "message", "content") },
		func(t *testing.T, answer string) string {
			return texts(t, events(t, answer, "data: [DONE]"), "choices", "delta", "content")
		},
	},
	{
		"responses",
		func(m string) (string, string) { return "/v1/responses", `{"model":"` + m + `","input":"hi"}` },
		func(m string) (string, string) {
			return "/v1/responses", `{"model":"` + m + `","input":"hi","stream":true}`
		},
		func(t *testing.T, answer string) string { return texts(t, answer, "output", "content", "text") },
		func(t *testing.T, answer string) string {
			return texts(t, only(events(t, answer, "response.completed"), "response.output_text.delta"), "delta")
		},
	},
	{
		"claude",
		func(m string) (string, string) {
			return "/v1/messages", `{"model":"` + m + `","max_tokens":500,"messages":[{"role":"user","content":"hi"}]}`
		},
		func(m string) (string, string) {
			return "/v1/messages", `{"model":"` + m + `","max_tokens":500,"stream":true,"messages":[{"role":"user","content":"hi"}]}`
		},
		func(t *testing.T, answer string) string { return texts(t, answer, "content", "text") },
		func(t *testing.T, answer string) string {
			return texts(t, events(t, answer, "message_stop"), "delta", "text")
		},
	},
	{
		"gemini",
		func(m string) (string, string) {
			return "/v1beta/models/" + m + ":generateContent", `{"contents":[{"parts":[{"text":"hi"}]}]}`
		},
		func(m string) (string, string) {
			return "/v1beta/models/" + m + ":streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":"hi"}]}]}`
		},
		func(t *testing.T, answer string) string {
			return texts(t, answer, "candidates", "content", "parts", "text")
		},
		func(t *testing.T, answer string) string {
			return texts(t, events(t, answer, `"finishReason":"STOP"`), "candidates", "content", "parts", "text")
		},
	},
	{
		"ollama",
		func(m string) (string, string) {
			return "/api/chat", `{"model":"` + m + `","stream":false,"messages":[{"role":"user","content":"hi"}]}`
		},
		func(m string) (string, string) {
			return "/api/chat", `{"model":"` + m + `","messages":[{"role":"user","content":"hi"}]}`
		},
		func(t *testing.T, answer string) string { return texts(t, answer, "message", "content") },
		func(t *testing.T, answer string) string {
			if !strings.Contains(answer, `"done":true`) {
				t.Errorf("the stream does not end: %s", answer)
			}
			return texts(t, answer, "message", "content")
		},
	},
}

// events are the data of server-sent events, a line each. end must be in the stream.
func events(t *testing.T, stream, end string) string {
	t.Helper()
	if !strings.Contains(stream, end) {
		t.Errorf("no %q in the stream: %s", end, stream)
	}
	var b strings.Builder
	for line := range strings.Lines(stream) {
		if data, ok := strings.CutPrefix(line, "data: "); ok && strings.TrimSpace(data) != "[DONE]" {
			b.WriteString(data)
		}
	}
	return b.String()
}

// only keeps the lines with a word in them.
func only(lines, word string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		if strings.Contains(line, word) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// texts joins the strings at a path in each of the JSON values, through all elements of lists.
func texts(t *testing.T, values string, path ...string) string {
	t.Helper()
	var b strings.Builder
	for decoder := json.NewDecoder(strings.NewReader(values)); ; {
		var v any
		switch err := decoder.Decode(&v); err {
		case nil:
			collect(&b, v, path)
		case io.EOF:
			return b.String()
		default:
			t.Fatalf("%v in %s", err, values)
		}
	}
}

func collect(b *strings.Builder, v any, path []string) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			collect(b, element, path)
		}
	case map[string]any:
		if len(path) > 0 {
			collect(b, v[path[0]], path[1:])
		}
	case string:
		if len(path) == 0 {
			b.WriteString(v)
		}
	}
}

// TestEveryPair has a tool of each protocol ask a backend of each protocol, plain and streamed. The demo
// backend gives the same text in all of them.
func TestEveryPair(t *testing.T) {
	n := run(t, demo(t))
	ask := func(t *testing.T, path, body string) string {
		t.Helper()
		answer := post(t, t.Context(), n.ClientURL()+path, body)
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("status %d, error %v: %s", answer.StatusCode, err, text)
		}
		if dropped := answer.Header.Get("X-Tokengo-Dropped"); dropped != "" {
			t.Errorf("dropped %s", dropped)
		}
		return string(text)
	}
	path, body := tools[0].plain("demo-gpt")
	want := tools[0].text(t, ask(t, path, body))
	if !strings.HasPrefix(want, "[demo]") {
		t.Fatalf("the demo backend says %q", want)
	}
	for _, tool := range tools {
		for _, model := range []string{"demo-gpt", "demo-claude", "demo-gemini", "demo-llama"} {
			t.Run(fmt.Sprintf("%s/%s", tool.name, model), func(t *testing.T) {
				path, body := tool.plain(model)
				if got := tool.text(t, ask(t, path, body)); got != want {
					t.Errorf("plain: %q, want %q", got, want)
				}
				path, body = tool.stream(model)
				if got := tool.streamedText(t, ask(t, path, body)); got != want {
					t.Errorf("streamed: %q, want %q", got, want)
				}
			})
		}
	}
}

// TestAnsweredByTheExit asks for what a backend of another protocol cannot answer and the exit can.
func TestAnsweredByTheExit(t *testing.T) {
	n := run(t, demo(t))
	tests := []struct{ path, body, want string }{
		{"/v1/messages/count_tokens", `{"model":"demo-gpt","messages":[{"role":"user","content":"how many tokens?"}]}`, `"input_tokens":`},
		{"/v1beta/models/demo-claude:countTokens", `{"contents":[{"parts":[{"text":"how many tokens?"}]}]}`, `"totalTokens":`},
		{"/api/generate", `{"model":"demo-gpt"}`, `"done_reason":"load"`},
		{"/api/embed", `{"model":"demo-gpt","input":"text"}`, `"embeddings":[[`}, // by the backend
		{"/api/embeddings", `{"model":"demo-gpt","prompt":"text"}`, `{"embedding":[`},
		{"/api/show", `{"model":"demo-gpt"}`, `"capabilities":[`},
	}
	for _, test := range tests {
		answer := post(t, t.Context(), n.ClientURL()+test.path, test.body)
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(text), test.want) {
			t.Errorf("POST %s: %d %s %v, want %s", test.path, answer.StatusCode, text, err, test.want)
		}
	}
}
