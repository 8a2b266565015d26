// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHash(t *testing.T) {
	// The digest of FIPS 180-4's one-block example.
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := HashOf([]byte("abc")); got != abc {
		t.Errorf("HashOf(abc) = %s, want %s", got, abc)
	}
	tests := []struct {
		name, in string
		ok       bool
	}{
		{"a hash", abc, true},
		{"empty", "", false},
		{"upper case", strings.ToUpper(abc), false},
		{"short", abc[:63], false},
		{"long", abc + "0", false},
		{"not hexadecimal", "g" + abc[1:], false},
		{"path", "../" + abc[3:], false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseHash(tt.in)
			if (err == nil) != tt.ok {
				t.Fatalf("ParseHash: %v, want ok %v", err, tt.ok)
			}
			if tt.ok && got != Hash(tt.in) {
				t.Errorf("ParseHash = %s, want %s", got, tt.in)
			}
			if !tt.ok && !errors.Is(err, ErrInvalid) {
				t.Errorf("ParseHash: %v, want ErrInvalid", err)
			}
		})
	}
	if got, want := Hash(abc).Short(), "ba7816bf"; got != want {
		t.Errorf("Short = %s, want %s", got, want)
	}
	if got := Hash("ab").Short(); got != "ab" {
		t.Errorf("Short of a short one = %s, want ab", got)
	}
}

func TestIdentity(t *testing.T) {
	key := testKey.Public().(ed25519.PublicKey)
	id := IdentityOf(key)
	got, err := id.PublicKey()
	if err != nil || !got.Equal(key) {
		t.Fatalf("PublicKey = %x, %v, want %x", got, err, key)
	}
	if got, want := id.Short(), string(id[:8]); got != want {
		t.Errorf("Short = %s, want %s", got, want)
	}
	// 32 bytes leave two bits of the last digit unused: with them set, the text decodes to the same key.
	last := strings.IndexByte(alphabet, id[42])
	tests := map[string]Identity{
		"empty":             "",
		"31 bytes":          IdentityOf(key[:31]),
		"33 bytes":          IdentityOf(append(key[:32:32], 0)),
		"without padding":   id[:43],
		"line break inside": id[:10] + "\n" + id[10:],
		"second spelling":   id[:42] + Identity(alphabet[last|1]) + "=",
		"not base64":        "*" + id[1:],
		"URL alphabet":      Identity(strings.Repeat("_", 42) + "8="),
		"trailing newline":  id + "\n",
	}
	for name, in := range tests {
		if _, err := in.PublicKey(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: PublicKey: %v, want ErrInvalid", name, err)
		}
	}
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

func TestClosedSets(t *testing.T) {
	for _, p := range Protocols() {
		if got, err := ParseProtocol(string(p)); got != p || err != nil {
			t.Errorf("ParseProtocol(%s) = %s, %v", p, got, err)
		}
	}
	for _, tier := range Tiers() {
		if got, err := ParseTier(string(tier)); got != tier || err != nil {
			t.Errorf("ParseTier(%s) = %s, %v", tier, got, err)
		}
	}
	_, err := ParseProtocol("OpenAI")
	if want := "protocol invalid: want one of openai, claude, gemini, ollama"; err == nil || err.Error() != want {
		t.Errorf("ParseProtocol(OpenAI): %v, want %s", err, want)
	}
	_, err = ParseTier("")
	if want := "tier invalid: want one of free, standard, premium"; err == nil || err.Error() != want {
		t.Errorf("ParseTier of nothing: %v, want %s", err, want)
	}
	Protocols()[0] = "changed"
	if diff := cmp.Diff([]Protocol{OpenAI, Claude, Gemini, Ollama}, Protocols()); diff != "" {
		t.Errorf("Protocols after a caller changed its copy (-want +got):\n%s", diff)
	}
}

func TestParseDecimal(t *testing.T) {
	tests := map[string]bool{
		"0": true, "2.50": true, "0.075": true, "999999999.999999999": true, "0.0": true,
		"": false, "-1": false, "+1": false, "1.": false, ".5": false, "01": false, "1e3": false, "1,5": false,
		" 1": false, "1\n": false, "1000000000": false, "1.0000000001": false, "NaN": false, "٣": false,
	}
	for in, ok := range tests {
		got, err := ParseDecimal(in)
		if (err == nil) != ok || (ok && got != Decimal(in)) {
			t.Errorf("ParseDecimal(%q) = %q, %v, want ok %v", in, got, err, ok)
		}
	}
}
