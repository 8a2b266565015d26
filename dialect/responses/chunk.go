// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/dialect/wire"
)

// chunk is any event of a backend's stream. Its memory is used again for the next.
type chunk struct {
	kind    string
	output  int    // output_index
	content int    // content_index
	summary int    // summary_index
	itemID  string // ids of items are not to be trusted: some servers leave them out or change them
	delta   string
	text    string // of a done event: text, refusal, arguments or input

	logprobs []conversation.Logprob
	item     answerItem
	response answerBody
	part     answerContent
	fault    *openaiapi.Fault
	own      openaiapi.Fault // type and code of an error event that has them beside the message
}

// answerBody is a response object.
type answerBody struct {
	id, model, status, incomplete string
	created                       int
	output                        []answerItem
	hasOutput                     bool
	usage                         conversation.Usage
	hasUsage                      bool
	fault                         *openaiapi.Fault
}

// answerItem is an item of output.
type answerItem struct {
	kind, id, callID, name, arguments, input, encrypted string

	content []answerContent // of messages, and of reasoning in the open
	summary []string
}

type answerContent struct {
	kind, text string
	logprobs   []conversation.Logprob
}

// parse reads an event's data.
func (c *chunk) parse(data []byte) error {
	*c = chunk{}
	p := wire.Parse(data)
	if p.Kind() != wire.ObjectValue {
		return ErrMalformed
	}
	p.Object(func(key []byte) { c.field(p, key) })
	return p.End()
}

func (c *chunk) field(p *wire.Parser, key []byte) {
	switch string(key) {
	case "type":
		c.kind = p.String()
	case "output_index":
		c.output = p.Int()
	case "content_index":
		c.content = p.Int()
	case "summary_index":
		c.summary = p.Int()
	case "item_id":
		c.itemID = p.String()
	case "delta":
		c.delta = p.String()
	case "text", "refusal", "arguments", "input":
		c.text = p.String()
	case "logprobs":
		c.logprobs = openaiapi.ReadLogprobs(p)
	case "item":
		c.item = readItem(p)
	case "response":
		c.response.read(p)
	case "part":
		c.part = readContent(p)
	case "error":
		c.fault = readFault(p)
	case "code", "status":
		c.own.Add(p)
	}
}

func (b *answerBody) read(p *wire.Parser) {
	p.Object(func(key []byte) {
		switch string(key) {
		case "id":
			b.id = p.String()
		case "model":
			b.model = p.String()
		case "status":
			b.status = p.String()
		case "created_at":
			b.created = p.Int()
		case "output":
			b.hasOutput = p.Array(func(int) { b.output = append(b.output, readItem(p)) })
		case "usage":
			b.hasUsage = p.Object(func(key []byte) { readUsage(p, key, &b.usage) })
		case "error":
			b.fault = readFault(p)
		case "incomplete_details":
			p.Object(func(key []byte) {
				if string(key) == "reason" {
					b.incomplete = p.String()
				}
			})
		}
	})
}

func readItem(p *wire.Parser) answerItem {
	var it answerItem
	p.Object(func(key []byte) {
		switch string(key) {
		case "type":
			it.kind = p.String()
		case "id":
			it.id = p.String()
		case "call_id":
			it.callID = p.String()
		case "name":
			it.name = p.String()
		case "arguments":
			if p.Kind() == wire.ObjectValue { // some servers parse them
				it.arguments = string(p.Raw())
			} else {
				it.arguments = p.String()
			}
		case "input":
			it.input = p.String()
		case "encrypted_content":
			it.encrypted = p.String()
		case "content":
			if p.Kind() == wire.StringValue {
				it.content = append(it.content, answerContent{kind: typeOutputText, text: p.String()})
			} else {
				p.Array(func(int) { it.content = append(it.content, readContent(p)) })
			}
		case "summary":
			p.Array(func(int) { it.summary = append(it.summary, readContent(p).text) })
		}
	})
	return it
}

func readContent(p *wire.Parser) answerContent {
	var c answerContent
	p.Object(func(key []byte) {
		switch string(key) {
		case "type":
			c.kind = p.String()
		case "text", "refusal":
			c.text += p.String()
		case "logprobs":
			c.logprobs = openaiapi.ReadLogprobs(p)
		}
	})
	return c
}

func readUsage(p *wire.Parser, key []byte, u *conversation.Usage) {
	switch string(key) {
	case "input_tokens":
		u.Input = count(p)
	case "output_tokens":
		u.Output = count(p)
	case "input_tokens_details":
		p.Object(func(key []byte) {
			switch string(key) {
			case "cached_tokens":
				u.CacheRead = count(p)
			case "cache_write_tokens":
				u.CacheWrite = count(p)
			}
		})
	case "output_tokens_details":
		p.Object(func(key []byte) {
			if string(key) == "reasoning_tokens" {
				u.Reasoning = count(p)
			}
		})
	}
}

func count(p *wire.Parser) int { return max(0, p.Int()) }
