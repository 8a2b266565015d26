// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// BenchmarkChunk reads one chunk of a stream and writes it again. The budget for any pair of protocols is 5 µs and 20
// allocations.
func BenchmarkChunk(b *testing.B) {
	for name, chunk := range map[string]string{
		"text": "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello, \\\"world\\\" 世界\"}}\n\n",
		"call": "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"location\\\": \\\"Par\"}}\n\n",
	} {
		b.Run(name, func(b *testing.B) {
			r, w := NewReader(nil), NewWriter(toolOp, nil)
			events, err := r.Feed(nil, []byte(`data: {"type":"message_start","message":{"id":"i"}}

data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f"}}

`))
			if err != nil {
				b.Fatal(err)
			}
			var out []byte
			for i := range events {
				out = w.Event(out, &events[i])
			}
			if name == "text" { // which otherwise waits for the call to end
				e := endOf(1)
				out = w.Event(out, &e)
			}
			piece := []byte(chunk)
			b.ReportAllocs()
			b.SetBytes(int64(len(piece)))
			for b.Loop() {
				if events, err = r.Feed(events[:0], piece); err != nil || len(events) != 1 {
					b.Fatal(len(events), err)
				}
				out = w.Event(out[:0], &events[0])
			}
		})
	}
}

// largeRequest is about 100 KiB with 25 tools.
func largeRequest() []byte {
	var j strings.Builder
	j.WriteString(`{"model":"m","max_tokens":1000,"stream":true,"system":"You help.","tools":[`)
	for i := range 25 {
		if i > 0 {
			j.WriteByte(',')
		}
		fmt.Fprintf(&j, `{"name":"tool_%d","description":"%s","input_schema":{"type":"object","properties":{"path":{"type":"string","description":"%s"},"limit":{"type":"integer"}},"required":["path"]}}`,
			i, strings.Repeat("what it does ", 60), strings.Repeat("a path ", 20))
	}
	j.WriteString(`],"messages":[`)
	for i := range 40 {
		fmt.Fprintf(&j, `{"role":"user","content":[{"type":"text","text":"%s"}]},`, strings.Repeat("what I want ", 60))
		fmt.Fprintf(&j, `{"role":"assistant","content":[{"type":"tool_use","id":"t%d","name":"tool_1","input":{"path":"/a/b","limit":3}}]},`, i)
		fmt.Fprintf(&j, `{"role":"user","content":[{"type":"tool_result","tool_use_id":"t%d","content":"%s"}]},`, i, strings.Repeat("what it is ", 70))
	}
	j.WriteString(`{"role":"user","content":"go on"}]}`)
	return []byte(j.String())
}

// BenchmarkRequest reads a large request and writes it again. The budget is 2 ms for 100 KiB.
func BenchmarkRequest(b *testing.B) {
	body := largeRequest()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		req, fail := DecodeRequest(toolOp, body)
		if fail != nil {
			b.Fatal(fail)
		}
		if _, _, fail := EncodeRequest(req, &conversation.Dropped{}); fail != nil {
			b.Fatal(fail)
		}
	}
}

func BenchmarkCountTokens(b *testing.B) {
	body := largeRequest()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, fail := CountTokens(body); fail != nil {
			b.Fatal(fail)
		}
	}
}

// TestChunkAllocations holds the budget.
func TestChunkAllocations(t *testing.T) {
	const most = 20
	r, w := NewReader(nil), NewWriter(toolOp, nil)
	first := []byte("data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n")
	events, err := r.Feed(nil, first)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for i := range events {
		out = w.Event(out, &events[i])
	}
	chunk := []byte("data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n")
	if got := testing.AllocsPerRun(100, func() {
		events, _ = r.Feed(events[:0], chunk)
		out = w.Event(out[:0], &events[0])
	}); got > most {
		t.Errorf("%v allocations a chunk, at most %d", got, most)
	}
}
