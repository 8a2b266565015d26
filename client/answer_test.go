// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

var eventStream = bhttp.Field{Name: "content-type", Value: "text/event-stream; charset=utf-8"}

// network is a client, a relay and one exit that offers "m" over all protocols.
func network(t testing.TB, cfg Config, answer func(*exchange)) (*testClient, *testRelay, *testExit) {
	t.Helper()
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m"), models(service.Claude, "m"),
		models(service.Gemini, "m"), models(service.Ollama, "m")))
	exit.answer = answer
	relay := newTestRelay(t, exit)
	return start(t, cfg, relay), relay, exit
}

// Each piece of a stream must reach the tool before the next one is sent, byte for byte.
func TestStreamsEachPiece(t *testing.T) {
	pieces := []string{
		"data: one\n\n", "data: tw", "o\n\n", "\n", ": comment\r\n\r\n", "data: " + strings.Repeat("x", 5000) + "\n\n",
		"data: " + strings.Repeat("y", 40000) + "\n\n", "data: [DONE]\n\n",
	}
	tests := []struct {
		path, contentType string
	}{
		{"/v1/chat/completions", "text/event-stream"},
		{"/api/chat", "application/x-ndjson"},
		{"/v1/responses", "application/octet-stream"},
		{"/v1beta/models/m:streamGenerateContent", "application/json"}, // a JSON array, one element at a time
	}
	for _, tt := range tests {
		t.Run(tt.contentType, func(t *testing.T) {
			next := make(chan struct{})
			c, _, _ := network(t, Config{}, func(x *exchange) {
				x.head(200, bhttp.Field{Name: "content-type", Value: tt.contentType})
				for _, p := range pieces {
					x.check(x.chunk(p))
					<-next
				}
				x.end()
			})
			resp := c.do("POST", tt.path, `{"model":"m"}`)
			for i, want := range pieces {
				got := make([]byte, len(want))
				if _, err := io.ReadFull(resp.Body, got); err != nil {
					t.Fatalf("piece %d: %v", i, err)
				}
				if string(got) != want {
					t.Fatalf("piece %d = %q, want %q", i, got, want)
				}
				next <- struct{}{}
			}
			if rest := read(t, resp); rest != "" {
				t.Errorf("more than was sent: %q", rest)
			}
		})
	}
}

func TestAnswerHead(t *testing.T) {
	field := func(name, value string) bhttp.Field { return bhttp.Field{Name: name, Value: value} }
	tests := []struct {
		name    string
		status  int
		fields  bhttp.Fields
		body    string
		want    http.Header
		wantLen int64
	}{
		{
			"only known fields", 429,
			bhttp.Fields{
				field("content-type", "application/json; charset=utf-8"), field("retry-after", "7"),
				field("set-cookie", "id=1"), field("x-request-id", "1"), field("content-length", "99"),
				field("alt-svc", "h3=\":443\""), field("location", "http://evil"), field("access-control-allow-origin", "*"),
			},
			`{"error":{}}`,
			http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Retry-After": {"7"}, "Content-Length": {"12"}},
			12,
		},
		{
			"stream", 200,
			bhttp.Fields{eventStream, field("cache-control", "max-age=60")},
			"data: x\n\n",
			http.Header{"Content-Type": {eventStream.Value}, "Cache-Control": {"no-cache, no-transform"}},
			-1,
		},
		{"no type", 200, nil, "<html>", http.Header{}, -1},
		{"empty", 400, nil, "", http.Header{"Content-Length": {"0"}}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _, _ := network(t, Config{}, func(x *exchange) {
				x.head(tt.status, tt.fields...)
				x.check(x.chunk(tt.body))
				x.end(field("tokengo-usage", "1"))
			})
			resp := c.do("POST", "/v1/chat/completions", chatBody)
			body := read(t, resp)
			resp.Header.Del("Date")
			if exit, model, tier := resp.Header.Get(fieldExit), resp.Header.Get(fieldModel), resp.Header.Get(fieldTier); len(exit) != 64 || model != "m" || tier != defaultTier {
				t.Errorf("answered by exit %q, model %q, tier %q", exit, model, tier)
			}
			for _, name := range []string{fieldExit, fieldModel, fieldTier} {
				resp.Header.Del(name)
			}
			if resp.StatusCode != tt.status || body != tt.body || resp.ContentLength != tt.wantLen {
				t.Errorf("status %d, length %d, body %q", resp.StatusCode, resp.ContentLength, body)
			}
			if diff := cmp.Diff(tt.want, resp.Header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if len(resp.Trailer) != 0 {
				t.Errorf("trailer %v reached the tool", resp.Trailer)
			}
		})
	}
}

// JSON that is large is not held back, nor is the white space that announces it for longer than a stream may take to begin.
func TestJSONPieces(t *testing.T) {
	large := `{"x":"` + strings.Repeat("x", 3*largeBuffer) + `"}`
	next := make(chan struct{}, 1)
	c, _, _ := network(t, Config{Patience: Patience{FirstByte: 20 * time.Millisecond}}, func(x *exchange) {
		x.head(200, bhttp.Field{Name: "content-type", Value: "application/json"})
		x.check(x.chunk("\n\n"))
		<-next
		x.check(x.chunk(large))
		<-next
		x.end()
	})
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	for _, want := range []string{"\n\n", large} {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
			t.Fatalf("read %d bytes: %v", len(want), err)
		}
		next <- struct{}{}
	}
	if rest := read(t, resp); rest != "" {
		t.Errorf("more than was sent: %q", rest)
	}
}

// recorder collects what an answer is on the wire between relay and client.
type recorder struct {
	http.ResponseWriter
	wire []byte
}

func (r *recorder) Write(p []byte) (int, error) {
	r.wire = append(r.wire, p...)
	return len(p), nil
}

func (r *recorder) FlushError() error { return nil }

// An answer that is cut anywhere, or changed anywhere, must never look complete.
func TestBrokenAnswers(t *testing.T) {
	stream := func(x *exchange) {
		x.head(200, eventStream)
		x.check(x.chunk("data: 1\n\n"))
		x.check(x.chunk("data: [DONE]\n\n"))
		x.end()
	}
	whole := func(x *exchange) { x.respond(200, "application/json", `{"ok":true}`) }
	tests := []struct {
		name   string
		format ohttp.Format
		answer func(*exchange)
		full   string
	}{
		{"stream", ohttp.Chunked, stream, "data: 1\n\ndata: [DONE]\n\n"},
		{"json", ohttp.Chunked, whole, `{"ok":true}`},
		{"unchunked", ohttp.Whole, whole, `{"ok":true}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, relay, exit := network(t, Config{Format: tt.format, Patience: Patience{Attempts: 1}}, tt.answer)
			var length int
			damage := func([]byte) []byte { return nil }
			relay.forward = func(w http.ResponseWriter, r *http.Request) bool {
				rec := &recorder{ResponseWriter: w}
				exit.serve(t, rec, r)
				length = len(rec.wire)
				w.Write(damage(rec.wire))
				return true
			}
			try := func(what string) {
				resp, err := c.send(t.Context(), "POST", "/v1/chat/completions", strings.NewReader(chatBody))
				if err != nil {
					return // the connection broke
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err == nil && resp.StatusCode < 500 {
					t.Fatalf("%s: status %d and a proper end of %q", what, resp.StatusCode, body)
				}
				if err != nil && len(body) > 0 && !strings.Contains(string(body), "error") {
					t.Fatalf("%s: broke without an error event: %q", what, body)
				}
			}
			damage = func(b []byte) []byte { return b }
			if body := read(t, c.do("POST", "/v1/chat/completions", chatBody)); body != tt.full {
				t.Fatalf("undamaged: %q", body)
			}
			for n := range length {
				damage = func(b []byte) []byte { return b[:n] }
				try(fmt.Sprintf("cut after %d of %d bytes", n, length))
			}
			for n := 0; n < length; n += 3 {
				damage = func(b []byte) []byte { b[n] ^= 0x40; return b }
				try(fmt.Sprintf("byte %d of %d changed", n, length))
			}
			damage = func(b []byte) []byte { return append(b, 0) }
			try("a byte more")
		})
	}
}

// A stream that breaks is reported in the tool's own way, and the connection breaks.
func TestBrokenStreamEvents(t *testing.T) {
	tests := []struct {
		path        string
		contentType string
		sent        string
		want        string // in what follows
	}{
		{"/v1/chat/completions", "text/event-stream", "data: {}\n\ndata: {\"a\"", "\n\ndata: {\"error\":"},
		{"/v1/chat/completions", "text/event-stream", "data: {}\n\n", "data: {\"error\":"},
		{"/v1/responses", "text/event-stream", "data: {}\n\n", "event: response.failed"},
		{"/v1/messages", "text/event-stream", "data: {}\n\n", "event: error\ndata: {\"type\":\"error\""},
		{"/v1beta/models/m:streamGenerateContent?alt=sse", "text/event-stream", "data: {}\n\n", "data: {\"error\":"},
		{"/api/chat", "application/x-ndjson", "{}\n", "{\"error\":"},
	}
	for _, tt := range tests {
		c, _, _ := network(t, Config{}, func(x *exchange) {
			x.head(200, bhttp.Field{Name: "content-type", Value: tt.contentType})
			x.check(x.chunk(tt.sent))
			panic(http.ErrAbortHandler)
		})
		resp := c.do("POST", tt.path, `{"model":"m"}`)
		body, err := io.ReadAll(resp.Body)
		after, ok := strings.CutPrefix(string(body), tt.sent)
		if err == nil || !ok || !strings.Contains(after, tt.want) || !strings.Contains(after, "stream_cut") &&
			!strings.Contains(after, "STREAM_CUT") {
			t.Errorf("%s: error %v, body %q", tt.path, err, body)
		}
	}
}

// An exit that reports a broken backend has already told the tool: the connection only breaks.
func TestInnerErrorTrailer(t *testing.T) {
	c, _, _ := network(t, Config{}, func(x *exchange) {
		x.head(200, eventStream)
		x.check(x.chunk("data: {\"error\":1}\n\n"))
		x.end(bhttp.Field{Name: "tokengo-error", Value: "backend_cut"})
	})
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	body, err := io.ReadAll(resp.Body)
	if err == nil || string(body) != "data: {\"error\":1}\n\n" {
		t.Errorf("error %v, body %q", err, body)
	}
}

func TestInnerErrorTrailerBeforeContent(t *testing.T) {
	c, _, _ := network(t, Config{}, func(x *exchange) {
		x.head(200, bhttp.Field{Name: "content-type", Value: "application/json"})
		x.check(x.chunk("{"))
		x.end(bhttp.Field{Name: "tokengo-error", Value: "backend_cut"})
	})
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if _, code := errorText(t, service.OpenAI, read(t, resp)); resp.StatusCode != 502 || code != "backend_cut" {
		t.Errorf("status %d, code %q", resp.StatusCode, code)
	}
}

func TestStall(t *testing.T) {
	silent := func(x *exchange) { <-x.outer.Context().Done() }
	tests := []struct {
		name   string
		cfg    Config
		answer func(*exchange)
		status int
		code   string // of the error instead of an answer
		event  string // or of the one in the stream
	}{
		{
			"no answer", Config{AnswerTimeout: 30 * time.Millisecond}, silent, 504, "exit_timeout", "",
		},
		{
			"head only",
			Config{AnswerTimeout: 30 * time.Millisecond},
			func(x *exchange) { x.head(200, eventStream); silent(x) }, 504, "exit_timeout", "",
		},
		{
			"in the stream",
			Config{StallTimeout: 30 * time.Millisecond},
			func(x *exchange) { x.head(200, eventStream); x.check(x.chunk("data: 1\n\n")); silent(x) }, 200, "", "too long",
		},
		{
			"in JSON",
			Config{StallTimeout: 30 * time.Millisecond},
			func(x *exchange) {
				x.head(200, bhttp.Field{Name: "content-type", Value: "application/json"})
				x.check(x.chunk("{"))
				silent(x)
			}, 504, "exit_timeout", "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Patience.Attempts = 1
			c, _, exit := network(t, tt.cfg, tt.answer)
			resp := c.do("POST", "/v1/chat/completions", chatBody)
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d, want %d", resp.StatusCode, tt.status)
			}
			if tt.code != "" {
				if _, code := errorText(t, service.OpenAI, read(t, resp)); code != tt.code {
					t.Errorf("code %q, want %q", code, tt.code)
				}
			} else if body, err := io.ReadAll(resp.Body); err == nil || !strings.Contains(string(body), tt.event) {
				t.Errorf("error %v, body %q", err, body)
			}
			if n := exit.requests.Load(); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// When the tool goes away, the relay must see the request cancelled within 100 ms, whatever its state.
func TestCancel(t *testing.T) {
	for _, begun := range []bool{false, true} {
		t.Run(fmt.Sprintf("begun=%t", begun), func(t *testing.T) {
			arrived := make(chan struct{})
			gone := make(chan time.Time, 1)
			c, _, _ := network(t, Config{}, func(x *exchange) {
				if begun {
					x.head(200, eventStream)
					x.check(x.chunk("data: 1\n\n"))
				}
				close(arrived)
				<-x.outer.Context().Done()
				gone <- time.Now()
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() {
				resp, err := c.send(ctx, "POST", "/v1/chat/completions", strings.NewReader(chatBody))
				if err == nil {
					_, err = io.ReadAll(resp.Body)
				}
				done <- err
			}()
			<-arrived
			cancelled := time.Now()
			cancel()
			select {
			case at := <-gone:
				if d := at.Sub(cancelled); d > 100*time.Millisecond {
					t.Errorf("cancelled after %v, want within 100 ms", d)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the relay never saw the request cancelled")
			}
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("tool: %v", err)
			}
		})
	}
}

// An answer much larger than any buffer streams through.
func TestHugeAnswer(t *testing.T) {
	const size, piece = 64 << 20, 1 << 20
	c, _, _ := network(t, Config{}, func(x *exchange) {
		x.head(200, bhttp.Field{Name: "content-type", Value: "application/json"})
		for range size / piece {
			x.check(x.chunk(strings.Repeat("x", piece)))
		}
		x.end()
	})
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

// TestStreamsWaitInSmallBuffers: what piled up once must not hold a large buffer for the rest of a stream.
func TestStreamsWaitInSmallBuffers(t *testing.T) {
	buf := newBuffer(0)
	defer buf.release()
	for i, step := range []struct{ read, want int }{
		{100, smallBuffer},
		{smallBuffer - 1, smallBuffer},
		{smallBuffer, 8 << 10},
		{8 << 10, largeBuffer},
		{largeBuffer, largeBuffer},
		{smallBuffer, 8 << 10},
		{100, smallBuffer},
	} {
		if buf.fit(step.read); len(*buf.bytes) != step.want {
			t.Fatalf("read %d: after %d bytes the next goes into %d, want %d", i, step.read, len(*buf.bytes), step.want)
		}
	}
}
