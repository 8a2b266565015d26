// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/translate"
	"github.com/tokengo/tokengo/service"
)

// toldError ends the reading of a translated answer that failed, when the tool has been told so in it.
type toldError struct{ code dialect.Code }

func (e *toldError) Error() string { return "the answer failed: " + string(e.code) }

// dispatchTranslated has the request answered by a backend that offers the model and does not speak what the tool speaks:
// another protocol, or only chat completions of OpenAI's two APIs. What needs no backend the exit answers itself.
func (x *exchange) dispatchTranslated(ctx context.Context, offer *offer, model string, q *asked) result {
	s, ok := offer.find(q.op.Protocol, model)
	if !ok {
		s, ok = offer.findTranslated(q.op, model)
	}
	if !ok {
		return x.fail(offer.unknownModel(q.op))
	}
	if res, answered := x.answerAlone(q, &s.described); answered {
		return res
	}
	t, fail := translate.New(q.op, q.body, translate.Target{
		Protocol: s.backend.protocol, Model: s.model, MaxOutput: s.described.MaxOutput, MaxCtx: s.described.MaxCtx,
		ID: rand.Text(), Created: x.handler.cfg.Clock().Unix(),
	})
	if fail != nil {
		return x.fail(fail)
	}
	if beta := dialect.BetaField(q.op.Protocol); beta != "" && len(q.header[textproto.CanonicalMIMEHeaderKey(beta)]) > 0 {
		t.Dropped = append(t.Dropped, beta)
	}
	x.handler.metrics.translated(q.op.Protocol, s.backend.protocol, t.Dropped)
	return x.within(s, func() result { return x.askTranslated(ctx, s.backend, t) })
}

// answerAlone answers what needs no backend, from the model's description or by counting.
func (x *exchange) answerAlone(q *asked, m *service.Model) (res result, answered bool) {
	if q.op.Kind == dialect.ShowModel {
		return x.knownJSON(dialect.ShowBody(shown(m))), true
	}
	answer, local, fail := translate.Local(q.op, q.body)
	switch {
	case fail != nil:
		return x.fail(fail), true
	case local:
		return x.knownJSON(answer), true
	}
	return result{}, false
}

// askTranslated sends a translated request.
func (x *exchange) askTranslated(ctx context.Context, b *backend, t *translate.Exchange) result {
	q := &asked{
		op: dialect.Operation{Protocol: b.protocol, Path: t.Path}, method: http.MethodPost,
		header: http.Header{"Content-Type": {defaultContentType}}, body: t.Body,
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
	beat := newPulse(c, idleInterval)
	defer beat.stop(c.abandon)
	src := newTranslated(c, t)
	src.src = beat
	return x.passStream(ctx, c, src, resp, false)
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
// may hold what concerns the exit alone. A model that cannot think is asked again without.
func (x *exchange) passTranslatedError(ctx context.Context, c *call, t *translate.Exchange) result {
	if x.cannotEmbed(c) {
		return x.fail(errNoEmbeddings)
	}
	e := meaning(c)
	if e.Code == dialect.CodeBackendRejected {
		status := c.resp.StatusCode
		body, err := c.readAll(maxErrorBody)
		if ctx.Err() != nil {
			return x.gone()
		}
		if err == nil {
			if again, ok := t.WithoutReasoning(status, body); ok {
				c.resp.Body.Close()
				return x.askTranslated(ctx, c.backend, again)
			}
			if code := t.ErrorCode(status, body); code != e.Code {
				e = &dialect.Error{Code: code}
			}
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
