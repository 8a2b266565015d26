// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// realChunk is one of the service's, as long as they are.
const realChunk = `data: {"candidates": [{"content": {"parts": [{"text": " sunlight scatters off the molecules of the air, blue"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 1234,"candidatesTokenCount": 87,"totalTokenCount": 1321,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 1234}],"thoughtsTokenCount": 0},"modelVersion": "gemini-2.5-flash","responseId": "mAitaLmkHPPlz7IPvtfUqQ4"}` + "\r\n\r\n"

func BenchmarkReader(b *testing.B) {
	r := NewReader(&conversation.Request{})
	var events []conversation.Event
	data := []byte(realChunk)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if events, err = r.Feed(events[:0], data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriter(b *testing.B) {
	w := NewWriter(streamOp, &conversation.Request{})
	w.Event(nil, &conversation.Event{Kind: conversation.Begin, ID: "chatcmpl-1", Model: "gpt"})
	w.Event(nil, &conversation.Event{Kind: conversation.PartBegin, Part: conversation.PartText})
	e := &conversation.Event{Kind: conversation.Delta, Text: " sunlight scatters off the molecules of the air, blue"}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = w.Event(out[:0], e)
	}
}

// bigRequest has 100 KiB and 25 tools.
func bigRequest() []byte {
	type object = map[string]any
	var functions, contents []object
	for i := range 25 {
		properties := object{}
		for j := range 10 {
			properties[fmt.Sprintf("property_%d", j)] = object{"type": "STRING", "description": strings.Repeat("what it is ", 12)}
		}
		functions = append(functions, object{
			"name": fmt.Sprintf("tool_%d", i), "description": strings.Repeat("does a thing ", 20), "parameters": object{"type": "OBJECT", "properties": properties},
		})
	}
	for i := range 40 {
		contents = append(contents,
			object{"role": "user", "parts": []object{{"text": strings.Repeat("some words\n", 80)}}},
			object{"role": "model", "parts": []object{{"functionCall": object{"name": "tool_1", "args": object{"property_1": i}}}}},
			object{"role": "user", "parts": []object{{"functionResponse": object{"name": "tool_1", "response": object{"output": strings.Repeat("x ", 200)}}}}})
	}
	body, err := json.Marshal(object{"contents": contents, "tools": []object{{"functionDeclarations": functions}}})
	if err != nil {
		panic(err)
	}
	return body
}

func BenchmarkDecodeRequest(b *testing.B) {
	body := bigRequest()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, fail := DecodeRequest(streamOp, body); fail != nil {
			b.Fatal(fail)
		}
	}
}

func BenchmarkEncodeRequest(b *testing.B) {
	req, fail := DecodeRequest(streamOp, bigRequest())
	if fail != nil {
		b.Fatal(fail)
	}
	b.ReportAllocs()
	for b.Loop() {
		var dropped conversation.Dropped
		if _, _, fail := EncodeRequest(req, &dropped); fail != nil {
			b.Fatal(fail)
		}
	}
}

func BenchmarkCountTokens(b *testing.B) {
	body := bigRequest()
	b.ReportAllocs()
	for b.Loop() {
		if _, fail := CountTokens(body); fail != nil {
			b.Fatal(fail)
		}
	}
}
