// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/scrub"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

// opened is a request as an exit reads it, and as it was on the wire.
type opened struct {
	method, authority, path string
	fields                  bhttp.Fields
	body                    string
	length                  int64 // sealed
}

// Two attempts at different exits have nothing in common but the prompt, the settings and what all clients send: no code
// that an exit could know the other's request by. On the wire they have the same length.
func TestAttemptsShareNothingButThePrompt(t *testing.T) {
	var seen []opened
	record := func(then func(*exchange)) func(*exchange) {
		return func(x *exchange) {
			seen = append(seen, opened{x.req.Method, x.req.Authority, x.req.Path, x.req.Fields, string(x.body), x.outer.ContentLength})
			then(x)
		}
	}
	c, _ := two(t, Config{}, record(coded(dialect.CodeExitBusy)), record(plainAnswer("{}")))
	body := `{"model":"m","messages":[{"role":"user","content":"canary"}],"seed":7,"user":"u-1","prompt_cache_key":"session-1",` +
		`"safety_identifier":"s-1","metadata":{"id":"x"},"provider":{"sort":"price"}}`
	resp := c.do("POST", "/v1/chat/completions", body, "Idempotency-Key", "k", "X-Request-Id", "r", "Traceparent", "00-1", "Cookie", "a=b",
		"X-Stainless-Retry-Count", "3", "User-Agent", "tool/1")
	if read(t, resp); resp.StatusCode != 200 || len(seen) != 2 {
		t.Fatalf("status %d after %d attempts", resp.StatusCode, len(seen))
	}
	var keys [2]string
	for i := range seen {
		_, rest, found := strings.Cut(seen[i].body, `"prompt_cache_key":"`)
		if key, _, ends := strings.Cut(rest, `"`); found && ends {
			keys[i] = key
			seen[i].body = strings.Replace(seen[i].body, key, "KEY", 1)
		}
	}
	if keys[0] == "" || keys[0] == keys[1] || strings.Contains(keys[0]+keys[1], "session") {
		t.Errorf("cache keys %q", keys)
	}
	if diff := cmp.Diff(seen[0], seen[1], cmp.AllowUnexported(opened{})); diff != "" {
		t.Errorf("the attempts differ by more than their cache keys (-first +second)\n%s", diff)
	}
	want := bhttp.Fields{
		{Name: "user-agent", Value: scrub.UserAgent},
		{Name: "content-type", Value: "application/json"},
		{Name: "accept", Value: "application/json"},
		{Name: shape.Field, Value: string(shape.Default)},
	}
	if diff := cmp.Diff(want, seen[0].fields); diff != "" {
		t.Errorf("header (-want +got)\n%s", diff)
	}
	if wantBody := `{"messages":[{"content":"canary","role":"user"}],"model":"m","prompt_cache_key":"KEY","seed":7}`; seen[0].body != wantBody {
		t.Errorf("body %s, want %s", seen[0].body, wantBody)
	}
}

// The padding of an error that makes a request go elsewhere is read to its end, as that of any answer is.
func TestErrorsThatGoElsewhereAreReadToTheEnd(t *testing.T) {
	padded := make(chan error, 1)
	failing := func(x *exchange) {
		padded <- x.shaped(func(w *shape.Writer) {
			head := &bhttp.Response{Status: 503, Fields: bhttp.Fields{jsonType}}
			b, err := bhttp.AppendResponseKnown(nil, head, []byte(`{"error":{"code":"exit_draining"}}`))
			x.check(err)
			x.check(w.Close(b))
		})
	}
	c, _ := two(t, Config{}, failing, plainAnswer(`{"from":"the second"}`))
	c.expectChat(`{"from":"the second"}`)
	if err := <-padded; err != nil {
		t.Errorf("the padding of the error was not read to its end: %v", err)
	}
}

// What a request says of the choice never leaves the machine, whatever the protocol and however little is scrubbed.
func TestPreferencesStayHere(t *testing.T) {
	const canary = "canary-operator"
	tests := []struct {
		path, body string
		names      bool // the path does not name the model
	}{
		{"/v1/chat/completions", `"messages":[{"role":"user","content":"hi"}]`, true},
		{"/v1/completions", `"prompt":"hi"`, true},
		{"/v1/responses", `"input":"hi"`, true},
		{"/v1/embeddings", `"input":"hi"`, true},
		{"/v1/messages", `"max_tokens":1,"messages":[{"role":"user","content":"hi"}]`, true},
		{"/v1/messages/count_tokens", `"messages":[{"role":"user","content":"hi"}]`, true},
		{"/v1beta/models/m:generateContent", `"contents":[{"role":"user","parts":[{"text":"hi"}]}]`, false},
		{"/v1beta/models/m:streamGenerateContent?alt=sse", `"contents":[{"role":"user","parts":[{"text":"hi"}]}]`, false},
		{"/api/chat", `"messages":[{"role":"user","content":"hi"}]`, true},
		{"/api/generate", `"prompt":"hi"`, true},
	}
	offers := []string{
		`"provider":{"ignore":["canary-operator"]}`, `"prov\u0069der":{"ignore":["canary-operator"]}`, ` "models" : ["m","canary-operator"]`,
		`"models":["m"],"route":"canary-operator"`, `"provider":null`,
	}
	for _, level := range []scrub.Level{scrub.Off, scrub.Minimal, scrub.Full} {
		var got bytes.Buffer
		info := testInfo(models(service.OpenAI, "m"), models(service.Claude, "m"), models(service.Gemini, "m"), models(service.Ollama, "m"))
		for i := range info.Models {
			info.Models[i].Features = []string{"embedding"}
		}
		exit := newExit(t, newIdentity(t), info)
		exit.answer = func(x *exchange) {
			fmt.Fprintf(&got, "%s %v %s\n", x.req.Path, x.req.Fields, x.body)
			x.respond(200, "application/json", `{"ok":true}`)
		}
		c := start(t, Config{Scrub: level}, newTestRelay(t, exit))
		for _, tt := range tests {
			for _, own := range offers {
				got.Reset()
				body := "{" + own + "," + tt.body
				if tt.names {
					body += `,"model":"m"`
				}
				resp := c.do("POST", tt.path, body+"}", "x-tokengo-tiers", "free", "X-TOKENGO-AFFINITY", "none", "x-TokenGo-Retry", "never")
				text := read(t, resp)
				sent := strings.ToLower(got.String())
				if resp.StatusCode != 200 || sent == "" {
					t.Errorf("%s %s %s: status %d, %s", level, tt.path, own, resp.StatusCode, text)
				}
				for _, secret := range []string{canary, "provider", `"models"`, "route", "x-tokengo-tiers", "x-tokengo-affinity", "x-tokengo-retry"} {
					if strings.Contains(sent, secret) {
						t.Errorf("%s %s %s: %q is in what the exit got: %s", level, tt.path, own, secret, sent)
					}
				}
			}
		}
	}
}
