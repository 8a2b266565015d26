// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/scrub"
	"github.com/tokengo/tokengo/service"
)

var (
	chatOperation   = dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Chat, Path: "/v1/chat/completions"}
	geminiOperation = dialect.Operation{Protocol: service.Gemini, Kind: dialect.Chat, Model: "g", Path: "/v1beta/models/g:generateContent"}
)

// headerOf makes a header of "name: value" lines.
func headerOf(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

func TestDemand(t *testing.T) {
	price := func(amount route.Price) *route.Price { return &amount }
	all := []service.Protocol{service.OpenAI, service.Claude, service.Gemini, service.Ollama}
	geminiFirst := []service.Protocol{service.Gemini, service.OpenAI, service.Claude, service.Ollama}
	plain := route.Request{Protocols: all, Models: []string{"m"}}
	withPreferences := func(p route.Preferences) route.Request {
		r := plain
		r.Preferences = &p
		return r
	}
	withModels := func(models ...string) route.Request {
		r := plain
		r.Models = models
		return r
	}
	tests := []struct {
		name   string
		op     dialect.Operation
		header http.Header
		body   string
		want   demand
		left   string // of the body; "" when all of it
	}{
		{"plain", chatOperation, nil, `{"model":"m"}`, demand{route: plain, retry: RetrySafe}, ""},
		{
			"what it needs", chatOperation, nil,
			`{"model":"m","tools":[{"type":"mcp"}],"reasoning_effort":"high","stream":true,"seed":1,"max_tokens":7,` +
				`"messages":[{"role":"assistant","content":[{"type":"image_url","image_url":"x"}]}]}`,
			demand{
				route: route.Request{
					Protocols: all, Models: []string{"m"}, Features: []string{route.Tools}, Wishes: []string{route.Reasoning},
					Modalities: []string{"image"}, Images: 1, Parameters: []string{"seed", "max_tokens"}, MaxOutput: 7,
				},
				retry: RetrySafe, stream: true, effects: true,
			},
			"",
		},
		{
			"in the body", chatOperation, nil, `{"model":"m","provider":{"sort":"price"},"models":["n"],"route":"fallback"}`,
			demand{route: route.Request{
				Protocols: all, Models: []string{"m", "n"}, Preferences: &route.Preferences{Sort: route.SortPrice},
			}, retry: RetrySafe},
			`{"model":"m"}`,
		},
		{
			"in the header", chatOperation, headerOf(`x-tokengo-provider: {"only":["x"]}`, "x-tokengo-sort: latency"), `{"model":"m"}`,
			demand{route: withPreferences(route.Preferences{Only: []string{"x"}, Sort: route.SortLatency}), retry: RetrySafe},
			"",
		},
		{
			"in both", chatOperation, headerOf("x-tokengo-max-price: 0.5"), `{"model":"m","provider":{"sort":"price"}}`,
			demand{route: withPreferences(route.Preferences{
				Sort: route.SortPrice, MaxPrice: &route.MaxPrice{Prompt: price(0.5), Completion: price(0.5)},
			}), retry: RetrySafe},
			`{"model":"m"}`,
		},
		{
			"classes of service", chatOperation, headerOf("x-tokengo-tiers: free, standard"), `{"model":"m"}`,
			demand{route: withPreferences(route.Preferences{Tiers: []service.Tier{service.Free, service.Standard}}), retry: RetrySafe},
			"",
		},
		{
			"models", chatOperation, headerOf("x-tokengo-models: n, m,,o:floor"), `{"model":"m"}`,
			demand{route: withModels("m", "n", "o:floor"), retry: RetrySafe},
			"",
		},
		{"models only", chatOperation, nil, `{"models":["n","o"]}`, demand{route: withModels("n", "o"), retry: RetrySafe}, `{"model":"n"}`},
		{
			"gemini", geminiOperation, headerOf("x-tokengo-models: h"), `{"provider":{}}`,
			demand{route: route.Request{
				Protocols: geminiFirst, Models: []string{"g", "h"}, Preferences: &route.Preferences{},
			}, retry: RetrySafe},
			`{}`,
		},
		{"retry", chatOperation, headerOf("x-tokengo-retry: never"), `{"model":"m"}`, demand{route: plain, retry: RetryNever}, ""},
		{"empty fields", chatOperation, headerOf("x-tokengo-sort: ", "x-tokengo-models: ", "x-tokengo-retry: "), `{"model":"m"}`, demand{route: plain, retry: RetrySafe}, ""},
		{"a model with auto in its name", chatOperation, nil, `{"model":"autocoder"}`, demand{route: withModels("autocoder"), retry: RetrySafe}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, body, fail := newDemands("", "").of(tt.op, tt.header, []byte(tt.body))
			if fail != nil {
				t.Fatal(fail)
			}
			if tt.left == "" {
				tt.left = tt.body
			}
			if string(body) != tt.left {
				t.Errorf("the body is %s, want %s", body, tt.left)
			}
			ignored := cmpopts.IgnoreFields(route.Request{}, "InputTokens", "Conversation")
			if diff := cmp.Diff(&tt.want, got, cmp.AllowUnexported(demand{}), ignored, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDemandRefuses(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
		body   string
		code   dialect.Code
		says   []string
	}{
		{"no JSON", nil, `{`, dialect.CodeNotJSON, nil},
		{"no model", nil, `{}`, dialect.CodeNoModel, nil},
		{"unknown preference", nil, `{"model":"m","provider":{"sort":"price","data_collection":"deny"}}`, dialect.CodeInvalidRequest, []string{`"provider"`, "data_collection"}},
		{"wrong preference", nil, `{"model":"m","provider":{"sort":"best"}}`, dialect.CodeInvalidRequest, []string{`"provider"`, "sort", "throughput"}},
		{"wrong models", nil, `{"model":"m","models":[1]}`, dialect.CodeInvalidRequest, []string{`"models"`}},
		{"header no JSON", headerOf("x-tokengo-provider: price"), `{"model":"m"}`, dialect.CodeInvalidRequest, []string{headerProvider, "JSON object"}},
		{"header and body", headerOf("x-tokengo-provider: {}"), `{"model":"m","provider":{}}`, dialect.CodeInvalidRequest, []string{headerProvider, "too"}},
		{"models in both", headerOf("x-tokengo-models: o"), `{"model":"m","models":["n"]}`, dialect.CodeInvalidRequest, []string{headerModels, "too"}},
		{"too many models", headerOf("x-tokengo-models: " + strings.Repeat("n,", maxModels+1)), `{"model":"m"}`, dialect.CodeInvalidRequest, []string{headerModels, "16"}},
		{"models that are no text", headerOf("x-tokengo-models: \xff"), `{"model":"m"}`, dialect.CodeInvalidRequest, []string{headerModels}},
		{"sort", headerOf("x-tokengo-sort: best"), `{"model":"m"}`, dialect.CodeInvalidRequest, []string{headerSort, "throughput"}},
		{"sort in both", headerOf("x-tokengo-sort: price"), `{"model":"m","provider":{"sort":"price"}}`, dialect.CodeInvalidRequest, []string{headerSort, "too"}},
		{"price", headerOf("x-tokengo-max-price: prompt=cheap"), `{"model":"m"}`, dialect.CodeInvalidRequest, []string{headerMaxPrice, "prompt", "decimal"}},
		{"tier", headerOf("x-tokengo-tiers: gold"), `{"model":"m"}`, dialect.CodeInvalidRequest, []string{headerTiers, "premium"}},
		{"retry", headerOf("x-tokengo-retry: sometimes"), `{"model":"m"}`, dialect.CodeInvalidRequest, []string{headerRetry, "never, safe or always"}},
		{"affinity", headerOf("x-tokengo-affinity: exit"), `{"model":"m"}`, dialect.CodeInvalidRequest, []string{headerAffinity, "none"}},
		{"a field that is none", headerOf("x-tokengo-tier: free"), `{"model":"m"}`, dialect.CodeInvalidRequest, []string{"X-Tokengo-Tier cannot", headerTiers}},
		{"twice", headerOf("x-tokengo-sort: price", "x-tokengo-sort: price"), `{"model":"m"}`, dialect.CodeInvalidRequest, []string{headerSort, "more than once"}},
		{"auto", nil, `{"model":"auto"}`, dialect.CodeUnknownModel, []string{"not there yet", "models"}},
		{"auto of OpenRouter", nil, `{"model":"openrouter/auto"}`, dialect.CodeUnknownModel, []string{"not there yet"}},
		{"auto with a suffix", nil, `{"model":"Auto:floor"}`, dialect.CodeUnknownModel, []string{"not there yet"}},
		{"auto at the end", nil, `{"model":"m","models":["auto"]}`, dialect.CodeUnknownModel, []string{"not there yet"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, fail := newDemands(RetrySafe, AffinityConversation).of(chatOperation, tt.header, []byte(tt.body))
			if fail == nil || fail.Code != tt.code {
				t.Fatalf("got %+v, %v; want %s", got, fail, tt.code)
			}
			for _, words := range tt.says {
				if !strings.Contains(fail.Message, words) {
					t.Errorf("it says %q, and not %q", fail.Message, words)
				}
			}
		})
	}
}

// What only the client reads is not inside the seal, whichever way it came.
func TestDemandStaysHere(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	type inside struct {
		body   string
		fields string
	}
	got := make(chan inside, 1)
	exit.answer = func(x *exchange) {
		got <- inside{string(x.body), fmt.Sprint(x.req.Fields)}
		x.respond(200, "application/json", "{}")
	}
	c := start(t, Config{Scrub: scrub.Off}, newTestRelay(t, exit))
	for body, want := range map[string]string{
		`{"model":"m", "provider":{"sort":"price"},"messages":[],"models":["n"],"route":"fallback"}`: `{"model":"m","messages":[]}`,
		`{"messages":[],"models":["m","n"]}`:           `{"messages":[],"model":"m"}`,
		`{"messages":[],"models":["not there","m"]}`:   `{"messages":[],"model":"m"}`,
		`{"messages":[],"provider":"x","model":"m"}`:   `{"messages":[],"provider":"x","model":"m"}`,
		`{"messages":[],"model":"m", "provider":null}`: `{"messages":[],"model":"m"}`,
	} {
		resp := c.do("POST", "/v1/chat/completions", body, headerAffinity, "none", headerRetry, "never")
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d: %s", body, resp.StatusCode, read(t, resp))
			continue
		}
		if sealed := <-got; sealed.body != want || strings.Contains(strings.ToLower(sealed.fields), "x-tokengo") {
			t.Errorf("%s is sealed as %s with %s; want %s", body, sealed.body, sealed.fields, want)
		}
	}
	resp := c.do("POST", "/v1/chat/completions", `{"model":"m","provider":{"only":["somebody else"]}}`)
	if resp.StatusCode == http.StatusOK {
		t.Error("a preference of the body counts for nothing")
	}
}

func TestConversationKeys(t *testing.T) {
	key := func(d *demands, header http.Header, body string) string {
		t.Helper()
		got, _, fail := d.of(chatOperation, header, []byte(body))
		if fail != nil {
			t.Fatal(fail)
		}
		return got.route.Conversation
	}
	const (
		first = `{"model":"m","messages":[{"role":"user","content":"u"}]}`
		later = `{"model":"m","messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"}]}`
		other = `{"model":"m","messages":[{"role":"user","content":"v"}]}`
	)
	d, restarted := newDemands(RetrySafe, AffinityConversation), newDemands(RetrySafe, AffinityConversation)
	free := newDemands(RetrySafe, AffinityNone)
	none, kept := headerOf("x-tokengo-affinity: none"), headerOf("x-tokengo-affinity: conversation")
	switch a := key(d, nil, first); {
	case len(a) != 32:
		t.Errorf("a key of %d bytes", len(a))
	case a != key(d, nil, later), a != key(d, kept, first):
		t.Error("a later turn has another key")
	case a == key(d, nil, other):
		t.Error("another conversation has the same key")
	case a == key(restarted, nil, first):
		t.Error("the key means something to another client")
	case key(d, none, first) != "", key(free, nil, first) != "", key(d, nil, `{"model":"m"}`) != "":
		t.Error("there is a key where none is wanted, or no conversation")
	case key(free, kept, first) == "":
		t.Error("the field of the header does not count")
	}
}

// dialect may not know of route, so the two have their own names for the same.
func TestFeaturesHaveOneName(t *testing.T) {
	same := map[string]string{
		dialect.FeatureTools: route.Tools, dialect.FeatureParallelTools: route.ParallelTools,
		dialect.FeatureJSONSchema: route.JSONSchema, dialect.FeatureReasoning: route.Reasoning,
	}
	for ours, theirs := range same {
		if ours != theirs {
			t.Errorf("%q and %q", ours, theirs)
		}
	}
}

func TestParseRetryAndAffinity(t *testing.T) {
	for text, want := range map[string]Retry{"": RetrySafe, "never": RetryNever, "safe": RetrySafe, "always": RetryAlways} {
		if got, err := ParseRetry(text); got != want || err != nil {
			t.Errorf("retry %q is %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]Affinity{"": AffinityConversation, "conversation": AffinityConversation, "none": AffinityNone} {
		if got, err := ParseAffinity(text); got != want || err != nil {
			t.Errorf("affinity %q is %q, %v; want %q", text, got, err, want)
		}
	}
	if _, err := ParseRetry("Safe"); err == nil {
		t.Error("retry Safe is taken")
	}
	if _, err := ParseAffinity("exit"); err == nil {
		t.Error("affinity exit is taken")
	}
}
