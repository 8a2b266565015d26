// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

// failure is why an attempt to have a request answered failed.
type failure struct {
	err *dialect.Error
	// undelivered is set when it is certain that no exit got the request: it may be sent again.
	undelivered bool
	// relayDown is set when the same relay would fail again.
	relayDown bool
	// redate is set when the exit did nothing because of the request's date, and has said what time it is.
	redate bool
	// stale is set when the exit's keys are not what the directory said: it needs another look.
	stale bool
}

// send has a request answered by the first of its candidates that gets it. It goes on to the next
// only while it is certain that the one before did not. The answer must be closed.
func (p *proxy) send(ctx context.Context, q *request) (*answer, *dialect.Error) {
	chosen := time.Now()
	candidates, fail := p.choose(ctx, q)
	if fail != nil {
		return nil, fail
	}
	until := chosen.Add(retryWindow)
	tried := map[string]bool{}
	down := map[relayurl.URL]bool{}
	refreshed := false
	var last *failure
	for range maxAttempts {
		next, ok := first(candidates, func(c candidate) bool { return !tried[c.key()] && !down[c.path.Relay] })
		if !ok || (last != nil && time.Now().After(until)) {
			break
		}
		if last != nil {
			p.metrics.retries.Inc()
		}
		tried[next.key()] = true
		a, failed := p.attempt(ctx, q, next)
		if failed == nil {
			return a, nil
		}
		last = failed
		if !last.undelivered || ctx.Err() != nil {
			break
		}
		down[next.path.Relay] = last.relayDown
		if last.stale && !refreshed {
			refreshed = true
			p.directory.poller(next.path.Relay).refresh(ctx, chosen)
			candidates = p.candidates(q, p.directory.list(time.Now()))
		}
	}
	return nil, last.err
}

func first(candidates []candidate, want func(candidate) bool) (candidate, bool) {
	for _, c := range candidates {
		if want(c) {
			return c, true
		}
	}
	return candidate{}, false
}

// attempt sends a request to one exit through one relay and waits for the head of the answer.
func (p *proxy) attempt(ctx context.Context, q *request, to candidate) (*answer, *failure) {
	ctx, cancel, detach := detached(ctx)
	watch := newWatch(cancel, p.cfg.AnswerTimeout, func() error { return context.Cause(ctx) })
	p.cfg.Logger.DebugContext(ctx, "attempt", "exit", to.exit.Hash.Short(), "relay", to.path.Relay.Host)
	a, failed := p.exchange(ctx, q, to, watch)
	if failed != nil && failed.redate {
		a, failed = p.exchange(ctx, q, to, watch) // sealed anew, once
	}
	if failed != nil {
		watch.stop()
		detach()
		cancel(nil)
		return nil, failed
	}
	a.cancel, a.detach = cancel, detach
	return a, nil
}

func (p *proxy) exchange(ctx context.Context, q *request, to candidate, watch *watch) (*answer, *failure) {
	scrubbed := q.scrubbed.For(p.scrubber.exit(to.exit, time.Now()))
	p.debug.add(q.op, scrubbed, to.exit)
	m := q.message(scrubbed)
	up := &upload{seal: func() (*ohttp.SealedRequest, int64, error) {
		return m.seal(to.exit.key, p.cfg.Format, p.clocks.date(to, p.directory.poller(to.path.Relay).relay))
	}}
	resp, err := p.post(ctx, up, to)
	if err != nil {
		return nil, sendFailure(watch.explain(err), up, to)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, refusal(resp, to)
	}
	if !p.cfg.Format.MatchesResponse(resp.Header.Get("Content-Type")) {
		resp.Body.Close()
		return nil, &failure{err: &dialect.Error{Code: dialect.CodeExitInvalid}}
	}
	inner, cells, err := openInner(up.current().OpenResponse(resp.Body, p.cfg.MaxWholeBytes))
	if err != nil {
		resp.Body.Close()
		return nil, &failure{err: broken(watch.explain(err), false)}
	}
	if cells == nil {
		p.noteUnshaped(q.shape)
	}
	if there, refused := refusedDate(inner); refused {
		resp.Body.Close()
		p.clocks.correct(to.exit.Info.Identity, there)
		return nil, &failure{redate: true, err: &dialect.Error{Code: dialect.CodeExitRefused}}
	}
	return &answer{inner: inner, cells: cells, outer: resp.Body, watch: watch, stall: p.cfg.StallTimeout}, nil
}

// post sends the sealed request and returns the head of the outer answer.
func (p *proxy) post(ctx context.Context, up *upload, to candidate) (*http.Response, error) {
	body, err := up.again()
	if err != nil {
		return nil, err
	}
	url := to.path.Relay.Base() + pathOHTTP + string(to.exit.Hash)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return nil, err
	}
	req.ContentLength = body.length
	req.GetBody = func() (io.ReadCloser, error) { return up.again() }
	req.Header = http.Header{"User-Agent": {""}, "Content-Type": {p.cfg.Format.RequestType()}}
	if p.cfg.Format == ohttp.Chunked {
		req.Header.Set("Incremental", "?1") // draft-ietf-ohai-chunked-ohttp-08: do not collect it first
	}
	return p.directory.poller(to.path.Relay).relay.transport.RoundTrip(req)
}

// upload is a request's body on its way to the relay. The transport asks for it again when it finds, in
// ways that are certain (HTTP/2 GOAWAY and REFUSED_STREAM, a connection that was closed before anything was
// written), that the relay did not process it. It is then sealed anew, so that no two requests on the
// wire are the same, and answers are opened with what was sent last.
type upload struct {
	// seal also returns the length of the plaintext if it is to be sent in one piece, else 0.
	seal  func() (sealed *ohttp.SealedRequest, padded int64, err error)
	begun atomic.Bool // some of it was taken, by whatever attempt

	mu    sync.Mutex // guards what follows
	last  *ohttp.SealedRequest
	seals int
}

// errResealed stops a transport that keeps asking for the body.
var errResealed = errors.New("the relay refused the request again and again")

// again seals the request anew.
func (u *upload) again() (*uploadBody, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.seals == maxAttempts {
		return nil, errResealed
	}
	sealed, padded, err := u.seal()
	if err != nil {
		return nil, fmt.Errorf("seal the request: %w", err)
	}
	u.last = sealed
	u.seals++
	if padded == 0 {
		return &uploadBody{sealed: sealed, length: -1, begun: &u.begun}, nil
	}
	piece, err := inOnePiece(sealed, padded)
	if err != nil {
		return nil, err
	}
	return &uploadBody{sealed: piece, length: int64(piece.Len()), begun: &u.begun}, nil
}

func (u *upload) current() *ohttp.SealedRequest {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last
}

// uploadBody is one sealing of an upload.
type uploadBody struct {
	sealed io.Reader
	length int64 // in bytes, -1 when it is not known
	begun  *atomic.Bool
}

func (b *uploadBody) Read(p []byte) (int, error) {
	b.begun.Store(true)
	return b.sealed.Read(p)
}

func (b *uploadBody) Close() error { return nil }

// sendFailure says what it means that no answer came from the relay.
func sendFailure(err error, up *upload, to candidate) *failure {
	relay := to.path.Relay.Host
	switch {
	case errors.Is(err, errNoAnswer):
		return &failure{err: &dialect.Error{Code: dialect.CodeExitTimeout}}
	case errors.Is(err, errUnwritable):
		return &failure{err: &dialect.Error{Code: dialect.CodeInternal, Message: "The request cannot be written as Binary HTTP."}}
	case errors.Is(err, ohttp.ErrInvalid):
		return &failure{undelivered: true, err: &dialect.Error{
			Code: dialect.CodeInternal, Message: "The request cannot be sealed to the exit's key. Choose another exit.",
		}}
	case !up.begun.Load():
		return &failure{undelivered: true, relayDown: true, err: &dialect.Error{
			Code: dialect.CodeRelayUnreachable,
			Message: fmt.Sprintf("Relay %s cannot be reached: %s. Nothing was sent. Check the network and the relay's URL, or use another relay.",
				relay, reason(err)),
		}}
	}
	return &failure{err: &dialect.Error{
		Code: dialect.CodeRelayUnreachable,
		Message: fmt.Sprintf("The connection to relay %s broke before an answer came. The request may have been processed; try again.",
			relay),
	}}
}

// refusal says what an outer answer means that is not a sealed one. Only the type of a problem counts:
// its words are a stranger's.
func refusal(resp *http.Response, to candidate) *failure {
	relay := to.path.Relay.Host
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProblemBytes))
	problem, ok := service.ParseProblem(resp.Header.Get("Content-Type"), body)
	if err != nil || !ok {
		problem = &service.Problem{}
	}
	switch problem.Type {
	case service.TypeExitNotReached:
		return &failure{undelivered: true, err: &dialect.Error{Code: dialect.CodeExitUnreachable}}
	case service.TypeUnknownExit:
		return &failure{undelivered: true, stale: true, err: &dialect.Error{
			Code:    dialect.CodeExitUnreachable,
			Message: fmt.Sprintf("The exit is no longer connected to relay %s. Nothing was sent to it; try again in a moment.", relay),
		}}
	case service.TypeOverloaded:
		return &failure{undelivered: true, relayDown: true, err: &dialect.Error{
			Code: dialect.CodeRelayRefused, Status: http.StatusServiceUnavailable, RetryAfter: resp.Header.Get("Retry-After"),
			Message: fmt.Sprintf("Relay %s forwards as many requests as it can. Try again later, or use another relay.", relay),
		}}
	case service.TypeOHTTPKey:
		return &failure{undelivered: true, stale: true, err: &dialect.Error{Code: dialect.CodeExitRefused}}
	case service.TypeExitLost:
		return &failure{err: &dialect.Error{Code: dialect.CodeExitLost}}
	}
	if resp.StatusCode == http.StatusRequestEntityTooLarge {
		return &failure{err: &dialect.Error{
			Code:    dialect.CodeTooLarge,
			Message: fmt.Sprintf("The sealed request is larger than relay %s or the exit accepts. Send less.", relay),
		}}
	}
	return &failure{err: &dialect.Error{
		Code:    dialect.CodeExitRefused,
		Message: fmt.Sprintf("Relay %s or the exit refused the sealed request with status %d. Choose another exit or relay.", relay, resp.StatusCode),
	}}
}
