// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/dialect/wire"
)

// turn is what assistant messages that follow each other say together. Chat Completions has the calls of a turn in one
// message, and results right after it.
type turn struct {
	name     string
	texts    []string
	refusals []string
	calls    []conversation.CallPart
	thoughts thoughts
}

// assistant writes one turn, if anything of it is left.
func (e *encoder) assistant(list []conversation.Message) {
	var t turn
	for i := range list {
		if t.name == "" {
			t.name = list[i].Name
		}
		for _, part := range list[i].Parts {
			e.said(&t, part)
		}
	}
	if len(t.texts)+len(t.refusals)+len(t.calls) == 0 {
		return
	}
	e.message("assistant")
	e.name(t.name)
	e.key("content")
	switch {
	case len(t.texts) > 0:
		e.joined(t.texts)
	case len(t.calls) > 0:
		e.dst = append(e.dst, "null"...)
	default: // null without calls is refused by some
		e.dst = append(e.dst, `""`...)
	}
	if len(t.refusals) > 0 {
		e.text("refusal", strings.Join(t.refusals, betweenTexts))
	}
	t.thoughts.write(e)
	e.toolCalls(t.calls)
	e.dst = append(e.dst, '}')
}

func (e *encoder) said(t *turn, part conversation.Part) {
	switch part := part.(type) {
	case conversation.TextPart:
		e.cached(part.Cache)
		if part.Text != "" {
			t.texts = append(t.texts, part.Text)
		}
	case conversation.RefusalPart:
		t.refusals = append(t.refusals, part.Text)
	case conversation.CallPart:
		t.calls = append(t.calls, part)
	case conversation.ThinkingPart:
		if !t.thoughts.add(&part) {
			e.dropThought(&part)
		}
	default:
		e.refuse("A message of the assistant's has an image, a sound or a file, which this exit's backend does not take there.")
	}
}

func (e *encoder) dropThought(part *conversation.ThinkingPart) {
	if part.Text != "" || part.Redacted != "" {
		e.dropped.Add("thinking")
	}
	if part.Signature.Value != "" {
		e.dropped.Add("thinking.signature")
	}
}

func (e *encoder) toolCalls(list []conversation.CallPart) {
	for i := range list {
		c := &list[i]
		if i == 0 {
			e.dst = append(e.dst, `,"tool_calls":[`...)
		} else {
			e.dst = append(e.dst, ',')
		}
		e.cached(c.Cache)
		e.dst = append(e.dst, `{"id":`...)
		e.dst = wire.AppendString(e.dst, e.calls.add(c.ID, c.Name))
		e.dst = append(e.dst, `,"type":"function","function":{"name":`...)
		e.dst = wire.AppendString(e.dst, openaiapi.WireName(c.Name))
		arguments := c.Arguments
		if arguments == "" {
			arguments = "{}"
		}
		e.text("arguments", arguments)
		e.dst = append(e.dst, '}')
		switch signature := c.Signature.For(own); {
		case signature != "":
			e.dst = append(e.dst, `,"extra_content":{"google":{"thought_signature":`...)
			e.dst = wire.AppendString(e.dst, signature)
			e.dst = append(e.dst, '}', '}')
		case c.Signature.Value != "":
			e.dropped.Add("thinking.signature")
		}
		e.dst = append(e.dst, '}')
	}
	if len(list) > 0 {
		e.dst = append(e.dst, ']')
	}
}
