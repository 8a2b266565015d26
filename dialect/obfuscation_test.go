// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWithoutObfuscation(t *testing.T) {
	tests := map[string]string{
		`{"a":1,"obfuscation":"xYz"}`:                         `{"a":1}`,
		`{"obfuscation":"xYz","a":1}`:                         `{"a":1}`,
		`{"a":1,"obfuscation":"x","b":[2,{"c":3}]}`:           `{"a":1,"b":[2,{"c":3}]}`,
		`{"obfuscation":"x"}`:                                 `{}`,
		`{ "a" : 1 , "obfuscation" : "x\"},{" }`:              `{ "a" : 1 }`,
		`{"a":{"obfuscation":"user's"},"obfuscation":"x"}`:    `{"a":{"obfuscation":"user's"}}`,
		`{"a":{"obfuscation":"user's"}}`:                      `{"a":{"obfuscation":"user's"}}`,
		`{"a":"obfuscation","b":"\"obfuscation\":1"}`:         `{"a":"obfuscation","b":"\"obfuscation\":1"}`,
		`[{"obfuscation":"x"}]`:                               `[{"obfuscation":"x"}]`,
		`["obfuscation","x"]`:                                 `["obfuscation","x"]`,
		`[DONE]`:                                              `[DONE]`,
		`{"a":[1,2],"obfuscation":""}`:                        `{"a":[1,2]}`,
		`{"obfuscation":"not closed`:                          `{"obfuscation":"not closed`,
		`{"choices":[{"delta":{"content":"\"obfuscation"}}]}`: `{"choices":[{"delta":{"content":"\"obfuscation"}}]}`,
	}
	for in, want := range tests {
		if got := string(WithoutObfuscation([]byte(in))); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func FuzzWithoutObfuscation(f *testing.F) {
	f.Add([]byte(`{"a":1,"obfuscation":"xYz","b":{"obfuscation":2}}`))
	f.Add([]byte(`{"obfuscation":{"obfuscation":[]},"obfuscation" : 1 }`))
	f.Fuzz(func(t *testing.T, object []byte) {
		var want, got map[string]any
		valid := json.Unmarshal(object, &want) == nil && want != nil
		count := bytes.Count(object, obfuscationMember)
		out := WithoutObfuscation(bytes.Clone(object))
		if !valid {
			return // it must not crash
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%q became %q: %v", object, out, err)
		}
		if count > 1 {
			return // names may be repeated, of which the last counts
		}
		if !bytes.Equal(out, object) {
			delete(want, "obfuscation")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q became %q:\n%s", object, out, diff)
		}
	})
}
