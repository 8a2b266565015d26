// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

const (
	canaryPrompt = "canary-prompt-5b1e"
	canaryKey    = "canary-key-77aa"
)

// rig is an exit's handler behind HTTP/2 without a relay, as a tunnel serves it, and what a client that
// knows nothing but the list of keys needs.
type rig struct {
	exit       *Exit
	maintainer *maintainer
	keys       *keyStore
	url        string
	http       *http.Transport
	log        *lockedBuffer
	done       chan struct{} // receives when a call of the handler has returned
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var testRelays = []relayurl.URL{{Host: "relay.example:4433"}}

func testModels(ids ...string) []service.Model {
	var models []service.Model
	for _, id := range ids {
		models = append(models, service.Model{ID: id})
	}
	return models
}

func openAIBackend(url string) Backend {
	return Backend{Protocol: service.OpenAI, URL: url, Key: secret.New(canaryKey), Models: testModels("gpt-test"), Silent: true}
}

// unasked are backends that are asked only what a test asks, unless they say otherwise.
func unasked(backends []Backend) []Backend {
	backends = slices.Clone(backends)
	for i := range backends {
		if b := &backends[i]; b.Protocol == service.OpenAI && b.Responses == "" {
			b.Responses = ResponsesNative
		}
	}
	return backends
}

func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	r := &rig{log: &lockedBuffer{}, done: make(chan struct{}, 1000)}
	cfg.Relays = testRelays
	cfg.Backends = unasked(cfg.Backends)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	var err error
	if r.exit, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	m, err := newMaintainer(r.exit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.close)
	r.maintainer, r.keys = m, m.keys
	if err := m.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.serve(t)
	return r
}

func (r *rig) serve(t testing.TB) {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer func() { r.done <- struct{}{} }()
		r.exit.handler.ServeHTTP(w, req)
	}))
	srv.Config.Protocols = &protocols
	srv.Start()
	r.url = srv.URL
	r.http = &http.Transport{Protocols: &protocols, DisableCompression: true}
	t.Cleanup(func() {
		r.http.CloseIdleConnections()
		srv.Close()
	})
}

// list is the exit's application/ohttp-keys.
func (r *rig) list(t testing.TB) []byte {
	t.Helper()
	list, err := r.keys.published().configs()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (r *rig) config(t testing.TB, kem ohttp.KEM) *ohttp.KeyConfig {
	t.Helper()
	configs, err := ohttp.ParseKeyConfigs(r.list(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range configs {
		if configs[i].KEM == kem {
			return &configs[i]
		}
	}
	t.Fatalf("no key of KEM %#x", kem)
	return nil
}

// sealing is how a client seals.
type sealing struct {
	kem    ohttp.KEM
	format ohttp.Format
}

func (s sealing) String() string { return fmt.Sprintf("%#x/%v", uint16(s.kem), s.format) }

var (
	chunked = sealing{ohttp.KEMXWing, ohttp.Chunked}

	allSealings = []sealing{
		{ohttp.KEMX25519, ohttp.Whole},
		{ohttp.KEMX25519, ohttp.Chunked},
		{ohttp.KEMXWing, ohttp.Whole},
		{ohttp.KEMXWing, ohttp.Chunked},
	}
)

// inner is a request inside the seal.
type inner struct {
	method, scheme, path string
	fields               bhttp.Fields
	body                 string
	rename               [2]string // of a field, to what cannot be written properly; of the same length
}

// chat is a request that a backend with the model gpt-test takes.
func chat() inner {
	return inner{
		path:   "/v1/chat/completions",
		fields: bhttp.Fields{{Name: "content-type", Value: "application/json"}},
		body:   `{"model":"gpt-test","messages":[{"role":"user","content":"` + canaryPrompt + `"}]}`,
	}
}

func (q inner) encode(t testing.TB) []byte {
	t.Helper()
	if q.method == "" {
		q.method = http.MethodPost
	}
	if q.scheme == "" {
		q.scheme = "https"
	}
	b, err := bhttp.AppendRequestHead(nil, &bhttp.Request{
		Method: q.method, Scheme: q.scheme, Authority: "exit", Path: q.path, Fields: q.fields,
	}, int64(len(q.body)))
	if err != nil {
		t.Fatal(err)
	}
	b, err = bhttp.AppendTrailer(append(b, q.body...), nil)
	if err != nil {
		t.Fatal(err)
	}
	if q.rename[0] == "" {
		return b
	}
	return bytes.Replace(b, []byte(q.rename[0]), []byte(q.rename[1]), 1)
}

// outer posts sealed bytes.
func (r *rig) outer(ctx context.Context, t testing.TB, contentType string, body io.Reader) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+tunnel.PathOHTTP, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	return r.http.RoundTrip(req)
}

// open sends a Binary HTTP message and returns the answer while it arrives.
func (r *rig) open(ctx context.Context, t testing.TB, s sealing, message []byte) (*bhttp.Response, *http.Response) {
	t.Helper()
	sealed, err := ohttp.SealRequest(r.config(t, s.kem), s.format, bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	return r.openSealed(ctx, t, s, sealed)
}

func (r *rig) openSealed(ctx context.Context, t testing.TB, s sealing, sealed *ohttp.SealedRequest) (*bhttp.Response, *http.Response) {
	t.Helper()
	resp, err := r.outer(ctx, t, s.format.RequestType(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || !s.format.MatchesResponse(resp.Header.Get("Content-Type")) {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("outer answer is %d %s: %s", resp.StatusCode, resp.Header.Get("Content-Type"), body)
	}
	got, err := bhttp.ReadResponse(sealed.OpenResponse(resp.Body, 1<<30), bhttp.Limits{})
	if err != nil {
		t.Fatalf("read the inner answer: %v", err)
	}
	return got, resp
}

// reply is an inner answer that was read to its end.
type reply struct {
	status  int
	fields  bhttp.Fields
	body    string
	trailer bhttp.Fields
	err     error // how it ended, nil for completely
}

func (r *rig) do(t testing.TB, s sealing, q inner) reply {
	t.Helper()
	resp, _ := r.open(t.Context(), t, s, q.encode(t))
	return read(resp)
}

func read(resp *bhttp.Response) reply {
	body, err := io.ReadAll(resp.Body)
	return reply{resp.Status, resp.Fields, string(body), resp.Trailer, err}
}

// code is the code that an error of the OpenAI protocol names.
func (r reply) code(t testing.TB) string {
	t.Helper()
	var body struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		t.Fatalf("status %d, not an error in OpenAI's shape: %q", r.status, r.body)
	}
	return body.Error.Code
}

// backendServer is a backend that f plays.
func backendServer(t testing.TB, f http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	return srv.URL
}

func within(t testing.TB, d time.Duration, what string, ch <-chan struct{}) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ch:
	case <-timer.C:
		t.Fatalf("not within %v: %s", d, what)
	}
}

func (r *rig) checkLog(t testing.TB) {
	t.Helper()
	for _, canary := range []string{canaryPrompt, canaryKey, "gpt-test"} {
		if strings.Contains(r.log.String(), canary) {
			t.Errorf("the log has %q:\n%s", canary, r.log)
		}
	}
}
