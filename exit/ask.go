// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/translate"
	"github.com/tokengo/tokengo/service"
)

// call is one request to a backend.
type call struct {
	backend *backend
	silence *time.Timer  // ends the call and sets silent
	silent  *atomic.Bool // the backend was, for too long
	stall   time.Duration
	cancel  context.CancelFunc
	resp    *http.Response
}

// abandon ends the call at once, also while another goroutine reads from it.
func (c *call) abandon() {
	c.cancel()
	c.resp.Body.Close()
}

// ask sends the request to the backend and has pass send its answer to the client.
func (x *exchange) ask(ctx context.Context, b *backend, q *asked, pass func(context.Context, *call) result) result {
	cfg := &x.handler.cfg
	callCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	silent := new(atomic.Bool)
	silence := time.AfterFunc(cfg.BackendHeaderTimeout, func() {
		silent.Store(true)
		cancel()
	})
	defer silence.Stop()
	begin := time.Now()
	defer func() { x.handler.metrics.took(b.protocol, time.Since(begin)) }()

	r, err := b.request(callCtx, q)
	if err != nil {
		return x.fail(&dialect.Error{Code: dialect.CodeInternal})
	}
	resp, err := b.transport.RoundTrip(r)
	silence.Stop()
	if err != nil {
		return x.failed(ctx, b, roundTripCode(callCtx, err), err)
	}
	defer resp.Body.Close()
	return pass(ctx, &call{backend: b, silence: silence, silent: silent, stall: cfg.StallTimeout, cancel: cancel, resp: resp})
}

// roundTripCode says why there is no answer.
func roundTripCode(ctx context.Context, err error) dialect.Code {
	switch {
	case ctx.Err() != nil:
		return dialect.CodeBackendTimeout
	case unreachable(err):
		return dialect.CodeBackendUnreachable
	default:
		return dialect.CodeBackendCut
	}
}

// failed answers a request that the backend did not, if there is still somebody to answer.
func (x *exchange) failed(ctx context.Context, b *backend, code dialect.Code, err error) result {
	if ctx.Err() != nil {
		return x.gone()
	}
	b.complaints.about(code, err)
	return x.fail(&dialect.Error{Code: code})
}

// Read reads the backend's answer, and ends the call when nothing comes for too long. How long the
// client takes to accept what was read does not count.
func (c *call) Read(p []byte) (int, error) {
	c.silence.Reset(c.stall)
	n, err := c.resp.Body.Read(p)
	c.silence.Stop()
	return n, err
}

// code says why reading failed.
func (c *call) code() dialect.Code {
	if c.silent.Load() {
		return dialect.CodeBackendTimeout
	}
	return dialect.CodeBackendCut
}

// pass sends the backend's answer on, or what it means.
func (x *exchange) pass(ctx context.Context, c *call) result {
	switch status := c.resp.StatusCode; {
	case status >= 200 && status <= 299:
		return x.passAnswer(ctx, c)
	case passedErrors[status]:
		return x.passError(ctx, c)
	case x.cannotEmbed(c):
		return x.fail(errNoEmbeddings)
	default:
		e := meaning(c)
		c.backend.complaints.about(e.Code, nil)
		return x.fail(e)
	}
}

// passedErrors are the statuses that are about the request, so that the tool needs to read why: a
// context that is too long, a parameter that is out of range.
var passedErrors = map[int]bool{
	http.StatusBadRequest:            true,
	http.StatusNotFound:              true,
	http.StatusConflict:              true,
	http.StatusRequestEntityTooLarge: true,
	http.StatusUnprocessableEntity:   true,
}

// errNoEmbeddings is for a request for embeddings of a model that makes none, as it turns out.
var errNoEmbeddings = &dialect.Error{
	Code:    dialect.CodeInvalidRequest,
	Message: "The model does not make embeddings. Use one that does: `tokengo exits find --features embedding` shows them.",
}

// cannotEmbed reports whether an error says that the model that was asked for embeddings makes none: then the request is
// at fault, and neither the backend nor the exit has failed. It reads an answer that may say so.
func (x *exchange) cannotEmbed(c *call) bool {
	status := c.resp.StatusCode
	if x.answer.op.Kind != dialect.Embedding || status != http.StatusInternalServerError && status != http.StatusNotImplemented {
		return false
	}
	body, err := c.readAll(maxErrorBody)
	return err == nil && translate.EmbeddingRefused(c.backend.protocol, status, body)
}

// meaning is what an answer means whose text is not passed on, because it is about the exit and may hold
// the exit's credentials.
func meaning(c *call) *dialect.Error {
	status := c.resp.StatusCode
	switch {
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired, status == http.StatusForbidden:
		return &dialect.Error{Code: dialect.CodeBackendAuth}
	case status == http.StatusTooManyRequests:
		return &dialect.Error{Code: dialect.CodeBackendRateLimited, RetryAfter: c.retryAfter()}
	case status == http.StatusServiceUnavailable, status == statusOverloaded:
		return &dialect.Error{Code: dialect.CodeBackendOverloaded, Status: status, RetryAfter: c.retryAfter()}
	case status == http.StatusRequestTimeout:
		return &dialect.Error{Code: dialect.CodeBackendTimeout}
	case status >= 500 && status <= 599:
		return &dialect.Error{Code: dialect.CodeBackendError, Status: status}
	case status >= 400 && status <= 499:
		return &dialect.Error{Code: dialect.CodeBackendRejected, Status: status}
	default: // a redirection, which an exit does not follow, or no status of HTTP
		return &dialect.Error{Code: dialect.CodeBackendError, Status: http.StatusBadGateway}
	}
}

// retryAfter is how many seconds the backend wants to be left alone, by its header or by the body of its error.
func (c *call) retryAfter() string {
	if after := retryAfter(c.resp.Header, time.Now()); after != "" || c.backend.protocol != service.Gemini {
		return after
	}
	body, err := c.readAll(maxErrorBody)
	if err != nil {
		return ""
	}
	return translate.RetryAfter(c.backend.protocol, body)
}

// retryAfter is the field of that name in seconds, rounded up (RFC 9110 section 10.2.3).
func retryAfter(h http.Header, now time.Time) string {
	value := h.Get("Retry-After")
	at, err := http.ParseTime(value)
	if err != nil {
		return value // dialect passes on digits only
	}
	return strconv.Itoa(int(max(0, math.Ceil(at.Sub(now).Seconds()))))
}

// passError passes an error's text on if it is one that a tool can read and does not hold the key.
func (x *exchange) passError(ctx context.Context, c *call) result {
	coded := &dialect.Error{Code: dialect.CodeBackendRejected, Status: c.resp.StatusCode}
	if mediaType(c.resp) != "application/json" || encoded(c.resp) {
		return x.fail(coded)
	}
	body, err := c.readAll(maxErrorBody)
	switch {
	case ctx.Err() != nil:
		return x.gone()
	case err != nil || c.backend.key.In(body):
		return x.fail(coded)
	}
	resp := &bhttp.Response{Status: c.resp.StatusCode, Fields: responseFields(c.resp.Header)}
	return x.as(outcomeRejected, resp, body)
}

// passAnswer sends an answer on: in one piece where it is small or cannot be streamed, in full chunks
// where it is of use only as a whole, and else each read at once.
func (x *exchange) passAnswer(ctx context.Context, c *call) result {
	if encoded(c.resp) {
		return x.failed(ctx, c.backend, dialect.CodeBackendError, nil)
	}
	resp := &bhttp.Response{Status: c.resp.StatusCode, Fields: responseFields(c.resp.Header)}
	switch length := c.resp.ContentLength; {
	case x.answer.whole:
		return x.passWhole(ctx, c, resp, x.handler.cfg.MaxAnswerBytes)
	case length >= 0 && length <= smallAnswer:
		return x.passWhole(ctx, c, resp, smallAnswer)
	default:
		return x.passStream(ctx, c, x.source(c, c.resp), resp, mediaType(c.resp) == "application/json" && !x.answer.op.Stream)
	}
}

func (x *exchange) passWhole(ctx context.Context, c *call, resp *bhttp.Response, limit int64) result {
	body, err := c.readAll(limit)
	switch {
	case ctx.Err() != nil:
		return x.gone()
	case errors.Is(err, errTooLong):
		return x.fail(&dialect.Error{
			Code: dialect.CodeBackendError, Status: http.StatusBadGateway,
			Message: fmt.Sprintf("The answer is larger than the %d bytes that an exit sends in one piece. "+
				"Send the request as chunked Oblivious HTTP.", limit),
		})
	case err != nil:
		return x.failed(ctx, c.backend, c.code(), nil)
	}
	return x.known(resp, body)
}

// passStream sends content on as it arrives from src, which reads from c.
func (x *exchange) passStream(ctx context.Context, c *call, src io.Reader, resp *bhttp.Response, coalesce bool) result {
	s, err := x.answer.newStream(resp, coalesce)
	if err != nil {
		return x.failed(ctx, c.backend, dialect.CodeBackendError, nil)
	}
	defer s.release()
	readErr, sendErr := s.copy(src)
	var told *toldError
	var failure *dialect.Error
	switch {
	case sendErr != nil || ctx.Err() != nil && readErr != nil:
		return x.gone()
	case readErr == nil:
		return x.result(outcomeOK)
	case errors.As(readErr, &told) && s.begun:
		c.backend.complaints.about(told.code, nil)
		if s.endFailed(told.code) != nil {
			return x.gone()
		}
		return x.result(outcome(told.code))
	case !s.begun && errors.As(readErr, &failure):
		c.backend.complaints.about(failure.Code, nil)
		return x.fail(failure)
	case !s.begun:
		return x.failed(ctx, c.backend, c.code(), nil)
	}
	code := c.code()
	c.backend.complaints.about(code, nil)
	inBand, err := s.fail(&dialect.Error{Code: code}, resp.Fields.Get("content-type"))
	if err != nil || !inBand {
		return x.broken(outcome(code))
	}
	return x.result(outcome(code))
}

var errTooLong = errors.New("longer than allowed")

// readAll reads the answer to its end.
func (c *call) readAll(limit int64) ([]byte, error) {
	var b bytes.Buffer
	if n := c.resp.ContentLength; n > 0 {
		b.Grow(int(min(n, maxHint)) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(c, limit+1)); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if int64(b.Len()) > limit {
		return nil, errTooLong
	}
	return b.Bytes(), nil
}

// encoded reports whether an answer is compressed, which was not asked for.
func encoded(resp *http.Response) bool {
	e := resp.Header.Get("Content-Encoding")
	return e != "" && e != "identity"
}

// mediaType is an answer's, without parameters.
func mediaType(resp *http.Response) string {
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(media))
}
