// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// Writer writes one streamed answer for a tool. It keeps the answer, which the last event repeats.
//
// A part that has ended is closed when the next thing happens: only when the answer ends is it known whether its last
// item is complete.
type Writer struct {
	response
	op      dialect.Operation
	seq     int
	started bool
	over    bool // the last event is written
	parts   []*outputItem
	ended   []*outputItem // that are to be closed
	finish  bool          // Finish has come
}

// NewWriter returns a writer of the answer to req.
func NewWriter(op dialect.Operation, req *conversation.Request) *Writer {
	return &Writer{op: op, response: newResponse(req)}
}

// ContentType returns the media type of the stream.
func (w *Writer) ContentType() string { return contentType }

// Event appends what goes to the tool now, maybe nothing.
func (w *Writer) Event(dst []byte, e *conversation.Event) []byte {
	if w.over {
		return dst
	}
	switch e.Kind {
	case conversation.Begin:
		return w.start(dst, e)
	case conversation.UsageKnown:
		w.usage.Merge(e.Usage)
		return dst
	}
	dst = w.start(dst, &conversation.Event{})
	switch e.Kind {
	case conversation.PartBegin:
		dst = w.partBegin(w.closeEnded(dst), e)
	case conversation.Delta:
		dst = w.delta(w.closeEnded(dst), e)
	case conversation.Signed:
		if it := w.part(e.Index); it != nil {
			it.signature, it.redacted = e.Signature, e.Redacted
		}
	case conversation.PartEnd:
		dst = w.closeEnded(dst)
		if it := w.part(e.Index); it != nil {
			it.ended = true
			w.parts[e.Index] = nil
			w.ended = append(w.ended, it)
		}
	case conversation.Finish:
		w.finish, w.reason = true, e.Reason
		dst = w.closeAll(dst)
	case conversation.Failed:
		dst = w.fail(dst, &dialect.Error{Code: dialect.Code(e.Failure.Code), RetryAfter: e.Failure.RetryAfter})
	}
	return dst
}

// Idle appends what may be sent while nothing comes: a comment, because SDKs fail on events that they do not know.
func (w *Writer) Idle(dst []byte) []byte {
	if w.over {
		return dst
	}
	return append(dst, ": keep-alive\n\n"...)
}

// End appends the event that ends the stream, unless it has been written: response.failed for an answer that was not
// finished.
func (w *Writer) End(dst []byte) []byte {
	switch {
	case w.over:
		return dst
	case !w.finish:
		dst = w.start(dst, &conversation.Event{})
		return w.fail(dst, &dialect.Error{Code: dialect.CodeBackendCut})
	}
	return w.last(dst, w.status())
}

// last writes the event that ends the stream.
func (w *Writer) last(dst []byte, status string) []byte {
	w.over = true
	j := w.event(dst, "response."+status)
	j.Name("response")
	w.response.write(&j, status)
	return endEvent(j)
}

// start writes the events that begin the stream, once.
func (w *Writer) start(dst []byte, e *conversation.Event) []byte {
	if w.started {
		return dst
	}
	w.started = true
	w.begin(e)
	for _, name := range []string{"response.created", "response.in_progress"} {
		j := w.event(dst, name)
		j.Name("response")
		w.response.write(&j, inProgress)
		dst = endEvent(j)
	}
	return dst
}

// event begins an event.
func (w *Writer) event(dst []byte, name string) wire.JSON {
	dst = append(dst, "event: "...)
	dst = append(dst, name...)
	dst = append(dst, "\ndata: {\"type\":\""...)
	dst = append(dst, name...)
	dst = append(dst, "\",\"sequence_number\":"...)
	dst = strconv.AppendInt(dst, int64(w.seq), 10)
	w.seq++
	return dst
}

func endEvent(j wire.JSON) []byte { return append(j, "}\n\n"...) }

// within begins an event within an item.
func (w *Writer) within(dst []byte, name string, it *outputItem) wire.JSON {
	j := w.event(dst, name)
	j.TextMember("item_id", it.id)
	j.IntMember("output_index", int64(it.output))
	return j
}

func (w *Writer) part(index int) *outputItem {
	if index < 0 || index >= len(w.parts) {
		return nil
	}
	return w.parts[index]
}

func (w *Writer) partBegin(dst []byte, e *conversation.Event) []byte {
	for len(w.parts) <= e.Index {
		w.parts = append(w.parts, nil)
	}
	it := &outputItem{kind: e.Part}
	w.parts[e.Index] = it
	if it.kind == conversation.PartCall {
		it.callID, it.origin = e.Call.ID, w.originOf(e.Call.Name)
		return w.itemAdded(dst, it)
	}
	return dst // with its first text: an item without any is none
}

func (w *Writer) itemAdded(dst []byte, it *outputItem) []byte {
	it.added = true
	w.add(it)
	dst = w.itemEvent(dst, "response.output_item.added", it, false)
	switch {
	case it.kind == conversation.PartCall:
		return dst
	case it.kind == conversation.PartThinking:
		if it.ended {
			return dst // only encrypted
		}
		return w.partEvent(dst, "response.reasoning_summary_part.added", it, false)
	}
	return w.partEvent(dst, "response.content_part.added", it, false)
}

func (w *Writer) itemEvent(dst []byte, name string, it *outputItem, whole bool) []byte {
	j := w.event(dst, name)
	j.IntMember("output_index", int64(it.output))
	j.Name("item")
	it.write(&j, whole)
	return endEvent(j)
}

func (w *Writer) partEvent(dst []byte, name string, it *outputItem, whole bool) []byte {
	j := w.within(dst, name, it)
	it.position(&j)
	j.Name("part")
	it.writeContent(&j, whole)
	return endEvent(j)
}

// position writes which content of its item an event is about: there is one.
func (it *outputItem) position(j *wire.JSON) {
	switch it.kind {
	case conversation.PartThinking:
		j.RawMember("summary_index", "0")
	case conversation.PartCall:
	default:
		j.RawMember("content_index", "0")
	}
}

// deltaNames are the events that tell a piece of a part, doneNames those that tell all of it.
var (
	deltaNames = [...]string{
		conversation.PartText:     "response.output_text.delta",
		conversation.PartThinking: "response.reasoning_summary_text.delta",
		conversation.PartCall:     "response.function_call_arguments.delta",
		conversation.PartRefusal:  "response.refusal.delta",
	}
	doneNames = [...]string{
		conversation.PartText:     "response.output_text.done",
		conversation.PartThinking: "response.reasoning_summary_text.done",
		conversation.PartCall:     "response.function_call_arguments.done",
		conversation.PartRefusal:  "response.refusal.done",
	}
)

func (w *Writer) delta(dst []byte, e *conversation.Event) []byte {
	it := w.part(e.Index)
	if it == nil {
		return dst
	}
	it.logprobs = append(it.logprobs, e.Logprobs...)
	if e.Text == "" {
		return dst
	}
	if !it.added {
		dst = w.itemAdded(dst, it)
	}
	it.text.WriteString(e.Text)
	if it.kind == conversation.PartCall && it.origin.kind != typeFunction {
		return dst // told when it is whole
	}
	return w.piece(dst, it, e)
}

func (w *Writer) piece(dst []byte, it *outputItem, e *conversation.Event) []byte {
	j := w.within(dst, deltaNames[it.kind], it)
	it.position(&j)
	j.TextMember("delta", e.Text)
	if it.kind == conversation.PartText {
		j.Array("logprobs")
		writeLogprobs(&j, e.Logprobs)
		j.Close(']')
	}
	return endEvent(j)
}

// closeEnded closes the parts that have ended, which were not the last.
func (w *Writer) closeEnded(dst []byte) []byte {
	for len(w.ended) > 0 {
		it := w.ended[0]
		w.ended = slices.Delete(w.ended, 0, 1)
		dst = w.closeItem(dst, it, completed)
	}
	return dst
}

// closeAll closes everything at the end of an answer.
func (w *Writer) closeAll(dst []byte) []byte {
	for i, it := range w.parts {
		if it != nil {
			it.ended = true
			w.parts[i] = nil
			w.ended = append(w.ended, it)
		}
	}
	for i, it := range w.ended {
		status := completed
		if i == len(w.ended)-1 {
			status = w.status()
		}
		dst = w.closeItem(dst, it, status)
	}
	w.ended = nil
	return dst
}

func (w *Writer) closeItem(dst []byte, it *outputItem, status string) []byte {
	if it.empty() {
		return dst
	}
	if !it.added {
		dst = w.itemAdded(dst, it)
	}
	it.status = status
	switch {
	case it.kind == conversation.PartCall:
		dst = w.callDone(dst, it)
	case it.text.Len() > 0:
		dst = w.textDone(dst, it)
	}
	dst = w.itemEvent(dst, "response.output_item.done", it, true)
	if c := it.carrier(); c != nil {
		c.ended = true
		dst = w.itemAdded(dst, c)
		dst = w.itemEvent(dst, "response.output_item.done", c, true)
	}
	return dst
}

func (w *Writer) textDone(dst []byte, it *outputItem) []byte {
	j := w.within(dst, doneNames[it.kind], it)
	it.position(&j)
	member := "text"
	if it.kind == conversation.PartRefusal {
		member = "refusal"
	}
	j.TextMember(member, it.text.String())
	if it.kind == conversation.PartText {
		j.Array("logprobs")
		writeLogprobs(&j, it.logprobs)
		j.Close(']')
	}
	dst = endEvent(j)
	if it.kind == conversation.PartThinking {
		return w.partEvent(dst, "response.reasoning_summary_part.done", it, true)
	}
	return w.partEvent(dst, "response.content_part.done", it, true)
}

func (w *Writer) callDone(dst []byte, it *outputItem) []byte {
	switch it.origin.kind {
	case typeToolSearch, typeLocalShell:
		return dst
	case typeCustom:
		input := customInput(it.text.String())
		j := w.within(dst, "response.custom_tool_call_input.delta", it)
		j.TextMember("delta", input)
		j = w.within(endEvent(j), "response.custom_tool_call_input.done", it)
		j.TextMember("input", input)
		return endEvent(j)
	}
	if it.text.Len() == 0 {
		it.text.WriteString("{}")
		dst = w.piece(dst, it, &conversation.Event{Text: "{}"})
	}
	j := w.within(dst, doneNames[it.kind], it)
	j.TextMember("name", it.origin.name)
	j.TextMember("arguments", it.arguments())
	return endEvent(j)
}

// fail writes the error event, on which SDKs raise, and then response.failed, which is what readers that follow the life
// of a response wait for.
func (w *Writer) fail(dst []byte, fault *dialect.Error) []byte {
	w.failure = fault
	dst = w.closeEnded(dst)
	for _, it := range w.parts {
		if it != nil {
			it.status = incomplete
		}
	}
	j := w.event(dst, "error")
	_, _, body := fault.Response(w.op)
	p := wire.Parse(body)
	p.Object(func(key []byte) {
		if string(key) == "error" {
			inner := p.Raw()
			j.RawMember("error", string(inner))
			members(&j, inner)
		}
	})
	return w.last(endEvent(j), failed)
}

// members repeats code, message and param beside the error object, where OpenAI's reference has them.
func members(j *wire.JSON, inner []byte) {
	p := wire.Parse(bytes.Clone(inner))
	p.Object(func(key []byte) {
		switch name := string(key); name {
		case "code", "message", "param":
			j.RawMember(name, string(p.Raw()))
		}
	})
}
