// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
)

// A directory is also served in segments: runs of exits, each named by its content, and an index that lists them. Who
// has the segments of yesterday downloads those that changed. A segment never changes, so that any cache or mirror can
// keep it, and whoever asks for it shows what it lacks, not what it looks for.

// MaxSegmentBytes is the largest segment. The largest description with the largest list of keys fits into one.
const MaxSegmentBytes = 96 << 10

// maxIndexBytes is an index of MaxEntries segments, with room to spare.
const maxIndexBytes = 2 << 20

// Digest names a segment: the lower-case hexadecimal SHA-256 of its bytes.
type Digest string

// DigestOf returns the digest of a segment.
func DigestOf(segment []byte) Digest {
	sum := sha256.Sum256(segment)
	return Digest(hex.EncodeToString(sum[:]))
}

// ParseDigest returns s as a digest. It accepts what [ParseHash] accepts.
func ParseDigest(s string) (Digest, error) {
	if _, err := ParseHash(s); err != nil {
		return "", fmt.Errorf("segment digest %w: want %d lower-case hexadecimal digits", ErrInvalid, hex.EncodedLen(sha256.Size))
	}
	return Digest(s), nil
}

// Index is a relay's directory by its segments.
type Index struct {
	// Segments are at most MaxEntries digests, each once, in no order that means anything.
	Segments []Digest `json:"segments"`
	// Operator is who runs the relay, by its own word and signed by nobody: text that [CheckOperator] takes. Empty: it
	// does not tell.
	Operator string `json:"operator,omitempty"`
}

var indexShape = shapeOf(reflect.TypeFor[Index]())

// ParseIndex reads an index from r, to the end of r, as strictly as [ParseDirectory]. Errors are r's own or ErrInvalid.
func ParseIndex(r io.Reader) (*Index, error) {
	var index Index
	if err := parseDocument(r, maxIndexBytes, indexShape, &index); err != nil {
		return nil, fmt.Errorf("directory index %w", err)
	}
	if err := CheckOperator(index.Operator); err != nil {
		return nil, fmt.Errorf("directory index: %w", err)
	}
	seen := make(map[Digest]bool, len(index.Segments))
	for _, d := range index.Segments {
		if _, err := ParseDigest(string(d)); err != nil {
			return nil, fmt.Errorf("directory index: %w", err)
		}
		if seen[d] {
			return nil, fmt.Errorf("directory index %w: a segment twice", ErrInvalid)
		}
		seen[d] = true
	}
	return &index, nil
}

// AppendSigned appends a signed description to b in the form that registrations and segments have, which is
// KeyConfigLen(4) KeyConfig ServiceInfoLen(4) ServiceInfo SignatureLen(4) Signature, lengths in big endian.
func AppendSigned(b []byte, s *Signed) []byte {
	for _, part := range [][]byte{s.KeyConfig, s.ServiceInfo, s.Signature} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

// SignedSize is the number of bytes that [AppendSigned] appends.
func SignedSize(s *Signed) int { return 3*4 + len(s.KeyConfig) + len(s.ServiceInfo) + len(s.Signature) }

// CutSigned reads what [AppendSigned] wrote at the beginning of b and returns what follows it. The parts share b's
// memory. It verifies nothing; every error is an ErrInvalid.
func CutSigned(b []byte) (s *Signed, rest []byte, err error) {
	s = &Signed{}
	for _, part := range []*[]byte{&s.KeyConfig, &s.ServiceInfo, &s.Signature} {
		if len(b) < 4 {
			return nil, nil, fmt.Errorf("signed description %w: ends within a length", ErrInvalid)
		}
		n := binary.BigEndian.Uint32(b)
		b = b[4:]
		if uint64(n) > uint64(len(b)) {
			return nil, nil, fmt.Errorf("signed description %w: ends within a part", ErrInvalid)
		}
		*part, b = b[:n:n], b[n:]
	}
	return s, b, nil
}

// ParseSegment returns the signed descriptions of a segment of at most MaxSegmentBytes, which share its memory. It
// verifies none of them: one bad exit must not hide the others, so that is for the caller. Every error is an ErrInvalid.
func ParseSegment(segment []byte) ([]*Signed, error) {
	if len(segment) > MaxSegmentBytes {
		return nil, fmt.Errorf("directory segment %w: over the limit of %d bytes", ErrInvalid, MaxSegmentBytes)
	}
	var all []*Signed
	for len(segment) > 0 {
		s, rest, err := CutSigned(segment)
		if err != nil {
			return nil, fmt.Errorf("directory segment: %w", err)
		}
		all, segment = append(all, s), rest
	}
	return all, nil
}
