// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
	"github.com/tokengo/tokengo/service"
)

var op = dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Responses, Path: responsesPath}

func ptr[T any](v T) *T { return &v }

type parts = []conversation.Part

func text(s string) conversation.TextPart { return conversation.TextPart{Text: s} }

func signature(by service.Protocol, value string) conversation.Signature {
	return conversation.Signature{By: by, Value: value}
}

// compact is JSON text in one form.
func compact(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// readStream feeds a stream in random pieces.
func readStream(req *conversation.Request, stream string, seed uint64) ([]conversation.Event, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	r := NewReader(req)
	var events []conversation.Event
	var err error
	for rest := stream; len(rest) > 0 && err == nil; {
		n := len(rest)
		if seed > 0 {
			n = 1 + rng.IntN(1+rng.IntN(len(rest)))
		}
		piece := []byte(rest[:min(n, len(rest))])
		events, err = r.Feed(events, piece)
		clear(piece) // nobody may keep it
		rest = rest[min(n, len(rest)):]
	}
	if err == nil {
		events, err = r.End(events)
	}
	return events, err
}

// sse is a stream of events, one JSON text a line.
func sse(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		for _, data := range strings.Split(strings.TrimSpace(line), "\n") {
			var e struct{ Type string }
			_ = json.Unmarshal([]byte(data), &e)
			b.Write(wire.AppendSSE(nil, e.Type, []byte(strings.TrimSpace(data))))
		}
	}
	return b.String()
}

// written is the stream that a Writer makes of events.
func written(req *conversation.Request, events []conversation.Event) string {
	w := NewWriter(op, req)
	var out []byte
	for i := range events {
		out = w.Event(out, &events[i])
	}
	return string(w.End(out))
}

func collect(events []conversation.Event) *conversation.Answer {
	var c conversation.Collector
	for i := range events {
		c.Add(&events[i])
	}
	return c.Answer()
}

type streamEvent struct {
	Name string
	Data map[string]any
}

// streamOf takes a written stream apart and checks what holds for every one.
func streamOf(t *testing.T, stream string) []streamEvent {
	t.Helper()
	var s wire.SSE
	var events []streamEvent
	each := func(name string, data []byte) error {
		e := streamEvent{Name: name}
		if err := json.Unmarshal(data, &e.Data); err != nil {
			t.Fatalf("event %s: %v in %s", name, err, data)
		}
		if e.Data["type"] != name {
			t.Errorf("event %s has type %v", name, e.Data["type"])
		}
		if e.Data["sequence_number"] != float64(len(events)) {
			t.Errorf("event %d has number %v", len(events), e.Data["sequence_number"])
		}
		events = append(events, e)
		return nil
	}
	if err := s.Feed([]byte(stream), each); err != nil {
		t.Fatal(err)
	}
	if err := s.End(each); err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		end := e.Name == "response.completed" || e.Name == "response.incomplete" || e.Name == "response.failed"
		if last := i == len(events)-1; end != last {
			t.Errorf("event %d of %d is %s", i, len(events), e.Name)
		}
	}
	return events
}

// names are those of events, with how often each comes in a row.
func names(events []streamEvent) []string {
	var list []string
	for _, e := range events {
		list = append(list, strings.TrimPrefix(e.Name, "response."))
	}
	return list
}
