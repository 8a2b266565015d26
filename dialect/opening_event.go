// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"github.com/tokengo/tokengo/dialect/wire"
	"github.com/tokengo/tokengo/service"
)

// IsFault reports whether the whole body of an answer that is not streamed is an error, as [Opening] judges an event.
func (op Operation) IsFault(body []byte) bool { return stageOf(op, body) == Refused }

// stageOf says what one event of an answer shows. What is not known counts as content.
func stageOf(op Operation, data []byte) Stage {
	p := wire.Parse(data)
	e := event{p: p}
	isObject := p.Object(e.member)
	switch {
	case !isObject, p.End() != nil: // "[DONE]", or nothing that anybody can judge
		return Begun
	case e.failed:
		return Refused
	case op.Protocol == service.Claude:
		return e.ofClaude()
	case op.Protocol == service.OpenAI && op.Kind == Responses:
		return e.ofResponses()
	case e.shaped && !e.says:
		return Accepted
	}
	return Begun
}

// event is what one event tells that matters to the beginning of an answer.
type event struct {
	p      *wire.Parser
	failed bool   // it is an error
	kind   string // "type", in protocols whose events have one
	inner  string // "type" of the block or item that begins
	shaped bool   // it has what content would be in
	says   bool   // it has content, or an end
}

// member reads a member of the outermost object.
func (e *event) member(key []byte) {
	switch string(key) {
	case "error":
		e.failed = e.fails()
	case "type":
		e.kind = e.p.String()
	case "content_block", "item", "part": // claude; responses
		e.block()
	case "choices", "candidates": // openai; gemini
		e.shaped = true
		e.p.Array(func(int) { e.p.Object(e.choice) })
	case "message": // ollama; claude's has no content yet, see ofClaude
		e.content()
	case "response", "thinking": // ollama; of responses an object, see ofResponses
		e.content()
	case "done": // ollama
		e.shaped = true
		e.says = e.p.Bool() || e.says
	case "usageMetadata": // gemini
		e.shaped = true
	case "promptFeedback": // gemini: it was blocked
		e.says = true
	}
}

// fails takes the value of "error" and reports whether it is one: some services have null there, or nothing in it.
func (e *event) fails() (fails bool) {
	if e.p.Kind() == wire.StringValue {
		return e.p.String() != ""
	}
	e.p.Object(func([]byte) { fails = true })
	return fails
}

// choice reads a member of one of several answers.
func (e *event) choice(key []byte) {
	switch string(key) {
	case "delta", "message", "text", "content", "finish_reason", "finishReason":
		e.content()
	}
}

// content reads a value that has content unless it is empty.
func (e *event) content() {
	e.shaped = true
	e.says = !e.empty() || e.says
}

// block reads what a block or item that begins is, and whether there is something in it.
func (e *event) block() {
	e.p.Object(func(key []byte) {
		switch string(key) {
		case "type":
			e.inner = e.p.String()
		case "text", "content":
			e.content()
		}
	})
}

// empty takes a value and reports whether there is no text in it but for names of roles and types.
func (e *event) empty() bool {
	empty := true
	switch e.p.Kind() {
	case wire.StringValue:
		return e.p.String() == ""
	case wire.ObjectValue:
		e.p.Object(func(key []byte) {
			if k := string(key); k != "role" && k != "type" {
				empty = e.empty() && empty
			}
		})
	case wire.ArrayValue:
		e.p.Array(func(int) { empty = e.empty() && empty })
	default:
		e.p.Skip()
	}
	return empty
}

// ofClaude is the stage of an event of Claude's. A block that is not of text may be of thoughts that are not shown: the
// model is writing, and nothing may come for a long time.
func (e *event) ofClaude() Stage {
	switch e.kind {
	case "ping":
		return Silent
	case "message_start":
		return Accepted
	case "content_block_start":
		if e.inner == "text" && !e.says {
			return Accepted
		}
	case "error":
		return Refused
	}
	return Begun
}

// ofResponses is the stage of an event of the Responses API. What holds for Claude's blocks holds for items.
func (e *event) ofResponses() Stage {
	switch e.kind {
	case "ping", "keepalive":
		return Silent
	case "response.created", "response.queued", "response.in_progress":
		return Accepted
	case "response.output_item.added", "response.content_part.added":
		if (e.inner == "message" || e.inner == "output_text") && !e.says {
			return Accepted
		}
	case "error", "response.failed":
		return Refused
	}
	return Begun
}
