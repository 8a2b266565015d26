// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// signContext begins the string that is signed, so that no signature made for another purpose can serve as this one.
const signContext = "tokengo service v2\x00"

// MaxKeyConfigBytes is the largest list of key configurations. Two keys, one of them post-quantum, take 1.3 KiB.
const MaxKeyConfigBytes = 16 << 10

// ClockSkew is how far a description's start may lie in the future of the verifier's clock. There is no such allowance
// at its end: an exit keeps serving its keys for a while after that.
const ClockSkew = 5 * time.Minute

// Signed is a description with the keys that it is for and the exit's signature over both, as bytes that must not
// change on the way.
type Signed struct {
	// KeyConfig is an application/ohttp-keys list (RFC 9458, section 3), which this package does not look into.
	KeyConfig []byte
	// ServiceInfo is the JSON of an Info, exactly as it was signed.
	ServiceInfo []byte
	// Signature is the 64-byte Ed25519 signature by the identity that ServiceInfo names over
	// "tokengo service v2\x00" || SHA-256(KeyConfig) || ServiceInfo.
	Signature []byte
}

// Sign encodes info once and signs it together with keyConfig. It fills in Version and Identity where they are empty,
// cuts times to whole seconds in UTC, and returns ErrInvalid for whatever ParseInfo would not accept, for protocols that
// this version does not know, and for an info that names another identity. It changes neither info nor keyConfig, and
// keeps keyConfig.
func Sign(key ed25519.PrivateKey, keyConfig []byte, info *Info) (*Signed, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("sign service description: private key %w: %d bytes, want %d",
			ErrInvalid, len(key), ed25519.PrivateKeySize)
	}
	if err := checkKeyConfig(keyConfig); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	raw, err := encodeInfo(key, info)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return &Signed{
		KeyConfig:   keyConfig,
		ServiceInfo: raw,
		Signature:   ed25519.Sign(key, appendMessage(nil, keyConfig, raw)),
	}, nil
}

// encodeInfo returns the bytes to sign, after reading them back the way everybody else will.
func encodeInfo(key ed25519.PrivateKey, info *Info) ([]byte, error) {
	own := IdentityOf(ed25519.PublicKey(key[ed25519.PrivateKeySize-ed25519.PublicKeySize:]))
	filled := *info
	if filled.Version == 0 {
		filled.Version = Version
	}
	if filled.Identity == "" {
		filled.Identity = own
	}
	if filled.Identity != own {
		return nil, fmt.Errorf("service description %w: identity is not that of the signing key", ErrInvalid)
	}
	filled.NotBefore = filled.NotBefore.UTC().Truncate(time.Second)
	filled.Expires = filled.Expires.UTC().Truncate(time.Second)
	for _, p := range filled.Protocols {
		if _, err := ParseProtocol(string(p)); err != nil {
			return nil, err
		}
	}
	if filled.Models == nil {
		filled.Models = []Model{} // an empty list, not null
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&filled); err != nil {
		return nil, fmt.Errorf("service description %w: cannot be written as JSON", ErrInvalid)
	}
	raw := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if _, err := ParseInfo(raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// Verify returns what the exit says once the signature proves that it did, and now is within its time. The signature is
// checked before any value but the identity is looked at. Errors are ErrInvalid, ErrSignature, ErrNotYetValid (more than
// ClockSkew before its start) or ErrExpired (at its end or later), in that order of precedence except that malformed
// values behind a bad signature are ErrSignature.
//
// Whether the identity is to be trusted, and whether the keys can be used, is for the caller to decide.
func (s *Signed) Verify(now time.Time) (*Info, error) {
	if err := checkKeyConfig(s.KeyConfig); err != nil {
		return nil, err
	}
	info, err := s.verifyInfo()
	if err != nil {
		return nil, err
	}
	if now.Before(info.NotBefore.Add(-ClockSkew)) {
		return nil, fmt.Errorf("service description %w: starts %s, it is %s", ErrNotYetValid, stamp(info.NotBefore), stamp(now))
	}
	if !now.Before(info.Expires) {
		return nil, fmt.Errorf("service description %w: ended %s, it is %s", ErrExpired, stamp(info.Expires), stamp(now))
	}
	return info, nil
}

// verifyInfo returns the description when its identity has signed it.
func (s *Signed) verifyInfo() (*Info, error) {
	if info := fillInfo(s.ServiceInfo); info != nil {
		if err := s.verifySignature(info.Identity); err != nil {
			return nil, err
		}
		return info.checked()
	}
	if err := checkInfo(s.ServiceInfo); err != nil {
		return nil, err
	}
	var claim struct {
		Identity Identity `json:"identity"`
	}
	if err := json.Unmarshal(s.ServiceInfo, &claim); err != nil {
		return nil, fmt.Errorf("service description %w: %w", ErrInvalid, plainError(err))
	}
	if err := s.verifySignature(claim.Identity); err != nil {
		return nil, err
	}
	return decodeInfo(s.ServiceInfo)
}

func (s *Signed) verifySignature(identity Identity) error {
	key, err := identity.PublicKey()
	if err != nil {
		return fmt.Errorf("service description: %w", err)
	}
	buf := messages.Get().(*[]byte)
	defer messages.Put(buf)
	*buf = appendMessage((*buf)[:0], s.KeyConfig, s.ServiceInfo)
	if !ed25519.Verify(key, *buf, s.Signature) {
		return fmt.Errorf("service description: %w", ErrSignature)
	}
	return nil
}

// Hash returns the hash of the key configuration, the exit's name at the relay.
func (s *Signed) Hash() Hash { return HashOf(s.KeyConfig) }

// messages are buffers for what signatures are over. A client verifies thousands of signatures at once.
var messages = sync.Pool{New: func() any { return new([]byte) }}

// appendMessage appends what a signature is over.
func appendMessage(b, keyConfig, info []byte) []byte {
	sum := sha256.Sum256(keyConfig)
	b = slices.Grow(b, len(signContext)+len(sum)+len(info))
	b = append(b, signContext...)
	b = append(b, sum[:]...)
	return append(b, info...)
}

func checkKeyConfig(keyConfig []byte) error {
	if n := len(keyConfig); n == 0 || n > MaxKeyConfigBytes {
		return fmt.Errorf("key configuration %w: %d bytes, want 1 to %d", ErrInvalid, n, MaxKeyConfigBytes)
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
