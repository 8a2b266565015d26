// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"encoding/base64"
	"strings"

	"github.com/tokengo/tokengo/service"
)

const signaturePrefix = "tokengo:"

// Unsigned marks reasoning that has no signature, in tools of protocols where all reasoning has one: a backend of such a
// protocol refuses what it did not sign. [Unwrap] reads it as no signature.
const Unsigned = signaturePrefix + "unsigned"

// Wrap is the signature as a tool of protocol p keeps it: its own as it is, another protocol's marked
// with who made it, so that [Unwrap] restores the exact bytes when the tool sends it back.
func (s Signature) Wrap(p service.Protocol) string {
	if s.By == p || s.Value == "" {
		return s.Value
	}
	return signaturePrefix + string(s.By) + ":" + base64.RawURLEncoding.EncodeToString([]byte(s.Value))
}

// Marked reports whether a value that a tool keeps was marked in a translation, by Wrap or in a codec's own way: it then
// means nothing to a backend of the tool's protocol.
func Marked(value string) bool {
	return strings.HasPrefix(value, signaturePrefix) || strings.HasPrefix(value, "tokengo-")
}

// Unwrap reads a signature that a tool of protocol p sent.
func Unwrap(p service.Protocol, value string) Signature {
	rest, ok := strings.CutPrefix(value, signaturePrefix)
	switch {
	case value == Unsigned:
		return Signature{}
	case !ok:
		return Signature{By: p, Value: value}
	}
	by, encoded, _ := strings.Cut(rest, ":")
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if _, known := service.ParseProtocol(by); known != nil || err != nil {
		return Signature{By: p, Value: value}
	}
	return Signature{By: service.Protocol(by), Value: string(raw)}
}

// For returns the signature's value for a backend of protocol p, "" when another made it.
func (s Signature) For(p service.Protocol) string {
	if s.By != p {
		return ""
	}
	return s.Value
}
