// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

var discard = slog.New(slog.DiscardHandler)

// accepted is a tunnel at the relay's side.
type accepted struct {
	*tunnel.Tunnel
	left chan struct{} // closed when the exit takes nothing new
}

// testRelay accepts tunnels on a loopback socket.
type testRelay struct {
	url      relayurl.URL
	cert     tls.Certificate
	accepted chan *accepted
	attempts atomic.Int64
	refuse   atomic.Pointer[tunnel.RefusedError]
}

func newTestRelay(t *testing.T) *testRelay {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	r := &testRelay{
		cert:     tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf},
		accepted: make(chan *accepted, 100),
	}
	r.url = relayurl.URL{Host: "127.0.0.1:0", Pin: relayurl.PinOf(leaf), Pinned: true}
	return r
}

// listen begins to accept, at the port it had before if any; the result ends it and all its tunnels.
func (r *testRelay) listen(t *testing.T) (stop func()) {
	t.Helper()
	ln, err := tls.Listen("tcp", r.url.Host, tunnel.ServerTLS(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &r.cert, nil }))
	if err != nil {
		t.Fatal(err)
	}
	r.url.Host = ln.Addr().String()
	var running, accepting sync.WaitGroup
	var tunnels []*tunnel.Tunnel
	accepting.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			if tun := r.accept(t.Context(), conn.(*tls.Conn)); tun != nil {
				tunnels = append(tunnels, tun)
				a := &accepted{tun, make(chan struct{})}
				running.Go(func() { a.poll(t.Context()) })
				r.accepted <- a
			}
		}
	})
	stop = func() {
		ln.Close()
		accepting.Wait()
		for _, tun := range tunnels {
			tun.Close()
		}
		running.Wait()
	}
	t.Cleanup(stop)
	return stop
}

func (r *testRelay) accept(ctx context.Context, conn *tls.Conn) *tunnel.Tunnel {
	r.attempts.Add(1)
	if conn.HandshakeContext(ctx) != nil {
		conn.Close()
		return nil
	}
	tun, err := tunnel.Accept(ctx, conn, tunnel.AcceptConfig{
		Limits: tunnel.Limits{MaxStreams: 17},
		Admit: func(*tunnel.Registration) error {
			if refused := r.refuse.Load(); refused != nil {
				return refused
			}
			return nil
		},
	})
	if err != nil {
		return nil
	}
	return tun
}

// poll asks the exit all the time whether it drains, as a relay does. One that cannot be asked has gone,
// or has told HTTP/2 that it takes no new requests.
func (a *accepted) poll(ctx context.Context) {
	defer close(a.left)
	for a.Poll(ctx, func(time.Duration) {}) == nil && a.Alive() {
	}
}

// next is the next tunnel.
func (r *testRelay) next(t *testing.T) *accepted {
	t.Helper()
	timer := time.NewTimer(10 * time.Second)
	defer timer.Stop()
	select {
	case tun := <-r.accepted:
		return tun
	case <-timer.C:
		t.Fatal("no exit has registered within 10 s")
		return nil
	}
}

// runExit runs an exit until the test ends or stop is called, and checks that nothing of it is left.
func runExit(t *testing.T, cfg Config) (e *Exit, stop func() error) {
	t.Helper()
	cfg.Backends = unasked(cfg.Backends)
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		err := <-done
		checkNothingRuns(t)
		return err
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return e, stop
}

// checkNothingRuns looks for goroutines of the exit and its tunnels that outlived it. One that is just
// ending has no frame of theirs any more.
func checkNothingRuns(t *testing.T) {
	t.Helper()
	buf := make([]byte, 4<<20)
	for line := range strings.Lines(string(buf[:runtime.Stack(buf, true)])) {
		for _, own := range []string{"exit.(*link)", "exit.(*session)", "exit.(*maintainer)", "exit.(*handler)", "tunnel.(*Session)"} {
			if strings.Contains(line, own) && !strings.HasPrefix(line, "created by") {
				t.Errorf("still runs: %s", line)
			}
		}
	}
}

// ask sends a chat through a tunnel, sealed to the keys that were registered with it.
func ask(t *testing.T, tun *accepted) (*bhttp.Response, error) {
	t.Helper()
	configs, err := ohttp.ParseKeyConfigs(tun.Registration.Signed.KeyConfig)
	if err != nil {
		t.Fatal(err)
	}
	q := chat()
	q.fields = append(q.fields, dateField(time.Now())...)
	sealed, err := ohttp.SealRequest(&configs[0], ohttp.Chunked, bytes.NewReader(q.encode(t)))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+tunnel.Authority+tunnel.PathOHTTP, sealed)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", ohttp.Chunked.RequestType())
	resp, err := tun.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("outer status %d", resp.StatusCode)
	}
	return bhttp.ReadResponse(sealed.OpenResponse(resp.Body, 0), bhttp.Limits{})
}

func mustAsk(t *testing.T, tun *accepted) reply {
	t.Helper()
	resp, err := ask(t, tun)
	if err != nil {
		t.Fatal(err)
	}
	return read(resp)
}

func helloBackend(t *testing.T) Backend {
	return openAIBackend(backendServer(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
}

func TestRunRegistersEverywhere(t *testing.T) {
	a, b := newTestRelay(t), newTestRelay(t)
	a.listen(t)
	b.listen(t)
	log := &lockedBuffer{}
	registered := make(chan Registered, 10)
	observed := make(chan string, 10)
	dir := t.TempDir()
	e, stop := runExit(t, Config{
		StateDir: dir, Relays: []relayurl.URL{a.url, b.url}, Backends: []Backend{helloBackend(t)},
		Operator: "somebody", Tier: service.Premium,
		Logger:       slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnRegistered: func(r Registered) { registered <- r },
		Observe: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				observed <- r.Header.Get("Content-Type")
				next.ServeHTTP(w, r)
			})
		},
	})
	for _, relay := range []*testRelay{a, b} {
		tun := relay.next(t)
		if got := mustAsk(t, tun); got.body != "hello" {
			t.Errorf("got %+v", got)
		}
		if got := <-observed; got != ohttp.Chunked.RequestType() {
			t.Errorf("observed %q", got)
		}
		info := tun.Registration.Info
		if info.Operator != "somebody" || info.Tier != service.Premium || !info.Offers(service.OpenAI, "gpt-test") {
			t.Errorf("registered %+v", info)
		}
		got := <-registered
		if got.Hash != tun.Registration.Hash || got.Limits.MaxStreams != 17 || got.Info.Sequence != info.Sequence {
			t.Errorf("told of %+v", got)
		}
	}
	status := e.Status()
	for _, relay := range status.Relays {
		if !relay.Connected || relay.Err != nil || relay.Since.IsZero() {
			t.Errorf("status %+v", relay)
		}
	}
	id, err := Identity(dir)
	if err != nil || status.Info.Identity != id {
		t.Errorf("registered as %v, want %v, %v", status.Info.Identity, id, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	for _, canary := range []string{canaryPrompt, canaryKey, "gpt-test"} {
		if strings.Contains(log.String(), canary) {
			t.Errorf("the log has %q:\n%s", canary, log)
		}
	}
}

// A relay that goes away and comes back, or was not there at first, is found again.
func TestRunReconnects(t *testing.T) {
	relay := newTestRelay(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0") // a free port, with nobody there when the exit begins
	if err != nil {
		t.Fatal(err)
	}
	relay.url.Host = ln.Addr().String()
	ln.Close()
	log := &lockedBuffer{}
	e, _ := runExit(t, Config{
		Relays: []relayurl.URL{relay.url}, Backends: []Backend{helloBackend(t)}, Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	waitUntil(t, "trouble shows", func() bool { return e.Status().Relays[0].Err != nil })
	stop := relay.listen(t)
	first := relay.next(t)
	stop()
	<-first.Done()
	waitUntil(t, "loss shows", func() bool { return !e.Status().Relays[0].Connected })
	relay.listen(t)
	second := relay.next(t)
	if got := mustAsk(t, second); got.body != "hello" {
		t.Errorf("got %+v", got)
	}
	if second.Registration.Hash != first.Registration.Hash || second.Registration.Info.Sequence != first.Registration.Info.Sequence {
		t.Error("reconnecting changed the registration")
	}
	if n := strings.Count(log.String(), "connection refused"); n > 2 {
		t.Errorf("the same trouble is logged %d times:\n%s", n, log)
	}
}

// waitUntil asks often until something holds.
func waitUntil(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// When models change, a new tunnel takes over, and what runs on the old one finishes.
func TestRunReplacesTunnel(t *testing.T) {
	relay := newTestRelay(t)
	relay.listen(t)
	var grown atomic.Bool
	release := make(chan struct{})
	url := backendServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Content-Type", eventStream)
			flush(w, "begin ")
			waitFor(r, release)
			io.WriteString(w, "end")
			return
		}
		list := `{"data":[{"id":"gpt-test"}]}`
		if grown.Load() {
			list = `{"data":[{"id":"gpt-test"},{"id":"another"}]}`
		}
		io.WriteString(w, list)
	})
	runExit(t, Config{
		Relays: []relayurl.URL{relay.url}, Backends: []Backend{{Protocol: service.OpenAI, URL: url}},
		ModelsRefresh: 60 * time.Millisecond, DrainTimeout: 10 * time.Millisecond, // of the exit, not of a replaced tunnel
	})
	old := relay.next(t)
	resp, err := ask(t, old)
	if err != nil {
		t.Fatal(err)
	}
	grown.Store(true)
	next := relay.next(t)
	if !next.Registration.Info.Offers(service.OpenAI, "another") || next.Registration.Info.Sequence <= old.Registration.Info.Sequence {
		t.Errorf("registered %+v", next.Registration.Info)
	}
	within(t, 10*time.Second, "the old tunnel drains", old.left)
	close(release)
	if got := read(resp); got.body != "begin end" || got.err != nil {
		t.Errorf("the request on the old tunnel: %+v", got)
	}
	within(t, 10*time.Second, "the old tunnel ends", old.Done())
}

// Keys rotate while the exit runs, and the next pair is registered before the old one expires.
func TestRunRotates(t *testing.T) {
	relay := newTestRelay(t)
	relay.listen(t)
	runExit(t, Config{
		Relays: []relayurl.URL{relay.url}, Backends: []Backend{helloBackend(t)}, StateDir: t.TempDir(),
		KeyLifetime: 2 * time.Second, KeyOverlap: 20 * time.Second,
	})
	first, second := relay.next(t), relay.next(t)
	if first.Registration.Hash == second.Registration.Hash {
		t.Error("the same keys")
	}
	// The relay sends what is sealed to the old keys through the new tunnel.
	first.Registration.Signed, second.Registration.Signed = second.Registration.Signed, first.Registration.Signed
	if got := mustAsk(t, second); got.body != "hello" {
		t.Errorf("got %+v", got)
	}
}

func TestRunDrains(t *testing.T) {
	relay := newTestRelay(t)
	relay.listen(t)
	begun, release := make(chan struct{}, 1), make(chan struct{})
	url := backendServer(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", eventStream)
		flush(w, "begin ")
		begun <- struct{}{}
		waitFor(r, release)
		io.WriteString(w, "end")
	})
	for _, tt := range []struct {
		name     string
		timeout  time.Duration
		finishes bool
	}{{"in time", 30 * time.Second, true}, {"too late", 200 * time.Millisecond, false}} {
		t.Run(tt.name, func(t *testing.T) {
			_, stop := runExit(t, Config{Relays: []relayurl.URL{relay.url}, Backends: []Backend{openAIBackend(url)}, DrainTimeout: tt.timeout})
			tun := relay.next(t)
			resp, err := ask(t, tun)
			if err != nil {
				t.Fatal(err)
			}
			<-begun
			stopped := make(chan error, 1)
			go func() { stopped <- stop() }()
			within(t, 10*time.Second, "the relay is told", tun.left)
			if tt.finishes {
				release <- struct{}{}
			}
			got := read(resp)
			if complete := got.err == nil && got.body == "begin end"; complete != tt.finishes {
				t.Errorf("got %+v", got)
			}
			if err := <-stopped; err != nil {
				t.Error(err)
			}
		})
	}
}

// A relay that refuses is left alone for a while, and does not disturb the others.
func TestRunRefused(t *testing.T) {
	refusing, good := newTestRelay(t), newTestRelay(t)
	refusing.listen(t)
	good.listen(t)
	refusing.refuse.Store(&tunnel.RefusedError{Code: tunnel.CodeSequence, Message: "no"})
	e, _ := runExit(t, Config{Relays: []relayurl.URL{refusing.url, good.url}, Backends: []Backend{helloBackend(t)}})
	mustAsk(t, good.next(t))
	waitUntil(t, "refusal shows", func() bool {
		var refused *tunnel.RefusedError
		return errors.As(e.Status().Relays[0].Err, &refused) && refused.Code == tunnel.CodeSequence
	})
	if n := refusing.attempts.Load(); n != 1 {
		t.Errorf("%d attempts at once", n)
	}
}

// An exit whose backend is not there yet registers without its models, and again with them.
func TestRunBackendComesLater(t *testing.T) {
	relay := newTestRelay(t)
	relay.listen(t)
	var there atomic.Bool
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		if !there.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		io.WriteString(w, `{"models":[{"name":"llama:latest"}]}`)
	})
	runExit(t, Config{Relays: []relayurl.URL{relay.url}, Backends: []Backend{{Protocol: service.Ollama, URL: url}}})
	first := relay.next(t).Registration.Info
	if !first.Speaks(service.Ollama) || len(first.Models) != 0 {
		t.Errorf("at first %+v", first)
	}
	there.Store(true)
	if second := relay.next(t).Registration.Info; !second.Offers(service.Ollama, "llama:latest") {
		t.Errorf("then %+v", second)
	}
}

func TestBackoff(t *testing.T) {
	var b backoff
	check := func(err error, want time.Duration) {
		t.Helper()
		if d := *b.after(err); d < want/2 || d > want {
			t.Errorf("waits %v, want %v to %v", d, want/2, want)
		}
	}
	failed := errors.New("x")
	for _, want := range []time.Duration{200, 400, 800, 1600} {
		check(failed, want*time.Millisecond)
	}
	check(fmt.Errorf("register: %w", &tunnel.RefusedError{Code: tunnel.CodeShutdown}), 3200*time.Millisecond)
	check(fmt.Errorf("register: %w", &tunnel.RefusedError{Code: tunnel.CodeSignature}), 30*time.Second)
	for range 10 {
		b.after(failed)
	}
	check(failed, 30*time.Second)
	b.ended(59 * time.Second)
	check(failed, 30*time.Second)
	b.ended(time.Minute)
	check(failed, 200*time.Millisecond)
}

func TestBadConfigs(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no relay":      func(c *Config) { c.Relays = nil },
		"empty relay":   func(c *Config) { c.Relays = []relayurl.URL{{}} },
		"relay twice":   func(c *Config) { c.Relays = append(testRelays, testRelays...) },
		"no backend":    func(c *Config) { c.Backends = nil },
		"negative time": func(c *Config) { c.StallTimeout = -1 },
		"negative size": func(c *Config) { c.MaxRequestBytes = -1 },
		"long overlap":  func(c *Config) { c.KeyLifetime, c.KeyOverlap = time.Minute, 101*time.Minute },
		"long life":     func(c *Config) { c.KeyLifetime = service.MaxLifetime },
		"operator":      func(c *Config) { c.Operator = "a\x1b[31m" },
		"tier":          func(c *Config) { c.Tier = "best" },
		"tags":          func(c *Config) { c.Tags = map[string]string{"": "x"} },
		"sla":           func(c *Config) { c.SLA = &service.SLA{Uptime: 2} },
	} {
		cfg := Config{Relays: testRelays, Backends: []Backend{openAIBackend("http://h")}}
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
