// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/tokengo/tokengo/bhttp"
)

func TestRoundTripRandomMessages(t *testing.T) {
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 9292))
		want := randomMessage(rng)
		encodings := map[string][]byte{}
		var err error
		if encodings["known"], err = want.encodeKnown(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if want.Status != 0 {
			if encodings["stream"], err = want.encodeStream(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		w := wire{rng.IntN(2) == 0, 1 << rng.IntN(4), 1 + rng.IntN(100)}
		encodings["wire"], _ = w.encode(want)
		for encoding, b := range encodings {
			b = append(b, make([]byte, rng.IntN(20))...)
			for split, src := range splits(rng, b) {
				got, err := want.reader()(src, bhttp.Limits{})
				if err != nil {
					t.Fatalf("seed %d, %s, %s: %v", seed, encoding, split, err)
				}
				if d := diff(want, got); d != "" {
					t.Fatalf("seed %d, %s, %s: message (-want +got):\n%s", seed, encoding, split, d)
				}
			}
		}
	}
}

// splits returns sources of b that return it in different pieces.
func splits(rng *rand.Rand, b []byte) map[string]io.Reader {
	return map[string]io.Reader{
		"whole":            bytes.NewReader(b),
		"one byte":         iotest.OneByteReader(bytes.NewReader(b)),
		"half":             iotest.HalfReader(bytes.NewReader(b)),
		"end with data":    iotest.DataErrReader(bytes.NewReader(b)),
		"one byte and end": iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(b))),
		"random":           &randomSplit{rng, bytes.NewReader(b)},
	}
}

// randomSplit returns random amounts, zero among them.
type randomSplit struct {
	rng *rand.Rand
	r   io.Reader
}

func (s *randomSplit) Read(p []byte) (int, error) {
	n := s.rng.IntN(min(len(p), 64) + 1)
	if n == 0 {
		return 0, nil
	}
	return s.r.Read(p[:n])
}

func randomMessage(rng *rand.Rand) *message {
	m := &message{Fields: randomFields(rng), Trailer: randomFields(rng), Content: randomContent(rng)}
	if rng.IntN(2) == 0 {
		m.Method = []string{"GET", "POST", "M-SEARCH"}[rng.IntN(3)]
		m.Scheme = []string{"http", "https"}[rng.IntN(2)]
		m.Authority = []string{"", "exit", "example.com:8443"}[rng.IntN(3)]
		m.Path = "/" + randomText(rng, "abc/?=&%20:", 100)
		return m
	}
	m.Status = 200 + rng.IntN(400)
	for range rng.IntN(4) {
		m.Informational = append(m.Informational,
			bhttp.Informational{Status: 100 + rng.IntN(100), Fields: randomFields(rng)})
	}
	return m
}

func randomFields(rng *rand.Rand) bhttp.Fields {
	var fields bhttp.Fields
	for range rng.IntN(6) {
		fields = append(fields, bhttp.Field{
			Name:  "x" + randomText(rng, "abc0-_.!~", 80),
			Value: randomText(rng, "abc\"\x7f\xff", 20) + "a \t:b",
		})
	}
	return fields
}

func randomContent(rng *rand.Rand) string {
	b := make([]byte, rng.IntN(3)*rng.IntN(10_000))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return string(b)
}

func randomText(rng *rand.Rand, alphabet string, most int) string {
	b := make([]byte, rng.IntN(most))
	for i := range b {
		b[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(b)
}
