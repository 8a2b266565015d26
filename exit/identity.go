// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/tokengo/tokengo/internal/keyfile"
)

// identityFile holds the identity key: PKCS #8 (RFC 5958) in PEM, as openssl writes it, too.
const identityFile = "identity.key"

const pemPrivateKey = "PRIVATE KEY" // RFC 7468 section 10

// openIdentity reads the identity key in dir, or makes one. With no dir it makes one that is not kept.
func openIdentity(dir string) (ed25519.PrivateKey, error) {
	if dir == "" {
		return newIdentity()
	}
	path := filepath.Join(dir, identityFile)
	data, err := keyfile.Read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return makeIdentity(path)
	case err != nil:
		return nil, fmt.Errorf("read identity: %w", err)
	}
	key, err := parseIdentity(data)
	if err != nil {
		return nil, fmt.Errorf("read identity %s: %w", path, err)
	}
	return key, nil
}

func newIdentity() (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	return key, nil
}

func makeIdentity(path string) (ed25519.PrivateKey, error) {
	key, err := newIdentity()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	if err := keyfile.Write(path, pem.EncodeToMemory(&pem.Block{Type: pemPrivateKey, Bytes: der})); err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	return key, nil
}

// parseIdentity never repeats what is in the file.
func parseIdentity(data []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemPrivateKey {
		return nil, errors.New("the file has no PEM block PRIVATE KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the key is not in PKCS #8")
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("the key is not of Ed25519")
	}
	return key, nil
}
