// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
)

// impostor passes TCP connections on to a relay until something else answers at the relay's address.
type impostor struct {
	url relayurl.URL

	mu     sync.Mutex // guards what follows
	open   []net.Conn
	answer func(net.Conn) // new connections; nil: they are passed on
}

func newImpostor(t *testing.T, relay *testRelay) *impostor {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &impostor{url: relay.url}
	p.url.Host = ln.Addr().String()
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			group.Go(func() { p.serve(conn, relay.url.Host) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		p.replace(func(net.Conn) {})
		group.Wait()
	})
	return p
}

func (p *impostor) serve(conn net.Conn, relay string) {
	defer conn.Close()
	p.mu.Lock()
	p.open = append(p.open, conn)
	answer := p.answer
	p.mu.Unlock()
	if answer != nil {
		answer(conn)
		return
	}
	there, err := net.Dial("tcp", relay)
	if err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { io.Copy(conn, there); conn.Close() })
	io.Copy(there, conn)
	there.Close()
	back.Wait()
}

// replace closes all connections and has the next answered in another way.
func (p *impostor) replace(answer func(net.Conn)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
	for _, conn := range p.open {
		conn.Close()
	}
	p.open = nil
}

// says sends a few bytes, and reads what comes until the connection is closed.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		io.WriteString(conn, text)
		io.Copy(io.Discard, conn)
	}
}

// Something else than the relay may answer at its address: requests are answered through another relay, each once, soon.
func TestRequestsLeaveWhatIsNotTheRelay(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(net.Conn)
	}{
		{"closes", func(net.Conn) {}},
		{"is silent", says("")},
		{"speaks no TLS", says("HTTP/1.1 200 OK\r\n\r\n")},
		{"sends garbage", says(strings.Repeat("\x16\x03\x03\xff\xff", 1000))},
		{"stops within the handshake", says("\x16\x03\x03\x00\x7a")},
	} {
		t.Run(test.name, func(t *testing.T) {
			exit := offering(t)
			first, second := newTestRelay(t, exit), newTestRelay(t, exit)
			stand := newImpostor(t, first)
			c := startUnready(t, Config{Relays: []relayurl.URL{stand.url}}, second)
			if err := c.WaitReady(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range tripsKept { // so that requests go there
				c.directory.pollers[1].relay.health.measured(time.Minute)
			}
			c.expectChat("{}")
			before := exit.requests.Load()
			c.directory.pollers[0].relay.transport.CloseIdleConnections() // so that requests dial, and none fails before
			stand.replace(test.answer)
			began := time.Now()
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() { c.expectChat("{}") })
			}
			group.Wait()
			took := time.Since(began)
			if n := exit.requests.Load() - before; n != 20 || took > soon {
				t.Errorf("20 requests were answered %d times within %v", n, took)
			}
			t.Logf("answered within %v", took)
		})
	}
}
