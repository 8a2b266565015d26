// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/dialect/wire"
)

// Reader reads the streamed answer of a Chat Completions backend. It is for one answer and not safe for concurrent use.
type Reader struct {
	sse    wire.SSE
	answer assembler
}

// NewReader returns a Reader of the answer to req.
func NewReader(req *conversation.Request) *Reader { return &Reader{answer: newAssembler(req)} }

// Feed takes the next bytes of the answer, cut anywhere, and appends the events that they make to dst. An error wraps
// ErrMalformed or is [wire.ErrTooLong], and ends the answer; events before it are good.
func (r *Reader) Feed(dst []conversation.Event, p []byte) ([]conversation.Event, error) {
	r.answer.out = dst
	err := r.sse.Feed(p, r.event)
	return r.answer.take(), err
}

// End tells that there are no more bytes and appends the last events. ErrCut says that the answer was not complete: it
// had neither a finish reason nor the last marker.
func (r *Reader) End(dst []conversation.Event) ([]conversation.Event, error) {
	r.answer.out = dst
	err := r.sse.End(r.event)
	a := &r.answer
	switch {
	case a.done:
	case errors.Is(err, ErrMalformed): // half an event
		err = ErrCut
	case err != nil:
	case a.reason == 0:
		err = ErrCut
	default:
		err = a.finish()
	}
	return a.take(), err
}

var doneMarker = []byte("[DONE]")

func (r *Reader) event(name string, data []byte) error {
	a := &r.answer
	data = bytes.TrimSpace(data)
	switch {
	case a.done || len(data) == 0:
		return nil
	case bytes.Equal(data, doneMarker):
		return a.finish()
	}
	if err := a.chunk.parse(data); err != nil {
		return malformed(err)
	}
	if name == "error" && !a.chunk.failed {
		a.chunk.failed, a.chunk.fault = true, openaiapi.ReadFault(wire.Parse(data))
	}
	return a.add()
}

func malformed(err error) error {
	if errors.Is(err, ErrMalformed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}

// DecodeAnswer reads a whole answer as the events that a stream of it would make. An error wraps ErrMalformed.
func DecodeAnswer(req *conversation.Request, body []byte) ([]conversation.Event, error) {
	a := newAssembler(req)
	if err := a.chunk.parse(body); err != nil {
		return nil, malformed(err)
	}
	if !a.chunk.failed && !a.chunk.chosen {
		return nil, fmt.Errorf("%w: it has no choice", ErrMalformed)
	}
	if err := a.add(); err != nil {
		return nil, err
	}
	if err := a.finish(); err != nil {
		return nil, err
	}
	return a.take(), nil
}
