// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// The answer as backends send it.
type (
	answerBody struct {
		Type         string       `json:"type"`
		ID           string       `json:"id"`
		Model        string       `json:"model"`
		Content      []answerPart `json:"content"`
		StopReason   string       `json:"stop_reason"`
		StopSequence string       `json:"stop_sequence"`
		Usage        *usage       `json:"usage"`
		Error        *apiError    `json:"error"`
	}
	answerPart struct {
		Type      string          `json:"type"`
		Text      string          `json:"text"`
		Thinking  string          `json:"thinking"`
		Signature string          `json:"signature"`
		Data      string          `json:"data"`
		ID        string          `json:"id"`
		Name      string          `json:"name"`
		Input     json.RawMessage `json:"input"`
	}
	// usage tells input in three counts that do not overlap.
	usage struct {
		Input      *int `json:"input_tokens"`
		CacheRead  *int `json:"cache_read_input_tokens"`
		CacheWrite *int `json:"cache_creation_input_tokens"`
		Output     int  `json:"output_tokens"`
		Details    *struct {
			Thinking int `json:"thinking_tokens"`
		} `json:"output_tokens_details"`
	}
	apiError struct {
		Type string `json:"type"`
	}
)

// UnmarshalJSON implements [json.Unmarshaler]. Servers of other makers send an error as text.
func (e *apiError) UnmarshalJSON(raw []byte) error {
	if raw[0] != '{' {
		return nil
	}
	type plain apiError
	return json.Unmarshal(raw, (*plain)(e))
}

// DecodeAnswer reads a whole answer as the sequence of events that a stream of it would be. The error wraps
// [ErrMalformed].
func DecodeAnswer(req *conversation.Request, body []byte) ([]conversation.Event, error) {
	var in answerBody
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%w: it is not JSON of the protocol's form", ErrMalformed)
	}
	a := answerEvents{names: functionNames.Originals(req)}
	if in.Type == "error" {
		return a.fail(a.begin(nil, &answerBody{}), in.Error), nil
	}
	if in.Content == nil && in.StopReason == "" {
		return nil, fmt.Errorf("%w: it has no content", ErrMalformed)
	}
	dst := a.begin(nil, &in)
	for i := range in.Content {
		dst = a.beginPart(dst, i, &in.Content[i])
		dst = a.endPart(dst, i)
	}
	a.reason, a.stopSequence = in.StopReason, in.StopSequence
	return a.finish(dst), nil
}

// answerEvents makes events of what a backend says, in the order that events have whatever it sends.
type answerEvents struct {
	names        map[string]string // of tools whose names were changed
	id           string
	began, over  bool
	open         []*partState
	parts, calls int
	counts       usage
	told         conversation.Usage // as it was last told
	reason       string
	stopSequence string
}

// partState is a part that has begun and not ended.
type partState struct {
	wire      int // the backend's index
	index     int
	kind      conversation.PartKind
	some      bool            // a piece of it was told
	input     json.RawMessage // of a call that came with its start
	signature string
	redacted  string
}

func (a *answerEvents) begin(dst []conversation.Event, m *answerBody) []conversation.Event {
	a.began, a.id = true, m.ID
	dst = append(dst, conversation.Event{Kind: conversation.Begin, ID: m.ID, Model: m.Model})
	return a.addUsage(dst, m.Usage)
}

func (a *answerEvents) partAt(wire int) *partState {
	for _, p := range a.open {
		if p.wire == wire {
			return p
		}
	}
	return nil
}

// beginPart begins a part. Kinds that belong to Claude's own servers are passed over.
func (a *answerEvents) beginPart(dst []conversation.Event, wire int, b *answerPart) []conversation.Event {
	dst = a.endPart(dst, wire) // if the backend forgot to
	p := &partState{wire: wire, index: a.parts}
	e := conversation.Event{Kind: conversation.PartBegin, Index: p.index}
	text := b.Text
	switch b.Type {
	case typeText:
		p.kind = conversation.PartText
	case typeThinking:
		p.kind, p.signature, text = conversation.PartThinking, b.Signature, b.Thinking
	case typeRedactedThinking:
		p.kind, p.redacted, text = conversation.PartThinking, b.Data, ""
	case typeToolUse:
		p.kind, text = conversation.PartCall, ""
		p.input = slices.Clone(b.Input)
		e.Call = conversation.Call{ID: b.ID, Name: cmp.Or(a.names[b.Name], b.Name)}
		a.calls++
		if b.ID == "" {
			e.Call.ID = conversation.CallID(a.id, a.calls-1)
		}
	default:
		return dst
	}
	e.Part = p.kind
	a.parts++
	a.open = append(a.open, p)
	return p.add(append(dst, e), text)
}

// add tells the next piece of a part.
func (p *partState) add(dst []conversation.Event, text string) []conversation.Event {
	if text == "" {
		return dst
	}
	p.some = true
	return append(dst, conversation.Event{Kind: conversation.Delta, Index: p.index, Text: text})
}

func (a *answerEvents) endPart(dst []conversation.Event, wire int) []conversation.Event {
	i := slices.IndexFunc(a.open, func(p *partState) bool { return p.wire == wire })
	if i < 0 {
		return dst
	}
	p := a.open[i]
	a.open = slices.Delete(a.open, i, i+1)
	if p.kind == conversation.PartCall && !p.some {
		arguments, ok := object(p.input)
		if !ok {
			arguments = string(p.input) // as it is: the tool checks arguments anyway
		}
		dst = p.add(dst, arguments)
	}
	if p.signature != "" || p.redacted != "" {
		e := conversation.Event{Kind: conversation.Signed, Index: p.index, Redacted: p.redacted}
		if p.signature != "" {
			e.Signature = conversation.Signature{By: protocol, Value: p.signature}
		}
		dst = append(dst, e)
	}
	return append(dst, conversation.Event{Kind: conversation.PartEnd, Index: p.index})
}

// addUsage takes in what is cumulative. A report of the input replaces the one before, unless it knows nothing.
func (a *answerEvents) addUsage(dst []conversation.Event, u *usage) []conversation.Event {
	if u == nil {
		return dst
	}
	c := &a.counts
	if count(u.Input)+count(u.CacheRead)+count(u.CacheWrite) > 0 {
		for _, field := range []struct{ to, from **int }{
			{&c.Input, &u.Input}, {&c.CacheRead, &u.CacheRead}, {&c.CacheWrite, &u.CacheWrite},
		} {
			if *field.from != nil {
				*field.to = *field.from
			}
		}
	}
	c.Output = max(c.Output, u.Output)
	if u.Details != nil {
		c.Details = u.Details
	}
	known := conversation.Usage{
		Input:     count(c.Input) + count(c.CacheRead) + count(c.CacheWrite),
		CacheRead: count(c.CacheRead), CacheWrite: count(c.CacheWrite), Output: c.Output,
	}
	if c.Details != nil {
		known.Reasoning = max(0, c.Details.Thinking)
	}
	if known == a.told {
		return dst
	}
	a.told = known
	return append(dst, conversation.Event{Kind: conversation.UsageKnown, Usage: known})
}

func count(n *int) int {
	if n == nil {
		return 0
	}
	return max(0, *n)
}

// finish ends what is open and tells why the answer ended.
func (a *answerEvents) finish(dst []conversation.Event) []conversation.Event {
	a.over = true
	for len(a.open) > 0 {
		dst = a.endPart(dst, a.open[0].wire)
	}
	e := conversation.Event{Kind: conversation.Finish, Reason: conversation.Stopped}
	switch a.reason {
	case "max_tokens", "model_context_window_exceeded":
		e.Reason = conversation.Length
	case "refusal":
		e.Reason = conversation.Refused
	case "pause_turn":
		e.Reason = conversation.Paused
	case "stop_sequence":
		e.StopSequence = a.stopSequence
	default:
		if a.calls > 0 { // some servers say end_turn
			e.Reason = conversation.ToolCalls
		}
	}
	return append(dst, e)
}

func (a *answerEvents) fail(dst []conversation.Event, e *apiError) []conversation.Event {
	a.over = true
	kind := ""
	if e != nil {
		kind = e.Type
	}
	failure := conversation.Failure{Code: string(codeOf(kind, 0))}
	return append(dst, conversation.Event{Kind: conversation.Failed, Failure: failure})
}
