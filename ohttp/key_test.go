// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"bytes"
	"crypto/hpke"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var ignoreParsed = cmpopts.IgnoreUnexported(KeyConfig{})

// The table of sizes is ours, because crypto/hpke does not export one.
func TestSizesAgreeWithHPKE(t *testing.T) {
	for _, kem := range kems {
		params, ok := kem.params()
		if !ok {
			t.Fatalf("KEM %#04x has no sizes", uint16(kem))
		}
		k, err := hpke.NewKEM(uint16(kem))
		if err != nil {
			t.Fatal(err)
		}
		priv, err := k.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		for _, suite := range supportedSuites() {
			enc, ctx, err := hpke.NewSender(priv.PublicKey(), hpke.HKDFSHA256(), suite.hpkeAEAD(), nil)
			if err != nil {
				t.Fatal(err)
			}
			got := kemParams{publicKey: len(priv.PublicKey().Bytes()), enc: len(enc)}
			if got != params {
				t.Errorf("KEM %#04x: crypto/hpke has %+v, the table %+v", uint16(kem), got, params)
			}
			sealed, err := ctx.Seal(nil, nil)
			if err != nil || len(sealed) != tagLen {
				t.Errorf("AEAD %d: %d bytes of authentication, %v; want %d", suite.AEAD, len(sealed), err, tagLen)
			}
			aead, err := suite.newAEAD(make([]byte, suite.keyLen()))
			if err != nil || aead.NonceSize() != nonceLen || aead.Overhead() != tagLen {
				t.Errorf("AEAD %d: nonce %d, overhead %d, %v", suite.AEAD, aead.NonceSize(), aead.Overhead(), err)
			}
			if suite.hpkeAEAD().ID() != suite.AEAD || hpke.HKDFSHA256().ID() != suite.KDF {
				t.Errorf("suite %+v maps to other algorithms", suite)
			}
		}
	}
}

// entry encodes a configuration with whatever is given, behind its length.
func entry(id uint8, kem uint16, rest ...[]byte) []byte {
	body := binary.BigEndian.AppendUint16([]byte{id}, kem)
	body = append(body, bytes.Join(rest, nil)...)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
}

// suites encodes pairs of KDF and AEAD behind their length.
func suites(ids ...uint16) []byte {
	p := binary.BigEndian.AppendUint16(nil, uint16(2*len(ids)))
	for _, id := range ids {
		p = binary.BigEndian.AppendUint16(p, id)
	}
	return p
}

func testConfigs(t testing.TB) (xwing, x25519 KeyConfig) {
	t.Helper()
	s := supportedSuites()[0]
	return newPair(t, KEMXWing, s, Whole).cfg, newPair(t, KEMX25519, s, Whole).cfg
}

func TestParseKeyConfigs(t *testing.T) {
	xwing, x25519 := testConfigs(t)
	gcm, both := []Suite{{1, 1}}, []Suite{{1, 3}, {1, 1}}
	want := func(c KeyConfig, id uint8, s []Suite) KeyConfig {
		return KeyConfig{ID: id, KEM: c.KEM, PublicKey: c.PublicKey, Suites: s}
	}
	good := entry(1, 0x0020, x25519.PublicKey, suites(1, 1))
	pq := entry(2, 0x647a, xwing.PublicKey, suites(1, 3, 1, 1))
	tests := []struct {
		name string
		list [][]byte
		want []KeyConfig
	}{
		{"one", [][]byte{good}, []KeyConfig{want(x25519, 1, gcm)}},
		{"both in order", [][]byte{pq, good}, []KeyConfig{want(xwing, 2, both), want(x25519, 1, gcm)}},
		{"unknown KEM between", [][]byte{pq, entry(9, 0x0010, make([]byte, 65), suites(1, 1)), good}, []KeyConfig{want(xwing, 2, both), want(x25519, 1, gcm)}},
		{"unknown KEM only", [][]byte{entry(9, 0x0010, []byte("whatever it is"))}, nil},
		{"unknown suites", [][]byte{entry(1, 0x0020, x25519.PublicKey, suites(9, 9, 1, 2, 2, 1, 1, 1, 1, 0xffff))}, []KeyConfig{want(x25519, 1, gcm)}},
		{"unknown suites only", [][]byte{entry(1, 0x0020, x25519.PublicKey, suites(1, 2, 3, 1)), pq}, []KeyConfig{want(xwing, 2, both)}},
		{"repeated suites", [][]byte{entry(1, 0x0020, x25519.PublicKey, suites(1, 1, 1, 1, 1, 1))}, []KeyConfig{want(x25519, 1, gcm)}},
		{"same identifier twice", [][]byte{good, entry(1, 0x647a, xwing.PublicKey, suites(1, 3, 1, 1))}, []KeyConfig{want(x25519, 1, gcm), want(xwing, 1, both)}},
	}
	for _, tt := range tests {
		got, err := ParseKeyConfigs(bytes.Join(tt.list, nil))
		if diff := cmp.Diff(tt.want, got, ignoreParsed); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", tt.name, err, diff)
		}
		for i := range got {
			if _, err := got[i].key(); err != nil {
				t.Errorf("%s: configuration %d cannot be used: %v", tt.name, i, err)
			}
		}
	}
}

func TestParseKeyConfigsRejects(t *testing.T) {
	xwing, x25519 := testConfigs(t)
	good := entry(1, 0x0020, x25519.PublicKey, suites(1, 1))
	badPQ := bytes.Clone(xwing.PublicKey)
	badPQ[0], badPQ[1] = 0xff, 0xff // a coefficient of 4095, above the modulus
	tests := []struct {
		name string
		bad  []byte
	}{
		{"length of one byte", []byte{0}},
		{"empty entry", []byte{0, 0}},
		{"entry beyond the list", []byte{0, 200, 1, 0, 0x20}},
		{"no key", entry(1, 0x0020)},
		{"unknown KEM cut", entry(1, 0x0010, []byte("12345"), nil)},
		{"key cut", entry(1, 0x0020, x25519.PublicKey[:31])},
		{"no suites", entry(1, 0x0020, x25519.PublicKey)},
		{"half a length of suites", entry(1, 0x0020, x25519.PublicKey, []byte{0})},
		{"empty suites", entry(1, 0x0020, x25519.PublicKey, suites())},
		{"odd suites", entry(1, 0x0020, x25519.PublicKey, []byte{0, 5, 0, 1, 0, 1, 0})},
		{"half a suite", entry(1, 0x0020, x25519.PublicKey, []byte{0, 6, 0, 1, 0, 1, 0, 1})},
		{"suites beyond the entry", entry(1, 0x0020, x25519.PublicKey, []byte{0, 8, 0, 1, 0, 1})},
		{"bytes behind the suites", entry(1, 0x0020, x25519.PublicKey, suites(1, 1), []byte{0})},
		{"key of another KEM", entry(1, 0x647a, x25519.PublicKey, suites(1, 1))},
		{"invalid key", entry(1, 0x647a, badPQ, suites(1, 1))},
		{"invalid key without use", entry(1, 0x647a, badPQ, suites(9, 9))},
	}
	for _, tt := range tests {
		for _, list := range [][]byte{tt.bad, append(bytes.Clone(good), tt.bad...)} {
			if got, err := ParseKeyConfigs(list); !errors.Is(err, ErrInvalid) || got != nil {
				t.Errorf("%s: got %d configurations, %v; want ErrInvalid", tt.name, len(got), err)
			}
		}
	}
	if _, err := ParseKeyConfigs(nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("empty list: got %v, want ErrInvalid", err)
	}
	list := append(entry(2, 0x647a, xwing.PublicKey, suites(1, 1)), good...)
	whole := map[int]bool{len(list) - len(good): true, len(list): true}
	for n := range len(list) + 1 {
		if _, err := ParseKeyConfigs(list[:n]); (err == nil) != whole[n] {
			t.Errorf("first %d bytes: got %v", n, err)
		}
	}
}

// What is checked of a key when it is read is all that can be wrong with it when it is used.
func TestCheckedKeysAreKeys(t *testing.T) {
	xwing, x25519 := testConfigs(t)
	values := []uint32{0, mlkemModulus - 1, mlkemModulus, 1<<12 - 1}
	for at := 0; at < mlkemEncoded; at += 3 {
		for i, low := range values {
			pair := low | values[(i+at)%len(values)]<<12
			raw := bytes.Clone(xwing.PublicKey)
			raw[at], raw[at+1], raw[at+2] = byte(pair), byte(pair>>8), byte(pair>>16)
			_, want := parsePublicKey(KEMXWing, raw)
			if got := checkPublicKey(KEMXWing, raw); (got == nil) != (want == nil) {
				t.Fatalf("coefficients %03x at byte %d: checked %v, parsed %v", pair, at, got, want)
			}
		}
	}
	for _, c := range []KeyConfig{xwing, x25519} {
		raw := bytes.Clone(c.PublicKey)
		for i := range min(64, len(raw)) { // whatever stands in the X25519 part or in the seed
			raw[len(raw)-1-i] = 0xff
		}
		if _, err := parsePublicKey(c.KEM, raw); err != nil || checkPublicKey(c.KEM, raw) != nil {
			t.Errorf("KEM %#04x: %v", uint16(c.KEM), err)
		}
	}
}

func TestMarshalKeyConfigs(t *testing.T) {
	xwing, x25519 := testConfigs(t)
	want := []KeyConfig{xwing, x25519}
	list, err := MarshalKeyConfigs(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseKeyConfigs(list)
	if diff := cmp.Diff(want, got, ignoreParsed); diff != "" || err != nil {
		t.Errorf("round trip: %v\n%s", err, diff)
	}
	change := func(f func(*KeyConfig)) []KeyConfig {
		c := KeyConfig{ID: 1, KEM: KEMX25519, PublicKey: x25519.PublicKey, Suites: supportedSuites()}
		f(&c)
		return []KeyConfig{x25519, c}
	}
	bad := map[string][]KeyConfig{
		"empty":             {},
		"no suites":         change(func(c *KeyConfig) { c.Suites = nil }),
		"unsupported suite": change(func(c *KeyConfig) { c.Suites = []Suite{{1, 2}} }),
		"repeated suite":    change(func(c *KeyConfig) { c.Suites = []Suite{{1, 1}, {1, 1}} }),
		"many suites":       change(func(c *KeyConfig) { c.Suites = make([]Suite, 20000) }),
		"unknown KEM":       change(func(c *KeyConfig) { c.KEM = 0x0010 }),
		"short key":         change(func(c *KeyConfig) { c.PublicKey = c.PublicKey[1:] }),
		"key of other KEM":  change(func(c *KeyConfig) { c.KEM = KEMXWing }),
	}
	for name, cfgs := range bad {
		if list, err := MarshalKeyConfigs(cfgs); !errors.Is(err, ErrInvalid) || list != nil {
			t.Errorf("%s: got %d bytes, %v; want ErrInvalid", name, len(list), err)
		}
	}
	if _, err := MarshalKeyConfigs(change(func(*KeyConfig) {})); err != nil {
		t.Errorf("made by hand: %v", err)
	}
}

func TestSealRequestRefusesKeys(t *testing.T) {
	_, x25519 := testConfigs(t)
	bad := map[string]KeyConfig{
		"no suites":    {KEM: KEMX25519, PublicKey: x25519.PublicKey},
		"other suites": {KEM: KEMX25519, PublicKey: x25519.PublicKey, Suites: []Suite{{2, 1}, {1, 2}}},
		"unknown KEM":  {KEM: 1, PublicKey: x25519.PublicKey, Suites: supportedSuites()},
		"short key":    {KEM: KEMX25519, PublicKey: []byte{1}, Suites: supportedSuites()},
		"small order":  {KEM: KEMX25519, PublicKey: make([]byte, 32), Suites: supportedSuites()},
	}
	for name, cfg := range bad {
		if _, err := SealRequest(&cfg, Chunked, strings.NewReader("x")); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	byHand := KeyConfig{ID: 7, KEM: KEMX25519, PublicKey: x25519.PublicKey, Suites: []Suite{{9, 9}, {1, 3}}}
	p := newPair(t, KEMX25519, Suite{}, Chunked)
	p.cfg = byHand
	_, sealed := p.seal(t, []byte("by hand"))
	if got, err := p.open(bytes.NewReader(sealed)); err != nil || string(got) != "by hand" {
		t.Errorf("made by hand: got %q, %v", got, err)
	}
}

func TestPrivateKeyBytes(t *testing.T) {
	for _, kem := range kems {
		key, err := GenerateKey(3, kem)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := NewPrivateKey(3, kem, raw)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(key.Config(), again.Config(), ignoreParsed); diff != "" {
			t.Errorf("KEM %#04x: %s", uint16(kem), diff)
		}
		for _, bad := range [][]byte{nil, raw[1:], append(bytes.Clone(raw), 0)} {
			if _, err := NewPrivateKey(3, kem, bad); !errors.Is(err, ErrInvalid) {
				t.Errorf("KEM %#04x, %d bytes: got %v, want ErrInvalid", uint16(kem), len(bad), err)
			}
		}
		raw[0] ^= 1
		key.Config().PublicKey[0] ^= 1
		key.Config().Suites[0] = Suite{}
		if diff := cmp.Diff(again.Config(), key.Config(), ignoreParsed); diff != "" {
			t.Errorf("KEM %#04x: what is returned changes the key: %s", uint16(kem), diff)
		}
	}
	if _, err := GenerateKey(1, 0x0010); !errors.Is(err, ErrInvalid) {
		t.Errorf("GenerateKey of an unknown KEM: got %v", err)
	}
	if _, err := NewPrivateKey(1, 0x0010, make([]byte, 32)); !errors.Is(err, ErrInvalid) {
		t.Errorf("NewPrivateKey of an unknown KEM: got %v", err)
	}
}

func TestPrivateKeyIsRedacted(t *testing.T) {
	raw := []byte("SECRETSECRETSECRETSECRETSECRETSE")
	key, err := NewPrivateKey(7, KEMXWing, raw)
	if err != nil {
		t.Fatal(err)
	}
	const want = "ohttp.PrivateKey(7, 0x647a, redacted)"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		for _, v := range []any{key, *key} {
			if got := fmt.Sprintf(verb, v); got != want {
				t.Errorf("%s prints %q, want %q", verb, got, want)
			}
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", key)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", *key)
	if strings.Count(log.String(), want) != 2 || strings.Contains(log.String(), "SECRET") {
		t.Errorf("logged %q", log.String())
	}
}

func TestKeyring(t *testing.T) {
	newKey := func(id uint8, kem KEM) *PrivateKey {
		key, err := GenerateKey(id, kem)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	a, b, c := newKey(1, KEMX25519), newKey(1, KEMXWing), newKey(2, KEMX25519)
	if _, err := NewKeyring(); err == nil {
		t.Error("a keyring without keys was made")
	}
	if _, err := NewKeyring(a, b, newKey(1, KEMX25519)); !errors.Is(err, ErrInvalid) {
		t.Errorf("two keys of the same name: got %v, want ErrInvalid", err)
	}
	ring := ringOf(t, a, b, c) // one identifier for two KEMs is fine
	for i, key := range []*PrivateKey{a, b, c} {
		p := pair{f: Chunked, cfg: key.Config(), ring: ring}
		_, sealed := p.seal(t, []byte("hello"))
		if got, err := p.open(bytes.NewReader(sealed)); err != nil || string(got) != "hello" {
			t.Errorf("key %d: got %q, %v", i, got, err)
		}
	}
}

func TestUnknownKey(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	_, sealed := p.seal(t, []byte("hello"))
	tests := []struct {
		name string
		h    header
	}{
		{"identifier", header{8, KEMX25519, Suite{1, 1}}},
		{"KEM", header{7, KEMXWing, Suite{1, 1}}},
		{"unknown KEM", header{7, 0x0010, Suite{1, 1}}},
		{"KDF", header{7, KEMX25519, Suite{2, 1}}},
		{"AEAD", header{7, KEMX25519, Suite{1, 2}}},
		{"export only", header{7, KEMX25519, Suite{1, 0xffff}}},
	}
	for _, tt := range tests {
		other := append(tt.h.append(nil), sealed[headerLen:]...)
		if _, err := p.ring.OpenRequest(bytes.NewReader(other), Chunked, 0); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("other %s: got %v, want ErrUnknownKey", tt.name, err)
		}
	}
	// An algorithm that the ring offers but the sender did not use is known, and does not open.
	other := append(header{7, KEMX25519, Suite{1, 3}}.append(nil), sealed[headerLen:]...)
	if got, err := p.open(bytes.NewReader(other)); !errors.Is(err, ErrInvalid) || len(got) > 0 {
		t.Errorf("other suite of the key: got %q, %v; want ErrInvalid", got, err)
	}
	// A key that was made to offer less refuses the rest.
	p.ring.keys[keyName{7, KEMX25519}].config.Suites = []Suite{{1, 3}}
	if _, err := p.open(bytes.NewReader(sealed)); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("suite that is not offered: got %v, want ErrUnknownKey", err)
	}
}

func TestInvalidEncapsulatedKey(t *testing.T) {
	p := newPair(t, KEMX25519, supportedSuites()[0], Chunked)
	h := header{7, KEMX25519, Suite{1, 1}}
	sealed := append(h.append(nil), make([]byte, 32+1+tagLen)...) // a point of small order
	if _, err := p.ring.OpenRequest(bytes.NewReader(sealed), Chunked, 0); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

// Run with -race. One configuration and one keyring serve all.
func TestConcurrentUse(t *testing.T) {
	var keys []*PrivateKey
	for i, kem := range kems {
		key, err := GenerateKey(uint8(i), kem)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	ring := ringOf(t, keys...)
	var wg sync.WaitGroup
	for _, key := range keys {
		cfg := key.Config()
		for i := range 8 {
			wg.Go(func() {
				p := pair{f: formats[i%2], cfg: cfg, ring: ring}
				want := fmt.Appendf(nil, "request %d", i)
				req, err := SealRequest(&cfg, p.f, bytes.NewReader(want))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := p.open(req)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%v, %s", err, diff)
				}
			})
		}
	}
	wg.Wait()
}

// A response may be opened while the request is still being sent, and answered while it is being read.
func TestBothDirectionsAtOnce(t *testing.T) {
	forEach(t, func(t *testing.T, p *pair) {
		content := pattern(100 * MaxChunk)
		req, err := SealRequest(&p.cfg, p.f, bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		toExit, fromClient := io.Pipe()
		toClient, fromExit := io.Pipe()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := io.Copy(fromClient, req)
			fromClient.CloseWithError(err)
		})
		wg.Go(func() {
			opened, err := p.ring.OpenRequest(toExit, p.f, 0)
			if err != nil {
				toExit.CloseWithError(err)
				fromExit.CloseWithError(err)
				return
			}
			s, err := opened.SealResponse(fromExit)
			if err == nil {
				_, err = io.Copy(chunkWriter{s}, opened)
			}
			if err == nil {
				err = s.Close(nil)
			}
			fromExit.CloseWithError(err)
		})
		got, err := io.ReadAll(req.OpenResponse(toClient, 0))
		toClient.CloseWithError(err)
		wg.Wait()
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("got %d bytes, %v; want %d", len(got), err, len(content))
		}
	})
}

type chunkWriter struct{ s *ResponseSealer }

func (w chunkWriter) Write(p []byte) (int, error) { return len(p), w.s.WriteChunk(p) }
