// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strconv"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// Reader reads one streamed answer of a Gemini backend: events, or the elements of an array, which is what a server sends
// that does not know alt=sse.
//
// The service may give a reason to end in every chunk, and the counts after it, so the answer finishes when the stream
// ends.
type Reader struct {
	sse     wire.SSE
	array   wire.Array
	isArray bool
	known   bool // whether it is one
	event   func(string, []byte) error
	element func([]byte) error

	state  state
	chunk  chunk
	events []conversation.Event // during a call
}

// state is how far an answer has got.
type state struct {
	names  map[string]string // of functions whose names were changed
	salt   string            // makes ids of calls in answers without an id
	begun  bool
	done   bool
	open   conversation.PartKind // kind of the part that is open, 0 if none is
	index  int                   // of the next part
	calls  int
	reason conversation.Reason
	broken bool
	usage  conversation.Usage
}

// NewReader returns a reader of the answer to a request.
func NewReader(req *conversation.Request) *Reader {
	r := &Reader{state: newState(req)}
	r.element = r.read
	r.event = func(_ string, data []byte) error {
		if string(data) == "[DONE]" { // some gateways end every protocol's streams so
			return nil
		}
		return r.read(data)
	}
	return r
}

func newState(req *conversation.Request) state {
	return state{names: functionNames.Originals(req), salt: "m" + strconv.Itoa(len(req.Messages))}
}

// Feed takes the next piece of the stream, of any size, and appends what it means. The error is ErrMalformed.
func (r *Reader) Feed(dst []conversation.Event, p []byte) ([]conversation.Event, error) {
	if !r.known {
		// White space before the first item is no part of it, in whatever pieces it comes.
		if p = bytes.TrimLeft(p, " \t\r\n"); len(p) == 0 {
			return dst, nil
		}
		r.known, r.isArray = true, p[0] == '['
	}
	r.events = dst
	var err error
	if r.isArray {
		err = r.array.Feed(p, r.element)
	} else {
		err = r.sse.Feed(p, r.event)
	}
	dst, r.events = r.events, nil
	return dst, malformed(err)
}

func malformed(err error) error {
	if err == nil || errors.Is(err, ErrMalformed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}

// End tells that the stream is over and appends what is left. The error is ErrCut when the backend had not finished.
func (r *Reader) End(dst []conversation.Event) ([]conversation.Event, error) {
	r.events = dst
	var err error // what is incomplete is cut, not malformed
	if r.isArray {
		err = r.array.End(r.element)
	} else {
		err = r.sse.End(r.event)
	}
	dst, r.events = r.events, nil
	if r.state.done {
		return dst, nil
	}
	if r.state.reason == 0 && err != nil {
		return dst, fmt.Errorf("%w: %w", ErrCut, err)
	}
	if r.state.reason == 0 {
		return dst, ErrCut
	}
	return r.state.finish(dst), nil
}

func (r *Reader) read(data []byte) error {
	if r.state.done {
		return nil
	}
	if err := r.chunk.read(data); err != nil {
		return err
	}
	r.events = r.state.add(r.events, &r.chunk)
	return nil
}

// DecodeAnswer reads a whole answer as the events that a stream of it would give. The error is ErrMalformed.
func DecodeAnswer(req *conversation.Request, body []byte) ([]conversation.Event, error) {
	s := newState(req)
	var c chunk
	var events []conversation.Event
	answers, blocked := 0, false
	read := func(data []byte) error {
		if s.done {
			return nil
		}
		if err := c.read(data); err != nil {
			return err
		}
		answers, blocked = answers+c.candidates, blocked || c.blocked
		events = s.add(events, &c)
		return nil
	}
	var array wire.Array // of one, if the body is an object
	err := array.Feed(body, read)
	if err == nil {
		err = array.End(read)
	}
	switch {
	case err != nil:
		return nil, malformed(err)
	case s.done:
		return events, nil
	case answers == 0 && !blocked:
		return nil, ErrMalformed
	}
	return s.finish(events), nil
}

// add appends what a chunk means.
func (s *state) add(dst []conversation.Event, c *chunk) []conversation.Event {
	if !s.begun {
		s.begun = true
		dst = append(dst, conversation.Event{Kind: conversation.Begin, ID: c.id, Model: c.model})
	}
	if c.fault != nil {
		return s.fail(dst, c.fault.code(), c.fault.retryAfter)
	}
	before := s.usage
	s.usage.Merge(c.usage)
	if s.usage != before {
		dst = append(dst, conversation.Event{Kind: conversation.UsageKnown, Usage: s.usage})
	}
	probs := c.logprobs
	for i := range c.parts {
		p := &c.parts[i]
		switch p.kind {
		case conversation.PartCall:
			dst = s.call(dst, p, c.id)
		case conversation.PartText, conversation.PartThinking:
			if p.text != "" {
				dst = s.text(dst, p)
				if p.kind == conversation.PartText {
					dst[len(dst)-1].Logprobs, probs = probs, nil
				}
			}
		}
		if p.signature != "" && p.kind != conversation.PartCall {
			dst = s.signature(dst, p)
		}
	}
	if c.reason != 0 {
		s.reason, s.broken = c.reason, c.broken
	}
	if c.blocked && s.reason == 0 {
		s.reason = conversation.Filtered
	}
	return dst
}

func (s *state) text(dst []conversation.Event, p *answerPart) []conversation.Event {
	if s.open != p.kind {
		dst = s.close(dst)
		s.open = p.kind
		dst = append(dst, conversation.Event{Kind: conversation.PartBegin, Index: s.index, Part: p.kind})
	}
	return append(dst, conversation.Event{Kind: conversation.Delta, Index: s.index, Text: p.text})
}

// signature takes the signature of reasoning, which ends with it, or of a text, for which no other protocol has a place:
// it becomes reasoning withheld, after the text.
func (s *state) signature(dst []conversation.Event, p *answerPart) []conversation.Event {
	if p.kind != conversation.PartThinking || s.open != conversation.PartThinking {
		dst = s.close(dst)
		s.open = conversation.PartThinking
		dst = append(dst, conversation.Event{Kind: conversation.PartBegin, Index: s.index, Part: conversation.PartThinking})
	}
	dst = append(dst, conversation.Event{
		Kind: conversation.Signed, Index: s.index, Signature: conversation.Signature{By: protocol, Value: p.signature},
	})
	return s.close(dst)
}

// call takes a call, which comes in one piece.
func (s *state) call(dst []conversation.Event, p *answerPart, answerID string) []conversation.Event {
	dst = s.close(dst)
	id := p.id
	if id == "" {
		if answerID == "" {
			answerID = s.salt
		}
		id = conversation.CallID(answerID, s.calls)
	}
	s.calls++
	s.open = conversation.PartCall
	dst = append(dst, conversation.Event{
		Kind: conversation.PartBegin, Index: s.index, Part: conversation.PartCall,
		Call: conversation.Call{ID: id, Name: cmp.Or(s.names[p.name], p.name)},
	})
	if p.arguments != "" && p.arguments != "{}" {
		dst = append(dst, conversation.Event{Kind: conversation.Delta, Index: s.index, Text: p.arguments})
	}
	if p.signature != "" {
		dst = append(dst, conversation.Event{
			Kind: conversation.Signed, Index: s.index, Signature: conversation.Signature{By: protocol, Value: p.signature},
		})
	}
	return s.close(dst)
}

// close ends the open part, if there is one.
func (s *state) close(dst []conversation.Event) []conversation.Event {
	if s.open == 0 {
		return dst
	}
	s.open = 0
	s.index++
	return append(dst, conversation.Event{Kind: conversation.PartEnd, Index: s.index - 1})
}

func (s *state) fail(dst []conversation.Event, code dialect.Code, retryAfter string) []conversation.Event {
	s.done = true
	return append(dst, conversation.Event{
		Kind: conversation.Failed, Failure: conversation.Failure{Code: string(code), RetryAfter: retryAfter},
	})
}

// finish ends the answer. A call that the model did not get right is the backend's failure: there is nothing that a tool
// could do but ask again.
func (s *state) finish(dst []conversation.Event) []conversation.Event {
	if s.broken {
		return s.fail(dst, dialect.CodeBackendError, "")
	}
	dst = s.close(dst)
	reason := s.reason
	if reason == 0 {
		reason = conversation.Stopped
	}
	if reason == conversation.Stopped && s.calls > 0 {
		reason = conversation.ToolCalls
	}
	s.done = true
	return append(dst, conversation.Event{Kind: conversation.Finish, Reason: reason})
}
