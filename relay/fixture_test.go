// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

// The two ways in which clients reach a relay.
const (
	h2 = "h2"
	h1 = "http/1.1"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// rig is a relay that runs on a loopback socket for the time of a test.
type rig struct {
	t       testing.TB
	relay   *Relay
	url     relayurl.URL
	logs    *logBuffer
	metrics *prometheus.Registry
	stop    context.CancelFunc // begins the relay's shutdown
	stopped <-chan error       // what Run returned
}

func newRig(t testing.TB, change ...func(*Config)) *rig {
	t.Helper()
	cert, err := NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{t: t, logs: &logBuffer{}, metrics: prometheus.NewRegistry()}
	cfg := Config{
		Certificate:     FixedCertificate(cert),
		ShutdownTimeout: 2 * time.Second,
		Logger:          slog.New(slog.NewTextHandler(g.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Registerer:      g.metrics,
	}
	for _, f := range change {
		f(&cfg)
	}
	if g.relay, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.url = relayurl.URL{Host: ln.Addr().String(), Pin: relayurl.PinOf(cert.Leaf), Pinned: true}
	g.run(ln)
	return g
}

func (g *rig) run(ln net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	stopped, ended := make(chan error, 1), make(chan struct{})
	g.stop, g.stopped = cancel, stopped
	go func() {
		defer close(ended)
		stopped <- g.relay.Run(ctx, ln)
	}()
	g.t.Cleanup(func() {
		cancel()
		<-ended
	})
}

// eachProtocol runs a test with a client of either protocol.
func eachProtocol(t *testing.T, f func(t *testing.T, protocol string)) {
	for _, protocol := range []string{h2, h1} {
		t.Run(protocol, func(t *testing.T) { f(t, protocol) })
	}
}

// logBuffer collects what a relay logs.
type logBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// identity is an exit's key with one registration.
type identity struct {
	key    ed25519.PrivateKey
	info   service.Info
	signed *service.Signed
}

func newIdentity(t testing.TB, change ...func(*service.Info)) identity {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	id := identity{key: key, info: service.Info{
		Operator: "test", Sequence: 1, Tier: service.Free,
		NotBefore: time.Now().Add(-time.Minute), Expires: time.Now().Add(time.Hour),
		Protocols: []service.Protocol{service.OpenAI},
	}}
	for _, f := range change {
		f(&id.info)
	}
	return id.sign(t, "keys of "+string(service.IdentityOf(public)), id.info.Sequence)
}

// sign is the same identity with another registration.
func (id identity) sign(t testing.TB, keys string, sequence int64) identity {
	t.Helper()
	id.info.Sequence = sequence
	signed, err := service.Sign(id.key, []byte(keys), &id.info)
	if err != nil {
		t.Fatal(err)
	}
	id.signed = signed
	return id
}

func (id identity) hash() service.Hash { return id.signed.Hash() }

// registration is what a relay makes of an identity's Register message.
func (id identity) registration(t testing.TB) *tunnel.Registration {
	t.Helper()
	info, err := service.ParseInfo(id.signed.ServiceInfo)
	if err != nil {
		t.Fatal(err)
	}
	return &tunnel.Registration{Hash: id.hash(), Signed: id.signed, Info: info}
}

// session is a scripted exit that is connected to the relay.
type session struct {
	identity
	drain  context.CancelFunc // as an exit does on SIGTERM
	served <-chan error       // what Serve returned
	conn   *cable             // below TLS; closing it is pulling it
}

// freeze has the exit's connection stand still.
func (s *session) freeze() { s.conn.still.Store(true) }

// register connects an exit, or returns why the relay refused it.
func (g *rig) register(id identity, handler http.HandlerFunc) (*session, error) {
	g.t.Helper()
	s := &session{identity: id}
	dialled, err := tunnel.Dial(context.Background(), tunnel.DialConfig{
		Relay: g.url, Identity: id.key, Signed: id.signed, Handler: handler, DrainTimeout: patience,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			s.conn = &cable{Conn: conn, pulled: make(chan struct{})}
			return s.conn, err
		},
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	served, ended := make(chan error, 1), make(chan struct{})
	s.drain, s.served = cancel, served
	go func() {
		defer close(ended)
		served <- dialled.Serve(ctx)
	}()
	g.t.Cleanup(func() {
		s.conn.Close()
		cancel()
		<-ended
	})
	return s, nil
}

// connect connects an exit and waits until the relay forwards to it.
func (g *rig) connect(id identity, handler http.HandlerFunc) *session {
	g.t.Helper()
	before := g.entries()
	s, err := g.register(id, handler)
	if err != nil {
		g.t.Fatal(err)
	}
	g.eventually("the tunnel is in the registry", func() bool {
		for e := range g.entries() {
			if !before[e] {
				return true
			}
		}
		return false
	})
	return s
}

// entries are the tunnels in the registry.
func (g *rig) entries() map[*entry]bool {
	registry := g.relay.registry
	registry.mu.Lock()
	defer registry.mu.Unlock()
	entries := map[*entry]bool{}
	for _, m := range registry.identities {
		for _, e := range m.entries {
			entries[e] = true
		}
	}
	return entries
}

// eventually waits for a condition that nothing announces.
func (g *rig) eventually(what string, condition func() bool) {
	g.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			g.t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// client is an HTTP client with connections of its own that speaks the one protocol.
func (g *rig) client(protocol string) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(protocol == h1)
	protocols.SetHTTP2(protocol == h2)
	transport := &http.Transport{
		TLSClientConfig:    g.url.TLSConfig(protocol),
		Protocols:          &protocols,
		DisableCompression: true,
	}
	g.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// request is a sealed request to an exit.
func (g *rig) request(ctx context.Context, hash service.Hash, body io.Reader) *http.Request {
	g.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url.Base()+"/ohttp/"+string(hash), body)
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "message/ohttp-chunked-req")
	return r
}

// answer is a whole answer to a client.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem is the type of the problem that the answer describes, "" when it is none.
func (a answer) problem() string {
	p, ok := service.ParseProblem(a.header.Get("Content-Type"), []byte(a.body))
	if !ok {
		return ""
	}
	return p.Type
}

func (g *rig) do(c *http.Client, r *http.Request) (answer, error) {
	resp, err := c.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

// ask sends a sealed request and returns the answer, which must come.
func (g *rig) ask(c *http.Client, hash service.Hash, body string) answer {
	g.t.Helper()
	a, err := g.do(c, g.request(g.t.Context(), hash, strings.NewReader(body)))
	if err != nil {
		g.t.Fatalf("ask %s: %v", hash.Short(), err)
	}
	return a
}

// get asks the relay itself.
func (g *rig) get(c *http.Client, path string, header ...string) answer {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.url.Base()+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	a, err := g.do(c, r)
	if err != nil {
		g.t.Fatalf("GET %s: %v", path, err)
	}
	return a
}

// directory downloads and parses the directory.
func (g *rig) directory(c *http.Client) *service.Directory {
	g.t.Helper()
	d, err := service.ParseDirectory(strings.NewReader(g.get(c, "/exits").body), 1<<20)
	if err != nil {
		g.t.Fatal(err)
	}
	return d
}

// hashes lists what the directory shows, in its order.
func (g *rig) hashes(c *http.Client) []service.Hash {
	g.t.Helper()
	hashes := []service.Hash{}
	for _, e := range g.directory(c).Exits {
		hashes = append(hashes, e.PubKeyHash)
	}
	return hashes
}

// metric is the sum of a metric's values, over the outcomes given or all of them.
func (g *rig) metric(name string, outcomes ...outcome) float64 {
	g.t.Helper()
	families, err := g.metrics.Gather()
	if err != nil {
		g.t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			counted := len(outcomes) == 0
			for _, want := range outcomes {
				counted = counted || m.GetLabel()[0].GetValue() == string(want)
			}
			if counted {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func (g *rig) outcomes(want outcome) float64 {
	g.t.Helper()
	return g.metric("tokengo_relay_requests_total", want)
}

// refusedWith is the code of a refused registration.
func refusedWith(err error) tunnel.Code {
	var refused *tunnel.RefusedError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// echo is an exit that answers with what it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "message/ohttp-chunked-res")
	io.Copy(w, r.Body)
}

// says is an exit that reads the request and answers with its name.
func says(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, name)
	}
}

// dial opens a connection to the relay's port with a TLS protocol of the test's choice.
func (g *rig) dial(alpn string) (*tls.Conn, error) {
	return tls.Dial("tcp", g.url.Host, g.url.TLSConfig(alpn))
}

// selfSigned is a certificate of an exit's identity key.
func selfSigned(t testing.TB, key ed25519.PrivateKey) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// tlsClient speaks TLS to the relay on a connection of the test's own.
func tlsClient(g *rig, conn net.Conn, alpn string) *tls.Conn {
	return tls.Client(conn, g.url.TLSConfig(alpn))
}
