// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/scrub"
)

func TestCanonical(t *testing.T) {
	tests := []struct{ in, want string }{
		{` { } `, `{}`},
		{`{"b":1,"a":[ {"d":null , "c":true} ,false]}`, `{"a":[{"c":true,"d":null},false],"b":1}`},
		{`{"n":[1.0,-0,1E+2,0.10,12345678901234567890]}`, `{"n":[1.0,-0,1E+2,0.10,12345678901234567890]}`},
		{`{"a":"\u0041\/\u00e9\u4e16\ud83c\udf0d\u0000\u001f\u007f\u2028"}`, `{"a":"A/é世🌍\u0000\u001f` + "\x7f\u2028" + `"}`},
		{`{"a":"\"\\\b\f\n\r\t\u000a\u0022"}`, `{"a":"\"\\\b\f\n\r\t\n\""}`},
		{`{"a":"\uD800x\udC00"}`, `{"a":"\ud800x\udc00"}`},
		{"{\"a\":\"\xff\"}", `{"a":"` + "\ufffd" + `"}`},
		{`{"aa":1,"a":2,"a!":3,"A":4,"é":5,"\u0061b":6}`, `{"A":4,"a":2,"a!":3,"aa":1,"ab":6,"é":5}`},
		{`{"z":{"properties":{"b":{"y":1,"x":2},"a":3}}}`, `{"z":{"properties":{"b":{"x":2,"y":1},"a":3}}}`},
	}
	for _, tt := range tests {
		got, err := scrub.Canonical([]byte(tt.in))
		if err != nil || string(got) != tt.want {
			t.Errorf("Canonical(%s) = %s, %v, want %s", tt.in, got, err, tt.want)
		}
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, in := range []string{
		``, `[]`, `"a"`, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":01}`, `{"a":1.}`, `{"a":tru}`, `{"a":"\x"}`, `{"a":"\u12g4"}`, "{\"a\":\"\n\"}",
		`{"a":1}{`, `{"a":1} x`, `{"a" 1}`, `{"a":[1 2]}`, `{"a":1,"a":2}`, `{"a":` + strings.Repeat("[", 1001) + strings.Repeat("]", 1001) + `}`, `{"a":-}`,
	} {
		if got, err := scrub.Canonical([]byte(in)); err == nil {
			t.Errorf("Canonical(%.40s) = %.40s, want an error", in, got)
		}
	}
}

// meaning decodes JSON with its numbers as they are written.
func meaning(body []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// What is written means what was read, and is written the same again.
func FuzzCanonical(f *testing.F) {
	for _, tt := range bodies {
		f.Add([]byte(tt.body))
	}
	f.Add([]byte(`{"a":"\ud800\\\u0041","properties":{"b":1,"a":[1e5,-0.0]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := scrub.Canonical(body)
		if err != nil {
			return
		}
		want, err := meaning(body)
		if err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if again, err := meaning(got); err != nil || !reflect.DeepEqual(want, again) {
			t.Fatalf("%q became %q, which means something else: %v", body, got, err)
		}
		if twice, err := scrub.Canonical(got); err != nil || !bytes.Equal(got, twice) {
			t.Fatalf("%q became %q, then %q: %v", body, got, twice, err)
		}
	})
}

// Scrubbing keeps JSON valid and removes nothing that is on no list.
func FuzzNew(f *testing.F) {
	for _, tt := range bodies {
		f.Add(tt.path, []byte(tt.body))
	}
	f.Add("/v1/responses", []byte(`{}`))
	f.Add("/v1/responses", []byte(`{"user":1,"metadata":2}`))
	ops := map[string]bool{}
	for _, tt := range bodies {
		ops[tt.path] = true
	}
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		var object map[string]any
		if !ops[path] || json.Unmarshal(body, &object) != nil || object == nil {
			return
		}
		for _, level := range []scrub.Level{scrub.Full, scrub.Minimal} {
			q, problem := scrub.New(operation(t, path), nil, body, scrub.Options{Level: level})
			if problem != nil {
				continue
			}
			m := q.For(scrub.Exit{CacheKey: []byte("k")})
			var left map[string]any
			if err := json.Unmarshal(m.Body, &left); err != nil {
				t.Fatalf("%s: %q became %q: %v", level, body, m.Body, err)
			}
			for _, name := range []string{"user", "metadata", "client_metadata", "safety_identifier"} {
				if _, there := left[name]; there && strings.HasPrefix(path, "/v1/chat") {
					t.Fatalf("%s: %q kept %s: %q", level, body, name, m.Body)
				}
			}
		}
	})
}

// largeBody is a conversation of about 20 MiB: text with escapes, and an image.
func largeBody() []byte {
	text, _ := json.Marshal(strings.Repeat("func main() {\n\tfmt.Println(\"世界\")\n}\n", 300<<10))
	image := strings.Repeat("iVBORw0KGgo", 8<<20/11)
	return []byte(`{"model":"m","stream":true,"messages":[{"role":"user","content":` + string(text) + `},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + image + `"}}]}]}`)
}

// TestLargeBody bounds the time that 20 MiB take, with room for slow machines and the race detector: what grows faster than the body takes minutes.
func TestLargeBody(t *testing.T) {
	body := largeBody()
	op := operation(t, "/v1/chat/completions")
	begin := time.Now()
	q, problem := scrub.New(op, nil, body, scrub.Options{})
	if problem != nil {
		t.Fatal(problem)
	}
	m := q.For(scrub.Exit{})
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("%d bytes took %v", len(body), took)
	}
	if len(m.Body) == 0 || len(m.Body) > len(body) {
		t.Errorf("%d bytes became %d", len(body), len(m.Body))
	}
}

func BenchmarkScrub(b *testing.B) {
	for name, body := range map[string][]byte{"large": largeBody(), "small": []byte(bodies[2].body)} {
		b.Run(name, func(b *testing.B) {
			op := operation(b, "/v1/chat/completions")
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				q, problem := scrub.New(op, nil, body, scrub.Options{})
				if problem != nil {
					b.Fatal(problem)
				}
				q.For(scrub.Exit{})
			}
		})
	}
}

func BenchmarkFind(b *testing.B) {
	body := largeBody()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		scrub.Kinds(body, anyKind)
	}
}
