// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package tunnel

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tokengo/tokengo/service"
)

// The framing of the messages before HTTP/2 starts, big endian:
//
//	message  = Type(1) TargetLen(2) Target(N) PayloadLen(4) Payload(N)
//	Register payload = KeyConfigLen(4) KeyConfig ServiceInfoLen(4) ServiceInfo SignatureLen(4) Signature
const (
	typeRegister    = 0x10 // exit to relay; the target is the hash of the keys in hex
	typeRegisterAck = 0x11 // relay to exit; JSON of Limits
	typeError       = 0xFF // relay to exit; JSON of RefusedError, then the connection closes

	drainWord = "drain" // the body of a poll's answer when the exit begins to drain

	maxTarget  = 1 << 10   // bytes
	maxPayload = 256 << 10 // bytes
)

// Limits is what a relay tells an exit in RegisterAck. Zero means that the relay states none.
type Limits struct {
	MaxRequestBytes int64 `json:"max_request_bytes,omitempty"` // largest sealed request that the relay forwards
	MaxStreams      int   `json:"max_streams,omitempty"`       // most requests at once on one tunnel
}

// Code says why a relay refused a registration. The set is closed; an exit treats a code that it does
// not know like [CodeInternal].
type Code string

// Reasons of a refusal.
const (
	CodeMalformed   Code = "malformed"           // the message cannot be parsed
	CodeTooLarge    Code = "too_large"           // a length is over its limit
	CodeHash        Code = "hash_mismatch"       // the target is not the SHA-256 of the key configuration
	CodeProof       Code = "identity_not_proven" // the TLS client certificate is not of the identity key
	CodeSignature   Code = "bad_signature"       // the signature does not verify
	CodeExpired     Code = "expired"             // past its expiry
	CodeNotYetValid Code = "not_yet_valid"       // before its not_before
	CodeDescription Code = "bad_description"     // signed, but not a valid service description
	CodeHashTaken   Code = "hash_taken"          // another identity has registered these keys first
	CodeSequence    Code = "stale_sequence"      // the relay knows a newer registration of this identity
	CodeFull        Code = "full"                // the relay takes no more exits
	CodeShutdown    Code = "shutting_down"       // the relay is about to stop
	CodeInternal    Code = "internal"            // the relay failed
)

// RefusedError is a relay's answer to a registration that it does not take.
type RefusedError struct {
	Code    Code   `json:"code"`
	Message string `json:"message"` // for people; untrusted text when it came from a relay
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("registration refused: %s (%s)", service.Printable(e.Message, 200), service.Printable(string(e.Code), 40))
}

// Temporary reports whether the same registration may be taken later.
func (e *RefusedError) Temporary() bool {
	switch e.Code {
	case CodeFull, CodeShutdown, CodeInternal, CodeNotYetValid:
		return true
	}
	return false
}

// message is one framed message.
type message struct {
	kind    byte
	target  string
	payload []byte
}

var (
	errMalformed = errors.New("malformed message")
	errTooLarge  = errors.New("message too large")
)

// writeMessage sends m in a single Write.
func writeMessage(w io.Writer, m message) error {
	if len(m.target) > maxTarget || len(m.payload) > maxPayload {
		return errTooLarge
	}
	b := make([]byte, 0, 7+len(m.target)+len(m.payload))
	b = append(b, m.kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(m.target)))
	b = append(b, m.target...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(m.payload)))
	b = append(b, m.payload...)
	_, err := w.Write(b)
	return err
}

// readMessage reads exactly one message and nothing behind it: HTTP/2 follows on the same connection.
// A length over its limit is refused before anything of that length is read or allocated.
func readMessage(r io.Reader) (message, error) {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return message{}, fmt.Errorf("read message head: %w", err)
	}
	switch head[0] {
	case typeRegister, typeRegisterAck, typeError:
	default:
		return message{}, fmt.Errorf("%w: unknown type 0x%02x", errMalformed, head[0])
	}
	target, err := readSized(r, int(binary.BigEndian.Uint16(head[1:])), maxTarget)
	if err != nil {
		return message{}, fmt.Errorf("read message target: %w", err)
	}
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return message{}, fmt.Errorf("read message length: %w", err)
	}
	payload, err := readSized(r, int(binary.BigEndian.Uint32(size[:])), maxPayload)
	if err != nil {
		return message{}, fmt.Errorf("read message payload: %w", err)
	}
	return message{kind: head[0], target: string(target), payload: payload}, nil
}

func readSized(r io.Reader, n, limit int) ([]byte, error) {
	if n < 0 || n > limit {
		return nil, fmt.Errorf("%w: over %d bytes", errTooLarge, limit)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

// parseRegister decodes the payload of Register. The parts share payload's memory.
func parseRegister(payload []byte) (*service.Signed, error) {
	signed, rest, err := service.CutSigned(payload)
	if err != nil {
		return nil, fmt.Errorf("%w: registration: %w", errMalformed, err)
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: bytes after the registration", errMalformed)
	}
	return signed, nil
}

// refusal turns whatever went wrong with a registration into what the exit is told.
func refusal(err error) *RefusedError {
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, errTooLarge):
		return &RefusedError{CodeTooLarge, "the message is larger than the relay reads"}
	case errors.Is(err, errMalformed), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &RefusedError{CodeMalformed, "the message is not a Register message"}
	case errors.Is(err, service.ErrSignature):
		return &RefusedError{CodeSignature, "the signature does not verify"}
	case errors.Is(err, service.ErrExpired):
		return &RefusedError{CodeExpired, "the registration has expired; check the exit's clock"}
	case errors.Is(err, service.ErrNotYetValid):
		return &RefusedError{CodeNotYetValid, "the registration is not valid yet; check the exit's clock"}
	case errors.Is(err, service.ErrInvalid):
		return &RefusedError{CodeDescription, "the service description is not valid"}
	}
	return &RefusedError{CodeInternal, "the relay could not take the registration"}
}

// parseAck reads the relay's answer to Register.
func parseAck(m message) (Limits, error) {
	switch m.kind {
	case typeRegisterAck:
		var limits Limits
		if err := json.Unmarshal(m.payload, &limits); err != nil {
			return Limits{}, fmt.Errorf("%w: acknowledgement is not JSON", errMalformed)
		}
		return limits, nil
	case typeError:
		refused := &RefusedError{}
		if err := json.Unmarshal(m.payload, refused); err != nil {
			return Limits{}, fmt.Errorf("%w: refusal is not JSON", errMalformed)
		}
		return Limits{}, refused
	}
	return Limits{}, fmt.Errorf("%w: type 0x%02x where an acknowledgement belongs", errMalformed, m.kind)
}
