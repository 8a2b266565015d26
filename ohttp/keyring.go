// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"crypto/hpke"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
)

// PrivateKey opens requests that were sealed to its [PrivateKey.Config]. It may be used by several
// goroutines. It prints and logs as redacted.
type PrivateKey struct {
	config KeyConfig
	key    hpke.PrivateKey
}

// GenerateKey makes a new key. Keys of one exit differ in id or in kem; id means nothing otherwise.
func GenerateKey(id uint8, kem KEM) (*PrivateKey, error) {
	k, err := kem.hpke()
	if err != nil {
		return nil, fmt.Errorf("generate key %d: %w", id, err)
	}
	key, err := k.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("generate key %d: %w", id, err)
	}
	return newPrivateKey(id, kem, key), nil
}

// NewPrivateKey returns the key whose [PrivateKey.Bytes] are raw. It fails with [ErrInvalid] when they
// are not a key of kem.
func NewPrivateKey(id uint8, kem KEM, raw []byte) (*PrivateKey, error) {
	k, err := kem.hpke()
	if err != nil {
		return nil, fmt.Errorf("read private key %d: %w", id, err)
	}
	key, err := k.NewPrivateKey(raw)
	if err != nil {
		return nil, fmt.Errorf("read private key %d: %d bytes are no key of KEM %#04x: %w", id, len(raw), uint16(kem), ErrInvalid)
	}
	return newPrivateKey(id, kem, key), nil
}

func newPrivateKey(id uint8, kem KEM, key hpke.PrivateKey) *PrivateKey {
	pub := key.PublicKey()
	ready := func() (hpke.PublicKey, error) { return pub, nil }
	return &PrivateKey{
		config: KeyConfig{ID: id, KEM: kem, PublicKey: pub.Bytes(), Suites: supportedSuites(), key: ready},
		key:    key,
	}
}

// Config returns the public part, which offers HKDF-SHA256 with AES-128-GCM and with
// ChaCha20-Poly1305.
func (k *PrivateKey) Config() KeyConfig {
	c := k.config
	c.PublicKey = slices.Clone(c.PublicKey)
	c.Suites = slices.Clone(c.Suites)
	return c
}

// Bytes returns the secret for storage: 32 bytes for either KEM, the seed of both halves for X-Wing.
// The identifier and the KEM are not in it.
func (k *PrivateKey) Bytes() ([]byte, error) {
	raw, err := k.key.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write private key %d: %w", k.config.ID, err)
	}
	return slices.Clone(raw), nil
}

// Format prints the key's name and never the key, whatever the verb.
func (k PrivateKey) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "ohttp.PrivateKey(%d, %#04x, redacted)", k.config.ID, uint16(k.config.KEM))
}

// LogValue implements [slog.LogValuer].
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// Keyring is a set of private keys that requests may be sealed to: for a while after a rotation, the
// old ones too. It is immutable and may be used by several goroutines.
type Keyring struct{ keys map[keyName]*PrivateKey }

type keyName struct {
	id  uint8
	kem KEM
}

// NewKeyring fails when keys is empty or two of them have both identifier and KEM in common.
func NewKeyring(keys ...*PrivateKey) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("make keyring: no keys")
	}
	r := &Keyring{keys: make(map[keyName]*PrivateKey, len(keys))}
	for _, k := range keys {
		name := keyName{k.config.ID, k.config.KEM}
		if r.keys[name] != nil {
			return nil, fmt.Errorf("make keyring: two keys have identifier %d and KEM %#04x: %w", name.id, uint16(name.kem), ErrInvalid)
		}
		r.keys[name] = k
	}
	return r, nil
}

// find returns the key that h names, if it offers the algorithms that h names.
func (r *Keyring) find(h header) (*PrivateKey, error) {
	k := r.keys[keyName{h.id, h.kem}]
	if k == nil || !slices.Contains(k.config.Suites, h.suite) {
		return nil, fmt.Errorf("identifier %d, KEM %#04x, KDF %#04x, AEAD %#04x: %w",
			h.id, uint16(h.kem), h.suite.KDF, h.suite.AEAD, ErrUnknownKey)
	}
	return k, nil
}

// OpenRequest reads the header of a sealed request from src and sets up the keys for what follows, which
// [OpenedRequest.Read] opens. It waits for the header only. Whether the sender knew this key shows
// at the first Read: an exit that answers errors in the clear until it has opened something
// (RFC 9458 section 5.2) should read before it decides.
//
// maxWhole bounds the plaintext of a [Whole] request in bytes; 0 means 16 MiB, and 2 GiB is the most.
// A [Chunked] one is unbounded here, because it needs memory for one chunk only: bound what you read.
//
// Errors: [ErrUnknownKey], [ErrTruncated], [ErrInvalid], or that of src, wrapped.
func (r *Keyring) OpenRequest(src io.Reader, f Format, maxWhole int64) (*OpenedRequest, error) {
	const doing = "open sealed request"
	if !f.valid() {
		return nil, fmt.Errorf("%s: %v: %w", doing, f, ErrInvalid)
	}
	in := inBuffer{src: src}
	if err := in.fill(headerLen); err != nil {
		return nil, sourceError(doing, err)
	}
	h := parseHeader(in.take(headerLen))
	key, err := r.find(h)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	params, _ := h.kem.params() // a KEM that a key of the ring has
	if err := in.fill(params.enc); err != nil {
		return nil, sourceError(doing, err)
	}
	enc := slices.Clone(in.take(params.enc))
	ctx, err := hpke.NewRecipient(enc, key.key, hpke.HKDFSHA256(), h.suite.hpkeAEAD(), h.info(f))
	if err != nil {
		return nil, fmt.Errorf("%s: encapsulated key: %w", doing, ErrInvalid)
	}
	x, err := newExchange(f, h.suite, enc, ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return &OpenedRequest{
		exchange: x,
		keyID:    h.id,
		msg:      messageReader{doing: doing, format: f, maxWhole: maxWhole, in: in, open: ctx.Open},
	}, nil
}
