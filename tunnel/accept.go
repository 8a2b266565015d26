// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package tunnel

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/service"
)

// Registration is what an exit registered, verified.
type Registration struct {
	Hash   service.Hash
	Signed *service.Signed
	Info   *service.Info
}

// AcceptConfig is the relay's side of a registration.
type AcceptConfig struct {
	// Admit decides on a verified registration. A *[RefusedError] is sent to the exit as it is, any
	// other error as [CodeInternal]. Default: admit all.
	Admit func(*Registration) error

	// Limits is what the exit is told when it was admitted.
	Limits Limits

	// Now is the clock for the registration's dates. Default: time.Now.
	Now func() time.Time
}

// Tunnel is a registered exit at the relay's side. It is safe for concurrent use.
type Tunnel struct {
	Registration *Registration

	conn     *plainConn
	http     *http.ClientConn
	draining atomic.Bool // set by Poll

	mu       sync.RWMutex   // held for reading while a request joins starting, for writing while draining is set
	starting sync.WaitGroup // requests whose header is not on the connection yet
}

// Accept reads and verifies the registration on conn, a connection whose handshake negotiated [ALPN],
// and turns it into a tunnel. On any failure the exit is sent an Error message, conn is closed and the
// error says why; it never contains bytes that the exit sent.
func Accept(ctx context.Context, conn *tls.Conn, cfg AcceptConfig) (*Tunnel, error) {
	tunnel, err := accept(ctx, conn, cfg)
	if err != nil {
		refuse(conn, refusal(err))
		return nil, fmt.Errorf("accept exit: %w", err)
	}
	return tunnel, nil
}

func accept(ctx context.Context, conn *tls.Conn, cfg AcceptConfig) (*Tunnel, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	conn.SetDeadline(time.Now().Add(registerTimeout))
	reg, err := readRegistration(conn, cfg.Now())
	if err != nil {
		return nil, err
	}
	if cfg.Admit != nil {
		if err := cfg.Admit(reg); err != nil {
			return nil, err
		}
	}
	ack, err := json.Marshal(cfg.Limits)
	if err != nil {
		return nil, err
	}
	if err := writeMessage(conn, message{kind: typeRegisterAck, payload: ack}); err != nil {
		return nil, fmt.Errorf("acknowledge registration: %w", err)
	}
	conn.SetDeadline(time.Time{})
	return open(ctx, conn, reg)
}

// refuse tells the exit why and closes. The exit may still be sending, so its bytes are not waited for.
func refuse(conn *tls.Conn, reason *RefusedError) {
	defer conn.Close()
	payload, err := json.Marshal(reason)
	if err != nil {
		return
	}
	conn.SetDeadline(time.Now().Add(time.Second))
	if writeMessage(conn, message{kind: typeError, payload: payload}) == nil {
		conn.CloseWrite()
	}
}

// readRegistration reads one Register message and verifies all that can be verified without knowing
// other registrations: framing, hash, proof of the identity key, signature, dates.
func readRegistration(conn *tls.Conn, now time.Time) (*Registration, error) {
	m, err := readMessage(conn)
	if err != nil {
		return nil, err
	}
	if m.kind != typeRegister {
		return nil, fmt.Errorf("%w: type 0x%02x where Register belongs", errMalformed, m.kind)
	}
	signed, err := parseRegister(m.payload)
	if err != nil {
		return nil, err
	}
	hash := signed.Hash()
	if m.target != string(hash) {
		return nil, &RefusedError{CodeHash, "the target is not the SHA-256 of the key configuration"}
	}
	info, err := signed.Verify(now)
	if err != nil {
		return nil, err
	}
	if !proves(conn.ConnectionState(), info.Identity) {
		return nil, &RefusedError{CodeProof, "the connection's client certificate is not of the identity key"}
	}
	return &Registration{Hash: hash, Signed: signed, Info: info}, nil
}

// proves reports whether the peer of a TLS connection holds the private key of identity. TLS has
// checked the peer's signature over the handshake; here the key in its certificate is compared.
func proves(state tls.ConnectionState, identity service.Identity) bool {
	if len(state.PeerCertificates) == 0 {
		return false
	}
	key, ok := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	return ok && service.IdentityOf(key) == identity
}

// open starts the HTTP/2 client on conn.
func open(ctx context.Context, conn net.Conn, reg *Registration) (*Tunnel, error) {
	plain := newPlainConn(conn)
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return plain, nil },
		Protocols:          &protocols,
		DisableCompression: true,
		// An exit answers with a status and a content type.
		MaxResponseHeaderBytes: maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream:     relayStreamBuffer,
			MaxReceiveBufferPerConnection: connBuffer,
			SendPingTimeout:               pingAfter,
			PingTimeout:                   pingTimeout,
			WriteByteTimeout:              writeTimeout,
		},
	}
	client, err := transport.NewClientConn(ctx, "http", Authority+":80") // the dialler ignores the address
	if err != nil {
		return nil, fmt.Errorf("start HTTP/2: %w", err)
	}
	return &Tunnel{Registration: reg, conn: plain, http: client}, nil
}

// errDraining is the failure of a request that came too late; nothing of it was read.
var errDraining = errors.New("the exit drains")

// RoundTrip sends a request to the exit. It implements [http.RoundTripper]. Once the exit drains it fails
// without reading any of the body.
func (t *Tunnel) RoundTrip(r *http.Request) (*http.Response, error) {
	begun, ok := t.begin()
	if !ok {
		return nil, fmt.Errorf("send to exit %s: %w", t.Registration.Hash.Short(), errDraining)
	}
	defer begun() // when it failed before
	trace := &httptrace.ClientTrace{WroteHeaders: begun}
	return t.http.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
}

// begin joins starting, unless the exit drains; begun leaves it, at its first call.
func (t *Tunnel) begin() (begun func(), ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.draining.Load() {
		return nil, false
	}
	t.starting.Add(1)
	return sync.OnceFunc(t.starting.Done), true
}

// stopSending has no request begin from now on, and waits until those that have are on the connection.
func (t *Tunnel) stopSending() {
	t.mu.Lock()
	t.draining.Store(true)
	t.mu.Unlock()
	t.starting.Wait() // at the latest when the exit gives up waiting for this, and sends GOAWAY
}

// Poll measures one round trip to the exit and calls measured with it, then waits until the exit has
// something to say. It returns after about 15 s with nil, or at once with an error when the tunnel has
// ended or ctx is done. When the exit begins to drain, Alive is false from before Poll returns.
func (t *Tunnel) Poll(ctx context.Context, measured func(time.Duration)) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+Authority+PathPing, nil)
	if err != nil {
		return err
	}
	r.Header["User-Agent"] = nil
	begin := time.Now()
	answer, err := t.http.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("poll exit %s: %w", t.Registration.Hash.Short(), err)
	}
	defer answer.Body.Close()
	measured(time.Since(begin))
	said, err := io.ReadAll(io.LimitReader(answer.Body, int64(len(drainWord))))
	if err != nil {
		return fmt.Errorf("poll exit %s: %w", t.Registration.Hash.Short(), err)
	}
	if string(said) == drainWord {
		t.stopSending()
		t.acknowledgeDrain(ctx)
	}
	return nil
}

// acknowledgeDrain tells the exit that nothing new follows on the connection. An exit that does not hear it drains nevertheless.
func (t *Tunnel) acknowledgeDrain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+Authority+PathPing, nil)
	if err != nil {
		return
	}
	r.Header["User-Agent"] = nil
	if answer, err := t.http.RoundTrip(r); err == nil {
		answer.Body.Close()
	}
}

// Available reports whether the exit takes another request now. It is false once the exit drains, when
// it is at its limit of streams, and after the connection has ended.
func (t *Tunnel) Available() bool { return t.Alive() && t.http.Available() > 0 }

// Frozen reports whether the connection still stands but the answer to an HTTP/2 PING is overdue. Either
// something comes, or the connection is given up a few seconds later; until then a request would wait in
// vain.
func (t *Tunnel) Frozen() bool { return t.conn.silent() > pingAfter+pongOverdue }

// Alive reports whether the exit takes requests at all: it has neither gone nor said that it drains.
func (t *Tunnel) Alive() bool { return t.http.Err() == nil && !t.draining.Load() }

// InFlight is the number of requests that the exit is working on, a poll included.
func (t *Tunnel) InFlight() int { return t.http.InFlight() }

// Done is closed when the connection has ended.
func (t *Tunnel) Done() <-chan struct{} { return t.conn.closed }

// Close ends the connection; running requests fail.
func (t *Tunnel) Close() error {
	return t.http.Close()
}
