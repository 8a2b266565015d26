// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
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
	source ahead         // of the content: inner's
	cells  *shape.Reader // what inner is read from, nil when it is not in cells
	outer  io.Closer
	cancel context.CancelCauseFunc // ends the exchange with the relay
	detach func() bool             // lets the exchange go on when the tool's request has ended
	watch  *watch                  // runs with Config.AnswerTimeout until anything comes, and then while more is waited for
	stall  time.Duration
	begun  bool      // something of it has come
	due    time.Time // when there must be something to deliver; zero: there is

	to    hop
	meter *meter
	held  []byte  // what came before what is in buf, if that alone was no answer
	buf   *buffer // of what was read to be sure that there is an answer
	n     int     // bytes in buf
	err   error   // what reading ended with

	blamed bool // what it says of its exit was reported already
}

// prime reads an answer until it has begun or shows an error instead (see [dialect.Opening]), or all of one that is of use
// only as a whole and fits into a buffer. It stops before that when enough was held back or waited for. An error means that
// the answer broke off before any of it was delivered, perhaps right behind its first content.
func (a *answer) prime(op dialect.Operation, o *onset) error {
	a.buf = newBuffer(0)
	whole := !op.Stream && isJSONType(a.inner.Fields.Get("content-type"))
	if whole {
		a.buf.fit(largeBuffer)
	}
	for a.err == nil && !a.isPrimed(whole) {
		if a.n == len(*a.buf.bytes) {
			a.held = append(a.held, *a.buf.bytes...)
			a.buf.fit(a.n)
			a.n = 0
		}
		var enough <-chan struct{}
		if len(a.held)+a.n > 0 && !(whole && a.hasBegun()) {
			enough = o.enough
		}
		n, err, came := a.readUntil((*a.buf.bytes)[a.n:], enough)
		if !came {
			return nil
		}
		a.n, a.err = a.n+n, err
		if a.meter.opening.Stage() == dialect.Accepted {
			o.accept()
		}
	}
	if a.err == io.EOF {
		a.meter.opening.End()
		return nil
	}
	return a.err
}

// isPrimed reports whether what has come is enough to be sure that there is an answer.
func (a *answer) isPrimed(whole bool) bool {
	isFull := len(a.held)+a.n >= maxHeld
	if whole && !isFull { // one that a buffer does not hold goes on as it comes
		return a.n == len(*a.buf.bytes) && a.hasBegun()
	}
	return isFull || a.hasBegun()
}

// hasBegun reports whether there is content, or an error in its place.
func (a *answer) hasBegun() bool { return a.meter.opening.Stage() >= dialect.Begun }

// content is all that was read of an answer that is primed.
func (a *answer) content() []byte { return append(bytes.Clone(a.held), (*a.buf.bytes)[:a.n]...) }

// begin makes the answer one that can be delivered.
func (a *answer) begin() *answer {
	a.due = time.Time{}
	return a
}

// patience is how long the next content may take: a while, and until something is delivered no longer than that may take
// in all, or an exit could keep a request from every other for days with a byte a minute.
func (a *answer) patience() time.Duration {
	if a.due.IsZero() {
		return a.stall
	}
	return min(a.stall, time.Until(a.due))
}

// unread puts content back that was read. Err is what reading it ended with.
func (a *answer) unread(content []byte, err error) {
	a.buf = newBuffer(largeBuffer)
	a.held = content[:max(0, len(content)-len(*a.buf.bytes))]
	a.n, a.err = copy(*a.buf.bytes, content[len(a.held):]), err
}

// whole is the answer with content that has been read to its end, which holds on to nothing. Err is how reading ended.
func (a *answer) whole(content []byte, err error) *answer {
	inner := *a.inner
	w := &answer{
		inner: &inner, outer: io.NopCloser(nil), cancel: func(error) {}, detach: func() bool { return true },
		watch: newWatch(func(error) {}, 0, func() error { return nil }), stall: a.stall, to: a.to, meter: a.meter, blamed: true,
	}
	w.unread(content, err)
	return w
}

// end ends the exchange, whatever of the answer has been read.
func (a *answer) end() {
	a.release()
	a.watch.stop()
	a.cancel(nil)
	a.outer.Close()
	a.source.settle()
}

// release gives the memory back that the answer passes through.
func (a *answer) release() {
	a.held = nil
	if a.buf != nil {
		a.buf.release()
		a.buf = nil
	}
}

// errCutByExit is how an answer ends whose exit says, in the sealed trailer, that it is not complete.
var errCutByExit = errors.New("the exit reports that the answer broke off")

// Read returns content as it arrives, and io.EOF only after the exit's proof that it was all. The clock
// runs only while it waits.
func (a *answer) Read(p []byte) (int, error) {
	n, err, _ := a.readUntil(p, nil)
	return n, err
}

// readUntil is Read, but came is false when enough was closed before anything came.
func (a *answer) readUntil(p []byte, enough <-chan struct{}) (n int, err error, came bool) {
	if a.begun {
		a.watch.restart(a.patience())
	}
	if n, err, came = a.source.read(p, enough); !came {
		if a.begun {
			a.watch.stop() // what comes now may wait for a slow tool
		}
		return 0, nil, false
	}
	a.meter.add(p[:n])
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
	return n, err, true
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
	case errors.Is(err, errNoAnswer), errors.Is(err, errSlow):
		return &dialect.Error{Code: dialect.CodeExitTimeout}
	case err == errCutByExit, !begun && errors.Is(err, shape.ErrCut):
		return &dialect.Error{Code: dialect.CodeBackendCut}
	case damaged(err):
		return &dialect.Error{Code: dialect.CodeExitInvalid}
	case err == errLongError:
		return &dialect.Error{
			Code:    dialect.CodeStreamCut,
			Message: "What followed the error in the answer was longer than an error may be. It is not complete.",
		}
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
	t := newTool(w, a, p.cfg.StallTimeout)
	defer t.close()
	defer a.release()
	if gone := t.write(a.held); gone != nil {
		return result{outcome: outcomeCancelled, broken: true}
	}
	a.held = nil
	for {
		if gone := t.write((*a.buf.bytes)[:a.n]); gone != nil {
			return result{outcome: outcomeCancelled, broken: true}
		}
		if a.err != nil {
			return p.finish(op, t, a.err)
		}
		a.buf.fit(a.n)
		a.n, a.err = a.Read(*a.buf.bytes)
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
		return result{outcome: outcome(dialect.CodeBackendCut), broken: true, err: err}
	}
	fail := broken(err, t.begun)
	if !t.begun {
		res := p.fail(t.w, op, fail)
		res.err = err
		return res
	}
	t.write(fail.StreamEventAfter(op, t.contentType, t.tail)) // if the tool is gone, nothing is lost
	return result{outcome: outcome(fail.Code), broken: true, err: err}
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
