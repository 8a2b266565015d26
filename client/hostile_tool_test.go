// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/service"
)

// What a tool, or a page that got in, writes into the client's own fields is refused with a short error that names the
// field, at once, and reaches no exit, no log and no metric.
func TestHostilePreferences(t *testing.T) {
	const canary = "canary-5b1e"
	names := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"`+canary+`",`, n), ",") }
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	provider := func(object string) string { return `{"model":"m","messages":[],"provider":` + object + `}` }
	tests := []struct {
		name, body string
		header     []string
	}{
		{"large", provider(`{"only":["` + strings.Repeat("x", 64<<10) + `"]}`), nil},
		{"long lists", provider(`{"only":[` + names(65) + `]}`), nil},
		{"long entry", provider(`{"ignore":["` + strings.Repeat("x", 257) + `"]}`), nil},
		{"deep", provider(`{"only":` + deep(900) + `}`), nil},
		{"too deep", provider(`{"only":` + deep(100_000) + `}`), nil},
		{"twice", provider(`{},"provider":{}`), nil},
		{"twice, once null", provider(`{},"provider":null`), nil},
		{"twice, once escaped", provider(`{},"\u0070rovider":{}`), nil},
		{"infinite", provider(`{"max_price":{"prompt":1e999}}`), nil},
		{"negative", provider(`{"max_price":{"prompt":-1}}`), nil},
		{"negative text", provider(`{"max_price":{"prompt":"-1"}}`), nil},
		{"not a number", provider(`{"max_price":{"prompt":"NaN"}}`), nil},
		{"infinity", provider(`{"max_price":{"prompt":"Inf"}}`), nil},
		{"hexadecimal", provider(`{"max_price":{"prompt":"0x1p4"}}`), nil},
		{"a latency without end", provider(`{"preferred_max_latency":1e999}`), nil},
		{"a negative latency", provider(`{"preferred_max_latency":{"p50":-1}}`), nil},
		{"a promise without end", provider(`{"min_sla":{"max_ttft_ms":1e999}}`), nil},
		{"unknown key", provider(`{"\u001b[31m` + canary + `":1}`), nil},
		{"10,000 models", `{"model":"m","messages":[],"models":[` + names(10_000) + `]}`, nil},
		{"models of all kinds", `{"model":"m","messages":[],"models":["a",{}]}`, nil},
		{"long header", chatBody, []string{"X-Tokengo-Provider", `{"only":["` + strings.Repeat("x", 60_000) + `"]}`}},
		{"many in the header", chatBody, []string{"X-Tokengo-Models", strings.Repeat("a,", 30_000)}},
		{"header twice", chatBody, []string{"X-Tokengo-Retry", "never", "x-tokengo-retry", "always"}},
		{"header in another case", chatBody, []string{"x-tokengo-RETRY", canary}},
		{"a field of answers", chatBody, []string{"X-Tokengo-Exit", canary}},
		{"an unknown field", chatBody, []string{"x-tokengo-" + canary, "1"}},
		{"no model", `{"model":"\u001b[31m` + canary + `","messages":[]}`, nil},
	}
	c, _, exit := network(t, Config{}, plainAnswer("{}"))
	for _, tt := range tests {
		began := time.Now()
		resp := c.do("POST", "/v1/chat/completions", tt.body, tt.header...)
		body := read(t, resp)
		if resp.StatusCode < 400 || resp.StatusCode >= 500 || len(body) > 2048 || strings.ContainsRune(body, 0x1b) || strings.Contains(body, `\u001b`) {
			t.Errorf("%s: status %d, %d bytes: %.300s", tt.name, resp.StatusCode, len(body), body)
		}
		if took := time.Since(began); took > soon {
			t.Errorf("%s: took %v", tt.name, took)
		}
	}
	if n := exit.requests.Load(); n != 0 {
		t.Errorf("%d requests reached the exit", n)
	}
	if strings.Contains(c.logs.String(), canary) {
		t.Errorf("the log has what the tool wrote:\n%s", c.logs)
	}
}

// Fields in the trailer of a request are none of the client's and go nowhere.
func TestTrailersOfRequestsCountForNothing(t *testing.T) {
	c, _, exit := network(t, Config{}, func(x *exchange) { x.respond(200, "application/json", fmt.Sprintf("%q", x.req.Fields)) })
	body := io.MultiReader(strings.NewReader(chatBody)) // of no known length
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/v1/chat/completions", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Trailer = http.Header{"X-Tokengo-Provider": {`{"only":["nobody"]}`}, "X-Tokengo-Nothing": {"1"}}
	resp, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := read(t, resp); resp.StatusCode != 200 || strings.Contains(strings.ToLower(got), "nobody") || exit.requests.Load() != 1 {
		t.Errorf("status %d: %s", resp.StatusCode, got)
	}
}

// Names that an exit gives its models change no path, and reach tools and logs as one line of text.
func TestHostileModelNames(t *testing.T) {
	for _, name := range []string{
		"../../../v1/files", "..", ".", "models/..", "models/../x", "%2e%2e%2f", "%2f", "a%00b", "m:streamGenerateContent", "m?key=x", "m#x",
		"m m", "\u202emodel", "m\u2028x", `m"x`, "tunedModels/x", "models/models/x", strings.Repeat("m", 256), "/", "m/", "//",
	} {
		offer := []service.Model{{ID: name, Protocol: service.Gemini, Aliases: []string{"alias"}}}
		exit := newExit(t, newIdentity(t), testInfo(offer))
		var path string
		exit.answer = func(x *exchange) {
			path = x.req.Path
			x.respond(200, "application/json", "{}")
		}
		c := start(t, Config{}, newTestRelay(t, exit))
		resp := c.do("POST", "/v1beta/models/alias:generateContent", `{"contents":[]}`)
		read(t, resp)
		if exit.requests.Load() > 0 {
			rest, ok := strings.CutPrefix(path, "/v1beta/")
			id, verb := strings.CutSuffix(rest, ":generateContent")
			if !ok || !verb || strings.ContainsAny(id, "?#\x00 \"") || strings.Contains("/"+id+"/", "/../") || strings.Contains("/"+id+"/", "/./") {
				t.Errorf("%q: the path is %q", name, path)
			}
		} else if resp.StatusCode < 400 {
			t.Errorf("%q: status %d, and nothing was sent", name, resp.StatusCode)
		}
		for _, values := range resp.Header {
			for _, r := range strings.Join(values, "") {
				if r < ' ' || r > '~' {
					t.Errorf("%q: header %q", name, values)
				}
			}
		}
		if got := standingOf(c, exit); got.Succeeded > 0 && exit.requests.Load() == 0 {
			t.Errorf("%q: remembered as having answered", name)
		}
		if strings.Contains(c.logs.String(), name) && len(name) > 3 {
			t.Errorf("%q is in the log", name)
		}
	}
}
