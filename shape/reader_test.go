// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReader(t *testing.T) {
	tests := map[string]struct {
		content string
		want    string
		err     error
	}{
		"end only":               {"\x02\x00\x00", "", nil},
		"data and end":           {"\x01\x00\x02ab\x02\x00\x01c", "abc", nil},
		"padding everywhere":     {"\x00\x00\x01\x00\x01a\x00\x00\x00\x02\x00\x00\x00", "a", nil},
		"zeros in data":          {"\x02\x00\x03\x00\x01\x00", "\x00\x01\x00", nil},
		"nothing":                {"", "", io.ErrUnexpectedEOF},
		"padding only":           {"\x00\x00\x00", "", io.ErrUnexpectedEOF},
		"no end":                 {"\x01\x00\x01a", "a", io.ErrUnexpectedEOF},
		"short length":           {"\x01\x00", "", io.ErrUnexpectedEOF},
		"short data":             {"\x02\x00\x05ab", "ab", io.ErrUnexpectedEOF},
		"cut":                    {"\x01\x00\x01a\x03\x00\x00", "a", ErrCut},
		"cut with data":          {"\x03\x00\x01a", "", ErrInvalid},
		"empty data":             {"\x01\x00\x00", "", ErrInvalid},
		"unknown kind":           {"\x04\x00\x00", "", ErrInvalid},
		"what follows the end":   {"\x02\x00\x01aGARBAGE", "a", nil},
		"what follows empty end": {"\x02\x00\x00\x01\x00\x01a", "", nil},
	}
	for name, tt := range tests {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with the error": iotest.DataErrReader,
		} {
			r := NewReader(wrap(strings.NewReader(tt.content)))
			got, err := io.ReadAll(r)
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%s, %s: read %q, %v; want %q, %v", name, how, got, err, tt.want, tt.err)
			}
			if ended := tt.err == nil || tt.err == ErrCut; r.Ended() != ended {
				t.Errorf("%s, %s: Ended() = %v", name, how, r.Ended())
			}
		}
	}
}

// The end of a message is known with its record, while its padding is still to come.
func TestEndIsSeenAtOnce(t *testing.T) {
	content, more := io.Pipe()
	go func() {
		more.Write([]byte("\x02\x00\x03end"))
		more.Write(make([]byte, 5000))
		more.Close()
	}()
	r := NewReader(content)
	if got, err := io.ReadAll(r); string(got) != "end" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if err := r.Drain(6000); err != nil {
		t.Errorf("drain: %v", err)
	}
}

func TestDrainHasALimit(t *testing.T) {
	r := NewReader(io.MultiReader(strings.NewReader("\x02\x00\x00"), bytes.NewReader(make([]byte, 10_000))))
	if _, err := io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	if err := r.Drain(9_000); !errors.Is(err, ErrInvalid) {
		t.Errorf("drain beyond the limit: %v", err)
	}
	r = NewReader(iotest.ErrReader(io.ErrClosedPipe))
	if err := r.Drain(1); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("drain of what fails: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x02ab\x00\x02\x00\x01c\x00\x00"))
	f.Add([]byte("\x01\x00\x01a\x03\x00\x00"))
	f.Add([]byte("\x02\xff\xff"))
	f.Add(appendCell(nil, record{kindEnd, []byte("hello")}, false, true)[lengthPrefix:])
	f.Fuzz(func(t *testing.T, content []byte) {
		whole := NewReader(bytes.NewReader(content))
		got, err := io.ReadAll(whole)
		pieces := NewReader(iotest.HalfReader(bytes.NewReader(content)))
		again, errAgain := io.ReadAll(iotest.OneByteReader(pieces))
		if !bytes.Equal(got, again) || (err == nil) != (errAgain == nil) {
			t.Fatalf("read %q, %v whole and %q, %v in pieces", got, err, again, errAgain)
		}
		if (err == nil || errors.Is(err, ErrCut)) != whole.Ended() {
			t.Fatalf("error %v and Ended() = %v", err, whole.Ended())
		}
		if len(got) > len(content) {
			t.Fatalf("%d bytes from %d", len(got), len(content))
		}
		if err != nil && !errors.Is(err, ErrCut) && !errors.Is(err, ErrInvalid) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("error of another kind: %v", err)
		}
	})
}
