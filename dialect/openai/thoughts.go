// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
	"github.com/tokengo/tokengo/service"
)

// Chat Completions has no reasoning in the open; compatible backends have it in three fields, and some of them want it
// back in the same field in the next request, while all others refuse a request that has it. So what is read from a
// backend is signed with a mark that says which field it was in. A mark is a [conversation.Signature] by openai:
//
//	chat:reasoning_content                    DeepSeek, Moonshot, llama.cpp, SGLang, older vLLM
//	chat:reasoning                            Ollama, Groq, newer vLLM
//	chat:reasoning_details:{…}                OpenRouter: the element without its text
//	chat:content                              Mistral, who does not need it back
const (
	markPrefix  = "chat:"
	markContent = "chat:reasoning_content"
	markPlain   = "chat:reasoning"
	markDetail  = "chat:reasoning_details:"
	markParts   = "chat:content"
)

// Types of elements of reasoning_details.
const (
	detailText      = "reasoning.text"
	detailSummary   = "reasoning.summary"
	detailEncrypted = "reasoning.encrypted"
)

// detail is an element of reasoning_details (https://openrouter.ai/docs/use-cases/reasoning-tokens).
type detail struct {
	kind      string
	text      string // or the summary
	data      string // of an encrypted one
	signature string
	id        string
	format    string
	index     int
	indexed   bool
}

// readDetail takes one element. It reports false for what is none of the known types.
func readDetail(p *wire.Parser) (detail, bool) {
	var d detail
	p.Object(func(key []byte) {
		switch string(key) {
		case "type":
			d.kind = p.String()
		case "text", "summary":
			d.text += p.String()
		case "data":
			d.data = p.String()
		case "signature":
			d.signature = p.String()
		case "id":
			d.id = p.String()
		case "format":
			d.format = p.String()
		case "index":
			d.indexed = p.Kind() == wire.NumberValue
			d.index = p.Int()
		}
	})
	return d, d.kind == detailText || d.kind == detailSummary || d.kind == detailEncrypted
}

// continues reports whether e is the next piece of d.
func (d *detail) continues(e *detail) bool {
	return d.kind == e.kind && d.kind != detailEncrypted && d.index == e.index && d.indexed == e.indexed
}

// merge takes in what the next piece has besides text.
func (d *detail) merge(e *detail) {
	for _, field := range []struct {
		to   *string
		from string
	}{{&d.data, e.data}, {&d.signature, e.signature}, {&d.id, e.id}, {&d.format, e.format}} {
		if field.from != "" {
			*field.to = field.from
		}
	}
}

// append writes the element, its text only if withText.
func (d *detail) append(dst []byte, withText bool) []byte {
	dst = append(dst, `{"type":`...)
	dst = wire.AppendString(dst, d.kind)
	if withText && d.kind != detailEncrypted {
		key := "text"
		if d.kind == detailSummary {
			key = "summary"
		}
		dst = appendText(dst, key, d.text)
	}
	for _, field := range []struct{ key, value string }{
		{"data", d.data}, {"signature", d.signature}, {"id", d.id}, {"format", d.format},
	} {
		if field.value != "" {
			dst = appendText(dst, field.key, field.value)
		}
	}
	if d.indexed {
		dst = append(dst, `,"index":`...)
		dst = strconv.AppendInt(dst, int64(d.index), 10)
	}
	return append(dst, '}')
}

func appendText(dst []byte, key, value string) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, key...)
	dst = append(dst, '"', ':')
	return wire.AppendString(dst, value)
}

// mark is the element as a signature.
func (d *detail) mark() string { return markDetail + string(d.append(nil, false)) }

// thoughts is the reasoning of one turn that goes back to where it came from.
type thoughts struct {
	content, plain string
	details        []byte
}

// add takes a part, unless it is not a chat backend's.
func (t *thoughts) add(part *conversation.ThinkingPart) bool {
	switch mark := part.Signature.For(own); {
	case mark == markContent:
		t.content += part.Text
	case mark == markPlain:
		t.plain += part.Text
	case strings.HasPrefix(mark, markDetail):
		p := wire.Parse([]byte(mark[len(markDetail):]))
		d, known := readDetail(p)
		if p.End() != nil || !known {
			return false
		}
		if len(t.details) > 0 {
			t.details = append(t.details, ',')
		}
		d.text = part.Text
		t.details = d.append(t.details, true)
	default:
		return false
	}
	return true
}

func (t *thoughts) write(e *encoder) {
	if t.content != "" {
		e.text("reasoning_content", t.content)
	}
	if t.plain != "" {
		e.text("reasoning", t.plain)
	}
	if len(t.details) > 0 {
		e.key("reasoning_details")
		e.dst = append(e.dst, '[')
		e.dst = append(e.dst, t.details...)
		e.dst = append(e.dst, ']')
	}
}

// thinking are the parts that a tool sends back as elements of reasoning_details, those of other protocols among them,
// wrapped. rest is the reasoning in another field, for elements that came without their text.
func thinking(details []detail, rest string) []conversation.Part {
	var parts []conversation.Part
	if slices.ContainsFunc(details, func(d detail) bool { return d.text != "" }) {
		rest = "" // the same text
	}
	for i := 0; i < len(details); {
		d := details[i]
		var text strings.Builder
		text.WriteString(d.text)
		for i++; i < len(details) && d.continues(&details[i]); i++ {
			text.WriteString(details[i].text)
			d.merge(&details[i])
		}
		d.text = text.String()
		if d.text == "" && d.kind != detailEncrypted {
			d.text, rest = rest, ""
		}
		parts = append(parts, d.part())
	}
	return parts
}

func (d *detail) part() conversation.ThinkingPart {
	part := conversation.ThinkingPart{Text: d.text}
	value := d.signature
	if d.kind == detailEncrypted {
		value = d.data
	}
	signature := conversation.Unwrap(own, value)
	switch {
	case signature.By == own && signature.Value == value:
		part.Signature = conversation.Signature{By: own, Value: d.mark()}
	case signature.By == service.Claude && d.kind == detailEncrypted:
		part.Redacted = signature.Value
	default:
		part.Signature = signature
	}
	return part
}

// object reports whether a text is a JSON object.
func object(text string) bool {
	p := wire.Parse([]byte(text))
	return p.Object(func([]byte) {}) && p.End() == nil
}

// arguments are those of a call as a JSON object. What a model wrote wrongly is kept in one, because other protocols
// have objects only.
func arguments(text string) string {
	switch trimmed := strings.TrimSpace(text); {
	case trimmed == "", trimmed == "null":
		return "{}"
	case object(trimmed):
		return text
	}
	wrapped, err := json.Marshal(map[string]string{"arguments": text})
	if err != nil {
		return "{}"
	}
	return string(wrapped)
}
