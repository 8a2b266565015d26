// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

const eventStream = "text/event-stream"

// flush writes and flushes, as a backend streams.
func flush(w http.ResponseWriter, s string) {
	io.WriteString(w, s)
	w.(http.Flusher).Flush()
}

// Every flush of the backend arrives, byte for byte, before the next one is made.
func TestEveryFlushArrives(t *testing.T) {
	for _, contentType := range []string{eventStream, "application/x-ndjson", "application/octet-stream"} {
		t.Run(contentType, func(t *testing.T) {
			release := make(chan string)
			url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", contentType)
				for s := range release {
					flush(w, s)
				}
			})
			r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
			first := true
			var resp *bhttp.Response
			buf := make([]byte, 64<<10)
			for _, want := range []string{"data: a\n\n", "x", "\x00\xff\r\n", strings.Repeat("y", smallRead), "data: [DONE]\n\n"} {
				sent := make(chan struct{})
				go func() { release <- want; close(sent) }()
				if first {
					resp, _ = r.open(t.Context(), t, chunked, chat().encode(t))
					first = false
				}
				n, err := io.ReadAtLeast(resp.Body, buf, len(want))
				if err != nil || string(buf[:n]) != want {
					t.Fatalf("got %q, %v, want %q", buf[:n], err, want)
				}
				<-sent
			}
			close(release)
			if n, err := resp.Body.Read(buf); n != 0 || err != io.EOF {
				t.Errorf("at the end: %d bytes, %v", n, err)
			}
			if len(resp.Trailer) > 0 {
				t.Errorf("trailer %v", resp.Trailer)
			}
		})
	}
}

// A gemini stream that is a JSON array is a stream all the same.
func TestGeminiArrayStreams(t *testing.T) {
	release := make(chan struct{})
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		flush(w, "[{}")
		<-release
		flush(w, "]")
	})
	r := newRig(t, Config{Backends: []Backend{{Protocol: service.Gemini, URL: url, Models: testModels("g"), Silent: true}}})
	resp, _ := r.open(t.Context(), t, chunked, inner{path: "/v1beta/models/g:streamGenerateContent", body: `{}`}.encode(t))
	buf := make([]byte, 100)
	n, err := resp.Body.Read(buf)
	if err != nil || string(buf[:n]) != "[{}" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
	close(release)
	if rest := read(resp); rest.body != "]" || rest.err != nil {
		t.Errorf("then %+v", rest)
	}
}

// A stream that breaks ends in an error of its protocol and says so in the trailer; what cannot carry an
// error breaks visibly.
func TestBrokenStreams(t *testing.T) {
	silent := make(chan struct{})
	t.Cleanup(func() { close(silent) })
	type protocol struct {
		backend Backend
		q       inner
	}
	openAI := protocol{openAIBackend(""), chat()}
	claude := protocol{Backend{Protocol: service.Claude, Models: testModels("c"), Silent: true}, inner{path: "/v1/messages", body: `{"model":"c"}`}}
	ollama := protocol{Backend{Protocol: service.Ollama, Models: testModels("o"), Silent: true}, inner{path: "/api/chat", body: `{"model":"o"}`}}
	gemini := protocol{Backend{Protocol: service.Gemini, Models: testModels("g"), Silent: true}, inner{path: "/v1beta/models/g:streamGenerateContent", body: `{}`}}
	for _, tt := range []struct {
		name        string
		protocol    protocol
		contentType string
		sent        string
		stalls      bool
		want        string // how the body goes on, "" when it breaks
	}{
		{"openai between events", openAI, eventStream, "data: {}\n\n", false, `data: {"error":`},
		{"openai within an event", openAI, eventStream, "data: {}\n\ndata: {\"a", false, "\n\ndata: {\"error\":"},
		{"openai stalls", openAI, eventStream, "data: {}\n\n", true, `data: {"error":`},
		{"claude", claude, eventStream, "event: a\ndata: {}\n\n", false, "event: error\ndata: {"},
		{"ollama", ollama, "application/x-ndjson", "{}\n", false, `{"error":`},
		{"ollama within a line", ollama, "application/x-ndjson", "{}\n{", false, "\n{\"error\":"},
		{"gemini array", gemini, "application/json", "[{}", false, ""},
		{"JSON", openAI, "application/json", "{" + strings.Repeat(" ", ohttp.MaxChunk), false, ""},
		{"bytes", openAI, "audio/mpeg", "abc", true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code := dialect.CodeBackendCut
			if tt.stalls {
				code = dialect.CodeBackendTimeout
			}
			arrived := make(chan struct{})
			backend := tt.protocol.backend
			backend.URL = backendServer(t, func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				flush(w, tt.sent)
				if tt.stalls {
					waitFor(req, silent)
				}
				<-arrived
				panic(http.ErrAbortHandler)
			})
			r := newRig(t, Config{Backends: []Backend{backend}, StallTimeout: 200 * time.Millisecond})
			resp, _ := r.open(t.Context(), t, chunked, tt.protocol.q.encode(t))
			buf := make([]byte, min(len(tt.sent), ohttp.MaxChunk-100))
			if _, err := io.ReadFull(resp.Body, buf); err != nil {
				t.Fatal(err)
			}
			close(arrived)
			got := read(resp)
			if tt.want == "" {
				if got.err == nil || errors.Is(got.err, io.EOF) {
					t.Errorf("the answer ends as if it were complete: %+v", got)
				}
				return
			}
			if got.err != nil || !strings.HasPrefix(got.body, tt.want) || !strings.Contains(got.body, dialect.Code.Message(code)) {
				t.Errorf("goes on with %q, %v, want %q…", got.body, got.err, tt.want)
			}
			if diff := cmp.Diff(bhttp.Fields{{Name: "tokengo-error", Value: string(code)}}, got.trailer); diff != "" {
				t.Errorf("trailer (-want +got):\n%s", diff)
			}
		})
	}
}

// A backend that talks all the time is not cut off, however long it takes in all.
func TestStallTimeoutIsAboutSilence(t *testing.T) {
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", eventStream)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for range 10 {
			flush(w, ".")
			<-tick.C
		}
	})
	r := newRig(t, Config{
		Backends: []Backend{openAIBackend(url)}, StallTimeout: 250 * time.Millisecond, BackendHeaderTimeout: 250 * time.Millisecond,
	})
	if got := r.do(t, chunked, chat()); got.err != nil || got.body != ".........." {
		t.Errorf("got %+v", got)
	}
}

// A client that goes away takes the backend call with it.
func TestCancel(t *testing.T) {
	for _, begun := range []bool{false, true} {
		t.Run(fmt.Sprintf("answer begun %v", begun), func(t *testing.T) {
			working, cancelled := make(chan struct{}), make(chan struct{})
			url := backendServer(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if begun {
					w.Header().Set("Content-Type", eventStream)
					flush(w, "data: {}\n\n")
				}
				close(working)
				<-r.Context().Done()
				close(cancelled)
			})
			r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
			ctx, cancel := context.WithCancel(t.Context())
			sealed, err := ohttp.SealRequest(r.config(t, ohttp.KEMXWing), ohttp.Chunked, strings.NewReader(string(chat().encode(t))))
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				resp, err := r.outer(ctx, t, ohttp.Chunked.RequestType(), sealed)
				if err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}()
			within(t, 5*time.Second, "backend called", working)
			cancel()
			within(t, 5*time.Second, "backend call cancelled", cancelled)
			within(t, 5*time.Second, "handler returned", r.done)
			<-ended
		})
	}
}

// An answer of any size streams through in the memory of its buffers.
func TestHugeAnswer(t *testing.T) {
	size := 256 << 20
	if testing.Short() {
		size = 32 << 20
	}
	block := []byte(strings.Repeat("0123456789abcdef", 4096))
	for _, contentType := range []string{eventStream, "application/json"} {
		t.Run(contentType, func(t *testing.T) {
			url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", contentType)
				for range size / len(block) {
					w.Write(block)
				}
			})
			r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
			resp, _ := r.open(t.Context(), t, chunked, chat().encode(t))
			runtime.GC() // of what other tests left
			peak := &heapPeak{}
			n, err := io.Copy(peak, resp.Body)
			if err != nil || n != int64(size) {
				t.Errorf("got %d bytes, %v, want %d", n, err, size)
			}
			if peak.bytes > 64<<20 {
				t.Errorf("the heap grew to %d MiB", peak.bytes>>20)
			}
		})
	}
}

// heapPeak looks at the heap now and then while it is written to.
type heapPeak struct {
	n     int
	bytes uint64
}

func (p *heapPeak) Write(b []byte) (int, error) {
	if p.n++; p.n%500 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.bytes = max(p.bytes, m.HeapInuse)
	}
	return len(b), nil
}

// An answer that cannot be streamed is bounded, and the client learns why.
func TestWholeAnswerTooLarge(t *testing.T) {
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", eventStream)
		io.WriteString(w, strings.Repeat("x", 5000))
	})
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}, MaxAnswerBytes: 4999})
	got := r.do(t, sealing{ohttp.KEMX25519, ohttp.Whole}, chat())
	if got.status != 502 || !strings.Contains(got.body, "chunked") {
		t.Errorf("got %+v", got)
	}
}

// A client that takes nothing of its answer does not hold a backend for ever.
func TestClientThatDoesNotRead(t *testing.T) {
	var gone atomic.Bool
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", eventStream)
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", 64<<10)); err != nil {
				gone.Store(true)
				return
			}
		}
	})
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}, StallTimeout: 100 * time.Millisecond})
	r.open(t.Context(), t, chunked, chat().encode(t))
	within(t, 10*time.Second, "handler returned", r.done)
}

// The end of what was sent decides how an error is attached to it.
func TestStreamTail(t *testing.T) {
	for _, parts := range [][]string{{""}, {"a"}, {"ab", "c"}, {"abc", "de"}, {"abcde"}, {"a", "b", "c", "d", "e", "f"}, {"abcd", "", "e"}} {
		s := &stream{buf: newScratch(smallRead)}
		for _, p := range parts {
			s.add([]byte(p))
		}
		all := strings.Join(parts, "")
		if got, want := string(s.tail[:s.tailLen]), all[max(0, len(all)-tailSize):]; got != want {
			t.Errorf("%q: tail %q, want %q", parts, got, want)
		}
	}
}

// TestStreamsWaitInSmallMemory: what piled up once must not hold large memory for the rest of a stream, but one whose
// chunks are filled needs it to the end.
func TestStreamsWaitInSmallMemory(t *testing.T) {
	for _, coalesce := range []bool{false, true} {
		s := &stream{coalesce: coalesce, buf: scratches.Take(0)}
		for i, step := range []struct{ read, want, filled int }{ // filled: where chunks are
			{100, smallRead, smallRead},
			{smallRead, mediumRead, mediumRead},
			{mediumRead, largeRead, largeRead},
			{largeRead, largeRead, largeRead},
			{smallRead, mediumRead, largeRead},
			{100, smallRead, largeRead},
		} {
			want := step.want
			if coalesce {
				want = step.filled
			}
			s.buf.out = append(s.buf.out[:0], "left"...)
			if s.fit(step.read); len(s.buf.in) != want || string(s.buf.out) != "left" {
				t.Fatalf("coalesce %v, read %d: after %d bytes the next goes into %d, want %d; %q left", coalesce, i, step.read, len(s.buf.in), want, s.buf.out)
			}
		}
		s.release()
	}
}
