// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// exporter is what the keys of a response need of an HPKE context.
type exporter interface {
	Export(exporterContext string, length int) ([]byte, error)
}

// exchange is what a request fixes for its response. Both sides have the same.
type exchange struct {
	format Format
	suite  Suite
	enc    []byte // the encapsulated key of the request
	secret []byte // exported from the HPKE context of the request
}

func newExchange(f Format, s Suite, enc []byte, ctx exporter) (exchange, error) {
	secret, err := ctx.Export(f.responseLabel(), s.entropyLen())
	if err != nil {
		return exchange{}, fmt.Errorf("export response secret: %w", err)
	}
	return exchange{format: f, suite: s, enc: enc, secret: secret}, nil
}

// responseCipher derives the keys of the response with the given nonce (RFC 9458 section 4.4).
func (x *exchange) responseCipher(responseNonce []byte) (*responseCipher, error) {
	salt := append(append(make([]byte, 0, len(x.enc)+len(responseNonce)), x.enc...), responseNonce...)
	prk, err := hkdf.Extract(sha256.New, x.secret, salt)
	if err != nil {
		return nil, fmt.Errorf("derive response keys: %w", err)
	}
	key, err := hkdf.Expand(sha256.New, prk, "key", x.suite.keyLen())
	if err != nil {
		return nil, fmt.Errorf("derive response keys: %w", err)
	}
	base, err := hkdf.Expand(sha256.New, prk, "nonce", nonceLen)
	if err != nil {
		return nil, fmt.Errorf("derive response keys: %w", err)
	}
	aead, err := x.suite.newAEAD(key)
	if err != nil {
		return nil, fmt.Errorf("derive response keys: %w", err)
	}
	return &responseCipher{aead: aead, base: [nonceLen]byte(base)}, nil
}

// maxResponseChunks keeps nonces of one key from repeating, with a wide margin (chunked OHTTP
// section 6.2).
const maxResponseChunks = 1 << 32

// responseCipher seals or opens the chunks of one response, in order. A Whole response is one chunk.
type responseCipher struct {
	aead  cipher.AEAD
	base  [nonceLen]byte
	nonce [nonceLen]byte // base XOR count, of the chunk at hand
	count uint64         // of chunks so far
}

// advance computes the nonce of the next chunk.
func (c *responseCipher) advance() error {
	if c.count >= maxResponseChunks {
		return fmt.Errorf("more than 2^32 chunks: %w", ErrTooLarge)
	}
	c.nonce = c.base
	low := c.nonce[nonceLen-8:]
	binary.BigEndian.PutUint64(low, binary.BigEndian.Uint64(low)^c.count)
	c.count++
	return nil
}

// seal appends the sealed plaintext to dst.
func (c *responseCipher) seal(dst, plain, aad []byte) ([]byte, error) {
	if err := c.advance(); err != nil {
		return nil, err
	}
	return c.aead.Seal(dst, c.nonce[:], plain, aad), nil
}

// open returns the plaintext in the memory of sealed.
func (c *responseCipher) open(aad, sealed []byte) ([]byte, error) {
	if err := c.advance(); err != nil {
		return nil, err
	}
	return c.aead.Open(sealed[:0], c.nonce[:], sealed, aad)
}

// OpenedRequest is the plaintext of a sealed request, and what is needed to answer it. One goroutine
// may read it while another seals the response.
type OpenedRequest struct {
	exchange exchange
	keyID    uint8
	msg      messageReader
}

// KeyID is the identifier of the key that the request was sealed to.
func (o *OpenedRequest) KeyID() uint8 { return o.keyID }

// ID tells the request apart from every other: the SHA-256 of its encapsulated key, which is part of what the
// seal depends on, so that nobody can send the same content under another (RFC 9458 section 6.5.1).
func (o *OpenedRequest) ID() [sha256.Size]byte { return sha256.Sum256(o.exchange.enc) }

// Read returns plaintext: at most one chunk, as soon as that is there. It returns [io.EOF] only after
// the final chunk was verified; else [ErrTruncated], [ErrInvalid], [ErrTooLarge], or the error of
// the source, wrapped. Nothing that has side effects should be done before that [io.EOF].
func (o *OpenedRequest) Read(p []byte) (int, error) { return o.msg.Read(p) }

// SealResponse returns a sealer of the response to this request, in the format of the request, with a
// fresh random nonce that is written to w together with the first chunk. The outer media type is
// [Format.ResponseType]. It may be called before the request has been read.
func (o *OpenedRequest) SealResponse(w io.Writer) (*ResponseSealer, error) {
	nonce := make([]byte, o.exchange.suite.entropyLen())
	rand.Read(nonce) // never fails
	return o.exchange.sealResponse(w, nonce)
}

func (x *exchange) sealResponse(w io.Writer, nonce []byte) (*ResponseSealer, error) {
	c, err := x.responseCipher(nonce)
	if err != nil {
		return nil, fmt.Errorf("seal response: %w", err)
	}
	return &ResponseSealer{w: w, cipher: c, whole: x.format == Whole, head: len(nonce), buf: nonce}, nil
}

// ResponseSealer writes one sealed response. It is not for use by several goroutines at once. A
// response that is never closed is, to who opens it, a truncated one; that is how to report a failure
// once the response has begun, so do not defer Close.
type ResponseSealer struct {
	w      io.Writer
	cipher *responseCipher
	whole  bool
	head   int    // bytes of nonce at the beginning of buf; 0 once they are written
	buf    []byte // what the next Write will have; Whole: nonce and plaintext so far
	err    error  // what every further call returns
}

var errSealed = errors.New("seal response: it is closed")

// WriteChunk seals p at once, as one chunk when it has at most [MaxChunk] bytes and as several
// otherwise, and hands it to the writer in exactly one Write. An empty p does nothing. After an error
// of the writer, which is returned wrapped, the response cannot be continued. In the [Whole] format p is
// only collected, without bound; nothing is written before Close.
func (s *ResponseSealer) WriteChunk(p []byte) error {
	if s.err != nil || len(p) == 0 {
		return s.err
	}
	if s.whole {
		s.buf = append(s.buf, p...)
		return nil
	}
	if err := s.appendChunks(p); err != nil {
		return err
	}
	return s.flush()
}

// Close seals last, which may be empty, as the end of the response, in exactly one Write. Nothing may
// follow: every later call fails. It does not close the writer.
func (s *ResponseSealer) Close(last []byte) error {
	if s.err != nil {
		return s.err
	}
	if s.whole {
		return s.closeWhole(last)
	}
	n := max(0, len(last)-1) / MaxChunk * MaxChunk // all but the final chunk
	if err := s.appendChunks(last[:n]); err != nil {
		return err
	}
	if err := s.seal(append(s.buf, 0), last[n:], finalAAD); err != nil {
		return err
	}
	return s.finish()
}

func (s *ResponseSealer) closeWhole(last []byte) error {
	s.buf = append(s.buf, last...)
	plain := s.buf[s.head:]
	if err := s.seal(s.buf[:s.head], plain, nil); err != nil { // in place
		return err
	}
	return s.finish()
}

func (s *ResponseSealer) finish() error {
	if err := s.flush(); err != nil {
		return err
	}
	s.err, s.buf = errSealed, nil
	return nil
}

// appendChunks seals p to buf as chunks that are not final.
func (s *ResponseSealer) appendChunks(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), MaxChunk)
		if err := s.seal(appendVarint(s.buf, n+tagLen), p[:n], nil); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// seal sets buf to dst and what it seals. A failure is final.
func (s *ResponseSealer) seal(dst, plain, aad []byte) error {
	buf, err := s.cipher.seal(dst, plain, aad)
	if err != nil {
		s.err = fmt.Errorf("seal response: %w", err)
		return s.err
	}
	s.buf = buf
	return nil
}

// flush writes buf in one Write and empties it. A failure is final, because it is not known what the
// other side has.
func (s *ResponseSealer) flush() error {
	n, err := s.w.Write(s.buf)
	if err == nil && n < len(s.buf) {
		err = io.ErrShortWrite
	}
	if err != nil {
		s.err = fmt.Errorf("write sealed response: %w", err)
		return s.err
	}
	s.head = 0
	if s.buf = s.buf[:0]; cap(s.buf) > 2*maxSealedChunk {
		s.buf = nil // one large write should not hold memory for the rest of a stream
	}
	return nil
}
