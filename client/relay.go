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
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
)

// relay is the connection to one relay. What it sends is alike for all clients: no user agent, no
// cookies, no redirects followed, nothing of what the tool sent.
type relay struct {
	url       relayurl.URL
	transport *http.Transport
	ahead     atomic.Int64 // of its clock before this one, in nanoseconds
}

func newRelay(url relayurl.URL, dial DialContext) *relay {
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &relay{url: url, transport: &http.Transport{
		DialContext:            dial,
		TLSClientConfig:        url.TLSConfig("h2", "http/1.1"),
		TLSHandshakeTimeout:    dialTimeout,
		Protocols:              &protocols,
		DisableCompression:     true,
		IdleConnTimeout:        relayIdleTimeout,
		MaxResponseHeaderBytes: maxRelayHeaders,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout:           pingAfter,
			PingTimeout:               pingTimeout,
			MaxReceiveBufferPerStream: streamBuffer,
		},
	}}
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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url.Base()+path, nil)
	if err != nil {
		return "", fmt.Errorf("ask relay %s: %w", r.url.Host, err)
	}
	req.Header = http.Header{"User-Agent": {""}, "Accept-Encoding": {"gzip"}}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := r.transport.RoundTrip(req)
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
