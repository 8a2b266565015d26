// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"crypto/rand"
	"encoding/json"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// answerHead is how an answer begins.
type answerHead struct{ id, model string }

const idPrefix = "msg_"

// from takes what the backend says; what it does not say stays as it was asked for.
func (h *answerHead) from(e *conversation.Event) {
	h.id = e.ID
	if e.Model != "" {
		h.model = e.Model
	}
}

func (h *answerHead) write(j *wire.JSON) {
	id := h.id
	switch {
	case id == "": // tools tell answers apart by their ids
		id = idPrefix + rand.Text()
	case !strings.HasPrefix(id, idPrefix):
		id = idPrefix + id
	}
	j.TextMember("id", id)
	j.RawMember("type", `"message"`)
	j.RawMember("role", `"assistant"`)
	j.TextMember("model", h.model)
}

// EncodeAnswer writes a whole answer.
func EncodeAnswer(_ dialect.Operation, req *conversation.Request, a *conversation.Answer) []byte {
	head := answerHead{}
	if req != nil {
		head.model = req.Model
	}
	head.from(&conversation.Event{ID: a.ID, Model: a.Model})
	var j wire.JSON
	var end ending
	j.Open('{')
	head.write(&j)
	j.Name("content")
	j.Open('[')
	for i := range a.Parts {
		writeAnswerPart(&j, &a.Parts[i])
		end.called = end.called || a.Parts[i].Kind == conversation.PartCall
		end.refused = end.refused || a.Parts[i].Kind == conversation.PartRefusal
	}
	j.Close(']')
	end.write(&j, a.Reason, a.StopSequence)
	j.Name("usage")
	writeUsage(&j, a.Usage)
	j.Close('}')
	return j
}

func writeAnswerPart(j *wire.JSON, p *conversation.AnswerPart) {
	switch p.Kind {
	case conversation.PartThinking:
		writeThinkingPart(j, p)
	case conversation.PartCall:
		if p.Signature.Value != "" {
			writeThinkingBlock(j, "", wrapCallSignature(p.Signature))
		}
		input, ok := object(json.RawMessage(p.Text))
		if !ok {
			input = inputOf(p.Text)
		}
		j.Open('{')
		j.TextMember("type", typeToolUse)
		j.TextMember("id", p.Call.ID)
		j.TextMember("name", p.Call.Name)
		j.RawMember("input", input)
		j.Close('}')
	default:
		if p.Text == "" {
			return
		}
		j.Open('{')
		j.TextMember("type", typeText)
		j.TextMember("text", p.Text)
		j.Close('}')
	}
}

func writeThinkingPart(j *wire.JSON, p *conversation.AnswerPart) {
	switch {
	case p.Redacted != "" && p.Text == "":
		writeRedacted(j, p.Redacted)
	case p.Text != "" || p.Signature.Value != "":
		writeThinkingBlock(j, p.Text, wrapSignature(p.Signature))
	}
}

func writeThinkingBlock(j *wire.JSON, text, signature string) {
	j.Open('{')
	j.TextMember("type", typeThinking)
	j.TextMember("thinking", text)
	j.TextMember("signature", signature)
	j.Close('}')
}

func writeRedacted(j *wire.JSON, data string) {
	j.Open('{')
	j.TextMember("type", typeRedactedThinking)
	j.TextMember("data", data)
	j.Close('}')
}

// write tells why the answer ended. An answer with calls waits for their results, also where the backend only says
// that it stopped.
func (e ending) write(j *wire.JSON, reason conversation.Reason, stopSequence string) {
	stop, sequence := "end_turn", false
	switch reason {
	case conversation.Length:
		stop = "max_tokens"
	case conversation.Filtered, conversation.Refused:
		stop = "refusal"
	case conversation.Paused:
		stop = "pause_turn"
	default:
		switch {
		case e.called:
			stop = "tool_use"
		case e.refused:
			stop = "refusal"
		case stopSequence != "":
			stop, sequence = "stop_sequence", true
		}
	}
	j.TextMember("stop_reason", stop)
	if sequence {
		j.TextMember("stop_sequence", stopSequence)
	} else {
		j.RawMember("stop_sequence", "null")
	}
}

// writeUsage tells all counts. The protocol's counts of input do not overlap.
func writeUsage(j *wire.JSON, u conversation.Usage) {
	j.Open('{')
	writeInput(j, u)
	writeOutput(j, u)
	j.Close('}')
}

// writeDeltaUsage tells the counts at the end; the input only if it is known, so that it does not become 0.
func writeDeltaUsage(j *wire.JSON, u conversation.Usage) {
	j.Open('{')
	if u.Input > 0 {
		writeInput(j, u)
	}
	writeOutput(j, u)
	j.Close('}')
}

func writeInput(j *wire.JSON, u conversation.Usage) {
	j.IntMember("input_tokens", int64(max(0, u.Input-u.CacheRead-u.CacheWrite)))
	j.IntMember("cache_creation_input_tokens", int64(u.CacheWrite))
	j.IntMember("cache_read_input_tokens", int64(u.CacheRead))
}

func writeOutput(j *wire.JSON, u conversation.Usage) {
	j.IntMember("output_tokens", int64(u.Output))
	if u.Reasoning > 0 {
		j.Name("output_tokens_details")
		j.Open('{')
		j.IntMember("thinking_tokens", int64(u.Reasoning))
		j.Close('}')
	}
}
