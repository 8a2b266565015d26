// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSignGolden(t *testing.T) {
	s := mustSign(t, fullInfo())
	if want := readFile(t, "testdata/info.json"); !bytes.Equal(s.ServiceInfo, want) {
		t.Errorf("signed bytes:\n%s\nwant those of testdata/info.json:\n%s", s.ServiceInfo, want)
	}
	got, err := s.Verify(testStart)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullInfo(), got); diff != "" {
		t.Errorf("Verify (-want +got):\n%s", diff)
	}
	if want := signRaw(s.KeyConfig, s.ServiceInfo); !bytes.Equal(s.Signature, want.Signature) {
		t.Errorf("signature %x, want %x", s.Signature, want.Signature)
	}
	if got, want := s.Hash(), HashOf(testKeyConfig); got != want {
		t.Errorf("Hash = %s, want %s", got, want)
	}
}

func TestSignFillsIn(t *testing.T) {
	info := smallInfo()
	info.Models = nil
	info.NotBefore = testStart.Add(time.Millisecond).In(time.FixedZone("", 3600))
	before := *info
	s := mustSign(t, info)
	if diff := cmp.Diff(&before, info); diff != "" {
		t.Errorf("Sign changed its argument (-want +got):\n%s", diff)
	}
	want := `{"version":2,"identity":"` + string(fullInfo().Identity) + `","operator":"","sequence":0,` +
		`"not_before":"2026-03-01T12:00:00Z","expires":"2026-03-02T13:00:00Z",` +
		`"protocols":["openai"],"models":[],"tier":"free"}`
	if got := string(s.ServiceInfo); got != want {
		t.Errorf("signed bytes:\n%s\nwant\n%s", got, want)
	}
}

func TestSignRefuses(t *testing.T) {
	tests := []struct {
		name      string
		key       ed25519.PrivateKey
		keyConfig []byte
		edit      func(*Info)
	}{
		{"key too short", testKey[:63], testKeyConfig, func(*Info) {}},
		{"no key", nil, testKeyConfig, func(*Info) {}},
		{"no key configuration", testKey, nil, func(*Info) {}},
		{"key configuration too large", testKey, make([]byte, MaxKeyConfigBytes+1), func(*Info) {}},
		{"another version", testKey, testKeyConfig, func(in *Info) { in.Version = 1 }},
		{"another identity", testKey, testKeyConfig, func(in *Info) { in.Identity = IdentityOf(make([]byte, 32)) }},
		{"unknown protocol", testKey, testKeyConfig, func(in *Info) { in.Protocols = append(in.Protocols, "telepathy") }},
		{"invalid UTF-8", testKey, testKeyConfig, func(in *Info) { in.Operator = "\xff" }},
		{"not a number", testKey, testKeyConfig, func(in *Info) { in.SLA = &SLA{Uptime: math.NaN()} }},
		{"no tier", testKey, testKeyConfig, func(in *Info) { in.Tier = "" }},
		{"a year that RFC 3339 lacks", testKey, testKeyConfig, func(in *Info) { in.Expires = in.Expires.AddDate(9000, 0, 0) }},
		{"within one second", testKey, testKeyConfig, func(in *Info) { in.Expires = in.NotBefore.Add(time.Second - 1) }},
		{"too large", testKey, testKeyConfig, func(in *Info) {
			in.Models = nil
			for _, w := range words(400) {
				in.Models = append(in.Models, Model{ID: w + strings.Repeat("x", 200), Protocol: OpenAI})
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			info := smallInfo()
			tt.edit(info)
			if s, err := Sign(tt.key, tt.keyConfig, info); !errors.Is(err, ErrInvalid) || s != nil {
				t.Errorf("Sign = %v, %v, want ErrInvalid", s, err)
			}
		})
	}
}

func TestVerifyTime(t *testing.T) {
	s := mustSign(t, smallInfo())
	tests := []struct {
		name string
		now  time.Time
		want error
	}{
		{"at the start", testStart, nil},
		{"at the skew", testStart.Add(-ClockSkew), nil},
		{"before the skew", testStart.Add(-ClockSkew - 1), ErrNotYetValid},
		{"the last moment", testEnd.Add(-1), nil},
		{"at the end", testEnd, ErrExpired},
		{"long after", testEnd.AddDate(100, 0, 0), ErrExpired},
		{"no clock", time.Time{}, ErrNotYetValid},
		{"in another zone", testEnd.Add(-1).In(time.FixedZone("", 12*3600)), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			info, err := s.Verify(tt.now)
			if !errors.Is(err, tt.want) || (info == nil) != (tt.want != nil) {
				t.Errorf("Verify = %v, %v, want %v", info, err, tt.want)
			}
		})
	}
}

// TestVerifyTampered changes every bit of every part, cuts every part at every length, and swaps parts of two
// descriptions of one exit.
func TestVerifyTampered(t *testing.T) {
	good := mustSign(t, fullInfo())
	parts := map[string]func(*Signed) *[]byte{
		"KeyConfig":   func(s *Signed) *[]byte { return &s.KeyConfig },
		"ServiceInfo": func(s *Signed) *[]byte { return &s.ServiceInfo },
		"Signature":   func(s *Signed) *[]byte { return &s.Signature },
	}
	refused := func(t *testing.T, s *Signed, what string, at int) {
		t.Helper()
		info, err := s.Verify(testStart)
		if info != nil || (!errors.Is(err, ErrSignature) && !errors.Is(err, ErrInvalid)) {
			t.Errorf("%s at %d: Verify = %v, %v, want ErrSignature or ErrInvalid", what, at, info, err)
		}
	}
	for name, part := range parts {
		t.Run(name, func(t *testing.T) {
			original := *part(good)
			for i := range original {
				s := *good
				p := part(&s)
				for bit := range 8 {
					*p = slices.Clone(original)
					(*p)[i] ^= 1 << bit
					refused(t, &s, "changed", i)
				}
				*p = original[:i]
				refused(t, &s, "cut", i)
			}
			s := *good
			*part(&s) = append(slices.Clone(original), ' ')
			refused(t, &s, "extended", len(original))
		})
	}
	t.Run("swapped", func(t *testing.T) {
		other, err := Sign(testKey, []byte("other keys"), smallInfo())
		if err != nil {
			t.Fatal(err)
		}
		for name, part := range parts {
			s := *good
			*part(&s) = *part(other)
			if _, err := s.Verify(testStart); !errors.Is(err, ErrSignature) {
				t.Errorf("%s of another description: %v, want ErrSignature", name, err)
			}
		}
	})
}

// TestVerifyMalleable checks that the second spelling of an Ed25519 signature, with the group's order added to its
// second half, is refused (RFC 8032, section 5.1.7).
func TestVerifyMalleable(t *testing.T) {
	order := []byte{
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
	}
	s := mustSign(t, fullInfo())
	s.Signature = slices.Clone(s.Signature)
	carry := 0
	for i, b := range order {
		carry += int(s.Signature[32+i]) + int(b)
		s.Signature[32+i] = byte(carry)
		carry >>= 8
	}
	if _, err := s.Verify(testStart); !errors.Is(err, ErrSignature) {
		t.Errorf("Verify: %v, want ErrSignature", err)
	}
}

func TestVerifyPrecedence(t *testing.T) {
	unsigned := edited(t, func(m object) { m["version"], m["expires"] = 7, "2001-01-01T00:00:00Z" })
	s := signRaw(testKeyConfig, unsigned)
	if _, err := s.Verify(testStart); !errors.Is(err, ErrInvalid) {
		t.Errorf("signed nonsense: %v, want ErrInvalid", err)
	}
	s.Signature = make([]byte, ed25519.SignatureSize)
	if _, err := s.Verify(testStart); !errors.Is(err, ErrSignature) {
		t.Errorf("unsigned nonsense: %v, want ErrSignature", err)
	}
	for name, s := range map[string]*Signed{
		"nothing":              {},
		"no key configuration": signRaw(nil, readFile(t, "testdata/info.json")),
		"too large":            signRaw(testKeyConfig, append(readFile(t, "testdata/info.json"), make([]byte, MaxInfoBytes)...)),
		"identity of one type": signRaw(testKeyConfig, []byte(`{"identity":7}`)),
		"no identity":          signRaw(testKeyConfig, []byte(`{}`)),
		"key not on the curve": signRaw(testKeyConfig, []byte(`{"identity":"`+strings.Repeat("/", 42)+`8="}`)),
	} {
		if _, err := s.Verify(testStart); !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v, want ErrInvalid or ErrSignature", name, err)
		}
	}
}

// TestUnknownFieldsAreSigned checks that fields of a later version pass, stay in the bytes and cannot be changed.
func TestUnknownFieldsAreSigned(t *testing.T) {
	raw := edited(t, func(m object) {
		m["attestation"] = object{"kind": "tdx", "quote": "AAEC"}
		m["models"].([]any)[0].(object)["knowledge_cutoff"] = "2025-08"
	})
	s := signRaw(testKeyConfig, raw)
	got, err := s.Verify(testStart)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullInfo(), got); diff != "" {
		t.Errorf("Verify (-want +got):\n%s", diff)
	}

	entry, err := json.Marshal(Entry{PubKeyHash: s.Hash(), KeyConfig: s.KeyConfig, ServiceInfo: s.ServiceInfo, Signature: s.Signature})
	if err != nil {
		t.Fatal(err)
	}
	var back Entry
	if err := json.Unmarshal(entry, &back); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(back.ServiceInfo, raw) {
		t.Errorf("after a directory:\n%s\nwant\n%s", back.ServiceInfo, raw)
	}
	back.ServiceInfo = bytes.Replace(raw, []byte("2025-08"), []byte("2026-08"), 1)
	if _, err := back.Verify(testStart); !errors.Is(err, ErrSignature) {
		t.Errorf("with an unknown field changed: %v, want ErrSignature", err)
	}
	back.ServiceInfo = readFile(t, "testdata/info.json")
	if _, err := back.Verify(testStart); !errors.Is(err, ErrSignature) {
		t.Errorf("with unknown fields removed: %v, want ErrSignature", err)
	}
}

// FuzzVerify checks that nothing verifies for the test's identity but what it signed.
func FuzzVerify(f *testing.F) {
	good := mustSign(f, fullInfo())
	f.Fuzz(func(t *testing.T, keyConfig, info, signature []byte) {
		got, err := (&Signed{KeyConfig: keyConfig, ServiceInfo: info, Signature: signature}).Verify(testStart)
		if (got == nil) == (err == nil) {
			t.Fatalf("Verify = %v, %v, want one of them", got, err)
		}
		if err != nil || got.Identity != fullInfo().Identity {
			return
		}
		if !bytes.Equal(keyConfig, good.KeyConfig) || !bytes.Equal(info, good.ServiceInfo) || !bytes.Equal(signature, good.Signature) {
			t.Error("forged")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	s := mustSign(b, fullInfo())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(testStart); err != nil {
			b.Fatal(err)
		}
	}
}
