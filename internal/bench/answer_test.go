// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPlainAnswer(t *testing.T) {
	if len(plainAnswer) != plainBytes || !json.Valid(plainAnswer) {
		t.Errorf("%d bytes, want %d of JSON: %s", len(plainAnswer), plainBytes, plainAnswer)
	}
}

func TestChunk(t *testing.T) {
	sent := time.Unix(1_800_000_000, 123_456_789)
	for _, n := range []int{0, 7, 99, maxChunks} {
		chunk := string(appendChunk(nil, n, sent))
		if len(chunk) != chunkBytes {
			t.Errorf("chunk %d has %d bytes, want %d", n, len(chunk), chunkBytes)
		}
		data, ok := strings.CutPrefix(chunk, "data: ")
		var got struct {
			Sent int64 `json:"sent_unix_ns"`
		}
		if err := json.Unmarshal([]byte(data), &got); err != nil || !ok || got.Sent != sent.UnixNano() {
			t.Errorf("chunk %d is %q: %v", n, chunk, err)
		}
	}
}

// testStream is a stream of n chunks, sent a millisecond apart from base on.
func testStream(n int, base time.Time) []byte {
	var b []byte
	for i := range n {
		b = appendChunk(b, i, base.Add(time.Duration(i)*time.Millisecond))
	}
	return append(b, streamEnd...)
}

func TestStreamCheck(t *testing.T) {
	base := time.Unix(1_800_000_000, 0)
	now := base.Add(5 * time.Millisecond)
	stream := testStream(3, base)
	want := []time.Duration{5 * time.Millisecond, 4 * time.Millisecond, 3 * time.Millisecond}
	for size := 1; size <= len(stream); size++ {
		check := streamCheck{chunks: 3}
		for i := 0; i < len(stream); i += size {
			if err := check.feed(stream[i:min(i+size, len(stream))], now); err != nil {
				t.Fatalf("pieces of %d bytes, at %d: %v", size, i, err)
			}
		}
		if err := check.finish(); err != nil {
			t.Fatalf("pieces of %d bytes: %v", size, err)
		}
		if diff := cmp.Diff(want, check.delays); diff != "" {
			t.Fatalf("pieces of %d bytes (-want +got):\n%s", size, diff)
		}
	}
}

func TestStreamCheckFindsEveryDamage(t *testing.T) {
	base := time.Unix(1_800_000_000, 0)
	now := base.Add(time.Hour)
	stream := testStream(2, base)
	accepts := func(b []byte) bool {
		check := streamCheck{chunks: 2}
		return check.feed(b, now) == nil && check.finish() == nil
	}
	if !accepts(stream) {
		t.Fatal("the stream itself is not accepted")
	}
	inTime := func(i int) bool { // any digits are a time
		at := i % chunkBytes
		return i < 2*chunkBytes && at >= timeOffset && at < timeOffset+timeDigits
	}
	for i := range stream {
		if accepts(stream[:i]) {
			t.Errorf("cut at %d, it is accepted", i)
		}
		changed := append([]byte(nil), stream...)
		changed[i] ^= 0x80
		if accepts(changed) {
			t.Errorf("with byte %d changed, it is accepted", i)
		}
		changed[i] = '0'
		if stream[i] != '0' && accepts(changed) && !inTime(i) {
			t.Errorf("with a 0 at %d, it is accepted", i)
		}
	}
	for name, b := range map[string][]byte{
		"more after the end": append(append([]byte(nil), stream...), '\n'),
		"a chunk too many":   testStream(3, base),
		"a chunk too few":    testStream(1, base),
		"nothing":            nil,
	} {
		if accepts(b) {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestStreamCheckFindsClockSetBack(t *testing.T) {
	base := time.Unix(1_800_000_000, 0)
	check := streamCheck{chunks: 1}
	if err := check.feed(testStream(1, base), base.Add(-time.Nanosecond)); err == nil || !strings.Contains(err.Error(), "clock") {
		t.Errorf("got %v", err)
	}
}
