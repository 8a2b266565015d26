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

// MaxEntries is the most exits in one directory.
const MaxEntries = 16384

// Directory is a relay's answer to the question which exits it reaches (ExitKeysResponse). The relay vouches for
// nothing in it: each entry carries its exit's own signature.
type Directory struct {
	// Exits are the exits, in no order that means anything.
	Exits []Entry `json:"exits"`
}

// Entry is one exit of a directory. What it says counts only after Verify.
type Entry struct {
	// PubKeyHash is where to send requests: POST /ohttp/{pub_key_hash}.
	PubKeyHash Hash `json:"pub_key_hash"`
	// KeyConfig, ServiceInfo and Signature are the fields of Signed, in standard base64 in JSON.
	KeyConfig   []byte `json:"key_config"`
	ServiceInfo []byte `json:"service_info"`
	Signature   []byte `json:"signature"`
	// Observed is what the relay measured. Nobody signs it.
	Observed Observed `json:"observed"`
}

// Observed is what a relay sees of an exit's tunnel.
type Observed struct {
	// Since is when the tunnel was registered.
	Since time.Time `json:"since"`
	// RTTMillis is the round trip between relay and exit in milliseconds; 0 when it has not been measured.
	RTTMillis float64 `json:"rtt_ms"`
	// InFlight is the number of requests that the tunnel is carrying.
	InFlight int `json:"in_flight"`
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
	raw, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	if int64(len(raw)) > maxBytes {
		return nil, fmt.Errorf("directory %w: over the limit of %d bytes", ErrInvalid, maxBytes)
	}
	if err := checkJSON(raw, directoryShape, MaxEntries); err != nil {
		return nil, fmt.Errorf("directory %w: %w", ErrInvalid, err)
	}
	var d Directory
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("directory %w: %w", ErrInvalid, plainError(err))
	}
	return &d, nil
}
