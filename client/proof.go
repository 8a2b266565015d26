// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/secret"
)

// ProofPath is where a client proves that it knows a token, before anybody shows it one: whatever user of the machine
// comes first can listen on the port that the client would. GET with ?nonce= and 32 to 128 hexadecimal digits, chosen
// anew each time, answers with a [Proofs].
const ProofPath = ManagementPrefix + "proof"

// Proofs are what a client with the tokens that open its management paths answers to a nonce, one for each.
type Proofs struct {
	Proofs []string `json:"proofs"`
}

const (
	minNonce = 32 // hexadecimal digits
	maxNonce = 128
)

// Proof is what a client that knows the token, and was asked at an address, answers to a nonce: a keyed hash in
// hexadecimal digits. Whoever asks must take the address from the connection, as its remote one: an impostor who asks the
// client itself gets a proof for another address than its own. All unix sockets have the same.
func Proof(token secret.Secret, at net.Addr, nonce string) string {
	address := at.Network()
	if address != "unix" {
		address = at.String()
	}
	mac := hmac.New(sha256.New, []byte(token.Reveal()))
	fmt.Fprintf(mac, "tokengo management proof\x00%s\x00%s", address, nonce)
	return hex.EncodeToString(mac.Sum(nil))
}

// prove answers at ProofPath.
func (d *door) prove(w http.ResponseWriter, r *http.Request) {
	nonce := r.URL.Query().Get("nonce")
	_, err := hex.DecodeString(nonce)
	at, known := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	switch fail := d.checkVisitor(r); {
	case fail != nil:
		refuse(w, fail)
	case r.Method != http.MethodGet:
		refuse(w, &dialect.Error{Code: dialect.CodeMethod, Allow: http.MethodGet})
	case err != nil, len(nonce) < minNonce, len(nonce) > maxNonce, !known:
		refuse(w, badQuery(fmt.Sprintf("The nonce is not %d to %d hexadecimal digits.", minNonce, maxNonce)))
	default:
		proofs := Proofs{Proofs: []string{}}
		for _, token := range []secret.Secret{d.management, d.token} {
			if !token.IsZero() {
				proofs.Proofs = append(proofs.Proofs, Proof(token, at, nonce))
			}
		}
		writeJSON(w, proofs)
	}
}
