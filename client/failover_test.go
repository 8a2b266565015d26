// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

const streamBody = `{"messages":[{"content":"hi","role":"user"}],"model":"m","stream":true}`

// actingBody names a tool that the backend runs and that may act on something.
const actingBody = `{"messages":[{"content":"hi","role":"user"}],"model":"m","tools":[{"type":"mcp","server_label":"x"}]}`

// coded answers with one of our own errors.
func coded(code dialect.Code) func(*exchange) {
	return func(x *exchange) {
		status, fields, body := (&dialect.Error{Code: code, RetryAfter: "9"}).Response(dialect.Operation{Protocol: service.OpenAI})
		x.head(status, bhttp.Field{Name: "content-type", Value: fields.Get("Content-Type")}, bhttp.Field{Name: "retry-after", Value: "9"})
		x.check(x.chunk(string(body)))
		x.end()
	}
}

func status(code int) func(*exchange) {
	return func(x *exchange) { x.respond(code, "application/json", `{"error":{"message":"of the backend"}}`) }
}

func hang(x *exchange) { <-x.outer.Context().Done() }

// two runs a client with an exit that is tried first, because it is the cheaper by far, and another.
func two(t *testing.T, cfg Config, first, second func(*exchange)) (c *testClient, exits [2]*testExit) {
	t.Helper()
	cfg.Preferences.Sort = route.SortPrice
	for i, answer := range []func(*exchange){first, second} {
		offer := models(service.OpenAI, "m")
		offer[0].Pricing = &service.Pricing{InputPer1M: service.Decimal([]string{"0.01", "50"}[i]), OutputPer1M: "1", Currency: "USD"}
		exits[i] = newExit(t, newIdentity(t), testInfo(offer))
		exits[i].answer = answer
	}
	return start(t, cfg, newTestRelay(t, exits[0], exits[1])), exits
}

// What an exit answers or does before the first byte of an answer either goes on at another exit, or is for the tool.
func TestGoesOnToAnotherExit(t *testing.T) {
	elsewhere := plainAnswer(`{"from":"the second"}`)
	tests := []struct {
		name   string
		cfg    Config
		body   string
		first  func(*exchange)
		status int
		sent   int32 // to the first
		second int32
	}{
		{"busy", Config{}, chatBody, coded(dialect.CodeExitBusy), 200, 1, 1},
		{"draining", Config{Retry: RetryNever}, chatBody, coded(dialect.CodeExitDraining), 200, 1, 1},
		{"backend limited", Config{Retry: RetryNever}, chatBody, coded(dialect.CodeBackendRateLimited), 200, 1, 1},
		{"backend refuses the exit", Config{Retry: RetryNever}, chatBody, coded(dialect.CodeBackendAuth), 200, 1, 1},
		{"backend failed", Config{}, chatBody, coded(dialect.CodeBackendError), 200, 1, 1},
		{"backend failed, nothing unknown may be repeated", Config{Retry: RetryNever}, chatBody, coded(dialect.CodeBackendError), 500, 1, 0},
		{"backend failed, and its tools may have acted", Config{}, actingBody, coded(dialect.CodeBackendError), 500, 1, 0},
		{"its tools may have acted, and that may be repeated", Config{Retry: RetryAlways}, actingBody, coded(dialect.CodeBackendError), 200, 1, 1},
		{"busy, before its tools could act", Config{}, actingBody, coded(dialect.CodeExitBusy), 200, 1, 1},
		{"backend's own 500", Config{}, chatBody, status(500), 200, 1, 1},
		{"backend's own 429", Config{Retry: RetryNever}, chatBody, status(429), 200, 1, 1},
		{"model is gone", Config{Retry: RetryNever}, chatBody, status(404), 200, 1, 1},
		{"wrong request, in the first's opinion", Config{}, chatBody, status(400), 200, 1, 1},
		{"wrong request, and nothing may be repeated", Config{Retry: RetryNever}, chatBody, status(400), 400, 1, 0},
		{"too long for the model", Config{}, chatBody, coded(dialect.CodeContextLength), 200, 1, 1},
		{"stream cut before its first byte", Config{}, streamBody, func(x *exchange) {
			x.head(200, eventStream)
			x.end(bhttp.Field{Name: dialect.FieldError, Value: "backend_cut"})
		}, 200, 1, 1},
		{"JSON broken off", Config{}, chatBody, func(x *exchange) {
			x.head(200, bhttp.Field{Name: "content-type", Value: "application/json"})
			x.check(x.chunk(`{"choices":[`))
			panic(http.ErrAbortHandler)
		}, 200, 1, 1},
		{"stream that does not begin", Config{Patience: Patience{FirstByte: 50 * time.Millisecond}}, streamBody, hang, 200, 1, 1},
		{"one attempt only", Config{Patience: Patience{Attempts: 1}}, chatBody, coded(dialect.CodeExitBusy), 429, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, exits := two(t, tt.cfg, tt.first, elsewhere)
			resp := c.do("POST", "/v1/chat/completions", tt.body)
			body := read(t, resp)
			if resp.StatusCode != tt.status || (resp.StatusCode == 200) != (body == `{"from":"the second"}`) {
				t.Errorf("status %d, body %s", resp.StatusCode, body)
			}
			answered := exits[0]
			if tt.second > 0 {
				answered = exits[1]
			}
			if got := resp.Header.Get(fieldExit); got != string(answered.entry.PubKeyHash) {
				t.Errorf("the answer is said to be of exit %q", got)
			}
			if n, m := exits[0].requests.Load(), exits[1].requests.Load(); n != tt.sent || m != tt.second {
				t.Errorf("sent %d and %d times, want %d and %d", n, m, tt.sent, tt.second)
			}
		})
	}
}

// A request that exits break at does not go on to break all of them.
func TestDoubtfulAttemptsAreFew(t *testing.T) {
	relay := newTestRelay(t)
	for range 6 {
		exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
		exit.answer = func(x *exchange) { panic(http.ErrAbortHandler) }
		relay.exits = append(relay.exits, exit)
	}
	c := start(t, Config{}, relay)
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if resp.StatusCode < 500 {
		t.Errorf("status %d", resp.StatusCode)
	}
	var sent int32
	for _, exit := range relay.exits {
		sent += exit.requests.Load()
	}
	if sent != maxDoubtful {
		t.Errorf("%d exits worked on it, want %d", sent, maxDoubtful)
	}
}

// When no exit does better the tool reads what the last one said.
func TestLastErrorIsTheExitsOwn(t *testing.T) {
	c, exits := two(t, Config{}, coded(dialect.CodeBackendError), coded(dialect.CodeBackendRateLimited))
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	_, code := errorText(t, service.OpenAI, read(t, resp))
	if resp.StatusCode != 429 || code != "backend_rate_limited" || resp.Header.Get("Retry-After") != "9" {
		t.Errorf("status %d, code %q, header %v", resp.StatusCode, code, resp.Header)
	}
	if exits[0].requests.Load() != 1 || exits[1].requests.Load() != 1 {
		t.Errorf("sent %d and %d times", exits[0].requests.Load(), exits[1].requests.Load())
	}
}

// A slow exit is waited for when there is no other.
func TestSlowExitIsWaitedFor(t *testing.T) {
	c, _, exit := network(t, Config{Patience: Patience{FirstByte: 20 * time.Millisecond}, Preferences: route.Preferences{Protocols: []service.Protocol{service.OpenAI}}}, nil)
	asked := make(chan struct{})
	exit.answer = func(x *exchange) {
		close(asked)
		timer := time.NewTimer(200 * time.Millisecond)
		defer timer.Stop()
		<-timer.C
		x.respond(200, "text/event-stream", "data: late\n\n")
	}
	resp := c.do("POST", "/v1/chat/completions", streamBody)
	if body := read(t, resp); resp.StatusCode != 200 || body != "data: late\n\n" {
		t.Errorf("status %d, body %q", resp.StatusCode, body)
	}
	<-asked
}

// After any part of an answer nothing is sent again.
func TestBegunAnswerIsNotRepeated(t *testing.T) {
	c, exits := two(t, Config{Retry: RetryAlways}, func(x *exchange) {
		x.head(200, eventStream)
		x.check(x.chunk("data: 1\n\n"))
		panic(http.ErrAbortHandler)
	}, plainAnswer("{}"))
	resp := c.do("POST", "/v1/chat/completions", streamBody)
	body, err := io.ReadAll(resp.Body)
	if err == nil || !strings.HasPrefix(string(body), "data: 1\n\n") || !strings.Contains(string(body), "stream_cut") {
		t.Errorf("error %v, body %q", err, body)
	}
	if n := exits[1].requests.Load(); n != 0 {
		t.Errorf("%d requests to the other exit", n)
	}
}

// All exits gone, then back: the request waits a moment.
func TestWaitsForExitsToComeBack(t *testing.T) {
	for _, n := range []int{1, 8} { // with 8 a round of them is more than there are attempts
		var exits []*testExit
		for range n {
			exits = append(exits, newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m"))))
		}
		relay := newTestRelay(t, exits...)
		c := start(t, Config{RefreshInterval: time.Hour}, relay)
		c.expectChat("{}")
		var refused atomic.Int32
		relay.set(func() {
			relay.forward = func(w http.ResponseWriter, r *http.Request) bool {
				if int(refused.Add(1)) > 1+n {
					return false
				}
				problem(w, 502, service.TypeExitNotReached)
				return true
			}
		})
		c.expectChat("{}")
		if int(refused.Load()) < 2+n {
			t.Errorf("%d exits: asked %d times", n, refused.Load())
		}
	}
}

// An exit that says for how long is left alone that long, in whatever form it says so.
func TestRetryAfter(t *testing.T) {
	field := func(name, value string) bhttp.Field { return bhttp.Field{Name: name, Value: value} }
	limited := func(fields ...bhttp.Field) func(*exchange) {
		return answering(429, `{"error":{"code":"exit_busy"}}`, fields...)
	}
	for name, busy := range map[string]func(*exchange){
		"seconds":             limited(field("retry-after", "9")),
		"part of a second":    limited(field("retry-after", "8.6")),
		"milliseconds":        limited(field("retry-after-ms", "9000")),
		"both":                limited(field("retry-after", "60"), field("retry-after-ms", "9000")),
		"a date":              limited(field("retry-after", time.Now().Add(10*time.Second).UTC().Format(http.TimeFormat))),
		"within a stream":     saying("text/event-stream", properEnd, `data: {"error":{"code":"exit_busy"}}`+"\n\n"),
		"nothing that is one": limited(field("retry-after", "soon")),
	} {
		c, _ := two(t, Config{}, busy, plainAnswer("{}"))
		c.expectChat("{}")
		rests := c.Inspector().Status().Breakers
		if len(rests) != 1 {
			t.Fatalf("%s: breakers %+v, want one", name, rests)
		}
		shortest, longest := 7500*time.Millisecond, 10*time.Second
		if name == "within a stream" || name == "nothing that is one" { // by guess
			shortest, longest = 4*time.Second, 6250*time.Millisecond
		}
		if left := time.Until(rests[0].Until); left < shortest || left > longest {
			t.Errorf("%s: it rests for %v, want %v to %v", name, left, shortest, longest)
		}
	}
}

// Nothing is waited for beyond the time that the user is patient.
func TestPatienceEnds(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	relay := newTestRelay(t, exit)
	relay.forward = answerProblem(502, service.TypeExitNotReached)
	c := start(t, Config{Patience: Patience{Time: 2 * time.Second, Attempts: 100}}, relay)
	began := time.Now()
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	read(t, resp)
	if took := time.Since(began); resp.StatusCode != 502 || took > 3700*time.Millisecond { // the pauses alone would be over after 3.75 s
		t.Errorf("status %d after %v, want 502 after 2 s", resp.StatusCode, took)
	}
}

// A request that is too long for its first model goes on to the next one that it names, past all other exits of the first.
func TestTooLongGoesOnToAnotherModel(t *testing.T) {
	relay := newTestRelay(t)
	for range 3 {
		exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
		exit.answer = coded(dialect.CodeContextLength)
		relay.exits = append(relay.exits, exit)
	}
	long := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "long")))
	relay.exits = append(relay.exits, long)
	c := start(t, Config{Retry: RetryNever}, relay)
	resp := c.do("POST", "/v1/chat/completions", `{"model":"m","models":["long"],"messages":[]}`)
	if body := read(t, resp); resp.StatusCode != 200 || resp.Header.Get(fieldModel) != "long" {
		t.Errorf("status %d, model %q, body %s", resp.StatusCode, resp.Header.Get(fieldModel), body)
	}
	var sent int32
	for _, exit := range relay.exits[:3] {
		sent += exit.requests.Load()
	}
	if sent != 1 {
		t.Errorf("the first model was asked %d times", sent)
	}
}

// A tier whose exits fail is left for the next one, and the tool is told.
func TestTierFallsBack(t *testing.T) {
	cheap := route.Preferences{Tiers: []service.Tier{service.Free}}
	var exits []*testExit
	for i, class := range []service.Tier{service.Free, service.Premium} {
		info := testInfo(models(service.OpenAI, "m"))
		info.Tier = class
		exits = append(exits, newExit(t, newIdentity(t), info))
		exits[i].answer = plainAnswer(string(class))
	}
	exits[0].answer = status(503)
	c := start(t, Config{
		Tiers: []route.Tier{{Name: "mine", Preferences: cheap}, {Name: "paid"}},
	}, newTestRelay(t, exits...))
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if body := read(t, resp); body != string(service.Premium) || resp.Header.Get(fieldTier) != "paid" {
		t.Errorf("answered %q by tier %q", body, resp.Header.Get(fieldTier))
	}
	if tiers := c.Inspector().Status().Tiers; tiers[0].Answered != 0 || tiers[1].Answered != 1 {
		t.Errorf("status %+v, want one answer of the second tier", tiers)
	}
	eventually(t, "the log line says which tier answered", func() bool { return strings.Contains(c.logs.String(), "tier=paid") })
}

// A tool that goes away while its request waits leaves no mark on the exit or the relay.
func TestCancelBlamesNobody(t *testing.T) {
	arrived := make(chan struct{})
	c, _, exit := network(t, Config{}, nil)
	exit.answer = func(x *exchange) {
		close(arrived)
		hang(x)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := c.send(ctx, "POST", "/v1/chat/completions", strings.NewReader(chatBody)); err == nil {
		t.Fatal("an answer")
	}
	exit.answer = plainAnswer("{}")
	c.expectChat("{}")
	for _, k := range c.router.chooser.Known("") {
		if k.Failed > 0 || k.State != route.Closed {
			t.Errorf("remembered: %+v", k)
		}
	}
}

// The last exit that may work on a request is waited for, however slow.
func TestLastDoubtfulExitIsWaitedFor(t *testing.T) {
	relay := newTestRelay(t)
	var asked atomic.Int32
	for range 5 {
		exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
		exit.answer = func(x *exchange) {
			if asked.Add(1) < maxDoubtful {
				hang(x)
				return
			}
			timer := time.NewTimer(200 * time.Millisecond)
			defer timer.Stop()
			<-timer.C
			x.respond(200, "text/event-stream", "data: late\n\n")
		}
		relay.exits = append(relay.exits, exit)
	}
	c := start(t, Config{Patience: Patience{FirstByte: 20 * time.Millisecond}}, relay)
	resp := c.do("POST", "/v1/chat/completions", streamBody)
	if body := read(t, resp); resp.StatusCode != 200 || body != "data: late\n\n" {
		t.Errorf("status %d, body %q", resp.StatusCode, body)
	}
}

// Where fallbacks are ruled out no other exit sees the request, not even after a pause.
func TestNoFallbacksAfterAnOutage(t *testing.T) {
	no := false
	c, exits := two(t, Config{Preferences: route.Preferences{AllowFallbacks: &no}}, func(*exchange) { panic(http.ErrAbortHandler) }, plainAnswer("{}"))
	if resp := c.do("POST", "/v1/chat/completions", chatBody); resp.StatusCode < 500 {
		t.Errorf("status %d", resp.StatusCode)
	}
	if n := exits[1].requests.Load(); n != 0 {
		t.Errorf("the other exit was sent %d requests", n)
	}
}

// pricedExits are exits of which the earlier ones are cheaper.
func pricedExits(t *testing.T, prices ...service.Decimal) []*testExit {
	t.Helper()
	var all []*testExit
	for _, price := range prices {
		all = append(all, newExit(t, newIdentity(t), testInfo([]service.Model{priced(service.OpenAI, "m", price)})))
	}
	return all
}

// A slow exit is not given up for one that cannot be reached.
func TestSlowExitIsNotGivenUpForNobody(t *testing.T) {
	exits := pricedExits(t, "0.01", "0.1", "50")
	refusing, working := newTestRelay(t, exits[0], exits[2]), newTestRelay(t, exits[1])
	refusing.forward = answerProblem(503, service.TypeOverloaded)
	exits[1].answer = func(x *exchange) {
		timer := time.NewTimer(300 * time.Millisecond)
		defer timer.Stop()
		<-timer.C
		x.respond(200, "text/event-stream", "data: late\n\n")
	}
	c := start(t, Config{Patience: Patience{FirstByte: 50 * time.Millisecond}, Preferences: route.Preferences{Sort: route.SortPrice}}, refusing, working)
	resp := c.do("POST", "/v1/chat/completions", streamBody)
	if body := read(t, resp); resp.StatusCode != 200 || body != "data: late\n\n" {
		t.Errorf("status %d, body %q", resp.StatusCode, body)
	}
}

// An exit that calls a request wrong is not asked for a second opinion on itself, whatever else happens.
func TestRefuserDoesNotConfirmItself(t *testing.T) {
	exits := pricedExits(t, "0.01", "0.1", "50")
	exits[0].answer, exits[2].answer = status(400), plainAnswer(`{"from":"the third"}`)
	relay := newTestRelay(t, exits...)
	relay.forward = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, string(exits[1].entry.PubKeyHash)) {
			return false
		}
		problem(w, 404, service.TypeUnknownExit)
		return true
	}
	c := start(t, Config{Preferences: route.Preferences{Sort: route.SortPrice}}, relay)
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if body := read(t, resp); body != `{"from":"the third"}` || exits[0].requests.Load() != 1 {
		t.Errorf("answered %q; the refuser was asked %d times", body, exits[0].requests.Load())
	}
}

// What an exit seals when it breaks off is its own fault, not a relay's.
func TestSealedCutIsTheExitsFault(t *testing.T) {
	f := brokenOff(fmt.Errorf("read: %w", shape.ErrCut))
	if !f.proven || f.outage || f.err.Code != dialect.CodeBackendCut {
		t.Errorf("proven %v, outage %v, code %q", f.proven, f.outage, f.err.Code)
	}
}

// An answer that breaks off before any of it is delivered was billed all the same.
func TestBrokenAttemptsAreBilled(t *testing.T) {
	cfg := Config{Tiers: []route.Tier{{Name: "paid", Budget: &route.Budget{Amount: 1e6, Period: route.Day}}}}
	c, _ := two(t, cfg, func(x *exchange) {
		x.head(200, bhttp.Field{Name: "content-type", Value: "application/json"})
		x.check(x.chunk(`{"usage":{"prompt_tokens":10,"completion_tokens":100000},"choices":[`))
		x.end(bhttp.Field{Name: dialect.FieldError, Value: "backend_cut"})
	}, status(400))
	read(t, c.do("POST", "/v1/chat/completions", chatBody))
	if spent := c.Inspector().Status().Tiers[0].Spent; spent < 0.1 { // 100,000 tokens at a dollar a million
		t.Errorf("spent %v", spent)
	}
}
