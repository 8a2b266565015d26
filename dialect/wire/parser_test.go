// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// read builds what encoding/json makes of a text, with every kind of value.
func read(p *Parser) any {
	switch p.Kind() {
	case ObjectValue:
		m := map[string]any{}
		p.Object(func(key []byte) { m[string(key)] = read(p) })
		return m
	case ArrayValue:
		list := []any{}
		p.Array(func(int) { list = append(list, read(p)) })
		return list
	case StringValue:
		return p.String()
	case NumberValue:
		return p.Float()
	case BoolValue:
		return p.Bool()
	default:
		p.Skip()
		return nil
	}
}

func TestParser(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, ` { "a" : [ 1 , -2.5e3 , true , false , null , "x" ] , "b" : { "c" : { } } } `,
		`"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude42"`, `"\ud83d"`, `"\ud83dx"`, `"\ud83d\u0041"`, `"你好"`, `0`, `-0.5`, `1e2`,
		`{"a":1,"a":2}`, `{"\u0061":1}`, `[[],[[]],{}]`,
	} {
		var want any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		p := Parse([]byte(text))
		got := read(p)
		if err := p.End(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestParserErrors(t *testing.T) {
	for _, text := range []string{
		``, ` `, `{`, `[`, `{"a"`, `{"a":`, `{"a":}`, `{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `[1 2]`, `{"a" 1}`, `{a:1}`, `01`, `1.`, `-`,
		`1e`, `"`, `"\x"`, `"\u12g4"`, "\"\n\"", `nul`, `tru`, `falsy`, `{} {}`, `]`, `+1`,
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	} {
		p := Parse([]byte(text))
		p.Skip()
		if err := p.End(); !errors.Is(err, ErrJSON) {
			t.Errorf("%q: error %v, want ErrJSON", text, err)
		}
	}
}

func TestParserOtherKinds(t *testing.T) {
	p := Parse([]byte(`[1, "a", {"b":[]}, null, true, 2.9, 1e400, 99999999999999999999]`))
	var got []any
	p.Array(func(i int) {
		switch i {
		case 0:
			got = append(got, p.String())
		case 1:
			got = append(got, p.Int())
		case 2:
			got = append(got, p.Bool())
		case 3:
			got = append(got, p.Null())
		case 4:
			got = append(got, p.Null(), p.Object(nil))
		case 6:
			got = append(got, p.Float())
		default:
			got = append(got, p.Int())
		}
	})
	if err := p.End(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{"", 0, false, true, false, false, 2, 0.0, 0}, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestParserFail(t *testing.T) {
	stop := errors.New("stop")
	p := Parse([]byte(`[1,2,3]`))
	n := 0
	p.Array(func(int) { n++; p.Fail(stop) })
	if err := p.End(); err != stop || n != 1 {
		t.Errorf("error %v after %d elements, want the caller's after 1", err, n)
	}
}

func FuzzParser(f *testing.F) {
	f.Add(`{"a":[1,"\u00e9\ud83d\ude42",null,true,-1.5e3]}`)
	f.Add(`[1,]`)
	f.Fuzz(func(t *testing.T, text string) {
		p := Parse([]byte(text))
		raw := p.Raw()
		err := p.End()
		if valid := json.Valid([]byte(text)); valid != (err == nil) && strings.Count(text, "[")+strings.Count(text, "{") < maxDepth {
			t.Fatalf("error %v, but valid is %v", err, valid)
		}
		if err != nil {
			return
		}
		if string(raw) != strings.Trim(text, " \t\r\n") {
			t.Errorf("raw is %q", raw)
		}
		var want any
		if json.Unmarshal([]byte(text), &want) != nil {
			return // numbers that are too large
		}
		if got := read(Parse([]byte(text))); strings.ToValidUTF8(text, "") == text {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	})
}

func BenchmarkParser(b *testing.B) {
	chunk := []byte(`{"id":"chatcmpl-9lMgfRSWPHcw51s6wxKT1YEO2CKpd","object":"chat.completion.chunk","created":1721075653,` +
		`"choices":[{"index":0,"delta":{"content":" world"},"logprobs":null,"finish_reason":null}],"usage":null}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		p := Parse(chunk)
		var text string
		p.Object(func(key []byte) {
			if string(key) != "choices" {
				return
			}
			p.Array(func(int) {
				p.Object(func(key []byte) {
					if string(key) == "delta" {
						p.Object(func(key []byte) { text = p.String() })
					}
				})
			})
		})
		if p.End() != nil || text != " world" {
			b.Fatal(text)
		}
	}
}
