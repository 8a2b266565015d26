// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openaiapi

import (
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// ReadLogprobs takes an array of the probabilities of tokens, with alternatives in "top_logprobs", which chat completions,
// Responses and Ollama have alike. Anything else is skipped and gives nil.
func ReadLogprobs(p *wire.Parser) []conversation.Logprob {
	var list []conversation.Logprob
	p.Array(func(int) {
		var l conversation.Logprob
		p.Object(func(key []byte) {
			switch string(key) {
			case "token":
				l.Token = p.String()
			case "logprob":
				l.Logprob = p.Float()
			case "bytes":
				p.Array(func(int) { l.Bytes = append(l.Bytes, byte(p.Int())) })
			case "top_logprobs":
				l.Top = ReadLogprobs(p)
			}
		})
		list = append(list, l)
	})
	return list
}
