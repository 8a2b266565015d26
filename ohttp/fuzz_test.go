// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// Seed corpora lie under testdata/fuzz; go test -run Corpus -update writes them anew.

func FuzzParseKeyConfigs(f *testing.F) {
	f.Fuzz(func(t *testing.T, list []byte) {
		cfgs, err := ParseKeyConfigs(list)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || cfgs != nil {
				t.Fatalf("got %d configurations, %v", len(cfgs), err)
			}
			return
		}
		if len(cfgs) == 0 {
			return // nothing that we support
		}
		again, err := MarshalKeyConfigs(cfgs)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if len(again) > len(list) {
			t.Fatalf("%d bytes became %d", len(list), len(again))
		}
		cfgs2, err := ParseKeyConfigs(again)
		if err != nil || len(cfgs2) != len(cfgs) {
			t.Fatalf("what was written cannot be read: %d configurations, %v", len(cfgs2), err)
		}
		third, err := MarshalKeyConfigs(cfgs2)
		if err != nil || !bytes.Equal(third, again) {
			t.Fatalf("encoding is not stable: %v", err)
		}
	})
}

func FuzzOpenRequest(f *testing.F) {
	ring := fuzzKeyring(f)
	f.Fuzz(func(t *testing.T, format uint8, msg []byte) {
		checkOpen(t, func(r io.Reader) ([]byte, error) {
			opened, err := ring.OpenRequest(r, Format(format), 1<<20)
			if err != nil {
				return nil, err
			}
			return io.ReadAll(opened)
		}, msg)
	})
}

func FuzzOpenResponse(f *testing.F) {
	f.Fuzz(func(t *testing.T, format, aead uint8, msg []byte) {
		if !Format(format).valid() || !fuzzExchange(format, aead).suite.supported() {
			return
		}
		checkOpen(t, func(r io.Reader) ([]byte, error) {
			req := &SealedRequest{exchange: fuzzExchange(format, aead)}
			return io.ReadAll(req.OpenResponse(r, 1<<20))
		}, msg)
	})
}

// checkOpen checks that the result does not depend on how the source returns its bytes, that errors are
// ours, and that of a message that opens every cut is noticed.
func checkOpen(t *testing.T, open func(io.Reader) ([]byte, error), msg []byte) {
	t.Helper()
	got, err := open(bytes.NewReader(msg))
	if err != nil && (errors.Is(err, io.EOF) ||
		!containsIs([]error{ErrTruncated, ErrInvalid, ErrTooLarge, ErrUnknownKey}, err)) {
		t.Fatalf("error %v is none of ours", err)
	}
	got2, err2 := open(iotest.OneByteReader(bytes.NewReader(msg)))
	if !bytes.Equal(got, got2) || fmt.Sprint(err) != fmt.Sprint(err2) {
		t.Fatalf("byte by byte: got %d bytes, %v; at once: %d bytes, %v", len(got2), err2, len(got), err)
	}
	if err != nil || len(msg) > 2000 {
		return
	}
	for n := range msg {
		if _, err := open(bytes.NewReader(msg[:n])); err == nil {
			t.Fatalf("first %d of %d bytes open too", n, len(msg))
		}
	}
}

func fuzzKeyring(t testing.TB) *Keyring {
	t.Helper()
	var keys []*PrivateKey
	for i, kem := range kems {
		key, err := NewPrivateKey(uint8(i+1), kem, bytes.Repeat([]byte{1}, 32))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	return ringOf(t, keys...)
}

func fuzzExchange(format, aead uint8) exchange {
	x := exchange{
		format: Format(format),
		suite:  Suite{KDF: KDFHKDFSHA256, AEAD: uint16(aead)},
		enc:    bytes.Repeat([]byte{2}, 32),
	}
	x.secret = bytes.Repeat([]byte{3}, x.suite.entropyLen())
	return x
}

// TestCorpus checks that seeds still open, so that fuzzing starts behind the authentication.
func TestCorpus(t *testing.T) {
	if *update {
		writeCorpus(t)
	}
	ring := fuzzKeyring(t)
	checkSeeds(t, "FuzzParseKeyConfigs", 4, func(_ []uint8, list []byte) error {
		_, err := ParseKeyConfigs(list)
		return err
	})
	checkSeeds(t, "FuzzOpenRequest", 8, func(arg []uint8, msg []byte) error {
		_, err := (&pair{f: Format(arg[0]), ring: ring}).open(bytes.NewReader(msg))
		return err
	})
	checkSeeds(t, "FuzzOpenResponse", 8, func(arg []uint8, msg []byte) error {
		req := &SealedRequest{exchange: fuzzExchange(arg[0], arg[1])}
		_, err := io.ReadAll(req.OpenResponse(bytes.NewReader(msg), 0))
		return err
	})
}

// checkSeeds wants at least so many seeds of target to be accepted by open.
func checkSeeds(t *testing.T, target string, want int, open func([]uint8, []byte) error) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var args []uint8
		var msg []byte
		for line := range strings.Lines(string(raw)) {
			value := strings.TrimSpace(line[strings.IndexByte(line, '(')+1:])
			switch text, err := strconv.Unquote(strings.TrimSuffix(value, ")")); {
			case strings.HasPrefix(line, "byte(") && err == nil:
				args = append(args, uint8([]rune(text)[0]))
			case err == nil:
				msg = []byte(text)
			}
		}
		if open(args, msg) == nil {
			got++
		}
	}
	if got < want {
		t.Errorf("%s: %d of %d seeds open, want %d", target, got, len(files), want)
	}
}

func writeCorpus(t *testing.T) {
	t.Helper()
	writeKeySeeds(t)
	writeRequestSeeds(t)
	writeResponseSeeds(t)
}

func writeKeySeeds(t *testing.T) {
	t.Helper()
	xwing, x25519 := testConfigs(t)
	pq, dh := entry(1, 0x647a, xwing.PublicKey, suites(1, 1, 1, 3)), entry(2, 0x0020, x25519.PublicKey, suites(1, 3))
	writeSeed(t, "FuzzParseKeyConfigs", "both", append(bytes.Clone(pq), dh...))
	writeSeed(t, "FuzzParseKeyConfigs", "x25519", dh)
	writeSeed(t, "FuzzParseKeyConfigs", "unknown-kem", append(entry(3, 0x0010, make([]byte, 65), suites(1, 1)), dh...))
	writeSeed(t, "FuzzParseKeyConfigs", "unknown-suites", entry(3, 0x0020, x25519.PublicKey, suites(2, 1, 1, 1, 9, 9)))
}

func writeRequestSeeds(t *testing.T) {
	t.Helper()
	for i, kem := range kems {
		key, err := NewPrivateKey(uint8(i+1), kem, bytes.Repeat([]byte{1}, 32))
		if err != nil {
			t.Fatal(err)
		}
		for _, suite := range supportedSuites() {
			name := fmt.Sprintf("kem%x-aead%d", uint16(kem), suite.AEAD)
			p := &pair{f: Whole, cfg: onlySuite(key, suite), ring: fuzzKeyring(t)}
			_, sealed := p.seal(t, []byte("request"))
			writeSeed(t, "FuzzOpenRequest", name+"-whole", uint8(Whole), sealed)
			p.f = Chunked
			sealed = sealRequestChunks(t, p, [][]byte{[]byte("one"), []byte("two"), []byte("end")})
			writeSeed(t, "FuzzOpenRequest", name+"-chunked", uint8(Chunked), sealed)
			writeSeed(t, "FuzzOpenRequest", name+"-cut", uint8(Chunked), sealed[:len(sealed)-3-tagLen-1])
		}
		p := &pair{f: Chunked, cfg: key.Config(), ring: fuzzKeyring(t)}
		sealed := sealRequestChunks(t, p, [][]byte{nil, []byte("end")})
		writeSeed(t, "FuzzOpenRequest", fmt.Sprintf("kem%x-empty-chunk", uint16(kem)), uint8(Chunked), sealed)
	}
}

func writeResponseSeeds(t *testing.T) {
	t.Helper()
	for _, f := range formats {
		for _, suite := range supportedSuites() {
			x := fuzzExchange(uint8(f), uint8(suite.AEAD))
			name := fmt.Sprintf("%v-aead%d", f, suite.AEAD)
			opened := &OpenedRequest{exchange: x}
			sealed := sealResponse(t, opened, []byte("one"), []byte("two"), []byte("end"))
			writeSeed(t, "FuzzOpenResponse", name, uint8(f), uint8(suite.AEAD), sealed)
			sealed = sealResponse(t, opened, pattern(100), nil)
			writeSeed(t, "FuzzOpenResponse", name+"-empty-end", uint8(f), uint8(suite.AEAD), sealed)
		}
	}
}

// writeSeed writes the arguments of one run in the format of go test.
func writeSeed(t *testing.T, target, name string, args ...any) {
	t.Helper()
	dir := filepath.Join("testdata", "fuzz", target)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out := []byte("go test fuzz v1\n")
	for _, arg := range args {
		switch v := arg.(type) {
		case uint8:
			out = fmt.Appendf(out, "byte(%s)\n", strconv.QuoteRune(rune(v)))
		case []byte:
			out = fmt.Appendf(out, "[]byte(%q)\n", v)
		default:
			t.Fatalf("seed of type %T", arg)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, name), out, 0o644); err != nil {
		t.Fatal(err)
	}
}
