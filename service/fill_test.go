// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/json"
	"reflect"
	"strings"
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
		{"lists alike", `{"models":[{"features":["a","b"],"modalities":["a"]},{"features": ["a","b"],"modalities":["a","b"]},{"features":["a"],"modalities":[]}]}`, true},
		{"half a list like the last", `{"models":[{"features":["a","b"]},{"features":["a","b"`, false},
		{"escapes", `{"operator":"\u00e9\n\ud83d\ude00\ud83d","tags":{"\u0061":"b"}}`, true},
		{"numbers", `{"sequence":-1,"sla":{"uptime":1e-3,"min_tokens_per_s":22.5}}`, true},
		{"times", `{"not_before":"2026-03-01T12:00:00Z","expires":"2026-03-01T13:00:00.5+01:00"}`, true},
		{"unknown fields", `{"new":{"a":[1,{"b":null}]},"models":[{"new":true}],"y":[[],{},false,-0.5E+1,"\n"],"z":{"a":{"a":1}}}`, true},
		{"as deep as can be", `{"new":` + strings.Repeat("[", 17) + strings.Repeat("]", 17) + `}`, true},
		{"deeper", `{"new":` + strings.Repeat("[", 18) + strings.Repeat("]", 18) + `}`, false},
		{"as many models as can be", `{"models":[` + strings.Repeat("{},", MaxModels-1) + `{}]}`, true},
		{"a model more", `{"models":[` + strings.Repeat("{},", MaxModels) + `{}]}`, false},
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
		{"unknown name twice in the description", `{"new":1,"models":[],"new":2}`, false},
		{"not an object", `[]`, false},
		{"nothing", ``, false},
		{"more after it", `{}{}`, false},
		{"comma at the end", `{"models":[{},]}`, false},
		{"comma at the end of the object", `{"version":2,}`, false},
		{"comma at the beginning", `{,"version":2}`, false},
		{"no comma", `{"version":2"sequence":1}`, false},
		{"no colon", `{"version" 2}`, false},
		{"other bracket", `{"models":[}]`, false},
		{"zero in front", `{"version":02}`, false},
		{"a number of letters", `{"version":2x}`, false},
		{"half a number", `{"sla":{"uptime":1.}}`, false},
		{"unknown word", `{"new":trve}`, false},
		{"half a word", `{"new":tru}`, false},
		{"a line in text", "{\"operator\":\"a\nb\"}", false},
		{"a line in escaped text", "{\"operator\":\"\\t\nb\"}", false},
		{"unknown escape", `{"operator":"\x"}`, false},
		{"half an escape", `{"operator":"\`, false},
		{"a byte of nothing", "{\"version\":2\x00}", false},
		{"another space", "{\u00a0}", false},
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

// The short way knows the fields that the general way knows.
func TestFieldsAreAll(t *testing.T) {
	check := func(v any, names []string) {
		want := shapeOf(reflect.TypeOf(v))
		for _, name := range names {
			if _, ok := want[name]; !ok {
				t.Errorf("%T: the short way reads %q, which is no field", v, name)
			}
			delete(want, name)
		}
		for name := range want {
			t.Errorf("%T: the short way does not read %q", v, name)
		}
	}
	check(Info{}, namesOf(infoFields))
	check(Model{}, namesOf(modelFields))
	check(Pricing{}, namesOf(pricingFields))
	check(SLA{}, namesOf(slaFields))
	check(Capacity{}, namesOf(capacityFields))
}

func namesOf[T any](fields []field[T]) (names []string) {
	for _, f := range fields {
		names = append(names, f.name)
	}
	return names
}

// Descriptions that are read one after the other, or at once, share no memory that changes.
func TestFilledInfosStandAlone(t *testing.T) {
	raw, err := json.Marshal(fullInfo())
	if err != nil {
		t.Fatal(err)
	}
	first := fillInfo(raw)
	if fillInfo([]byte(`{"models":[{"id":"other","features":["x","y"],"pricing":{"currency":"EUR"}}],"betas":["z"],`)) != nil {
		t.Error("half a description was read")
	}
	second := fillInfo([]byte(`{"models":[{"id":"other","features":["x","y"],"pricing":{"currency":"EUR"}}],"betas":["z"]}`))
	clear(raw)
	if diff := cmp.Diff(fullInfo(), first); diff != "" {
		t.Errorf("after others were read (-want +got):\n%s", diff)
	}
	for i := range first.Models {
		m := &first.Models[i]
		m.Features, m.Aliases, m.Modalities = append(m.Features, "more"), append(m.Aliases, "more"), append(m.Modalities, "more")
	}
	want := fullInfo()
	for i := range want.Models {
		m := &want.Models[i]
		m.Features, m.Aliases, m.Modalities = append(m.Features, "more"), append(m.Aliases, "more"), append(m.Modalities, "more")
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("after lists grew (-want +got):\n%s", diff)
	}
	if got := second.Models[0]; got.Features[1] != "y" || got.Pricing.Currency != "EUR" || second.Betas[0] != "z" {
		t.Errorf("the second reads %+v", second)
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
	f.Add([]byte(`{"models":[{"features":["a","b"]},{"features":["a","b"]},{"features":["a"]}]}`))
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
