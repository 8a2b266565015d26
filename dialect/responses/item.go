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
func (it *outputItem) write(j *wire.JSON, whole bool) {
	j.Open('{')
	j.TextMember("id", it.id)
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
		j.TextMember("type", typeMessage)
		j.TextMember("status", status)
		j.Array("content")
		if whole {
			it.writeContent(j, true)
		}
		j.Close(']')
		j.TextMember("role", "assistant")
	}
	j.Close('}')
}

func (it *outputItem) writeReasoning(j *wire.JSON, whole bool) {
	j.TextMember("type", typeReasoning)
	j.Array("summary")
	if whole && it.text.Len() > 0 {
		it.writeContent(j, true)
	}
	j.Close(']')
	if whole {
		j.TextIf("encrypted_content", it.encrypted())
	}
}

// writeContent writes the one content of a message or reasoning.
func (it *outputItem) writeContent(j *wire.JSON, whole bool) {
	text := ""
	if whole {
		text = it.text.String()
	}
	j.Open('{')
	switch it.kind {
	case conversation.PartThinking:
		j.TextMember("type", typeSummaryText)
		j.TextMember("text", text)
	case conversation.PartRefusal:
		j.TextMember("type", typeRefusal)
		j.TextMember("refusal", text)
	default:
		j.TextMember("type", typeOutputText)
		j.RawMember("annotations", "[]")
		j.Array("logprobs")
		if whole {
			writeLogprobs(j, it.logprobs)
		}
		j.Close(']')
		j.TextMember("text", text)
	}
	j.Close('}')
}

func (it *outputItem) writeCall(j *wire.JSON, status string, whole bool) {
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
	j.TextMember("type", kind)
	j.TextMember("status", status)
	j.TextMember(member, value)
	j.TextMember("call_id", it.callID)
	j.TextMember("name", it.origin.name)
	j.TextIf("namespace", it.origin.namespace)
}

// writeClientCall writes a call of one of the protocol's own tools, which has its arguments as an object.
func (it *outputItem) writeClientCall(j *wire.JSON, status string, whole bool) {
	arguments := "{}"
	if whole && wire.IsObject(it.text.String()) {
		arguments = strings.TrimSpace(it.text.String())
	}
	if it.origin.kind == typeLocalShell {
		j.TextMember("type", typeLocalShellCall)
		j.TextMember("status", status)
		j.TextMember("call_id", it.callID)
		j.Object("action")
		j.TextMember("type", "exec")
		it.writeMembers(j, arguments)
		j.Close('}')
		return
	}
	j.TextMember("type", typeToolSearchCall)
	j.TextMember("status", status)
	j.TextMember("call_id", it.callID)
	j.TextMember("execution", "client")
	j.RawMember("arguments", arguments)
}

func (it *outputItem) writeMembers(j *wire.JSON, object string) {
	command := false
	p := wire.Parse([]byte(object))
	p.Object(func(key []byte) {
		switch name := string(key); name {
		case "command", "working_directory", "timeout_ms", "env":
			command = command || name == "command"
			j.RawMember(name, string(p.Raw()))
		}
	})
	if !command {
		j.RawMember("command", "[]")
	}
}

func writeLogprobs(j *wire.JSON, list []conversation.Logprob) {
	for i := range list {
		writeLogprob(j, &list[i])
		j.Array("top_logprobs")
		for k := range list[i].Top {
			writeLogprob(j, &list[i].Top[k])
			j.Close('}')
		}
		j.Close(']')
		j.Close('}')
	}
}

// writeLogprob begins an object.
func writeLogprob(j *wire.JSON, l *conversation.Logprob) {
	j.Open('{')
	j.TextMember("token", l.Token)
	j.Array("bytes")
	for _, b := range tokenBytes(l) {
		j.Comma()
		*j = appendByte(*j, b)
	}
	j.Close(']')
	j.FloatMember("logprob", l.Logprob)
}

func tokenBytes(l *conversation.Logprob) []byte {
	if l.Bytes != nil {
		return l.Bytes
	}
	return []byte(l.Token)
}
