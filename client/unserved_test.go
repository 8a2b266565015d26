// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// What no exit can serve is refused with a status that says whether it helps to ask again.
func TestUnservedStatus(t *testing.T) {
	offer := models(service.OpenAI, "m")
	offer[0].MaxCtx, offer[0].Features, offer[0].Modalities = 1000, []string{"json_schema"}, []string{"text"}
	price := route.Price(1)
	tests := []struct {
		name, body string
		cfg        Config
		status     int
		code       string
	}{
		{"too long", `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("word ", 4000) + `"}]}`, Config{}, http.StatusBadRequest, "context_length_exceeded"},
		{"tools", `{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f"}}]}`, Config{}, http.StatusBadRequest, "invalid_request"},
		{"a price that is not stated", `{"model":"m","messages":[]}`, Config{Preferences: route.Preferences{MaxPrice: &route.MaxPrice{Prompt: &price}}}, http.StatusServiceUnavailable, "no_exit"},
		{"a name", `{"model":"n","messages":[]}`, Config{}, http.StatusNotFound, "model_not_found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			exit := newExit(t, newIdentity(t), testInfo(offer))
			c := start(t, tt.cfg, newTestRelay(t, exit))
			resp := c.do("POST", "/v1/chat/completions", tt.body)
			if message, code := errorText(t, service.OpenAI, read(t, resp)); resp.StatusCode != tt.status || code != tt.code {
				t.Errorf("status %d, code %q, message %q", resp.StatusCode, code, message)
			}
			if n := exit.requests.Load(); n != 0 {
				t.Errorf("%d requests to the exit", n)
			}
		})
	}
}

// unserved is what a tool's SDK looks at in an error.
type unserved struct {
	Status     int
	Code       string
	Retry      string // x-should-retry
	RetryAfter string
}

func (c *testClient) unserved(t *testing.T, proto service.Protocol, path, body string) (unserved, string) {
	t.Helper()
	resp := c.do("POST", path, body)
	message, code := errorText(t, proto, read(t, resp))
	return unserved{resp.StatusCode, code, resp.Header.Get("X-Should-Retry"), resp.Header.Get("Retry-After")}, message
}

// What the preferences rule out stays ruled out: the official SDKs, which send a 503 three times, are told so, in each
// protocol. What may pass is left to them.
func TestRuledOutIsNotAskedAgain(t *testing.T) {
	only := func(names ...string) Config { return Config{Preferences: route.Preferences{Only: names}} }
	ruledOut := unserved{http.StatusServiceUnavailable, "no_exit", "false", ""}
	passing := unserved{http.StatusServiceUnavailable, "no_exit", "", ""}
	requests := map[service.Protocol][2]string{
		service.OpenAI: {"/v1/chat/completions", `{"model":"m","messages":[]}`},
		service.Claude: {"/v1/messages", `{"model":"m","max_tokens":9,"messages":[]}`},
		service.Gemini: {"/v1beta/models/m:generateContent", `{"contents":[]}`},
		service.Ollama: {"/api/chat", `{"model":"m","messages":[]}`},
	}
	for proto, request := range requests {
		exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
		if got, message := start(t, only("nobody"), newTestRelay(t, exit)).unserved(t, proto, request[0], request[1]); got != ruledOut {
			t.Errorf("%s, only names nobody: %+v, %q", proto, got, message)
		}
		relay := newTestRelay(t, exit)
		relay.operator = "tester"
		if got, message := start(t, Config{}, relay).unserved(t, proto, request[0], request[1]); got != ruledOut {
			t.Errorf("%s, exit and relay of one operator: %+v, %q", proto, got, message)
		}
		if got, message := start(t, Config{}, newTestRelay(t)).unserved(t, proto, request[0], request[1]); got != passing {
			t.Errorf("%s, no exit yet: %+v, %q", proto, got, message)
		}
		if n := exit.requests.Load(); n != 0 {
			t.Errorf("%s: %d requests to the exit", proto, n)
		}
	}
}

// A model that is limited is worth waiting for, unless that takes longer than anybody waits without a word.
func TestLimitedIsAskedAgain(t *testing.T) {
	for wait, want := range map[string]unserved{
		"20":   {http.StatusTooManyRequests, "exit_busy", "", "20"},
		"3600": {http.StatusTooManyRequests, "exit_busy", "false", "3600"},
	} {
		exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
		exit.answer = func(x *exchange) {
			x.head(http.StatusTooManyRequests, bhttp.Field{Name: "content-type", Value: "application/json"}, bhttp.Field{Name: "retry-after", Value: wait})
			x.check(x.chunk(`{"error":{"message":"later"}}`))
			x.end()
		}
		c := start(t, Config{}, newTestRelay(t, exit))
		c.do("POST", "/v1/chat/completions", chatBody)
		if got, message := c.unserved(t, service.OpenAI, "/v1/chat/completions", chatBody); got != want {
			t.Errorf("limited for %s s: %+v, %q, want %+v", wait, got, message, want)
		}
	}
}

// An embedding of a model that is offered over Claude's protocol alone, which has none, is no matter of addresses.
func TestNoEmbeddings(t *testing.T) {
	claude := models(service.Claude, "claude-x", "claude-y")
	embedder := models(service.OpenAI, "embed-small", "chat")
	embedder[0].Features, embedder[1].Features = []string{"embedding"}, []string{"tools"}
	with := []*testExit{newExit(t, newIdentity(t), testInfo(claude)), newExit(t, newIdentity(t), testInfo(embedder))}
	c := start(t, Config{}, newTestRelay(t, with...))
	alone := start(t, Config{}, newTestRelay(t, with[0]))
	want := unserved{http.StatusBadRequest, "invalid_request", "", ""}
	tests := []struct {
		proto      service.Protocol
		path, body string
	}{
		{service.OpenAI, "/v1/embeddings", `{"model":"claude-x","input":"a"}`},
		{service.OpenAI, "/v1/embeddings", `{"model":"chat","input":"a"}`},
		{service.OpenAI, "/v1/embeddings", `{"models":["claude-x","chat"],"input":"a"}`},
		{service.Gemini, "/v1beta/models/claude-x:embedContent", `{"content":{"parts":[{"text":"a"}]}}`},
		{service.Ollama, "/api/embed", `{"model":"claude-x","input":"a"}`},
	}
	for _, tt := range tests {
		got, message := c.unserved(t, tt.proto, tt.path, tt.body)
		if got != want || !strings.Contains(message, "embed-small") || strings.Contains(message, "claude-y") || strings.Contains(message, "address") {
			t.Errorf("%s %s: %+v, %q", tt.path, tt.body, got, message)
		}
	}
	got, message := alone.unserved(t, service.OpenAI, "/v1/embeddings", tests[0].body)
	if got != want || !strings.Contains(message, "claude-x") || !strings.Contains(message, "No exit that this client may use offers") {
		t.Errorf("without any model for embeddings: %+v, %q", got, message)
	}
}

// The error names what is missing, and every model of the request that nobody offers.
func TestUnservedNamesTheReasons(t *testing.T) {
	offer := models(service.OpenAI, "sees", "calls", "long")
	offer[0].Features = []string{"vision", "json_schema"}
	offer[1].Features, offer[1].Modalities = []string{"tools"}, []string{"text"}
	offer[2].MaxCtx = 100
	exit := newExit(t, newIdentity(t), testInfo(offer))
	c := start(t, Config{}, newTestRelay(t, exit))
	const (
		tool  = `"tools":[{"type":"function","function":{"name":"f"}}]`
		image = `"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]`
	)
	long := `"messages":[{"role":"user","content":"` + strings.Repeat("word ", 400) + `"}]`
	tests := []struct {
		name, body string
		status     int
		want       []string
	}{
		{"a feature", `{"model":"sees",` + tool + `}`, 400, []string{`the model "sees"`, "lacks a feature that the request needs (tools)"}},
		{"a modality", `{"model":"calls",` + image + `}`, 400, []string{"does not take a modality that the request contains (image)"}},
		{"both", `{"models":["sees","calls"],` + tool + `,` + image + `}`, 400, []string{"(tools)", "(image)", `any of the models "sees", "calls"`}},
		{"parameters", `{"model":"calls","messages":[],"top_k":3,"seed":1,"temperature":0,"provider":{"require_parameters":true}}`, 400, []string{"(seed, top_k)"}},
		{"unknown and excluded", `{"models":["nobody's","calls"],"messages":[],"provider":{"only":["nobody"]}}`, 503, []string{`no exit offers "nobody's"`, "only does not name it"}},
		{"unknown and lacking", `{"models":["nobody's","sees"],` + tool + `}`, 400, []string{`no exit offers "nobody's"`, "(tools)"}},
		{"unknown and too small", `{"models":["nobody's","long"],` + long + `}`, 400, []string{`prompt is too long`, `No exit offers "nobody's".`}},
		{"unknown, all of them", `{"models":["nobody's","either"],"messages":[]}`, 404, []string{`any of the models "nobody's", "either"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, message := c.unserved(t, service.OpenAI, "/v1/chat/completions", tt.body)
			missing := slices.ContainsFunc(tt.want, func(part string) bool { return !strings.Contains(message, part) })
			if got.Status != tt.status || missing {
				t.Errorf("%+v, %q, want %d with %q", got, message, tt.status, tt.want)
			}
		})
	}
	if n := exit.requests.Load(); n != 0 {
		t.Errorf("%d requests to the exit", n)
	}
}

// Names that a profile uses for exits outlive their keys, or the user is told.
func TestFleetingNamesAreToldOf(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	hash := string(exit.entry.PubKeyHash)
	for name, warned := range map[string]bool{hash: true, hash[:8]: false, "an operator": false} {
		c := start(t, Config{Tiers: []route.Tier{{Name: "t", Preferences: route.Preferences{Ignore: []string{name}}}}}, newTestRelay(t, exit))
		told := func() bool { return strings.Contains(c.logs.String(), "named by its keys") }
		if warned {
			eventually(t, "the user is told", told)
		} else if _, found := c.cfg.fleetingName(); found || told() {
			t.Errorf("ignoring %q: warned", name)
		}
	}
}
