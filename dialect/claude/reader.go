// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// Reader reads one streamed answer of a backend.
type Reader struct {
	sse wire.SSE
	answerEvents
	dst  []conversation.Event
	each func(name string, data []byte) error // made once, so that nothing is allocated for each piece
}

// NewReader returns a reader of the answer to req.
func NewReader(req *conversation.Request) *Reader {
	r := &Reader{answerEvents: answerEvents{names: functionNames.Originals(req)}}
	r.each = r.event
	return r
}

// Feed takes the next piece of the stream, of any size, and appends the events that it completes. The error wraps
// [ErrMalformed]; after it the reader is of no more use.
func (r *Reader) Feed(dst []conversation.Event, p []byte) ([]conversation.Event, error) {
	r.dst = dst
	err := r.sse.Feed(p, r.each)
	return r.taken(), wrapMalformed(err)
}

// End tells that the stream is over. The error is [ErrCut] when the backend had not finished: it sent neither a reason
// to stop nor an error.
func (r *Reader) End(dst []conversation.Event) ([]conversation.Event, error) {
	r.dst = dst
	err := r.sse.End(r.each)
	switch {
	case errors.Is(err, errEvent): // half of one
		return r.taken(), ErrCut
	case err != nil:
		return r.taken(), wrapMalformed(err)
	case r.over:
	case r.reason != "":
		r.dst = r.finish(r.dst)
	default:
		return r.taken(), ErrCut
	}
	return r.taken(), nil
}

func (r *Reader) taken() []conversation.Event {
	dst := r.dst
	r.dst = nil
	return dst
}

func wrapMalformed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}

// streamEvent is any event of a stream. What comes once in a block or an answer is not looked into yet.
type streamEvent struct {
	kind                         string
	index                        int
	delta                        streamDelta
	message, block, usage, fault json.RawMessage
}

// streamDelta is what is new: of a block, or of the message at its end.
type streamDelta struct {
	kind, text, partialJSON, thinking, signature string
	stopReason, stopSequence                     string
}

// parse reads one event in one pass, because most events are small and many.
func (e *streamEvent) parse(data []byte) error {
	p := wire.Parse(data)
	isObject := p.Object(func(key []byte) {
		switch string(key) {
		case "type":
			e.kind = p.String()
		case "index":
			e.index = p.Int()
		case "delta":
			e.delta.parse(p)
		case "message":
			e.message = p.Raw()
		case "content_block":
			e.block = p.Raw()
		case "usage":
			e.usage = p.Raw()
		case "error":
			e.fault = p.Raw()
		}
	})
	if p.End() != nil || !isObject {
		return errEvent
	}
	return nil
}

func (d *streamDelta) parse(p *wire.Parser) {
	p.Object(func(key []byte) {
		switch string(key) {
		case "type":
			d.kind = p.String()
		case "text":
			d.text = p.String()
		case "partial_json":
			d.partialJSON = p.String()
		case "thinking":
			d.thinking = p.String()
		case "signature":
			d.signature = p.String()
		case "stop_reason":
			d.stopReason = p.String()
		case "stop_sequence":
			d.stopSequence = p.String()
		}
	})
}

// decoded is a part of an event, nil when it is not there.
func decoded[T any](raw json.RawMessage) (*T, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var v T
	if json.Unmarshal(raw, &v) != nil {
		return nil, errEvent
	}
	return &v, nil
}

// errEvent says no more, because what encoding/json says quotes the backend.
var errEvent = errors.New("an event is not JSON of the protocol's form")

func (r *Reader) event(name string, data []byte) error {
	if r.over || string(data) == "[DONE]" { // which some servers send after the end
		return nil
	}
	var e streamEvent
	if err := e.parse(data); err != nil {
		return err
	}
	if e.kind == "" {
		e.kind = name
	}
	switch e.kind {
	case "message_start":
		return r.start(&e)
	case "content_block_start":
		r.begun()
		return r.block(&e)
	case "content_block_delta":
		r.begun()
		r.delta(&e)
	case "content_block_stop":
		r.dst = r.endPart(r.dst, e.index)
	case "message_delta":
		r.begun()
		return r.messageDelta(&e)
	case "message_stop":
		r.begun()
		r.dst = r.finish(r.dst)
	case "error":
		r.begun()
		fault, err := decoded[apiError](e.fault)
		r.dst = r.fail(r.dst, fault)
		return err
	}
	return nil
}

func (r *Reader) start(e *streamEvent) error {
	m, err := decoded[answerBody](e.message)
	if m == nil {
		m = &answerBody{}
	}
	if r.began {
		r.dst = r.addUsage(r.dst, m.Usage)
	} else {
		r.dst = r.begin(r.dst, m)
	}
	return err
}

func (r *Reader) block(e *streamEvent) error {
	b, err := decoded[answerPart](e.block)
	if b != nil {
		r.dst = r.beginPart(r.dst, e.index, b)
	}
	return err
}

func (r *Reader) messageDelta(e *streamEvent) error {
	if e.delta.stopReason != "" {
		r.reason, r.stopSequence = e.delta.stopReason, e.delta.stopSequence
	}
	u, err := decoded[usage](e.usage)
	r.dst = r.addUsage(r.dst, u)
	return err
}

// begun makes up for a start that the backend did not send.
func (r *Reader) begun() {
	if !r.began {
		r.dst = r.begin(r.dst, &answerBody{})
	}
}

func (r *Reader) delta(e *streamEvent) {
	d := &e.delta
	p := r.partAt(e.index)
	if p == nil { // without a start
		made := answerPart{Type: typeText}
		switch d.kind {
		case "text_delta":
		case "thinking_delta":
			made.Type = typeThinking
		default:
			return
		}
		r.dst = r.beginPart(r.dst, e.index, &made)
		p = r.partAt(e.index)
	}
	switch d.kind {
	case "text_delta":
		r.dst = p.add(r.dst, d.text)
	case "thinking_delta":
		r.dst = p.add(r.dst, d.thinking)
	case "input_json_delta":
		r.dst = p.add(r.dst, d.partialJSON)
	case "signature_delta":
		p.signature += d.signature
	}
}
