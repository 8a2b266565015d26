// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"strconv"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
	"github.com/tokengo/tokengo/service"
)

const eventStream = "text/event-stream"

// Writer writes one streamed answer to a tool, as chunks of a chat completion or of a completion. What a Begin does not
// tell, it takes from the request (the model) or leaves empty (id and time: a caller that wants them sets them in the
// event). It keeps nothing of the answer but which of its parts are calls.
type Writer struct {
	op      dialect.Operation
	usage   bool   // wanted
	hidden  bool   // reasoning is not wanted
	model   string // asked for
	head    []byte // of a chunk, up to the choices
	parts   []writtenPart
	calls   int
	thought int // how many parts of reasoning began
	offset  int // of the text so far, in characters, for the logprobs of a completion
	known   conversation.Usage
	refusal bool
	end     ending
}

// writtenPart is a part of the answer by its index.
type writtenPart struct {
	kind   conversation.PartKind
	number int  // among its kind: of calls it is their index
	filled bool // had text
}

// ending is how far the answer has come.
type ending uint8

const (
	unfinished ending = iota
	finished
	broken
)

// NewWriter returns a Writer of the answer to req, for a tool that asked by op.
func NewWriter(op dialect.Operation, req *conversation.Request) *Writer {
	hidden := req.Reasoning.Visible != nil && !*req.Reasoning.Visible
	return &Writer{op: op, usage: req.StreamUsage, hidden: hidden, model: req.Model}
}

// ContentType is the media type of the stream.
func (w *Writer) ContentType() string { return eventStream }

// Event appends what the tool is to get now, which may be nothing.
func (w *Writer) Event(dst []byte, e *conversation.Event) []byte {
	switch e.Kind {
	case conversation.Begin:
		return w.begin(dst, e)
	case conversation.PartBegin:
		return w.partBegin(dst, e)
	case conversation.Delta:
		return w.delta(dst, e)
	case conversation.Signed:
		return w.signed(dst, e)
	case conversation.PartEnd:
		if p := w.part(e.Index); p.kind == conversation.PartCall && !p.filled && w.chat() {
			return w.arguments(dst, p, "{}")
		}
	case conversation.UsageKnown:
		w.known.Merge(e.Usage)
	case conversation.Finish:
		w.end = finished
		return w.chunk(dst, "{}", "", nil, finishWord(e.Reason, w.refusal, w.chat()))
	case conversation.Failed:
		w.end = broken
		fault := dialect.Error{Code: dialect.Code(e.Failure.Code), RetryAfter: e.Failure.RetryAfter}
		return append(dst, fault.StreamEventAfter(w.op, eventStream, nil)...)
	}
	return dst
}

// End appends what closes the stream: the usage, if the tool asked for it, and the last marker; nothing if the answer is
// not complete.
func (w *Writer) End(dst []byte) []byte {
	if w.end != finished {
		return dst
	}
	if w.usage {
		dst = append(dst, w.head...)
		dst = append(dst, `,"choices":[],"usage":`...)
		dst = appendUsage(dst, w.known)
		dst = append(dst, "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}

// Idle appends a comment. It has no empty line after it, which one official SDK takes for an event.
func (w *Writer) Idle(dst []byte) []byte { return append(dst, ": waiting\n"...) }

func (w *Writer) chat() bool { return w.op.Kind != dialect.Completion }

func (w *Writer) begin(dst []byte, e *conversation.Event) []byte {
	w.head = appendHead([]byte("data: "), w.chat(), true, e.ID, e.Created, orElse(e.Model, w.model))
	if !w.chat() {
		return dst
	}
	return w.chunk(dst, `{"role":"assistant","content":"","refusal":null}`, "", nil, "")
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// appendHead appends the members that an answer and every chunk begin with.
func appendHead(dst []byte, chat, chunk bool, id string, created int64, model string) []byte {
	prefix, object := "cmpl-", "text_completion"
	if chat {
		prefix, object = "chatcmpl-", "chat.completion"
		if chunk {
			object = "chat.completion.chunk"
		}
	}
	if !strings.HasPrefix(id, prefix) {
		id = prefix + id
	}
	dst = append(dst, `{"id":`...)
	dst = wire.AppendString(dst, id)
	dst = append(dst, `,"object":"`...)
	dst = append(dst, object...)
	dst = append(dst, `","created":`...)
	dst = strconv.AppendInt(dst, created, 10)
	dst = append(dst, `,"model":`...)
	return wire.AppendString(dst, model)
}

// chunk appends an event with one choice: a delta (of a chat) or a text (of a completion), and a finish reason if any.
func (w *Writer) chunk(dst []byte, delta, text string, logprobs []conversation.Logprob, finish string) []byte {
	dst = append(dst, w.head...)
	dst = append(dst, `,"choices":[{"index":0,`...)
	if w.chat() {
		dst = append(dst, `"delta":`...)
		dst = append(dst, delta...)
	} else {
		dst = append(dst, `"text":`...)
		dst = wire.AppendString(dst, text)
	}
	dst = append(dst, `,"logprobs":`...)
	dst = w.appendLogprobs(dst, logprobs)
	return w.tail(dst, finish)
}

// tail appends what follows a choice's content, and ends the event.
func (w *Writer) tail(dst []byte, finish string) []byte {
	dst = append(dst, `,"finish_reason":`...)
	if finish == "" {
		dst = append(dst, "null}]"...)
	} else {
		dst = wire.AppendString(dst, finish)
		dst = append(dst, "}]"...)
	}
	if w.usage {
		dst = append(dst, `,"usage":null`...)
	}
	return append(dst, "}\n\n"...)
}

// open and shut append what stands around the members of a chat's delta.
func (w *Writer) open(dst []byte) []byte {
	dst = append(dst, w.head...)
	return append(dst, `,"choices":[{"index":0,"delta":{`...)
}

func (w *Writer) shut(dst []byte, logprobs []conversation.Logprob) []byte {
	dst = append(dst, `},"logprobs":`...)
	dst = w.appendLogprobs(dst, logprobs)
	return w.tail(dst, "")
}

func (w *Writer) part(index int) *writtenPart {
	for len(w.parts) <= index {
		w.parts = append(w.parts, writtenPart{})
	}
	return &w.parts[index]
}

func (w *Writer) partBegin(dst []byte, e *conversation.Event) []byte {
	p := w.part(e.Index)
	p.kind = e.Part
	switch e.Part {
	case conversation.PartThinking:
		p.number = w.thought
		w.thought++
	case conversation.PartRefusal:
		w.refusal = true
	case conversation.PartCall:
		p.number = w.calls
		w.calls++
		if !w.chat() {
			return dst
		}
		dst = w.open(dst)
		dst = append(dst, `"tool_calls":[{"index":`...)
		dst = strconv.AppendInt(dst, int64(p.number), 10)
		dst = appendText(dst, "id", e.Call.ID)
		dst = append(dst, `,"type":"function","function":{"name":`...)
		dst = wire.AppendString(dst, e.Call.Name)
		dst = append(dst, `,"arguments":""}}]`...)
		return w.shut(dst, nil)
	}
	return dst
}

func (w *Writer) delta(dst []byte, e *conversation.Event) []byte {
	p := w.part(e.Index)
	if e.Text == "" && len(e.Logprobs) == 0 {
		return dst
	}
	switch p.kind {
	case conversation.PartText:
		if !w.chat() {
			return w.chunk(dst, "", e.Text, e.Logprobs, "")
		}
		dst = append(w.open(dst), `"content":`...)
		return w.shut(wire.AppendString(dst, e.Text), e.Logprobs)
	case conversation.PartRefusal:
		if !w.chat() {
			return w.chunk(dst, "", e.Text, nil, "")
		}
		dst = append(w.open(dst), `"refusal":`...)
		return w.shut(wire.AppendString(dst, e.Text), nil)
	case conversation.PartThinking:
		if !w.chat() || w.hidden {
			return dst
		}
		d := detail{kind: detailText, text: e.Text, index: p.number, indexed: true}
		dst = append(w.open(dst), `"reasoning_content":`...)
		dst = wire.AppendString(dst, e.Text)
		dst = append(dst, `,"reasoning_details":[`...)
		dst = append(d.append(dst, true), ']')
		return w.shut(dst, nil)
	case conversation.PartCall:
		p.filled = p.filled || strings.TrimSpace(e.Text) != ""
		if w.chat() {
			return w.arguments(dst, p, e.Text)
		}
	}
	return dst
}

func (w *Writer) arguments(dst []byte, p *writtenPart, text string) []byte {
	dst = append(w.open(dst), `"tool_calls":[{"index":`...)
	dst = strconv.AppendInt(dst, int64(p.number), 10)
	dst = append(dst, `,"function":{"arguments":`...)
	dst = wire.AppendString(dst, text)
	return w.shut(append(dst, "}}]"...), nil)
}

// signed writes a signature where tools send it back from.
func (w *Writer) signed(dst []byte, e *conversation.Event) []byte {
	p := w.part(e.Index)
	if !w.chat() || marked(e.Signature) || e.Signature.Value == "" && e.Redacted == "" {
		return dst
	}
	switch p.kind {
	case conversation.PartThinking:
		d := signedDetail(e.Signature, e.Redacted, p.number)
		dst = append(w.open(dst), `"reasoning_details":[`...)
		dst = append(d.append(dst, true), ']')
		return w.shut(dst, nil)
	case conversation.PartCall:
		dst = append(w.open(dst), `"tool_calls":[{"index":`...)
		dst = strconv.AppendInt(dst, int64(p.number), 10)
		dst = append(dst, `,"function":{"arguments":""}`...)
		dst = appendExtra(dst, e.Signature)
		return w.shut(append(dst, "}]"...), nil)
	}
	return dst
}

// marked reports whether a signature only says in which field a chat backend had the reasoning.
func marked(s conversation.Signature) bool {
	return s.By == own && strings.HasPrefix(s.Value, markPrefix)
}

func signedDetail(s conversation.Signature, redacted string, number int) detail {
	if redacted != "" {
		data := conversation.Signature{By: service.Claude, Value: redacted}.Wrap(own)
		return detail{kind: detailEncrypted, data: data, index: number, indexed: true}
	}
	return detail{kind: detailText, signature: s.Wrap(own), index: number, indexed: true}
}

func appendExtra(dst []byte, s conversation.Signature) []byte {
	dst = append(dst, `,"extra_content":{"google":{"thought_signature":`...)
	dst = wire.AppendString(dst, s.Wrap(own))
	return append(dst, "}}"...)
}

// finishWord is the finish_reason of an answer, whose refusal, if there is one, is told by itself.
func finishWord(r conversation.Reason, refusal, chat bool) string {
	switch {
	case r == conversation.Length:
		return "length"
	case r == conversation.ToolCalls && chat:
		return "tool_calls"
	case r == conversation.Filtered, r == conversation.Refused && !refusal:
		return "content_filter"
	}
	return "stop"
}

func appendUsage(dst []byte, u conversation.Usage) []byte {
	for i, field := range []struct {
		name  string
		value int
	}{
		{`{"prompt_tokens":`, u.Input},
		{`,"completion_tokens":`, u.Output},
		{`,"total_tokens":`, u.Total()},
		{`,"prompt_tokens_details":{"cached_tokens":`, u.CacheRead},
		{`,"cache_write_tokens":`, u.CacheWrite},
		{`},"completion_tokens_details":{"reasoning_tokens":`, u.Reasoning},
	} {
		if i == 4 && field.value == 0 { // not OpenAI's own
			continue
		}
		dst = append(dst, field.name...)
		dst = strconv.AppendInt(dst, int64(field.value), 10)
	}
	return append(dst, "}}"...)
}
