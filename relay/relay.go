// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package relay forwards sealed requests from clients to exits without being able to read them.
//
// A relay knows who asks (the client's address) and through which exit, and nothing of what is asked:
// bodies are sealed to the exit's keys, which this package cannot even link against (a test on its
// imports holds that). In turn it keeps who asks from the exit: what it sends there is the content
// type and the sealed body. It returns the status, the content type and the body, each read flushed at
// once, and never holds a whole body.
//
// One port serves both sides. Clients speak HTTPS (h2 or http/1.1):
//
//	GET  /directory                     the directory: the digests of its segments
//	GET  /directory/segments/{digest}   some exits' signed descriptions; never changes
//	GET  /directory/observed            what the relay observes of the exits
//	GET  /exits                         the directory as one JSON document, for simple clients
//	GET  /exits/{hash}/keys             one exit's key configurations, for any Oblivious HTTP client
//	POST /ohttp/{hash}                  a sealed request to that exit; RFC 9458 and its chunked variant
//	GET  /healthz                       200 while the relay takes requests
//
// Exits connect with the TLS protocol [tunnel.ALPN] and are kept in the registry. Several that share an
// identity and keys are a pool: each request goes to the one that has the least to do.
//
// A client's address is neither logged, at any level, nor put into a metric.
package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokengo/tokengo/internal/drain"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

// Tuning of the server that clients and exits connect to.
const (
	clientStreams      = 256 // requests at once on one client connection
	clientStreamBuffer = 256 << 10
	clientConnBuffer   = 1 << 20
	clientFrame        = 16 << 10 // net/http's senders hold so much for a request whose length is not known
	clientPingAfter    = 15 * time.Second
	clientPingTimeout  = 10 * time.Second
	wholeTimeout       = 5 * time.Minute // to send what is not forwarded: the directory
	headerTimeout      = 10 * time.Second
	idleTimeout        = 5 * time.Minute
	maxHeaderBytes     = 16 << 10

	pollInterval = 15 * time.Second // the least time between two polls of an exit
)

// Config is what a relay needs. The zero value of a field is its default.
type Config struct {
	// Certificate returns the relay's TLS certificate. Required; see [OwnCertificate] and [FileCertificate].
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)

	// Operator is who runs the relay. It is published, so that clients do not go through it to exits of the same
	// operator; [service.CheckOperator] says what it may be. Default: it is not told.
	Operator string

	// MaxRequestBytes bounds a sealed request. Default 64 MiB.
	MaxRequestBytes int64

	// MaxExits bounds the identities in the registry. Default 10,000.
	MaxExits int

	// MaxInFlight bounds the requests being forwarded, over all clients and exits. Default 10,000.
	MaxInFlight int

	// UploadTimeout is the longest silence while a client sends its request. Default 30 s.
	UploadTimeout time.Duration

	// WriteTimeout is the longest that a client may take none of an answer that is there. It is cut off
	// then, since what it does not take fills the buffers of the exit's tunnel. Default 30 s.
	WriteTimeout time.Duration

	// AnswerTimeout is the longest silence of an exit, before and within its answer. It is longer than
	// what exits and clients allow themselves, so that they notice first and can say what it was. Default 20 min.
	AnswerTimeout time.Duration

	// ShutdownTimeout is how long running requests may go on when the relay stops. Default 30 s.
	ShutdownTimeout time.Duration

	// ObserveInterval is how often the relay's observations of exits are renewed. They are public: the shorter
	// it is, the more they say about when an exit is used. Default 30 s.
	ObserveInterval time.Duration

	// Logger receives what happens to exits. Default: none.
	Logger *slog.Logger

	// Registerer takes the relay's metrics. Default: none.
	Registerer prometheus.Registerer

	// Observe wraps the handler of client requests. The demo and tests record there what a relay can
	// see; it is nil in a relay that serves others.
	Observe func(http.Handler) http.Handler
}

func (c *Config) validate() error {
	if err := service.CheckOperator(c.Operator); err != nil {
		return err
	}
	for _, limit := range []int64{
		c.MaxRequestBytes, int64(c.MaxExits), int64(c.MaxInFlight), int64(c.UploadTimeout),
		int64(c.WriteTimeout), int64(c.AnswerTimeout), int64(c.ShutdownTimeout), int64(c.ObserveInterval),
	} {
		if limit < 0 {
			return errors.New("a limit is negative")
		}
	}
	return nil
}

func (c *Config) setDefaults() {
	setDefault(&c.MaxRequestBytes, 64<<20)
	setDefault(&c.MaxExits, 10_000)
	setDefault(&c.MaxInFlight, 10_000)
	setDefault(&c.UploadTimeout, 30*time.Second)
	setDefault(&c.WriteTimeout, 30*time.Second)
	setDefault(&c.AnswerTimeout, 20*time.Minute)
	setDefault(&c.ShutdownTimeout, 30*time.Second)
	setDefault(&c.ObserveInterval, 30*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Relay is a running or runnable relay. It is safe for concurrent use.
type Relay struct {
	cfg       Config
	registry  *registry
	publisher *publisher
	metrics   *metrics
	slots     chan struct{} // one token a forwarded request
	fresh     drain.Fresh
}

// New checks the configuration. It does no I/O.
func New(cfg Config) (*Relay, error) {
	if cfg.Certificate == nil {
		return nil, errors.New("relay: no certificate")
	}
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	cfg.setDefaults()
	r := &Relay{cfg: cfg, registry: newRegistry(cfg.MaxExits), slots: make(chan struct{}, cfg.MaxInFlight)}
	r.publisher = newPublisher(r.registry, cfg.ObserveInterval)
	r.publisher.operator = cfg.Operator
	r.metrics = newMetrics(cfg.Registerer, r.registry)
	return r, nil
}

// Run serves clients and exits on ln until ctx is done, then stops taking requests, lets running ones
// finish within ShutdownTimeout, and returns nil. It closes ln.
func (r *Relay) Run(ctx context.Context, ln net.Listener) error {
	tunnels, closeTunnels := context.WithCancel(context.WithoutCancel(ctx))
	defer closeTunnels()
	srv := r.server(tunnels)
	served := make(chan error, 1)
	go func() { served <- srv.ServeTLS(ln, "", "") }()

	select {
	case err := <-served:
		srv.Close()
		return fmt.Errorf("relay: serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	r.registry.close()
	err := r.shutdown(ctx, srv, closeTunnels)
	<-served
	return err
}

// shutdown waits for the requests in flight, then ends the tunnels, which would otherwise keep their
// connections busy for ever.
func (r *Relay) shutdown(ctx context.Context, srv *http.Server, closeTunnels func()) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.ShutdownTimeout)
	defer cancel()
	for range cap(r.slots) {
		select {
		case r.slots <- struct{}{}:
			continue
		case <-ctx.Done():
		}
		break
	}
	closeTunnels()
	r.fresh.Shutdown(ctx, srv) // an error means that requests were cut off, which their clients see
	return nil
}

func (r *Relay) server(tunnels context.Context) *http.Server {
	handler := r.handler()
	if r.cfg.Observe != nil {
		handler = r.cfg.Observe(handler)
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Server{
		Handler:   handler,
		TLSConfig: tunnel.ServerTLS(r.cfg.Certificate),
		Protocols: &protocols,
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){
			tunnel.ALPN: func(_ *http.Server, conn *tls.Conn, _ http.Handler) { r.serveExit(tunnels, conn) },
		},
		ConnState:         r.fresh.Track,
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      wholeTimeout, // forward has its own
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// net/http puts client addresses into its error log.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          clientStreams,
			MaxReceiveBufferPerStream:     clientStreamBuffer,
			MaxReceiveBufferPerConnection: clientConnBuffer,
			MaxReadFrameSize:              clientFrame,
			SendPingTimeout:               clientPingAfter,
			PingTimeout:                   clientPingTimeout,
			WriteByteTimeout:              r.cfg.WriteTimeout,
		},
	}
}

func (r *Relay) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /directory", r.serveIndex)
	mux.HandleFunc("GET /directory/segments/{digest}", r.serveSegment)
	mux.HandleFunc("GET /directory/observed", r.serveObservations)
	mux.HandleFunc("GET /exits", r.serveDirectory)
	mux.HandleFunc("GET /exits/{hash}/keys", r.serveKeys)
	mux.HandleFunc("POST /ohttp/{hash}", r.forward)
	mux.HandleFunc("GET /healthz", r.serveHealth)
	mux.HandleFunc("GET /{$}", serveRoot)
	return mux
}

func (r *Relay) serveHealth(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r.registry.isClosed() {
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write([]byte("stopping\n"))
		return
	}
	w.Write([]byte("ok\n"))
}

func serveRoot(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("TokenGo relay: forwards sealed AI requests that it cannot read.\nGET /exits lists the exits.\n"))
}

// serveExit runs one exit's tunnel from its registration to its end.
func (r *Relay) serveExit(ctx context.Context, conn *tls.Conn) {
	t, err := tunnel.Accept(ctx, conn, tunnel.AcceptConfig{
		Admit:  r.registry.admit,
		Limits: tunnel.Limits{MaxRequestBytes: r.cfg.MaxRequestBytes},
	})
	if err != nil {
		r.metrics.refused.Inc()
		r.cfg.Logger.Info("exit refused", "reason", withoutAddress(err))
		return
	}
	defer t.Close()
	entry := r.registry.add(t.Registration, t)
	defer r.registry.remove(entry)
	log := r.cfg.Logger.With("exit", t.Registration.Hash.Short(), "identity", t.Registration.Info.Identity.Short())
	log.Info("exit connected")
	r.watch(ctx, t, entry)
	log.Info("exit disconnected")
}

// withoutAddress describes err. Errors of package net begin with both addresses of the connection, and
// what connects as an exit may well be a client.
func withoutAddress(err error) string {
	var network *net.OpError
	if errors.As(err, &network) {
		return fmt.Sprintf("the connection broke: %v", network.Err)
	}
	return err.Error()
}

// watch keeps a poll open at an exit, to measure the round trip and to learn when the exit drains, and
// returns when its tunnel has ended. An exit that cannot be polled drains: HTTP/2 refuses the poll once
// GOAWAY has come.
func (r *Relay) watch(ctx context.Context, t *tunnel.Tunnel, e *entry) {
	tick := time.NewTicker(pollInterval) // an exit that answers early is not asked more often
	defer tick.Stop()
	measured := func(rtt time.Duration) { r.registry.measured(e, rtt) }
	for t.Poll(ctx, measured) == nil && t.Alive() {
		select {
		case <-tick.C:
		case <-t.Done():
		case <-ctx.Done():
		}
	}
	r.registry.leave(e)
	select {
	case <-t.Done():
	case <-ctx.Done():
	}
}
