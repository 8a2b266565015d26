// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

// handler answers the sealed requests of all tunnels.
type handler struct {
	cfg     Config
	metrics *metrics
	keyring atomic.Pointer[ohttp.Keyring]
	offer   atomic.Pointer[offer]
	replays *replays
	slots   chan struct{} // one for each request that is worked on
	held    atomic.Int64  // bytes of the requests at hand
}

func newHandler(cfg Config, m *metrics) *handler {
	return &handler{cfg: cfg, metrics: m, slots: make(chan struct{}, cfg.MaxConcurrent)}
}

// result is how a request ended.
type result struct {
	protocol service.Protocol // "" when it was not learnt
	kind     dialect.Kind
	outcome  outcome
	broken   bool // the answer must be seen to have broken off
}

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.metrics.inFlight.Inc()
	defer h.metrics.inFlight.Dec()
	begin := time.Now()
	res, a := h.serve(w, r)
	h.metrics.count(res)
	h.cfg.Logger.Debug("request", "protocol", string(res.protocol), "kind", res.kind.String(),
		"outcome", string(res.outcome), "took", time.Since(begin))
	if a.settle(res.broken) {
		panic(http.ErrAbortHandler)
	}
}

// serve opens a request and has it answered. The answer, nil when nothing opened, is still to be settled.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) (result, *answer) {
	format, fault := h.checkOuter(r)
	if fault != nil {
		return refuse(w, fault), nil
	}
	free := h.acquire()
	if free {
		defer h.release()
	}
	in := h.newIntake(w, r)
	defer in.close()
	opened, err := h.keyring.Load().OpenRequest(in, format, h.cfg.MaxRequestBytes)
	if err != nil {
		return h.refuseUnopened(w, r, err), nil
	}
	plain := &proof{src: opened}
	inner, err := bhttp.ReadRequest(plain, bhttp.Limits{BodyBytes: h.cfg.MaxRequestBytes})
	if !plain.opened {
		return h.refuseUnopened(w, r, err), nil
	}
	a, sealErr := h.newAnswer(w, opened, format)
	if sealErr != nil {
		return refuse(w, &faultSeal), nil
	}
	x := &exchange{handler: h, opened: opened, answer: a, free: free, length: r.ContentLength}
	return x.run(r.Context(), inner, err), a
}

func (h *handler) acquire() bool {
	select {
	case h.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func (h *handler) release() { <-h.slots }

// checkOuter looks at what is not sealed.
func (h *handler) checkOuter(r *http.Request) (ohttp.Format, *fault) {
	if r.URL.Path != tunnel.PathOHTTP {
		return 0, &fault{status: http.StatusNotFound, title: "An exit has the path " + tunnel.PathOHTTP + " only"}
	}
	if r.Method != http.MethodPost {
		return 0, &fault{status: http.StatusMethodNotAllowed, title: "Sealed requests come by POST", allow: http.MethodPost}
	}
	format, ok := ohttp.FormatOf(r.Header.Get("Content-Type"))
	if !ok {
		return 0, &fault{
			status: http.StatusUnsupportedMediaType,
			title:  "Only " + ohttp.Whole.RequestType() + " and " + ohttp.Chunked.RequestType() + " are opened",
		}
	}
	if r.ContentLength > h.cfg.MaxRequestBytes {
		return 0, &faultTooLarge
	}
	return format, nil
}

// refuseUnopened answers a request of which nothing could be opened.
func (h *handler) refuseUnopened(w http.ResponseWriter, r *http.Request, err error) result {
	switch {
	case r.Context().Err() != nil:
		return result{outcome: outcomeGone, broken: true}
	case errors.Is(err, ohttp.ErrUnknownKey):
		return refuse(w, &faultKey)
	case errors.Is(err, ohttp.ErrTooLarge), errors.Is(err, errTooLarge):
		return refuse(w, &faultTooLarge)
	case errors.Is(err, errHeld):
		return refuse(w, &faultBusy)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(w, &faultSlow)
	default:
		return refuse(w, &faultSealed)
	}
}

// exchange is one opened request on its way to an answer.
type exchange struct {
	handler *handler
	opened  *ohttp.OpenedRequest
	answer  *answer
	free    bool  // whether there was a slot for it
	length  int64 // sealed bytes that are announced, -1 when it is not known
}

// run answers. The head of the request has been read, or failed with err.
func (x *exchange) run(ctx context.Context, inner *bhttp.Request, err error) result {
	if err != nil {
		return x.unreadable(ctx, err)
	}
	mode, fault := askedShape(inner.Fields)
	if fault == nil {
		fault = cmp.Or(x.answer.shape(ctx, mode), checkInner(inner))
	}
	if fault != nil {
		return x.problem(fault)
	}
	if fault := x.handler.replays.admit(x.opened.ID(), x.opened.KeyID(), inner.Fields); fault != nil {
		return x.problem(fault)
	}
	path, query, _ := strings.Cut(inner.Path, "?")
	header := headerOf(inner.Fields)
	op, fail := dialect.Identify(inner.Method, path, query, header)
	x.answer.op, x.answer.noContent = op, inner.Method == http.MethodHead
	switch {
	case fail != nil:
		return x.fail(fail)
	case !x.free:
		return x.fail(busy())
	}
	body, err := readBody(inner.Body, x.length)
	if err != nil {
		return x.unreadable(ctx, err)
	}
	if op.Local() {
		return x.local()
	}
	return x.dispatch(ctx, &asked{op: op, method: inner.Method, header: header, body: body})
}

func busy() *dialect.Error { return &dialect.Error{Code: dialect.CodeExitBusy, RetryAfter: "1"} }

// dispatch has the request answered by the backend that offers its model: as it is by one that speaks its
// protocol, else translated for one that speaks another.
func (x *exchange) dispatch(ctx context.Context, q *asked) result {
	model, fail := q.op.RequestModel(q.body)
	if fail != nil {
		return x.fail(fail)
	}
	offer := x.handler.offer.Load()
	s, ok := offer.find(q.op.Protocol, model)
	if !ok || s.backend.lacks(q.op) {
		return x.dispatchTranslated(ctx, offer, model, q)
	}
	if s.renamed {
		var err error
		if q.op, q.body, err = q.op.WithModel(q.body, s.model); err != nil {
			return x.fail(&dialect.Error{Code: dialect.CodeInternal})
		}
	}
	return x.within(s, func() result { return x.askNative(ctx, s.backend, q) })
}

// local answers from the exit's own description.
func (x *exchange) local() result {
	op, offer := x.answer.op, x.handler.offer.Load()
	switch op.Kind {
	case dialect.Root:
		return x.known(&bhttp.Response{Status: http.StatusOK, Fields: fieldsText}, []byte(rootText))
	case dialect.ListLoaded:
		return x.known(&bhttp.Response{Status: http.StatusOK, Fields: fieldsJSON}, op.ModelsBody(nil))
	case dialect.Version:
		return x.known(&bhttp.Response{Status: http.StatusOK, Fields: fieldsJSON}, dialect.VersionBody())
	case dialect.ListModels:
		return x.known(&bhttp.Response{Status: http.StatusOK, Fields: fieldsJSON}, op.ModelsBody(offer.listed(op)))
	case dialect.GetModel:
		models := offer.listed(op)
		i := slices.IndexFunc(models, func(m dialect.ListedModel) bool { return dialect.SameModel(op.Protocol, m.ID, op.Model) })
		if i < 0 {
			return x.fail(offer.unknownModel(op))
		}
		return x.known(&bhttp.Response{Status: http.StatusOK, Fields: fieldsJSON}, op.ModelBody(models[i]))
	default:
		return x.fail(&dialect.Error{Code: dialect.CodeInternal})
	}
}

var (
	fieldsJSON = bhttp.Fields{{Name: "content-type", Value: "application/json"}}
	fieldsText = bhttp.Fields{{Name: "content-type", Value: "text/plain; charset=utf-8"}}
)

// checkInner finds what is wrong with a request as HTTP, whatever it asks for. Fields about a connection have
// no effect, but do no harm (RFC 9292 section 3.6): like all that no protocol needs, they end here.
func checkInner(inner *bhttp.Request) *fault {
	if !strings.EqualFold(inner.Scheme, innerScheme) {
		return &fault{status: http.StatusBadRequest, title: "The scheme of a sealed request is " + innerScheme}
	}
	for i := range inner.Fields {
		switch name := inner.Fields[i].Name; {
		case name == "expect": // RFC 9458 section 5.1: there are no interim answers to wait for
			return &fault{status: http.StatusExpectationFailed, title: "A sealed request cannot have expectations"}
		case name == "content-encoding" && inner.Fields[i].Value != "identity":
			return &fault{status: http.StatusUnsupportedMediaType, title: "A sealed request is not compressed"}
		}
	}
	return nil
}

func headerOf(fields bhttp.Fields) http.Header {
	h := make(http.Header, len(fields))
	for i := range fields {
		name := textproto.CanonicalMIMEHeaderKey(fields[i].Name)
		h[name] = append(h[name], fields[i].Value)
	}
	return h
}

// readBody reads a request to its verified end. Memory follows what has arrived, not what is announced.
func readBody(r io.Reader, announced int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(announced, 0), maxHint)) + bytes.MinRead)
	if _, err := b.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	return b.Bytes(), nil
}

// unreadable answers a request that opened, but not to its end or not as Binary HTTP.
func (x *exchange) unreadable(ctx context.Context, err error) result {
	switch {
	case ctx.Err() != nil:
		return x.gone()
	case errors.Is(err, errHeld):
		return x.fail(busy())
	case errors.Is(err, errTooLarge), errors.Is(err, ohttp.ErrTooLarge), errors.Is(err, bhttp.ErrTooLarge):
		return x.fail(&dialect.Error{Code: dialect.CodeTooLarge})
	case errors.Is(err, os.ErrDeadlineExceeded):
		return x.problem(&faultSlow)
	case errors.Is(err, ohttp.ErrTruncated), errors.Is(err, ohttp.ErrInvalid):
		return x.problem(&faultSealed)
	case errors.Is(err, bhttp.ErrInvalid), errors.Is(err, bhttp.ErrTruncated):
		return x.problem(&faultBinary)
	default:
		return x.gone() // the transport failed: nobody is there to be told
	}
}

func (x *exchange) result(o outcome) result {
	return result{protocol: x.answer.op.Protocol, kind: x.answer.op.Kind, outcome: o}
}

// gone ends a request whose sender no longer listens.
func (x *exchange) gone() result { return x.broken(outcomeGone) }

// broken ends an answer where it is. The client sees that it is incomplete.
func (x *exchange) broken(o outcome) result {
	res := x.result(o)
	res.broken = true
	return res
}
