// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"sync"
	"time"

	"github.com/tokengo/tokengo/internal/keyfile"
)

// certificateCheck is how often a certificate from files is looked at for a renewal.
const certificateCheck = time.Minute

// OwnCertificate reads the relay's self-signed certificate and key from the file at path, and makes
// them when there is none: ECDSA P-256, without expiry, since clients verify its key by the pin in the
// relay's URL. The file is PEM and must be readable by its owner only.
func OwnCertificate(path string) (tls.Certificate, error) {
	data, err := keyfile.Read(path)
	if errors.Is(err, os.ErrNotExist) {
		if data, err = makeCertificate(); err == nil {
			err = keyfile.Write(path, data)
		}
	}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("relay certificate: %w", err)
	}
	cert, err := tls.X509KeyPair(data, data)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("relay certificate %s: %w", path, err)
	}
	return cert, nil
}

// NewCertificate makes a self-signed certificate that is not kept.
func NewCertificate() (tls.Certificate, error) {
	data, err := makeCertificate()
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("relay certificate: %w", err)
	}
	return tls.X509KeyPair(data, data)
}

func makeCertificate() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "TokenGo relay"},
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280 section 4.1.2.5: no expiry
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = errors.Join(
		pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.Encode(&out, &pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	)
	return out.Bytes(), err
}

// FixedCertificate serves one certificate for as long as the relay runs.
func FixedCertificate(cert tls.Certificate) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil }
}

// FileCertificate serves the certificate and key in two PEM files, and picks up a renewal of them
// within a minute. A renewal that cannot be read leaves the old one in place.
func FileCertificate(certFile, keyFile string) (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("relay certificate: %w", err)
	}
	f := &fileCertificate{certFile: certFile, keyFile: keyFile, cert: &cert, checked: time.Now()}
	return f.get, nil
}

type fileCertificate struct {
	certFile, keyFile string

	mu      sync.Mutex // guards the fields below
	cert    *tls.Certificate
	checked time.Time
}

func (f *fileCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.checked) >= certificateCheck {
		f.checked = now
		if cert, err := tls.LoadX509KeyPair(f.certFile, f.keyFile); err == nil {
			f.cert = &cert
		}
	}
	return f.cert, nil
}
