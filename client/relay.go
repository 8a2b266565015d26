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
	"syscall"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/service"
)

// relay is the connection to one relay. What it sends is alike for all clients: no user agent, no
// cookies, no redirects followed, nothing of what the tool sent.
type relay struct {
	url       relayurl.URL
	transport *http.Transport
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

// errNotModified says that the directory is still the one that the ETag names.
var errNotModified = errors.New("directory has not changed")

// directory downloads the relay's directory, all of it: what one looks for stays at home.
func (r *relay) directory(ctx context.Context, etag string) (dir *service.Directory, newETag string, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url.Base()+pathExits, nil)
	if err != nil {
		return nil, "", fmt.Errorf("download the directory of relay %s: %w", r.url.Host, err)
	}
	req.Header = http.Header{"User-Agent": {""}, "Accept-Encoding": {"gzip"}}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := r.transport.RoundTrip(req)
	if err != nil {
		return nil, "", fmt.Errorf("download the directory of relay %s: %w", r.url.Host, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && etag != "":
		return nil, etag, errNotModified
	case resp.StatusCode != http.StatusOK:
		return nil, "", fmt.Errorf("download the directory of relay %s: status %d", r.url.Host, resp.StatusCode)
	}
	dir, err = readDirectory(resp)
	if err != nil {
		return nil, "", fmt.Errorf("download the directory of relay %s: %w", r.url.Host, err)
	}
	if newETag = resp.Header.Get("ETag"); len(newETag) > maxETagBytes {
		newETag = ""
	}
	return dir, newETag, nil
}

// readDirectory reads the body of an answer, decompressing it when it says that it is compressed.
func readDirectory(resp *http.Response) (*service.Directory, error) {
	body := io.Reader(resp.Body)
	switch encoding := resp.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		body = unzipped
	default:
		return nil, errors.New("compressed in a way that was not asked for")
	}
	return service.ParseDirectory(body, maxDirectoryBytes)
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
