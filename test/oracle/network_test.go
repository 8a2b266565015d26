// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cloudflare/circl/hpke"
	"github.com/openpcc/ohttp"
)

const (
	typeKeys       = "application/ohttp-keys"
	typeProblem    = "application/problem+json"
	typeKeyProblem = "https://iana.org/assignments/http-problem-types#ohttp-key" // RFC 9458 section 5.3
)

// What run.sh started.
var (
	relayURL   string           // without the pin
	exitHash   string           // lower-case hex SHA-256 of the exit's key list
	backendURL string           // of the backend that counts
	relay      *http.Client     // trusts the relay's public key and nothing else
	keys       ohttp.KeyConfigs // of the exit
)

func TestMain(m *testing.M) {
	if err := setUp(); err != nil {
		fmt.Fprintf(os.Stderr, "oracle: %v\nhint: run test/oracle/run.sh\n", err)
		os.Exit(2)
	}
	os.Exit(m.Run())
}

func setUp() error {
	address, err := url.Parse(os.Getenv("ORACLE_RELAY"))
	if err != nil {
		return fmt.Errorf("read ORACLE_RELAY: %w", err)
	}
	pin, ok := strings.CutPrefix(address.Fragment, "sha256=")
	exitHash, backendURL = os.Getenv("ORACLE_EXIT"), os.Getenv("ORACLE_BACKEND")
	if !ok || exitHash == "" || backendURL == "" {
		return errors.New("ORACLE_RELAY, ORACLE_EXIT and ORACLE_BACKEND say what to talk to")
	}
	address.Fragment = ""
	relayURL = strings.TrimSuffix(address.String(), "/")
	relay = &http.Client{Transport: &http.Transport{TLSClientConfig: pinned(pin), ForceAttemptHTTP2: true}}
	return fetchKeys()
}

// pinned trusts whoever has the public key with this hash.
func pinned(pin string) *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, // in favour of:
		VerifyConnection: func(state tls.ConnectionState) error {
			return checkPin(state.PeerCertificates[0], pin)
		},
	}
}

func checkPin(cert *x509.Certificate, pin string) error {
	if got := sha256.Sum256(cert.RawSubjectPublicKeyInfo); hex.EncodeToString(got[:]) != pin {
		return fmt.Errorf("the relay's public key has the hash %x", got)
	}
	return nil
}

// fetchKeys gets the exit's key list as any client does, and has it parsed by the library, which is
// strict: it rejects a list with a KEM that it does not know.
func fetchKeys() error {
	res, err := relay.Get(relayURL + "/exits/" + exitHash + "/keys")
	if err != nil {
		return fmt.Errorf("get the keys: %w", err)
	}
	defer res.Body.Close()
	list, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("get the keys: %w", err)
	}
	if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != typeKeys {
		return fmt.Errorf("get the keys: status %d with %q", res.StatusCode, got)
	}
	if got := sha256.Sum256(list); hex.EncodeToString(got[:]) != exitHash {
		return fmt.Errorf("the keys have the hash %x", got)
	}
	if err := keys.UnmarshalBinary(list); err != nil {
		return fmt.Errorf("parse the keys: %w", err)
	}
	return roundTrips(list)
}

// roundTrips checks that the library would have written the same list, so that it ignored nothing in it.
func roundTrips(list []byte) error {
	again, err := keys.MarshalBinary()
	if err != nil {
		return fmt.Errorf("encode the keys: %w", err)
	}
	if !bytes.Equal(again, list) {
		return errors.New("the library reads another key list than it was given")
	}
	return nil
}

func TestKeyList(t *testing.T) {
	var got []hpke.KEM
	suites := []ohttp.SymmetricAlgorithm{
		{KDFID: hpke.KDF_HKDF_SHA256, AEADID: hpke.AEAD_AES128GCM},
		{KDFID: hpke.KDF_HKDF_SHA256, AEADID: hpke.AEAD_ChaCha20Poly1305},
	}
	for _, key := range keys {
		got = append(got, key.KemID)
		if !slices.Equal(key.SymmetricAlgorithms, suites) {
			t.Errorf("algorithms of %v: got %v, want %v", key.KemID, key.SymmetricAlgorithms, suites)
		}
	}
	if want := []hpke.KEM{hpke.KEM_XWING, hpke.KEM_X25519_HKDF_SHA256}; !slices.Equal(got, want) {
		t.Errorf("KEMs: got %v, want %v", got, want)
	}
}

// count asks the backend how many chats arrived under a name.
func count(t *testing.T, user string) string {
	t.Helper()
	res, err := http.Get(backendURL + "/oracle/count?user=" + url.QueryEscape(user))
	if err != nil {
		t.Fatal(err)
	}
	return string(readAll(t, res.Body))
}

// release lets the backend send one more event.
func release(t *testing.T, user string) {
	t.Helper()
	res, err := http.Post(backendURL+"/oracle/release?user="+url.QueryEscape(user), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
}

func readAll(t *testing.T, body io.ReadCloser) []byte {
	t.Helper()
	defer body.Close()
	got, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	return got
}
