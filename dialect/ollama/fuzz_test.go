// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// FuzzReader wants the same events however a stream is cut, in the order that events have, and whatever is read to be
// written as lines that are read as a complete answer.
func FuzzReader(f *testing.F) {
	for _, s := range streams {
		f.Add([]byte(s.in), uint64(1))
	}
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		r := NewReader(nil)
		whole, err := r.Feed(nil, stream)
		if err == nil {
			whole, err = r.End(whole)
		}
		pieces, errPieces := readPieces(rand.New(rand.NewPCG(seed, 0)), string(stream))
		if (err == nil) != (errPieces == nil) || errors.Is(err, ErrCut) != errors.Is(errPieces, ErrCut) {
			t.Fatalf("errors %v and %v", err, errPieces)
		}
		if err == nil {
			if diff := cmp.Diff(whole, pieces); diff != "" {
				t.Fatal(diff)
			}
		}
		checkOrder(t, whole, err)
		w := NewWriter(chatOp, nil)
		var out []byte
		for i := range whole {
			out = w.Event(out, &whole[i])
		}
		out = w.End(out)
		for line := range bytes.Lines(out) {
			if !json.Valid(line) {
				t.Fatalf("not valid: %s", line)
			}
		}
		if _, errBack := readPieces(rand.New(rand.NewPCG(seed, 1)), string(out)); err == nil && errBack != nil {
			t.Fatalf("what was written is read as: %v", errBack)
		}
	})
}

// checkOrder checks the rules of [conversation.Event].
func checkOrder(t *testing.T, events []conversation.Event, err error) {
	t.Helper()
	open, over := map[int]bool{}, false
	for i, e := range events {
		if over || (i == 0) != (e.Kind == conversation.Begin) {
			t.Fatalf("event %d is out of order: %+v", i, e)
		}
		switch e.Kind {
		case conversation.PartBegin:
			open[e.Index] = true
		case conversation.Delta, conversation.PartEnd:
			if !open[e.Index] {
				t.Fatalf("event %d is of no open part: %+v", i, e)
			}
			open[e.Index] = e.Kind == conversation.Delta
		case conversation.Finish, conversation.Failed:
			over = true
		}
		if e.Kind == conversation.Finish {
			for index, still := range open {
				if still {
					t.Fatalf("part %d has not ended", index)
				}
			}
		}
	}
	if over != (err == nil) && err == nil {
		t.Fatal("no end and no error")
	}
}

// FuzzDecodeRequest wants every request that is read to be written so that it is read as the same.
func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{"model":"m","messages":[{"role":"user","content":"a","images":["` + pixel + `"]}],"options":{"stop":["x"]},"think":"low"}`))
	f.Add([]byte(`{"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{}}}]},{"role":"tool","content":"x"}]}`))
	f.Add([]byte(`{"model":"m","tools":[{"function":{"name":"f","parameters":{"properties":{"a":{"$ref":"#/$defs/A"}}}}}],"messages":[{"role":"user","content":"a"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		req, fail := DecodeRequest(chatOp, body)
		if fail != nil {
			return
		}
		_, again, fail := EncodeRequest(req, &conversation.Dropped{})
		if fail != nil {
			return
		}
		if !json.Valid(again) {
			t.Fatalf("not valid: %s", again)
		}
		if _, fail = DecodeRequest(chatOp, again); fail != nil {
			t.Fatalf("%v: %s", fail, again)
		}
	})
}
