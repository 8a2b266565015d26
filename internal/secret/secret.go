// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package secret holds credentials so that they are used but not shown: keys of backends, tokens of
// the local client.
package secret

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "redacted"

// Secret is a credential. Whatever prints, logs or encodes one writes "redacted"; so does printing a
// struct that it is in. The zero value is none.
type Secret struct {
	value *string // behind a pointer, because fmt prints unexported fields without asking
}

// New returns s without the white space around it, which a file that it was read from may have.
func New(s string) Secret {
	s = strings.TrimSpace(s)
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// IsZero reports whether there is none.
func (s Secret) IsZero() bool { return s.value == nil }

// String returns "redacted", or "" for none.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format implements [fmt.Formatter], for every verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements [encoding.TextMarshaler].
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal returns the credential itself, "" for none.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return *s.value
}

// In reports whether p contains the credential.
func (s Secret) In(p []byte) bool { return !s.IsZero() && bytes.Contains(p, []byte(*s.value)) }

// Sendable reports whether the credential can stand in a header field.
func (s Secret) Sendable() bool {
	return !strings.ContainsFunc(s.Reveal(), func(r rune) bool { return r < ' ' || r > '~' })
}

// Is reports whether s is the credential, in a time that tells nothing about it. No credential is nobody's.
func (s Secret) Is(offered string) bool {
	if s.IsZero() {
		return false
	}
	a, b := sha256.Sum256([]byte(*s.value)), sha256.Sum256([]byte(offered))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
