// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

func TestJoin(t *testing.T) {
	const gemini = "/v1beta/models/x:streamGenerateContent?alt=sse"
	for _, tt := range []struct {
		protocol         service.Protocol
		base, path, want string
	}{
		{service.OpenAI, "https://api.openai.com", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"},
		{service.OpenAI, "https://api.openai.com/", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"},
		{service.OpenAI, "https://api.openai.com/v1", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"},
		{service.OpenAI, "https://api.openai.com/v1/", "/v1/models", "https://api.openai.com/v1/models"},
		{service.OpenAI, "https://openrouter.ai/api/v1", "/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"},
		{service.OpenAI, "https://api.z.ai/api/paas/v4", "/v1/chat/completions", "https://api.z.ai/api/paas/v4/chat/completions"},
		{service.OpenAI, "https://h/openai", "/v1/models", "https://h/openai/models"},
		{service.OpenAI, "http://127.0.0.1:8000", "/v1/embeddings", "http://127.0.0.1:8000/v1/embeddings"},
		{service.OpenAI, "http://[::1]:8000/v1", "/v1/embeddings", "http://[::1]:8000/v1/embeddings"},
		{service.Claude, "https://api.anthropic.com", "/v1/messages", "https://api.anthropic.com/v1/messages"},
		{service.Claude, "https://api.anthropic.com/v1/", "/v1/messages", "https://api.anthropic.com/v1/messages"},
		{service.Claude, "https://api.z.ai/api/anthropic", "/v1/messages", "https://api.z.ai/api/anthropic/v1/messages"},
		{service.Gemini, "https://g.example", gemini, "https://g.example" + gemini},
		{service.Gemini, "https://g.example/v1beta", gemini, "https://g.example" + gemini},
		{service.Gemini, "https://g.example/x/v1beta/", gemini, "https://g.example/x" + gemini},
		{service.Gemini, "https://g.example", "/v1beta/models/a%20b:countTokens", "https://g.example/v1beta/models/a%20b:countTokens"},
		{service.Ollama, "http://127.0.0.1:11434", "/api/chat", "http://127.0.0.1:11434/api/chat"},
		{service.Ollama, "http://127.0.0.1:11434/api", "/api/chat", "http://127.0.0.1:11434/api/chat"},
		{service.Ollama, "http://h/ollama/", "/api/tags", "http://h/ollama/api/tags"},
	} {
		base, err := parseBase(tt.protocol, tt.base)
		if err != nil {
			t.Errorf("%s: %v", tt.base, err)
			continue
		}
		got, err := base.join(tt.path)
		if err != nil || got.String() != tt.want {
			t.Errorf("%s: join %s to %s: got %v, %v; want %s", tt.protocol, tt.path, tt.base, got, err, tt.want)
		}
	}
}

func TestBadBackends(t *testing.T) {
	good := Backend{Protocol: service.OpenAI, URL: "https://h"}
	for name, change := range map[string]func(*Backend){
		"no protocol":      func(b *Backend) { b.Protocol = "" },
		"protocol":         func(b *Backend) { b.Protocol = "smtp" },
		"no URL":           func(b *Backend) { b.URL = "" },
		"scheme":           func(b *Backend) { b.URL = "ftp://h" },
		"no host":          func(b *Backend) { b.URL = "https:///v1" },
		"not a URL":        func(b *Backend) { b.URL = "https://h:x" + canaryKey },
		"user":             func(b *Backend) { b.URL = "https://" + canaryKey + "@h" },
		"query":            func(b *Backend) { b.URL = "https://h?key=" + canaryKey },
		"key":              func(b *Backend) { b.Key = secret.New(canaryKey + "\nsecond line") },
		"model's protocol": func(b *Backend) { b.Models = []service.Model{{ID: "m", Protocol: service.Claude}} },
		"empty model":      func(b *Backend) { b.Models = testModels("") },
		"model's price": func(b *Backend) {
			b.Models = []service.Model{{ID: "m", Pricing: &service.Pricing{InputPer1M: "much", OutputPer1M: "1", Currency: "USD"}}}
		},
		"alias": func(b *Backend) { b.Models, b.Aliases = testModels("m"), map[string]string{"x": "m"} },
	} {
		b := good
		change(&b)
		_, err := New(Config{Relays: testRelays, Backends: []Backend{b}})
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), canaryKey) {
			t.Errorf("%s: the error has the key: %v", name, err)
		}
	}
	if _, err := New(Config{Relays: testRelays, Backends: []Backend{good}}); err != nil {
		t.Errorf("good one: %v", err)
	}
}

// Of what a tool sends only what its protocol needs goes on, and the exit's own credential.
func TestHeaderAllowList(t *testing.T) {
	var got http.Header
	var host string
	url := backendServer(t, func(_ http.ResponseWriter, r *http.Request) { got, host = r.Header, r.Host })
	models := func(p service.Protocol, key string) Backend {
		return Backend{Protocol: p, URL: url, Key: secret.New(key), Models: testModels("m"), Silent: true}
	}
	r := newRig(t, Config{Betas: []string{"beta-c", "beta-b", "beta-a"}, Backends: []Backend{
		models(service.OpenAI, " "+canaryKey+"\n"), models(service.Claude, canaryKey),
		models(service.Gemini, canaryKey), models(service.Ollama, ""),
	}})
	planted := bhttp.Fields{
		{Name: "content-type", Value: "application/json"},
		{Name: "accept", Value: "text/event-stream"},
		{Name: "authorization", Value: "Bearer planted"},
		{Name: "x-api-key", Value: "planted"},
		{Name: "x-goog-api-key", Value: "planted"},
		{Name: "cookie", Value: "planted"},
		{Name: "user-agent", Value: "planted"},
		{Name: "host", Value: "planted"},
		{Name: "accept-encoding", Value: "gzip"},
		{Name: "x-forwarded-for", Value: "planted"},
		{Name: "traceparent", Value: "planted"},
		{Name: "idempotency-key", Value: "planted"},
		{Name: "openai-organization", Value: "planted"},
		{Name: "anthropic-version", Value: "2024-01-01"},
		{Name: "anthropic-beta", Value: "planted, beta-b"},
		{Name: "anthropic-beta", Value: "beta-a,beta-b"},
		{Name: "openai-beta", Value: "beta-c,planted"},
	}
	base := func(more http.Header) http.Header {
		h := http.Header{
			"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}, "Accept-Encoding": {"identity"},
			"User-Agent": {"tokengo"},
		}
		for name, values := range more {
			h[name] = values
		}
		return h
	}
	for _, tt := range []struct {
		path, body string
		fields     bhttp.Fields
		want       http.Header
	}{
		{
			"/v1/chat/completions", `{"model":"m"}`, planted,
			base(http.Header{"Authorization": {"Bearer " + canaryKey}, "Openai-Beta": {"beta-c"}}),
		},
		{
			"/v1/messages", `{"model":"m"}`, planted,
			base(http.Header{
				"X-Api-Key": {canaryKey}, "Anthropic-Version": {"2024-01-01"}, "Anthropic-Beta": {"beta-a,beta-b"},
			}),
		},
		{"/v1beta/models/m:generateContent?key=planted", `{}`, planted, base(http.Header{"X-Goog-Api-Key": {canaryKey}})},
		{"/api/chat", `{"model":"m"}`, planted, base(nil)},
		{
			"/v1/messages", `{"model":"m"}`, nil,
			http.Header{
				"Content-Type": {"application/json"}, "Accept-Encoding": {"identity"}, "User-Agent": {"tokengo"},
				"X-Api-Key": {canaryKey}, "Anthropic-Version": {"2023-06-01"},
			},
		},
	} {
		if a := r.do(t, chunked, inner{path: tt.path, body: tt.body, fields: tt.fields}); a.status != 200 {
			t.Errorf("%s: %+v", tt.path, a)
		}
		got.Del("Content-Length")
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.path, diff)
		}
		if "http://"+host != url {
			t.Errorf("%s: host %q", tt.path, host)
		}
	}
	r.checkLog(t)
}

// The body is the tool's, byte for byte, but for a model that the backend knows by another name.
func TestAliases(t *testing.T) {
	var path, body string
	url := backendServer(t, func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		path, body = r.URL.Path, string(raw)
	})
	r := newRig(t, Config{Backends: []Backend{
		{
			Protocol: service.OpenAI, URL: url, Models: testModels("small", "plain"), Silent: true,
			Aliases: map[string]string{"small": "vendor/small-2024"},
		},
		{Protocol: service.Gemini, URL: url, Models: testModels("g"), Silent: true, Aliases: map[string]string{"g": "gemini-x"}},
		{Protocol: service.Ollama, URL: url, Models: testModels("llama:latest"), Silent: true},
	}})
	for _, tt := range []struct{ path, body, wantPath, wantBody string }{
		{"/v1/chat/completions", `{ "model" : "plain","n":1e2 }`, "/v1/chat/completions", `{ "model" : "plain","n":1e2 }`},
		{"/v1/chat/completions", `{ "model" : "small" }`, "/v1/chat/completions", `{ "model" : "vendor/small-2024" }`},
		{"/v1beta/models/g:countTokens", `{}`, "/v1beta/models/gemini-x:countTokens", `{}`},
		{"/api/chat", `{"model":"llama"}`, "/api/chat", `{"model":"llama"}`},
		{"/api/show", `{"name":"llama:latest"}`, "/api/show", `{"name":"llama:latest"}`},
	} {
		if a := r.do(t, chunked, inner{path: tt.path, body: tt.body}); a.status != 200 {
			t.Errorf("%s %s: %+v", tt.path, tt.body, a)
		}
		if path != tt.wantPath || body != tt.wantBody {
			t.Errorf("%s %s: the backend got %s %s, want %s %s", tt.path, tt.body, path, body, tt.wantPath, tt.wantBody)
		}
	}
}

func TestBackendStatuses(t *testing.T) {
	var answer http.HandlerFunc
	url := backendServer(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
	const text = `{"error":{"message":"the context is too long"}}`
	for _, tt := range []struct {
		status     int
		header     http.Header
		body       string
		wantStatus int
		wantCode   string // "" when the text passes
		retryAfter string
	}{
		{status: 400, wantStatus: 400},
		{status: 404, wantStatus: 404},
		{status: 409, wantStatus: 409},
		{status: 413, wantStatus: 413},
		{status: 422, wantStatus: 422},
		{status: 400, body: `{"error":"bad key ` + canaryKey + `"}`, wantStatus: 400, wantCode: "backend_rejected"},
		{status: 400, body: strings.Repeat("x", maxErrorBody+1), wantStatus: 400, wantCode: "backend_rejected"},
		{status: 404, header: http.Header{"Content-Type": {"text/html"}}, wantStatus: 404, wantCode: "backend_rejected"},
		{status: 405, wantStatus: 405, wantCode: "backend_rejected"},
		{status: 408, wantStatus: 504, wantCode: "backend_timeout"},
		{status: 401, wantStatus: 502, wantCode: "backend_auth"},
		{status: 402, wantStatus: 502, wantCode: "backend_auth"},
		{status: 403, wantStatus: 502, wantCode: "backend_auth"},
		{status: 429, wantStatus: 429, wantCode: "backend_rate_limited"},
		{status: 429, header: http.Header{"Retry-After": {"17"}}, wantStatus: 429, wantCode: "backend_rate_limited", retryAfter: "17"},
		{status: 503, header: http.Header{"Retry-After": {"5"}}, wantStatus: 503, wantCode: "backend_overloaded", retryAfter: "5"},
		{status: 529, wantStatus: 529, wantCode: "backend_overloaded"},
		{status: 500, wantStatus: 500, wantCode: "backend_error"},
		{status: 504, wantStatus: 504, wantCode: "backend_error"},
		{status: 302, header: http.Header{"Location": {url}}, wantStatus: 502, wantCode: "backend_error"},
		{status: 200, header: http.Header{"Content-Encoding": {"gzip"}}, wantStatus: 500, wantCode: "backend_error"},
	} {
		for _, s := range []sealing{chunked, {ohttp.KEMX25519, ohttp.Whole}} {
			t.Run(fmt.Sprintf("%d %v %v", tt.status, tt.header, s), func(t *testing.T) {
				body := tt.body
				if body == "" {
					body = text
				}
				answer = func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					w.Header().Set("Set-Cookie", "planted")
					w.Header().Set("X-Request-Id", "planted")
					for name, values := range tt.header {
						w.Header()[name] = values
					}
					w.WriteHeader(tt.status)
					io.WriteString(w, body)
				}
				got := r.do(t, s, chat())
				if got.err != nil || got.status != tt.wantStatus || got.fields.Get("retry-after") != tt.retryAfter {
					t.Errorf("got %+v", got)
				}
				if tt.wantCode == "" && got.body != text || tt.wantCode != "" && got.code(t) != tt.wantCode {
					t.Errorf("body %s, want code %q", got.body, tt.wantCode)
				}
				if all := fmt.Sprint(got); strings.Contains(all, canaryKey) || strings.Contains(all, "planted") {
					t.Errorf("answer has what it should not: %s", all)
				}
			})
		}
	}
	r.checkLog(t)
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 500, time.UTC)
	for value, want := range map[string]string{
		"":                              "",
		"30":                            "30",
		"Fri, 02 Jan 2026 03:05:05 GMT": "60",
		"Fri, 02 Jan 2026 03:04:00 GMT": "0",
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}

// Failures to get an answer at all, in both formats.
func TestBackendFailures(t *testing.T) {
	closed := func() string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		return "http://" + ln.Addr().String()
	}()
	silent := make(chan struct{})
	t.Cleanup(func() { close(silent) })
	for _, tt := range []struct {
		name   string
		url    string
		status int
		code   dialect.Code
	}{
		{"nobody there", closed, 502, dialect.CodeBackendUnreachable},
		{"not TLS", strings.Replace(backendServer(t, func(http.ResponseWriter, *http.Request) {}), "http:", "https:", 1), 502, dialect.CodeBackendUnreachable},
		{"silent", backendServer(t, func(_ http.ResponseWriter, r *http.Request) { waitFor(r, silent) }), 504, dialect.CodeBackendTimeout},
		{"hangs up", backendServer(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), 502, dialect.CodeBackendCut},
		{"cut at once", backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}), 502, dialect.CodeBackendCut},
		{"shorter than it says", backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "{")
		}), 502, dialect.CodeBackendCut},
		{"stalls in a small answer", backendServer(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "{")
			w.(http.Flusher).Flush()
			waitFor(r, silent)
		}), 504, dialect.CodeBackendTimeout},
	} {
		for _, s := range []sealing{chunked, {ohttp.KEMX25519, ohttp.Whole}} {
			t.Run(tt.name+" "+s.String(), func(t *testing.T) {
				r := newRig(t, Config{
					Backends:             []Backend{openAIBackend(tt.url)},
					BackendHeaderTimeout: 300 * time.Millisecond, StallTimeout: 300 * time.Millisecond,
				})
				got := r.do(t, s, chat())
				if got.err != nil || got.status != tt.status || got.code(t) != string(tt.code) {
					t.Errorf("got %+v, want %d %s", got, tt.status, tt.code)
				}
				r.checkLog(t)
				if !strings.Contains(r.log.String(), "level=WARN") {
					t.Errorf("the operator is not told:\n%s", r.log)
				}
			})
		}
	}
}

func TestUnreachable(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, true},
		{fmt.Errorf("x: %w", &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}), true},
		{&net.DNSError{IsTimeout: true}, true},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, true},
		{tls.RecordHeaderError{}, true},
		{timeoutError{}, true},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, false},
		{io.ErrUnexpectedEOF, false},
		{context.DeadlineExceeded, false},
	} {
		if got := unreachable(tt.err); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.err, got, tt.want)
		}
	}
}

// timeoutError is like that of a TLS handshake that takes too long.
type timeoutError struct{}

func (timeoutError) Error() string   { return "timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

// waitFor keeps a backend busy until ch is closed or its caller gone, which net/http notices once the
// body was read.
func waitFor(r *http.Request, ch <-chan struct{}) {
	io.Copy(io.Discard, r.Body)
	select {
	case <-r.Context().Done():
	case <-ch:
	}
}
