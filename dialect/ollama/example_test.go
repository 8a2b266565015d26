// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama_test

import (
	"fmt"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/ollama"
	"github.com/tokengo/tokengo/service"
)

// A tool that speaks Ollama asks; what it said goes on in the canonical form, and back to it, line by line.
func Example() {
	op := dialect.Operation{Protocol: service.Ollama, Kind: dialect.Chat}
	req, fail := ollama.DecodeRequest(op, []byte(`{"model":"m","messages":[{"role":"user","content":"Hello"}]}`))
	if fail != nil {
		fmt.Println(fail)
		return
	}
	w := ollama.NewWriter(op, req)
	var out []byte
	for _, e := range []conversation.Event{
		{Kind: conversation.Begin, Model: "m", Created: 1767323045},
		{Kind: conversation.PartBegin, Part: conversation.PartText},
		{Kind: conversation.Delta, Text: "Hi."},
	} {
		out = w.Event(out, &e)
	}
	fmt.Printf("%s", out)
	// Output: {"model":"m","created_at":"2026-01-02T03:04:05Z","message":{"role":"assistant","content":"Hi."},"done":false}
}
