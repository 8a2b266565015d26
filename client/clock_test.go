// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"net/http"
	"testing"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

const dateProblem = `{"type":"` + service.TypeDate + `"}`

// refuseDate answers as an exit does whose clock is off by so much.
func (x *exchange) refuseDate(off time.Duration) {
	x.head(http.StatusBadRequest,
		bhttp.Field{Name: "content-type", Value: service.ProblemType},
		bhttp.Field{Name: "date", Value: time.Now().Add(off).UTC().Format(http.TimeFormat)})
	x.chunk(dateProblem)
	x.end()
}

// An exit that refuses a date is asked once more, with the date that it gave and a fresh encapsulation. The next
// request has nothing of it, by which the exit could know the client again.
func TestRefusedDate(t *testing.T) {
	const off = 20 * time.Second
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	exit.answer = func(x *exchange) {
		if x.dated.Before(time.Now().Add(off / 2)) {
			x.refuseDate(off)
			return
		}
		x.respond(200, "application/json", "{}")
	}
	c := start(t, Config{Shape: shape.Off}, newTestRelay(t, exit))
	for _, want := range []int32{2, 4} {
		resp := c.do("POST", "/v1/chat/completions", chatBody)
		if body := read(t, resp); resp.StatusCode != 200 || body != "{}" {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
		if n := exit.requests.Load(); n != want {
			t.Errorf("%d requests reached the exit, want %d", n, want)
		}
	}
}

// One that refuses every date is given up after the second.
func TestDateRefusedForEver(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	exit.answer = func(x *exchange) { x.refuseDate(0) }
	c := start(t, Config{Shape: shape.Off}, newTestRelay(t, exit))
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if body := read(t, resp); resp.StatusCode != http.StatusBadGateway {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if n := exit.requests.Load(); n != 2 {
		t.Errorf("%d requests reached the exit, want 2", n)
	}
}

// A problem of another kind is the tool's to read, whole.
func TestOtherProblemPasses(t *testing.T) {
	const problem = `{"type":"about:blank","title":"no"}`
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	exit.answer = func(x *exchange) { x.respond(400, service.ProblemType, problem) }
	c := start(t, Config{Shape: shape.Off}, newTestRelay(t, exit))
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if body := read(t, resp); resp.StatusCode != 400 || body != problem || exit.requests.Load() != 1 {
		t.Errorf("%d %s, %d requests", resp.StatusCode, body, exit.requests.Load())
	}
}

// What goes inside the seal is the relay's time unless the exit has said otherwise, never the user's own.
func TestClocks(t *testing.T) {
	near := func(got, want time.Time) bool { return got.Sub(want).Abs() < 2*time.Second }
	r := newRelay(relayurl.URL{Host: "relay.example:4433"}, nil)
	s := &sending{}
	if got := s.date(r); !near(got, time.Now()) {
		t.Errorf("before anything is known: %v", got)
	}
	r.learn(http.Header{"Date": {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}})
	if got := s.date(r); !near(got, time.Now().Add(time.Hour)) {
		t.Errorf("at a relay that is an hour ahead: %v", got)
	}
	r.learn(http.Header{"Date": {"nonsense"}})
	if got := s.date(r); !near(got, time.Now().Add(time.Hour)) {
		t.Errorf("after a date that is none: %v", got)
	}
	s.correct(time.Now().Add(-time.Hour))
	if got := s.date(r); !near(got, time.Now().Add(-time.Hour)) {
		t.Errorf("at an exit that is an hour behind: %v", got)
	}
}
