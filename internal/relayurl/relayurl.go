// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package relayurl reads the address of a relay and says how its certificate is verified.
//
// A relay is written as a URL. With a pin, the relay is the holder of one key, whoever signed its
// certificate; without one, the certificate must chain to a certification authority that this
// machine trusts and name the host:
//
//	https://relay.example:4433#sha256=<64 hex digits>    pinned key
//	https://relay.example                                public certificate
//
// There is no third way: nothing in this package can turn verification off.
package relayurl

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// DefaultPort is the port of a relay whose URL names none.
const DefaultPort = "4433"

const pinPrefix = "sha256="

// ErrPin is returned by a TLS handshake with a server that does not hold the pinned key.
var ErrPin = errors.New("the relay's key is not the pinned one")

// URL is the parsed address of a relay. It is comparable.
type URL struct {
	Host   string   // host:port
	Pin    [32]byte // SHA-256 of the certificate's SubjectPublicKeyInfo (DER); meaningful when Pinned
	Pinned bool
}

// Parse reads a relay URL. The scheme must be https; a path, a query or user information is an error.
func Parse(s string) (URL, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return URL{}, fmt.Errorf("relay URL %q: not a URL", s)
	}
	switch {
	case u.Scheme != "https":
		return URL{}, fmt.Errorf("relay URL %q: must begin with https://", s)
	case u.Hostname() == "":
		return URL{}, fmt.Errorf("relay URL %q: names no host", s)
	case u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "":
		return URL{}, fmt.Errorf("relay URL %q: only https://host:port#sha256=… is allowed", s)
	}
	port := u.Port()
	if port == "" {
		port = DefaultPort
	}
	parsed := URL{Host: net.JoinHostPort(u.Hostname(), port)}
	if u.Fragment == "" {
		return parsed, nil
	}
	pin, err := parsePin(u.Fragment)
	if err != nil {
		return URL{}, fmt.Errorf("relay URL %q: %w", s, err)
	}
	parsed.Pin, parsed.Pinned = pin, true
	return parsed, nil
}

func parsePin(fragment string) (pin [32]byte, err error) {
	digits, ok := strings.CutPrefix(fragment, pinPrefix)
	if !ok {
		return pin, errors.New("the part after # must be sha256= and 64 hex digits")
	}
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != len(pin) {
		return pin, errors.New("the pin must be 64 hex digits")
	}
	return [32]byte(raw), nil
}

// String gives the URL back in the form that [Parse] reads.
func (u URL) String() string {
	s := "https://" + u.Host
	if u.Pinned {
		s += "#" + pinPrefix + hex.EncodeToString(u.Pin[:])
	}
	return s
}

// Hostname is the host without its port.
func (u URL) Hostname() string {
	host, _, err := net.SplitHostPort(u.Host)
	if err != nil {
		return u.Host
	}
	return host
}

// Base is the URL without its pin, for building request URLs.
func (u URL) Base() string { return "https://" + u.Host }

// TLSConfig is the configuration for dialling the relay: TLS 1.3, the given ALPN protocols, no session
// resumption (a resumed session links connections), and the verification that the URL asks for.
func (u URL) TLSConfig(alpn ...string) *tls.Config {
	cfg := &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             alpn,
		ServerName:             u.Hostname(),
		SessionTicketsDisabled: true,
	}
	if u.Pinned {
		// The pin replaces the public key infrastructure, so the standard verification is switched
		// off and VerifyConnection, which runs on every handshake, takes its place.
		cfg.InsecureSkipVerify = true
		cfg.VerifyConnection = u.verifyPin
	}
	return cfg
}

func (u URL) verifyPin(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return ErrPin
	}
	got := PinOf(state.PeerCertificates[0])
	if subtle.ConstantTimeCompare(got[:], u.Pin[:]) != 1 {
		return ErrPin
	}
	return nil
}

// PinOf is the pin of a certificate: the SHA-256 of its SubjectPublicKeyInfo, which stays the same
// when the certificate is renewed with the same key.
func PinOf(cert *x509.Certificate) [32]byte {
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo)
}

// PinOfTLS is the pin of the leaf in a TLS server's certificate.
func PinOfTLS(cert *tls.Certificate) (pin [32]byte, err error) {
	if len(cert.Certificate) == 0 {
		return pin, errors.New("relay certificate: it is empty")
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return pin, fmt.Errorf("relay certificate: %w", err)
	}
	return PinOf(leaf), nil
}
