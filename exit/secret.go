// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "redacted"

// Secret is a backend's key. Whatever prints, logs or encodes one writes "redacted"; so does printing a
// struct that it is in. The zero value is no key.
type Secret struct {
	value *string // behind a pointer, because fmt prints unexported fields without asking
}

// NewSecret returns s without the white space around it, which a file that it was read from may have.
func NewSecret(s string) Secret {
	s = strings.TrimSpace(s)
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// IsZero reports whether there is no key.
func (s Secret) IsZero() bool { return s.value == nil }

// String returns "redacted", or "" for no key.
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

// reveal returns the key itself.
func (s Secret) reveal() string {
	if s.IsZero() {
		return ""
	}
	return *s.value
}

// in reports whether p contains the key.
func (s Secret) in(p []byte) bool { return !s.IsZero() && bytes.Contains(p, []byte(*s.value)) }

// sendable reports whether the key can stand in a header field.
func (s Secret) sendable() bool {
	return !strings.ContainsFunc(s.reveal(), func(r rune) bool { return r < ' ' || r > '~' })
}
