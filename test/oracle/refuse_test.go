// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/openpcc/ohttp"
)

// sealedBytes is a sealed chat, and what opens its answer.
func sealedBytes(t *testing.T, w way, user string) ([]byte, *ohttp.ResponseDecapsulator) {
	t.Helper()
	sealed, opener := seal(t, w, chat(t, "oracle", "hello", object{"user": user}))
	return readAll(t, sealed.Body), opener
}

// send posts bytes as a sealed request. Nothing but the content type tells what they are.
func send(t *testing.T, contentType string, body []byte) *http.Response {
	t.Helper()
	res, err := relay.Post(relayURL+"/ohttp/"+exitHash, contentType, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// unused is an identifier that no key has.
func unused() byte {
	var id byte
	for id == keys[0].KeyID || id == keys[1].KeyID {
		id++
	}
	return id
}

// headerLen is how many bytes precede the sealed content.
func headerLen(key ohttp.KeyConfig) int {
	return 7 + key.KemID.Scheme().CiphertextSize()
}

func TestRefusedInTheClear(t *testing.T) {
	tests := []struct {
		name    string
		spoil   func(w way, b []byte) []byte
		problem string // type of the problem, "" for any
	}{
		{"unknown key", func(_ way, b []byte) []byte { b[0] = unused(); return b }, typeKeyProblem},
		{"unknown KEM", func(_ way, b []byte) []byte { b[1] = 0x7f; return b }, typeKeyProblem},
		{"unknown AEAD", func(_ way, b []byte) []byte { b[6] = 0x7f; return b }, typeKeyProblem},
		{"garbage content", func(w way, b []byte) []byte { rand.Read(b[headerLen(w.key):]); return b }, ""},
		{"garbage key", func(_ way, b []byte) []byte { b[7] ^= 1; return b }, ""},
		{"nothing but the header", func(w way, b []byte) []byte { return b[:headerLen(w.key)] }, ""},
		{"nothing", func(way, []byte) []byte { return nil }, ""},
	}
	for name, w := range ways() {
		for _, test := range tests {
			t.Run(name+", "+test.name, func(t *testing.T) {
				body, _ := sealedBytes(t, w, "refused")
				got := problemOf(t, send(t, w.format.request, test.spoil(w, body)))
				if test.problem != "" && got != (problem{http.StatusBadRequest, test.problem}) {
					t.Errorf("got %+v, want status 400 and type %q", got, test.problem)
				}
			})
		}
	}
	if got := count(t, "refused"); got != "0" {
		t.Errorf("%s of them reached the backend", got)
	}
}

// problem is an answer in the clear.
type problem struct {
	status int
	kind   string
}

// problemOf reads an answer in the clear: an error of the client (RFC 9458 section 5.2) as a problem (RFC 9457).
func problemOf(t *testing.T, res *http.Response) problem {
	t.Helper()
	var body struct{ Type string }
	if err := json.Unmarshal(readAll(t, res.Body), &body); err != nil {
		t.Errorf("the problem: %v", err)
	}
	if got := res.Header.Get("Content-Type"); res.StatusCode < 400 || res.StatusCode > 499 || got != typeProblem {
		t.Errorf("got status %d with %q, want 4xx with %q", res.StatusCode, got, typeProblem)
	}
	return problem{res.StatusCode, body.Type}
}

// TestOtherFormat sends each format as the other: their labels differ, so it cannot open.
func TestOtherFormat(t *testing.T) {
	for _, f := range [][2]format{{whole, chunked}, {chunked, whole}} {
		body, _ := sealedBytes(t, way{key: keys[1], format: f[0]}, "other")
		problemOf(t, send(t, f[1].request, body))
	}
	if got := count(t, "other"); got != "0" {
		t.Errorf("%s of them reached the backend", got)
	}
}

// TestTruncated cuts a chunked request at every byte at which it can matter, and drops one in the middle.
func TestTruncated(t *testing.T) {
	const user = "truncated"
	w := way{key: keys[1], format: chunked, chunk: 100}
	whole, _ := sealedBytes(t, w, user)
	for cut := headerLen(w.key); cut < len(whole); cut += 3 {
		body, opener := sealedBytes(t, w, user)
		res := send(t, chunked.request, body[:cut])
		if status := statusOf(t, res, opener); status < 400 || status > 499 {
			t.Errorf("cut after %d of %d bytes: got status %d, want 4xx", cut, len(body), status)
		}
	}
	testAbandoned(t, whole[:len(whole)-20])
	if status, _ := askJSON(t, w, chat(t, "oracle", "hello", object{"user": "after"})); status != http.StatusOK {
		t.Errorf("a request after them: got status %d", status)
	}
	if got := count(t, user); got != "0" {
		t.Errorf("%s of them reached the backend", got)
	}
}

// statusOf is the status of an answer in the clear or, as soon as anything was opened, under seal.
func statusOf(t *testing.T, res *http.Response, opener *ohttp.ResponseDecapsulator) int {
	t.Helper()
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return res.StatusCode
	}
	answer, err := opener.Decapsulate(t.Context(), res)
	if err != nil {
		t.Fatalf("open the answer: %v", err)
	}
	readAll(t, answer.Body)
	return answer.StatusCode
}

// testAbandoned sends the beginning of a body and then fails, as a client that crashes does.
func testAbandoned(t *testing.T, beginning []byte) {
	t.Helper()
	gone := errors.New("gone")
	body := io.MultiReader(bytes.NewReader(beginning), failingReader{gone})
	res, err := relay.Post(relayURL+"/ohttp/"+exitHash, chunked.request, body)
	if err == nil {
		res.Body.Close()
		t.Errorf("an abandoned request was answered with status %d", res.StatusCode)
	} else if !errors.Is(err, gone) {
		t.Errorf("an abandoned request: %v", err)
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }
