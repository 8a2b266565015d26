// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

// TestShutdown stops a relay while an answer streams through it.
func TestShutdown(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t, func(c *Config) { c.MaxInFlight = 10 })
		client, other := g.client(protocol), g.client(protocol)
		release := make(chan struct{})
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, "half, ")
			http.NewResponseController(w).Flush()
			<-release
			io.WriteString(w, "whole")
		})
		g.get(other, "/healthz") // a connection that is kept
		resp, err := client.Do(g.request(t.Context(), s.hash(), strings.NewReader("sealed")))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		io.ReadFull(resp.Body, make([]byte, len("half, ")))

		g.stop()
		g.eventually("the relay says that it stops", func() bool {
			return g.get(other, "/healthz").status == http.StatusServiceUnavailable
		})
		g.eventually("it takes no more requests", func() bool { return len(g.relay.slots) == cap(g.relay.slots) })
		if got := g.ask(other, s.hash(), "sealed"); got.problem() != service.TypeOverloaded {
			t.Errorf("a new request: status %d, problem %q", got.status, got.problem())
		}
		if _, err := g.register(newIdentity(t), echo); refusedWith(err) != tunnel.CodeShutdown {
			t.Errorf("a new exit: %v", err)
		}
		select {
		case err := <-g.stopped:
			t.Fatalf("Run returned %v with a request running", err)
		default:
		}

		close(release)
		if rest, err := io.ReadAll(resp.Body); string(rest) != "whole" || err != nil {
			t.Errorf("the running request got %q, %v", rest, err)
		}
		if err := <-g.stopped; err != nil {
			t.Errorf("Run = %v", err)
		}
		if err := <-s.served; err == nil {
			t.Error("the exit takes the end of its tunnel for a drain of its own")
		}
		if conn, err := net.Dial("tcp", g.url.Host); err == nil {
			conn.Close()
			t.Error("the port is still open")
		}
	})
}

// TestShutdownDeadline stops a relay whose running request never ends.
func TestShutdownDeadline(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t, func(c *Config) { c.ShutdownTimeout = 50 * time.Millisecond })
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).Flush()
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		resp, err := g.client(protocol).Do(g.request(t.Context(), s.hash(), strings.NewReader("sealed")))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		begin := time.Now()
		g.stop()
		if err := <-g.stopped; err != nil {
			t.Errorf("Run = %v", err)
		}
		if took := time.Since(begin); took > patience {
			t.Errorf("it took %v", took)
		}
		if rest, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("the answer that was cut off ended as if whole, with %q", rest)
		}
	})
}

func TestRunWithoutListener(t *testing.T) {
	cert, err := NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Config{Certificate: FixedCertificate(cert)})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := r.Run(context.Background(), ln); err == nil || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("Run = %v", err)
	}
}
