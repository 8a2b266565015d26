// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"math"
	"strconv"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// chunk is a piece of an answer, or a whole one: both have one form. A reader has one and uses it again.
type chunk struct {
	*wire.Parser
	id, model  string
	candidates int
	parts      []answerPart
	logprobs   []conversation.Logprob
	reason     conversation.Reason
	broken     bool // the reason is that the model made something invalid
	blocked    bool // the prompt was
	usage      conversation.Usage
	fault      *fault // the answer is an error
	candidate  candidate
}

// candidate is what is read of the current one: only the first counts.
type candidate struct {
	first int // of its parts
	index int
}

// answerPart is one part.
type answerPart struct {
	kind      conversation.PartKind // 0 is one that no other protocol has
	text      string
	signature string
	id, name  string
	arguments string
}

// read reads a chunk. Strings that were read before are not made again.
func (c *chunk) read(data []byte) error {
	*c = chunk{Parser: wire.Parse(data), id: c.id, model: c.model, parts: c.parts[:0]}
	if c.Kind() != wire.ObjectValue {
		return ErrMalformed
	}
	c.Object(c.member)
	if c.End() != nil {
		return ErrMalformed
	}
	return nil
}

func (c *chunk) member(key []byte) {
	switch string(key) {
	case "candidates":
		c.Array(c.readCandidate)
	case "usageMetadata":
		c.readUsage()
	case "modelVersion":
		c.same(&c.model)
	case "responseId":
		c.same(&c.id)
	case "promptFeedback":
		c.Object(func(key []byte) {
			if string(key) == "blockReason" {
				reason := c.String()
				c.blocked = reason != "" && reason != "BLOCKED_REASON_UNSPECIFIED" && reason != "BLOCK_REASON_UNSPECIFIED"
			}
		})
	case "error":
		if c.Kind() == wire.ObjectValue {
			f := readFaultObject(c.Parser)
			c.fault = &f
		}
	}
}

// same reads a string that every chunk repeats.
func (c *chunk) same(s *string) {
	raw := c.Raw()
	if n := len(raw); n == len(*s)+2 && string(raw[1:n-1]) == *s {
		return
	}
	if text := wire.Parse(raw).String(); text != "" {
		*s = text
	}
}

func (c *chunk) readCandidate(int) {
	c.candidate = candidate{first: len(c.parts)}
	before, broken, probs := c.reason, c.broken, c.logprobs
	c.Object(c.candidateMember)
	if c.candidate.index != 0 {
		c.parts, c.reason, c.broken, c.logprobs = c.parts[:c.candidate.first], before, broken, probs
		return
	}
	c.candidates++
}

func (c *chunk) candidateMember(key []byte) {
	switch string(key) {
	case "content":
		c.Object(func(key []byte) {
			if string(key) == "parts" {
				c.Array(c.readPart)
			}
		})
	case "finishReason":
		c.finishReason()
	case "index":
		c.candidate.index = c.Int()
	case "logprobsResult":
		c.readLogprobs()
	}
}

// finishReason reads why an answer ended (ai.google.dev/api/generate-content#FinishReason). The answer to a call is the
// same as to a text.
func (c *chunk) finishReason() {
	if c.Kind() != wire.StringValue {
		c.Skip()
		return
	}
	switch c.String() {
	case "", "FINISH_REASON_UNSPECIFIED":
	case "MAX_TOKENS", "CONTINUATION":
		c.reason = conversation.Length
	case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "OTHER", "IMAGE_SAFETY",
		"IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER", "MODEL_ARMOR":
		c.reason = conversation.Filtered
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
		"MALFORMED_RESPONSE":
		c.reason, c.broken = conversation.Stopped, true
	default:
		c.reason = conversation.Stopped
	}
}

func (c *chunk) readPart(int) {
	var p answerPart
	thought := false
	c.Object(func(key []byte) {
		switch string(key) {
		case "text":
			p.kind, p.text = conversation.PartText, c.String()
		case "thought":
			thought = c.Bool()
		case "thoughtSignature":
			p.signature = c.String()
		case "functionCall":
			p.kind = conversation.PartCall
			c.readCall(&p)
		}
	})
	if thought && p.kind != conversation.PartCall {
		p.kind = conversation.PartThinking
	}
	c.parts = append(c.parts, p)
}

func (c *chunk) readCall(p *answerPart) {
	c.Object(func(key []byte) {
		switch string(key) {
		case "id":
			p.id = c.String()
		case "name":
			p.name = c.String()
		case "args":
			if c.Kind() == wire.ObjectValue {
				p.arguments = string(c.Raw())
			}
		}
	})
	if p.name == "" && c.Err() == nil {
		c.Fail(ErrMalformed)
	}
}

// readUsage reads the counts (ai.google.dev/api/generate-content#UsageMetadata): the prompt's hold what came from a
// cache, and the candidates' do not hold the thoughts'.
func (c *chunk) readUsage() {
	var prompt, tools, candidates, thoughts, cached int
	c.Object(func(key []byte) {
		switch string(key) {
		case "promptTokenCount":
			prompt = c.Int()
		case "toolUsePromptTokenCount":
			tools = c.Int()
		case "candidatesTokenCount":
			candidates = c.Int()
		case "thoughtsTokenCount":
			thoughts = c.Int()
		case "cachedContentTokenCount":
			cached = c.Int()
		}
	})
	c.usage = conversation.Usage{
		Input: prompt + tools, CacheRead: cached, Output: candidates + thoughts, Reasoning: thoughts,
	}
}

// readLogprobs reads the chosen tokens and their alternatives, which stand in two arrays side by side.
func (c *chunk) readLogprobs() {
	var top [][]conversation.Logprob
	var chosen []conversation.Logprob
	c.Object(func(key []byte) {
		switch string(key) {
		case "chosenCandidates":
			chosen = c.tokens()
		case "topCandidates":
			c.Array(func(int) {
				var list []conversation.Logprob
				c.Object(func(key []byte) {
					if string(key) == "candidates" {
						list = c.tokens()
					}
				})
				top = append(top, list)
			})
		}
	})
	for i := range chosen {
		if i < len(top) {
			chosen[i].Top = top[i]
		}
	}
	c.logprobs = append(c.logprobs, chosen...)
}

func (c *chunk) tokens() []conversation.Logprob {
	var list []conversation.Logprob
	c.Array(func(int) {
		var l conversation.Logprob
		c.Object(func(key []byte) {
			switch string(key) {
			case "token":
				l.Token = c.String()
			case "logProbability":
				l.Logprob = c.Float()
			}
		})
		l.Bytes = []byte(l.Token)
		list = append(list, l)
	})
	return list
}

// fault is an error of the service (google.rpc.Status). Its message is not kept.
type fault struct {
	status     int
	name       string
	badKey     bool
	retryAfter string // seconds
}

// readFault reads the body of an error, which is an object, or an array of one if a stream was asked for.
func readFault(body []byte) fault {
	var f fault
	p := wire.Parse(body)
	read := func() {
		p.Object(func(key []byte) {
			if string(key) == "error" {
				f = readFaultObject(p)
			}
		})
	}
	if p.Kind() == wire.ArrayValue {
		p.Array(func(int) { read() })
		return f
	}
	read()
	return f
}

func readFaultObject(p *wire.Parser) fault {
	var f fault
	p.Object(func(key []byte) {
		switch string(key) {
		case "code":
			f.status = p.Int()
		case "status":
			f.name = p.String()
		case "details":
			p.Array(func(int) { f.detail(p) })
		}
	})
	return f
}

// detail reads google.rpc.ErrorInfo and google.rpc.RetryInfo.
func (f *fault) detail(p *wire.Parser) {
	p.Object(func(key []byte) {
		switch string(key) {
		case "reason":
			f.badKey = f.badKey || p.String() == "API_KEY_INVALID"
		case "retryDelay":
			if s, err := strconv.ParseFloat(strings.TrimSuffix(p.String(), "s"), 64); err == nil && s >= 0 && s < 1e6 {
				f.retryAfter = strconv.Itoa(int(math.Ceil(s)))
			}
		}
	})
}

func (f *fault) code() dialect.Code {
	status := f.status
	if status < 400 {
		status = 500
	}
	return f.codeOf(status)
}
