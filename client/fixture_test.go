// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

// testExit is an exit without a tunnel: keys, a description, and a script for its answers.
type testExit struct {
	identity ed25519.PrivateKey
	ring     *ohttp.Keyring
	entry    service.Entry
	answer   func(*exchange)
	undated  bool         // the dates of requests are not looked at
	requests atomic.Int32 // opened
}

// exchange is one opened request and what answers it.
type exchange struct {
	t       testing.TB
	outer   *http.Request
	w       http.ResponseWriter
	req     *bhttp.Request
	body    []byte
	dated   time.Time
	hurried bool  // the client may have gone before it is answered
	chunks  []int // sizes of the plaintext chunks of the request
	sealer  *ohttp.ResponseSealer
}

func newIdentity(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func models(proto service.Protocol, ids ...string) []service.Model {
	var all []service.Model
	for _, id := range ids {
		all = append(all, service.Model{ID: id, Protocol: proto})
	}
	return all
}

func testInfo(offers ...[]service.Model) *service.Info {
	info := &service.Info{
		Operator: "tester", Sequence: 1, Tier: service.Free,
		NotBefore: time.Now().Add(-time.Minute).Truncate(time.Second),
		Expires:   time.Now().Add(time.Hour).Truncate(time.Second),
	}
	for _, models := range offers {
		info.Models = append(info.Models, models...)
		info.Protocols = append(info.Protocols, models[0].Protocol)
	}
	return info
}

// newExit makes an exit with fresh keys of the given kinds, X-Wing and X25519 when none is given.
func newExit(t testing.TB, identity ed25519.PrivateKey, info *service.Info, kems ...ohttp.KEM) *testExit {
	t.Helper()
	if len(kems) == 0 {
		kems = []ohttp.KEM{ohttp.KEMXWing, ohttp.KEMX25519}
	}
	var keys []*ohttp.PrivateKey
	var configs []ohttp.KeyConfig
	for i, kem := range kems {
		key, err := ohttp.GenerateKey(uint8(i), kem)
		if err != nil {
			t.Fatal(err)
		}
		keys, configs = append(keys, key), append(configs, key.Config())
	}
	ring, err := ohttp.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	list, err := ohttp.MarshalKeyConfigs(configs)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := service.Sign(identity, list, info)
	if err != nil {
		t.Fatal(err)
	}
	return &testExit{
		identity: identity, ring: ring, answer: plainAnswer("{}"),
		entry: service.Entry{
			PubKeyHash: signed.Hash(), KeyConfig: signed.KeyConfig,
			ServiceInfo: signed.ServiceInfo, Signature: signed.Signature,
		},
	}
}

// plainAnswer answers 200 with a whole JSON body.
func plainAnswer(body string) func(*exchange) {
	return func(x *exchange) { x.respond(200, "application/json", body) }
}

func (x *exchange) check(err error) {
	if err != nil && !x.hurried {
		x.t.Errorf("test exit: %v", err)
	}
}

// begin starts the sealed answer; nothing is sent yet.
func (x *exchange) begin(sealed *ohttp.OpenedRequest, f ohttp.Format) {
	x.w.Header().Set("Content-Type", f.ResponseType())
	var err error
	x.sealer, err = sealed.SealResponse(flushWriter{x.w})
	x.check(err)
}

// flushWriter flushes every write, as a relay does.
type flushWriter struct{ w http.ResponseWriter }

func (f flushWriter) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err == nil {
		err = http.NewResponseController(f.w).Flush()
	}
	return n, err
}

func (x *exchange) respond(status int, contentType, body string) {
	head := &bhttp.Response{Status: status, Fields: bhttp.Fields{{Name: "content-type", Value: contentType}}}
	b, err := bhttp.AppendResponseKnown(nil, head, []byte(body))
	x.check(err)
	x.check(x.sealer.Close(b))
}

// head, chunk and end make an answer of indeterminate length.
func (x *exchange) head(status int, fields ...bhttp.Field) {
	b, err := bhttp.AppendResponseHead(nil, &bhttp.Response{Status: status, Fields: fields})
	x.check(err)
	x.check(x.sealer.WriteChunk(b))
}

func (x *exchange) chunk(p string) error {
	return x.sealer.WriteChunk(bhttp.AppendContentChunk(nil, []byte(p)))
}

func (x *exchange) end(trailer ...bhttp.Field) {
	b, err := bhttp.AppendContentEnd(nil, trailer)
	x.check(err)
	x.check(x.sealer.Close(b))
}

// serve opens a request and runs the script.
func (e *testExit) serve(t testing.TB, w http.ResponseWriter, r *http.Request) {
	f, ok := ohttp.FormatOf(r.Header.Get("Content-Type"))
	if !ok {
		t.Errorf("sealed request has Content-Type %q", r.Header.Get("Content-Type"))
		return
	}
	opened, err := e.ring.OpenRequest(r.Body, f, 64<<20)
	if err != nil {
		problem(w, http.StatusBadRequest, service.TypeOHTTPKey)
		return
	}
	x := &exchange{t: t, outer: r, w: w}
	x.req, err = bhttp.ReadRequest(sizes{opened, &x.chunks}, bhttp.Limits{})
	if err == nil {
		x.body, err = io.ReadAll(x.req.Body)
	}
	if err != nil {
		if r.Context().Err() == nil {
			t.Errorf("open request: %v", err)
		}
		return
	}
	if !e.undated {
		x.date(t)
	}
	e.requests.Add(1)
	x.begin(opened, f)
	e.answer(x)
}

// sizes records the sizes of what is read through a buffer that holds any chunk.
type sizes struct {
	r   io.Reader
	log *[]int
}

func (s sizes) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	*s.log = append(*s.log, n)
	return n, err
}

func problem(w http.ResponseWriter, status int, kind string) {
	body, _ := json.Marshal(service.Problem{Type: kind, Status: status})
	w.Header().Set("Content-Type", service.ProblemType)
	w.WriteHeader(status)
	w.Write(body)
}

// testRelay is a relay in this process that hands sealed requests to test exits.
type testRelay struct {
	t      testing.TB
	url    relayurl.URL
	server *httptest.Server

	mu       sync.Mutex // guards what follows
	exits    []*testExit
	forward  func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
	list     func(w http.ResponseWriter, r *http.Request) bool
	document http.HandlerFunc // answers for the directory's segments; nil: there are none
	operator string
	fetches  int
	posts    []http.Header
	notAgain int // answers 304
}

func newTestRelay(t testing.TB, exits ...*testExit) *testRelay {
	t.Helper()
	r := newUnstartedRelay(t, exits...)
	r.start()
	return r
}

// newUnstartedRelay makes a relay whose server can still be changed.
func newUnstartedRelay(t testing.TB, exits ...*testExit) *testRelay {
	t.Helper()
	r := &testRelay{t: t, exits: exits}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /exits", r.serveDirectory)
	mux.HandleFunc("GET /directory", r.serveDocument)
	mux.HandleFunc("GET /directory/", r.serveDocument)
	mux.HandleFunc("POST /ohttp/{hash}", r.serveSealed)
	r.server = httptest.NewUnstartedServer(mux)
	r.server.EnableHTTP2 = true
	r.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	return r
}

func (r *testRelay) start() {
	r.server.StartTLS()
	r.t.Cleanup(r.server.Close)
	r.url = relayurl.URL{
		Host: r.server.Listener.Addr().String(), Pin: relayurl.PinOf(r.server.Certificate()), Pinned: true,
	}
}

func (r *testRelay) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

func (r *testRelay) serveDocument(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	document := r.document
	r.mu.Unlock()
	if document == nil {
		http.NotFound(w, req)
		return
	}
	document(w, req)
}

func (r *testRelay) serveDirectory(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.fetches++
	dir := service.Directory{Exits: []service.Entry{}, Operator: r.operator}
	for _, e := range r.exits {
		dir.Exits = append(dir.Exits, e.entry)
	}
	list := r.list
	r.mu.Unlock()
	if list != nil && list(w, req) {
		return
	}
	body, err := json.Marshal(dir)
	if err != nil {
		r.t.Error(err)
	}
	etag := `"` + string(service.HashOf(body)) + `"`
	w.Header().Set("ETag", etag)
	if req.Header.Get("If-None-Match") == etag {
		r.set(func() { r.notAgain++ })
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if req.Header.Get("Accept-Encoding") != "gzip" {
		w.Write(body)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	zip := gzip.NewWriter(w)
	zip.Write(body)
	zip.Close()
}

func (r *testRelay) serveSealed(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.posts = append(r.posts, req.Header.Clone())
	forward := r.forward
	var exit *testExit
	for _, e := range r.exits {
		if string(e.entry.PubKeyHash) == req.PathValue("hash") {
			exit = e
		}
	}
	r.mu.Unlock()
	switch {
	case forward != nil && forward(w, req):
	case exit == nil:
		problem(w, http.StatusNotFound, service.TypeUnknownExit)
	default:
		exit.serve(r.t, w, req)
	}
}

// testClient is a running client.
type testClient struct {
	*Client
	t    testing.TB
	url  string
	http *http.Client
	logs *logBuffer
	stop func() error
}

// logBuffer collects logs.
type logBuffer struct {
	mu  sync.Mutex
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

// start runs a client until the test ends, and waits until it has asked its relays.
func start(t testing.TB, cfg Config, relays ...*testRelay) *testClient {
	t.Helper()
	c := startUnready(t, cfg, relays...)
	if err := c.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func startUnready(t testing.TB, cfg Config, relays ...*testRelay) *testClient {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, ln, cfg, relays...)
}

func startOn(t testing.TB, ln net.Listener, cfg Config, relays ...*testRelay) *testClient {
	t.Helper()
	for _, r := range relays {
		cfg.Relays = append(cfg.Relays, r.url)
	}
	logs := &logBuffer{}
	cfg.Logger = slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if cfg.Registerer == nil {
		cfg.Registerer = prometheus.NewRegistry()
	}
	client, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- client.Serve(ctx, ln) }()
	transport := &http.Transport{DisableCompression: true}
	stop := sync.OnceValue(func() error {
		transport.CloseIdleConnections()
		cancel()
		return <-served
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return &testClient{
		Client: client, t: t, url: "http://" + ln.Addr().String(),
		http: &http.Client{Transport: transport}, logs: logs, stop: stop,
	}
}

// beginStop stops the client, and returns when it does not listen any more. The channel gets what Serve returns.
func (c *testClient) beginStop() <-chan error {
	c.t.Helper()
	stopped := make(chan error, 1)
	go func() { stopped <- c.stop() }()
	eventually(c.t, "the client stops listening", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	return stopped
}

// do sends a request as a tool would. The answer's body is closed at the end of the test.
func (c *testClient) do(method, path, body string, header ...string) *http.Response {
	c.t.Helper()
	resp, err := c.send(c.t.Context(), method, path, strings.NewReader(body), header...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp
}

func (c *testClient) send(ctx context.Context, method, path string, body io.Reader, header ...string) (*http.Response, error) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Del(header[i])
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := c.http.Do(req)
	if err == nil {
		c.t.Cleanup(func() { resp.Body.Close() })
	}
	return resp, err
}

// read reads the whole body of an answer that must end properly.
func read(t testing.TB, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("read the answer: %v", err)
	}
	return string(body)
}

// expectChat has a plain chat answered.
func (c *testClient) expectChat(want string) {
	c.t.Helper()
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if got := read(c.t, resp); resp.StatusCode != 200 || got != want {
		c.t.Errorf("chat: status %d, body %q, want 200, %q", resp.StatusCode, got, want)
	}
}

const chatBody = `{"messages":[{"content":"hi","role":"user"}],"model":"m"}`

// soon is within a second, on a machine that does much else, and before any of the client's timeouts would end a wait.
// That it is a second is shown in virtual time.
const soon = 8 * time.Second

// eventually polls until cond holds. What is measured elsewhere is how soon: a minute is for a machine that does much else.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(time.Minute)
	for !cond() {
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// ownGoroutines counts the goroutines that run this package's code or belong to its transports.
func ownGoroutines() int {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	n := 0
	for _, g := range strings.Split(string(buf), "\n\n") {
		if strings.Contains(g, "tokengo/client.(") || strings.Contains(g, "net/http.(*persistConn)") ||
			strings.Contains(g, "http2ClientConn") {
			n++
		}
	}
	return n
}

// metric is the value of a counter or gauge, of the one with the outcome when there are several.
func metric(t testing.TB, reg prometheus.Gatherer, name, outcome string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			found := outcome == ""
			for _, label := range m.GetLabel() {
				found = found || label.GetName() == "outcome" && label.GetValue() == outcome
			}
			if found {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

// date checks the date of a request, and takes it from the fields, so that they can be compared.
func (x *exchange) date(t testing.TB) {
	last := len(x.req.Fields) - 1
	at, err := http.ParseTime(x.req.Fields.Get("date"))
	if err != nil || time.Since(at).Abs() > time.Minute || x.req.Fields[last].Name != "date" {
		t.Errorf("the request has the date %v (%v) among %v", at, err, x.req.Fields)
		return
	}
	x.dated = at
	x.req.Fields = x.req.Fields[:last]
}

// fetch looks at the directory of one relay without a running client.
func fetch(ctx context.Context, url relayurl.URL) ([]Exit, error) {
	r := newRelay(url, nil)
	defer r.close()
	now := time.Now()
	l, err := (&look{relay: r, now: now}).list(ctx)
	if err != nil {
		return nil, err
	}
	return merge([]reached{{url, l}}, nil, now), nil
}
