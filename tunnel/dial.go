// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package tunnel

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/service"
)

// DialConfig says which relay an exit registers with, as whom, and who answers what comes back.
type DialConfig struct {
	// Relay is the relay's address and how its certificate is verified. Required.
	Relay relayurl.URL

	// Identity is the exit's identity key; Signed is the registration made with it. Required.
	Identity ed25519.PrivateKey
	Signed   *service.Signed

	// Handler answers POST [PathOHTTP]. It is called on one goroutine a request. Required.
	Handler http.Handler

	// DrainTimeout is how long requests may go on after Serve's context has ended. Default 30 s.
	DrainTimeout time.Duration

	// DialContext opens the TCP connection. Default: a net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	// Logger receives HTTP/2 errors at debug level. Default: none.
	Logger *slog.Logger
}

// Session is a registered tunnel at the exit's side. [Session.Serve] must be called once; it owns the
// connection and closes it.
type Session struct {
	cfg    DialConfig
	conn   *plainConn
	limits Limits
}

// Dial connects to the relay, proves the identity and registers. It returns a *[RefusedError] when the
// relay does not take the registration.
func Dial(ctx context.Context, cfg DialConfig) (*Session, error) {
	if cfg.DrainTimeout == 0 {
		cfg.DrainTimeout = 30 * time.Second
	}
	if cfg.DialContext == nil {
		cfg.DialContext = (&net.Dialer{}).DialContext
	}
	ctx, cancel := context.WithTimeout(ctx, registerTimeout)
	defer cancel()
	conn, err := dialTLS(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open tunnel to %s: %w", cfg.Relay.Host, err)
	}
	limits, err := register(ctx, conn, cfg.Signed)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("register with %s: %w", cfg.Relay.Host, err)
	}
	return &Session{cfg: cfg, conn: newPlainConn(conn), limits: limits}, nil
}

func dialTLS(ctx context.Context, cfg DialConfig) (*tls.Conn, error) {
	proof, err := proofCertificate(cfg.Identity)
	if err != nil {
		return nil, err
	}
	raw, err := cfg.DialContext(ctx, "tcp", cfg.Relay.Host)
	if err != nil {
		return nil, err
	}
	tlsConfig := cfg.Relay.TLSConfig(ALPN)
	tlsConfig.Certificates = []tls.Certificate{proof}
	conn := tls.Client(raw, tlsConfig)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	if conn.ConnectionState().NegotiatedProtocol != ALPN {
		conn.Close()
		return nil, errors.New("the server does not take exits; is it a relay?")
	}
	return conn, nil
}

func register(ctx context.Context, conn net.Conn, signed *service.Signed) (Limits, error) {
	// A deadline alone would outlive a cancelled context by up to registerTimeout.
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	m := message{kind: typeRegister, target: string(signed.Hash()), payload: service.AppendSigned(nil, signed)}
	if err := writeMessage(conn, m); err != nil {
		return Limits{}, err
	}
	answer, err := readMessage(conn)
	if err != nil {
		return Limits{}, errors.Join(err, ctx.Err())
	}
	return parseAck(answer)
}

// Limits is what the relay stated when it took the registration.
func (s *Session) Limits() Limits { return s.limits }

// Close ends a session whose Serve was not called.
func (s *Session) Close() error { return s.conn.Close() }

// Serve answers the relay's requests until ctx is done or the connection ends, and returns when no
// handler runs any more. When ctx ends it drains: the relay is told to send nothing new (by its poll,
// and when it knows, or two seconds later, by GOAWAY), and running requests may finish within
// DrainTimeout. It returns nil after a drain, else what ended the connection.
func (s *Session) Serve(ctx context.Context) error {
	defer s.conn.Close()
	handlers := new(calls)
	polls := &polls{draining: ctx.Done(), known: make(chan struct{})}
	srv := s.server(handlers, polls)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(newConnListener(s.conn)) }()
	defer handlers.end() // after Close has cancelled their contexts

	select {
	case <-ctx.Done():
		polls.awaitKnown(s.conn.closed)
		s.drain(ctx, srv)
		<-served
		return nil
	case <-served:
		srv.Close()
		return fmt.Errorf("tunnel to %s ended", s.cfg.Relay.Host)
	}
}

func (s *Session) server(handlers *calls, polls *polls) *http.Server {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true) // TLS is below, with an ALPN protocol of our own
	srv := &http.Server{
		Handler:           counted{handlers, polls, s.cfg.Handler},
		Protocols:         &protocols,
		ReadHeaderTimeout: registerTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          exitStreams,
			MaxReceiveBufferPerStream:     exitStreamBuffer,
			MaxReceiveBufferPerConnection: connBuffer,
			MaxReadFrameSize:              exitFrame,
			SendPingTimeout:               pingAfter,
			PingTimeout:                   pingTimeout,
			WriteByteTimeout:              writeTimeout,
		},
	}
	logger := s.cfg.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	srv.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
	return srv
}

// drain lets running requests finish, and cuts them off after DrainTimeout.
func (s *Session) drain(ctx context.Context, srv *http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.DrainTimeout)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		srv.Close()
	}
}

// counted answers polls itself and counts the calls of handler that are running.
type counted struct {
	running *calls
	polls   *polls
	handler http.Handler
}

// ServeHTTP implements [http.Handler].
func (c counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !c.running.begin() {
		panic(http.ErrAbortHandler)
	}
	defer c.running.group.Done()
	if r.URL.Path == PathPing {
		c.polls.answer(w, r)
		return
	}
	c.handler.ServeHTTP(w, r)
}

// calls are those of a handler. One may begin while the end of all is waited for: it is turned away.
type calls struct {
	mu    sync.Mutex // guards ended, and that nothing is added to group once it is set
	ended bool
	group sync.WaitGroup
}

func (c *calls) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.group.Add(1)
	return true
}

// end waits for the calls that run, and lets no further one begin.
func (c *calls) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.group.Wait()
}

// polls answers the relay's polls and learns from them when the relay knows that the exit drains.
type polls struct {
	draining <-chan struct{}
	told     atomic.Bool // a poll was answered with drainWord
	once     sync.Once
	known    chan struct{} // closed when another poll came after that
}

// answer sends the headers at once and the body when there is something to say.
func (p *polls) answer(w http.ResponseWriter, r *http.Request) {
	if p.told.Load() {
		p.once.Do(func() { close(p.known) })
	}
	if http.NewResponseController(w).Flush() != nil {
		return
	}
	timer := time.NewTimer(pollTime)
	defer timer.Stop()
	select {
	case <-p.draining:
		p.told.Store(true)
		w.Write([]byte(drainWord))
	case <-timer.C:
	case <-r.Context().Done():
	}
}

// awaitKnown returns when the relay knows that the exit drains, or has had its time to learn it.
func (p *polls) awaitKnown(closed <-chan struct{}) {
	timer := time.NewTimer(drainNotice)
	defer timer.Stop()
	select {
	case <-p.known:
	case <-timer.C:
	case <-closed:
	}
}

// connListener hands out one connection and then waits until that connection or the listener is closed.
type connListener struct {
	conn   *plainConn
	accept sync.Once
	close  sync.Once
	closed chan struct{}
}

func newConnListener(conn *plainConn) *connListener {
	return &connListener{conn: conn, closed: make(chan struct{})}
}

// Accept implements [net.Listener].
func (l *connListener) Accept() (conn net.Conn, err error) {
	l.accept.Do(func() { conn = l.conn })
	if conn != nil {
		return conn, nil
	}
	select {
	case <-l.conn.closed:
	case <-l.closed:
	}
	return nil, net.ErrClosed
}

// Close implements [net.Listener]. The connection outlives it: a drain closes the listener first.
func (l *connListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

// Addr implements [net.Listener].
func (l *connListener) Addr() net.Addr { return l.conn.LocalAddr() }
