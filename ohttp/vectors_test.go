// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite what tests generate under testdata")

// hexBytes is hexadecimal in JSON.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

func (h hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// vector is an exchange of appendix A of RFC 9458 or of chunked OHTTP.
type vector struct {
	SecretKey     hexBytes `json:"gateway_secret_key"`
	KeyConfig     hexBytes `json:"key_config"`
	Request       hexBytes `json:"bhttp_request"`
	EphemeralKey  hexBytes `json:"client_ephemeral_secret_key"`
	Enc           hexBytes `json:"client_ephemeral_public_key_enc"`
	Info          hexBytes `json:"hpke_info"`
	SealedRequest hexBytes `json:"encapsulated_request"`
	RequestSizes  []int    `json:"request_chunk_plaintext_lengths"`

	Response       hexBytes   `json:"bhttp_response"`
	Secret         hexBytes   `json:"exported_secret"`
	ResponseNonce  hexBytes   `json:"response_nonce"`
	SealedResponse hexBytes   `json:"encapsulated_response"`
	ResponseSizes  []int      `json:"response_chunk_plaintext_lengths"`
	ChunkNonces    []hexBytes `json:"chunk_nonces"`
}

func readVector(t testing.TB, name string, v any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func forEachVector(t *testing.T, test func(t *testing.T, f Format, v vector)) {
	for f, name := range map[Format]string{Whole: "rfc9458.json", Chunked: "chunked.json"} {
		t.Run(name, func(t *testing.T) {
			var v vector
			readVector(t, name, &v)
			test(t, f, v)
		})
	}
}

func (v *vector) config(t *testing.T) *KeyConfig {
	t.Helper()
	list := binary.BigEndian.AppendUint16(nil, uint16(len(v.KeyConfig)))
	cfgs, err := ParseKeyConfigs(append(list, v.KeyConfig...))
	if err != nil || len(cfgs) != 1 {
		t.Fatalf("ParseKeyConfigs: %d configurations, %v", len(cfgs), err)
	}
	return &cfgs[0]
}

func (v *vector) key(t *testing.T) *PrivateKey {
	t.Helper()
	key, err := NewPrivateKey(1, KEMX25519, v.SecretKey)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sealed repeats the published request with its ephemeral key.
func (v *vector) sealed(t *testing.T, f Format, plaintext io.Reader) *SealedRequest {
	t.Helper()
	cfg := v.config(t)
	h := header{id: cfg.ID, kem: cfg.KEM, suite: cfg.Suites[0]}
	if diff := cmp.Diff([]byte(v.Info), h.info(f)); diff != "" {
		t.Errorf("info: %s", diff)
	}
	e := referenceSender(t, v.EphemeralKey, cfg.PublicKey, h.info(f))
	if diff := cmp.Diff([]byte(v.Enc), e.enc); diff != "" {
		t.Errorf("encapsulated key: %s", diff)
	}
	req, err := newSealedRequest(h, f, e, plaintext)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]byte(v.Secret), req.exchange.secret); diff != "" {
		t.Errorf("exported secret: %s", diff)
	}
	return req
}

func TestVectorKeyConfig(t *testing.T) {
	forEachVector(t, func(t *testing.T, _ Format, v vector) {
		cfg := v.config(t)
		if diff := cmp.Diff(v.key(t).Config().PublicKey, cfg.PublicKey); diff != "" {
			t.Errorf("public key: %s", diff)
		}
		want := []Suite{{KDFHKDFSHA256, AEADAES128GCM}, {KDFHKDFSHA256, AEADChaCha20Poly1305}}
		if diff := cmp.Diff(want, cfg.Suites); diff != "" {
			t.Errorf("suites: %s", diff)
		}
		list, err := MarshalKeyConfigs([]KeyConfig{*cfg})
		if err != nil || !bytes.Equal(list[2:], v.KeyConfig) {
			t.Errorf("MarshalKeyConfigs = %x, %v; want %x", list, err, v.KeyConfig)
		}
	})
}

func TestVectorSealRequest(t *testing.T) {
	forEachVector(t, func(t *testing.T, f Format, v vector) {
		req := v.sealed(t, f, bytes.NewReader(v.Request))
		got := req.head
		if f == Whole {
			var err error
			if got, err = io.ReadAll(req); err != nil {
				t.Fatal(err)
			}
		}
		rest := v.Request
		for i, n := range v.RequestSizes { // the published chunks are smaller than Read would make them
			var err error
			got, err = appendRequestChunk(got, req.ctx, rest[:n], i == len(v.RequestSizes)-1)
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if diff := cmp.Diff([]byte(v.SealedRequest), got); diff != "" {
			t.Errorf("sealed request: %s", diff)
		}
	})
}

func TestVectorOpenRequest(t *testing.T) {
	forEachVector(t, func(t *testing.T, f Format, v vector) {
		opened, err := ringOf(t, v.key(t)).OpenRequest(bytes.NewReader(v.SealedRequest), f, 0)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(opened)
		if diff := cmp.Diff([]byte(v.Request), got); diff != "" || err != nil {
			t.Errorf("opened request: %v, %s", err, diff)
		}
		if diff := cmp.Diff([]byte(v.Secret), opened.exchange.secret); diff != "" {
			t.Errorf("exported secret: %s", diff)
		}
	})
}

func TestVectorSealResponse(t *testing.T) {
	forEachVector(t, func(t *testing.T, f Format, v vector) {
		opened, err := ringOf(t, v.key(t)).OpenRequest(bytes.NewReader(v.SealedRequest), f, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		s, err := opened.exchange.sealResponse(&got, bytes.Clone(v.ResponseNonce))
		if err != nil {
			t.Fatal(err)
		}
		rest := v.Response
		for i := range max(0, len(v.ResponseSizes)-1) {
			if err := s.WriteChunk(rest[:v.ResponseSizes[i]]); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]byte(v.ChunkNonces[i]), s.cipher.nonce[:]); diff != "" {
				t.Errorf("nonce of chunk %d: %s", i, diff)
			}
			rest = rest[v.ResponseSizes[i]:]
		}
		if err := s.Close(rest); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]byte(v.SealedResponse), got.Bytes()); diff != "" {
			t.Errorf("sealed response: %s", diff)
		}
	})
}

func TestVectorOpenResponse(t *testing.T) {
	forEachVector(t, func(t *testing.T, f Format, v vector) {
		req := v.sealed(t, f, nil)
		got, err := io.ReadAll(req.OpenResponse(bytes.NewReader(v.SealedResponse), 0))
		if diff := cmp.Diff([]byte(v.Response), got); diff != "" || err != nil {
			t.Errorf("opened response: %v, %s", err, diff)
		}
	})
}

// xwingVector is an exchange with X-Wing. No specification publishes one, so it was made by this
// package (go test -run XWing -update) and keeps later versions compatible with it.
type xwingVector struct {
	Format         Format   `json:"format"`
	AEAD           uint16   `json:"aead_id"`
	SecretKey      hexBytes `json:"gateway_secret_key"`
	Request        hexBytes `json:"request"`
	SealedRequest  hexBytes `json:"encapsulated_request"`
	Secret         hexBytes `json:"exported_secret"`
	Response       hexBytes `json:"response"`
	SealedResponse hexBytes `json:"encapsulated_response"`
}

func TestVectorXWing(t *testing.T) {
	const name = "xwing.json"
	if *update {
		writeXWingVectors(t, name)
	}
	var vectors []xwingVector
	readVector(t, name, &vectors)
	if len(vectors) != 4 {
		t.Fatalf("%d vectors, want 4", len(vectors))
	}
	for _, v := range vectors {
		key, err := NewPrivateKey(2, KEMXWing, v.SecretKey)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := ringOf(t, key).OpenRequest(bytes.NewReader(v.SealedRequest), v.Format, 0)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(opened)
		if diff := cmp.Diff([]byte(v.Request), got); diff != "" || err != nil {
			t.Errorf("%v, AEAD %d: request: %v, %s", v.Format, v.AEAD, err, diff)
		}
		if diff := cmp.Diff([]byte(v.Secret), opened.exchange.secret); diff != "" {
			t.Errorf("%v, AEAD %d: exported secret: %s", v.Format, v.AEAD, diff)
		}
		req := &SealedRequest{exchange: opened.exchange}
		got, err = io.ReadAll(req.OpenResponse(bytes.NewReader(v.SealedResponse), 0))
		if diff := cmp.Diff([]byte(v.Response), got); diff != "" || err != nil {
			t.Errorf("%v, AEAD %d: response: %v, %s", v.Format, v.AEAD, err, diff)
		}
	}
}

func writeXWingVectors(t *testing.T, name string) {
	t.Helper()
	key, err := GenerateKey(2, KEMXWing)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var vectors []xwingVector
	for _, f := range formats {
		for _, suite := range supportedSuites() {
			p := pair{f: f, cfg: onlySuite(key, suite), ring: ringOf(t, key)}
			v := xwingVector{Format: f, AEAD: suite.AEAD, SecretKey: raw, Request: []byte("request"), Response: []byte("response")}
			_, v.SealedRequest = p.seal(t, v.Request)
			opened, err := p.ring.OpenRequest(bytes.NewReader(v.SealedRequest), f, 0)
			if err != nil {
				t.Fatal(err)
			}
			v.Secret = opened.exchange.secret
			v.SealedResponse = sealResponse(t, opened, v.Response[:3], v.Response[3:])
			vectors = append(vectors, v)
		}
	}
	out, err := json.MarshalIndent(vectors, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", name), append(out, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// reference is HPKE in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-128-GCM, written
// from RFC 9180 for tests: it takes the ephemeral key, which crypto/hpke does not.
type reference struct {
	t        testing.TB
	suiteID  []byte
	aead     cipher.AEAD
	base     []byte
	exporter []byte
	seq      byte
}

func referenceSender(t testing.TB, ephemeral, public, info []byte) encapsulation {
	t.Helper()
	skE, err := ecdh.X25519().NewPrivateKey(ephemeral)
	if err != nil {
		t.Fatal(err)
	}
	pkR, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	dh, err := skE.ECDH(pkR)
	if err != nil {
		t.Fatal(err)
	}
	enc := skE.PublicKey().Bytes()

	kem := &reference{t: t, suiteID: []byte("KEM\x00\x20")}
	prk := kem.extract(nil, "eae_prk", dh)
	shared := kem.expand(prk, "shared_secret", bytes.Join([][]byte{enc, public}, nil), 32)

	r := &reference{t: t, suiteID: []byte("HPKE\x00\x20\x00\x01\x00\x01")}
	context := bytes.Join([][]byte{{0}, r.extract(nil, "psk_id_hash", nil), r.extract(nil, "info_hash", info)}, nil)
	secret := r.extract(shared, "secret", nil)
	block, err := aes.NewCipher(r.expand(secret, "key", context, 16))
	if err != nil {
		t.Fatal(err)
	}
	if r.aead, err = cipher.NewGCM(block); err != nil {
		t.Fatal(err)
	}
	r.base = r.expand(secret, "base_nonce", context, 12)
	r.exporter = r.expand(secret, "exp", context, 32)
	return encapsulation{enc: enc, ctx: r}
}

func (r *reference) extract(salt []byte, label string, ikm []byte) []byte {
	labelled := bytes.Join([][]byte{[]byte("HPKE-v1"), r.suiteID, []byte(label), ikm}, nil)
	prk, err := hkdf.Extract(sha256.New, labelled, salt)
	if err != nil {
		r.t.Fatal(err)
	}
	return prk
}

func (r *reference) expand(prk []byte, label string, info []byte, n int) []byte {
	labelled := bytes.Join([][]byte{{0, byte(n)}, []byte("HPKE-v1"), r.suiteID, []byte(label), info}, nil)
	out, err := hkdf.Expand(sha256.New, prk, string(labelled), n)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *reference) Seal(aad, plaintext []byte) ([]byte, error) {
	nonce := bytes.Clone(r.base)
	nonce[11] ^= r.seq
	r.seq++
	return r.aead.Seal(nil, nonce, plaintext, aad), nil
}

func (r *reference) Export(context string, n int) ([]byte, error) {
	return r.expand(r.exporter, "sec", []byte(context), n), nil
}
