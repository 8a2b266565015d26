// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/tokengo/tokengo/service"
)

// sdk makes a vendor's way to ask look like all others.
type sdk struct {
	name     string
	protocol service.Protocol
	start    func(at *site, q question) chat
	status   func(err error) int // HTTP status in the SDK's own type of error; 0 when it is of another type

	models func(ctx context.Context, at *site) ([]string, error)
	embed  func(ctx context.Context, at *site, model string, texts []string) ([][]float32, error) // nil if the protocol has none
	count  func(ctx context.Context, at *site, q question) (int, error)                           // nil if the protocol has none
}

var sdks = []sdk{openaiSDK(), responsesSDK(), claudeSDK(), geminiSDK(), ollamaSDK()}

// site is where an SDK asks. It keeps the header of the last answer, which not every SDK shows.
type site struct {
	url    string
	header http.Header
}

func (s *site) client() *http.Client { return &http.Client{Transport: s} }

// RoundTrip implements [http.RoundTripper].
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		s.header = resp.Header
	}
	return resp, err
}

// apiKey is what SDKs insist on.
const apiKey = "tokengo"

// question is what a conversation begins with.
type question struct {
	model, prompt string
	tools         bool            // the tools weather and now are on offer
	image         []byte          // PNG
	schema        json.RawMessage // JSON schema of the answer
	think         bool
}

// limit is the number of tokens an answer may have, with room for the budget of thinking.
const limit = 20_000

// weatherParams are the parameters of the tool weather.
const weatherParams = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`

// object is a JSON object as SDKs want it that take any.
func object(raw json.RawMessage) map[string]any {
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		panic(err)
	}
	return fields
}

// asker is what an SDK can be asked.
type asker interface {
	// next is the model's next turn. An answer that the SDK did not accept is an error.
	next(ctx context.Context, streamed bool) (answer, error)
}

// chat is a conversation.
type chat interface {
	asker
	// results answers the calls of the last turn, in their order.
	results(texts ...string)
	// say adds a turn of the user.
	say(text string)
}

// answer is a model's turn as an SDK read it.
type answer struct {
	Text, Thought string
	Calls         []call
	Reason        reason
	Usage         usage
}

type call struct {
	Name, Args string // Args is JSON with sorted names, or "" if nothing was sent
}

// usage counts tokens. Input includes Cached, and Output includes Thinking.
type usage struct{ Input, Output, Cached, Thinking int64 }

// reason says why an answer ends.
type reason string

const (
	ended    reason = "ended"
	called   reason = "called"
	limited  reason = "limited"
	withheld reason = "withheld"
)

// reasonOf is the meaning of a protocol's word. Some protocols call an end with calls an ordinary one.
func reasonOf(word string, among map[string]reason, calls []call) reason {
	r, ok := among[word]
	switch {
	case !ok:
		return reason("unknown: " + word)
	case r == ended && len(calls) > 0:
		return called
	}
	return r
}

// arguments brings the arguments of a call into the form in which they can be compared.
func arguments(raw []byte) string {
	var v map[string]any
	if len(raw) == 0 {
		return ""
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return "not an object: " + string(raw)
	}
	sorted, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(sorted)
}
