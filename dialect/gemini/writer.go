// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// Writer writes one streamed answer for a tool: events of Server-Sent Events if the path says alt=sse, else the elements
// of an array. The reason to end and the counts come with [Writer.End], in a chunk of their own.
//
// Reasoning is written only if the request asks for it. Its signatures are in any case: a tool that does not send them
// back would lose them for the backend that made them.
type Writer struct {
	answerHead
	array   bool
	visible bool
	begun   bool                        // something has been written
	calls   []*openCall                 // that are not complete
	before  []conversation.ThinkingPart // signatures of reasoning, for the part that comes next
	kinds   []conversation.PartKind     // of the parts that are open, by index from base
	base    int
	usage   conversation.Usage
	reason  conversation.Reason
	broken  bool // a call was no JSON
	failed  bool
}

// answerHead is what every chunk says of its answer.
type answerHead struct{ id, model string }

// openCall is a call whose arguments are coming.
type openCall struct {
	index     int
	call      conversation.Call
	arguments []byte
	signature conversation.Signature
}

// NewWriter returns a writer of the answer to a request, which came with op.
func NewWriter(op dialect.Operation, req *conversation.Request) *Writer {
	return &Writer{
		answerHead: answerHead{model: op.Model},
		array:      !strings.HasSuffix(op.Path, "?alt=sse"),
		visible:    req.Reasoning.Visible != nil && *req.Reasoning.Visible,
	}
}

// ContentType is the media type of the stream.
func (w *Writer) ContentType() string {
	if w.array {
		return typeArray
	}
	return typeSSE
}

// Event appends what goes to the tool now, perhaps nothing.
func (w *Writer) Event(dst []byte, e *conversation.Event) []byte {
	if w.failed {
		return dst
	}
	switch e.Kind {
	case conversation.Begin:
		w.id = e.ID
		if e.Model != "" {
			w.model = e.Model
		}
	case conversation.PartBegin:
		w.partBegin(e)
	case conversation.Delta:
		return w.delta(dst, e)
	case conversation.Signed:
		w.signed(e)
	case conversation.PartEnd:
		return w.partEnd(dst, e)
	case conversation.UsageKnown:
		w.usage.Merge(e.Usage)
	case conversation.Finish:
		w.reason = e.Reason
	case conversation.Failed:
		return w.fail(dst, e)
	}
	return dst
}

func (w *Writer) partBegin(e *conversation.Event) {
	if len(w.kinds) == 0 {
		w.base = e.Index
	}
	for len(w.kinds) <= e.Index-w.base {
		w.kinds = append(w.kinds, 0)
	}
	if e.Index >= w.base {
		w.kinds[e.Index-w.base] = e.Part
	}
	if e.Part == conversation.PartCall {
		w.calls = append(w.calls, &openCall{index: e.Index, call: e.Call})
	}
}

func (w *Writer) kindOf(index int) conversation.PartKind {
	if i := index - w.base; i >= 0 && i < len(w.kinds) {
		return w.kinds[i]
	}
	return 0
}

// forget drops what has ended.
func (w *Writer) forget(index int) {
	if i := index - w.base; i >= 0 && i < len(w.kinds) {
		w.kinds[i] = 0
	}
	for len(w.kinds) > 0 && w.kinds[0] == 0 {
		w.kinds = w.kinds[1:]
		w.base++
	}
}

func (w *Writer) callOf(index int) (int, *openCall) {
	for i, c := range w.calls {
		if c.index == index {
			return i, c
		}
	}
	return -1, nil
}

func (w *Writer) delta(dst []byte, e *conversation.Event) []byte {
	switch w.kindOf(e.Index) {
	case conversation.PartCall:
		if _, c := w.callOf(e.Index); c != nil {
			c.arguments = append(c.arguments, e.Text...)
		}
		return dst
	case conversation.PartThinking:
		if !w.visible || e.Text == "" {
			return dst
		}
		dst = w.open(dst)
		out := wire.JSON(dst)
		writeText(&out, e.Text, "", true)
		return w.close(out, e.Logprobs, "")
	case conversation.PartText, conversation.PartRefusal:
		if e.Text == "" && len(e.Logprobs) == 0 {
			return dst
		}
		dst = w.open(dst)
		out := wire.JSON(dst)
		writeText(&out, e.Text, w.carry(conversation.Signature{}), false)
		return w.close(out, e.Logprobs, "")
	default:
		return dst
	}
}

func (w *Writer) signed(e *conversation.Event) {
	if i, c := w.callOf(e.Index); i >= 0 {
		c.signature = e.Signature
		return
	}
	w.before = append(w.before, conversation.ThinkingPart{Signature: e.Signature, Redacted: e.Redacted})
}

// carry is the signature of the part that comes next.
func (w *Writer) carry(own conversation.Signature) string {
	c := carried{own: own, before: w.before}
	w.before = nil
	if c.empty() {
		return ""
	}
	return c.String()
}

func (w *Writer) partEnd(dst []byte, e *conversation.Event) []byte {
	w.forget(e.Index)
	i, c := w.callOf(e.Index)
	if i < 0 {
		return dst
	}
	w.calls = slices.Delete(w.calls, i, i+1)
	arguments, ok := argumentsOf(c.arguments)
	if !ok {
		w.broken = true
		return dst
	}
	dst = w.open(dst)
	out := wire.JSON(dst)
	writeCall(&out, c.call, arguments, w.carry(c.signature))
	return w.close(out, nil, "")
}

// argumentsOf is the arguments of a call on one line, if they are an object.
func argumentsOf(text []byte) ([]byte, bool) {
	if len(bytes.TrimSpace(text)) == 0 {
		return []byte("{}"), true
	}
	if !wire.IsObject(text) {
		return nil, false
	}
	var line bytes.Buffer
	err := json.Compact(&line, text)
	return line.Bytes(), err == nil
}

// open begins a chunk, up to the first part.
func (w *Writer) open(dst []byte) []byte {
	switch {
	case !w.array:
		dst = append(dst, "data: "...)
	case w.begun:
		dst = append(dst, ",\r\n"...)
	default:
		dst = append(dst, '[')
	}
	w.begun = true
	return append(dst, `{"candidates":[{"content":{"parts":[`...)
}

// close ends a chunk, after its last part.
func (w *Writer) close(out wire.JSON, probs []conversation.Logprob, finish string) []byte {
	out = append(out, `],"role":"model"}`...)
	out.TextIf("finishReason", finish)
	out.IntMember("index", 0)
	writeLogprobs(&out, probs)
	out = append(out, "}]"...)
	if finish != "" {
		writeUsage(&out, w.usage)
	}
	w.answerHead.write(&out)
	out.Close('}')
	if !w.array {
		out = append(out, "\n\n"...)
	}
	return out
}

// End appends the last chunk and what closes the stream. After a failure, and if the answer has not finished, it appends
// nothing, so that an array stays open.
func (w *Writer) End(dst []byte) []byte {
	if w.failed || w.reason == 0 {
		return dst
	}
	dst = w.open(dst)
	out := wire.JSON(dst)
	writeText(&out, "", w.carry(conversation.Signature{}), false)
	dst = w.close(out, nil, finishReason(w.reason, w.broken))
	if w.array {
		dst = append(dst, "]\n"...)
	}
	w.reason = 0
	return dst
}

// Idle appends what may be sent while nothing comes, which is nothing: Google's SDK for Go takes a comment for an error.
func (w *Writer) Idle(dst []byte) []byte { return dst }

func (w *Writer) fail(dst []byte, e *conversation.Event) []byte {
	w.failed = true
	problem := &dialect.Error{Code: dialect.Code(e.Failure.Code), RetryAfter: e.Failure.RetryAfter}
	op := dialect.Operation{Protocol: protocol, Kind: dialect.Chat}
	if !w.array {
		return append(dst, problem.StreamEventAfter(op, typeSSE, nil)...)
	}
	if w.begun {
		dst = append(dst, ",\r\n"...)
	} else {
		dst = append(dst, '[')
	}
	_, _, body := problem.Response(op)
	return append(append(dst, body...), '\n')
}
