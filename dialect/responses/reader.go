// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// Reader reads the streamed answer of a Responses backend. It is for one answer.
type Reader struct {
	sse    wire.SSE
	answer assembler
	chunk  chunk
	each   func(name string, data []byte) error // made once, so that nothing is allocated for each piece
}

// NewReader returns a Reader of the answer to req.
func NewReader(req *conversation.Request) *Reader {
	r := &Reader{answer: newAssembler(req)}
	r.each = r.event
	return r
}

// Feed takes the next bytes of the answer, cut anywhere, and appends the events that they make to dst. The error wraps
// [ErrMalformed] and ends the answer; events before it are good.
func (r *Reader) Feed(dst []conversation.Event, p []byte) ([]conversation.Event, error) {
	r.answer.out = dst
	err := r.sse.Feed(p, r.each)
	return r.answer.take(), malformed(err)
}

// End tells that there are no more bytes. The error is [ErrCut] when the answer was not complete: the backend sent
// neither how it ended nor an error.
func (r *Reader) End(dst []conversation.Event) ([]conversation.Event, error) {
	r.answer.out = dst
	err := r.sse.End(r.each)
	switch {
	case r.answer.over:
		err = nil
	case errors.Is(err, wire.ErrTooLong):
		err = malformed(err)
	default: // what is left may be half an event
		err = ErrCut
	}
	return r.answer.take(), err
}

func malformed(err error) error {
	if err == nil || errors.Is(err, ErrMalformed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}

var doneMarker = []byte("[DONE]")

func (r *Reader) event(name string, data []byte) error {
	data = bytes.TrimSpace(data)
	if r.answer.over || len(data) == 0 || bytes.Equal(data, doneMarker) {
		return nil
	}
	if err := r.chunk.parse(data); err != nil {
		return fmt.Errorf("read an event: %w", err)
	}
	if r.chunk.kind == "" {
		r.chunk.kind = name
	}
	r.answer.event(&r.chunk)
	return nil
}

// DecodeAnswer reads a whole answer as the events that a stream of it would make. The error wraps [ErrMalformed].
func DecodeAnswer(req *conversation.Request, body []byte) ([]conversation.Event, error) {
	p := wire.Parse(body)
	if p.Kind() != wire.ObjectValue {
		return nil, fmt.Errorf("%w: it is no object", ErrMalformed)
	}
	var b answerBody
	b.read(p)
	if err := p.End(); err != nil {
		return nil, malformed(fmt.Errorf("read an answer: %w", err))
	}
	if !b.hasOutput && b.fault == nil {
		return nil, fmt.Errorf("%w: it has no output", ErrMalformed)
	}
	a := newAssembler(req)
	a.begin(&b)
	a.finish(&b)
	return a.take(), nil
}
