// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// form is how a protocol's answers look: enough of it for the client, the exit and the tool of the tests.
type form struct {
	name, path, body  string // body has a verb for the prompt
	contentType       string
	begin, piece, end string // piece has a verb for text
	whole             string // what only a complete answer has, once
	broken            string // what an answer that is reported as broken has; "" when only the connection can say so
}

var forms = []*form{
	{
		name: "openai", path: "/v1/chat/completions", contentType: "text/event-stream",
		body:  `{"model":"m","stream":true,"messages":[{"role":"user","content":%q}]}`,
		piece: `data: {"id":"x","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":%q}}]}` + "\n\n",
		end:   `data: {"id":"x","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n",
		whole: "data: [DONE]", broken: `data: {"error":`,
	},
	{
		name: "responses", path: "/v1/responses", contentType: "text/event-stream",
		body: `{"model":"m","stream":true,"input":%q}`,
		begin: "event: response.created\n" +
			`data: {"type":"response.created","sequence_number":0,"response":{"id":"r","object":"response","status":"in_progress","model":"m","output":[]}}` + "\n\n",
		piece: "event: response.output_text.delta\n" +
			`data: {"type":"response.output_text.delta","sequence_number":1,"item_id":"i","output_index":0,"content_index":0,"delta":%q}` + "\n\n",
		end: "event: response.completed\n" +
			`data: {"type":"response.completed","sequence_number":2,"response":{"id":"r","object":"response","status":"completed","model":"m","output":[]}}` + "\n\n",
		whole: "event: response.completed", broken: `"type":"response.failed"`,
	},
	{
		name: "claude", path: "/v1/messages", contentType: "text/event-stream",
		body: `{"model":"m","max_tokens":100,"stream":true,"messages":[{"role":"user","content":%q}]}`,
		begin: "event: message_start\n" +
			`data: {"type":"message_start","message":{"id":"x","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}` + "\n\n" +
			"event: content_block_start\n" + `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n",
		piece: "event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%q}}` + "\n\n",
		end:   "event: message_stop\n" + `data: {"type":"message_stop"}` + "\n\n",
		whole: "event: message_stop", broken: "event: error\n",
	},
	{
		name: "gemini", path: "/v1beta/models/m:streamGenerateContent?alt=sse", contentType: "text/event-stream",
		body:  `{"contents":[{"role":"user","parts":[{"text":%q}]}]}`,
		piece: `data: {"candidates":[{"content":{"role":"model","parts":[{"text":%q}]},"index":0}],"modelVersion":"m"}` + "\n\n",
		end:   `data: {"candidates":[{"content":{"role":"model","parts":[]},"index":0,"finishReason":"STOP"}],"modelVersion":"m"}` + "\n\n",
		whole: `"finishReason":"STOP"`, broken: `data: {"error":`,
	},
	{
		name: "ollama", path: "/api/chat", contentType: "application/x-ndjson",
		body:  `{"model":"m","messages":[{"role":"user","content":%q}]}`,
		piece: `{"model":"m","message":{"role":"assistant","content":%q},"done":false}` + "\n",
		end:   `{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}` + "\n",
		whole: `"done":true`, broken: `{"error":`,
	},
	{
		name: "plain", path: "/v1/completions", contentType: "application/json",
		body:  `{"model":"m","prompt":%q}`,
		begin: `{"id":"x","object":"text_completion","model":"m","choices":[{"index":0,"logprobs":[""`,
		piece: `,%q`,
		end:   `],"finish_reason":"stop","text":""}]}`,
		whole: `"finish_reason":"stop"`,
	},
}

// streamedForms are those that come in pieces. Exits hold a plain answer until they have all of it.
var streamedForms = forms[:5]

// prompt asks for an answer that ends by itself, or for one that goes on until the test lets it end.
func prompt(id int, held bool) string {
	if held {
		return fmt.Sprintf("Request number %d, at length.", id)
	}
	return fmt.Sprintf("Request number %d, in short.", id)
}

var prompted = regexp.MustCompile(`Request number (\d+), (at length|in short)`)

// mark is in every piece of an answer, and says which answer it belongs to.
type mark struct {
	id, exit, relay int
	serial          int // of the attempt, over all backends
	piece           int
}

func (m mark) String() string {
	return fmt.Sprintf("(%d.%d.%d.%d.%d)", m.id, m.exit, m.relay, m.serial, m.piece)
}

var markPattern = regexp.MustCompile(`\((\d+)\.(\d+)\.(\d+)\.(\d+)\.(\d+)\)`)

// marks are those in a text, in their order.
func marks(text string) (all []mark) {
	for _, found := range markPattern.FindAllStringSubmatch(text, -1) {
		var n [5]int
		for i := range n {
			n[i], _ = strconv.Atoi(found[i+1]) // digits
		}
		all = append(all, mark{n[0], n[1], n[2], n[3], n[4]})
	}
	return all
}

// attempt is one request that has reached a backend.
type attempt struct {
	mark     // of its last piece
	arrived  time.Time
	finished bool // the backend has written the whole answer
}

// ledger is what all backends together were asked.
type ledger struct {
	mu       sync.Mutex // guards attempts and what they point to
	attempts []*attempt
}

func (l *ledger) open(id, exit, relay int) *attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &attempt{mark: mark{id: id, exit: exit, relay: relay, serial: len(l.attempts), piece: -1}, arrived: time.Now()}
	l.attempts = append(l.attempts, a)
	return a
}

// next is the mark of the attempt's next piece.
func (l *ledger) next(a *attempt) mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.piece++
	return a.mark
}

func (l *ledger) finish(a *attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.finished = true
}

// of are copies of the attempts at one request.
func (l *ledger) of(id int) (all []attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.attempts {
		if a.id == id {
			all = append(all, *a)
		}
	}
	return all
}

const (
	shortAnswer = 5                     // pieces
	pieceEvery  = 40 * time.Millisecond // how fast they come
)

// markedBackend answers in every protocol, one mark a piece.
type markedBackend struct {
	exit    int
	ledger  *ledger
	release <-chan struct{} // answers at length end when it is closed
	status  atomic.Int32    // when not 0, requests are answered with it
	slow    atomic.Bool     // requests are not answered at all
}

// relayField tells a marked backend through which relay a request came. The exits of the tests add it.
const relayField = "X-Test-Relay"

// ServeHTTP implements [http.Handler].
func (b *markedBackend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	asked := prompted.FindSubmatch(body)
	if err != nil || asked == nil {
		http.NotFound(w, r)
		return
	}
	if status := int(b.status.Load()); status != 0 {
		w.WriteHeader(status)
		return
	}
	if b.slow.Load() {
		<-r.Context().Done()
		return
	}
	id, _ := strconv.Atoi(string(asked[1])) // digits
	relay, _ := strconv.Atoi(r.Header.Get(relayField))
	a := b.ledger.open(id, b.exit, relay)
	for _, f := range forms {
		if path, _, _ := strings.Cut(f.path, "?"); r.URL.Path == path {
			b.speak(r.Context(), w, f, a, string(asked[2]) == "at length")
		}
	}
}

// speak writes an answer.
func (b *markedBackend) speak(ctx context.Context, w http.ResponseWriter, f *form, a *attempt, held bool) {
	w.Header().Set("Content-Type", f.contentType)
	tick := time.NewTicker(pieceEvery)
	defer tick.Stop()
	text := f.begin
	for n := 1; held || n <= shortAnswer; n++ {
		text += fmt.Sprintf(f.piece, b.ledger.next(a))
		if _, err := io.WriteString(w, text); err != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
		text = ""
		select {
		case <-tick.C:
		case <-b.release:
			held = false
		case <-ctx.Done():
			return
		}
	}
	if _, err := io.WriteString(w, f.end); err == nil {
		b.ledger.finish(a)
	}
}
