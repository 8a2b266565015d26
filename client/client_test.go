// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/scrub"
	"github.com/tokengo/tokengo/service"
)

func TestNew(t *testing.T) {
	relays := []relayurl.URL{{Host: "relay.example:4433"}}
	tests := []struct {
		name string
		cfg  Config
		says string // in the error; "" for none
	}{
		{"defaults", Config{Relays: relays}, ""},
		{"localhost", Config{Relays: relays, Listen: "localhost:0"}, ""},
		{"IPv6 loopback", Config{Relays: relays, Listen: "[::1]:8080"}, ""},
		{"remote allowed", Config{Relays: relays, Listen: "0.0.0.0:8080", AllowRemote: true, Token: secret.New("t")}, ""},
		{"remote without token", Config{Relays: relays, Listen: "0.0.0.0:8080", AllowRemote: true}, "token"},
		{"token without remote", Config{Relays: relays, Listen: "0.0.0.0:8080", Token: secret.New("t")}, "other machines"},
		{"socket", Config{Relays: relays, Listen: "unix:tokengo.sock"}, ""},
		{"socket without path", Config{Relays: relays, Listen: "unix:"}, "no path"},
		{"origin", Config{Relays: relays, Origins: []string{"https://chat.example", "http://localhost:3000"}}, ""},
		{"every origin", Config{Relays: relays, Origins: []string{"*"}}, "origin"},
		{"no origin", Config{Relays: relays, Origins: []string{"null"}}, "origin"},
		{"origin with path", Config{Relays: relays, Origins: []string{"https://chat.example/"}}, "origin"},
		{"no relay", Config{}, "no relay"},
		{"empty relay", Config{Relays: []relayurl.URL{{}}}, "relay"},
		{"relay twice", Config{Relays: append(relays, relays...)}, "twice"},
		{"all interfaces", Config{Relays: relays, Listen: ":8080"}, "other machines"},
		{"other interface", Config{Relays: relays, Listen: "192.0.2.1:8080"}, "192.0.2.1:8080"},
		{"no port", Config{Relays: relays, Listen: "127.0.0.1"}, "host:port"},
		{"identity", Config{Relays: relays, Identities: []service.Identity{"x"}}, "identity"},
		{"preferences", Config{Relays: relays, Preferences: route.Preferences{Protocols: []service.Protocol{"x"}}}, "protocols"},
		{"a model by the prompt", Config{Relays: relays, Models: []string{"m", "auto:floor"}}, "by the prompt"},
		{"format", Config{Relays: relays, Format: 77}, "format"},
		{"negative", Config{Relays: relays, StallTimeout: -1}, "negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.cfg)
			switch {
			case tt.says == "" && err != nil:
				t.Errorf("New: %v", err)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
				t.Errorf("New: %v, want an error that says %q", err, tt.says)
			}
		})
	}
	reg := prometheus.NewRegistry()
	for i, ok := range []bool{true, false} {
		if _, err := New(Config{Relays: relays, Registerer: reg}); (err == nil) != ok {
			t.Errorf("client %d on one registry: %v", i, err)
		}
	}
}

func TestOccupiedPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := New(Config{Relays: []relayurl.URL{deadRelay(t)}, Listen: ln.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("Run = %v, want an error that names %s", err, ln.Addr())
	}
}

func TestRun(t *testing.T) {
	c, err := New(Config{Relays: []relayurl.URL{newTestRelay(t).url}, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	if err := c.WaitReady(t.Context()); err != nil {
		t.Error(err)
	}
	if status := c.Relays()[0]; status.Err != nil || status.Fetched.IsZero() {
		t.Errorf("status = %+v", status)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run = %v, want nil when told to stop", err)
	}
	if err := c.WaitReady(t.Context()); err != nil {
		t.Errorf("WaitReady afterwards: %v", err)
	}
}

// A listener that fails ends everything.
func TestServeListenerFails(t *testing.T) {
	c, err := New(Config{Relays: []relayurl.URL{newTestRelay(t).url}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := c.Serve(t.Context(), ln); err == nil {
		t.Error("Serve on a closed listener returned nil")
	}
}

func TestServeRefusesRemoteListener(t *testing.T) {
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Skip(err)
	}
	c, err := New(Config{Relays: []relayurl.URL{{Host: "relay.example:4433"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Serve(t.Context(), ln); err == nil {
		t.Error("Serve took a listener that other machines can reach")
	}
}

// A stream that runs when the client is told to stop may finish.
func TestShutdownLetsStreamsFinish(t *testing.T) {
	goOn := make(chan struct{})
	c, _, _ := network(t, Config{}, func(x *exchange) {
		x.head(200, eventStream)
		x.check(x.chunk("data: 1\n\n"))
		<-goOn
		x.check(x.chunk("data: 2\n\n"))
		x.end()
	})
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if _, err := io.ReadFull(resp.Body, make([]byte, len("data: 1\n\n"))); err != nil {
		t.Fatal(err)
	}
	stopped := c.beginStop()
	close(goOn)
	if body := read(t, resp); body != "data: 2\n\n" {
		t.Errorf("rest of the stream = %q", body)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// One that does not finish in time is broken, visibly.
func TestShutdownEndsStreams(t *testing.T) {
	c, _, _ := network(t, Config{ShutdownTimeout: 20 * time.Millisecond}, func(x *exchange) {
		x.head(200, eventStream)
		x.check(x.chunk("data: 1\n\n"))
		<-x.outer.Context().Done()
	})
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if _, err := io.ReadFull(resp.Body, make([]byte, len("data: 1\n\n"))); err != nil {
		t.Fatal(err)
	}
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("a stream that was ended looks complete")
	}
}

// Nothing is left of a client that has stopped, nor of requests that were cancelled.
func TestLeaks(t *testing.T) {
	before := ownGoroutines()
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	exit.answer = func(x *exchange) {
		x.head(200, eventStream)
		if x.chunk("data: 1\n\n") == nil && string(x.body) != chatBody { // to be cancelled
			<-x.outer.Context().Done()
			return
		}
		x.end()
	}
	relay := newTestRelay(t, exit)
	c := start(t, Config{Scrub: scrub.Off}, relay) // the exit tells requests apart by white space
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 50 {
				ctx, cancel := context.WithCancel(t.Context())
				body := chatBody
				if i%2 == 0 {
					body += " "
				}
				resp, err := c.send(ctx, "POST", "/v1/chat/completions", strings.NewReader(body))
				if err != nil {
					t.Error(err)
				} else {
					io.ReadFull(resp.Body, make([]byte, len("data: 1\n\n")))
					if i%2 == 1 {
						io.Copy(io.Discard, resp.Body)
					}
				}
				cancel()
			}
		})
	}
	group.Wait()
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	relay.server.CloseClientConnections()
	relay.server.Close()
	eventually(t, "all goroutines have ended", func() bool { return ownGoroutines() <= before })
}

func TestDebugLogs(t *testing.T) {
	const prompt, secret = "CANARY-prompt", "CANARY-key"
	c, relay, exit := network(t, Config{}, func(x *exchange) { x.respond(200, "application/json", `{"CANARY-answer":1}`) })
	body := `{"model":"m","messages":["` + prompt + `"]}`
	read(t, c.do("POST", "/v1/chat/completions", body, "Authorization", "Bearer "+secret))
	relay.set(func() { relay.forward = answerProblem(502, service.TypeExitLost) })
	read(t, c.do("POST", "/v1/chat/completions", body, "Authorization", "Bearer "+secret))
	exit.answer = func(*exchange) { panic(http.ErrAbortHandler) }
	relay.set(func() { relay.forward = nil })
	read(t, c.do("POST", "/v1/chat/completions", body, "Authorization", "Bearer "+secret))
	read(t, c.do("POST", "/v1/chat/completions", `{"model":"CANARY-model"}`))
	c.stop()
	logs := c.logs.String()
	if strings.Contains(logs, "CANARY") {
		t.Errorf("canary in the logs:\n%s", logs)
	}
	if !strings.Contains(logs, "outcome=exit_lost") {
		t.Errorf("no request in the debug log:\n%s", logs)
	}
	for line := range strings.Lines(logs) {
		if !strings.Contains(line, "level=DEBUG") && strings.Contains(line, exit.entry.PubKeyHash.Short()) {
			t.Errorf("exit named above debug level: %s", line)
		}
	}
}

func TestGauges(t *testing.T) {
	reg := prometheus.NewRegistry()
	start(t, Config{Registerer: reg}, newTestRelay(t, newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))))
	if got := metric(t, reg, "tokengo_client_exits", ""); got != 1 {
		t.Errorf("exits = %v, want 1", got)
	}
	if got := metric(t, reg, "tokengo_client_directory_age_seconds", ""); got < 0 || got > 60 {
		t.Errorf("directory age = %v", got)
	}
	reg = prometheus.NewRegistry()
	start(t, Config{Registerer: reg, Relays: []relayurl.URL{deadRelay(t)}})
	if got := metric(t, reg, "tokengo_client_directory_age_seconds", ""); got != -1 {
		t.Errorf("directory age without a directory = %v, want -1", got)
	}
}

// BenchmarkChat is one plain request through a relay and exit in this process.
func BenchmarkChat(b *testing.B) {
	exit := newExit(b, newIdentity(b), testInfo(models(service.OpenAI, "m")))
	c := start(b, Config{}, newTestRelay(b, exit))
	b.ReportAllocs()
	for b.Loop() {
		resp := c.do("POST", "/v1/chat/completions", chatBody)
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// BenchmarkStreamChunk is one sealed chunk of a stream.
func BenchmarkStreamChunk(b *testing.B) {
	done := make(chan struct{})
	exit := newExit(b, newIdentity(b), testInfo(models(service.OpenAI, "m")))
	exit.answer = func(x *exchange) {
		x.head(200, eventStream)
		for x.chunk("data: 12345678901234567890\n\n") == nil && x.outer.Context().Err() == nil {
		}
		close(done)
	}
	c := start(b, Config{Format: ohttp.Chunked}, newTestRelay(b, exit))
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	buf := make([]byte, len("data: 12345678901234567890\n\n"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.ReadFull(resp.Body, buf); err != nil {
			b.Fatal(err)
		}
	}
	resp.Body.Close()
	<-done
}
