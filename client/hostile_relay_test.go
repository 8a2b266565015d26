// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// forgery is an answer that a relay makes up.
type forgery struct {
	name   string
	answer http.HandlerFunc
}

func forged(status int, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { problem(w, status, kind) }
}

// unsealed answers with what is not sealed, as if it were.
func unsealed(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// forgeries are all kinds.
func forgeries() []forgery {
	sealedType := ohttp.Chunked.ResponseType()
	return []forgery{
		{"not reached", forged(502, service.TypeExitNotReached)},
		{"lost", forged(502, service.TypeExitLost)},
		{"unknown exit", forged(404, service.TypeUnknownExit)},
		{"other keys", forged(400, service.TypeOHTTPKey)},
		{"date", forged(400, service.TypeDate)},
		{"replayed", forged(400, service.TypeReplayed)},
		{"of no type", forged(500, "about:blank")},
		{"too large", unsealed(413, "text/plain", "no")},
		{"server error", unsealed(500, "text/html", "<html>")},
		{"redirect", unsealed(307, "text/html", "")},
		{"not sealed", unsealed(200, "application/json", "{}")},
		{"garbage", unsealed(200, sealedType, strings.Repeat("garbage", 100))},
		{"nothing", unsealed(200, sealedType, "")},
		{"endless problem", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", service.ProblemType)
			w.WriteHeader(502)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat(" ", 4096)); err != nil {
					return
				}
			}
		}},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", sealedType)
			w.WriteHeader(200)
			io.WriteString(w, strings.Repeat("x", 20))
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}},
	}
}

// behind runs a client of an honest relay and a hostile one, which both lead to the same exits. The hostile one says that
// it is the nearer by far.
func behind(t *testing.T, cfg Config, hostile http.HandlerFunc, exits ...*testExit) (c *testClient, forgeries *atomic.Int32) {
	t.Helper()
	forgeries = &atomic.Int32{}
	honest, bad := newTestRelay(t, exits...), newTestRelay(t, exits...)
	bad.forward = func(w http.ResponseWriter, r *http.Request) bool {
		forgeries.Add(1)
		hostile(w, r)
		io.Copy(io.Discard, r.Body)
		return true
	}
	c = start(t, cfg, bad, honest)
	for i, trip := range []time.Duration{time.Millisecond, time.Hour} {
		for range tripsKept {
			c.directory.pollers[i].relay.health.measured(trip)
		}
	}
	return c, forgeries
}

// A relay that makes failures up steers nobody away from an exit that another relay reaches: requests are answered, the
// exits are not blamed, and the relay is left out.
func TestForgedFailuresBlameNoExit(t *testing.T) {
	const exits, requests = 3, 20
	for _, tt := range forgeries() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var all []*testExit
			for range exits {
				all = append(all, offering(t))
			}
			c, forged := behind(t, Config{RefreshInterval: time.Hour}, tt.answer, all...)
			for range requests {
				c.expectChat("{}")
			}
			if n := forged.Load(); tt.name != "too large" && (n == 0 || n > 2*exits) {
				t.Errorf("%d forgeries for %d requests to %d exits", n, requests, exits)
			}
			blamesNobody(t, c)
		})
	}
}

func blamesNobody(t *testing.T, c *testClient) {
	t.Helper()
	for _, k := range c.router.chooser.Known("") {
		if k.Failed > 0 || k.State != route.Closed {
			t.Errorf("an exit is blamed: %+v", k)
		}
	}
}

// A relay that holds answers back, or cuts them when they have begun, harms the requests that it does it to and no exit.
func TestHeldAndCutAnswersBlameNoExit(t *testing.T) {
	exit := offering(t)
	held, forged := behind(t, Config{AnswerTimeout: 50 * time.Millisecond, Patience: Patience{Attempts: 1}},
		func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, exit)
	if resp := held.do("POST", "/v1/chat/completions", chatBody); resp.StatusCode != 504 {
		t.Errorf("status %d", resp.StatusCode)
	}
	held.expectChat("{}")
	if n := forged.Load(); n != 1 {
		t.Errorf("%d answers were held back", n)
	}
	blamesNobody(t, held)

	seen := make(chan struct{}, 1)
	exit.answer = func(x *exchange) {
		x.head(200, eventStream)
		x.check(x.chunk("data: 1\n\n"))
		<-seen
		if _, cuts := x.w.(cutter); cuts {
			panic(http.ErrAbortHandler)
		}
		x.end()
	}
	cut, forged := behind(t, Config{}, func(w http.ResponseWriter, r *http.Request) { exit.serve(t, cutter{w}, r) }, exit)
	for i, whole := range []bool{false, true, true} {
		resp := cut.do("POST", "/v1/chat/completions", streamBody)
		if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
			t.Errorf("answer %d did not begin: %v", i+1, err)
		}
		seen <- struct{}{}
		if _, err := io.Copy(io.Discard, resp.Body); (err == nil) != whole {
			t.Errorf("answer %d: %v", i+1, err)
		}
	}
	if n := forged.Load(); n != 1 {
		t.Errorf("%d answers were cut", n)
	}
	blamesNobody(t, cut)
}

// cutter marks what goes through a relay that cuts answers.
type cutter struct{ http.ResponseWriter }

func (c cutter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func streaming(x *exchange) {
	x.head(200, eventStream)
	x.check(x.chunk("data: 1\n\n"))
	x.end()
}

// An exit that fails without a seal, through whichever relay, is blamed all the same.
func TestExitThatBreaksThroughAllRelaysIsBlamed(t *testing.T) {
	exit, other := offering(t), offering(t)
	exit.answer = func(x *exchange) {
		x.head(200, eventStream)
		x.check(x.chunk("data: 1\n\n"))
		panic(http.ErrAbortHandler)
	}
	other.answer = streaming
	c := start(t, Config{Preferences: route.Preferences{Order: []string{string(exit.entry.PubKeyHash)}}},
		newTestRelay(t, exit, other), newTestRelay(t, exit, other))
	for range 4 {
		io.Copy(io.Discard, c.do("POST", "/v1/chat/completions", streamBody).Body)
	}
	if got := standingOf(c, exit); got.Failed == 0 || got.State != route.Open {
		t.Errorf("remembered: %+v", got)
	}
	if n := exit.requests.Load(); n > 3 {
		t.Errorf("%d requests to it", n)
	}
}

// A single relay that forges for ever gets no more requests than the tool's patience allows, as many whatever is asked.
func TestForgingForEverIsBounded(t *testing.T) {
	const attempts = 3
	for _, tt := range forgeries() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var all []*testExit
			for range attempts + 2 {
				all = append(all, offering(t))
			}
			relay := newTestRelay(t, all...)
			var forged atomic.Int32
			relay.forward = func(w http.ResponseWriter, r *http.Request) bool {
				io.Copy(io.Discard, r.Body)
				forged.Add(1)
				tt.answer(w, r)
				return true
			}
			c := start(t, Config{RefreshInterval: time.Hour, Patience: Patience{Attempts: attempts}}, relay)
			counts := map[int32]bool{}
			for _, prompt := range []string{"x", strings.Repeat("y", 3000)} {
				forged.Store(0)
				resp := c.do("POST", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"`+prompt+`"}]}`)
				if read(t, resp); resp.StatusCode < 400 {
					t.Errorf("status %d", resp.StatusCode)
				}
				counts[forged.Load()] = true
			}
			for n := range counts {
				if len(counts) != 1 || n == 0 || n > fullRounds*attempts {
					t.Errorf("%v requests were sent, want one number of at most %d", counts, fullRounds*attempts)
				}
			}
		})
	}
}
