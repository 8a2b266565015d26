// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testDirectory(t testing.TB) *Directory {
	s := mustSign(t, fullInfo())
	return &Directory{Exits: []Entry{{
		PubKeyHash: s.Hash(), KeyConfig: s.KeyConfig, ServiceInfo: s.ServiceInfo, Signature: s.Signature,
		Observed: Observed{Since: testStart.Add(time.Minute), RTTMillis: 12.5, InFlight: 3},
	}}}
}

// TestDirectoryGolden pins the format, and with it a signature that other implementations can check theirs against.
func TestDirectoryGolden(t *testing.T) {
	golden := readFile(t, "testdata/directory.json")
	raw, err := json.MarshalIndent(testDirectory(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), string(raw)); diff != "" {
		t.Errorf("written directory (-testdata/directory.json +got):\n%s", diff)
	}
	got, err := ParseDirectory(bytes.NewReader(golden), int64(len(golden)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(testDirectory(t), got); diff != "" {
		t.Errorf("ParseDirectory (-want +got):\n%s", diff)
	}
	info, err := got.Exits[0].Verify(testStart)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullInfo(), info); diff != "" {
		t.Errorf("Verify (-want +got):\n%s", diff)
	}
}

func TestEntryVerifyHash(t *testing.T) {
	e := testDirectory(t).Exits[0]
	for _, h := range []Hash{"", HashOf(nil), Hash(strings.ToUpper(string(e.PubKeyHash)))} {
		bad := e
		bad.PubKeyHash = h
		if _, err := bad.Verify(testStart); !errors.Is(err, ErrInvalid) {
			t.Errorf("hash %q: %v, want ErrInvalid", h, err)
		}
	}
}

func TestParseDirectory(t *testing.T) {
	tests := []struct {
		name, in string
		exits    int
		want     string
	}{
		{"no exits", `{"exits":[]}`, 0, ""},
		{"null exits", `{"exits":null}`, 0, ""},
		{"unknown fields", `{"exits":[{"new":{"A":1,"a":2}}],"next":"x"}`, 1, ""},
		{"one that is empty", `{"exits":[{}]}`, 1, ""},
		{"most exits", `{"exits":[{}` + strings.Repeat(",{}", MaxEntries-1) + `]}`, MaxEntries, ""},
		{"too many exits", `{"exits":[{}` + strings.Repeat(",{}", MaxEntries) + `]}`, 0, "more than"},
		{"operator", `{"exits":[],"operator":"Example Ltd"}`, 0, ""},
		{"operator with a line break", `{"exits":[],"operator":"planted\n"}`, 0, "operator"},
		{"empty", ``, 0, "JSON"},
		{"array", `[]`, 0, "object"},
		{"trailing data", `{"exits":[]}{}`, 0, "JSON"},
		{"exits twice", `{"exits":[],"exits":[]}`, 0, "twice"},
		{"hash twice", `{"exits":[{"pub_key_hash":"a","pub_key_hash":"planted"}]}`, 0, "twice"},
		{"another case", `{"Exits":[]}`, 0, "case"},
		{"key in another case", `{"exits":[{"Signature":""}]}`, 0, "case"},
		{"invalid UTF-8", "{\"exits\":[{\"\xff\":1}]}", 0, "UTF-8"},
		{"not base64", `{"exits":[{"key_config":"planted!"}]}`, 0, "base64"},
		{"time malformed", `{"exits":[{"observed":{"since":"planted"}}]}`, 0, "time"},
		{"exits as object", `{"exits":{}}`, 0, "exits"},
		{"count as text", `{"exits":[{"observed":{"in_flight":"planted"}}]}`, 0, "in_flight"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := ParseDirectory(strings.NewReader(tt.in), 1<<20)
			checkInvalid(t, err, tt.want)
			if err == nil && len(d.Exits) != tt.exits {
				t.Errorf("%d exits, want %d", len(d.Exits), tt.exits)
			}
		})
	}
}

func TestParseDirectoryReader(t *testing.T) {
	const in = `{"exits":[]}`
	if _, err := ParseDirectory(strings.NewReader(in), int64(len(in))); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := ParseDirectory(strings.NewReader(in), int64(len(in)-1)); !errors.Is(err, ErrInvalid) {
		t.Errorf("over the limit: %v, want ErrInvalid", err)
	}
	endless := iotest.OneByteReader(endlessReader{})
	if _, err := ParseDirectory(endless, 100); !errors.Is(err, ErrInvalid) {
		t.Errorf("endless: %v, want ErrInvalid", err)
	}
	if _, err := ParseDirectory(iotest.ErrReader(io.ErrUnexpectedEOF), 100); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("broken reader: %v, want its error", err)
	}
}

type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func FuzzParseDirectory(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		const limit = 16 << 10
		d, err := ParseDirectory(bytes.NewReader(raw), limit)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || d != nil {
				t.Fatalf("ParseDirectory = %v, %v, want ErrInvalid alone", d, err)
			}
			return
		}
		if len(raw) > limit {
			t.Fatalf("%d bytes were accepted, the limit is %d", len(raw), limit)
		}
		for i := range d.Exits {
			e := &d.Exits[i]
			if info, err := e.Verify(testStart); (info == nil) == (err == nil) {
				t.Fatalf("Verify = %v, %v, want one of them", info, err)
			} else if err == nil && (e.PubKeyHash != e.Signed().Hash()) {
				t.Fatal("a verified entry has the wrong hash")
			}
		}
	})
}

func BenchmarkParseDirectory(b *testing.B) {
	one := testDirectory(b).Exits[0]
	d := &Directory{}
	for range 1000 {
		d.Exits = append(d.Exits, one)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseDirectory(bytes.NewReader(raw), int64(len(raw))); err != nil {
			b.Fatal(err)
		}
	}
}
