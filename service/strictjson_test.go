// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestShapeOf(t *testing.T) {
	type inner struct {
		X int `json:"x,omitempty"`
	}
	type outer struct {
		A []inner           `json:"a"`
		B *inner            `json:"b"`
		C map[string]string `json:"c"`
		D []byte            `json:"d"`
	}
	want := shape{"a": {"x": nil}, "b": {"x": nil}, "c": nil, "d": nil}
	if diff := cmp.Diff(want, shapeOf(reflect.TypeFor[outer]())); diff != "" {
		t.Errorf("shapeOf (-want +got):\n%s", diff)
	}
}

func TestCheckJSONItems(t *testing.T) {
	for _, in := range []string{`{"a":[1,2,3]}`, `{"a":1,"b":2,"c":3}`, `{"a":[[[]]],"b":[{}],"c":[0,"]",{"}":1}]}`} {
		if err := checkJSON([]byte(in), nil, 3); err != nil {
			t.Errorf("%s: %v, want no error", in, err)
		}
	}
	for _, in := range []string{`{"a":[1,2,3,4]}`, `{"a":1,"b":2,"c":3,"d":4}`, `{"a":[{"b":[0,0,0,0]}]}`} {
		if err := checkJSON([]byte(in), nil, 3); err == nil || !strings.Contains(err.Error(), "more than 3") {
			t.Errorf("%s: %v, want an error about 3", in, err)
		}
	}
}

// FuzzCheckJSON compares the walk over bytes with one over encoding/json's tokens.
func FuzzCheckJSON(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := checkJSON(raw, nil, len(raw)) == nil
		if want := oracle(raw); got != want {
			t.Errorf("checkJSON(%q) accepts: %v, want %v", raw, got, want)
		}
	})
}

// oracle says whether raw is one JSON object in valid UTF-8 without equal names and not too deep.
func oracle(raw []byte) bool {
	if !utf8.Valid(raw) || !json.Valid(raw) || bytes.TrimLeft(raw, " \t\r\n")[0] != '{' {
		return false
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var open []map[string]bool // of each open object the names, of each array nil
	name := false              // the next token may be a name
	for {
		token, err := dec.Token()
		if err != nil {
			return err == io.EOF
		}
		if d, ok := token.(json.Delim); ok && (d == ']' || d == '}') {
			open = open[:len(open)-1]
			name = len(open) > 0 && open[len(open)-1] != nil
			continue
		}
		if s, ok := token.(string); ok && name {
			names := open[len(open)-1]
			if names[s] {
				return false
			}
			names[s] = true
			name = false
			continue
		}
		// A value, at the depth of what is open.
		if len(open) > maxDepth {
			return false
		}
		if d, ok := token.(json.Delim); ok {
			var names map[string]bool
			if d == '{' {
				names = map[string]bool{}
			}
			open = append(open, names)
		}
		name = len(open) > 0 && open[len(open)-1] != nil
	}
}
