// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// EncodeAnswer returns a whole answer, as a chat completion or as a completion, for a tool that asked by op. An answer
// that failed is the caller's to report.
func EncodeAnswer(op dialect.Operation, req *conversation.Request, a *conversation.Answer) []byte {
	w := NewWriter(op, req)
	dst := appendHead(nil, w.chat(), false, a.ID, a.Created, orElse(a.Model, req.Model))
	dst = append(dst, `,"choices":[{"index":0,`...)
	m := messageOf(a, w.hidden)
	if w.chat() {
		dst = append(dst, `"message":`...)
		dst = m.append(dst, a)
	} else {
		dst = append(dst, `"text":`...)
		dst = wire.AppendString(dst, m.content+m.refusal)
	}
	dst = append(dst, `,"logprobs":`...)
	dst = w.appendLogprobs(dst, m.logprobs)
	dst = append(dst, `,"finish_reason":`...)
	dst = wire.AppendString(dst, finishWord(a.Reason, m.refused, w.chat()))
	dst = append(dst, `}],"usage":`...)
	dst = appendUsage(dst, a.Usage)
	return append(dst, '}')
}

// message is the parts of an answer as Chat Completions has them.
type message struct {
	content, refusal, reasoning string
	spoke, refused              bool
	details                     []detail
	calls                       int
	logprobs                    []conversation.Logprob
}

func messageOf(a *conversation.Answer, hidden bool) *message {
	var m message
	var content, refusal, reasoning strings.Builder
	thought := 0
	for i := range a.Parts {
		p := &a.Parts[i]
		switch p.Kind {
		case conversation.PartText:
			m.spoke = true
			content.WriteString(p.Text)
			m.logprobs = append(m.logprobs, p.Logprobs...)
		case conversation.PartRefusal:
			m.refused = true
			refusal.WriteString(p.Text)
		case conversation.PartThinking:
			if d := thoughtDetail(p, thought, hidden); d.text != "" || d.data != "" || d.signature != "" {
				m.details = append(m.details, d)
				reasoning.WriteString(d.text)
			}
			thought++
		case conversation.PartCall:
			m.calls++
		}
	}
	m.content, m.refusal, m.reasoning = content.String(), refusal.String(), reasoning.String()
	return &m
}

func thoughtDetail(p *conversation.AnswerPart, number int, hidden bool) detail {
	d := detail{kind: detailText, index: number, indexed: true}
	if !marked(p.Signature) {
		d = signedDetail(p.Signature, p.Redacted, number)
	}
	if !hidden && d.kind == detailText {
		d.text = p.Text
	}
	return d
}

func (m *message) append(dst []byte, a *conversation.Answer) []byte {
	dst = append(dst, `{"role":"assistant","content":`...)
	if m.spoke || !m.refused && m.calls == 0 {
		dst = wire.AppendString(dst, m.content)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"refusal":`...)
	if m.refused {
		dst = wire.AppendString(dst, m.refusal)
	} else {
		dst = append(dst, "null"...)
	}
	if m.reasoning != "" {
		dst = appendText(dst, "reasoning_content", m.reasoning)
	}
	for i := range m.details {
		if i == 0 {
			dst = append(dst, `,"reasoning_details":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = m.details[i].append(dst, true)
	}
	if len(m.details) > 0 {
		dst = append(dst, ']')
	}
	if m.calls > 0 {
		dst = append(dst, `,"tool_calls":[`...)
		dst = appendCalls(dst, a.Parts)
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func appendCalls(dst []byte, parts []conversation.AnswerPart) []byte {
	n := 0
	for i := range parts {
		p := &parts[i]
		if p.Kind != conversation.PartCall {
			continue
		}
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"id":`...)
		dst = wire.AppendString(dst, p.Call.ID)
		dst = append(dst, `,"type":"function","function":{"name":`...)
		dst = wire.AppendString(dst, p.Call.Name)
		dst = appendText(dst, "arguments", p.Text)
		dst = append(dst, '}')
		if p.Signature.Value != "" {
			dst = appendExtra(dst, p.Signature)
		}
		dst = append(dst, '}')
	}
	return dst
}
