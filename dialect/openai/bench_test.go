// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"strconv"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// A streamed chunk as OpenAI sends it, read and written again.
func BenchmarkChunk(b *testing.B) {
	for name, delta := range map[string]string{
		"text":      `{"content":" world"}`,
		"reasoning": `{"reasoning_content":" world"}`,
		"arguments": `{"tool_calls":[{"index":0,"function":{"arguments":"\"a\": 1"}}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			chunk := func(delta string) []byte {
				return []byte(`data: {"id":"chatcmpl-9lMgfRSWPHcw51s6wxKT1YEO2CKpd","object":"chat.completion.chunk","created":1721075653,` +
					`"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_5db02a9fa1","choices":[{"index":0,"delta":` +
					delta + `,"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n")
			}
			req := &conversation.Request{}
			r, w := NewReader(req), NewWriter(chatOp, req)
			var list []conversation.Event
			var out []byte
			step := func(p []byte) {
				var err error
				if list, err = r.Feed(list[:0], p); err != nil {
					b.Fatal(err)
				}
				out = out[:0]
				for i := range list {
					out = w.Event(out, &list[i])
				}
			}
			step(chunk(`{"role":"assistant","content":"","tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}`))
			p := chunk(delta)
			step(p)
			b.ReportAllocs()
			for b.Loop() {
				step(p)
			}
			if len(out) == 0 {
				b.Fatal("nothing was written")
			}
		})
	}
}

// largeRequest is about 100 KiB, with 25 tools.
func largeRequest() []byte {
	var b strings.Builder
	b.WriteString(`{"model":"m","stream":true,"messages":[{"role":"system","content":"` + strings.Repeat(`You are \"helpful\".\n`, 500) + `"}`)
	for i := range 60 {
		id := strconv.Itoa(i)
		b.WriteString(`,{"role":"user","content":[{"type":"text","text":"` + strings.Repeat("some words ", 20) + `"}]}`)
		b.WriteString(`,{"role":"assistant","content":null,"tool_calls":[{"id":"c` + id + `","type":"function","function":{"name":"read","arguments":"{\"path\":\"/a/b\"}"}}]}`)
		b.WriteString(`,{"role":"tool","tool_call_id":"c` + id + `","content":"` + strings.Repeat(`line\n`, 100) + `"}`)
	}
	b.WriteString(`],"tools":[`)
	for i := range 25 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"type":"function","function":{"name":"tool` + strconv.Itoa(i) + `","description":"` + strings.Repeat("It does things. ", 30) +
			`","parameters":{"type":"object","properties":{` + strings.Repeat(`"path":{"type":"string","description":"The path"},`, 16) + `"x":{"type":"number"}},"required":["x"]}}}`)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func BenchmarkRequest(b *testing.B) {
	body := largeRequest()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		req, fail := DecodeRequest(chatOp, body)
		if fail != nil {
			b.Fatal(fail)
		}
		var dropped conversation.Dropped
		if _, _, fail := EncodeRequest(req, &dropped); fail != nil {
			b.Fatal(fail)
		}
	}
}

func TestChunkAllocations(t *testing.T) {
	r := NewReader(&conversation.Request{})
	w := NewWriter(chatOp, &conversation.Request{})
	p := []byte(chunks("", `"delta":{"content":"hi"}`))
	list := make([]conversation.Event, 0, 8)
	out := make([]byte, 0, 4096)
	if got := testing.AllocsPerRun(200, func() {
		list, _ = r.Feed(list[:0], p)
		for i := range list {
			out = w.Event(out[:0], &list[i])
		}
	}); got > 8 {
		t.Errorf("%v allocations a chunk, want at most 8", got)
	}
}
