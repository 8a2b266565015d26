// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// BenchmarkChunk reads and writes a line of a stream.
func BenchmarkChunk(b *testing.B) {
	line := []byte(say(" a piece of text, as long as a model's token or two"))
	r, w := NewReader(nil), NewWriter(chatOp, nil)
	var events []conversation.Event
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if events, err = r.Feed(events[:0], line); err != nil {
			b.Fatal(err)
		}
		out = out[:0]
		for i := range events {
			out = w.Event(out, &events[i])
		}
	}
}

// BenchmarkRequest translates a request of 100 KiB with 25 tools, in both directions.
func BenchmarkRequest(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"model":"m","tools":[`)
	for i := range 25 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"type":"function","function":{"name":"tool%d","description":%q,"parameters":{"type":"object","properties":{`+
			`"path":{"type":"string","description":%q},"mode":{"enum":["a","b"]},"any":true}}}}`, i, strings.Repeat("does ", 100), strings.Repeat("what ", 100))
	}
	body.WriteString(`],"messages":[{"role":"user","content":"x"}`)
	for range 70 {
		fmt.Fprintf(&body, `,{"role":"assistant","content":%q,"tool_calls":[{"function":{"name":"tool1","arguments":{"path":"a"}}}]},`+
			`{"role":"tool","content":%q}`, strings.Repeat("text ", 100), strings.Repeat("line\n", 100))
	}
	body.WriteString(`]}`)
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		req, fail := DecodeRequest(chatOp, body.Bytes())
		if fail != nil {
			b.Fatal(fail)
		}
		if _, _, fail = EncodeRequest(req, &conversation.Dropped{}); fail != nil {
			b.Fatal(fail)
		}
	}
}

// TestChunkAllocations keeps the cost of a chunk.
func TestChunkAllocations(t *testing.T) {
	const limit = 20
	line := []byte(say("a"))
	r, w := NewReader(nil), NewWriter(chatOp, nil)
	events, out := make([]conversation.Event, 0, 8), make([]byte, 0, 1024)
	got := testing.AllocsPerRun(100, func() {
		events, _ = r.Feed(events[:0], line)
		out = out[:0]
		for i := range events {
			out = w.Event(out, &events[i])
		}
	})
	if got > limit {
		t.Errorf("%v allocations, want at most %d", got, limit)
	}
}
