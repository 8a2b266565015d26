// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

// chunkSink is how a test exit sends cells: its sealer flushes.
type chunkSink struct{ *ohttp.ResponseSealer }

func (chunkSink) Flush() error { return nil }

// shaped answers with a message in cells, and reports how the schedule ended.
func (x *exchange) shaped(message func(*shape.Writer)) error {
	mode, err := shape.Parse(x.req.Fields.Get(shape.Field))
	x.check(err)
	w, err := shape.NewWriter(mode, chunkSink{x.sealer})
	x.check(err)
	go message(w)
	return w.Run(x.outer.Context())
}

// whole writes a complete JSON answer.
func whole(t testing.TB, body string) func(*shape.Writer) {
	return func(w *shape.Writer) {
		head := &bhttp.Response{Status: 200, Fields: bhttp.Fields{{Name: "content-type", Value: "application/json"}}}
		b, err := bhttp.AppendResponseKnown(nil, head, []byte(body))
		if err == nil {
			err = w.Close(b)
		}
		if err != nil {
			t.Errorf("test exit: %v", err)
		}
	}
}

// shapedClient is a client of one exit that answers in cells.
func shapedClient(t *testing.T, answer func(*exchange)) (*testClient, *testExit, *testRelay) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	exit.answer = answer
	relay := newTestRelay(t, exit)
	return start(t, Config{}, relay), exit, relay
}

// The tool has the end of its answer long before the relay sees one.
func TestEndComesBeforeThePadding(t *testing.T) {
	padded := make(chan error, 1)
	var began time.Time
	c, _, _ := shapedClient(t, func(x *exchange) {
		began = time.Now()
		padded <- x.shaped(whole(t, `{"answer":1}`))
	})
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if got := read(t, resp); got != `{"answer":1}` || resp.ContentLength != int64(len(got)) {
		t.Errorf("answer %q, length %d", got, resp.ContentLength)
	}
	ended := time.Now()
	if err := <-padded; err != nil {
		t.Errorf("the padding was not read to its end: %v", err)
	}
	if took, padding := ended.Sub(began), time.Since(began); took > padding/2 {
		t.Errorf("the tool waited %v for the end, and the padding took %v", took, padding)
	}
}

// A tool that goes away in the middle ends everything.
func TestCancelWhileShaped(t *testing.T) {
	ended := make(chan error, 1)
	c, _, _ := shapedClient(t, func(x *exchange) {
		ended <- x.shaped(func(w *shape.Writer) {
			b, err := bhttp.AppendResponseHead(nil, &bhttp.Response{Status: 200})
			x.check(err)
			x.check(w.WriteChunk(bhttp.AppendContentChunk(b, []byte("data: {}\n\n"))))
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := c.send(ctx, "POST", "/v1/chat/completions", strings.NewReader(chatBody))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err == nil { // it fails by its context or by a write, whichever comes first
		t.Error("the exit's schedule went on to its end")
	}
}

// An answer that its exit breaks off is a broken one to the tool, and padded all the same.
func TestCutWhileShaped(t *testing.T) {
	padded := make(chan error, 1)
	c, _, _ := shapedClient(t, func(x *exchange) {
		padded <- x.shaped(func(w *shape.Writer) {
			b, err := bhttp.AppendResponseHead(nil, &bhttp.Response{
				Status: 200, Fields: bhttp.Fields{{Name: "content-type", Value: "text/event-stream"}},
			})
			x.check(err)
			x.check(w.WriteChunk(bhttp.AppendContentChunk(b, []byte("data: {}\n\n"))))
			w.Cut()
		})
	})
	resp := c.do("POST", "/v1/chat/completions", `{"model":"m","stream":true,"messages":[]}`)
	body, err := io.ReadAll(resp.Body)
	if err == nil || !bytes.Contains(body, []byte("stream_cut")) {
		t.Errorf("the tool got %q, %v; want the error stream_cut and a broken connection", body, err)
	}
	if err := <-padded; err != nil {
		t.Errorf("the padding was not read to its end: %v", err)
	}
}

// Content of cells that are no records is the exit's fault.
func TestDamagedCells(t *testing.T) {
	c, _, _ := shapedClient(t, func(x *exchange) {
		b, err := bhttp.AppendResponseHead(nil, &bhttp.Response{
			Status: 200, Fields: bhttp.Fields{{Name: "content-type", Value: shape.ContentType}},
		})
		x.check(err)
		b, err = bhttp.AppendContentEnd(bhttp.AppendContentChunk(b, []byte("\x77garbage")), nil)
		x.check(err)
		x.check(x.sealer.Close(b))
	})
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if body := read(t, resp); resp.StatusCode != http.StatusBadGateway || !strings.Contains(body, "exit_invalid") {
		t.Errorf("status %d, %s", resp.StatusCode, body)
	}
}

// A stopping client does not wait for padding.
func TestStopEndsPadding(t *testing.T) {
	ended := make(chan error, 1)
	c, _, _ := shapedClient(t, func(x *exchange) { ended <- x.shaped(whole(t, "{}")) })
	read(t, c.do("POST", "/v1/chat/completions", chatBody, "X-Tokengo-Shape", "constant"))
	began := time.Now()
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > soon {
		t.Errorf("stopping took %v", took)
	}
	if err := <-ended; err == nil {
		t.Error("the exit sent all of the padding")
	}
}

// A tool chooses for a request; the field itself goes nowhere.
func TestShapeOfARequest(t *testing.T) {
	got := make(chan bhttp.Fields, 1)
	c, exit, _ := shapedClient(t, func(x *exchange) {
		got <- x.req.Fields
		x.respond(200, "application/json", "{}")
	})
	for header, want := range map[string]string{"": "pad", "off": "", "pad": "pad", "constant": "constant"} {
		resp := c.do("POST", "/v1/chat/completions", chatBody, "X-Tokengo-Shape", header)
		if read(t, resp); resp.StatusCode != 200 {
			t.Errorf("%q: status %d", header, resp.StatusCode)
		}
		fields := <-got
		if value := fields.Get(shape.Field); value != want || fields.Get("x-tokengo-shape") != "" {
			t.Errorf("%q: inner fields %v, want %s %q", header, fields, shape.Field, want)
		}
	}
	resp := c.do("POST", "/v1/chat/completions", chatBody, "X-Tokengo-Shape", "loud")
	if body := read(t, resp); resp.StatusCode != 400 || !strings.Contains(body, "X-Tokengo-Shape") || exit.requests.Load() != 4 {
		t.Errorf("a mode that does not exist: status %d, %s", resp.StatusCode, body)
	}
	if n := strings.Count(c.logs.String(), "does not shape"); n != 1 {
		t.Errorf("the user was warned %d times that the exit does not shape, want once", n)
	}
}

// A request's sealed length tells a power of two, whatever it is made of.
func TestRequestSizes(t *testing.T) {
	c, _, relay := shapedClient(t, func(x *exchange) { x.respond(200, "application/json", "{}") })
	var lengths []int64
	relay.forward = func(_ http.ResponseWriter, r *http.Request) bool {
		lengths = append(lengths, r.ContentLength)
		return false
	}
	const sealing = 7 + 1120                                                  // header and X-Wing key
	for _, n := range []int{10, 1000, 3500, 4000, 7000, 9000, 20000, 30000} { // of prompt; 100 more of the rest
		body := `{"model":"m","prompt":"` + strings.Repeat("x", n) + `"}`
		read(t, c.do("POST", "/v1/chat/completions", body))
		chunks := int64(1)
		size := shape.RequestSize(int64(n + 110))
		chunks = max(chunks, size/ohttp.MaxChunk)
		want := sealing + size + 16*chunks + 4*(chunks-1) + 1
		if got := lengths[len(lengths)-1]; got != want {
			t.Errorf("a prompt of %d bytes is sealed to %d, want %d", n, got, want)
		}
	}
}

func TestShapeNeedsChunks(t *testing.T) {
	relay := newTestRelay(t)
	for _, cfg := range []Config{{Shape: "loud"}, {Shape: shape.Constant, Format: ohttp.Whole}} {
		cfg.Relays = append(cfg.Relays, relay.url)
		if _, err := New(cfg); err == nil {
			t.Errorf("New succeeded with shape %q and format %v", cfg.Shape, cfg.Format)
		}
	}
}
