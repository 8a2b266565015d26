// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJSON(t *testing.T) {
	j := JSON("event: x\ndata: ")
	j.Open('{')
	j.TextMember("text", "a\"b ")
	j.TextIf("none", "")
	j.TextIf("some", "{")
	j.Object("object")
	j.Close('}')
	j.Array("array")
	j.Text(":")
	j.Text("")
	j.Raw(" {} \n")
	j.Open('[')
	j.Open('{')
	j.Close('}')
	j.Close(']')
	j.Comma()
	j = append(j, '7')
	j.Close(']')
	j.RawMember("raw", "\t[1, 2] ")
	j.RawBytes("bytes", []byte("\r\nnull\n"))
	j.IntMember("int", math.MinInt64)
	j.FloatMember("float", 0.5)
	j.FloatMember("nan", math.NaN())
	half := 0.5
	j.FloatIf("half", &half)
	j.FloatIf("nil", nil)
	j.BoolMember("true", true)
	j.Name("named")
	j.Open('{')
	j.Close('}')
	j.Close('}')

	want := "event: x\ndata: " + `{"text":"a\"b ","some":"{","object":{},"array":[":","",{},[{}],7],"raw":[1, 2],"bytes":null,` +
		`"int":-9223372036854775808,"float":0.5,"nan":null,"half":0.5,"true":true,"named":{}}`
	if diff := cmp.Diff(want, string(j)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !json.Valid(j[len("event: x\ndata: "):]) {
		t.Error("what is written is no JSON")
	}
}

func TestJSONBegins(t *testing.T) {
	for _, begin := range []string{"", "data: ", "{}\n", "["} {
		j := JSON(begin)
		j.Open('{')
		if want := begin + "{"; string(j) != want {
			t.Errorf("after %q: %q, want %q", begin, j, want)
		}
	}
}

func TestIsObject(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`: true, " {\"a\":[{}]} \n": true,
		``: false, `[]`: false, `null`: false, `{`: false, `{}{}`: false, `{"a":}`: false, `{"a"}`: false, `{} x`: false,
	} {
		if got := IsObject(text); got != want {
			t.Errorf("IsObject(%q) = %v", text, got)
		}
		if got := IsObject([]byte(text)); got != want {
			t.Errorf("IsObject([]byte(%q)) = %v", text, got)
		}
	}
}
