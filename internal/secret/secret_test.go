// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package secret

import (
	"fmt"
	"strings"
	"testing"
)

const canary = "sk-canary-0123456789"

func TestSecret(t *testing.T) {
	s := New(canary)
	cfg := struct{ Keys []Secret }{[]Secret{s}}
	for _, got := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %q %x %s %d", s, s, s, s, s, s, s), fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg),
		fmt.Sprintf("%+v", struct{ s Secret }{s}), s.LogValue().String(),
	} {
		if strings.Contains(got, canary) {
			t.Errorf("prints the key: %s", got)
		}
	}
	if text, err := s.MarshalText(); err != nil || string(text) != "redacted" {
		t.Errorf("marshals to %q, %v", text, err)
	}
	if !New(" \n").IsZero() || !(Secret{}).IsZero() || fmt.Sprint(Secret{}) != "" {
		t.Error("no key is not seen as none")
	}
}

func TestIs(t *testing.T) {
	s := New(canary + "\n")
	for _, tt := range []struct {
		s       Secret
		offered string
		want    bool
	}{
		{s, canary, true},
		{s, "", false},
		{s, canary + "x", false},
		{s, canary[:5], false},
		{Secret{}, "", false},
		{Secret{}, canary, false},
	} {
		if got := tt.s.Is(tt.offered); got != tt.want {
			t.Errorf("Is(%q) = %t, want %t", tt.offered, got, tt.want)
		}
	}
	if !s.In([]byte("x"+canary+"x")) || s.In([]byte("x")) || (Secret{}).In(nil) {
		t.Error("In is wrong")
	}
}
