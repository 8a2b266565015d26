// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

// clientIP is an address that only the clients of these tests have.
const clientIP = "127.0.0.77"

// fromClientIP has a client connect from clientIP.
func fromClientIP(c *http.Client) {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(clientIP)}}
	c.Transport.(*http.Transport).DialContext = dialer.DialContext
}

// TestLogsNeverNameClients makes everything happen to a client, at debug level, that can.
func TestLogsNeverNameClients(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs a loopback address of the client's own, which only Linux has without set-up")
	}
	g := newRig(t, func(c *Config) { c.MaxRequestBytes = 100 })
	s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
		switch body, _ := io.ReadAll(r.Body); string(body) {
		case "lose":
			panic(http.ErrAbortHandler)
		case "break":
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "wait":
			<-r.Context().Done()
		}
	})
	for _, protocol := range []string{h2, h1} {
		client := g.client(protocol)
		fromClientIP(client)
		for _, body := range []string{"answer", "lose", "break", strings.Repeat("x", 101)} {
			g.do(client, g.request(t.Context(), s.hash(), strings.NewReader(body)))
		}
		g.do(client, g.request(t.Context(), service.HashOf(nil), nil))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		g.do(client, g.request(ctx, s.hash(), strings.NewReader("wait")))
		g.get(client, "/exits?model=canary-model")
	}
	refusals := 0
	for _, alpn := range []string{h2, h1, tunnel.ALPN} {
		for _, reset := range []bool{true, false} {
			breakOff(t, g, alpn, reset)
		}
		if alpn == tunnel.ALPN {
			refusals = 2
		}
	}
	g.eventually("refusals are logged", func() bool { return strings.Count(g.logs.String(), "exit refused") == refusals })
	g.stop()
	<-g.stopped

	logs := g.logs.String()
	for _, canary := range []string{clientIP, "127.0.0.1", "canary"} {
		if strings.Contains(logs, canary) {
			t.Errorf("the log contains %q:\n%s", canary, logs)
		}
	}
	for _, wanted := range []string{"exit connected", "exit disconnected", s.hash().Short()} {
		if !strings.Contains(logs, wanted) {
			t.Errorf("the log does not contain %q; was the right one searched?\n%s", wanted, logs)
		}
	}
}

// breakOff opens a TLS connection from clientIP, sends a little and breaks off.
func breakOff(t *testing.T, g *rig, alpn string, reset bool) {
	t.Helper()
	client := g.client(h2)
	fromClientIP(client)
	raw, err := client.Transport.(*http.Transport).DialContext(t.Context(), "tcp", g.url.Host)
	if err != nil {
		t.Fatal(err)
	}
	conn := tlsClient(g, raw, alpn)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	if alpn == tunnel.ALPN {
		conn.Write([]byte{0x10, 0, 64})
	} else {
		conn.Write([]byte("PRI"))
	}
	if reset {
		raw.(*net.TCPConn).SetLinger(0)
	}
	raw.Close()
}

// TestMetrics has the whole set of metrics, with labels that the relay alone chooses.
func TestMetrics(t *testing.T) {
	g := newRig(t, func(c *Config) { c.MaxInFlight = 1 })
	client := g.client(h2)
	id := newIdentity(t)
	g.connect(id, says("12345"))
	g.connect(id, says("12345"))
	for range 3 {
		g.ask(client, id.hash(), "sealed")
	}
	g.ask(client, service.HashOf(nil), "sealed")
	if _, err := g.register(id.sign(t, "keys", 0), echo); refusedWith(err) != tunnel.CodeSequence {
		t.Fatal(err)
	}
	g.eventually("the refusal is counted", func() bool { return g.metric("tokengo_relay_registrations_refused_total") == 1 })

	type series struct{ Name, Label string }
	want := map[series]float64{
		{"tokengo_relay_requests_total", "outcome=answered"}: 3,
		{"tokengo_relay_requests_total", "outcome=unknown"}:  1,
		{"tokengo_relay_answer_bytes_total", ""}:             15,
		{"tokengo_relay_registrations_refused_total", ""}:    1,
		{"tokengo_relay_exits", ""}:                          1,
		{"tokengo_relay_tunnels", ""}:                        2,
	}
	got := map[series]float64{}
	families, err := g.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetHelp() == "" {
			t.Errorf("%s has no help text", family.GetName())
		}
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			got[series{family.GetName(), strings.Join(labels, ",")}] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// TestObserve sees the requests of clients, as the demo does.
func TestObserve(t *testing.T) {
	seen := make(chan string, 10)
	g := newRig(t, func(c *Config) {
		c.Observe = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen <- r.Method + " " + r.URL.Path
				next.ServeHTTP(w, r)
			})
		}
	})
	s := g.connect(newIdentity(t), echo)
	g.ask(g.client(h2), s.hash(), "sealed")
	if got, want := <-seen, "POST /ohttp/"+string(s.hash()); got != want {
		t.Errorf("observed %q, want %q", got, want)
	}
	if len(seen) > 0 {
		t.Errorf("observed also %q", <-seen)
	}
}
