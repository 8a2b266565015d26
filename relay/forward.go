// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/internal/readbuf"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

// The media types that a relay forwards (RFC 9458 section 4, draft-ietf-ohai-chunked-ohttp section 3).
var sealedTypes = map[string]bool{
	"message/ohttp-req":         true,
	"message/ohttp-chunked-req": true,
}

var sealedURL = &url.URL{Scheme: "http", Host: tunnel.Authority, Path: tunnel.PathOHTTP}

const (
	maxTries  = 3 // tunnels of one exit that a request is offered to
	smallRead = 2 << 10
	largeRead = 32 << 10
)

// buffers are what answers pass through.
var buffers = readbuf.Bytes(smallRead, 8<<10, largeRead)

// Answers of the relay itself. Proxy-Status (RFC 9209) names the class, the problem type the case.
var (
	unknownExit = service.Problem{
		Type: service.TypeUnknownExit, Status: http.StatusNotFound,
		Title:  "No exit is known by these keys",
		Detail: "The exit has left or changed its keys; download the directory again.",
	}
	exitNotReached = service.Problem{
		Type: service.TypeExitNotReached, Status: http.StatusBadGateway,
		Title:  "The exit was not reached",
		Detail: "Nothing of the request was delivered; it may be sent again, to this exit or another.",
	}
	exitLost = service.Problem{
		Type: service.TypeExitLost, Status: http.StatusBadGateway,
		Title:  "The exit went away before it answered",
		Detail: "It may have worked on the request.",
	}
	overloaded = service.Problem{
		Type: service.TypeOverloaded, Status: http.StatusServiceUnavailable,
		Title:  "The relay forwards as many requests as it can",
		Detail: "Nothing of the request was delivered; it may be sent again later.",
	}
	notSealed = service.Problem{
		Status: http.StatusUnsupportedMediaType,
		Title:  "Only message/ohttp-req and message/ohttp-chunked-req are forwarded",
	}
	tooLarge = service.Problem{
		Status: http.StatusRequestEntityTooLarge,
		Title:  "The sealed request is larger than this relay forwards",
	}
	stalled = service.Problem{
		Status: http.StatusRequestTimeout,
		Title:  "The sealed request did not arrive in time",
	}
	malformed = service.Problem{
		Status: http.StatusBadRequest,
		Title:  "The sealed request did not arrive whole",
	}
)

// proxyErrors maps problem types to the error types of RFC 9209 section 2.3.
var proxyErrors = map[string]string{
	service.TypeUnknownExit:    "destination_not_found",
	service.TypeExitNotReached: "destination_unavailable",
	service.TypeExitLost:       "connection_terminated",
	service.TypeOverloaded:     "proxy_internal_response",
}

func problem(w http.ResponseWriter, p service.Problem) {
	if p.Type == "" {
		p.Type = "about:blank" // RFC 9457 section 4.2.1
	}
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and a number always encode
	}
	h := w.Header()
	h.Set("Content-Type", service.ProblemType)
	h.Set("Cache-Control", "no-store")
	if kind, ok := proxyErrors[p.Type]; ok {
		h.Set("Proxy-Status", "tokengo-relay; error="+kind)
	}
	if p.Type == service.TypeOverloaded {
		h.Set("Retry-After", strconv.Itoa(1))
	}
	w.WriteHeader(p.Status)
	w.Write(append(body, '\n'))
}

// forward answers POST /ohttp/{hash}.
func (r *Relay) forward(w http.ResponseWriter, req *http.Request) {
	control := http.NewResponseController(w)
	control.SetWriteDeadline(time.Time{}) // an answer may take long; watch sees to it that it moves
	if req.ProtoMajor == 1 {
		defer func() { // the server still flushes, and reads what it may of a request that was not read
			control.SetWriteDeadline(time.Now().Add(r.cfg.WriteTimeout))
			control.SetReadDeadline(time.Now().Add(r.cfg.UploadTimeout))
		}()
	}
	outcome := r.forwardOutcome(w, req)
	r.metrics.requests.WithLabelValues(string(outcome)).Inc()
	if outcome == outcomeBroken {
		// Only a broken transfer tells the client that this is not the end (HTTP/2 RST_STREAM, or a
		// connection closed within a chunked body).
		panic(http.ErrAbortHandler)
	}
}

// outcome is the closed set of ways in which forwarding ends, the label of a metric.
type outcome string

const (
	outcomeAnswered   outcome = "answered"
	outcomeRefused    outcome = "refused"     // not a request that is forwarded
	outcomeUnknown    outcome = "unknown"     // no such exit
	outcomeNotReached outcome = "not_reached" // nothing was delivered
	outcomeLost       outcome = "lost"        // the exit went away before it answered
	outcomeBroken     outcome = "broken"      // the exit or the client went away within the answer
	outcomeCancelled  outcome = "cancelled"   // the client went away, or did not send its request whole, before the answer
	outcomeOverloaded outcome = "overloaded"
)

func (r *Relay) forwardOutcome(w http.ResponseWriter, req *http.Request) outcome {
	mediaType, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || !sealedTypes[mediaType] {
		problem(w, notSealed)
		return outcomeRefused
	}
	if req.ContentLength > r.cfg.MaxRequestBytes {
		problem(w, tooLarge)
		return outcomeRefused
	}
	hash, err := service.ParseHash(req.PathValue("hash"))
	if err != nil {
		problem(w, unknownExit)
		return outcomeUnknown
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	default:
		problem(w, overloaded)
		return outcomeOverloaded
	}
	if !r.registry.known(hash) {
		problem(w, unknownExit)
		return outcomeUnknown
	}
	return r.exchange(w, req, mediaType, hash)
}

// exchange offers the request to one tunnel after the other until one has taken any of its body, and
// passes the answer on. A body of which nothing was asked for can be offered again; what was read of one
// is gone, and might have arrived.
func (r *Relay) exchange(w http.ResponseWriter, req *http.Request, mediaType string, hash service.Hash) outcome {
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	watch := newWatch(w, cancel, &r.cfg)
	defer watch.stop()
	if req.ContentLength == 0 {
		watch.receivedAll()
	}
	watch.control.EnableFullDuplex() // HTTP/1: else the server reads the whole request before it sends an answer
	body := &upload{src: http.MaxBytesReader(w, req.Body, r.cfg.MaxRequestBytes), watch: watch}
	var tried []*entry
	for len(tried) < maxTries {
		e := r.registry.take(hash, tried)
		if e == nil {
			break
		}
		tried = append(tried, e)
		answer, err := e.carrier.RoundTrip(sealedRequest(ctx, mediaType, body, req.ContentLength))
		if err != nil && !body.touched.Load() && ctx.Err() == nil {
			r.registry.release(e, noVerdict)
			continue
		}
		outcome, verdict := r.conclude(w, req, answer, body)
		r.registry.release(e, verdict)
		return outcome
	}
	outcome, _ := failed(w, req, body)
	return outcome
}

// conclude passes on what a tunnel that has taken the request answered; answer is nil when it did not.
func (r *Relay) conclude(w http.ResponseWriter, req *http.Request, answer *http.Response, body *upload) (outcome, verdict) {
	if answer == nil {
		return failed(w, req, body)
	}
	return r.passOn(w, req, answer, body)
}

// sealedRequest is what an exit gets to see: the media type, without the parameters in which a client
// might tell it more, and the body.
func sealedRequest(ctx context.Context, mediaType string, body *upload, length int64) *http.Request {
	out := (&http.Request{
		Method:        http.MethodPost,
		URL:           sealedURL,
		Host:          tunnel.Authority,
		Header:        http.Header{"Content-Type": {mediaType}, "User-Agent": nil},
		Body:          body,
		ContentLength: length,
	}).WithContext(ctx)
	if length == 0 {
		out.Body = http.NoBody
	}
	return out
}

// failed answers a request that no exit has answered.
func failed(w http.ResponseWriter, req *http.Request, body *upload) (outcome, verdict) {
	closeUnread(w, req, body)
	switch {
	case body.tooLarge.Load():
		problem(w, tooLarge)
		return outcomeRefused, noVerdict
	case body.watch.stalled.Load():
		problem(w, stalled)
		return outcomeCancelled, noVerdict
	case req.Context().Err() != nil:
		return outcomeCancelled, noVerdict
	case body.failed.Load():
		problem(w, malformed)
		return outcomeCancelled, noVerdict
	case !body.touched.Load():
		problem(w, exitNotReached)
		return outcomeNotReached, noVerdict
	}
	problem(w, exitLost)
	return outcomeLost, failedIt
}

// closeUnread has an HTTP/1 connection closed after an answer that comes before the request's end: the
// rest of it must not be taken for another request.
func closeUnread(w http.ResponseWriter, req *http.Request, body *upload) {
	if req.ProtoMajor == 1 && req.ContentLength != 0 && !body.watch.uploaded.Load() {
		w.Header().Set("Connection", "close")
	}
}

// passOn streams the answer to the client, flushing after every read.
func (r *Relay) passOn(w http.ResponseWriter, req *http.Request, answer *http.Response, body *upload) (outcome, verdict) {
	defer answer.Body.Close()
	defer body.watch.cancel() // or Close would wait for the rest of a request that the exit does not want
	// A status that is none must not go on: net/http panics at some, and clients do at others.
	if answer.StatusCode < 200 || answer.StatusCode > 599 {
		problem(w, exitLost)
		return outcomeLost, failedIt
	}
	closeUnread(w, req, body)
	h := w.Header()
	h["Content-Type"] = answer.Header["Content-Type"]
	h["Date"] = nil
	h.Set("Cache-Control", "no-store")
	if answer.ContentLength >= 0 {
		h.Set("Content-Length", strconv.FormatInt(answer.ContentLength, 10))
	}
	w.WriteHeader(answer.StatusCode)
	body.watch.answered()
	sent, err := copyFlushing(w, answer, body.watch)
	r.metrics.answerBytes.Add(float64(sent))
	switch {
	case err == nil:
		return outcomeAnswered, kept
	case errors.Is(err, errNotTaken), req.Context().Err() != nil:
		return outcomeBroken, noVerdict
	}
	return outcomeBroken, failedIt
}

// errNotTaken says that the client did not take what was there for it.
var errNotTaken = errors.New("the client did not take the answer")

// copyFlushing copies the answer's body until EOF and flushes every piece, but for the last of an answer
// whose length is known: that leaves together with the end.
func copyFlushing(w http.ResponseWriter, answer *http.Response, watch *watch) (sent int64, err error) {
	buf := buffers.Take(0)
	defer func() { release(buf) }()
	var n int
	send := func() error {
		if _, err := w.Write((*buf)[:n]); err != nil || sent+int64(n) == answer.ContentLength {
			return err
		}
		return watch.control.Flush()
	}
	for {
		n, err = answer.Body.Read(*buf)
		if n > 0 {
			watch.answered()
			if watch.sending(send) != nil {
				return sent, errNotTaken
			}
			sent += int64(n)
		}
		switch {
		case errors.Is(err, io.EOF):
			return sent, nil
		case err != nil:
			return sent, err
		}
		buf = fitting(buf, n)
	}
}

// fitting exchanges buf, into which n bytes were read, for one of the size to read into next.
func fitting(buf *[]byte, n int) *[]byte {
	if len(*buf) == buffers.Size(n) {
		return buf
	}
	release(buf)
	return buffers.Take(n)
}

func release(buf *[]byte) { buffers.Put(buf, len(*buf)) }

// upload is a request's body on its way to an exit. It knows whether any of it was taken, and renews
// the deadline of its request as it moves.
type upload struct {
	src      io.ReadCloser
	watch    *watch
	touched  atomic.Bool // an exit's connection has asked for some of it
	tooLarge atomic.Bool
	failed   atomic.Bool // the client did not send it whole
}

// Read implements [io.Reader].
func (u *upload) Read(p []byte) (int, error) {
	u.touched.Store(true)
	u.watch.reading.Store(true)
	n, err := u.src.Read(p)
	u.watch.reading.Store(false)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		u.watch.received()
	case errors.Is(err, io.EOF):
		u.watch.receivedAll()
	case errors.As(err, &tooLarge):
		u.tooLarge.Store(true)
	default:
		u.failed.Store(true)
	}
	return n, err
}

// Close implements [io.Closer]. The body stays open: it is offered to the next tunnel when this one
// took nothing, and the server closes it when the handler returns.
func (u *upload) Close() error { return nil }
