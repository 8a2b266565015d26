// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relayurl_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/internal/relayurl"
)

const pin = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

func TestParse(t *testing.T) {
	tests := []struct{ in, want, err string }{
		{in: "https://relay.example", want: "https://relay.example:4433"},
		{in: " https://relay.example:8443/ ", want: "https://relay.example:8443"},
		{in: "https://[::1]:4433", want: "https://[::1]:4433"},
		{in: "https://relay.example#sha256=" + pin, want: "https://relay.example:4433#sha256=" + pin},
		{in: "http://relay.example", err: "must begin with https://"},
		{in: "relay.example:4433", err: "must begin with https://"},
		{in: "https://", err: "names no host"},
		{in: "https://a@relay.example", err: "only https://host:port"},
		{in: "https://relay.example/x", err: "only https://host:port"},
		{in: "https://relay.example?x", err: "only https://host:port"},
		{in: "https://relay.example#sha256=0011", err: "64 hex digits"},
		{in: "https://relay.example#sha256=" + strings.Repeat("z", 64), err: "64 hex digits"},
		{in: "https://relay.example#md5=00", err: "sha256="},
		{in: "https://relay.example:x", err: "not a URL"},
	}
	for _, test := range tests {
		got, err := relayurl.Parse(test.in)
		switch {
		case test.err != "":
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("Parse(%q) error = %v, want %q in it", test.in, err, test.err)
			}
		case err != nil:
			t.Errorf("Parse(%q): %v", test.in, err)
		case got.String() != test.want:
			t.Errorf("Parse(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

// TestTLSConfig dials a server with a certificate that nobody trusts: only its own pin opens it.
func TestTLSConfig(t *testing.T) {
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	host := srv.Listener.Addr().String()
	right := relayurl.URL{Host: host, Pin: relayurl.PinOf(srv.Certificate()), Pinned: true}
	wrong := right
	wrong.Pin[0] ^= 1

	tests := []struct {
		name string
		url  relayurl.URL
		ok   func(error) bool
	}{
		{"right pin", right, func(err error) bool { return err == nil }},
		{"wrong pin", wrong, func(err error) bool { return errors.Is(err, relayurl.ErrPin) }},
		{"no pin", relayurl.URL{Host: host}, func(err error) bool {
			var unknown x509.UnknownAuthorityError
			return errors.As(err, &unknown)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := tls.Client(conn, test.url.TLSConfig("http/1.1")).Handshake(); !test.ok(err) {
				t.Errorf("handshake error = %v", err)
			}
		})
	}
}
