// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded is a request of a real tool, with long texts shortened in the middle.
type recorded struct {
	Conversation string          `json:"conversation"`
	Path         string          `json:"path"`
	Body         json.RawMessage `json:"body"`
}

func readRecorded(t *testing.T, file string) (all []recorded) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text))
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// All turns of a conversation of a real tool begin alike, those of two conversations with the same tool do not.
func TestBeginningOfRealTools(t *testing.T) {
	files, err := filepath.Glob("testdata/conversations/*.ndjson")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files of conversations, %v", len(files), err)
	}
	seen := map[string]string{} // the conversation of each beginning
	for _, file := range files {
		beginnings, turns := map[string]string{}, 0
		for i, r := range readRecorded(t, file) {
			op, problem := Identify("POST", r.Path, "", http.Header{})
			if problem != nil {
				t.Fatal(problem)
			}
			d, problem := op.Demand(r.Body)
			if problem != nil {
				t.Fatal(problem)
			}
			name, begins := file+" "+r.Conversation, string(d.Beginning)
			if other, ok := seen[begins]; begins == "" || ok && other != name {
				t.Errorf("%s, request %d begins like %q", name, i, other)
			}
			if before, ok := beginnings[name]; ok {
				turns++
				if before != begins {
					t.Errorf("%s, request %d does not begin like the first", name, i)
				}
			}
			seen[begins], beginnings[name] = name, begins
		}
		if len(beginnings) < 2 || turns < 1 {
			t.Errorf("%s has %d conversations and %d further turns", file, len(beginnings), turns)
		}
	}
}

func TestBeginning(t *testing.T) {
	long := strings.Repeat("0123456789", 500)
	messages := func(m ...string) string { return `"messages":[` + strings.Join(m, ",") + `]` }
	const (
		system    = `{"role":"system","content":"s"}`
		user      = `{"role":"user","content":"u"}`
		other     = `{"role":"user","content":"v"}`
		assistant = `{"role":"assistant","content":"a"}`
		tool      = `{"role":"tool","content":"t"}`
	)
	tests := []struct {
		name string
		op   Operation
		a, b string
		same bool
	}{
		{"a turn later", openAIChat, messages(system, user), messages(system, user, assistant, other), true},
		{"a tool's result later", openAIChat, messages(user), messages(user, assistant, tool), true},
		{"another user", openAIChat, messages(system, user), messages(system, other), false},
		{"another system prompt", openAIChat, messages(system, user), messages(`{"role":"system","content":"S"}`, user), false},
		{"no system prompt", openAIChat, messages(system, user), messages(user), false},
		{"a system prompt is no user", openAIChat, messages(`{"role":"system","content":"u"}`, other), messages(user, `{"role":"system","content":"v"}`), false},
		{"system messages in between", openAIChat, messages(user), messages(user, system, assistant), true},
		{"a greeting", openAIChat, messages(assistant, user), messages(assistant, user, assistant, other), true},
		{"two of the user's", openAIChat, messages(user, other), messages(user, other, assistant, user), true},
		{"other settings", openAIChat, messages(user) + `,"temperature":1`, `"tools":[{"type":"function"}],` + messages(user), true},
		{"alone or in a list", openAIChat, messages(user), messages(`{"content":[{"cache_control":{"type":"ephemeral"},"text":"u","type":"text"}],"role":"user"}`), true},
		{"two texts are not one", openAIChat, messages(`{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}`), messages(`{"role":"user","content":"ab"}`), false},
		{"another image", openAIChat, messages(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:A"}}]}`), messages(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:B"}}]}`), false},
		{"the end of a long text", openAIChat, messages(`{"role":"user","content":"` + long + `x"}`), messages(`{"role":"user","content":"` + long + `y"}`), false},
		{"the end of a long system prompt", openAIChat, messages(`{"role":"system","content":"`+long+`x"}`, user), messages(`{"role":"system","content":"`+long+`yy"}`, user), true},
		{"responses, text or message", openAIResponse, `"input":"u","instructions":"s"`, `"instructions":"s","input":[{"role":"user","content":"u"},{"type":"function_call"}]`, true},
		{"responses, reasoning ends it", openAIResponse, `"input":[{"role":"user","content":"u"}]`, `"input":[{"role":"user","content":"u"},{"type":"reasoning"},{"role":"user","content":"v"}]`, true},
		{"claude, order of keys", claudeChat, `"system":"s",` + messages(user), messages(user) + `,"system":[{"type":"text","text":"s"}]`, true},
		{"claude, billing", claudeChat, `"system":[{"type":"text","text":"x-anthropic-billing-header: 1"},{"type":"text","text":"s"}],` + messages(user), `"system":[{"type":"text","text":"x-anthropic-billing-header: 2"},{"type":"text","text":"s"}],` + messages(user), true},
		{"gemini", geminiChat, `"contents":[{"parts":[{"text":"u"}]}],"systemInstruction":{"parts":[{"text":"s"}]}`, `"system_instruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"u"}]},{"role":"model","parts":[]}]`, true},
		{"gemini, another", geminiChat, `"contents":[{"parts":[{"text":"u"}]}]`, `"contents":[{"parts":[{"text":"v"}]}]`, false},
		{"ollama, another image", ollamaChat, messages(`{"role":"user","content":"u","images":["A"]}`), messages(`{"role":"user","content":"u","images":["B"]}`), false},
		{"a prompt grows", openAIText, `"prompt":"` + long + `"`, `"prompt":"` + long + long + `"`, true},
		{"another prompt", ollamaText, `"prompt":"x"`, `"prompt":"y"`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := demandOf(t, tt.op, tt.a).Beginning, demandOf(t, tt.op, tt.b).Beginning
			if a == nil || b == nil || bytes.Equal(a, b) != tt.same {
				t.Errorf("%x and %x, want them equal: %v", a, b, tt.same)
			}
		})
	}
}

// The tokens of a conversation are counted where the conversation is.
func TestBeginningIsTheSameForACount(t *testing.T) {
	const body = `"system":"s","messages":[{"role":"user","content":"u"}]`
	if a, b := demandOf(t, claudeChat, body).Beginning, demandOf(t, claudeCount, body).Beginning; !bytes.Equal(a, b) {
		t.Errorf("%x and %x", a, b)
	}
	const contents = `"contents":[{"parts":[{"text":"u"}]}]`
	a := demandOf(t, geminiChat, contents).Beginning
	if b := demandOf(t, geminiCount, `"generateContentRequest":{`+contents+`}`).Beginning; !bytes.Equal(a, b) {
		t.Errorf("%x and %x", a, b)
	}
}

func TestNoBeginning(t *testing.T) {
	for _, tt := range []struct {
		op   Operation
		body string
	}{
		{openAIEmbed, `"input":"x"`},
		{geminiEmb, `"requests":[{"content":{"parts":[{"text":"x"}]}}]`},
		{openAIChat, `"messages":[]`},
		{openAIChat, `"messages":[{"role":"system","content":"s"}]`},
		{ollamaShow, `"system":"s"`},
	} {
		if got := demandOf(t, tt.op, tt.body).Beginning; got != nil {
			t.Errorf("%s %s begins with %x, want nothing", tt.op.Path, tt.body, got)
		}
	}
}
