// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// KEM identifies a key encapsulation mechanism (IANA registry "HPKE KEM Identifiers").
type KEM uint16

// The KEMs of this package.
const (
	// KEMX25519 is DHKEM(X25519, HKDF-SHA256) of RFC 9180 section 7.1.
	KEMX25519 KEM = 0x0020
	// KEMXWing is MLKEM768-X25519, also called X-Wing (draft-ietf-hpke-pq): safe as long as one of its
	// two halves is, the post-quantum or the classical one.
	KEMXWing KEM = 0x647a
)

// Identifiers of RFC 9180 sections 7.2 and 7.3 that this package supports in a [Suite].
const (
	KDFHKDFSHA256        uint16 = 0x0001 // HKDF-SHA256
	AEADAES128GCM        uint16 = 0x0001 // AES-128-GCM
	AEADChaCha20Poly1305 uint16 = 0x0003 // ChaCha20-Poly1305
)

// Suite is a pair of symmetric algorithms that a key may be used with (RFC 9458 section 3.1).
type Suite struct{ KDF, AEAD uint16 }

// supportedSuites returns what every key of ours offers, the preferred one first.
func supportedSuites() []Suite {
	return []Suite{{KDFHKDFSHA256, AEADAES128GCM}, {KDFHKDFSHA256, AEADChaCha20Poly1305}}
}

func (s Suite) supported() bool {
	return s.KDF == KDFHKDFSHA256 && (s.AEAD == AEADAES128GCM || s.AEAD == AEADChaCha20Poly1305)
}

// Sizes in bytes. They are the same for both AEADs (RFC 9180 section 7.3).
const (
	nonceLen = 12 // Nn
	tagLen   = 16 // Nt
)

// keyLen returns Nk in bytes.
func (s Suite) keyLen() int {
	if s.AEAD == AEADChaCha20Poly1305 {
		return chacha20poly1305.KeySize
	}
	return 16
}

// entropyLen returns max(Nn, Nk) in bytes: the length of the exported secret and of the response
// nonce (RFC 9458 section 4.4).
func (s Suite) entropyLen() int { return max(nonceLen, s.keyLen()) }

func (s Suite) newAEAD(key []byte) (cipher.AEAD, error) {
	if s.AEAD == AEADChaCha20Poly1305 {
		return chacha20poly1305.New(key)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (s Suite) hpkeAEAD() hpke.AEAD {
	if s.AEAD == AEADChaCha20Poly1305 {
		return hpke.ChaCha20Poly1305()
	}
	return hpke.AES128GCM()
}

// kemParams are the sizes of a KEM in bytes, Npk and Nenc of RFC 9180 section 7.1.
type kemParams struct{ publicKey, enc int }

// params returns false for a KEM that this package does not have.
func (k KEM) params() (kemParams, bool) {
	switch k {
	case KEMX25519:
		return kemParams{publicKey: 32, enc: 32}, true
	case KEMXWing:
		return kemParams{publicKey: 1216, enc: 1120}, true
	}
	return kemParams{}, false
}

func (k KEM) hpke() (hpke.KEM, error) {
	switch k {
	case KEMX25519:
		return hpke.DHKEM(ecdh.X25519()), nil
	case KEMXWing:
		return hpke.MLKEM768X25519(), nil
	}
	return nil, fmt.Errorf("KEM %#04x is not supported: %w", uint16(k), ErrInvalid)
}

// headerLen is the size in bytes of what precedes the encapsulated key (RFC 9458 section 4.1).
const headerLen = 7

// header names the key and the algorithms of a sealed request, in the clear.
type header struct {
	id    uint8
	kem   KEM
	suite Suite
}

func (h header) append(dst []byte) []byte {
	dst = append(dst, h.id)
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.kem))
	dst = binary.BigEndian.AppendUint16(dst, h.suite.KDF)
	return binary.BigEndian.AppendUint16(dst, h.suite.AEAD)
}

// parseHeader reads the first headerLen bytes of p.
func parseHeader(p []byte) header {
	return header{
		id:  p[0],
		kem: KEM(binary.BigEndian.Uint16(p[1:])),
		suite: Suite{
			KDF:  binary.BigEndian.Uint16(p[3:]),
			AEAD: binary.BigEndian.Uint16(p[5:]),
		},
	}
}

// info returns what HPKE binds the request to (RFC 9458 section 4.3, chunked OHTTP section 6.1).
func (h header) info(f Format) []byte {
	return h.append(append([]byte(f.requestLabel()), 0))
}
