// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// outputItem is an item of an answer for a tool.
type outputItem struct {
	kind     conversation.PartKind
	origin   origin // of a call
	callID   string
	id       string
	output   int // its index
	text     strings.Builder
	logprobs []conversation.Logprob

	signature conversation.Signature
	redacted  string

	added, ended bool
	status       string
}

// States of items and answers.
const (
	inProgress = "in_progress"
	completed  = "completed"
	incomplete = "incomplete"
	failed     = "failed"
)

// idPrefix is how OpenAI's ids of such items begin.
func (it *outputItem) idPrefix() string {
	switch it.kind {
	case conversation.PartThinking:
		return "rs_"
	case conversation.PartCall:
		switch it.origin.kind {
		case typeCustom:
			return "ctc_"
		case typeToolSearch:
			return "tsc_"
		case typeLocalShell:
			return "lsh_"
		}
		return "fc_"
	default:
		return "msg_"
	}
}

// empty reports whether there is nothing to show, so that no item is written.
func (it *outputItem) empty() bool {
	switch it.kind {
	case conversation.PartCall:
		return false
	case conversation.PartThinking:
		return it.text.Len() == 0 && wrapReasoning(it.signature, it.redacted) == ""
	default:
		return it.text.Len() == 0
	}
}

// carrier is the item that carries the signature of a call or a text, nil when there is none.
func (it *outputItem) carrier() *outputItem {
	if it.kind == conversation.PartThinking || it.signature.Value == "" {
		return nil
	}
	c := &outputItem{kind: conversation.PartThinking, status: completed}
	c.signature = it.signature
	if it.kind == conversation.PartCall {
		c.callID = it.callID
	}
	return c
}

// encrypted is the encrypted content of a reasoning item.
func (it *outputItem) encrypted() string {
	if it.callID != "" {
		return wrapCall(it.callID, it.signature)
	}
	return wrapReasoning(it.signature, it.redacted)
}

// arguments are those of a call.
func (it *outputItem) arguments() string {
	if text := it.text.String(); strings.TrimSpace(text) != "" {
		return text
	}
	return "{}"
}

// write writes the item as an element, with what is known of it if whole, else as one that has just begun.
func (it *outputItem) write(j *jsonText, whole bool) {
	j.open('{')
	j.text("id", it.id)
	status := inProgress
	if whole {
		status = it.status
	}
	switch it.kind {
	case conversation.PartThinking:
		it.writeReasoning(j, whole)
	case conversation.PartCall:
		it.writeCall(j, status, whole)
	default:
		j.text("type", typeMessage)
		j.text("status", status)
		j.array("content")
		if whole {
			it.writeContent(j, true)
		}
		j.close(']')
		j.text("role", "assistant")
	}
	j.close('}')
}

func (it *outputItem) writeReasoning(j *jsonText, whole bool) {
	j.text("type", typeReasoning)
	j.array("summary")
	if whole && it.text.Len() > 0 {
		it.writeContent(j, true)
	}
	j.close(']')
	if whole {
		j.textIf("encrypted_content", it.encrypted())
	}
}

// writeContent writes the one content of a message or reasoning.
func (it *outputItem) writeContent(j *jsonText, whole bool) {
	text := ""
	if whole {
		text = it.text.String()
	}
	j.open('{')
	switch it.kind {
	case conversation.PartThinking:
		j.text("type", typeSummaryText)
		j.text("text", text)
	case conversation.PartRefusal:
		j.text("type", typeRefusal)
		j.text("refusal", text)
	default:
		j.text("type", typeOutputText)
		j.raw("annotations", "[]")
		j.array("logprobs")
		if whole {
			writeLogprobs(j, it.logprobs)
		}
		j.close(']')
		j.text("text", text)
	}
	j.close('}')
}

func (it *outputItem) writeCall(j *jsonText, status string, whole bool) {
	kind, member, value := typeFunctionCall, "arguments", ""
	switch it.origin.kind {
	case typeCustom:
		kind, member = typeCustomCall, "input"
		if whole {
			value = customInput(it.text.String())
		}
	case typeToolSearch, typeLocalShell:
		it.writeClientCall(j, status, whole)
		return
	default:
		if whole {
			value = it.arguments()
		}
	}
	j.text("type", kind)
	j.text("status", status)
	j.text(member, value)
	j.text("call_id", it.callID)
	j.text("name", it.origin.name)
	j.textIf("namespace", it.origin.namespace)
}

// writeClientCall writes a call of one of the protocol's own tools, which has its arguments as an object.
func (it *outputItem) writeClientCall(j *jsonText, status string, whole bool) {
	arguments := "{}"
	if whole && isObject(it.text.String()) {
		arguments = strings.TrimSpace(it.text.String())
	}
	if it.origin.kind == typeLocalShell {
		j.text("type", typeLocalShellCall)
		j.text("status", status)
		j.text("call_id", it.callID)
		j.object("action")
		j.text("type", "exec")
		it.writeMembers(j, arguments)
		j.close('}')
		return
	}
	j.text("type", typeToolSearchCall)
	j.text("status", status)
	j.text("call_id", it.callID)
	j.text("execution", "client")
	j.raw("arguments", arguments)
}

func (it *outputItem) writeMembers(j *jsonText, object string) {
	command := false
	p := wire.Parse([]byte(object))
	p.Object(func(key []byte) {
		switch name := string(key); name {
		case "command", "working_directory", "timeout_ms", "env":
			command = command || name == "command"
			j.raw(name, string(p.Raw()))
		}
	})
	if !command {
		j.raw("command", "[]")
	}
}

func writeLogprobs(j *jsonText, list []conversation.Logprob) {
	for i := range list {
		writeLogprob(j, &list[i])
		j.array("top_logprobs")
		for k := range list[i].Top {
			writeLogprob(j, &list[i].Top[k])
			j.close('}')
		}
		j.close(']')
		j.close('}')
	}
}

// writeLogprob begins an object.
func writeLogprob(j *jsonText, l *conversation.Logprob) {
	j.open('{')
	j.text("token", l.Token)
	j.array("bytes")
	for _, b := range tokenBytes(l) {
		j.comma()
		*j = appendByte(*j, b)
	}
	j.close(']')
	j.float("logprob", l.Logprob)
}

func tokenBytes(l *conversation.Logprob) []byte {
	if l.Bytes != nil {
		return l.Bytes
	}
	return []byte(l.Token)
}
