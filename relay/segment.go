// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"sort"

	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

// place is where an identity stands in the directory: its SHA-256. An exit keeps its place when it changes
// keys, so that this changes one segment and not two.
type place [sha256.Size]byte

func placeOf(id service.Identity) place { return sha256.Sum256([]byte(id)) }

// bit returns the n-th bit of a place, the highest first.
func (p *place) bit(n int) bool { return p[n/8]&(0x80>>(n%8)) != 0 }

// listed is one exit of the directory.
type listed struct {
	place        place
	registration *tunnel.Registration
}

// segment is a run of exits with neighbouring places, as it is served. It does not change.
type segment struct {
	exits   []listed
	digest  service.Digest
	gzipped []byte // of the exits' signed descriptions, one after the other
}

// cut divides exits, which are sorted by place and agree in the first bits of it, into runs that fit into
// a segment each. How one run is cut does not depend on any other: a change stays where it is.
func cut(exits []listed, bits int) [][]listed {
	if len(exits) == 0 {
		return nil
	}
	size := 0
	for _, e := range exits {
		size += service.SignedSize(e.registration.Signed)
	}
	if size <= service.MaxSegmentBytes || bits == 8*sha256.Size {
		return [][]listed{exits}
	}
	half := sort.Search(len(exits), func(i int) bool { return exits[i].place.bit(bits) })
	return append(cut(exits[:half], bits+1), cut(exits[half:], bits+1)...)
}

// newSegment encodes a run of exits.
func newSegment(exits []listed) (*segment, error) {
	raw := make([]byte, 0, service.MaxSegmentBytes)
	for _, e := range exits {
		raw = service.AppendSigned(raw, e.registration.Signed)
	}
	gzipped, err := compress(raw)
	if err != nil {
		return nil, err
	}
	return &segment{exits: slices.Clone(exits), digest: service.DigestOf(raw), gzipped: gzipped}, nil
}

// has reports whether the segment is of these very registrations.
func (s *segment) has(exits []listed) bool { return slices.Equal(s.exits, exits) }

// piece is a segment's part of the directory in JSON.
type piece struct {
	plain    []byte // entries with commas between them
	deflated []byte
}

func newPiece(exits []listed) (*piece, error) {
	var entries [][]byte
	for _, e := range exits {
		entry, err := encodeEntry(e.registration)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	p := &piece{plain: bytes.Join(entries, []byte(","))}
	var err error
	p.deflated, err = deflate(p.plain)
	return p, err
}

func encodeEntry(reg *tunnel.Registration) ([]byte, error) {
	return json.Marshal(service.Entry{
		PubKeyHash:  reg.Hash,
		KeyConfig:   reg.Signed.KeyConfig,
		ServiceInfo: reg.Signed.ServiceInfo,
		Signature:   reg.Signed.Signature,
	})
}
