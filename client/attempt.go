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
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/shape"
)

// sending is a request that goes to one exit through one relay.
type sending struct {
	proxy   *proxy
	request *request
	to      hop
	watch   *watch
	onset   *onset // of the answer

	corrected bool          // the exit has said what time it is there
	offset    time.Duration // and how far that is before this clock
}

// run seals the request, sends it, and opens the beginning of the answer. When the exit answered with an error that
// another exit might not, both results are set.
func (s *sending) run(ctx context.Context) (*answer, *failure) {
	p, q, to, watch := s.proxy, s.request, s.to, s.watch
	m, err := q.message(p.scrubber.exit(to.exit, time.Now()), to.chosen.Model.ID)
	if err != nil {
		return nil, &failure{refused: true, proven: true, result: route.Failed, err: &dialect.Error{Code: dialect.CodeInternal, Message: "The exit's name of the model cannot be asked for."}}
	}
	p.debug.add(m.op, m.scrubbed, to.exit)
	relay := p.directory.poller(to.path.Relay).relay
	up := &upload{sent: s.onset.sent, atOnce: q.shape != shape.Off, seal: func() (*ohttp.SealedRequest, int64, error) {
		return m.seal(to.exit.key, p.cfg.Format, s.date(relay))
	}}
	began := time.Now()
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
		return nil, invalid()
	}
	inner, cells, err := openInner(up.current().OpenResponse(resp.Body, p.cfg.MaxWholeBytes))
	if err != nil {
		resp.Body.Close()
		return nil, brokenOff(watch.explain(err))
	}
	if cells == nil {
		p.noteUnshaped(q.shape)
	}
	if there, refused := refusedDate(inner); refused {
		resp.Body.Close()
		s.correct(there)
		return nil, &failure{redate: true, refused: true, result: route.Failed, err: &dialect.Error{Code: dialect.CodeExitRefused}}
	}
	inner.Body = q.scrubbed.Restore(inner.Body, inner.Fields.Get("content-type"))
	a := &answer{
		inner: inner, cells: cells, outer: resp.Body, watch: watch, stall: p.cfg.StallTimeout,
		due: began.Add(p.cfg.AnswerTimeout), to: to, meter: newMeter(began, q.op, inner.Fields.Get("content-type")),
		source: ahead{src: inner.Body},
	}
	return a.settle(q.op, s.onset)
}

// settle makes sure that an answer has begun, or finds out what its error means.
func (a *answer) settle(op dialect.Operation, o *onset) (*answer, *failure) {
	switch {
	case a.inner.Status >= http.StatusBadRequest:
		return a.judge(op)
	case !hasContent(a.inner.Status):
		a.outer.Close()
		return nil, wrong()
	}
	if err := a.prime(op, o); err != nil {
		a.release()
		a.outer.Close()
		f := brokenOff(err)
		f.meter = a.meter
		return nil, f
	}
	return a.look(op)
}

// hasContent reports whether an answer of this status, which is no error, can be one to a request for text.
func hasContent(status int) bool {
	return status == http.StatusOK || status == http.StatusCreated || status == http.StatusAccepted
}

// post sends the sealed request and returns the head of the outer answer.
func (p *proxy) post(ctx context.Context, up *upload, to hop) (*http.Response, error) {
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
	seal   func() (sealed *ohttp.SealedRequest, length int64, err error)
	atOnce bool        // it is sealed to its end before any of it is sent
	begun  atomic.Bool // some of it was taken, by whatever attempt
	sent   func()      // is called whenever all of it was taken

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
	if u.seals == maxSeals {
		return nil, errResealed
	}
	sealed, length, err := u.seal()
	if err != nil {
		return nil, fmt.Errorf("seal the request: %w", err)
	}
	u.last = sealed
	u.seals++
	body := &uploadBody{sealed: sealed, length: length, upload: u}
	if u.atOnce {
		if body.sealed, err = inOnePiece(sealed, length); err != nil {
			return nil, err
		}
	}
	return body, nil
}

func (u *upload) current() *ohttp.SealedRequest {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last
}

// uploadBody is one sealing of an upload.
type uploadBody struct {
	sealed io.Reader
	length int64 // in bytes; it is announced: the end then travels with the last of them
	taken  int64
	upload *upload
}

func (b *uploadBody) Read(p []byte) (int, error) {
	b.upload.begun.Store(true)
	n, err := b.sealed.Read(p)
	b.taken += int64(n)
	if n > 0 && b.taken == b.length {
		b.upload.sent()
	}
	return n, err
}

func (b *uploadBody) Close() error { return nil }
