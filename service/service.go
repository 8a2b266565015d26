// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package service is an exit's signed service description: what an exit offers, for which keys, until when, and the
// proof that the exit itself said so.
//
// # Who sees it
//
// Everything in this package is public. An exit signs one description and registers it; the relay verifies it and hands
// it to every client in the directory; clients verify it again, because a relay is never trusted with keys. A
// description names the exit's operator and models, and nothing about any user or request.
//
// # Invariants
//
//   - What is signed is bytes, not values: [Signed.ServiceInfo] travels unchanged from exit to client and is never
//     encoded again, so fields that this version does not know stay covered by the signature.
//   - The signature covers the key configuration too: nobody can pair an exit's name with somebody else's keys.
//   - An [Info] that [ParseInfo] or [Signed.Verify] returned is within the bounds documented at its fields, so that
//     callers need no checks of their own. Its text is still what a stranger wrote: show it only through [Printable].
//   - Errors never contain a peer's bytes.
//
// # Use
//
// An exit calls [Sign] and sends the result. A relay calls [Signed.Verify] when an exit registers. A client calls
// [ParseDirectory], and [Entry.Verify] for each entry before it seals anything to that entry's keys.
//
// The package opens no sockets and starts no goroutines. Its values may be read from several goroutines at once.
package service

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// Errors that callers act on. They come wrapped with what was wrong; match them with errors.Is.
var (
	// ErrInvalid means that the bytes are malformed or outside the bounds of this package.
	ErrInvalid = errors.New("invalid")
	// ErrSignature means that the signature is not the stated identity's over these bytes.
	ErrSignature = errors.New("signature does not verify")
	// ErrExpired means that the description's time has passed.
	ErrExpired = errors.New("has expired")
	// ErrNotYetValid means that the description's time has not come, by more than the clock skew that is allowed.
	ErrNotYetValid = errors.New("is not valid yet")
)

// Hash names a key configuration: the lower-case hexadecimal SHA-256 of an application/ohttp-keys list (RFC 9458,
// section 3). It is what a relay's paths and directory call an exit by.
type Hash string

// HashOf returns the hash of keyConfig, the bytes of an application/ohttp-keys list.
func HashOf(keyConfig []byte) Hash {
	sum := sha256.Sum256(keyConfig)
	return Hash(hex.EncodeToString(sum[:]))
}

// ParseHash returns s as a hash. It accepts 64 lower-case hexadecimal digits and nothing else.
func ParseHash(s string) (Hash, error) {
	if len(s) != hex.EncodedLen(sha256.Size) {
		return "", fmt.Errorf("key configuration hash %w: want %d lower-case hexadecimal digits",
			ErrInvalid, hex.EncodedLen(sha256.Size))
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", fmt.Errorf("key configuration hash %w: not lower-case hexadecimal", ErrInvalid)
		}
	}
	return Hash(s), nil
}

// Short returns the first 8 digits, for people to tell exits apart. It identifies nothing.
func (h Hash) Short() string { return string(h[:min(len(h), shortLen)]) }

// Identity names an exit for as long as it keeps its identity key: the standard base64 (RFC 4648, section 4, padded) of
// its Ed25519 public key. One key has one spelling, so identities may be compared as strings.
type Identity string

// IdentityOf returns the identity of key.
func IdentityOf(key ed25519.PublicKey) Identity {
	return Identity(base64.StdEncoding.EncodeToString(key))
}

// PublicKey returns the key that the identity names, or an error if it is not the canonical base64 of 32 bytes.
func (id Identity) PublicKey() (ed25519.PublicKey, error) {
	key, err := base64.StdEncoding.DecodeString(string(id))
	if err != nil || len(key) != ed25519.PublicKeySize || IdentityOf(key) != id {
		return nil, fmt.Errorf("identity %w: want the base64 of a %d-byte Ed25519 public key",
			ErrInvalid, ed25519.PublicKeySize)
	}
	return key, nil
}

// Short returns the first 8 characters, for people to tell identities apart. It identifies nothing.
func (id Identity) Short() string { return string(id[:min(len(id), shortLen)]) }

// shortLen is how much of a hash or identity a table shows: enough to tell the exits of one directory apart.
const shortLen = 8

// Protocol is the native protocol of an AI backend or tool. Values from an exit may be unknown to this version;
// [ParseInfo] drops those.
type Protocol string

// The protocols of this version.
const (
	OpenAI Protocol = "openai" // OpenAI's HTTP API and the many that are compatible with it
	Claude Protocol = "claude" // Anthropic's Messages API
	Gemini Protocol = "gemini" // Google's Generative Language API
	Ollama Protocol = "ollama" // Ollama's native API
)

// Protocols returns the protocols of this version, always in the same order. The caller owns the slice.
func Protocols() []Protocol { return []Protocol{OpenAI, Claude, Gemini, Ollama} }

// ParseProtocol returns s as a protocol, or an error that lists the protocols of this version.
func ParseProtocol(s string) (Protocol, error) {
	if p := Protocol(s); p.known() {
		return p, nil
	}
	return "", fmt.Errorf("protocol %w: want one of %s", ErrInvalid, list(Protocols()))
}

func (p Protocol) known() bool { return slices.Contains(Protocols(), p) }

// Tier is the class of service that an operator says an exit gives.
type Tier string

// The tiers.
const (
	Free     Tier = "free"     // costs nothing and promises nothing
	Standard Tier = "standard" // the usual
	Premium  Tier = "premium"  // the operator's best
)

// Tiers returns the tiers, lowest first. The caller owns the slice.
func Tiers() []Tier { return []Tier{Free, Standard, Premium} }

// ParseTier returns s as a tier, or an error that lists the tiers.
func ParseTier(s string) (Tier, error) {
	if t := Tier(s); slices.Contains(Tiers(), t) {
		return t, nil
	}
	return "", fmt.Errorf("tier %w: want one of %s", ErrInvalid, list(Tiers()))
}

// list spells the values of a closed set for an error message.
func list[S ~string](values []S) string {
	var b []byte
	for i, v := range values {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, v...)
	}
	return string(b)
}
