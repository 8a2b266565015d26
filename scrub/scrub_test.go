// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/scrub"
)

// planted is in every value that must not leave.
const planted = "PLANTED"

// operation identifies a POST to a path.
func operation(t testing.TB, path string) dialect.Operation {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	op, problem := dialect.Identify(http.MethodPost, path, query, http.Header{})
	if problem != nil {
		t.Fatal(problem)
	}
	return op
}

// headers makes a header of names and values in turn.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// toolHeader is what Claude Code, Codex, Gemini CLI and the SDKs send between them.
var toolHeader = headers("Authorization", "Bearer "+planted, "X-Api-Key", planted, "X-Goog-Api-Key", planted, "Cookie", planted,
	"User-Agent", planted, "X-Stainless-Os", planted, "X-Stainless-Arch", planted, "X-Stainless-Runtime-Version", planted,
	"X-App", planted, "X-Claude-Code-Session-Id", planted, "X-Codex-Turn-Metadata", planted, "X-Codex-Window-Id", planted,
	"Session-Id", planted, "Thread-Id", planted, "Originator", planted, "X-Client-Request-Id", planted, "X-Goog-Api-Client", planted,
	"X-Gemini-Api-Privileged-User-Id", planted, "Openai-Organization", planted, "Openai-Project", planted, "Accept-Language", planted,
	"Anthropic-Dangerous-Direct-Browser-Access", planted, "Content-Type", "application/json; "+planted, "Accept", planted,
	"Anthropic-Version", planted, "Anthropic-Beta", planted, "Openai-Beta", planted, "Traceparent", planted, "Anthropic-User-Profile-Id", planted)

var bodies = []struct {
	name, path, body, full, minimal string
}{
	{
		"chat", "/v1/chat/completions",
		`{ "stream":true, "model":"m", "user":"PLANTED", "messages":[{"role":"user","content":"h\u0069"}], "metadata":{"a":"PLANTED"}, "store":true, "safety_identifier":"PLANTED" }`,
		`{"messages":[{"content":"hi","role":"user"}],"model":"m","store":false,"stream":true}`,
		`{ "stream":true, "model":"m", "messages":[{"role":"user","content":"h\u0069"}], "store":false }`,
	},
	{
		"chat without store", "/v1/chat/completions", `{"user":"PLANTED","model":"m","temperature":1.0e0}`,
		`{"model":"m","temperature":1.0e0}`, `{"model":"m","temperature":1.0e0}`,
	},
	{
		"chat of a tool made for OpenRouter", "/v1/chat/completions", `{"model":"m","session_id":"PLANTED","trace":{"trace_id":"PLANTED"}}`,
		`{"model":"m"}`, `{"model":"m"}`,
	},
	{
		"responses", "/v1/responses",
		`{"model":"m","client_metadata":{"session_id":"PLANTED"},"x-codex-window-id":"PLANTED","X-Codex-Installation-Id":"PLANTED",` +
			`"input":[{"id":"PLANTED","role":"user","content":"a"},{"role":"developer","id":"PLANTED","content":"b"},{"id":"rs_1","type":"reasoning"},{"type":"message","role":"assistant","id":"msg_1"},{"type":"function_call_output","id":"PLANTED","call_id":"c"}],"previous_response_id":null}`,
		`{"input":[{"content":"a","role":"user"},{"content":"b","role":"developer"},{"id":"rs_1","type":"reasoning"},{"id":"msg_1","role":"assistant","type":"message"},{"call_id":"c","type":"function_call_output"}],"model":"m","store":false}`,
		`{"store":false,"model":"m","input":[{"role":"user","content":"a"},{"role":"developer","content":"b"},{"id":"rs_1","type":"reasoning"},{"type":"message","role":"assistant","id":"msg_1"},{"type":"function_call_output","call_id":"c"}]}`,
	},
	{
		"claude", "/v1/messages",
		`{"model":"m","metadata":{"user_id":"PLANTED"},"diagnostics":{"previous_message_id":"PLANTED"},` +
			`"system":[{"type":"text","text":"x-anthropic-billing-header: PLANTED"},{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"messages":[]}`,
		`{"messages":[],"metadata":{},"model":"m","system":[{"cache_control":{"type":"ephemeral"},"text":"s","type":"text"}]}`,
		`{"model":"m","metadata":{},"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"messages":[]}`,
	},
	{
		"claude, only the account of itself", "/v1/messages/count_tokens",
		`{"model":"m","system":[ {"text":"\u0078-anthropic-billing-header: PLANTED","type":"text"} ]}`,
		`{"model":"m","system":[]}`, `{"model":"m","system":[ ]}`,
	},
	{
		"gemini", "/v1beta/models/m:generateContent?key=PLANTED",
		`{"labels":{"a":"PLANTED"},"contents":[{"parts":[{"text":"hi"}]}],"cachedContent":null}`,
		`{"contents":[{"parts":[{"text":"hi"}]}]}`, `{"contents":[{"parts":[{"text":"hi"}]}]}`,
	},
	{
		"gemini, ids of calls", "/v1beta/models/m:generateContent",
		`{"contents":[{"parts":[{"functionCall":{"id":"read_1795427861103_0"}},{"functionCall":{"id":"kept-12"}},{"functionCall":{"id":"read_1795427861134_1"}}]},{"parts":[{"functionResponse":{"id":"read_1795427861134_1"}},{"functionResponse":{"id":"read_1795427861103_0"}}]}]}`,
		`{"contents":[{"parts":[{"functionCall":{"id":"call_1"}},{"functionCall":{"id":"kept-12"}},{"functionCall":{"id":"call_2"}}]},{"parts":[{"functionResponse":{"id":"call_2"}},{"functionResponse":{"id":"call_1"}}]}]}`,
		`{"contents":[{"parts":[{"functionCall":{"id":"call_1"}},{"functionCall":{"id":"kept-12"}},{"functionCall":{"id":"call_2"}}]},{"parts":[{"functionResponse":{"id":"call_2"}},{"functionResponse":{"id":"call_1"}}]}]}`,
	},
	{
		"gemini, nested", "/v1beta/models/m:countTokens",
		`{"generateContentRequest":{"model":"models/m","labels":{"PLANTED":"PLANTED"}}}`,
		`{"generateContentRequest":{"model":"models/m"}}`, `{"generateContentRequest":{"model":"models/m"}}`,
	},
	{
		"ollama", "/api/chat", `{"model":"m","user":"kept", "options":{"seed":1,"num_ctx":8192}}`,
		`{"model":"m","options":{"num_ctx":8192,"seed":1},"user":"kept"}`, `{"model":"m","user":"kept", "options":{"seed":1,"num_ctx":8192}}`,
	},
	{
		"an order that means something", "/v1/chat/completions",
		`{"model":"m","response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object","properties":{"why":{"type":"string"},"answer":{"type":"string"}}}}}}`,
		`{"model":"m","response_format":{"json_schema":{"schema":{"properties":{"why":{"type":"string"},"answer":{"type":"string"}},"type":"object"}},"type":"json_schema"}}`,
		`{"model":"m","response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object","properties":{"why":{"type":"string"},"answer":{"type":"string"}}}}}}`,
	},
}

// Bodies lose what names the user, at both levels, and nothing else.
func TestBodies(t *testing.T) {
	for _, tt := range bodies {
		t.Run(tt.name, func(t *testing.T) {
			for level, want := range map[scrub.Level]string{scrub.Full: tt.full, scrub.Minimal: tt.minimal, scrub.Off: tt.body} {
				q, problem := scrub.New(operation(t, tt.path), toolHeader, []byte(tt.body), scrub.Options{Level: level})
				if problem != nil {
					t.Fatal(problem)
				}
				m := q.For(scrub.Exit{})
				if diff := cmp.Diff(want, string(m.Body)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", level, diff)
				}
				report, err := json.Marshal(m.Report.Body)
				if err != nil || strings.Contains(string(report), `"`+planted) {
					t.Errorf("%s: the report has a value: %s %v", level, report, err)
				}
			}
		})
	}
}

var headerTests = []struct {
	name, path, body string
	header           http.Header
	want             []scrub.Field
}{
	{"openai", "/v1/chat/completions", `{"stream":true}`, toolHeader, []scrub.Field{
		{"user-agent", "tokengo"}, {"content-type", "application/json"}, {"accept", "text/event-stream"},
	}},
	{"openai, whole, listed betas", "/v1/responses", `{}`, headers("OpenAI-Beta", "two=1, one=1,three"), []scrub.Field{
		{"user-agent", "tokengo"}, {"content-type", "application/json"}, {"accept", "application/json"}, {"openai-beta", "one=1,two=1"},
	}},
	{"claude", "/v1/messages", `{"stream":true}`, toolHeader, []scrub.Field{
		{"user-agent", "tokengo"}, {"content-type", "application/json"}, {"accept", "text/event-stream"}, {"anthropic-version", "2023-06-01"},
	}},
	{"claude, known version, betas in any order", "/v1/messages", `{}`, headers("Anthropic-Version", "2026-10-21", "Anthropic-Beta", "two=1", "Anthropic-Beta", "x,one=1,two=1"), []scrub.Field{
		{"user-agent", "tokengo"}, {"content-type", "application/json"}, {"accept", "application/json"}, {"anthropic-version", "2026-10-21"}, {"anthropic-beta", "one=1,two=1"},
	}},
	{"gemini, SSE", "/v1beta/models/m:streamGenerateContent?alt=sse", `{}`, toolHeader, []scrub.Field{
		{"user-agent", "tokengo"}, {"content-type", "application/json"}, {"accept", "text/event-stream"},
	}},
	{"gemini, array", "/v1beta/models/m:streamGenerateContent", `{}`, toolHeader, []scrub.Field{
		{"user-agent", "tokengo"}, {"content-type", "application/json"}, {"accept", "application/json"},
	}},
	{"ollama", "/api/chat", `{"stream":true}`, toolHeader, []scrub.Field{
		{"user-agent", "tokengo"}, {"content-type", "application/json"}, {"accept", "application/json"},
	}},
}

// Header fields are built, not copied: always the same ones in the same order.
func TestHeaders(t *testing.T) {
	for _, tt := range headerTests {
		t.Run(tt.name, func(t *testing.T) {
			q, problem := scrub.New(operation(t, tt.path), tt.header, []byte(tt.body), scrub.Options{})
			if problem != nil {
				t.Fatal(problem)
			}
			m := q.For(scrub.Exit{Betas: []string{"one=1", "two=1", "other"}})
			if diff := cmp.Diff(tt.want, m.Fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			for name := range tt.header {
				reported := false
				for _, c := range m.Report.Header {
					reported = reported || c.Path == strings.ToLower(name)
				}
				for _, f := range m.Fields {
					reported = reported || f.Name == strings.ToLower(name)
				}
				if !reported {
					t.Errorf("%s neither leaves nor is reported", name)
				}
			}
		})
	}
}

// A beta that does not pass takes its fields with it, unless another one that passes brings them too.
func TestBetaFields(t *testing.T) {
	const body = `{"context_management":{"edits":[]},"max_tokens":1,"mcp_servers":[],"model":"m","output_config":{"effort":"high","task_budget":{}}}`
	header := headers("Anthropic-Beta", "context-management-2025-06-27,compact-2026-01-12,task-budgets-2026-03-13,effort-2025-11-24,mcp-client-2025-04-04,interleaved-thinking-2025-05-14")
	q, problem := scrub.New(operation(t, "/v1/messages"), header, []byte(body), scrub.Options{})
	if problem != nil {
		t.Fatal(problem)
	}
	tests := []struct {
		listed []string
		beta   string
		body   string
	}{
		{nil, "", `{"max_tokens":1,"model":"m","output_config":{"effort":"high"}}`},
		{[]string{"compact-2026-01-12"}, "compact-2026-01-12", `{"context_management":{"edits":[]},"max_tokens":1,"model":"m","output_config":{"effort":"high"}}`},
		{
			[]string{"task-budgets-2026-03-13", "mcp-client-2025-04-04", "nobody-asked"},
			"mcp-client-2025-04-04,task-budgets-2026-03-13",
			`{"max_tokens":1,"mcp_servers":[],"model":"m","output_config":{"effort":"high","task_budget":{}}}`,
		},
	}
	for _, tt := range tests {
		m := q.For(scrub.Exit{Betas: tt.listed})
		got := ""
		for _, f := range m.Fields {
			if f.Name == "anthropic-beta" {
				got = f.Value
			}
		}
		if got != tt.beta || string(m.Body) != tt.body {
			t.Errorf("with %v: beta %q, body %s\nwant %q, %s", tt.listed, got, m.Body, tt.beta, tt.body)
		}
	}
}

// What tools call their cache by is the same for an exit in a session, and different for every other.
func TestCacheKeys(t *testing.T) {
	key := func(value, secret string) string {
		q, problem := scrub.New(operation(t, "/v1/responses"), nil, []byte(`{"model":"m","prompt_cache_key":`+value+`}`), scrub.Options{})
		if problem != nil {
			t.Fatal(problem)
		}
		var body struct {
			Key string `json:"prompt_cache_key"`
		}
		if err := json.Unmarshal(q.For(scrub.Exit{CacheKey: []byte(secret)}).Body, &body); err != nil {
			t.Fatal(err)
		}
		return body.Key
	}
	first := key(`"`+planted+`"`, "a")
	if len(first) != 32 || strings.Contains(first, planted) {
		t.Errorf("prompt_cache_key is %q, want 32 hexadecimal digits", first)
	}
	if again := key(`"\u0050LANTED"`, "a"); again != first {
		t.Errorf("the same key in another spelling is %q, want %q", again, first)
	}
	if other := key(`"`+planted+`"`, "b"); other == first {
		t.Error("two sessions have the same key")
	}
	for _, value := range []string{"null", "7", `["PLANTED"]`} {
		if got := key(value, "a"); got != "" {
			t.Errorf("%s became %q, want nothing", value, got)
		}
	}
}

// What makes a backend remember is refused, in words that help and quote nothing.
func TestRefusals(t *testing.T) {
	tests := []struct{ path, body, names string }{
		{"/v1/responses", `{"model":"m","previous_response_id":"PLANTED"}`, "previous_response_id"},
		{"/v1/responses", `{"model":"m","conversation":{"id":"PLANTED"}}`, "conversation"},
		{"/v1/responses", `{"model":"m","Previous_Response_\u0049d":"PLANTED"}`, "previous_response_id"},
		{"/v1/messages", `{"model":"m","thread":{"id":"PLANTED"}}`, "thread"},
		{"/v1beta/models/m:generateContent", `{"cachedContent":"PLANTED"}`, "cachedContent"},
		{"/v1beta/models/m:generateContent", `{"cached_content":"PLANTED"}`, "cached_content"},
		{"/v1beta/models/m:countTokens", `{"generateContentRequest":{"cachedContent":"PLANTED"}}`, "cachedContent"},
	}
	for _, tt := range tests {
		for _, level := range []scrub.Level{scrub.Full, scrub.Minimal} {
			_, problem := scrub.New(operation(t, tt.path), nil, []byte(tt.body), scrub.Options{Level: level})
			if problem == nil || problem.Code != dialect.CodeInvalidRequest || !strings.Contains(problem.Message, tt.names) || strings.Contains(problem.Message, planted) {
				t.Errorf("%s: %v, want a refusal that names %s", tt.body, problem, tt.names)
			}
		}
		if _, problem := scrub.New(operation(t, tt.path), nil, []byte(tt.body), scrub.Options{Level: scrub.Off}); problem != nil {
			t.Errorf("%s: refused with scrubbing off: %v", tt.body, problem)
		}
	}
}

// A key that is given twice could hide a value from one reader.
func TestDuplicateKeys(t *testing.T) {
	for _, body := range []string{`{"model":"m","model":"m"}`, `{"a":[{"b":1,"c":2,"\u0062":3}]}`, `{"properties":{"b":1,"a":2,"b":3}}`} {
		_, problem := scrub.New(operation(t, "/api/chat"), nil, []byte(body), scrub.Options{})
		if problem == nil || problem.Code != dialect.CodeNotJSON {
			t.Errorf("%s: %v, want %s", body, problem, dialect.CodeNotJSON)
		}
	}
	q, problem := scrub.New(operation(t, "/v1/chat/completions"), nil, []byte(`{"model":"m","user":"PLANTED","us\u0065r":"PLANTED"}`), scrub.Options{Level: scrub.Minimal})
	if problem != nil {
		t.Fatal(problem)
	}
	if got := string(q.For(scrub.Exit{}).Body); got != `{"model":"m"}` {
		t.Errorf("minimal left %s", got)
	}
}

func TestParseLevel(t *testing.T) {
	for s, want := range map[string]scrub.Level{"": scrub.Full, "full": scrub.Full, "minimal": scrub.Minimal, "off": scrub.Off} {
		if got, err := scrub.ParseLevel(s); got != want || err != nil {
			t.Errorf("ParseLevel(%q) = %q, %v", s, got, err)
		}
	}
	if _, err := scrub.ParseLevel("Full"); err == nil {
		t.Error("a level that does not exist is taken")
	}
}
