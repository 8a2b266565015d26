// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type event struct{ Name, Data string }

// inPieces calls feed with pieces of the text, whose sizes are random.
func inPieces(rng *rand.Rand, text string, feed func([]byte) error) error {
	for len(text) > 0 {
		n := min(len(text), 1+rng.IntN(1+rng.IntN(len(text))))
		piece := []byte(text[:n])
		if err := feed(piece); err != nil {
			return err
		}
		clear(piece) // nobody may keep it
		text = text[n:]
	}
	return nil
}

func readSSE(rng *rand.Rand, text string) ([]event, error) {
	var s SSE
	var got []event
	each := func(name string, data []byte) error {
		got = append(got, event{name, string(data)})
		return nil
	}
	if err := inPieces(rng, text, func(p []byte) error { return s.Feed(p, each) }); err != nil {
		return got, err
	}
	return got, s.End(each)
}

func TestSSE(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []event
	}{
		{"nothing", "", nil},
		{"one", "data: x\n\n", []event{{"", "x"}}},
		{"named", "event: ping\ndata: {}\n\n", []event{{"ping", "{}"}}},
		{"name is not kept", "event: a\ndata: 1\n\ndata: 2\n\n", []event{{"a", "1"}, {"", "2"}}},
		{"no space", "event:a\ndata:1\n\n", []event{{"a", "1"}}},
		{"one space goes", "data:  1\n\n", []event{{"", " 1"}}},
		{"CRLF", "event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", []event{{"a", "1"}, {"", "2"}}},
		{"CR", "data: 1\r\rdata: 2\r\r", []event{{"", "1"}, {"", "2"}}},
		{"mixed ends", "data: 1\r\n\ndata: 2\n\r\n", []event{{"", "1"}, {"", "2"}}},
		{"lines", "data: 1\ndata: 2\n\n", []event{{"", "1\n2"}}},
		{"empty data", "data\n\ndata:\n\n", []event{{"", ""}, {"", ""}}},
		{"no data", "event: a\n\ndata: 1\n\n", []event{{"", "1"}}},
		{"comments", ": hi\n\n:\n\ndata: 1\n: in it\ndata: 2\n\n", []event{{"", "1\n2"}}},
		{"other fields", "id: 3\nretry: 10\nfoo: x\ndata: 1\n\n", []event{{"", "1"}}},
		{"no end", "data: 1", []event{{"", "1"}}},
		{"no empty line", "data: 1\n", []event{{"", "1"}}},
		{"mark", "\uFEFFdata: 1\n\n", []event{{"", "1"}}},
		{"characters", "data: 你好 🙂\n\n", []event{{"", "你好 🙂"}}},
		{"error field", "error: {\"code\":500}\n\n", []event{{"error", `{"code":500}`}}},
		{"bare object", "data: 1\n\n{\n  \"error\": {}\n}\n", []event{{"", "1"}, {"", "{\n  \"error\": {}\n}"}}},
		{"bare object at the end", "{\"error\":1}", []event{{"", `{"error":1}`}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(50) {
				got, err := readSSE(rand.New(rand.NewPCG(seed, 1)), tt.in)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Fatalf("seed %d: events (-want +got):\n%s", seed, diff)
				}
			}
		})
	}
}

func TestLines(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"two", "{1}\n{2}\n", []string{"{1}", "{2}"}},
		{"no end", "{1}\n{2}", []string{"{1}", "{2}"}},
		{"blank", "\n \n{1}\r\n\r\n\t{2} \n", []string{"{1}", "{2}"}},
		{"mark", "\uFEFF{1}\n", []string{"{1}"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(20) {
				var l Lines
				var got []string
				each := func(line []byte) error { got = append(got, string(line)); return nil }
				rng := rand.New(rand.NewPCG(seed, 1))
				if err := errors.Join(inPieces(rng, tt.in, func(p []byte) error { return l.Feed(p, each) }), l.End(each)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Fatalf("seed %d: lines (-want +got):\n%s", seed, diff)
				}
			}
		})
	}
}

func readArray(rng *rand.Rand, text string) ([]string, error) {
	var a Array
	var got []string
	each := func(element []byte) error { got = append(got, string(element)); return nil }
	if err := inPieces(rng, text, func(p []byte) error { return a.Feed(p, each) }); err != nil {
		return got, err
	}
	return got, a.End(each)
}

func TestArray(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
		err      error
	}{
		{"nothing", " \n", nil, nil},
		{"empty", "[ ]", nil, nil},
		{"objects", "[{\"a\":1}\n,\r\n{\"b\":[2,{}]}]\n", []string{`{"a":1}`, `{"b":[2,{}]}`}, nil},
		{"brackets in strings", `[{"a":"}]\"{["},{"b":"\\"}]`, []string{`{"a":"}]\"{["}`, `{"b":"\\"}`}, nil},
		{"scalars", `[1,"a]",null , true]`, []string{"1", `"a]"`, "null", "true"}, nil},
		{"arrays", `[[1],[]]`, []string{"[1]", "[]"}, nil},
		{"one object", `{"error":{}}`, []string{`{"error":{}}`}, nil},
		{"a number", `12`, []string{"12"}, nil},
		{"objects in a row", "{\"a\":1}\n{\"b\":2}", []string{`{"a":1}`, `{"b":2}`}, nil},
		{"not closed", `[{"a":1}`, []string{`{"a":1}`}, io.ErrUnexpectedEOF},
		{"element not closed", `[{"a":1},{"b`, []string{`{"a":1}`}, io.ErrUnexpectedEOF},
		{"object not closed", `{"a":1`, nil, io.ErrUnexpectedEOF},
		{"text after it", `[] {}`, nil, ErrSyntax},
		{"closed twice", `[]]`, nil, ErrSyntax},
		{"comma first", `,`, nil, ErrSyntax},
		{"stray brace", `[}]`, nil, ErrSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(50) {
				got, err := readArray(rand.New(rand.NewPCG(seed, 1)), tt.in)
				if !errors.Is(err, tt.err) {
					t.Fatalf("seed %d: error %v, want %v", seed, err, tt.err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Fatalf("seed %d: elements (-want +got):\n%s", seed, diff)
				}
			}
		})
	}
}

func TestTooLong(t *testing.T) {
	piece := bytes.Repeat([]byte("x"), 1<<20)
	many := func(first string, feed func([]byte) error) error {
		if err := feed([]byte(first)); err != nil {
			return err
		}
		for range MaxItem>>20 + 1 {
			if err := feed(piece); err != nil {
				return err
			}
		}
		return nil
	}
	var sse, sseLines SSE
	var lines Lines
	var array Array
	none := func([]byte) error { return nil }
	noEvent := func(string, []byte) error { return nil }
	inLines := func(p []byte) error { return sseLines.Feed(append([]byte("data: "), append(p, '\n')...), noEvent) }
	for name, err := range map[string]error{
		"line of an event": many("data: ", func(p []byte) error { return sse.Feed(p, noEvent) }),
		"event":            many("", inLines),
		"line":             many("{", func(p []byte) error { return lines.Feed(p, none) }),
		"element":          many(`["`, func(p []byte) error { return array.Feed(p, none) }),
	} {
		if !errors.Is(err, ErrTooLong) {
			t.Errorf("%s: error %v, want ErrTooLong", name, err)
		}
	}
}

func TestCallbackErrors(t *testing.T) {
	stop := errors.New("stop")
	var sse SSE
	var lines Lines
	var array Array
	if err := sse.Feed([]byte("data: 1\n\n"), func(string, []byte) error { return stop }); err != stop {
		t.Errorf("SSE: %v, want the callback's error", err)
	}
	if err := lines.Feed([]byte("1\n"), func([]byte) error { return stop }); err != stop {
		t.Errorf("Lines: %v, want the callback's error", err)
	}
	if err := array.Feed([]byte("[{}]"), func([]byte) error { return stop }); err != stop {
		t.Errorf("Array: %v, want the callback's error", err)
	}
}

func TestAppendSSE(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"", "{}", "data: {}\n\n"},
		{"ping", "{}", "event: ping\ndata: {}\n\n"},
		{"", "a\nb", "data: a\ndata: b\n\n"},
		{"", "", "data: \n\n"},
	} {
		if got := string(AppendSSE(nil, tt.name, []byte(tt.data))); got != tt.want {
			t.Errorf("AppendSSE(%q, %q) = %q, want %q", tt.name, tt.data, got, tt.want)
		}
	}
}

func TestAppendString(t *testing.T) {
	for in, want := range map[string]string{
		"":                         `""`,
		`a"b\c/`:                   `"a\"b\\c/"`,
		"\n\r\t\x00\x1f\x7f":       `"\n\r\t\u0000\u001f` + "\x7f\"",
		"<script>&":                `"<script>&"`,
		"你好 🙂":                     `"你好 🙂"`,
		"a\xffb\xe4\xbd":           "\"a\uFFFDb\uFFFD\uFFFD\"",
		"\u0085\u2028\u2029\u2030": "\"\\u0085\\u2028\\u2029\u2030\"",
	} {
		if got := string(AppendString(nil, in)); got != want {
			t.Errorf("AppendString(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestAppendFloat(t *testing.T) {
	for in, want := range map[float64]string{
		0: "0", 0.1: "0.1", -1.5: "-1.5", 1e-7: "1e-07", 1e22: "1e+22", 3: "3", math.Inf(1): "null",
	} {
		if got := string(AppendFloat(nil, in)); got != want {
			t.Errorf("AppendFloat(%v) = %s, want %s", in, got, want)
		}
	}
}

func TestFeedDoesNotAllocate(t *testing.T) {
	var s SSE
	events := []byte("event: content_block_delta\ndata: {\"type\":\"content_block_delta\"}\n\ndata: [DONE]\n\n")
	each := func(string, []byte) error { return nil }
	if got := testing.AllocsPerRun(100, func() {
		if err := s.Feed(events, each); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("%v allocations a feed, want 0", got)
	}
}

func FuzzSSE(f *testing.F) {
	f.Add("event: a\r\ndata: 1\n\n{\"error\":1}\n", uint64(1))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		whole, _ := readSSE(rand.New(rand.NewPCG(0, 0)), text)
		split, _ := readSSE(rand.New(rand.NewPCG(seed, 0)), text)
		if diff := cmp.Diff(whole, split); diff != "" {
			t.Errorf("events depend on the pieces:\n%s", diff)
		}
		for _, e := range whole {
			if strings.ContainsAny(e.Name+e.Data, "\r") {
				continue
			}
			again, _ := readSSE(rand.New(rand.NewPCG(seed, 2)), string(AppendSSE(nil, e.Name, []byte(e.Data))))
			if diff := cmp.Diff([]event{e}, again); diff != "" {
				t.Errorf("written and read again:\n%s", diff)
			}
		}
	})
}

func FuzzArray(f *testing.F) {
	f.Add(`[{"a":"]"}, 1,"x"]`, uint64(1))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		whole, wholeErr := readArray(rand.New(rand.NewPCG(0, 0)), text)
		split, splitErr := readArray(rand.New(rand.NewPCG(seed, 0)), text)
		if diff := cmp.Diff(whole, split); diff != "" || !errors.Is(wholeErr, splitErr) {
			t.Errorf("elements depend on the pieces: %v %v\n%s", wholeErr, splitErr, diff)
		}
		var want []json.RawMessage
		if err := json.Unmarshal([]byte(text), &want); err != nil || len(text) == 0 || want == nil {
			return
		}
		if len(want) != len(whole) {
			t.Fatalf("%d elements, want %d", len(whole), len(want))
		}
		for i := range want {
			if string(want[i]) != whole[i] {
				t.Errorf("element %d is %s, want %s", i, whole[i], want[i])
			}
		}
	})
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\xff\u2028\"\n")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(AppendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); strings.ReplaceAll(got, "\uFFFD", "") != strings.ReplaceAll(want, "\uFFFD", "") {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
