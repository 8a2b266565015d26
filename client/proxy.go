// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
)

// proxy answers AI tools.
type proxy struct {
	cfg       Config
	directory *directory
	router    *router
	paths     *paths
	demands   *demands
	metrics   *metrics
	door      door
	scrubber  *scrubber
	debug     *debugPage
	inspector *Inspector
	running   sync.RWMutex // read-locked by each request that runs
	drains    drains
	unshaped  sync.Once // has logged that an exit does not shape its answers
}

func newProxy(cfg Config, r *router, m *metrics) *proxy {
	return &proxy{
		cfg: cfg, directory: r.directory, router: r, paths: newPaths(r.directory), demands: newDemands(cfg.Retry, cfg.Affinity), metrics: m,
		scrubber: newScrubber(cfg), debug: &debugPage{on: cfg.Debug}, inspector: newInspector(cfg, r),
		door: door{token: cfg.Token, management: cfg.ManagementToken, origins: cfg.Origins},
	}
}

// outcome is how a request ended: a [dialect.Code], or one of the following. It is the label of a metric.
type outcome string

const (
	outcomeOK          outcome = "ok"
	outcomeClientError outcome = "answered_4xx" // by the exit or its backend
	outcomeServerError outcome = "answered_5xx"
	outcomeCancelled   outcome = "cancelled" // the tool went away
)

// result is an outcome, whether the connection to the tool must break so that nobody takes what was
// sent for the whole answer, and which exit answered if one did.
type result struct {
	outcome outcome
	broken  bool
	err     error // why the answer broke off
	from    *hop
}

// wait refuses new requests and returns when all that run have ended.
func (p *proxy) wait() {
	p.running.Lock()
	defer p.running.Unlock()
	p.drains.stop()
}

// ServeHTTP implements [http.Handler].
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.running.TryRLock() { // stopping
		panic(http.ErrAbortHandler)
	}
	defer p.running.RUnlock()
	defer p.report()
	if isManagement(r) {
		p.manage(w, r)
		return
	}
	if p.door.allowOrigin(w, r) {
		return
	}
	began := time.Now()
	op, fail := dialect.Identify(r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header)
	if denied := p.door.check(r); denied != nil && (fail == nil || denied.Code != dialect.CodeMediaType) {
		fail = denied // but who uploads a file is told first that there are no uploads
	}
	var res result
	switch {
	case fail != nil:
		res = p.fail(w, op, fail)
	case op.Local():
		res = p.local(w, r, op)
	default:
		res = p.remote(w, r, op)
	}
	p.metrics.requests.WithLabelValues(string(op.Protocol), string(res.outcome)).Inc()
	p.log(r.Context(), op, res, time.Since(began))
	if res.broken {
		panic(http.ErrAbortHandler)
	}
}

// log writes one line for each request, at debug level: together with what a relay sees it tells who asked which exit.
func (p *proxy) log(ctx context.Context, op dialect.Operation, res result, took time.Duration) {
	line := []slog.Attr{
		slog.String("protocol", string(op.Protocol)), slog.String("kind", op.Kind.String()),
		slog.String("outcome", string(res.outcome)), slog.Duration("took", took),
	}
	if res.from != nil {
		line = append(line, slog.String("exit", res.from.exit.Hash.Short()), slog.String("tier", res.from.tier()))
	}
	p.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "request", line...)
}

// report logs a panic that is not meant, without its value, which could quote a prompt.
func (p *proxy) report() {
	switch v := recover(); {
	case v == nil:
	case v != http.ErrAbortHandler:
		p.cfg.Logger.Error("panic in a request", "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		fallthrough
	default:
		panic(http.ErrAbortHandler)
	}
}

// remote has a request answered by an exit.
func (p *proxy) remote(w http.ResponseWriter, r *http.Request, op dialect.Operation) result {
	body, fail := p.readBody(w, r)
	switch {
	case r.Context().Err() != nil:
		return result{outcome: outcomeCancelled, broken: true}
	case fail != nil:
		return p.fail(w, op, fail)
	}
	mode, fail := p.requestShape(r.Header)
	if fail != nil {
		return p.fail(w, op, fail)
	}
	demand, body, fail := p.demands.of(op, r.Header, body)
	if fail != nil {
		return p.fail(w, op, fail)
	}
	model := demand.route.Models[0] // that the body or the path names
	demand.route.Models = p.cfg.wanted(op.Protocol, demand.route.Models)
	q, fail := newRequest(op, r.Header, body, p.scrubber.options)
	if fail == nil {
		q.model, q.shape, q.demand = model, mode, demand
		fail = p.scrubber.inspect(r.Context(), q.scrubbed.Body())
	}
	if fail != nil {
		return p.fail(w, op, fail)
	}
	a, fail := p.send(r.Context(), q)
	switch {
	case r.Context().Err() != nil:
		if a != nil {
			p.learn(q, a, result{outcome: outcomeCancelled})
			a.end()
		}
		return result{outcome: outcomeCancelled, broken: true}
	case fail != nil:
		return p.fail(w, op, fail)
	}
	defer p.drains.take(a)
	p.inspector.answers.add(a.to.tier(), time.Now())
	res := p.answer(w, op, a)
	res.from = &a.to
	p.learn(q, a, res)
	return res
}

// learn tells the chooser how an answer went.
func (p *proxy) learn(q *request, a *answer, res result) {
	if a.blamed {
		return
	}
	if f := a.lateFault(q.op); f != nil {
		p.router.chooser.Report(a.to.chosen, route.Outcome{Result: f.result, RetryAfter: f.retryAfter})
		return
	}
	how := route.Interrupted
	switch res.outcome {
	case outcomeOK:
		how = route.Succeeded
	case outcomeCancelled, outcomeClientError:
		how = route.Inconclusive
	default:
		if res.err == nil || ownFault(res.err) {
			break
		}
		p.paths.strained(a.to.exit, a.to.path.Relay)
		if p.paths.blamesWay(a.to.exit, a.to.path.Relay) {
			how = route.Inconclusive
		}
	}
	o := a.meter.outcome(q.op, &q.demand.route, how)
	if a.inner.Status >= http.StatusBadRequest {
		o.Usage = route.Usage{} // nobody bills an error
	}
	p.router.chooser.Report(a.to.chosen, o)
}

// readBody reads the whole of a request, so that it can be sealed again for another exit.
func (p *proxy) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *dialect.Error) {
	tooLarge := &dialect.Error{
		Code:    dialect.CodeTooLarge,
		Message: fmt.Sprintf("The request is larger than this TokenGo client accepts (%d bytes).", p.cfg.MaxRequestBytes),
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, &dialect.Error{
			Code:    dialect.CodeNotJSON,
			Message: "The request body is compressed. Turn request compression off in the AI tool: TokenGo compresses nothing, because lengths tell.",
		}
	}
	if r.ContentLength > p.cfg.MaxRequestBytes {
		return nil, tooLarge
	}
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Now().Add(toolUploadTimeout))
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, p.cfg.MaxRequestBytes))
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return nil, tooLarge
	case err != nil:
		return nil, &dialect.Error{Code: dialect.CodeNotJSON, Message: "The request body did not arrive completely."}
	}
	control.SetReadDeadline(time.Time{})
	return buf.Bytes(), nil
}

// fail answers with an error in the tool's own shape.
func (p *proxy) fail(w http.ResponseWriter, op dialect.Operation, e *dialect.Error) result {
	status, fields, body := e.Response(op)
	for name, values := range fields {
		w.Header()[name] = values
	}
	write(w, status, body)
	return result{outcome: outcome(e.Code)}
}

// write sends a whole answer. A tool that does not take it has gone away.
func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// refreshed runs look until it finds something: now, and as relays answer that are asked for their directories then.
func (p *proxy) refreshed(ctx context.Context, look func([]Exit) bool) {
	found := func() bool { return look(p.directory.list(time.Now())) }
	if !found() {
		p.directory.refresh(ctx, found)
	}
}
