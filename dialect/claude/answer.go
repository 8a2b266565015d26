// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"crypto/rand"
	"encoding/json"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
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

func (h *answerHead) write(j *jsonText) {
	id := h.id
	switch {
	case id == "": // tools tell answers apart by their ids
		id = idPrefix + rand.Text()
	case !strings.HasPrefix(id, idPrefix):
		id = idPrefix + id
	}
	j.textMember("id", id)
	j.rawMember("type", `"message"`)
	j.rawMember("role", `"assistant"`)
	j.textMember("model", h.model)
}

// EncodeAnswer writes a whole answer.
func EncodeAnswer(_ dialect.Operation, req *conversation.Request, a *conversation.Answer) []byte {
	head := answerHead{}
	if req != nil {
		head.model = req.Model
	}
	head.from(&conversation.Event{ID: a.ID, Model: a.Model})
	var j jsonText
	var end ending
	j.open('{')
	head.write(&j)
	j.name("content")
	j.open('[')
	for i := range a.Parts {
		writeAnswerPart(&j, &a.Parts[i])
		end.called = end.called || a.Parts[i].Kind == conversation.PartCall
		end.refused = end.refused || a.Parts[i].Kind == conversation.PartRefusal
	}
	j.close(']')
	end.write(&j, a.Reason, a.StopSequence)
	j.name("usage")
	writeUsage(&j, a.Usage)
	j.close('}')
	return j
}

func writeAnswerPart(j *jsonText, p *conversation.AnswerPart) {
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
		j.open('{')
		j.textMember("type", typeToolUse)
		j.textMember("id", p.Call.ID)
		j.textMember("name", p.Call.Name)
		j.rawMember("input", input)
		j.close('}')
	default:
		if p.Text == "" {
			return
		}
		j.open('{')
		j.textMember("type", typeText)
		j.textMember("text", p.Text)
		j.close('}')
	}
}

func writeThinkingPart(j *jsonText, p *conversation.AnswerPart) {
	switch {
	case p.Redacted != "" && p.Text == "":
		writeRedacted(j, p.Redacted)
	case p.Text != "" || p.Signature.Value != "":
		writeThinkingBlock(j, p.Text, p.Signature.Wrap(protocol))
	}
}

func writeThinkingBlock(j *jsonText, text, signature string) {
	j.open('{')
	j.textMember("type", typeThinking)
	j.textMember("thinking", text)
	j.textMember("signature", signature)
	j.close('}')
}

func writeRedacted(j *jsonText, data string) {
	j.open('{')
	j.textMember("type", typeRedactedThinking)
	j.textMember("data", data)
	j.close('}')
}

// write tells why the answer ended. An answer with calls waits for their results, also where the backend only says
// that it stopped.
func (e ending) write(j *jsonText, reason conversation.Reason, stopSequence string) {
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
	j.textMember("stop_reason", stop)
	if sequence {
		j.textMember("stop_sequence", stopSequence)
	} else {
		j.rawMember("stop_sequence", "null")
	}
}

// writeUsage tells all counts. The protocol's counts of input do not overlap.
func writeUsage(j *jsonText, u conversation.Usage) {
	j.open('{')
	writeInput(j, u)
	writeOutput(j, u)
	j.close('}')
}

// writeDeltaUsage tells the counts at the end; the input only if it is known, so that it does not become 0.
func writeDeltaUsage(j *jsonText, u conversation.Usage) {
	j.open('{')
	if u.Input > 0 {
		writeInput(j, u)
	}
	writeOutput(j, u)
	j.close('}')
}

func writeInput(j *jsonText, u conversation.Usage) {
	j.intMember("input_tokens", max(0, u.Input-u.CacheRead-u.CacheWrite))
	j.intMember("cache_creation_input_tokens", u.CacheWrite)
	j.intMember("cache_read_input_tokens", u.CacheRead)
}

func writeOutput(j *jsonText, u conversation.Usage) {
	j.intMember("output_tokens", u.Output)
	if u.Reasoning > 0 {
		j.name("output_tokens_details")
		j.open('{')
		j.intMember("thinking_tokens", u.Reasoning)
		j.close('}')
	}
}
