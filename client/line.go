// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
)

// line is a transport to a relay and the connections that it opened. It notes when anything came over them: bytes of
// any kind, of HTTP/2 too, are a sign of life. That a connection was accepted is none, since the kernel does that for a
// process that stands still, and neither is a TLS handshake that does not come to its end: anything may begin one.
type line struct {
	transport *http.Transport
	dial      DialContext
	began     time.Time
	heard     atomic.Int64 // when something last came, in nanoseconds since began
	spoke     atomic.Int64 // the same of connections that are established

	mu    sync.Mutex // guards what follows
	wires []*wire    // that are open
	ended bool       // no more are opened
}

// wire is a connection of a line.
type wire struct {
	net.Conn
	line        *line
	established atomic.Bool // the relay has proved that it is the relay
}

// establish notes that a request goes over a connection, which is one of a line under TLS.
func establish(conn net.Conn) {
	secured, ok := conn.(*tls.Conn)
	if !ok {
		return
	}
	if w, ok := secured.NetConn().(*wire); ok {
		w.established.Store(true)
	}
}

func newLine(url relayurl.URL, dial DialContext) *line {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	l := &line{dial: dial, began: time.Now()}
	l.transport = &http.Transport{
		DialContext:            l.open,
		TLSClientConfig:        url.TLSConfig("h2", "http/1.1"),
		TLSHandshakeTimeout:    dialTimeout,
		Protocols:              &protocols,
		DisableCompression:     true,
		IdleConnTimeout:        relayIdleTimeout,
		MaxResponseHeaderBytes: maxRelayHeaders,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout:           pingAfter,
			PingTimeout:               pingTimeout,
			MaxReceiveBufferPerStream: streamBuffer,
		},
	}
	return l
}

// open dials the relay.
func (l *line) open(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn, line: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		conn.Close()
		return nil, errRelaySilent
	}
	l.wires = append(l.wires, w)
	return w, nil
}

// lastHeard is when something last came, or when the line began.
func (l *line) lastHeard() time.Time { return l.began.Add(time.Duration(l.heard.Load())) }

// lastSpoke is when something last came over a connection that was established, or when the line began.
func (l *line) lastSpoke() time.Time { return l.began.Add(time.Duration(l.spoke.Load())) }

// cut closes all connections at once, with whatever they carry.
func (l *line) cut() {
	l.mu.Lock()
	l.ended = true
	wires := l.wires
	l.wires = nil
	l.mu.Unlock()
	for _, w := range wires {
		w.Conn.Close()
	}
}

// Read implements [net.Conn].
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		now := int64(time.Since(w.line.began))
		w.line.heard.Store(now)
		if w.established.Load() {
			w.line.spoke.Store(now)
		}
	}
	return n, err
}

// Close implements [net.Conn].
func (w *wire) Close() error {
	w.line.mu.Lock()
	w.line.wires = slices.DeleteFunc(w.line.wires, func(open *wire) bool { return open == w })
	w.line.mu.Unlock()
	return w.Conn.Close()
}

// lines is the way to a relay: the line in use and those before it, which still carry answers that had begun. It is an
// [http.RoundTripper].
type lines struct {
	renew func() *line

	mu      sync.Mutex // guards what follows
	current *line
	retired []*line
}

func newLines(renew func() *line) *lines { return &lines{renew: renew, current: renew()} }

// inUse is the line on which requests go now.
func (l *lines) inUse() *line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current
}

// RoundTrip implements [http.RoundTripper].
func (l *lines) RoundTrip(req *http.Request) (*http.Response, error) {
	return l.inUse().transport.RoundTrip(req)
}

// replace has the next request dial anew if old is in use. What old carries goes on.
func (l *lines) replace(old *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current != old {
		return
	}
	l.retired = slices.DeleteFunc(l.retired, (*line).unused)
	l.current, l.retired = l.renew(), append(l.retired, old)
	old.transport.CloseIdleConnections()
}

// unused reports whether the line has no connection.
func (l *line) unused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.wires) == 0
}

// CloseIdleConnections closes the connections that carry nothing.
func (l *lines) CloseIdleConnections() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.retired {
		line.transport.CloseIdleConnections()
	}
	l.current.transport.CloseIdleConnections()
}

// cut closes all connections at once, with whatever they carry. No more are opened.
func (l *lines) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range append(l.retired, l.current) {
		line.cut()
	}
	l.retired = nil
}
