// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"time"
)

// MaxEntries is the most exits in one directory, and MaxDirectoryBytes the most bytes of one, in JSON or in all of its
// segments, decompressed.
const (
	MaxEntries        = 16384
	MaxDirectoryBytes = 128 << 20
)

// Directory is a relay's answer to the question which exits it reaches (ExitKeysResponse). The relay vouches for
// nothing in it: each entry carries its exit's own signature.
type Directory struct {
	// Exits are the exits, in no order that means anything.
	Exits []Entry `json:"exits"`
	// Operator is who runs the relay, as in [Index].
	Operator string `json:"operator,omitempty"`
}

// Entry is one exit of a directory. What it says counts only after Verify.
type Entry struct {
	// PubKeyHash is where to send requests: POST /ohttp/{pub_key_hash}.
	PubKeyHash Hash `json:"pub_key_hash"`
	// KeyConfig, ServiceInfo and Signature are the fields of Signed, in standard base64 in JSON.
	KeyConfig   []byte `json:"key_config"`
	ServiceInfo []byte `json:"service_info"`
	Signature   []byte `json:"signature"`
	// Observed is what the relay measured. Nobody signs it. Relays that serve [Observations] leave it out, so that a
	// directory changes only when its exits do.
	Observed Observed `json:"observed,omitzero"`
}

// Signed returns the entry's signed part. It shares the entry's bytes.
func (e *Entry) Signed() *Signed {
	return &Signed{KeyConfig: e.KeyConfig, ServiceInfo: e.ServiceInfo, Signature: e.Signature}
}

// Verify checks that the entry's hash is that of its keys, and then what [Signed.Verify] checks.
func (e *Entry) Verify(now time.Time) (*Info, error) {
	if e.PubKeyHash != HashOf(e.KeyConfig) {
		return nil, fmt.Errorf("directory entry %w: hash is not that of the key configuration", ErrInvalid)
	}
	return e.Signed().Verify(now)
}

// directoryShape lets the strict parser compare names with those of Directory.
var directoryShape = shapeOf(reflect.TypeFor[Directory]())

// ParseDirectory reads a directory of at most maxBytes bytes of JSON and MaxEntries exits from r, to the end of r. It
// checks the encoding, as strictly as ParseInfo; fields that it does not know are ignored. It verifies no entry: one bad
// exit must not hide the others, so that is for the caller, entry by entry. Errors are r's own or ErrInvalid.
func ParseDirectory(r io.Reader, maxBytes int64) (*Directory, error) {
	var d Directory
	if err := parseDocument(r, maxBytes, directoryShape, &d); err != nil {
		return nil, fmt.Errorf("directory %w", err)
	}
	if err := CheckOperator(d.Operator); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	return &d, nil
}

// parseDocument reads one of a relay's JSON documents into doc, whose shape is s.
func parseDocument(r io.Reader, maxBytes int64, s shape, doc any) error {
	raw, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if int64(len(raw)) > maxBytes {
		return fmt.Errorf("%w: over the limit of %d bytes", ErrInvalid, maxBytes)
	}
	if err := checkJSON(raw, s, MaxEntries); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := json.Unmarshal(raw, doc); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, plainError(err))
	}
	return nil
}
