// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/translate"
	"github.com/tokengo/tokengo/service"
)

// operation is what a path asks for.
func operation(t testing.TB, target string) dialect.Operation {
	t.Helper()
	path, query, _ := strings.Cut(target, "?")
	op, fail := dialect.Identify(http.MethodPost, path, query, http.Header{})
	if fail != nil {
		t.Fatal(fail)
	}
	return op
}

func by(p service.Protocol, value string) string {
	return conversation.Signature{By: p, Value: value}.Wrap("")
}

func inBase64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// A body in which nothing was marked reaches a native backend byte for byte, also where it talks of marks.
func TestOwnSignaturesLeavesAlone(t *testing.T) {
	const claude, chat, responses = "/v1/messages", "/v1/chat/completions", "/v1/responses"
	const gemini, ollama = "/v1beta/models/gemini-3-pro:generateContent", "/api/chat"
	for _, tt := range []struct{ path, body string }{
		{claude, ` { "unknown" : [ {} , [ ] , 1e3 ] , "messages" : [ {"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"c2ln+/=="}]} ] } ` + "\n"},
		{claude, `{"messages":[{"role":"user","content":"what is tokengo:gemini:abc and \"signature\":\"tokengo:x\"?"}],"x":"tokengo-y"}`},
		{claude, `{"messages":[{"role":"user","content":[{"type":"text","text":"tokengo:","signature":"tokengo:gemini:YQ"}]}]}`},
		{chat, `{"messages":[{"role":"user","content":"tokengo:"},{"role":"assistant","reasoning_details":[{"type":"reasoning.text","signature":"own"}],"tool_calls":[{"id":"a","extra_content":{"google":{"thought_signature":"own"}}}]}]}`},
		{responses, `{"input":[{"type":"reasoning","encrypted_content":"gAAAA"},{"type":"message","content":"tokengo:"}]}`},
		{responses, `{"input":"tokengo: \"chat:"}`},
		{gemini, `{"contents":[{"role":"model","parts":[{"text":"tokengo:","thoughtSignature":"c2lnbmVk"}]}]}`},
		{ollama, `{"messages":[{"role":"assistant","content":"tokengo:","tool_calls":[{"function":{"name":"f"},"signature":"own"}]}]}`},
		{claude, `{}`},
		{claude, `{"messages":"tokengo:"}`},
	} {
		if got := string(translate.OwnSignatures(operation(t, tt.path), []byte(tt.body))); got != tt.body {
			t.Errorf("%s: %s\nbecame %s", tt.path, tt.body, got)
		}
	}
}

// What other protocols' backends signed is left out for a native backend, and nothing else.
func TestOwnSignatures(t *testing.T) {
	foreign := by(service.Gemini, "c2ln")
	const gemini3, gemini2 = "/v1beta/models/gemini-3-pro:generateContent", "/v1beta/models/gemini-2.5-pro:countTokens"
	carried := inBase64(`tokengo-carried:{"by":"gemini","own":"c2ln","before":[{"by":"claude","signature":"x"}]}`)
	for _, tt := range []struct{ name, path, body, want string }{
		{
			"thinking of claude", "/v1/messages",
			`{"a":1, "messages":[ {"role":"user","content":"q"},{"role":"assistant","content":[ {"type":"thinking","thinking":"hm","signature":"` + foreign + `"} , {"type":"text","text":"yes"} ]} ] }`,
			`{"a":1,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"text","text":"yes"}]}]}`,
		},
		{
			"thinking of who signs none", "/v1/messages",
			`{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"` + conversation.Unsigned + `"},{"type":"text","text":"yes"}]}]}`,
			`{"messages":[{"role":"assistant","content":[{"type":"text","text":"yes"}]}]}`,
		},
		{
			"of a call", "/v1/messages/count_tokens",
			`{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"tokengo:call:gemini:YQ"},{"type":"tool_use","id":"a"}]}]}`,
			`{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a"}]}]}`,
		},
		{
			"a message of it alone", "/v1/messages",
			`{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"` + foreign + `"}]},{"role":"user","content":"q"}]}`,
			`{"messages":[{"role":"user","content":"q"}]}`,
		},
		{
			"details of openai", "/v1/chat/completions",
			`{"messages":[{"role":"assistant","content":"x","reasoning_details":[{"type":"reasoning.text","signature":"` + foreign + `"},{"type":"reasoning.encrypted","data":"` + by(service.Claude, "r") + `"}]}]}`,
			`{"messages":[{"role":"assistant","content":"x"}]}`,
		},
		{
			"some details of openai", "/v1/chat/completions",
			`{"messages":[{"reasoning_details":[{"signature":"` + foreign + `"},{"signature":"own"}]}]}`,
			`{"messages":[{"reasoning_details":[{"signature":"own"}]}]}`,
		},
		{
			"calls of openai", "/v1/chat/completions",
			`{"messages":[{"tool_calls":[{"id":"a","extra_content":{"google":{"thought_signature":"` + foreign + `"}},"type":"function"}]}]}`,
			`{"messages":[{"tool_calls":[{"id":"a","type":"function"}]}]}`,
		},
		{
			"items of responses", "/v1/responses",
			`{"input":[{"type":"reasoning","encrypted_content":"` + foreign + `"},{"type":"reasoning","encrypted_content":"tokengo-redacted:YQ"},{"type":"reasoning","encrypted_content":"tokengo-call:YQ:gemini:YQ"},{"type":"reasoning","encrypted_content":"chat:reasoning_content"},{"type":"message"}]}`,
			`{"input":[{"type":"message"}]}`,
		},
		{
			"calls of ollama", "/api/chat",
			`{"messages":[{"tool_calls":[{"function":{"name":"f"},"signature":"` + foreign + `"}]}]}`,
			`{"messages":[{"tool_calls":[{"function":{"name":"f"}}]}]}`,
		},
		{
			"calls of gemini 3", gemini3,
			`{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"` + inBase64(by(service.Claude, "s")) + `"}]}]}`,
			`{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"}]}]}`,
		},
		{
			"calls of gemini 2", gemini2,
			`{"generateContentRequest":{"contents":[{"role":"model","parts":[{"function_call":{"name":"f"},"thought_signature":"` + inBase64(by(service.Claude, "s")) + `"}]}]}}`,
			`{"generateContentRequest":{"contents":[{"role":"model","parts":[{"function_call":{"name":"f"}}]}]}}`,
		},
		{
			"empty texts of gemini", gemini3,
			`{"contents":[{"parts":[{"text":"a"},{"text":"","thoughtSignature":"` + inBase64(by(service.OpenAI, "s")) + `"}]}]}`,
			`{"contents":[{"parts":[{"text":"a"}]}]}`,
		},
		{
			"gemini's own beside others", gemini3,
			`{"contents":[{"parts":[{"text":"a","thoughtSignature":"` + carried + `"}]}]}`,
			`{"contents":[{"parts":[{"text":"a","thoughtSignature":"c2ln"}]}]}`,
		},
		{
			"gemini's own that is no base64", gemini3,
			`{"contents":[{"parts":[{"text":"a","thoughtSignature":"` + inBase64(by(service.Gemini, "not base64!")) + `"}]}]}`,
			`{"contents":[{"parts":[{"text":"a","thoughtSignature":"not base64!"}]}]}`,
		},
	} {
		before := tt.body
		if got := string(translate.OwnSignatures(operation(t, tt.path), []byte(tt.body))); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
		if tt.body != before {
			t.Errorf("%s: the request was written to", tt.name)
		}
	}
}

// Reasoning that was never signed goes back to a backend that does not sign, and nothing is named as lost.
func TestUnsignedComesBack(t *testing.T) {
	const body = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"` +
		conversation.Unsigned + `"},{"type":"text","text":"yes"}]},{"role":"user","content":"and?"}]}`
	x, fail := translate.New(operation(t, "/v1/messages"), []byte(body), translate.Target{Protocol: service.Ollama, Model: "m"})
	if fail != nil {
		t.Fatal(fail)
	}
	if !strings.Contains(string(x.Body), `"thinking":"hm"`) || strings.Contains(string(x.Body), "unsigned") || len(x.Dropped) > 0 {
		t.Errorf("sent %s, dropped %v", x.Body, x.Dropped)
	}
}

// FuzzOwnSignatures edits any valid request: the result is valid, and editing it again changes nothing.
func FuzzOwnSignatures(f *testing.F) {
	paths := []string{"/v1/messages", "/v1/chat/completions", "/v1/responses", "/v1beta/models/gemini-3-pro:generateContent", "/api/chat"}
	for i := range paths {
		f.Add(uint(i), `{"messages":[{"content":[{"type":"thinking","signature":"tokengo:gemini:YQ"}],"tool_calls":[{"signature":"tokengo:"}],"reasoning_details":[{"data":"tokengo-"}]}]}`)
		f.Add(uint(i), ` {"model":"m","input":[ {"type":"reasoning","encrypted_content":"tokengo:x"} ],"contents":[{"parts":[{"text":"","thoughtSignature":"dG9rZW5nbzp4"}]}]} `)
	}
	f.Fuzz(func(t *testing.T, path uint, body string) {
		op := operation(t, paths[path%uint(len(paths))])
		if _, fail := op.RequestModel([]byte(body)); fail != nil && fail.Code == dialect.CodeNotJSON {
			return
		}
		once := translate.OwnSignatures(op, []byte(body))
		if _, fail := op.RequestModel(once); fail != nil && fail.Code == dialect.CodeNotJSON {
			t.Errorf("%s\nbecame %s", body, once)
		}
		if twice := translate.OwnSignatures(op, once); string(twice) != string(once) {
			t.Errorf("%s\nbecame %s\nand then %s", body, once, twice)
		}
	})
}
