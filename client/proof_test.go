// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"net"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/internal/secret"
)

func TestProof(t *testing.T) {
	tools := secret.New("token-of-tools")
	c, _, _ := network(t, Config{ManagementToken: secret.New(testToken), Token: tools}, nil)
	nonce := strings.Repeat("0a", 16)
	at, err := net.ResolveTCPAddr("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	resp := c.do("GET", ProofPath+"?nonce="+nonce, "")
	body := read(t, resp)
	var got Proofs
	if err := json.Unmarshal([]byte(body), &got); err != nil || resp.StatusCode != 200 || len(got.Proofs) != 2 {
		t.Fatalf("status %d, %s, %v", resp.StatusCode, body, err)
	}
	if got.Proofs[0] != Proof(secret.New(testToken), at, nonce) || got.Proofs[1] != Proof(tools, at, nonce) {
		t.Errorf("proofs %q", got.Proofs)
	}
	elsewhere := &net.TCPAddr{IP: at.IP, Port: at.Port + 1}
	for name, other := range map[string]string{
		"token":   Proof(secret.New("x"), at, nonce),
		"nonce":   Proof(tools, at, strings.Repeat("0b", 16)),
		"address": Proof(tools, elsewhere, nonce),
	} {
		if other == got.Proofs[1] {
			t.Errorf("another %s has the same proof", name)
		}
	}
	if strings.Contains(body, testToken) || strings.Contains(body, tools.Reveal()) {
		t.Errorf("a token is in %s", body)
	}
}

func TestProofRefuses(t *testing.T) {
	c, _, _ := network(t, Config{ManagementToken: secret.New(testToken)}, nil)
	nonce := strings.Repeat("0a", 16)
	for _, tt := range []struct {
		method, query string
		header        []string
		status        int
	}{
		{"GET", "", nil, 400},
		{"GET", "?nonce=0a", nil, 400},
		{"GET", "?nonce=" + strings.Repeat("xy", 16), nil, 400},
		{"GET", "?nonce=" + strings.Repeat("a", maxNonce+2), nil, 400},
		{"POST", "?nonce=" + nonce, nil, 405},
		{"GET", "?nonce=" + nonce, []string{"Origin", "http://evil.example"}, 403},
		{"GET", "?nonce=" + nonce, []string{"Sec-Fetch-Site", "cross-site"}, 403},
	} {
		if got := c.do(tt.method, ProofPath+tt.query, "", tt.header...).StatusCode; got != tt.status {
			t.Errorf("%s %s %v: status %d, want %d", tt.method, tt.query, tt.header, got, tt.status)
		}
	}
}
