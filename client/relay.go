// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/route"
)

// relay is the connection to one relay, and how it does. What it sends is alike for all clients: no user agent, no
// cookies, no redirects followed, nothing of what the tool sent.
type relay struct {
	url       relayurl.URL
	transport *lines
	health    health
	lookout   *lookout
	ways      ways
	ahead     atomic.Int64 // of its clock before this one, in nanoseconds
}

func newRelay(url relayurl.URL, dial DialContext) *relay {
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	return &relay{
		url: url, lookout: newLookout(),
		transport: newLines(func() *line { return newLine(url, dial) }),
	}
}

func (r *relay) close() { r.transport.CloseIdleConnections() }

// Answers of a relay that are no failures.
var (
	errNotModified = errors.New("has not changed")     // it is still the one that the ETag names
	errNotFound    = errors.New("is not at the relay") // the relay has none, or no longer
)

// get downloads one of the relay's documents: read is given its body, decompressed and not bounded. With
// the ETag of an earlier answer it returns errNotModified when that still holds.
func (r *relay) get(ctx context.Context, path, etag string, read func(io.Reader) error) (newETag string, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url.Base()+path, nil)
	if err != nil {
		return "", fmt.Errorf("ask relay %s: %w", r.url.Host, err)
	}
	req.Header = http.Header{"User-Agent": {""}, "Accept-Encoding": {"gzip"}}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := r.ask(req, cancel)
	if err != nil {
		return "", fmt.Errorf("ask relay %s: %w", r.url.Host, err)
	}
	defer resp.Body.Close()
	r.learn(resp.Header)
	switch {
	case resp.StatusCode == http.StatusNotModified && etag != "":
		return etag, errNotModified
	case resp.StatusCode == http.StatusNotFound:
		return "", fmt.Errorf("relay %s: %w", r.url.Host, errNotFound)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("relay %s: status %d", r.url.Host, resp.StatusCode)
	}
	if err := readDecompressed(resp, read); err != nil {
		return "", fmt.Errorf("download from relay %s: %w", r.url.Host, err)
	}
	if newETag = resp.Header.Get("ETag"); len(newETag) > maxETagBytes {
		newETag = ""
	}
	return newETag, nil
}

// ask sends a request for one of the relay's documents, which giveUp ends, and notes what comes of it. A relay that did
// well so far is attended; another is given all the time that a connection takes: that is how it is found to be back.
func (r *relay) ask(req *http.Request, giveUp context.CancelCauseFunc) (*http.Response, error) {
	ctx := req.Context()
	_, known := r.health.roundTrip()
	if state, _ := r.health.state(time.Now()); known && state == route.Closed {
		defer r.lookout.watch(ctx, giveUp)()
	}
	send := r.transport.RoundTrip
	if req.URL.Path == pathIndex { // the relay need not make it first
		send = func(req *http.Request) (*http.Response, error) { return r.timed(r.transport, req) }
	}
	resp, err := send(req)
	switch cause := context.Cause(ctx); {
	case err == nil:
		r.health.answered()
	case errors.Is(cause, errRelaySilent): // which was noted as it was found
		err = cause
	case !errors.Is(cause, context.Canceled): // which would say nothing of the relay
		r.health.failed(time.Now())
	}
	return resp, err
}

// timed sends a request and takes in how long the head of its answer took on the connection.
func (r *relay) timed(transport http.RoundTripper, req *http.Request) (*http.Response, error) {
	var began, head atomic.Pointer[time.Time]
	note := func(at *atomic.Pointer[time.Time]) {
		now := time.Now()
		at.Store(&now)
	}
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			establish(got.Conn)
			note(&began)
		},
		GotFirstResponseByte: func() { note(&head) },
	})
	resp, err := transport.RoundTrip(req.WithContext(ctx))
	if from, to := began.Load(), head.Load(); err == nil && from != nil && to != nil {
		r.health.measured(to.Sub(*from))
	}
	return resp, err
}

var unzippers = sync.Pool{New: func() any { return new(gzip.Reader) }}

// readDecompressed gives the body of an answer to read, decompressed when it says that it is compressed.
func readDecompressed(resp *http.Response, read func(io.Reader) error) error {
	switch resp.Header.Get("Content-Encoding") {
	case "", "identity":
		return read(resp.Body)
	case "gzip":
		unzipped := unzippers.Get().(*gzip.Reader)
		defer unzippers.Put(unzipped)
		if err := unzipped.Reset(resp.Body); err != nil {
			return fmt.Errorf("decompress: %w", err)
		}
		return read(unzipped)
	}
	return errors.New("compressed in a way that was not asked for")
}

// reason says in a few words, none of them a peer's, why a relay could not be reached.
func reason(err error) string {
	var unknownCA x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, relayurl.ErrPin):
		return "its key is not the pinned one"
	case errors.As(err, &unknownCA), errors.As(err, &invalid), errors.As(err, &host):
		return "its certificate is not valid for this address"
	case errors.Is(err, errRelaySilent):
		return "no sign of life"
	case errors.As(err, &dns):
		return "its name cannot be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	return "connection failed"
}

// RelayStatus says how one relay does.
type RelayStatus struct {
	Relay relayurl.URL
	// Err is why the last look at the directory failed, nil when it succeeded or there was none yet.
	Err error
	// Fetched is when the relay last answered; zero when it never did.
	Fetched time.Time
	// Exits is the number of exits in the directory that verified, trusted or not, Dropped that of
	// those that did not.
	Exits, Dropped int
}
