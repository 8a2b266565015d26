// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/scrub"
	"github.com/tokengo/tokengo/service"
)

// bodyAtExit starts a client and returns what the exit finds inside the seal for each body.
func bodyAtExit(t *testing.T, cfg Config) (c *testClient, ask func(path, body string) string) {
	t.Helper()
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m"), models(service.Claude, "m")))
	got := make(chan string, 1)
	exit.answer = func(x *exchange) {
		got <- string(x.body)
		x.respond(200, "application/json", "{}")
	}
	c = start(t, cfg, newTestRelay(t, exit))
	return c, func(path, body string) string {
		t.Helper()
		if resp := c.do("POST", path, body, "Anthropic-Beta", "context-management-2025-06-27"); resp.StatusCode != 200 {
			t.Fatalf("status %d: %s", resp.StatusCode, read(t, resp))
		}
		return <-got
	}
}

func TestScrubLevels(t *testing.T) {
	const body = `{ "stream":false, "model":"m", "user":"CANARY-7f3a", "messages":[] }`
	for level, want := range map[scrub.Level]string{
		"":            `{"messages":[],"model":"m","stream":false}`,
		scrub.Full:    `{"messages":[],"model":"m","stream":false}`,
		scrub.Minimal: `{ "stream":false, "model":"m", "messages":[] }`,
		scrub.Off:     body,
	} {
		_, ask := bodyAtExit(t, Config{Scrub: level})
		if diff := cmp.Diff(want, ask("/v1/chat/completions", body)); diff != "" {
			t.Errorf("level %q (-want +got):\n%s", level, diff)
		}
	}
}

// Fields of betas go out when the exit does not list them.
func TestScrubForTheExit(t *testing.T) {
	_, ask := bodyAtExit(t, Config{})
	got := ask("/v1/messages", `{"model":"m","metadata":{"user_id":"CANARY-7f3a"},"context_management":{}}`)
	if want := `{"metadata":{},"model":"m"}`; got != want {
		t.Errorf("inside the seal is %s, want %s", got, want)
	}
}

// A cache key holds for one exit, one client and one day.
func TestCacheKeys(t *testing.T) {
	day := time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
	s, other := newScrubber(Config{}), newScrubber(Config{})
	key := string(s.cacheKey("a", day))
	if again := string(s.cacheKey("a", day.Add(20*time.Hour))); again != key {
		t.Error("the key changed within a day")
	}
	for what, k := range map[string][]byte{
		"exit": s.cacheKey("b", day), "client": other.cacheKey("a", day), "day": s.cacheKey("a", day.Add(24*time.Hour)),
	} {
		if string(k) == key {
			t.Errorf("another %s has the same key", what)
		}
	}
}

// The log warns of each kind once, with no part of the text; requests go on.
func TestWarnsOnce(t *testing.T) {
	c, ask := bodyAtExit(t, Config{})
	for range 3 {
		ask("/v1/chat/completions", `{"model":"m","messages":[{"content":"/home/alice7f3a and alice7f3a@mail.planted.io"}]}`)
	}
	logs := c.logs.String()
	if strings.Contains(logs, "7f3a") {
		t.Errorf("the log quotes the text:\n%s", logs)
	}
	for _, kind := range []scrub.Kind{scrub.KindHome, scrub.KindEmail} {
		if n := strings.Count(logs, string(kind)); n != 1 {
			t.Errorf("%q is warned of %d times:\n%s", kind, n, logs)
		}
	}
}

// A blocked kind is refused before anything is sent, however often.
func TestBlocks(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	exit.answer = func(x *exchange) { x.respond(200, "application/json", "{}") }
	c := start(t, Config{Block: []scrub.Kind{scrub.KindToken}}, newTestRelay(t, exit))
	secret := "gh" + "p_" + strings.Repeat("a1", 20)
	for range 2 {
		resp := c.do("POST", "/v1/chat/completions", `{"model":"m","messages":[{"content":"hi"},{"content":"use `+secret+`"}]}`)
		message, code := errorText(t, service.OpenAI, read(t, resp))
		if resp.StatusCode != 400 || code != "invalid_request" || !strings.Contains(message, "messages[1]") || strings.Contains(message, secret) {
			t.Errorf("answer %d %s: %s", resp.StatusCode, code, message)
		}
	}
	if n := exit.requests.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if resp := c.do("POST", "/v1/chat/completions", `{"model":"m","messages":[{"content":"/home/alice"}]}`); resp.StatusCode != 200 {
		t.Errorf("another kind was refused with %d", resp.StatusCode)
	}
}

// With pseudonyms the exit reads placeholders, and the tool what it asked with, streamed and whole.
func TestPseudonyms(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	got := make(chan string, 1)
	var pieces []string
	exit.answer = func(x *exchange) {
		got <- string(x.body)
		if len(pieces) == 0 {
			x.respond(200, "application/json", `{"choices":[{"message":{"content":"in /home/user417/x"}}]}`)
			return
		}
		x.head(200, eventStream)
		for _, piece := range pieces {
			x.check(x.chunk(`data: {"choices":[{"index":0,"delta":{"content":"` + piece + `"}}]}` + "\n\n"))
		}
		x.end()
	}
	c := start(t, Config{Pseudonyms: scrub.NewPseudonyms(scrub.Identity{Home: "/home/alice", User: "alice"})}, newTestRelay(t, exit))
	const body = `{"messages":[{"content":"list /home/alice, alice","role":"user"}],"model":"m"}`
	answer := read(t, c.do("POST", "/v1/chat/completions", body))
	if want := `{"choices":[{"message":{"content":"in /home/alice/x"}}]}`; answer != want {
		t.Errorf("answer %s, want %s", answer, want)
	}
	if inner := <-got; strings.Contains(inner, "alice") || !strings.Contains(inner, "list /home/user417, user417") {
		t.Errorf("inside the seal is %s", inner)
	}
	pieces = []string{"in /ho", "me/user4", "17/x by User4", "17"}
	answer = read(t, c.do("POST", "/v1/chat/completions", body))
	<-got
	if text := strings.Join(strings.FieldsFunc(answer, func(r rune) bool { return strings.ContainsRune("{}[]\":,\n", r) }), " "); !strings.Contains(text, "/home/alice") ||
		!strings.Contains(text, "Alice") || strings.Contains(answer, "417") {
		t.Errorf("streamed %s", answer)
	}
}

// The debug page shows what left, to who has the token.
func TestDebugPage(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	exit.answer = func(x *exchange) { x.respond(200, "application/json", "{}") }
	relay := newTestRelay(t, exit)
	c := start(t, Config{Debug: true, ManagementToken: secret.New("open sesame")}, relay)
	page := func(header ...string) (int, string) {
		resp := c.do("GET", ManagementPrefix+"debug/scrub", "", header...)
		return resp.StatusCode, read(t, resp)
	}
	if status, text := page("Authorization", "Bearer open sesame"); status != 200 || !strings.Contains(text, "No request") {
		t.Errorf("before any request: %d %s", status, text)
	}
	for range maxExplained + 2 {
		read(t, c.do("POST", "/v1/chat/completions", `{"model":"m","user":"CANARY-7f3a","messages":["/home/alice"]}`, "X-App", "CANARY-7f3a"))
	}
	status, text := page("Authorization", "Bearer open sesame")
	for _, want := range []string{`{"messages":["/home/alice"],"model":"m"}`, "x-app  removed", "user  removed", "home directory in messages[0]", "user-agent: tokengo"} {
		if status != 200 || !strings.Contains(text, want) {
			t.Errorf("%d, without %q:\n%s", status, want, text)
		}
	}
	if strings.Contains(text, "CANARY") || strings.Count(text, "What leaves") != maxExplained {
		t.Errorf("the page has a value that did not leave, or not the last %d requests:\n%s", maxExplained, text)
	}
	if status, text := page("Authorization", "Bearer open sesame", "Accept", "application/json"); status != 200 || !strings.Contains(text, `"body":{"messages"`) {
		t.Errorf("as JSON: %d %s", status, text)
	}
	for _, header := range [][]string{nil, {"Authorization", "Bearer "}, {"Authorization", "open sesame"}, {"Authorization", "Bearer open"}} {
		if status, text := page(header...); status != 401 || strings.Contains(text, "alice") {
			t.Errorf("with %v: %d %s", header, status, text)
		}
	}
	without := start(t, Config{ManagementToken: secret.New("t")}, relay)
	if resp := without.do("GET", ManagementPrefix+"debug/scrub", "", "Authorization", "Bearer t"); resp.StatusCode != 404 {
		t.Errorf("a page that nobody asked for: %d", resp.StatusCode)
	}
}
