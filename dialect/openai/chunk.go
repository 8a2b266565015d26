// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/dialect/wire"
)

// chunk is one event of a stream, or a whole answer, as far as it is looked at. It is used again for the next one.
type chunk struct {
	id, model string
	created   int
	choice    choice // the one with index 0
	chosen    bool
	usage     conversation.Usage
	failed    bool
	fault     openaiapi.Fault
}

// choice is one, with a delta or a message, which have the same members.
type choice struct {
	index     int
	content   string
	refusal   string
	reasoning string // in the field that mark says
	mark      string
	details   []detail
	calls     []callDelta
	logprobs  []conversation.Logprob
	finish    string
	stop      string // what vLLM says that it met
}

// callDelta is a piece of a call, or all of it.
type callDelta struct {
	index     int
	indexed   bool
	id, name  string
	arguments string
}

func (c *chunk) reset() {
	details, calls := c.choice.details[:0], c.choice.calls[:0]
	*c = chunk{}
	c.choice.details, c.choice.calls = details, calls
}

// parse reads a chunk or an answer. Members of another type than they should have count as absent.
func (c *chunk) parse(data []byte) error {
	c.reset()
	p := wire.Parse(data)
	if !p.Object(func(key []byte) {
		switch string(key) {
		case "id":
			c.id = p.String()
		case "model":
			c.model = p.String()
		case "created":
			c.created = p.Int()
		case "choices":
			p.Array(func(i int) { c.readChoice(p) })
		case "usage":
			c.usage.Merge(readUsage(p))
		case "x_groq":
			p.Object(func(key []byte) {
				if string(key) == "usage" {
					c.usage.Merge(readUsage(p))
				}
			})
		case "error":
			c.failed = !p.Null()
			if c.failed {
				c.fault = openaiapi.ReadFault(p)
			}
		}
	}) {
		return ErrMalformed
	}
	return p.End()
}

// readChoice takes a choice. All but the first are of no use: the answer is one.
func (c *chunk) readChoice(p *wire.Parser) {
	if c.chosen {
		return
	}
	ch := &c.choice
	isObject := p.Object(func(key []byte) {
		switch string(key) {
		case "index":
			ch.index = p.Int()
		case "delta", "message":
			p.Object(func(key []byte) { ch.readMember(p, key) })
		case "text": // of a completion
			ch.content += p.String()
		case "finish_reason":
			ch.finish = p.String()
		case "stop_reason":
			ch.stop = p.String()
		case "logprobs":
			p.Object(func(key []byte) {
				if k := string(key); k == "content" || k == "refusal" {
					ch.logprobs = append(ch.logprobs, openaiapi.ReadLogprobs(p)...)
				}
			})
		case "usage": // Moonshot's
			c.usage.Merge(readUsage(p))
		case "error": // OpenRouter's
			if c.failed = !p.Null(); c.failed {
				c.fault = openaiapi.ReadFault(p)
			}
		}
	})
	if c.chosen = isObject && ch.index == 0; !c.chosen {
		*ch = choice{details: ch.details[:0], calls: ch.calls[:0]}
	}
}

func (ch *choice) readMember(p *wire.Parser, key []byte) {
	switch string(key) {
	case "content":
		ch.readContent(p)
	case "refusal":
		ch.refusal = p.String()
	case "reasoning_content":
		if text := p.String(); text != "" {
			ch.reasoning, ch.mark = text, markContent
		}
	case "reasoning":
		if text := p.String(); text != "" && ch.mark != markContent { // some send both, with the same text
			ch.reasoning, ch.mark = text, markPlain
		}
	case "reasoning_details":
		p.Array(func(int) {
			if d, known := readDetail(p); known {
				ch.details = append(ch.details, d)
			}
		})
	case "tool_calls":
		p.Array(func(int) { ch.readCall(p) })
	case "function_call":
		if p.Kind() == wire.ObjectValue {
			var d callDelta
			d.readFunction(p)
			ch.calls = append(ch.calls, d)
		}
	}
}

// readContent takes a text, or an array of texts and of reasoning (Mistral's).
func (ch *choice) readContent(p *wire.Parser) {
	if p.Kind() != wire.ArrayValue {
		ch.content = p.String()
		return
	}
	p.Array(func(int) {
		p.Object(func(key []byte) {
			switch string(key) {
			case "text":
				ch.content += p.String()
			case "thinking":
				ch.mark = markParts
				p.Array(func(int) {
					p.Object(func(key []byte) {
						if string(key) == "text" {
							ch.reasoning += p.String()
						}
					})
				})
			}
		})
	})
}

func (ch *choice) readCall(p *wire.Parser) {
	var d callDelta
	isObject := p.Object(func(key []byte) {
		switch string(key) {
		case "index":
			d.indexed = p.Kind() == wire.NumberValue
			d.index = p.Int()
		case "id":
			d.id = p.String()
		case "function":
			d.readFunction(p)
		}
	})
	if isObject {
		ch.calls = append(ch.calls, d)
	}
}

func (d *callDelta) readFunction(p *wire.Parser) {
	p.Object(func(key []byte) {
		switch string(key) {
		case "name":
			d.name = p.String()
		case "arguments":
			switch p.Kind() {
			case wire.ObjectValue: // a few backends do not encode them
				d.arguments = string(p.Raw())
			default:
				d.arguments = p.String()
			}
		}
	})
}

// readUsage takes the counts. Reasoning is part of the output; xAI, who counts it apart, is told by its total.
func readUsage(p *wire.Parser) conversation.Usage {
	var u conversation.Usage
	total := 0
	p.Object(func(key []byte) {
		switch string(key) {
		case "prompt_tokens":
			u.Input = p.Int()
		case "completion_tokens":
			u.Output = p.Int()
		case "total_tokens":
			total = p.Int()
		case "prompt_cache_hit_tokens": // DeepSeek's
			u.CacheRead = max(u.CacheRead, p.Int())
		case "prompt_tokens_details":
			p.Object(func(key []byte) {
				switch string(key) {
				case "cached_tokens":
					u.CacheRead = max(u.CacheRead, p.Int())
				case "cache_write_tokens":
					u.CacheWrite = p.Int()
				}
			})
		case "completion_tokens_details":
			p.Object(func(key []byte) {
				if string(key) == "reasoning_tokens" {
					u.Reasoning = p.Int()
				}
			})
		}
	})
	if u.Reasoning > 0 && total == u.Input+u.Output+u.Reasoning {
		u.Output += u.Reasoning
	}
	return u
}
