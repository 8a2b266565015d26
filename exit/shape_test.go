// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

// asking adds what asks for a mode.
func asking(q inner, m shape.Mode) inner {
	q.fields = append(q.fields, bhttp.Field{Name: shape.Field, Value: string(m)})
	return q
}

// opened is a shaped answer: what a relay sees of it, and what was inside.
type opened struct {
	header http.Header // outer, without Date
	length int64       // outer, announced
	bytes  int         // outer, received
	reply  reply       // the message in the cells
}

// doShaped sends a request and reads all of its shaped answer, padding too.
func (r *rig) doShaped(t *testing.T, message []byte) opened {
	t.Helper()
	sealed, resp := r.send(t, ohttp.Chunked, message)
	seen, err := openShaped(sealed, resp)
	if err != nil {
		t.Errorf("open the shaped answer: %v", err)
	}
	return seen
}

func (r *rig) send(t *testing.T, f ohttp.Format, message []byte) (*ohttp.SealedRequest, *http.Response) {
	t.Helper()
	sealed, err := ohttp.SealRequest(r.config(t, ohttp.KEMXWing), f, bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.outer(t.Context(), t, f.RequestType(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return sealed, resp
}

func openShaped(sealed *ohttp.SealedRequest, resp *http.Response) (opened, error) {
	seen := opened{header: resp.Header, length: resp.ContentLength}
	delete(seen.header, "Date")
	var wire bytes.Buffer
	outer, err := bhttp.ReadResponse(sealed.OpenResponse(io.TeeReader(resp.Body, &wire), 0), bhttp.Limits{})
	if err != nil {
		return seen, err
	}
	cells := shape.NewReader(outer.Body)
	got, err := bhttp.ReadResponse(cells, bhttp.Limits{})
	if err != nil {
		return seen, err
	}
	seen.reply = read(got)
	err = cells.Drain(math.MaxInt64)
	seen.bytes = wire.Len()
	return seen, err
}

// kinds are answers of all sorts. None is faster than the first rate of either mode.
var kinds = map[string]struct {
	request inner
	backend http.HandlerFunc
	status  int
	broken  bool // the message must not look complete
}{
	"plain": {chat(), func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"ok":1}`) }, 200, false},
	"streamed": {chat(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", eventStream)
		for i := range 20 {
			flush(w, fmt.Sprintf("data: {\"n\":%d}\n\n", i))
		}
	}, 200, false},
	"rejected":      {chat(), status(http.StatusBadRequest), 400, false},
	"bad key":       {chat(), status(http.StatusUnauthorized), 502, false},
	"unknown model": {inner{path: "/v1/chat/completions", body: `{"model":"?"}`}, nil, 404, false},
	"unknown path":  {inner{path: "/none"}, nil, 404, false},
	"bad scheme":    {inner{scheme: "http", path: "/v1/models"}, nil, 400, false},
	"local list":    {inner{method: "GET", path: "/v1/models"}, nil, 200, false},
	"backend dies": {chat(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		flush(w, "half")
		panic(http.ErrAbortHandler)
	}, 200, true},
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		io.WriteString(w, `{"error":{"message":"no"}}`)
	}
}

// Whatever the answer is and however it ends, the outside is the same.
func TestShapedAnswersLookAlike(t *testing.T) {
	const sealedCell = 2 + shape.CellSize + 16
	var group sync.WaitGroup
	defer group.Wait()
	for mode, cells := range map[shape.Mode]int{shape.Pad: 64, shape.Constant: 320} {
		if mode == shape.Constant && testing.Short() {
			continue // takes 16 seconds
		}
		want := opened{header: http.Header{"Content-Type": {"message/ohttp-chunked-res"}}, length: -1, bytes: 16 + cells*sealedCell}
		for name, kind := range kinds {
			url := "http://127.0.0.1:1"
			if kind.backend != nil {
				url = backendServer(t, kind.backend)
			}
			r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
			sealed, resp := r.send(t, ohttp.Chunked, asking(kind.request, mode).encode(t))
			group.Go(func() {
				got, err := openShaped(sealed, resp)
				if err != nil || got.reply.status != kind.status || (got.reply.err != nil) != kind.broken {
					t.Errorf("%s, %s: %v; the message is %+v, want status %d, broken %v", mode, name, err, got.reply, kind.status, kind.broken)
				}
				if kind.broken && !errors.Is(got.reply.err, shape.ErrCut) {
					t.Errorf("%s, %s: a broken message ends with %v, want ErrCut", mode, name, got.reply.err)
				}
				got.reply = reply{}
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(opened{}, reply{})); diff != "" {
					t.Errorf("%s, %s: outside (-want +got):\n%s", mode, name, diff)
				}
			})
		}
	}
}

// An answer sealed in one piece is padded as Binary HTTP has it, so that any client can read it.
func TestWholeAnswersArePadded(t *testing.T) {
	for _, n := range []int{1, 60_000, 70_000} {
		url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte(" "), n)) })
		r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
		sealed, resp := r.send(t, ohttp.Whole, asking(chat(), shape.Pad).encode(t))
		wire, err := io.ReadAll(resp.Body)
		if want := 16 + shape.AnswerSize(n+40) + 16; err != nil || len(wire) != want {
			t.Errorf("an answer of %d bytes has %d bytes sealed, %v; want %d", n, len(wire), err, want)
		}
		got, err := bhttp.ReadResponse(sealed.OpenResponse(bytes.NewReader(wire), 1<<20), bhttp.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if reply := read(got); reply.err != nil || len(reply.body) != n {
			t.Errorf("%d bytes of %d, %v", len(reply.body), n, reply.err)
		}
	}
}

func TestShapesThatAreRefused(t *testing.T) {
	r := newRig(t, Config{Backends: []Backend{openAIBackend("http://127.0.0.1:1")}})
	tests := map[string]struct {
		sealing sealing
		mode    shape.Mode
	}{
		"unknown":         {chunked, "quiet"},
		"paced and whole": {sealing{ohttp.KEMXWing, ohttp.Whole}, shape.Constant},
	}
	for name, tt := range tests {
		got := r.do(t, tt.sealing, asking(chat(), tt.mode))
		if got.status != http.StatusBadRequest || got.fields.Get("content-type") != service.ProblemType || got.err != nil {
			t.Errorf("%s: %+v, want a problem of status 400", name, got)
		}
	}
}

// Nothing is shaped for a client that does not ask.
func TestPlainWithoutAsking(t *testing.T) {
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"ok":1}`) })
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
	for _, q := range []inner{chat(), asking(chat(), shape.Off)} {
		if got := r.do(t, chunked, q); got.body != `{"ok":1}` || got.err != nil {
			t.Errorf("%+v", got)
		}
	}
}

// OpenAI's obfuscation goes where lengths are hidden anyway, and stays where they are not.
func TestObfuscationIsStripped(t *testing.T) {
	const event = `data: {"choices":[{"delta":{"content":"\"obfuscation\":"}}],"obfuscation":"r4nd0m"}` + "\n\n"
	const clear = `data: {"choices":[{"delta":{"content":"\"obfuscation\":"}}]}` + "\n\n"
	long := "data: \"" + strings.Repeat("x", maxEventLine) + "\"\n\n"
	rest := ": comment\nevent: x\r\n" + long + "data: [DONE]\n\ndata: {\"obfuscation\":"
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", eventStream)
		flush(w, event[:40])
		flush(w, event[40:])
		flush(w, rest)
	})
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}})
	if got := r.doShaped(t, asking(chat(), shape.Pad).encode(t)).reply; got.body != clear+rest || got.err != nil {
		t.Errorf("shaped: %v, %.300q", got.err, got.body)
	}
	if got := r.do(t, chunked, chat()); got.body != event+rest || got.err != nil {
		t.Errorf("plain: %v, %.300q", got.err, got.body)
	}
}

// The padding behind an answer takes no slot from requests that are worked on, and ends with its client.
func TestPaddingIsNoWork(t *testing.T) {
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"ok":1}`) })
	r := newRig(t, Config{Backends: []Backend{openAIBackend(url)}, MaxConcurrent: 1})
	for range 3 {
		outer, resp := r.open(t.Context(), t, chunked, asking(chat(), shape.Constant).encode(t))
		got, err := bhttp.ReadResponse(shape.NewReader(outer.Body), bhttp.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if reply := read(got); reply.body != `{"ok":1}` {
			t.Errorf("%+v", reply)
		}
		defer resp.Body.Close()
		defer func() {
			resp.Body.Close()
			within(t, 5*time.Second, "the handler returned", r.done)
		}()
	}
}
