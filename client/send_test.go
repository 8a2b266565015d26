// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

func answerProblem(status int, kind string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		problem(w, status, kind)
		return true
	}
}

// outerErrors are outer answers that are not sealed: what the tool is told, and how often the request is sent within two
// attempts. What certainly reached no exit, and may pass, is tried at both exits in two rounds.
var outerErrors = []struct {
	name   string
	answer func(http.ResponseWriter, *http.Request) bool
	tries  int // of one request
	status int
	code   string
}{
	{"not reached", answerProblem(502, service.TypeExitNotReached), 4, 502, "exit_unreachable"},
	{"unknown exit", answerProblem(404, service.TypeUnknownExit), 4, 502, "exit_unreachable"},
	{"key unknown to the exit", answerProblem(400, service.TypeOHTTPKey), 2, 502, "exit_refused"},
	{"overloaded", answerProblem(503, service.TypeOverloaded), 2, 503, "relay_refused"},
	{"lost", answerProblem(502, service.TypeExitLost), 2, 502, "exit_lost"},
	{"other problem", answerProblem(400, service.TypeDate), 2, 502, "exit_refused"},
	{"too large", answerProblem(413, ""), 1, 413, "request_too_large"},
	{"no problem type", func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(502)
		io.WriteString(w, service.TypeExitNotReached)
		return true
	}, 2, 502, "exit_refused"},
	{"not sealed", func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"choices":[]}`)
		return true
	}, 2, 502, "exit_invalid"},
	{"wrong sealed type", func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "message/ohttp-res")
		return true
	}, 2, 502, "exit_invalid"},
	{"garbage", func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "message/ohttp-chunked-res")
		io.WriteString(w, strings.Repeat(" ", 100)) // a nonce, and chunks of 32 bytes
		return true
	}, 2, 502, "exit_invalid"},
	{"redirect", func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(307)
		return true
	}, 2, 502, "exit_refused"},
	{"broken before the answer", func(http.ResponseWriter, *http.Request) bool {
		panic(http.ErrAbortHandler)
	}, 1, 502, "relay_unreachable"},
}

func TestOuterErrors(t *testing.T) {
	for _, tt := range outerErrors {
		t.Run(tt.name, func(t *testing.T) {
			var tries atomic.Int32
			relay := newTestRelay(t,
				newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m"))),
				newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m"))))
			relay.forward = func(w http.ResponseWriter, r *http.Request) bool {
				tries.Add(1)
				io.Copy(io.Discard, r.Body)
				return tt.answer(w, r)
			}
			reg := prometheus.NewRegistry()
			c := start(t, Config{Registerer: reg, Patience: Patience{Attempts: 2}}, relay)
			resp := c.do("POST", "/v1/chat/completions", chatBody)
			body := read(t, resp)
			if _, code := errorText(t, service.OpenAI, body); resp.StatusCode != tt.status || code != tt.code {
				t.Errorf("status %d, body %s, want %d and %q", resp.StatusCode, body, tt.status, tt.code)
			}
			if got := int(tries.Load()); got != tt.tries {
				t.Errorf("sent %d times, want %d", got, tt.tries)
			}
			if got := metric(t, reg, "tokengo_client_retries_total", ""); got != float64(tt.tries-1) {
				t.Errorf("retries metric = %v", got)
			}
			if got := metric(t, reg, "tokengo_client_requests_total", tt.code); got != 1 {
				t.Errorf("requests metric for %s = %v", tt.code, got)
			}
		})
	}
}

// A request that certainly did not reach one exit goes to another.
func TestFailsOver(t *testing.T) {
	dead := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	alive := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	relay := newTestRelay(t, dead, alive)
	relay.forward = func(w http.ResponseWriter, r *http.Request) bool {
		if r.PathValue("hash") != string(dead.entry.PubKeyHash) {
			return false
		}
		problem(w, 502, service.TypeExitNotReached)
		return true
	}
	c := start(t, Config{}, relay)
	for range 8 {
		c.expectChat("{}")
	}
}

// An exit that has changed its keys is asked again with the new ones, once the directory has them.
func TestNewKeys(t *testing.T) {
	identity := newIdentity(t)
	old := newExit(t, identity, testInfo(models(service.OpenAI, "m")))
	info := testInfo(models(service.OpenAI, "m"))
	info.Sequence = 2
	fresh := newExit(t, identity, info)
	for _, kind := range []string{service.TypeOHTTPKey, service.TypeUnknownExit} {
		relay := newTestRelay(t, old)
		c := start(t, Config{RefreshInterval: time.Hour}, relay)
		relay.set(func() {
			relay.exits = []*testExit{fresh}
			relay.forward = func(w http.ResponseWriter, r *http.Request) bool {
				if r.PathValue("hash") == string(fresh.entry.PubKeyHash) {
					return false
				}
				problem(w, 400, kind)
				return true
			}
		})
		c.expectChat("{}")
		c.expectChat("{}")
		relay.set(func() {
			if relay.fetches != 2 {
				t.Errorf("%s: directory fetched %d times, want 2", kind, relay.fetches)
			}
		})
	}
}

// deadRelay is the URL of a relay that does not listen.
func deadRelay(t *testing.T) relayurl.URL {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	return relayurl.URL{Host: ln.Addr().String(), Pinned: true}
}

func TestRelayUnreachable(t *testing.T) {
	relay := newTestRelay(t)
	wrongPin := relay.url
	wrongPin.Pin[0]++
	public := relay.url
	public.Pinned = false
	tests := []struct {
		name string
		url  relayurl.URL
		says string
	}{
		{"down", deadRelay(t), "connection refused"},
		{"wrong pin", wrongPin, "not the pinned one"},
		{"unknown certificate authority", public, "certificate is not valid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, Config{Relays: []relayurl.URL{tt.url}})
			for _, path := range []string{"/v1/chat/completions", "/v1/models"} {
				method, body := "POST", chatBody
				if path == "/v1/models" {
					method, body = "GET", ""
				}
				resp := c.do(method, path, body)
				message, code := errorText(t, service.OpenAI, read(t, resp))
				if resp.StatusCode != 502 || code != "relay_unreachable" ||
					!strings.Contains(message, tt.says) || !strings.Contains(message, tt.url.Host) {
					t.Errorf("%s: status %d, code %q, message %q", path, resp.StatusCode, code, message)
				}
			}
			if status := c.Relays()[0]; status.Err == nil || !status.Fetched.IsZero() {
				t.Errorf("status = %+v", status)
			}
		})
	}
}

// An exit behind two relays is reached through the one that works.
func TestTwoRelays(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	relays := []*testRelay{newTestRelay(t, exit), newTestRelay(t, exit)}
	c := start(t, Config{RefreshInterval: time.Hour}, relays...)
	exits := c.Exits()
	if len(exits) != 1 || len(exits[0].Paths) != 2 {
		t.Fatalf("exits = %+v, want one with two paths", exits)
	}
	relays[0].server.CloseClientConnections()
	relays[0].server.Close()
	for range 8 {
		c.expectChat("{}")
	}
}

// A relay that comes back is used again by itself.
func TestRelayRestart(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	relay := newTestRelay(t, exit)
	c := start(t, Config{RefreshInterval: 20 * time.Millisecond}, relay)
	c.expectChat("{}")
	relay.server.CloseClientConnections()
	relay.server.Close()
	eventually(t, "the relay is seen to be down", func() bool { return c.Relays()[0].Err != nil })
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if _, code := errorText(t, service.OpenAI, read(t, resp)); code != "relay_unreachable" {
		t.Errorf("while it is down: code %q", code)
	}
	if n := len(c.Exits()); n != 1 {
		t.Errorf("%d exits known while the relay is down, want the last directory", n)
	}
	ln, err := net.Listen("tcp", relay.url.Host)
	if err != nil {
		t.Fatal(err)
	}
	back := newUnstartedRelay(t, exit)
	back.server.Listener.Close()
	back.server.Listener = ln
	back.start()
	began := time.Now()
	c.expectChat("{}")
	eventually(t, "the relay is seen to be back", func() bool { return c.Relays()[0].Err == nil })
	if d := time.Since(began); d > soon {
		t.Errorf("healed after %v", d)
	}
}

// Requests that the transport has to start again on another connection are sealed anew.
func TestUploadIsSealedAnew(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	relay := newTestRelay(t, exit)
	var wires []string
	relay.forward = func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body)
		wires = append(wires, string(body))
		if len(wires) == 1 {
			problem(w, 502, service.TypeExitNotReached)
			return true
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		return false
	}
	relay.exits = append(relay.exits, newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m"))))
	c := start(t, Config{}, relay)
	c.expectChat("{}")
	if len(wires) != 2 || wires[0] == wires[1] {
		t.Errorf("%d requests on the wire, want 2 that differ", len(wires))
	}
}

// DialContext carries everything that leaves the machine.
func TestDialContext(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	relay := newTestRelay(t, exit)
	var dials atomic.Int32
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials.Add(1)
		if addr != relay.url.Host {
			t.Errorf("dialled %s", addr)
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	c := start(t, Config{DialContext: dial}, relay)
	for range 3 {
		c.expectChat("{}")
	}
	if n := dials.Load(); n != 1 {
		t.Errorf("dialled %d times, want 1", n)
	}
}

// A transport that starts over gets the request sealed anew each time, but not for ever.
func TestUploadAgain(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	e, err := verifyEntry(exit.entry.Signed(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	up := &upload{sent: func() {}, seal: func() (*ohttp.SealedRequest, int64, error) {
		sealed, err := ohttp.SealRequest(e.exit.key, ohttp.Chunked, strings.NewReader("request"))
		return sealed, sealed.Len(int64(len("request"))), err
	}}
	seen := map[string]bool{}
	for range maxSeals {
		body, err := up.again()
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := io.ReadAll(body)
		if err != nil || seen[string(sealed)] || int64(len(sealed)) != body.length {
			t.Errorf("sealed the same twice, or %d bytes where %d are announced, or %v", len(sealed), body.length, err)
		}
		seen[string(sealed)] = true
	}
	if _, err := up.again(); !errors.Is(err, errResealed) {
		t.Errorf("once more: %v, want %v", err, errResealed)
	}
}

// A relay that speaks HTTP/1.1 only will do.
func TestHTTP1Relay(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	relay := newUnstartedRelay(t, exit)
	relay.server.EnableHTTP2 = false
	relay.start()
	c := start(t, Config{}, relay)
	c.expectChat("{}")
	c.expectChat("{}")
}
