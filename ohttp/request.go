// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"crypto/hpke"
	"fmt"
	"io"
	"slices"
)

// hpkeContext is what a sealed request needs of [hpke.Sender].
type hpkeContext interface {
	exporter
	Seal(aad, plaintext []byte) ([]byte, error)
}

// SealedRequest is the bytes of a sealed request, to be sent with media type
// [Format.RequestType]. It can be read once. One goroutine may read it while another opens the response.
type SealedRequest struct {
	exchange exchange
	src      io.Reader
	ctx      hpkeContext
	head     []byte // header and encapsulated key until they are in store
	plain    []byte // Chunked: up to one chunk and one byte, which tells whether the chunk is final
	have     int    // how much of plain is filled
	store    []byte // memory of out
	out      []byte // sealed and not yet read
	err      error  // what comes after out
}

// SealRequest seals plaintext to the key of cfg, with the first of its suites. It encapsulates at
// once; content is read from plaintext and sealed as the result is read. The same configuration may be
// used any number of times, by several goroutines. Errors: [ErrInvalid] when cfg or f cannot be used.
//
// Memory: two chunks; for [Whole], twice the content.
func SealRequest(cfg *KeyConfig, f Format, plaintext io.Reader) (*SealedRequest, error) {
	const doing = "seal request"
	if !f.valid() {
		return nil, fmt.Errorf("%s: %v: %w", doing, f, ErrInvalid)
	}
	i := slices.IndexFunc(cfg.Suites, Suite.supported)
	if i < 0 {
		return nil, fmt.Errorf("%s: key %d has no suite that is supported: %w", doing, cfg.ID, ErrInvalid)
	}
	pub, err := cfg.publicKey()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	h := header{id: cfg.ID, kem: cfg.KEM, suite: cfg.Suites[i]}
	enc, ctx, err := hpke.NewSender(pub, hpke.HKDFSHA256(), h.suite.hpkeAEAD(), h.info(f))
	if err != nil {
		return nil, fmt.Errorf("%s: key %d cannot be sealed to: %w", doing, cfg.ID, ErrInvalid)
	}
	return newSealedRequest(h, f, encapsulation{enc, ctx}, plaintext)
}

// encapsulation is a sending HPKE context and the encapsulated key that goes with it.
type encapsulation struct {
	enc []byte
	ctx hpkeContext
}

func newSealedRequest(h header, f Format, e encapsulation, plaintext io.Reader) (*SealedRequest, error) {
	x, err := newExchange(f, h.suite, e.enc, e.ctx)
	if err != nil {
		return nil, fmt.Errorf("seal request: %w", err)
	}
	head := h.append(make([]byte, 0, headerLen+len(e.enc)))
	return &SealedRequest{exchange: x, src: plaintext, ctx: e.ctx, head: append(head, e.enc...)}, nil
}

// Read returns sealed bytes, in chunks of [MaxChunk] bytes of plaintext of which only the last is
// shorter, and [io.EOF] behind the final one. It waits until the source has filled a chunk or ended. An
// error of the source is returned wrapped (as [ErrTruncated] when it is [io.ErrUnexpectedEOF]), and
// leaves the message without an end, so that nobody takes it for complete.
func (s *SealedRequest) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(s.out) == 0 {
		if s.err != nil {
			s.plain, s.store, s.src = nil, nil, nil // the response may take long
			return 0, s.err
		}
		s.sealNext()
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	return n, nil
}

// What sealing adds to a chunk, in bytes: its length before it, as a variable-length integer, and its tag.
const (
	addedToFull  = 4 + tagLen // of MaxChunk bytes
	addedToFinal = 1 + tagLen
)

// Len returns how many bytes are to be read in all when the content has n bytes.
func (s *SealedRequest) Len(n int64) int64 {
	head := headerLen + int64(len(s.exchange.enc))
	if s.exchange.format == Whole {
		return head + n + tagLen
	}
	full := max(0, n-1) / MaxChunk // chunks before the final one
	return head + n + full*addedToFull + addedToFinal
}

// sealNext sets out, err or both.
func (s *SealedRequest) sealNext() {
	seal := s.sealChunk
	if s.exchange.format == Whole {
		seal = s.sealWhole
	}
	out, err := seal(append(s.store[:0], s.head...))
	if err != nil && err != io.EOF {
		s.err = sourceError("seal request", err)
		return
	}
	s.head, s.store, s.out, s.err = nil, out, out, err
}

// sealWhole appends all content; it returns io.EOF when that worked.
func (s *SealedRequest) sealWhole(dst []byte) ([]byte, error) {
	plain, err := io.ReadAll(s.src)
	if err != nil {
		return nil, err
	}
	sealed, err := s.ctx.Seal(nil, plain)
	if err != nil {
		return nil, err
	}
	return append(dst, sealed...), io.EOF
}

// sealChunk appends one chunk; it returns io.EOF when that was the final one.
func (s *SealedRequest) sealChunk(dst []byte) ([]byte, error) {
	end := s.fillChunk()
	if end != nil && end != io.EOF {
		return nil, end
	}
	chunk := s.plain[:min(s.have, MaxChunk)]
	dst, err := appendRequestChunk(dst, s.ctx, chunk, end == io.EOF)
	if err != nil {
		return nil, err
	}
	if end == nil {
		s.plain[0], s.have = s.plain[MaxChunk], 1
	}
	return dst, end
}

// fillChunk reads until plain holds a chunk and one byte, or the source has ended, when it returns io.EOF.
// Most requests are far smaller than a chunk, so the memory for one is taken as it fills.
func (s *SealedRequest) fillChunk() error {
	for s.have <= MaxChunk {
		if s.have == len(s.plain) {
			grown := make([]byte, minPlain)
			if s.plain != nil {
				grown = make([]byte, MaxChunk+1)
			}
			copy(grown, s.plain)
			s.plain = grown
		}
		n, err := readFull(s.src, s.plain[s.have:])
		s.have += n
		if err != nil {
			return err
		}
	}
	return nil
}

// appendRequestChunk seals one chunk (chunked OHTTP section 6.1).
func appendRequestChunk(dst []byte, ctx hpkeContext, plain []byte, final bool) ([]byte, error) {
	if final {
		sealed, err := ctx.Seal(finalAAD, plain)
		return append(append(dst, 0), sealed...), err
	}
	sealed, err := ctx.Seal(nil, plain)
	return append(appendVarint(dst, len(sealed)), sealed...), err
}

// OpenResponse returns the plaintext of the sealed response r to this request; the media type of the
// response must have matched ([Format.MatchesResponse]). Each Read returns at most one chunk, as soon
// as that is there, and never waits for more. It returns [io.EOF] only after the final chunk was
// verified; else [ErrTruncated], [ErrInvalid], [ErrTooLarge], or the error of r, wrapped.
//
// maxWhole bounds the plaintext of a [Whole] response in bytes; 0 means 16 MiB, and 2 GiB is the
// most. A [Chunked] response is unbounded here: bound what you read. Opening does not depend
// on how much of the request has been read.
func (s *SealedRequest) OpenResponse(r io.Reader, maxWhole int64) io.Reader {
	m := &messageReader{
		doing:    "open sealed response",
		format:   s.exchange.format,
		maxWhole: maxWhole,
		in:       inBuffer{src: r},
	}
	m.begin = func() error {
		n := s.exchange.suite.entropyLen()
		if err := m.in.fill(n); err != nil {
			return err
		}
		c, err := s.exchange.responseCipher(m.in.take(n))
		if err != nil {
			return err
		}
		m.open = c.open
		return nil
	}
	return m
}
