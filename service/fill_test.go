// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// general reads a description the general way; nil is an error.
func general(raw []byte) *Info {
	var info Info
	if checkInfo(raw) != nil || json.Unmarshal(raw, &info) != nil {
		return nil
	}
	return &info
}

func TestFillInfo(t *testing.T) {
	tests := []struct {
		name, in string
		usual    bool
	}{
		{"empty", `{}`, true},
		{"spaces", " { \"version\" : 2 , \"models\" : [ { \"id\" : \"a\" } , {} ] } ", true},
		{"empty lists", `{"models":[],"protocols":[],"tags":{},"sla":{},"capacity":{}}`, true},
		{"five of a list", `{"betas":["a","b","c","d","e"]}`, true},
		{"escapes", `{"operator":"\u00e9\n\ud83d\ude00\ud83d","tags":{"\u0061":"b"}}`, true},
		{"numbers", `{"sequence":-1,"sla":{"uptime":1e-3,"min_tokens_per_s":22.5}}`, true},
		{"times", `{"not_before":"2026-03-01T12:00:00Z","expires":"2026-03-01T13:00:00.5+01:00"}`, true},
		{"unknown fields", `{"new":{"a":[1,{"b":null}]},"models":[{"new":true}]}`, true},
		{"null", `{"operator":null}`, false},
		{"null list", `{"models":null}`, false},
		{"fraction for an integer", `{"sequence":1.0}`, false},
		{"integer too large", `{"sequence":9223372036854775808}`, false},
		{"number for text", `{"operator":1}`, false},
		{"text for a number", `{"sequence":"1"}`, false},
		{"list for an object", `{"sla":[]}`, false},
		{"time malformed", `{"expires":"tomorrow"}`, false},
		{"name twice", `{"operator":"a","operator":"b"}`, false},
		{"unknown name twice", `{"new":{"a":1,"a":2}}`, false},
		{"tag twice", `{"tags":{"a":"1","\u0061":"2"}}`, false},
		{"another case", `{"models":[{"ID":"a"}]}`, false},
		{"not an object", `[]`, false},
		{"not JSON", `{"operator":`, false},
		{"not UTF-8", "{\"operator\":\"\xff\"}", false},
	}
	for _, test := range tests {
		got := fillInfo([]byte(test.in))
		if (got != nil) != test.usual {
			t.Errorf("%s: read %v, want %v", test.name, got != nil, test.usual)
		}
		if diff := cmp.Diff(general([]byte(test.in)), got); got != nil && diff != "" {
			t.Errorf("%s (-general +filled):\n%s", test.name, diff)
		}
	}
	raw, err := json.Marshal(fullInfo())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullInfo(), fillInfo(raw)); diff != "" {
		t.Errorf("full description (-want +got):\n%s", diff)
	}
}

// FuzzFillInfo holds that the short way reads nothing that the general way does not read, and the same.
func FuzzFillInfo(f *testing.F) {
	raw, err := json.Marshal(fullInfo())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"tags":{"\u0061":"b"},"sla":{"uptime":1e-3},"new":[{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := fillInfo(raw)
		if got == nil {
			return
		}
		if diff := cmp.Diff(general(raw), got); diff != "" {
			t.Errorf("-general +filled:\n%s", diff)
		}
	})
}
