// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/shape"
)

// scripted answers a chat by what it asks for: errors, plain and streamed answers with short and long tokens.
func scripted(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch {
	case bytes.Contains(body, []byte("an error")):
		w.WriteHeader(http.StatusBadRequest) // of the request: it is not sent on to another exit, which would show
	case bytes.Contains(body, []byte("plain")):
		io.WriteString(w, `{"choices":[{"message":{"content":"all of it"}}]}`)
	case bytes.Contains(body, []byte("short tokens")):
		streamTokens(w, r, strings.Repeat("a be ", 5))
	default:
		streamTokens(w, r, strings.Repeat("pneumonoultramicroscopic silicovolcanoconiosis ", 12))
	}
}

// streamTokens sends a token every 20 ms. They are so few that a busy machine does not need another three seconds of
// padding for them.
func streamTokens(w http.ResponseWriter, r *http.Request, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for token := range strings.FieldsSeq(text) {
		fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%q}}]}\n\n", token)
		http.NewResponseController(w).Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
	io.WriteString(w, "data: [DONE]\n\n")
}

// pattern is what the relay's sockets see of one answer: the sizes of TLS records, and when the last of
// them left after the first.
type pattern struct {
	FromExit []int
	toClient []int
	spread   time.Duration
}

// TestNothingShowsAtTheSockets compares, as the relay's sockets see them, answers that could not differ more.
func TestNothingShowsAtTheSockets(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the padding")
	}
	questions := []string{"long tokens", "short tokens", "an error", "plain"}
	for mode, takes := range map[shape.Mode]time.Duration{shape.Pad: 3100 * time.Millisecond, shape.Constant: 15950 * time.Millisecond} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			patterns := make([]pattern, len(questions))
			var group sync.WaitGroup
			for i, q := range questions {
				tap := newWiretap(t)
				n := run(t, models(scripted), func(c *network.Config) { c.RelayListener, c.Client.Shape = tap, mode })
				group.Go(func() { patterns[i] = watchAnswer(t, n, tap, q) })
			}
			group.Wait()
			for i, got := range patterns {
				if diff := cmp.Diff(patterns[0], got, cmpopts.IgnoreUnexported(pattern{})); diff != "" || len(got.FromExit) < 32 {
					t.Errorf("%q looks different from %q (-want +got):\n%s", questions[i], questions[0], diff)
					continue
				}
				if n, want := got.batches(), len(got.FromExit); n < want-1-want/50 || n > want+1+want/50 {
					t.Errorf("%q: %d batches went to the client, want %d: %v", questions[i], n, want, got.toClient)
				}
				if d := got.spread - takes; d.Abs() > 1500*time.Millisecond { // a busy machine is late; a leak would be by 3 s
					t.Errorf("%q took %v from the first record to the last, want %v", questions[i], got.spread, takes)
				}
			}
		})
	}
}

// watchAnswer asks for an answer and returns what the sockets saw of it, to the end of its padding.
func watchAnswer(t *testing.T, n *network.Network, tap *wiretap, q string) pattern {
	marks := tap.mark()
	got := post(t, t.Context(), n.ClientURL()+"/v1/chat/completions",
		`{"model":"m","stream":true,"messages":[{"role":"user","content":"`+q+`"}]}`)
	if _, err := io.Copy(io.Discard, got.Body); err != nil {
		t.Error(err)
	}
	var seen pattern
	settle := time.NewTicker(time.Second) // longer than two batches are apart
	defer settle.Stop()
	for before := -1; before != len(seen.FromExit)+len(seen.toClient); <-settle.C {
		before = len(seen.FromExit) + len(seen.toClient)
		seen = tap.pattern(marks)
	}
	return seen
}

// pattern gathers what passed since marks on the connections of exit and client.
func (w *wiretap) pattern(marks map[*tapped][2]int) (p pattern) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		in, out := c.since(marks[c])
		switch { // an exit takes one request and sends many cells
		case len(in) > len(out):
			p.FromExit = sizesOf(in)
		case len(out) > 0:
			p.toClient, p.spread = sizesOf(out), out[len(out)-1].at.Sub(out[0].at)
		}
	}
	return p
}

// batches counts the batches that the relay's records to the client have. A relay that is late passes on two as one: that
// depends on the relay, which cannot see into them.
func (p *pattern) batches() int {
	const framing = 22 + 9 // of a record of TLS 1.3 and of an HTTP/2 frame
	total := 0
	for _, size := range p.toClient {
		total += size - framing
	}
	return total / (p.FromExit[1] - framing) // the first has fields before it
}

func sizesOf(all []passage) []int {
	var sizes []int
	for _, p := range all {
		sizes = append(sizes, p.size)
	}
	return sizes
}
