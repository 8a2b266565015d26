// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"crypto/ed25519"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

var jsonType = bhttp.Field{Name: "content-type", Value: "application/json"}

// trickle sends content a byte at a time, for ever, behind a head of this status.
func trickle(status int) func(*exchange) {
	return func(x *exchange) {
		x.head(status, jsonType)
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for x.chunk("[") == nil {
			select {
			case <-ticker.C:
			case <-x.outer.Context().Done():
				return
			}
		}
	}
}

// answering answers with a status, fields besides the content type, and a body.
func answering(status int, body string, fields ...bhttp.Field) func(*exchange) {
	return func(x *exchange) {
		x.head(status, append([]bhttp.Field{jsonType}, fields...)...)
		rest := body // each request gets all of it
		for ; len(rest) > 8<<10; rest = rest[8<<10:] {
			if x.chunk(rest[:8<<10]) != nil {
				return
			}
		}
		if x.chunk(rest) == nil {
			x.end()
		}
	}
}

// hurried answers a client that may have gone before the end.
func hurried(answer func(*exchange)) func(*exchange) {
	return func(x *exchange) {
		x.hurried = true
		answer(x)
	}
}

// Whatever an exit answers in the place of an answer, the request is answered elsewhere, and the exit's record shows it.
func TestHostileAnswersGoElsewhere(t *testing.T) {
	endless := func(x *exchange) {
		x.head(500, jsonType)
		for x.chunk(strings.Repeat("x", 8<<10)) == nil {
		}
	}
	tests := []struct {
		name  string
		first func(*exchange)
	}{
		{"endless error", endless},
		{"long error", answering(429, `{"error":{"message":"`+strings.Repeat("x", maxErrorBody)+`"}}`)},
		{"error a byte at a time", trickle(503)},
		{"answer a byte at a time", trickle(200)},
		{"no JSON", answering(500, `{"error":`)},
		{"deep", answering(502, strings.Repeat(`[`, 30_000)+strings.Repeat(`]`, 30_000))},
		{"deep code", answering(500, `{"error":{"code":`+strings.Repeat(`[`, 30_000)+strings.Repeat(`]`, 30_000)+`}}`)},
		{"code is a number", answering(500, `{"error":{"code":400}}`)},
		{"code is an object", answering(500, `{"error":{"code":{"a":"context_length_exceeded"}}}`)},
		{"code is a list", answering(500, `{"error":{"code":["invalid_request"]}}`)},
		{"code is null", answering(500, `{"error":{"code":null}}`)},
		{"error is a text", answering(500, `{"error":"invalid_request"}`)},
		{"problem", answering(503, `{}`, bhttp.Field{Name: "content-type", Value: service.ProblemType})},
		{"no content", func(x *exchange) { x.head(204); x.end() }},
		{"reset content", func(x *exchange) { x.head(205); x.end() }},
		{"partial content", answering(206, `{}`)},
		{"redirect", answering(307, `{}`, bhttp.Field{Name: "location", Value: "http://127.0.0.1:1/"})},
		{"not modified", func(x *exchange) { x.head(304); x.end() }},
		{"nothing", answering(200, "")},
		{"error that is said to be an answer", answering(200, `{"error":{"code":429,"message":"of the backend"}}`)},
		{"such an error behind white space", answering(200, strings.Repeat(" ", 3*largeBuffer)+`{"error":{"type":"overloaded_error","message":""}}`)},
		{"our own, likewise", answering(200, `{"error":{"code":"exit_busy","message":""}}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := Config{AnswerTimeout: 300 * time.Millisecond, StallTimeout: 300 * time.Millisecond}
			c, exits := two(t, cfg, hurried(tt.first), plainAnswer(`{"from":"the second"}`))
			c.expectChat(`{"from":"the second"}`)
			if n := exits[0].requests.Load(); n != 1 {
				t.Errorf("%d requests to the hostile exit", n)
			}
			if got := standingOf(c, exits[0]); got.Failed == 0 && got.State == route.Closed || got.Succeeded > 0 {
				t.Errorf("remembered of the hostile exit: %+v", got)
			}
		})
	}
}

// standingOf is what a client remembers of an exit.
func standingOf(c *testClient, e *testExit) (found route.Known) {
	for _, k := range c.router.chooser.Known(service.IdentityOf(e.identity.Public().(ed25519.PublicKey))) {
		found = k
	}
	return found
}

// Informational heads, as many as there may be, are read past.
func TestInformationalAnswers(t *testing.T) {
	c, _ := two(t, Config{}, func(x *exchange) {
		early := make([]bhttp.Informational, 1000)
		for i := range early {
			early[i].Status = 100 + i%100
		}
		b, err := bhttp.AppendResponseHead(nil, &bhttp.Response{Informational: early, Status: 200, Fields: bhttp.Fields{jsonType}})
		x.check(err)
		x.check(x.sealer.WriteChunk(b))
		x.check(x.chunk(`{}`))
		x.end()
	}, plainAnswer(`{"from":"the second"}`))
	c.expectChat(`{}`)
}

// An exit that says that its answer broke off, whose content looks complete, does not make it look complete to the tool.
func TestCodeInTheTrailer(t *testing.T) {
	c, exits := two(t, Config{}, func(x *exchange) {
		x.head(200, eventStream)
		x.check(x.chunk("data: 1\n\ndata: [DONE]\n\n"))
		x.end(bhttp.Field{Name: dialect.FieldError, Value: "backend_cut"})
	}, plainAnswer(`{}`))
	resp := c.do("POST", "/v1/chat/completions", streamBody)
	if _, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Error("the connection ended as if the answer were complete")
	}
	if got := standingOf(c, exits[0]); got.Failed == 0 {
		t.Errorf("remembered: %+v", got)
	}
	if n := exits[1].requests.Load(); n != 0 {
		t.Errorf("%d requests to the other exit", n)
	}
}

// An exit may ask for at most a day, whatever it writes, and what is no time is none.
func TestAbsurdRetryAfter(t *testing.T) {
	for _, value := range []string{"-1", "1000000000000000000", "99999999999999999999999", "4294967295", "1e9", "Fri, 31 Dec 9999 23:59:59 GMT", ""} {
		field := bhttp.Field{Name: "retry-after", Value: value}
		c, exits := two(t, Config{}, answering(429, `{}`, field, bhttp.Field{Name: "retry-after-ms", Value: value + "0"}), plainAnswer(`{}`))
		c.expectChat(`{}`)
		got := standingOf(c, exits[0])
		if rest := time.Until(got.Until); got.State != route.Open || rest <= 0 || rest > 24*time.Hour {
			t.Errorf("%q: %s, for another %v", value, got.State, rest)
		}
	}
	far := &answer{inner: &bhttp.Response{Fields: bhttp.Fields{{Name: "retry-after", Value: "Fri, 31 Dec 9999 23:59:59 GMT"}}}}
	if got := far.retryAfter(); got != 24*time.Hour {
		t.Errorf("a far date is %v", got)
	}
	c, _ := two(t, Config{}, answering(429, `{}`, bhttp.Field{Name: "retry-after", Value: "4294967295"}, bhttp.Field{Name: "retry-after-ms", Value: "-5"}), status(429))
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	for _, name := range []string{"Retry-After", "Retry-After-Ms"} {
		if got := resp.Header.Get(name); got != "" {
			t.Errorf("the tool is told %s: %s", name, got)
		}
	}
}

// An exit that refuses every date gains nothing by it.
func TestRefusedDatesEarnNothing(t *testing.T) {
	refuse := func(x *exchange) {
		x.head(400, bhttp.Field{Name: "content-type", Value: service.ProblemType}, bhttp.Field{Name: "date", Value: "Fri, 31 Dec 9999 23:59:59 GMT"})
		x.check(x.chunk(`{"type":"` + service.TypeDate + `"}`))
		x.end()
	}
	c, exits := two(t, Config{}, refuse, plainAnswer(`{}`))
	exits[0].undated = true
	c.expectChat(`{}`)
	if got := standingOf(c, exits[0]); got.Succeeded > 0 || got.Failed == 0 || got.State != route.Open {
		t.Errorf("remembered: %+v", got)
	}
	if n := exits[0].requests.Load(); n != 2 {
		t.Errorf("sent %d times, want once and once more with its date", n)
	}
}

// An exit that says of every request that it is wrong is not believed until it has answered one: another is asked, once.
// Of what that one says too the tool is told.
func TestSecondOpinion(t *testing.T) {
	wrong := answering(400, `{"error":{"message":"of the first"}}`)
	c, exits := two(t, Config{}, wrong, plainAnswer("{}"))
	c.expectChat("{}")
	if got := standingOf(c, exits[0]); got.Failed == 0 || got.State != route.Open {
		t.Errorf("remembered of the exit that was alone in refusing: %+v", got)
	}
	if n := exits[0].requests.Load(); n != 1 {
		t.Errorf("%d requests to it", n)
	}

	for name, second := range map[string]func(*exchange){
		"says so too": answering(422, `{"error":{"message":"of the second"}}`), "fails": status(503),
	} {
		c, exits = two(t, Config{}, wrong, second)
		resp := c.do("POST", "/v1/chat/completions", chatBody)
		want := map[string]string{"says so too": "of the second", "fails": "of the first"}[name]
		if body := read(t, resp); resp.StatusCode/100 != 4 || !strings.Contains(body, want) {
			t.Errorf("%s: status %d, %s", name, resp.StatusCode, body)
		}
		if got := standingOf(c, exits[0]); got.Failed > 0 {
			t.Errorf("%s: remembered of the first: %+v", name, got)
		}
	}

	c, exits = two(t, Config{}, plainAnswer("{}"), plainAnswer(`{"from":"the second"}`))
	c.expectChat("{}")
	exits[0].answer = wrong
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if read(t, resp); resp.StatusCode != 400 || exits[1].requests.Load() != 0 {
		t.Errorf("one that has answered before: status %d, %d requests to the other", resp.StatusCode, exits[1].requests.Load())
	}
}

// An exit's other models, by which it could be asked in another protocol, are no second opinion, and nothing is waited for.
func TestSecondOpinionIsOfAnother(t *testing.T) {
	c, _, exit := network(t, Config{}, answering(400, `{"error":{}}`))
	if resp := c.do("POST", "/v1/chat/completions", chatBody); resp.StatusCode != 400 || exit.requests.Load() != 1 {
		t.Errorf("status %d after %d requests", resp.StatusCode, exit.requests.Load())
	}
}
