// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package tunnel connects an exit to a relay without the exit having a public address.
//
// The exit dials the relay over TLS 1.3 with the ALPN protocol [ALPN], proves its identity key with a
// self-signed client certificate, and sends one Register message. The relay answers with RegisterAck,
// and then the roles of HTTP turn round: the exit *serves* HTTP/2 on the connection that it dialled,
// and the relay is the HTTP/2 client. To the relay an exit is therefore an [http.RoundTripper]; to the
// exit all that arrives is an [http.Handler] call.
//
//	exit                                             relay
//	 │ ── TLS 1.3, ALPN tokengo-exit, client cert ──> │
//	 │ ── Register(hash, keys, description, sig) ───> │  verify hash, proof, signature, dates, sequence
//	 │ <──────────────────── RegisterAck(limits) ──── │
//	 │ <══════════════ HTTP/2: POST /ohttp ══════════ │  one stream a sealed request
//
// What the relay puts on a stream is the content type and the sealed body, never anything about the
// client that asked. The exit learns the relay's address only.
//
// The proof of possession matters: a registration is public (every client downloads it from the
// directory), so without it anybody could replay one and swallow an exit's requests.
//
// A registration never changes. To change keys or offers the exit opens another tunnel and drains the
// old one. Both ends notice a dead peer through HTTP/2 PING. net/http's client does not tell when a
// server has sent GOAWAY, so the relay also keeps a poll open at the exit, whose headers measure the
// round trip and whose body says when the exit begins to drain. The relay answers that with one more
// poll, after which it sends nothing new; only then does the exit send GOAWAY, so that no request is
// on its way that would be lost.
package tunnel

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ALPN is the TLS application protocol by which a relay tells an exit from a client on the same port.
const ALPN = "tokengo-exit"

// Paths that exist on a tunnel. The authority is always [Authority].
const (
	Authority = "exit"
	PathOHTTP = "/ohttp" // POST: one sealed request, answered by the exit's handler
	PathPing  = "/ping"  // GET: see [Tunnel.Poll]; answered by this package
)

// Tuning.
const (
	registerTimeout = 10 * time.Second // from the end of the TLS handshake to RegisterAck
	pollTime        = 15 * time.Second // how long an exit holds a poll open

	// drainNotice is how long an exit that drains waits for the relay to say that it knows, and ackTimeout how long
	// that may take.
	drainNotice = 2 * time.Second
	ackTimeout  = 5 * time.Second

	// Windows: a stream of tokens is small and a request with images is not, so the exit receives with
	// larger windows than the relay, which holds the buffers of all its exits at once.
	exitStreams       = 1000
	exitStreamBuffer  = 1 << 20
	relayStreamBuffer = 256 << 10
	connBuffer        = 4<<20 - 1 // net/http accepts less than 4 MiB
	exitFrame         = 16 << 10  // the relay holds one for each request whose length it does not know; 512 KiB by default
	pingAfter         = 5 * time.Second
	pingTimeout       = 5 * time.Second
	pongOverdue       = time.Second // after a PING, a tunnel without an answer is taken for frozen
	writeTimeout      = 30 * time.Second
	maxHeaderBytes    = 8 << 10 // a tunnel carries a content type and a length, no more
)

// ServerTLS is the relay's TLS configuration: its certificate for everybody, h2 and http/1.1 for
// clients, [ALPN] for exits. Only exits are asked for a certificate, so that none is ever requested
// from a client.
func ServerTLS(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	public := &tls.Config{
		MinVersion:             tls.VersionTLS12,
		GetCertificate:         certificate,
		NextProtos:             []string{"h2", "http/1.1"},
		SessionTicketsDisabled: true,
	}
	exits := public.Clone()
	exits.MinVersion = tls.VersionTLS13
	exits.NextProtos = []string{ALPN}
	exits.ClientAuth = tls.RequestClientCert // a missing one is answered with a readable Error message
	public.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		for _, proto := range hello.SupportedProtos {
			if proto == ALPN {
				return exits, nil
			}
		}
		return nil, nil // the public configuration
	}
	return public
}

// proofCertificate is a self-signed certificate of the identity key. Nothing in it but the key is
// ever looked at; TLS 1.3 sends it encrypted, and signing the handshake with it proves possession.
func proofCertificate(key ed25519.PrivateKey) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280 section 4.1.2.5: no expiry
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make identity certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// plainConn hides that a connection is TLS, because net/http would look for the ALPN protocol h2 on
// it, tells when it was closed, by either side, and for how long nothing has come.
type plainConn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
	opened time.Time
	heard  atomic.Int64 // when something came last, in nanoseconds after opened
}

func newPlainConn(conn net.Conn) *plainConn {
	return &plainConn{Conn: conn, closed: make(chan struct{}), opened: time.Now()}
}

// Read implements [net.Conn].
func (c *plainConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(int64(time.Since(c.opened)))
	}
	return n, err
}

// silent is the time since something came.
func (c *plainConn) silent() time.Duration {
	return time.Since(c.opened) - time.Duration(c.heard.Load())
}

// Close closes the connection once; later calls do nothing.
func (c *plainConn) Close() error {
	var err error
	c.once.Do(func() {
		err = c.Conn.Close()
		close(c.closed)
	})
	return err
}
