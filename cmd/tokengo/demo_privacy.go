// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

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

// showPrivacy asks the same in each mode of shaping, as a tool that says much about its user, and adds what
// came of it to the report.
func (d *demoNetwork) showPrivacy(ctx context.Context, r *demoReport, progress io.Writer) error {
	body := fmt.Appendf(nil, `{"model":%q,"stream":true,"max_tokens":%d,"messages":[{"role":"user","content":%q}],%s}`,
		demoModel, demoTokens, tracePrompt, telltale.body)
	fmt.Fprintf(progress, "The same question once in each mode of shaping, for the relay to watch: ")
	for _, mode := range shape.Modes() {
		fmt.Fprintf(progress, "%s… ", mode)
		trace, err := d.watch(ctx, mode, body)
		if err != nil {
			return err
		}
		r.Traces = append(r.Traces, trace)
	}
	fmt.Fprint(progress, "\n\n")
	all := d.atBackend.Exchanges()
	last := all[len(all)-1]
	r.Scrubbing = scrubView{Sent: message(telltale.fields, body), Arrived: message(last.Header, last.Request)}
	held := slices.Concat(d.atExit.Bytes(), d.atBackend.Bytes())
	r.Checks = append(r.Checks, demoCheck{
		"nothing that the tool wrote about its user, besides the prompt, reached exit or backend",
		bytes.Contains(held, []byte(tracePrompt)) &&
			!slices.ContainsFunc(telltale.words, func(word string) bool { return bytes.Contains(held, []byte(word)) }),
	})
	r.OK = r.failed() == nil
	return nil
}

// watch asks in a mode and returns what the relay sees of the answer within traceTime.
func (d *demoNetwork) watch(ctx context.Context, mode shape.Mode, body []byte) (traceView, error) {
	before := len(d.atRelay.Exchanges())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.ClientURL()+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return traceView{}, err
	}
	request.Header = telltale.fields.Clone()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Tokengo-Shape", string(mode))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return traceView{}, err
	}
	defer answer.Body.Close()
	if _, err := readStream(answer.Body, io.Discard); err != nil {
		return traceView{}, err
	}
	for {
		all := d.atRelay.Exchanges()[before:]
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

// showScrubbing prints a request before and after.
func showScrubbing(w io.Writer, v scrubView) {
	fmt.Fprintln(w, "\nWHAT SCRUBBING TAKES OUT")
	fmt.Fprintln(w)
	sideBySide(w, terminalWidth(w), []column{{"THE TOOL SENT", v.Sent}, {"THE BACKEND GOT", v.Arrived}})
}

// showTraces prints what the relay saw of each answer as a plot.
func showTraces(w io.Writer, traces []traceView) {
	fmt.Fprintln(w, "\nWHAT THE RELAY SAW of a streamed answer: bytes in each tenth of a second")
	fmt.Fprintln(w)
	for _, t := range traces {
		most := max(1, slices.Max(t.Bytes))
		fmt.Fprintf(w, "%-9s %s  (up to %d bytes)\n", t.Mode, plot(t.Bytes, most), most)
	}
	fmt.Fprintln(w, "\nWithout shaping each token shows: when it came and how long it is. See docs/privacy.md.")
}

// plot draws heights in proportion to most, none of them 0 unless the value is.
func plot(values []int, most int) string {
	levels := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range values {
		if v == 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(levels[min(v*len(levels)/most, len(levels)-1)])
	}
	return b.String()
}
