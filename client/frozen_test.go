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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
)

// forwarder passes TCP connections on until it is frozen. Then it reads no more, as a process that is stopped.
type forwarder struct {
	url  relayurl.URL
	gate sync.RWMutex // held for writing while it is frozen
}

func newForwarder(t *testing.T, relay *testRelay) *forwarder {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &forwarder{url: relay.url}
	f.url.Host = ln.Addr().String()
	var group sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	pass := func(to, from net.Conn) {
		buf := make([]byte, 16<<10)
		for {
			f.gate.RLock()
			from.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			n, err := from.Read(buf)
			f.gate.RUnlock()
			var timeout net.Error
			if err != nil && (!errors.As(err, &timeout) || !timeout.Timeout()) {
				to.Close()
				return
			}
			to.Write(buf[:n])
		}
	}
	group.Go(func() {
		for {
			here, err := ln.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", relay.url.Host)
			if err != nil {
				here.Close()
				continue
			}
			mu.Lock()
			open = append(open, here, there)
			mu.Unlock()
			group.Go(func() { pass(there, here) })
			group.Go(func() { pass(here, there) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for _, conn := range open {
			conn.Close()
		}
		mu.Unlock()
		group.Wait()
	})
	return f
}

// Over real sockets, with full buffers: requests leave a frozen relay fast, and the next ones do not go there.
func TestFrozenSocket(t *testing.T) {
	first, second := newTestRelay(t), newTestRelay(t)
	hold := make(chan struct{})
	first.forward = func(w http.ResponseWriter, r *http.Request) bool { <-hold; return true }
	second.forward = func(w http.ResponseWriter, r *http.Request) bool { io.Copy(io.Discard, r.Body); return true }
	frozen := newForwarder(t, first)
	defer close(hold)
	c := startUnready(t, Config{Relays: []relayurl.URL{frozen.url}}, second)
	if err := c.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := newPaths(c.directory)
	e := Exit{Info: testInfo(), Paths: []Path{{Relay: frozen.url}, {Relay: second.url}}}
	send := func(url relayurl.URL, body io.Reader) error {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url.Base()+pathOHTTP+"x", body)
		if err != nil {
			return err
		}
		stop := s.watch(ctx, url, cancel)
		resp, err := s.directory.poller(url).relay.transport.RoundTrip(req)
		stop()
		if err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		s.answered(url)
		return resp.Body.Close()
	}
	var group sync.WaitGroup
	var stopped atomic.Pointer[time.Time]
	leave := func() {
		if err := send(frozen.url, io.LimitReader(zeros{}, 1<<20)); !errors.Is(err, errRelaySilent) {
			t.Errorf("%v, want that the relay is silent", err)
		}
		if took := time.Since(*stopped.Load()); took > soon {
			t.Errorf("a request left after %v", took)
		}
		next := s.of(e)
		if len(next) == 0 || next[0].Relay != second.url {
			t.Errorf("then paths %v", next)
			return
		}
		if err := send(next[0].Relay, strings.NewReader("sealed")); err != nil {
			t.Errorf("through the other relay: %v", err)
		}
	}
	for range 25 {
		group.Go(leave)
	}
	eventually(t, "25 requests wait", func() bool {
		first.mu.Lock()
		defer first.mu.Unlock()
		return len(first.posts) == 25
	})
	frozen.gate.Lock()
	defer frozen.gate.Unlock()
	now := time.Now()
	stopped.Store(&now)
	for range 25 {
		group.Go(leave)
	}
	group.Wait()
	t.Logf("50 requests left and were answered elsewhere within %v", time.Since(now))
}

// Requests that run into a frozen relay are answered through another, each once, soon.
func TestRequestsLeaveFrozenRelay(t *testing.T) {
	exit := offering(t)
	first, second := newTestRelay(t, exit), newTestRelay(t, exit)
	frozen := newForwarder(t, first)
	c := startUnready(t, Config{Relays: []relayurl.URL{frozen.url}}, second)
	if err := c.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the relay takes requests", func() bool {
		c.expectChat("{}")
		first.mu.Lock()
		defer first.mu.Unlock()
		return len(first.posts) > 0
	})
	before := exit.requests.Load()
	frozen.gate.Lock()
	defer frozen.gate.Unlock()
	first.set(func() { first.forward = func(http.ResponseWriter, *http.Request) bool { return true } }) // what it gets when it thaws
	began := time.Now()
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() { c.expectChat("{}") })
	}
	group.Wait()
	took := time.Since(began)
	if n := exit.requests.Load() - before; n != 50 || took > soon {
		t.Errorf("50 requests were answered %d times within %v", n, took)
	}
	t.Logf("50 requests were answered within %v", took)
}
