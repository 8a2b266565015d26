// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// checkOrder checks what package conversation promises of events.
func checkOrder(t *testing.T, events []conversation.Event, complete bool) {
	t.Helper()
	open := map[int]bool{}
	next := 0
	for i, e := range events {
		last := i == len(events)-1
		switch e.Kind {
		case conversation.Begin:
			if i > 0 {
				t.Fatal("Begin is not the first")
			}
		case conversation.PartBegin:
			if e.Index != next || e.Part == conversation.PartCall && e.Call.ID == "" {
				t.Fatalf("a part begins out of order, or a call has no id: %+v", e)
			}
			open[e.Index] = true
			next++
		case conversation.Delta, conversation.Signed:
			if !open[e.Index] {
				t.Fatalf("nothing is open for %+v", e)
			}
		case conversation.PartEnd:
			if !open[e.Index] {
				t.Fatalf("nothing is open for %+v", e)
			}
			delete(open, e.Index)
		case conversation.Finish:
			if !last || len(open) > 0 {
				t.Fatal("Finish is not the last, or parts are open")
			}
		case conversation.Failed:
			if !last {
				t.Fatal("Failed is not the last")
			}
		}
		if i == 0 && e.Kind != conversation.Begin {
			t.Fatal("Begin is missing")
		}
	}
	if complete && (len(events) == 0 || events[len(events)-1].Kind != conversation.Finish && events[len(events)-1].Kind != conversation.Failed) {
		t.Fatal("an answer without an end is complete")
	}
}

// FuzzReader: whatever a backend sends, the events are in order, do not depend on where reads end, and make a stream
// that can be read again.
func FuzzReader(f *testing.F) {
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		whole, wholeErr := readAll(string(stream), 0)
		pieces, piecesErr := readAll(string(stream), int(size))
		if (wholeErr == nil) != (piecesErr == nil) {
			t.Fatalf("errors differ: %v, %v", wholeErr, piecesErr)
		}
		if wholeErr != nil && !errors.Is(wholeErr, ErrMalformed) && !errors.Is(wholeErr, ErrCut) {
			t.Fatalf("an error of no kind: %v", wholeErr)
		}
		if diff := cmp.Diff(show(whole), show(pieces)); diff != "" {
			t.Fatal(diff)
		}
		checkOrder(t, whole, wholeErr == nil)
		if wholeErr != nil {
			return
		}
		out := written(whole...)
		assertSequential(t, out)
		if _, err := readAll(string(out), 0); err != nil {
			t.Fatalf("read what was written: %v\n%s", err, out)
		}
	})
}

// FuzzDecodeAnswer: the same for whole answers.
func FuzzDecodeAnswer(f *testing.F) {
	f.Add([]byte(`{"id":"m","content":[{"type":"text","text":"x"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}}],"stop_reason":"tool_use","usage":{"input_tokens":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := DecodeAnswer(nil, body)
		if err != nil {
			return
		}
		checkOrder(t, events, true)
		if out := EncodeAnswer(toolOp, nil, collect(events)); !json.Valid(out) {
			t.Fatalf("wrote %s", out)
		}
	})
}

// FuzzDecodeRequest: what a tool sends is refused or can be written for a backend, and what was written is read again.
func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{"model":"claude-opus-4-8","max_tokens":9,"system":"s","messages":[{"role":"user","content":[{"type":"text","text":"x"}]},` +
		`{"role":"system","content":"y"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"z"}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if n, fail := CountTokens(body); fail == nil && n <= 0 {
			t.Fatalf("%d tokens", n)
		}
		req, fail := DecodeRequest(toolOp, body)
		if fail != nil {
			return
		}
		_, out, fail := EncodeRequest(req, &conversation.Dropped{})
		if fail != nil {
			return
		}
		if !json.Valid(out) {
			t.Fatalf("wrote %s", out)
		}
		if _, fail := DecodeRequest(toolOp, out); fail != nil {
			t.Fatalf("refused what was written: %v\n%s", fail, out)
		}
	})
}
