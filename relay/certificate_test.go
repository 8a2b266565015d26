// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokengo/tokengo/internal/keyfile"
	"github.com/tokengo/tokengo/internal/relayurl"
)

func TestOwnCertificate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "relay.pem")
	made, err := OwnCertificate(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %04o", info.Mode().Perm())
	}
	read, err := OwnCertificate(path)
	if err != nil {
		t.Fatal(err)
	}
	if relayurl.PinOf(read.Leaf) != relayurl.PinOf(made.Leaf) {
		t.Error("the second start made another certificate")
	}
	if time.Until(made.Leaf.NotAfter) < 100*365*24*time.Hour {
		t.Errorf("it expires %v", made.Leaf.NotAfter)
	}
	other, err := NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	if relayurl.PinOf(other.Leaf) == relayurl.PinOf(made.Leaf) {
		t.Error("two relays have the same key")
	}
}

func TestOwnCertificateRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.pem")
	if _, err := OwnCertificate(path); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		if _, err := OwnCertificate(path); !errors.Is(err, keyfile.ErrExposed) || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("readable by the group: error = %v", err)
		}
	}
	if err := keyfile.Write(path, []byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	if _, err := OwnCertificate(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("not a certificate: error = %v", err)
	}
	if content, err := os.ReadFile(path); string(content) != "nonsense" {
		t.Errorf("the file was replaced, by %q, %v", content, err)
	}
}

// TestFileCertificate renews a certificate in its files, whole and half.
func TestFileCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		write := func(parts ...string) tls.Certificate {
			t.Helper()
			data, err := makeCertificate()
			if err != nil {
				t.Fatal(err)
			}
			certBlock, rest := pem.Decode(data)
			keyBlock, _ := pem.Decode(rest)
			for _, part := range parts {
				block := map[string]*pem.Block{certFile: certBlock, keyFile: keyBlock}[part]
				if err := os.WriteFile(part, pem.EncodeToMemory(block), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cert, err := tls.X509KeyPair(data, data)
			if err != nil {
				t.Fatal(err)
			}
			return cert
		}
		if _, err := FileCertificate(certFile, keyFile); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("without files: error = %v", err)
		}
		first := write(certFile, keyFile)
		get, err := FileCertificate(certFile, keyFile)
		if err != nil {
			t.Fatal(err)
		}
		check := func(when string, want tls.Certificate) {
			t.Helper()
			got, err := get(nil)
			if err != nil || !got.Leaf.Equal(want.Leaf) {
				t.Errorf("%s: not the certificate that was expected, %v", when, err)
			}
		}
		check("at first", first)
		second := write(certFile, keyFile)
		<-time.After(certificateCheck - 1)
		check("just after the renewal", first)
		<-time.After(1)
		check("a minute after the renewal", second)
		write(certFile)
		<-time.After(certificateCheck)
		check("with a key that does not fit", second)
		if err := os.Remove(keyFile); err != nil {
			t.Fatal(err)
		}
		<-time.After(certificateCheck)
		check("without a key", second)
		third := write(certFile, keyFile)
		<-time.After(certificateCheck)
		check("renewed again", third)
	})
}

func TestNewChecks(t *testing.T) {
	cert := FixedCertificate(tls.Certificate{})
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"nothing", Config{}, "no certificate"},
		{"negative size", Config{Certificate: cert, MaxRequestBytes: -1}, "negative"},
		{"negative number", Config{Certificate: cert, MaxInFlight: -1}, "negative"},
		{"negative time", Config{Certificate: cert, WriteTimeout: -1}, "negative"},
		{"operator", Config{Certificate: cert, Operator: "two\nlines"}, "operator"},
		{"all defaults", Config{Certificate: cert}, ""},
	}
	for _, test := range tests {
		_, err := New(test.cfg)
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: error = %v, want one with %q", test.name, err, test.want)
		}
	}
}
