// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/shape"
)

// answer is an opened answer whose head has arrived. It must be closed.
type answer struct {
	inner  *bhttp.Response
	cells  *shape.Reader // what inner is read from, nil when it is not in cells
	outer  io.Closer
	cancel context.CancelCauseFunc // ends the exchange with the relay
	detach func() bool             // lets the exchange go on when the tool's request has ended
	watch  *watch                  // runs with Config.AnswerTimeout until there is content
	stall  time.Duration
	begun  bool // there was content
}

// end ends the exchange, whatever of the answer has been read.
func (a *answer) end() {
	a.watch.stop()
	a.cancel(nil)
	a.outer.Close()
}

// errCutByExit is how an answer ends whose exit says, in the sealed trailer, that it is not complete.
var errCutByExit = errors.New("the exit reports that the answer broke off")

// Read returns content as it arrives, and io.EOF only after the exit's proof that it was all. The clock
// runs only while it waits.
func (a *answer) Read(p []byte) (int, error) {
	if a.begun {
		a.watch.restart(a.stall)
	}
	n, err := a.inner.Body.Read(p)
	a.begun = a.begun || n > 0
	if a.begun || err != nil {
		a.watch.stop()
	}
	switch {
	case err == io.EOF && a.inner.Trailer.Get(dialect.FieldError) != "":
		err = errCutByExit
	case err != nil && err != io.EOF:
		err = a.watch.explain(err)
	}
	return n, err
}

// watch cancels an exchange when nothing has come for too long.
type watch struct {
	timer *time.Timer
	cause func() error // why the exchange was cancelled, nil while it was not
}

// errNoAnswer is why an exchange was cancelled that was silent for too long.
var errNoAnswer = errors.New("no answer in time")

func newWatch(cancel context.CancelCauseFunc, d time.Duration, cause func() error) *watch {
	return &watch{timer: time.AfterFunc(d, func() { cancel(errNoAnswer) }), cause: cause}
}

func (w *watch) stop()                   { w.timer.Stop() }
func (w *watch) restart(d time.Duration) { w.timer.Reset(d) }

// explain replaces the error of an exchange that was cancelled by the reason for cancelling it.
func (w *watch) explain(err error) error {
	if cause := w.cause(); cause != nil {
		return cause
	}
	return err
}

// broken says what an answer that did not come to its end means to the tool. Begun tells whether the tool has
// some of it.
func broken(err error, begun bool) *dialect.Error {
	switch {
	case errors.Is(err, errNoAnswer) && begun:
		return &dialect.Error{
			Code:    dialect.CodeStreamCut,
			Message: "Nothing more of the answer came from the exit for too long. The answer is not complete; try again.",
		}
	case errors.Is(err, errNoAnswer):
		return &dialect.Error{Code: dialect.CodeExitTimeout}
	case err == errCutByExit:
		return &dialect.Error{Code: dialect.CodeBackendCut}
	case damaged(err):
		return &dialect.Error{Code: dialect.CodeExitInvalid}
	case begun:
		return &dialect.Error{
			Code:    dialect.CodeStreamCut,
			Message: "The connection to the relay or the exit broke. The answer is not complete; try again.",
		}
	}
	return &dialect.Error{Code: dialect.CodeExitLost}
}

// damaged reports whether an answer arrived that is not what an exit would send.
func damaged(err error) bool {
	for _, kind := range []error{shape.ErrInvalid, ohttp.ErrInvalid, ohttp.ErrTooLarge, bhttp.ErrInvalid, bhttp.ErrTooLarge, bhttp.ErrTruncated} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// answer passes an answer on to the tool, each piece as it comes.
func (p *proxy) answer(w http.ResponseWriter, op dialect.Operation, a *answer) result {
	t := newTool(w, a.inner, p.cfg.StallTimeout)
	defer t.close()
	buf := newBuffer()
	defer buf.release()
	var n int
	var err error
	if !op.Stream && t.isJSON() {
		buf.grow()
		n, err = t.collect(a, *buf.bytes)
	}
	for {
		if gone := t.write((*buf.bytes)[:n]); gone != nil {
			return result{outcome: outcomeCancelled, broken: true}
		}
		if err != nil {
			return p.finish(op, t, err)
		}
		if n == len(*buf.bytes) {
			buf.grow()
		}
		n, err = a.Read(*buf.bytes)
	}
}

// finish ends an answer, properly only when the exit has proved its end.
func (p *proxy) finish(op dialect.Operation, t *tool, err error) result {
	switch {
	case err == io.EOF:
		t.begin()
		return result{outcome: answered(t.head.Status)}
	case errors.Is(err, context.Canceled):
		return result{outcome: outcomeCancelled, broken: true}
	case err == errCutByExit && t.begun: // the exit has told the tool
		return result{outcome: outcome(dialect.CodeBackendCut), broken: true}
	}
	fail := broken(err, t.begun)
	if !t.begun {
		return p.fail(t.w, op, fail)
	}
	t.write(fail.StreamEventAfter(op, t.contentType, t.tail)) // if the tool is gone, nothing is lost
	return result{outcome: outcome(fail.Code), broken: true}
}

func answered(status int) outcome {
	switch {
	case status >= 500:
		return outcomeServerError
	case status >= 400:
		return outcomeClientError
	}
	return outcomeOK
}
