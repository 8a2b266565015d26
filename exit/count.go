// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/translate"
	"github.com/tokengo/tokengo/service"
)

// askNative has the request answered by a backend of the tool's own protocol. It gets the body byte for byte, but for
// signatures that backends of other protocols made and the exit had wrapped.
func (x *exchange) askNative(ctx context.Context, b *backend, q *asked) result {
	q.body = translate.OwnSignatures(q.op, q.body)
	if q.op.Kind == dialect.CountTokens {
		return x.count(ctx, b, q)
	}
	return x.ask(ctx, b, q, x.pass)
}

// count answers how many tokens a request has: as the backend counts them where it does so at once, else by the exit's own
// estimate, so that there is always an answer and soon.
func (x *exchange) count(ctx context.Context, b *backend, q *asked) result {
	now := x.handler.cfg.Clock()
	if now.UnixMilli() >= b.abilities.countsAgain.Load() {
		answer, pause := x.backendCount(ctx, b, q)
		switch {
		case ctx.Err() != nil:
			return x.gone()
		case answer != nil:
			return x.knownJSON(answer)
		}
		b.abilities.countsAgain.Store(now.Add(pause).UnixMilli())
	}
	answer, _, fail := translate.Local(q.op, q.body)
	if fail != nil {
		return x.fail(fail)
	}
	return x.knownJSON(answer)
}

// backendCount is the backend's answer, or nil and how long not to ask it again.
func (x *exchange) backendCount(ctx context.Context, b *backend, q *asked) (answer []byte, pause time.Duration) {
	begin := time.Now()
	defer func() { x.handler.metrics.took(b.protocol, time.Since(begin)) }()
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	r, err := b.request(ctx, q)
	if err != nil {
		return nil, 0
	}
	resp, err := b.transport.RoundTrip(r)
	if err != nil {
		return nil, countPause
	}
	defer resp.Body.Close()
	switch status := resp.StatusCode; {
	case lacksPath(status):
		return nil, lackPause
	case status >= 400 && status <= 499 && status != http.StatusTooManyRequests:
		return nil, 0 // about this request
	case status < 200 || status > 299 || encoded(resp):
		return nil, countPause
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAbilityBody))
	if err != nil {
		return nil, countPause
	}
	if !isCount(b.protocol, body) {
		return nil, lackPause
	}
	return body, 0
}

// isCount reports whether an answer has a number of tokens: some services answer any path with something.
func isCount(p service.Protocol, body []byte) bool {
	var in struct {
		Claude *int `json:"input_tokens"`
		Gemini *int `json:"totalTokens"`
	}
	if json.Unmarshal(body, &in) != nil {
		return false
	}
	if p == service.Gemini {
		return in.Gemini != nil
	}
	return in.Claude != nil
}
