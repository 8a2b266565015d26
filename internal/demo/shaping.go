// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/shape"
)

const (
	tracePrompt = "Tell me a story of the sea."
	traceColumn = 100 * time.Millisecond
	traceTime   = 4 * time.Second // of each answer, from its first bytes
)

// telltale is what the demo's tool writes about its user besides the prompt, as real tools do.
var telltale = struct {
	fields http.Header
	body   string // members of the request's body
	words  []string
}{
	http.Header{
		"User-Agent": {"chatty-tool/2.1 (alice-laptop; Linux; zsh)"}, "X-Session-Id": {"session-7f3a-of-alice"},
		"X-Stainless-Os": {"Linux"}, "Authorization": {"Bearer sk-alice-0123456789"},
	},
	`"user":"alice@example.org","metadata":{"device_id":"device-91c2-of-alice","account":"acct-alice"}`,
	[]string{"alice", "chatty", "session-7f3a", "device-91c2", "Stainless"},
}

// scrubView is a request before and after scrubbing.
type scrubView struct {
	Sent    []string `json:"sent"`    // by the tool
	Arrived []string `json:"arrived"` // at the backend, with the exit's own credentials if it has any
}

// traceView is what the relay saw of one answer.
type traceView struct {
	Mode shape.Mode `json:"mode"`
	// Bytes are those that arrived in each tenth of a second, from the first on.
	Bytes []int `json:"bytes_each_100ms"`
}

// watchShaping asks the same in each mode of shaping, as a tool that says much about its user, and adds what came of it
// to the report.
func (p *privacy) watchShaping(ctx context.Context, r *privacyReport) error {
	body := fmt.Appendf(nil, `{"model":%q,"stream":true,"max_tokens":%d,"messages":[{"role":"user","content":%q}],%s}`,
		model, answerTokens, tracePrompt, telltale.body)
	fmt.Fprintf(p.progress, "One question in each mode of shaping: ")
	for _, mode := range shape.Modes() {
		fmt.Fprintf(p.progress, "%s… ", mode)
		trace, err := p.watch(ctx, mode, body)
		if err != nil {
			return err
		}
		r.Traces = append(r.Traces, trace)
	}
	fmt.Fprint(p.progress, "\n\n")
	all := p.atBackend.Exchanges()
	last := all[len(all)-1]
	r.Scrubbing = scrubView{Sent: message(telltale.fields, body), Arrived: message(last.Header, last.Request)}
	held := slices.Concat(p.atExit.Bytes(), p.atBackend.Bytes())
	contains := func(word string) bool { return bytes.Contains(held, []byte(word)) }
	r.add("besides the prompt nothing that the tool wrote about its user reached exit or backend",
		contains(tracePrompt) && !slices.ContainsFunc(telltale.words, contains))
	return nil
}

// watch asks in a mode and returns what the relay sees of the answer within traceTime.
func (p *privacy) watch(ctx context.Context, mode shape.Mode, body []byte) (traceView, error) {
	before := len(p.atRelay.Exchanges())
	fields := telltale.fields.Clone()
	fields.Set("X-Tokengo-Shape", string(mode))
	answer, err := ask(ctx, p.clientURL, fields, body)
	if err != nil {
		return traceView{}, err
	}
	defer answer.Body.Close()
	if _, err := readStream(answer.Body, io.Discard); err != nil {
		return traceView{}, err
	}
	for {
		all := p.atRelay.Exchanges()[before:]
		at := slices.IndexFunc(all, func(e network.Exchange) bool { return strings.HasPrefix(e.URI, "/ohttp/") })
		if at >= 0 && (all[at].Done || time.Since(all[at].Begun) > traceTime+time.Second) {
			return traceView{mode, columns(all[at].Pieces)}, nil
		}
		select {
		case <-ctx.Done():
			return traceView{}, ctx.Err()
		case <-time.After(traceColumn):
		}
	}
}

// columns sums what came in each tenth of a second.
func columns(pieces []network.Piece) []int {
	sums := make([]int, traceTime/traceColumn)
	for _, p := range pieces {
		if i := int((p.At - pieces[0].At) / traceColumn); i < len(sums) {
			sums[i] += p.Bytes
		}
	}
	return sums
}

// message is a request as lines, fields sorted.
func message(fields http.Header, body []byte) []string {
	var lines []string
	for name, values := range fields {
		lines = append(lines, strings.ToLower(name)+": "+strings.Join(values, ", "))
	}
	slices.Sort(lines)
	return append(lines, "", string(bytes.TrimSpace(body)))
}
