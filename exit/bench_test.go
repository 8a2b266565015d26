// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/ohttp"
)

// instant is a backend without a network.
type instant func(*http.Request) *http.Response

func (f instant) RoundTrip(r *http.Request) (*http.Response, error) {
	io.Copy(io.Discard, r.Body)
	return f(r), nil
}

func (instant) CloseIdleConnections() {}

// sink is the network's side of a handler that keeps nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) Flush()                      {}

// benchHandler measures the handler alone: no network on either side. Sealing the request is not counted.
func benchHandler(b *testing.B, kem ohttp.KEM, answer instant) {
	backend := openAIBackend("http://backend.example")
	backend.Transport = answer
	r := newRig(b, Config{Backends: []Backend{backend}, Logger: discard})
	message := chat().encode(b)
	cfg := r.config(b, kem)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		sealed, err := ohttp.SealRequest(cfg, ohttp.Chunked, bytes.NewReader(message))
		if err != nil {
			b.Fatal(err)
		}
		raw, err := io.ReadAll(sealed)
		if err != nil {
			b.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodPost, "http://exit/ohttp", bytes.NewReader(raw))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", ohttp.Chunked.RequestType())
		b.StartTimer()
		r.exit.handler.ServeHTTP(&sink{http.Header{}}, req)
	}
}

func BenchmarkPlainRequest(b *testing.B) {
	body := `{"choices":[{"message":{"role":"assistant","content":"` + strings.Repeat("word ", 100) + `"}}]}`
	answer := func(*http.Request) *http.Response {
		return &http.Response{
			StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}},
			ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
		}
	}
	b.Run("X25519", func(b *testing.B) { benchHandler(b, ohttp.KEMX25519, answer) })
	b.Run("XWing", func(b *testing.B) { benchHandler(b, ohttp.KEMXWing, answer) })
}

// events is a stream that returns one event a read.
type events struct{ left int }

var event = []byte(`data: {"choices":[{"delta":{"content":"word "}}],"id":"chatcmpl-123","object":"chat.completion.chunk"}` + "\n\n")

func (e *events) Read(p []byte) (int, error) {
	if e.left--; e.left < 0 {
		return 0, io.EOF
	}
	return copy(p, event), nil
}

// BenchmarkStreamedChunk measures one chunk of a long stream, from the backend's read to the tunnel's write.
func BenchmarkStreamedChunk(b *testing.B) {
	n := b.N
	backend := openAIBackend("http://backend.example")
	backend.Transport = instant(func(*http.Request) *http.Response {
		return &http.Response{
			StatusCode: 200, Header: http.Header{"Content-Type": {eventStream}},
			ContentLength: -1, Body: io.NopCloser(&events{n}),
		}
	})
	r := newRig(b, Config{Backends: []Backend{backend}, Logger: discard})
	sealed, err := ohttp.SealRequest(r.config(b, ohttp.KEMXWing), ohttp.Chunked, bytes.NewReader(chat().encode(b)))
	if err != nil {
		b.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, "http://exit/ohttp", sealed)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", ohttp.Chunked.RequestType())
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	b.ResetTimer()
	r.exit.handler.ServeHTTP(&sink{http.Header{}}, req)
}

// The path that runs for every token has a budget.
func TestAllocationsPerChunk(t *testing.T) {
	backend := openAIBackend("http://backend.example")
	stream := func(chunks int) func() {
		backend.Transport = instant(func(*http.Request) *http.Response {
			return &http.Response{
				StatusCode: 200, Header: http.Header{"Content-Type": {eventStream}},
				ContentLength: -1, Body: io.NopCloser(&events{chunks}),
			}
		})
		r := newRig(t, Config{Backends: []Backend{backend}, Logger: discard})
		raw, err := io.ReadAll(mustSeal(t, r))
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			req, err := http.NewRequest(http.MethodPost, "http://exit/ohttp", bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", ohttp.Chunked.RequestType())
			r.exit.handler.ServeHTTP(&sink{http.Header{}}, req)
		}
	}
	short, long := testing.AllocsPerRun(20, stream(10)), testing.AllocsPerRun(20, stream(1010))
	if per := (long - short) / 1000; per > 0.1 {
		t.Errorf("%.2f allocations a chunk, want none", per)
	}
}

func mustSeal(t *testing.T, r *rig) *ohttp.SealedRequest {
	t.Helper()
	sealed, err := ohttp.SealRequest(r.config(t, ohttp.KEMX25519), ohttp.Chunked, bytes.NewReader(chat().encode(t)))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// Round trips through HTTP/2 on loopback, with a client that seals and opens, for comparison.
func BenchmarkRoundTrip(b *testing.B) {
	url := backendServer(b, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"ok":true}`) })
	r := newRig(b, Config{Backends: []Backend{openAIBackend(url)}, Logger: discard})
	message := chat().encode(b)
	cfg := r.config(b, ohttp.KEMXWing)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		sealed, err := ohttp.SealRequest(cfg, ohttp.Chunked, bytes.NewReader(message))
		if err != nil {
			b.Fatal(err)
		}
		resp, err := r.outer(b.Context(), b, ohttp.Chunked.RequestType(), sealed)
		if err != nil {
			b.Fatal(err)
		}
		inner, err := bhttp.ReadResponse(sealed.OpenResponse(resp.Body, 0), bhttp.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if got := read(inner); got.status != 200 || got.err != nil {
			b.Fatalf("%+v", got)
		}
		resp.Body.Close()
		<-r.done
	}
}
