// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"crypto/hpke"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
)

// KeyConfig is a public key and how it may be used (RFC 9458 section 3.1). One that came from
// [ParseKeyConfigs] or [PrivateKey.Config] must not be modified: its key is made ready for use once, when
// it is first sealed to. Copies share that, and all may be used by several goroutines.
type KeyConfig struct {
	ID        uint8   // chosen by the owner of the key; unique together with KEM
	KEM       KEM     // what PublicKey is a key of
	PublicKey []byte  // as serialized by RFC 9180 section 7.1: 32 bytes (X25519) or 1216 (X-Wing)
	Suites    []Suite // never empty; [SealRequest] uses the first

	key func() (hpke.PublicKey, error) // PublicKey ready for use; nil when made by hand
}

// minConfigLen is the least a configuration can have in bytes, of whatever KEM: identifier, KEM, one
// byte of key, and the length and bytes of one suite.
const minConfigLen = 1 + 2 + 1 + 2 + suiteLen

// suiteLen is the encoded size of a Suite in bytes.
const suiteLen = 4

// ParseKeyConfigs reads a list of media type [KeysType] (RFC 9458 section 3.2). Configurations of a
// KEM, and suites in a configuration, that this package does not support are left out, and so is a
// configuration that has no other suites; the result may therefore be empty. The order is kept. Any
// error of encoding, an empty list and an invalid public key among them, rejects the whole list with
// [ErrInvalid], because clients that recovered different parts of it could be told apart.
//
// The size of list is the caller's to bound. The result does not refer to it.
func ParseKeyConfigs(list []byte) ([]KeyConfig, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("read key configurations: the list is empty: %w", ErrInvalid)
	}
	var cfgs []KeyConfig
	for n := 1; len(list) > 0; n++ {
		var entry []byte
		var ok bool
		if entry, list, ok = cutLengthPrefixed(list); !ok {
			return nil, fmt.Errorf("read key configuration %d: longer than the list: %w", n, ErrInvalid)
		}
		cfg, ok, err := parseKeyConfig(entry)
		if err != nil {
			return nil, fmt.Errorf("read key configuration %d: %w", n, err)
		}
		if ok {
			cfgs = append(cfgs, cfg)
		}
	}
	return cfgs, nil
}

// cutLengthPrefixed splits p behind the element that its first two bytes give the length of.
func cutLengthPrefixed(p []byte) (element, rest []byte, ok bool) {
	if len(p) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(p))
	p = p[2:]
	if len(p) < n {
		return nil, nil, false
	}
	return p[:n], p[n:], true
}

// parseKeyConfig returns false for a well-formed configuration that cannot be used here.
func parseKeyConfig(p []byte) (KeyConfig, bool, error) {
	if len(p) < minConfigLen {
		return KeyConfig{}, false, fmt.Errorf("%d bytes are too few: %w", len(p), ErrInvalid)
	}
	cfg := KeyConfig{ID: p[0], KEM: KEM(binary.BigEndian.Uint16(p[1:]))}
	params, known := cfg.KEM.params()
	if !known {
		return KeyConfig{}, false, nil
	}
	p = p[3:]
	if len(p) < params.publicKey {
		return KeyConfig{}, false, fmt.Errorf("public key is cut: %w", ErrInvalid)
	}
	cfg.PublicKey = slices.Clone(p[:params.publicKey])
	suites, rest, ok := cutLengthPrefixed(p[params.publicKey:])
	if !ok || len(rest) > 0 || len(suites) == 0 || len(suites)%suiteLen != 0 {
		return KeyConfig{}, false, fmt.Errorf("symmetric algorithms have a wrong length: %w", ErrInvalid)
	}
	if err := checkPublicKey(cfg.KEM, cfg.PublicKey); err != nil {
		return KeyConfig{}, false, err
	}
	cfg.key = readyOnce(cfg.KEM, cfg.PublicKey)
	cfg.Suites = parseSuites(suites)
	return cfg, len(cfg.Suites) > 0, nil
}

// Of ML-KEM-768, whose public key begins one of X-Wing: the modulus of its coefficients, and the bytes
// that encode them, two in three bytes (FIPS 203 sections 2.4 and 4.2.1). A seed of any value follows.
const (
	mlkemModulus = 3329
	mlkemEncoded = 1152
)

// checkPublicKey refuses what [parsePublicKey] would refuse of a key that has the right length. To get
// a post-quantum key ready costs 25 µs and 6 KiB, which a client of thousands of exits pays only for
// those that it uses; whether it is one shows at once (FIPS 203 section 7.2). Any 32 bytes are an X25519 key.
func checkPublicKey(kem KEM, raw []byte) error {
	if kem != KEMXWing {
		return nil
	}
	for p := raw[:mlkemEncoded]; len(p) > 0; p = p[3:] {
		pair := uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16
		if pair&0xfff >= mlkemModulus || pair>>12 >= mlkemModulus {
			return fmt.Errorf("public key of KEM %#04x: %w", uint16(kem), ErrInvalid)
		}
	}
	return nil
}

// readyOnce returns what makes a key ready for use when it is first called.
func readyOnce(kem KEM, raw []byte) func() (hpke.PublicKey, error) {
	return sync.OnceValues(func() (hpke.PublicKey, error) { return parsePublicKey(kem, raw) })
}

// parseSuites returns those suites of p that are supported, each once.
func parseSuites(p []byte) []Suite {
	var suites []Suite
	for ; len(p) >= suiteLen; p = p[suiteLen:] {
		s := Suite{KDF: binary.BigEndian.Uint16(p), AEAD: binary.BigEndian.Uint16(p[2:])}
		if s.supported() && !slices.Contains(suites, s) {
			suites = append(suites, s)
		}
	}
	return suites
}

// MarshalKeyConfigs writes a list of media type [KeysType], in the order given, which is the order of
// preference. A configuration that [ParseKeyConfigs] would not read back as it is makes it fail with
// [ErrInvalid], and so does an empty list.
func MarshalKeyConfigs(cfgs []KeyConfig) ([]byte, error) {
	if len(cfgs) == 0 {
		return nil, fmt.Errorf("write key configurations: the list is empty: %w", ErrInvalid)
	}
	var list []byte
	for i := range cfgs {
		entry, err := cfgs[i].marshal()
		if err != nil {
			return nil, fmt.Errorf("write key configuration %d: %w", i+1, err)
		}
		list = binary.BigEndian.AppendUint16(list, uint16(len(entry)))
		list = append(list, entry...)
	}
	return list, nil
}

func (c *KeyConfig) marshal() ([]byte, error) {
	if _, err := c.publicKey(); err != nil {
		return nil, err
	}
	if len(c.Suites) == 0 || len(c.Suites) > len(supportedSuites()) {
		return nil, fmt.Errorf("%d suites: %w", len(c.Suites), ErrInvalid)
	}
	p := append(make([]byte, 0, minConfigLen+len(c.PublicKey)+suiteLen), c.ID)
	p = binary.BigEndian.AppendUint16(p, uint16(c.KEM))
	p = append(p, c.PublicKey...)
	p = binary.BigEndian.AppendUint16(p, uint16(suiteLen*len(c.Suites)))
	for i, s := range c.Suites {
		if !s.supported() || slices.Contains(c.Suites[:i], s) {
			return nil, fmt.Errorf("suite %d is not supported or repeated: %w", i+1, ErrInvalid)
		}
		p = binary.BigEndian.AppendUint16(p, s.KDF)
		p = binary.BigEndian.AppendUint16(p, s.AEAD)
	}
	return p, nil
}

// publicKey returns the key ready for use.
func (c *KeyConfig) publicKey() (hpke.PublicKey, error) {
	if c.key != nil {
		return c.key()
	}
	return parsePublicKey(c.KEM, c.PublicKey)
}

func parsePublicKey(kem KEM, raw []byte) (hpke.PublicKey, error) {
	mechanism, err := kem.hpke()
	if err != nil {
		return nil, err
	}
	key, err := mechanism.NewPublicKey(raw)
	if err != nil {
		return nil, fmt.Errorf("public key of KEM %#04x: %w", uint16(kem), ErrInvalid)
	}
	return key, nil
}
