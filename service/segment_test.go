// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSegmentRoundTrip(t *testing.T) {
	full, small := mustSign(t, fullInfo()), mustSign(t, smallInfo())
	want := []*Signed{full, small, full}
	var raw []byte
	size := 0
	for _, s := range want {
		raw = AppendSigned(raw, s)
		size += SignedSize(s)
	}
	if len(raw) != size {
		t.Errorf("%d bytes, SignedSize says %d", len(raw), size)
	}
	got, err := ParseSegment(raw)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for n := 1; n < SignedSize(small); n++ {
		if _, err := ParseSegment(raw[:len(raw)-n]); n != SignedSize(full) && !errors.Is(err, ErrInvalid) {
			t.Fatalf("without the last %d bytes: %v, want ErrInvalid", n, err)
		}
	}
}

func TestParseSegment(t *testing.T) {
	largest := &Signed{KeyConfig: make([]byte, MaxKeyConfigBytes), ServiceInfo: make([]byte, MaxInfoBytes), Signature: make([]byte, 64)}
	if SignedSize(largest) > MaxSegmentBytes {
		t.Errorf("the largest description takes %d bytes, more than a segment", SignedSize(largest))
	}
	tests := []struct {
		name, in string
		exits    int
		want     string
	}{
		{"none", "", 0, ""},
		{"one that is empty", strings.Repeat("\x00", 12), 1, ""},
		{"ends within a length", "\x00\x00\x00", 0, "length"},
		{"ends within a part", "\x00\x00\x00\x02a", 0, "part"},
		{"length beyond all", "\xff\xff\xff\xff", 0, "part"},
		{"largest", strings.Repeat("\x00", MaxSegmentBytes), MaxSegmentBytes / 12, ""},
		{"too large", strings.Repeat("\x00", MaxSegmentBytes+12), 0, "limit"},
	}
	for _, tt := range tests {
		got, err := ParseSegment([]byte(tt.in))
		checkInvalid(t, err, tt.want)
		if len(got) != tt.exits {
			t.Errorf("%s: %d exits, want %d", tt.name, len(got), tt.exits)
		}
	}
}

func TestParseIndex(t *testing.T) {
	a, b := string(DigestOf([]byte("a"))), string(DigestOf([]byte("b")))
	tests := []struct {
		name, in string
		segments int
		want     string
	}{
		{"none", `{"segments":[]}`, 0, ""},
		{"two and what is not known", `{"segments":["` + a + `","` + b + `"],"new":[{"a":1}]}`, 2, ""},
		{"operator", `{"segments":[],"operator":"Example Ltd"}`, 0, ""},
		{"operator that moves the cursor", `{"segments":[],"operator":"planted\u001b[A"}`, 0, "operator"},
		{"operator that is too long", `{"segments":[],"operator":"` + strings.Repeat("x", 257) + `"}`, 0, "operator"},
		{"a digest twice", `{"segments":["` + a + `","` + a + `"]}`, 0, "twice"},
		{"segments twice", `{"segments":[],"segments":[]}`, 0, "twice"},
		{"upper case", `{"segments":["` + strings.ToUpper(a) + `"]}`, 0, "hexadecimal"},
		{"short", `{"segments":["planted"]}`, 0, "hexadecimal"},
		{"number", `{"segments":[1]}`, 0, "segments"},
		{"not JSON", `<html>`, 0, "JSON"},
		{"too large", strings.Repeat(" ", maxIndexBytes) + `{}`, 0, "limit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseIndex(strings.NewReader(tt.in))
			checkInvalid(t, err, tt.want)
			if err == nil && len(got.Segments) != tt.segments {
				t.Errorf("%d segments, want %d", len(got.Segments), tt.segments)
			}
		})
	}
}

func TestParseObservations(t *testing.T) {
	hash := HashOf([]byte("keys"))
	share, wrong := 0.95, 1.5
	tests := []struct {
		name, in string
		want     Observed
		err      string
	}{
		{"nothing", `{"exits":{}}`, Observed{}, ""},
		{"another", `{"exits":{"0000000000000000":{"rtt_ms":1}}}`, Observed{}, ""},
		{"some", `{"exits":{"NAME":{"rtt_ms":1,"answered":0.95,"new":1}}}`, Observed{RTTMillis: 1, Answered: &share}, ""},
		{"negative", `{"exits":{"NAME":{"rtt_ms":1,"in_flight":-1}}}`, Observed{}, ""},
		{"more than all", `{"exits":{"NAME":{"uptime_1d":1.5}}}`, Observed{}, ""},
		{"name twice", `{"exits":{"NAME":{},"NAME":{}}}`, Observed{}, "twice"},
		{"text", `{"exits":{"NAME":{"rtt_ms":"planted"}}}`, Observed{}, "rtt_ms"},
		{"list", `{"exits":[]}`, Observed{}, "exits"},
		{"not JSON", `{`, Observed{}, "JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := ParseObservations(strings.NewReader(strings.ReplaceAll(tt.in, "NAME", ObservedName(hash))))
			checkInvalid(t, err, tt.err)
			if err != nil {
				return
			}
			if diff := cmp.Diff(tt.want, o.Of(hash)); diff != "" {
				t.Errorf("observed (-want +got):\n%s", diff)
			}
		})
	}
	if o := (&Observed{Answered: &wrong}); o.sane() {
		t.Error("a share above 1 is taken for sane")
	}
}

func FuzzParseSegment(f *testing.F) {
	f.Add(AppendSigned(nil, mustSign(f, smallInfo())))
	f.Add([]byte("\x00\x00\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		all, err := ParseSegment(raw)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || all != nil {
				t.Fatalf("ParseSegment = %v, %v, want ErrInvalid alone", all, err)
			}
			return
		}
		var again []byte
		for _, s := range all {
			again = AppendSigned(again, s)
			if info, err := s.Verify(testStart); (info == nil) == (err == nil) {
				t.Fatalf("Verify = %v, %v, want one of them", info, err)
			}
		}
		if !bytes.Equal(raw, again) {
			t.Error("what was read is not what was there")
		}
	})
}

func FuzzParseIndex(f *testing.F) {
	f.Add([]byte(`{"segments":["` + string(DigestOf(nil)) + `"]}`))
	f.Add([]byte(`{"segments":[],"operator":"Example Ltd"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		index, err := ParseIndex(bytes.NewReader(raw))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("error %v, want ErrInvalid", err)
			}
			return
		}
		if err := CheckOperator(index.Operator); err != nil {
			t.Fatal(err)
		}
		for _, d := range index.Segments {
			if _, err := ParseDigest(string(d)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzParseObservations(f *testing.F) {
	f.Add([]byte(`{"exits":{"0123456789abcdef":{"since":"2026-03-01T12:00:00Z","rtt_ms":1.5,"in_flight":4,"answered":0.9}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := ParseObservations(bytes.NewReader(raw))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("error %v, want ErrInvalid", err)
			}
			return
		}
		for name := range o.Exits {
			if seen := o.Of(Hash(name)); !seen.sane() {
				t.Fatalf("%+v was handed out", seen)
			}
		}
	})
}
