// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

// A client that knows only a list of keys is served whatever it chooses from it.
func TestThirdPartyClients(t *testing.T) {
	url := backendServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"path":%q,"got":%d}`, r.URL.Path, len(body))
	})
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
	for _, s := range allSealings {
		t.Run(s.String(), func(t *testing.T) {
			q := chat()
			got := r.do(t, s, q)
			want := reply{
				status: 200,
				fields: bhttp.Fields{{Name: "content-type", Value: "application/json"}},
				body:   fmt.Sprintf(`{"path":"/v1/chat/completions","got":%d}`, len(q.body)),
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(reply{})); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
	r.checkLog(t)
}

// Small answers of known length are one sealed chunk, so that nothing shows but how long they are.
func TestSmallAnswerIsOneChunk(t *testing.T) {
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "12")
		io.WriteString(w, `{"a":"bcde"}`)
	})
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
	sealed, err := ohttp.SealRequest(r.config(t, ohttp.KEMX25519), ohttp.Chunked, bytes.NewReader(chat().encode(t)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.outer(t.Context(), t, ohttp.Chunked.RequestType(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	const nonce = 16
	if raw[nonce] != 0 {
		t.Errorf("the first chunk is not the final one: % x", raw[:nonce+1])
	}
}

// Answers of JSON that come in pieces are sent in full chunks.
func TestJSONIsCoalesced(t *testing.T) {
	const size = 40000
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		for range 100 {
			io.WriteString(w, strings.Repeat("x", size/100))
			w.(http.Flusher).Flush()
		}
	})
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
	sealed, err := ohttp.SealRequest(r.config(t, ohttp.KEMX25519), ohttp.Chunked, bytes.NewReader(chat().encode(t)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.outer(t.Context(), t, ohttp.Chunked.RequestType(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	plain := sealed.OpenResponse(resp.Body, 0)
	var sizes []int
	buf := make([]byte, 1<<20)
	for {
		n, err := plain.Read(buf)
		if n > 0 {
			sizes = append(sizes, n)
		}
		if err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			break
		}
	}
	if len(sizes) != 3 || sizes[0] != ohttp.MaxChunk || sizes[1] != ohttp.MaxChunk {
		t.Errorf("chunks of %d bytes, want two full ones and the rest", sizes)
	}
}

func TestOuterRefusals(t *testing.T) {
	r := newRig(t, Config{Backends: []Backend{openAIBackend("http://127.0.0.1:1")}, MaxRequestBytes: 4000})
	seal := func(f ohttp.Format, message []byte) []byte {
		sealed, err := ohttp.SealRequest(r.config(t, ohttp.KEMX25519), f, bytes.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(sealed)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	change := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 0x40
		return b
	}
	good := seal(ohttp.Chunked, chat().encode(t))
	const chunkedType, wholeType = "message/ohttp-chunked-req", "message/ohttp-req"
	const blank = "about:blank" // the status says it all
	const key = "https://iana.org/assignments/http-problem-types#ohttp-key"
	for _, tt := range []struct {
		name, method, path, contentType string
		body                            []byte
		status                          int
		kind                            string
	}{
		{"get", "GET", "/ohttp", chunkedType, nil, 405, blank},
		{"other path", "POST", "/", chunkedType, good, 404, blank},
		{"media type", "POST", "/ohttp", "application/json", good, 415, blank},
		{"response media type", "POST", "/ohttp", "message/ohttp-res", good, 415, blank},
		{"no media type", "POST", "/ohttp", "", good, 415, blank},
		{"empty", "POST", "/ohttp", chunkedType, nil, 400, blank},
		{"garbage", "POST", "/ohttp", chunkedType, bytes.Repeat([]byte{7}, 1000), 400, key},
		{"key identifier", "POST", "/ohttp", chunkedType, change(good, 0), 400, key},
		{"KEM", "POST", "/ohttp", chunkedType, change(good, 1), 400, key},
		{"KDF", "POST", "/ohttp", chunkedType, change(good, 4), 400, key},
		{"AEAD", "POST", "/ohttp", chunkedType, change(good, 6), 400, key},
		{"other format", "POST", "/ohttp", wholeType, good, 400, blank},
		{"header cut", "POST", "/ohttp", chunkedType, good[:5], 400, blank},
		{"encapsulated key cut", "POST", "/ohttp", chunkedType, good[:20], 400, blank},
		{"first chunk cut", "POST", "/ohttp", chunkedType, good[:60], 400, blank},
		{"encapsulated key changed", "POST", "/ohttp", chunkedType, change(good, 10), 400, blank},
		{"content changed", "POST", "/ohttp", chunkedType, change(good, 60), 400, blank},
		{"extended", "POST", "/ohttp", chunkedType, append(bytes.Clone(good), 0), 400, blank},
		{"too large", "POST", "/ohttp", chunkedType, make([]byte, 4001), 413, blank},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequest(tt.method, r.url+tt.path, bytes.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", tt.contentType)
			resp, err := r.http.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			p, ok := service.ParseProblem(resp.Header.Get("Content-Type"), body)
			if !ok {
				t.Fatalf("not a problem: %s", body)
			}
			if resp.StatusCode != tt.status || p.Status != tt.status || p.Type != tt.kind {
				t.Errorf("answer %d %+v, want %d and type %q", resp.StatusCode, p, tt.status, tt.kind)
			}
		})
	}
	r.checkLog(t)
}

// Without an announced length the limit counts what arrives: in the clear while nothing is opened, under
// seal from then on.
func TestTooLarge(t *testing.T) {
	r := newRig(t, Config{Backends: []Backend{openAIBackend("http://127.0.0.1:1")}, MaxRequestBytes: 50000})
	for _, s := range allSealings {
		t.Run(s.String(), func(t *testing.T) {
			q := chat()
			q.body = strings.Repeat("x", 60000)
			sealed, err := ohttp.SealRequest(r.config(t, s.kem), s.format, bytes.NewReader(q.encode(t)))
			if err != nil {
				t.Fatal(err)
			}
			if s.format == ohttp.Chunked {
				resp, _ := r.openSealed(t.Context(), t, s, sealed)
				if got := read(resp); got.status != 413 || got.code(t) != "request_too_large" {
					t.Errorf("got %+v", got)
				}
				return
			}
			resp, err := r.outer(t.Context(), t, s.format.RequestType(), sealed)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != 413 {
				t.Errorf("status %d, want 413", resp.StatusCode)
			}
		})
	}
}

func TestInnerRefusals(t *testing.T) {
	called := false
	url := backendServer(t, func(http.ResponseWriter, *http.Request) { called = true })
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
	json := bhttp.Field{Name: "content-type", Value: "application/json"}
	with := func(name, value string) inner {
		q := chat()
		q.rename = [2]string{strings.Repeat("z", len(name)), name}
		q.fields = bhttp.Fields{json, {Name: q.rename[0], Value: value}}
		return q
	}
	path := func(method, path, body string) inner { return inner{method: method, path: path, body: body} }
	scheme := chat()
	scheme.scheme = "http"
	for _, tt := range []struct {
		name    string
		q       inner
		status  int
		code    string // of OpenAI's shape; "" for a problem
		message string
	}{
		{"expectation", with("expect", "100-continue"), 417, "", "expectations"},
		{"compressed", with("content-encoding", "gzip"), 415, "", "compressed"},
		{"scheme", scheme, 400, "", "scheme"},
		{"unknown path", path("POST", "/v1/nothing", "{}"), 404, "unknown_path", ""},
		{"climbing path", path("POST", "/v1/../admin", "{}"), 404, "unknown_path", ""},
		{"method", path("GET", "/v1/chat/completions", ""), 405, "method_not_allowed", "POST"},
		{"not JSON", path("POST", "/v1/chat/completions", "hello"), 400, "not_json", ""},
		{"no model", path("POST", "/v1/chat/completions", "{}"), 400, "no_model", ""},
		{"two models", path("POST", "/v1/chat/completions", `{"model":"a","model":"b"}`), 400, "no_model", ""},
		{"unknown model", path("POST", "/v1/chat/completions", `{"model":"`+canaryPrompt+`"}`), 404, "model_not_found", "gpt-test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := r.do(t, chunked, tt.q)
			if got.err != nil || got.status != tt.status || !strings.Contains(got.body, tt.message) {
				t.Fatalf("got %+v, want status %d and %q", got, tt.status, tt.message)
			}
			if tt.code == "" {
				if _, ok := service.ParseProblem(got.fields.Get("content-type"), []byte(got.body)); !ok {
					t.Errorf("not a problem: %+v", got)
				}
			} else if code := got.code(t); code != tt.code {
				t.Errorf("code %q, want %q", code, tt.code)
			}
			if strings.Contains(got.body, canaryPrompt) {
				t.Errorf("the answer repeats the request: %s", got.body)
			}
		})
	}
	if called {
		t.Error("the backend was called")
	}
	r.checkLog(t)
}

// Errors have the shape of the protocol that the request is of.
func TestErrorShapes(t *testing.T) {
	r := newRig(t, Config{Backends: []Backend{openAIBackend("http://127.0.0.1:1")}})
	for _, tt := range []struct {
		q    inner
		want string
	}{
		{inner{path: "/v1/messages", body: `{"model":"m"}`}, `{"type":"error","error":{"type":"not_found_error"`},
		{inner{path: "/v1beta/models/m:generateContent", body: `{}`}, `{"error":{"code":404,`},
		{inner{path: "/api/chat", body: `{"model":"m"}`}, `{"error":"This exit does not offer the model.`},
	} {
		t.Run(tt.q.path, func(t *testing.T) {
			got := r.do(t, chunked, tt.q)
			if got.status != 404 || !strings.HasPrefix(got.body, tt.want) {
				t.Errorf("got %+v, want 404 and %s…", got, tt.want)
			}
			if !strings.Contains(got.body, "Its models: gpt-test.") {
				t.Errorf("does not say what there is: %s", got.body)
			}
		})
	}
}

// A request that opens but is not Binary HTTP, or stops behind its first chunk, is answered under seal.
func TestDamagedInside(t *testing.T) {
	called := false
	url := backendServer(t, func(http.ResponseWriter, *http.Request) { called = true })
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
	t.Run("not binary HTTP", func(t *testing.T) {
		for _, s := range allSealings {
			resp, _ := r.open(t.Context(), t, s, []byte("POST / HTTP/1.1\r\n\r\n"))
			if got := read(resp); got.status != 400 || !strings.Contains(got.body, "Binary HTTP") {
				t.Errorf("%v: got %+v", s, got)
			}
		}
	})
	t.Run("cut or changed behind the first chunk", func(t *testing.T) {
		q := chat()
		q.body = `{"model":"gpt-test","x":"` + strings.Repeat("x", 2*ohttp.MaxChunk) + `"}`
		message := q.encode(t)
		first := 7 + 32 + 4 + ohttp.MaxChunk + 16 // header, encapsulated key, length, chunk, tag
		for name, damage := range map[string]func([]byte) []byte{
			"cut":     func(b []byte) []byte { return b[:first] },
			"changed": func(b []byte) []byte { b[first+100] ^= 1; return b },
			"final":   func(b []byte) []byte { return b[:len(b)-1] },
		} {
			sealed, err := ohttp.SealRequest(r.config(t, ohttp.KEMX25519), ohttp.Chunked, bytes.NewReader(message))
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(sealed)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := r.outer(t.Context(), t, ohttp.Chunked.RequestType(), bytes.NewReader(damage(raw)))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, err := bhttp.ReadResponse(sealed.OpenResponse(resp.Body, 0), bhttp.Limits{})
			if err != nil {
				t.Fatalf("%s: outer status %d: %v", name, resp.StatusCode, err)
			}
			if got := read(got); got.status != 400 || !strings.Contains(got.body, "damaged") {
				t.Errorf("%s: got %+v", name, got)
			}
		}
	})
	if called {
		t.Error("the backend was called")
	}
}

// A client that begins and goes silent is told, and holds nothing for ever.
func TestSlowRequest(t *testing.T) {
	r := newRig(t, Config{Backends: []Backend{openAIBackend("http://127.0.0.1:1")}, RequestTimeout: 50 * time.Millisecond})
	body, w := io.Pipe()
	defer w.Close()
	go w.Write([]byte{1, 2, 3})
	resp, err := r.outer(t.Context(), t, ohttp.Chunked.RequestType(), body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("status %d, want 408", resp.StatusCode)
	}
}

func TestBusy(t *testing.T) {
	working, finish := make(chan struct{}), make(chan struct{})
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		working <- struct{}{}
		<-finish
	})
	t.Run("requests", func(t *testing.T) {
		r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}, MaxConcurrent: 1})
		first := make(chan reply)
		go func() { first <- r.do(t, chunked, chat()) }()
		<-working
		for _, s := range allSealings {
			got := r.do(t, s, chat())
			if got.status != 429 || got.code(t) != "exit_busy" || got.fields.Get("retry-after") != "1" {
				t.Errorf("%v: got %+v", s, got)
			}
		}
		finish <- struct{}{}
		if got := <-first; got.status != 200 {
			t.Errorf("the first request: %+v", got)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		q := chat()
		q.body = `{"model":"gpt-test","x":"` + strings.Repeat("x", 100000) + `"}`
		r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}, MaxHeldBytes: 150000})
		first := make(chan reply)
		go func() { first <- r.do(t, chunked, q) }()
		<-working
		if got := r.do(t, chunked, q); got.status != 429 || got.code(t) != "exit_busy" {
			t.Errorf("got %+v", got)
		}
		finish <- struct{}{}
		<-first
		<-r.done
		<-r.done
		if held := r.exit.handler.held.Load(); held != 0 {
			t.Errorf("%d bytes are still held", held)
		}
	})
}

// What needs no backend is answered from the exit's description.
func TestLocal(t *testing.T) {
	r := newRig(t, Config{Backends: []Backend{
		openAIBackend("http://127.0.0.1:1"),
		{Protocol: service.Claude, URL: "http://127.0.0.1:1", Models: testModels("claude-test"), Silent: true},
		{Protocol: service.Ollama, URL: "http://127.0.0.1:1", Models: testModels("llama:latest"), Silent: true},
	}})
	claude := bhttp.Fields{{Name: "anthropic-version", Value: "2023-06-01"}}
	for _, tt := range []struct {
		method, path string
		fields       bhttp.Fields
		status       int
		want, not    string
	}{
		{"GET", "/v1/models", nil, 200, `"data":[{"id":"gpt-test"`, ""}, // its own first, then what is translated
		{"GET", "/v1/models", claude, 200, `"data":[{"type":"model","id":"claude-test"`, ""},
		{"GET", "/v1/models/gpt-test", nil, 200, `"id":"gpt-test"`, ""},
		{"GET", "/v1/models/other", nil, 404, "model_not_found", "other"},
		{"GET", "/v1beta/models", nil, 200, `{"models":[{"name":"models/gpt-test"`, ""},
		{"GET", "/api/tags", nil, 200, `{"models":[{"name":"llama:latest"`, ""},
		{"GET", "/api/version", nil, 200, `"version"`, ""},
		{"GET", "/api/ps", nil, 200, `{"models":[]}`, ""},
		{"GET", "/", nil, 200, "TokenGo is running", ""},
		{"HEAD", "/", nil, 200, "", "T"},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			got := r.do(t, chunked, inner{method: tt.method, path: tt.path, fields: tt.fields})
			if got.err != nil || got.status != tt.status || !strings.Contains(got.body, tt.want) {
				t.Errorf("got %+v, want %d with %s", got, tt.status, tt.want)
			}
			if tt.not != "" && strings.Contains(got.body, tt.not) {
				t.Errorf("%s has %q", got.body, tt.not)
			}
		})
	}
}

func TestRequestOf20MiB(t *testing.T) {
	q := chat()
	q.body = `{"model":"gpt-test","x":"` + strings.Repeat("0123456789abcdef", 20<<20/16) + `"}`
	url := backendServer(t, func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil || string(body) != q.body {
			t.Errorf("the backend got %d bytes, %v; want the same %d", len(body), err, len(q.body))
		}
	})
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
	for _, s := range allSealings {
		if got := r.do(t, s, q); got.status != 200 {
			t.Errorf("%v: got %+v", s, got)
		}
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	url := backendServer(t, func(http.ResponseWriter, *http.Request) {})
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}, Registerer: reg})
	r.do(t, chunked, chat())
	r.do(t, chunked, inner{path: "/v1/nothing/" + canaryPrompt, body: "{}"})
	<-r.done
	<-r.done
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += "/" + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for _, volatile := range []string{
		"tokengo_exit_sealed_request_bytes_total", "tokengo_exit_sealed_answer_bytes_total", "tokengo_exit_key_age_seconds",
	} {
		if got[volatile] <= 0 {
			t.Errorf("%s is %v", volatile, got[volatile])
		}
		delete(got, volatile)
	}
	want := map[string]float64{
		"tokengo_exit_requests_total/ok/openai":           1,
		"tokengo_exit_requests_total/unknown_path/openai": 1,
		"tokengo_exit_backend_seconds/openai":             1,
		"tokengo_exit_requests_in_flight":                 0,
		"tokengo_exit_dropped_fields_total":               0,
		"tokengo_exit_relays_connected":                   0,
	}
	// Label pairs come sorted by name: outcome before protocol.
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if _, err := New(Config{
		Backends: []Backend{openAIBackend(url)}, Relays: r.exit.cfg.Relays, Registerer: reg,
	}); !errors.As(err, &prometheus.AlreadyRegisteredError{}) {
		t.Errorf("registering twice: %v", err)
	}
}
