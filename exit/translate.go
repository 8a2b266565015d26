// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/translate"
)

// toldError ends the reading of a translated answer that failed, when the tool has been told so in it.
type toldError struct{ code dialect.Code }

func (e *toldError) Error() string { return "the answer failed: " + string(e.code) }

// dispatchTranslated has the request answered by a backend that offers the model over another protocol.
func (x *exchange) dispatchTranslated(ctx context.Context, offer *offer, model string, q *asked) result {
	b, published, ok := offer.findTranslated(q.op, model)
	if !ok {
		return x.fail(offer.unknownModel(q.op.Protocol))
	}
	if id, aliased := b.aliases[published]; aliased {
		published = id
	}
	if answer, local, fail := translate.Local(q.op, q.body); fail != nil {
		return x.fail(fail)
	} else if local {
		return x.known(&bhttp.Response{Status: http.StatusOK, Fields: fieldsJSON}, answer)
	}
	t, fail := translate.New(q.op, q.body, translate.Target{
		Protocol: b.protocol, Model: published, ID: rand.Text(), Created: x.handler.cfg.Clock().Unix(),
	})
	if fail != nil {
		return x.fail(fail)
	}
	x.handler.metrics.translated(q.op.Protocol, b.protocol, t.Dropped)
	q = &asked{
		op: dialect.Operation{Protocol: b.protocol, Path: t.Path}, method: http.MethodPost,
		header: http.Header{"Content-Type": {"application/json"}}, body: t.Body,
	}
	return x.ask(ctx, b, q, func(ctx context.Context, c *call) result { return x.passTranslated(ctx, c, t) })
}

// passTranslated sends the backend's answer on in the tool's protocol.
func (x *exchange) passTranslated(ctx context.Context, c *call, t *translate.Exchange) result {
	switch status := c.resp.StatusCode; {
	case status < 200 || status > 299:
		return x.passTranslatedError(ctx, c, t)
	case encoded(c.resp):
		return x.failed(ctx, c.backend, dialect.CodeBackendError, nil)
	}
	resp := &bhttp.Response{Status: http.StatusOK, Fields: translatedFields(t)}
	limit := x.handler.cfg.MaxAnswerBytes
	switch {
	case !t.Stream:
		body, err := c.readAll(limit)
		if err != nil {
			return x.failed(ctx, c.backend, c.code(), err)
		}
		out, err := t.Answer(body)
		return x.translatedWhole(ctx, c, resp, out, err)
	case x.answer.whole:
		out, err := io.ReadAll(io.LimitReader(newTranslated(c, t), limit+1))
		if int64(len(out)) > limit {
			err = errTooLong
		}
		return x.translatedWhole(ctx, c, resp, out, err)
	}
	return x.passStream(ctx, c, newTranslated(c, t), resp, false)
}

func (x *exchange) translatedWhole(ctx context.Context, c *call, resp *bhttp.Response, out []byte, err error) result {
	var told *dialect.Error
	switch {
	case errors.As(err, &told):
		c.backend.complaints.about(told.Code, nil)
		return x.fail(told)
	case err != nil && !isTold(err):
		return x.failed(ctx, c.backend, dialect.CodeBackendError, nil)
	}
	return x.known(resp, out)
}

// passTranslatedError tells the tool the class of a backend's error; the text is of another protocol and
// may hold what concerns the exit alone.
func (x *exchange) passTranslatedError(ctx context.Context, c *call, t *translate.Exchange) result {
	e := meaning(c.resp)
	if e.Code == dialect.CodeBackendRejected {
		body, err := c.readAll(maxErrorBody)
		if ctx.Err() != nil {
			return x.gone()
		}
		if code := t.ErrorCode(c.resp.StatusCode, body); err == nil && code != e.Code {
			e = &dialect.Error{Code: code}
		}
	}
	c.backend.complaints.about(e.Code, nil)
	return x.fail(e)
}

func translatedFields(t *translate.Exchange) bhttp.Fields {
	fields := bhttp.Fields{{Name: "content-type", Value: t.ContentType()}}
	if len(t.Dropped) > 0 {
		fields = append(fields, bhttp.Field{Name: dialect.FieldDropped, Value: droppedList(t.Dropped)})
	}
	return fields
}

// droppedList is a field value. Names that a tool made up may hold anything, and are shown as far as they
// can stand in a field.
func droppedList(names []string) string {
	const most = 1 << 10
	list := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, strings.Join(names, ", "))
	return strings.TrimSpace(list[:min(len(list), most)])
}

func isTold(err error) bool {
	var told *toldError
	return errors.As(err, &told)
}

// translated reads a stream of the backend's as one of the tool's protocol. Where that one fails, so does
// this, in the protocol's own way; its error is then a *toldError.
type translated struct {
	src   *call
	t     *translate.Exchange
	in    []byte
	out   []byte // memory of left
	left  []byte // translated and not yet read
	begun bool   // the tool was sent something
	err   error  // what comes after left
}

func newTranslated(src *call, t *translate.Exchange) *translated {
	return &translated{src: src, t: t, in: make([]byte, 4<<10)}
}

// Read implements [io.Reader].
func (r *translated) Read(p []byte) (int, error) {
	for len(r.left) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.next()
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// next translates one read of the source.
func (r *translated) next() {
	n, err := r.src.Read(r.in)
	out, failed := r.t.Feed(r.out[:0], r.in[:n])
	if failed == nil && errors.Is(err, io.EOF) {
		if out, failed = r.t.End(out); failed == nil {
			r.err = io.EOF
		}
	} else if failed == nil {
		failed = err
	}
	switch {
	case failed == nil:
	case errors.Is(failed, translate.ErrFailed):
		r.err = &toldError{dialect.CodeBackendError}
	case !r.begun && len(out) == 0:
		r.err = failed // nothing was sent: the failure can still be told with its status
	default:
		r.err = &toldError{r.src.code()}
		out = r.t.Break(out, r.src.code())
	}
	r.begun = r.begun || len(out) > 0
	r.out, r.left = out, out
}
