// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/shape"
)

// chunks sends each piece of Binary HTTP as one sealed chunk.
type chunks struct {
	*ohttp.ResponseSealer
	control *http.ResponseController
}

// Flush implements [shape.Sink].
func (c chunks) Flush() error {
	if err := c.control.Flush(); err != nil {
		return fmt.Errorf("send answer: %w", err)
	}
	return nil
}

// cells sends Binary HTTP in cells, by a schedule that it does not influence.
type cells struct {
	*shape.Writer
	ended chan error // has how the schedule ended
}

// Flush implements [shape.Sink]. It does nothing: the schedule says when.
func (c *cells) Flush() error { return nil }

// askedShape is the mode that a request asks for inside its seal.
func askedShape(fields bhttp.Fields) (shape.Mode, *fault) {
	value := fields.Get(shape.Field)
	if value == "" {
		return shape.Off, nil
	}
	mode, err := shape.Parse(value)
	if err != nil {
		return "", &fault{status: http.StatusBadRequest, title: "The field " + shape.Field + " is off, pad or constant"}
	}
	return mode, nil
}

// shape has the answer sent in the way of mode from now on. Nothing may have been sent. [answer.settle]
// must follow: it waits for the goroutine that sends cells.
func (a *answer) shape(ctx context.Context, mode shape.Mode) *fault {
	switch {
	case mode == shape.Off:
		return nil
	case a.whole && mode == shape.Pad:
		a.padded = true
		return nil
	case a.whole:
		return &fault{status: http.StatusBadRequest, title: "An answer can only be paced as " + ohttp.Chunked.ResponseType()}
	}
	w, err := shape.NewWriter(mode, a.sink)
	if err != nil {
		return &faultSeal
	}
	c := &cells{Writer: w, ended: make(chan error, 1)}
	a.sink, a.cells = c, c
	go func() { c.ended <- w.Run(ctx) }()
	return nil
}

// settle waits until everything of the answer, padding too, has been sent, and reports whether it must be
// seen to have broken off. One that goes in cells tells only its reader. On no answer it changes nothing.
func (a *answer) settle(broken bool) bool {
	if a == nil || a.cells == nil {
		return broken
	}
	a.cells.Cut()
	return <-a.cells.ended != nil
}
