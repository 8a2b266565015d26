// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude_test

import (
	"bytes"
	"fmt"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/claude"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// A tool's request, as it goes to a backend of the same protocol, and the answer on its way back.
func Example() {
	op := dialect.Operation{Protocol: service.Claude, Kind: dialect.Chat, Path: "/v1/messages"}
	req, fail := claude.DecodeRequest(op, []byte(`{"model":"m","max_tokens":9,"system":"Be brief.",
		"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}`))
	if fail != nil {
		panic(fail)
	}
	var dropped conversation.Dropped
	path, body, fail := claude.EncodeRequest(req, &dropped)
	if fail != nil {
		panic(fail)
	}
	fmt.Printf("%s %s\n", path, body)

	events, err := claude.DecodeAnswer(req, []byte(`{"id":"msg_1","model":"m","content":[{"type":"text","text":"Hello"}],
		"stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":1}}`))
	if err != nil {
		panic(err)
	}
	w := claude.NewWriter(op, req)
	var stream []byte
	for i := range events {
		stream = w.Event(stream, &events[i])
	}
	fmt.Printf("%d events, %s\n", bytes.Count(w.End(stream), []byte("event: ")), w.ContentType())
	// Output:
	// /v1/messages {"model":"m","max_tokens":9,"system":"Be brief.","messages":[{"role":"user","content":"Hi"}]}
	// 6 events, text/event-stream
}
