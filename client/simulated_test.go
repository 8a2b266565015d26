// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/service"
)

// simulated is a relay in memory, for tests in virtual time. Its network has a latency and can freeze: then nothing
// arrives, nothing is refused and nothing is lost.
type simulated struct {
	url     relayurl.URL
	latency atomic.Int64 // of what goes to the relay, in nanoseconds
	conns   chan net.Conn
	closed  chan struct{}
	post    http.HandlerFunc // answers POST; nil: never
	polls   atomic.Int32     // of the index
	probes  atomic.Int32
	accepts atomic.Bool // connections even while it is frozen, as the kernel does for a process that is stopped
	dials   atomic.Int32

	mu     sync.Mutex    // guards thawed
	thawed chan struct{} // closed unless it is frozen
}

var simulatedCertificate = sync.OnceValue(func() tls.Certificate {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
})

// newSimulated starts a relay that runs until the test ends. Within a bubble it must be made within.
func newSimulated(t *testing.T, host string) *simulated {
	cert := simulatedCertificate()
	s := &simulated{
		url:   relayurl.URL{Host: host + ":4433", Pin: relayurl.PinOf(cert.Leaf), Pinned: true},
		conns: make(chan net.Conn), closed: make(chan struct{}), thawed: make(chan struct{}),
	}
	close(s.thawed)
	segment := segmentOf([]*testExit{offering(t)})
	index, err := json.Marshal(service.Index{Segments: []service.Digest{service.DigestOf(segment)}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /directory/segments/", func(w http.ResponseWriter, _ *http.Request) { w.Write(segment) })
	mux.HandleFunc("GET /directory", func(w http.ResponseWriter, r *http.Request) {
		s.polls.Add(1)
		w.Header().Set("ETag", `"e"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write(index)
	})
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) { s.probes.Add(1) })
	mux.HandleFunc("POST /ohttp/", func(w http.ResponseWriter, r *http.Request) {
		if s.post != nil {
			s.post(w, r)
			return
		}
		<-r.Context().Done()
	})
	server := &http.Server{
		Handler: mux, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}},
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.ServeTLS(s, "", "")
	}()
	t.Cleanup(func() {
		s.thaw()
		server.Close()
		<-ended
	})
	return s
}

// Accept, Close and Addr make it a [net.Listener].
func (s *simulated) Accept() (net.Conn, error) {
	select {
	case conn := <-s.conns:
		return conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *simulated) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

func (s *simulated) Addr() net.Addr { return &net.TCPAddr{} }

func (s *simulated) freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.thawed = make(chan struct{})
}

func (s *simulated) thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.thawed:
	default:
		close(s.thawed)
	}
}

func (s *simulated) ice() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.thawed
}

// dialSimulated connects to whichever of the relays is meant. A dial to a frozen one hangs.
func dialSimulated(relays ...*simulated) DialContext {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		for _, s := range relays {
			if s.url.Host != address {
				continue
			}
			s.dials.Add(1)
			sleep(ctx, time.Millisecond, nil) // as good as nothing, but not at once
			if !s.accepts.Load() {
				select {
				case <-s.ice():
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
			here, there := net.Pipe()
			select {
			case s.conns <- there:
			case <-s.closed:
				return nil, net.ErrClosed
			}
			c := &icyConn{Conn: here, relay: s, written: make(chan packet, 1024), pulled: make(chan struct{})}
			go c.deliver()
			return c, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: address}
	}
}

// icyConn is a client's connection to a simulated relay. Writes go into a buffer.
type icyConn struct {
	net.Conn
	relay   *simulated
	written chan packet
	once    sync.Once
	pulled  chan struct{}
}

// packet is on its way to the relay.
type packet struct {
	data   []byte
	arrive time.Time
}

func (c *icyConn) Write(p []byte) (int, error) {
	select {
	case c.written <- packet{append([]byte(nil), p...), time.Now().Add(time.Duration(c.relay.latency.Load()))}:
		return len(p), nil
	case <-c.pulled:
		return 0, net.ErrClosed
	}
}

// deliver takes what was written to the relay, when it is not frozen, until the connection is closed.
func (c *icyConn) deliver() {
	for {
		select {
		case p := <-c.written:
			arrived := time.NewTimer(time.Until(p.arrive))
			select {
			case <-arrived.C:
			case <-c.pulled:
				return
			}
			if c.wait() != nil {
				return
			}
			if _, err := c.Conn.Write(p.data); err != nil {
				return
			}
		case <-c.pulled:
			return
		}
	}
}

func (c *icyConn) wait() error {
	select {
	case <-c.relay.ice():
		return nil
	case <-c.pulled:
		return net.ErrClosed
	}
}

func (c *icyConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.wait() != nil {
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *icyConn) Close() error {
	c.once.Do(func() { close(c.pulled) })
	return c.Conn.Close()
}

// simulatedPaths is the paths of a client with these relays, which runs until the test ends. It has looked at their
// directories.
func simulatedPaths(t *testing.T, relays ...*simulated) *paths {
	return simulatedPathsEvery(t, defaultRefreshInterval, relays...)
}

// simulatedPathsEvery is simulatedPaths with another time between two looks.
func simulatedPathsEvery(t *testing.T, interval time.Duration, relays ...*simulated) *paths {
	cfg := Config{DialContext: dialSimulated(relays...), RefreshInterval: interval, Logger: slog.New(slog.DiscardHandler)}
	for _, r := range relays {
		cfg.Relays = append(cfg.Relays, r.url)
	}
	d := newDirectory(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.run(ctx)
	}()
	t.Cleanup(func() {
		for _, r := range relays {
			r.thaw()
		}
		cancel()
		<-ended
		d.close()
	})
	for _, p := range d.pollers {
		if err := p.wait(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	return newPaths(d)
}

// reachedThrough is an exit behind these relays.
func reachedThrough(relays ...*simulated) Exit {
	e := Exit{Info: testInfo()}
	for _, r := range relays {
		e.Paths = append(e.Paths, Path{Relay: r.url})
	}
	return e
}
