// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"strconv"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// signatureField is a field of a tool call that is ours: what the backend of another protocol wants back with the call.
// Tools that send back calls as they got them, which is what Ollama's own documentation shows, send it, too.
const signatureField = "signature"

// Writer writes one streamed answer for a tool, a line for each piece of text and for each call.
type Writer struct {
	op      dialect.Operation
	head    head
	start   time.Time
	first   time.Time // when the answer began
	over    bool      // failed or ended
	usage   conversation.Usage
	finish  *conversation.Event
	parts   []partState // of the answer, by index
	callNum int         // calls begun so far
}

// partState is a part of the answer. Calls are held back until they are complete.
type partState struct {
	kind conversation.PartKind
	call *heldCall // that has not ended
}

type heldCall struct {
	conversation.Call
	index     int
	arguments []byte
	signature conversation.Signature
}

// NewWriter returns a writer of the answer to req.
func NewWriter(op dialect.Operation, req *conversation.Request) *Writer {
	h := headOf(op, req)
	return &Writer{op: op, head: h, start: h.created}
}

// headOf is the head of an answer that begins now.
func headOf(op dialect.Operation, req *conversation.Request) head {
	h := head{generate: op.Kind == dialect.Completion, created: time.Now()}
	if req != nil {
		h.model = req.Model
	}
	return h
}

// from takes what the backend says; what it does not say stays as it is.
func (h *head) from(model string, created int64) {
	if model != "" {
		h.model = model
	}
	if created > 0 {
		h.created = time.Unix(created, 0)
	}
}

// ContentType returns the media type of the stream.
func (w *Writer) ContentType() string { return streamType }

// Idle appends nothing: not every reader of JSON lines passes over an empty one.
func (w *Writer) Idle(dst []byte) []byte { return dst }

// Event appends what goes to the tool now, maybe nothing.
func (w *Writer) Event(dst []byte, e *conversation.Event) []byte {
	if w.over {
		return dst
	}
	switch e.Kind {
	case conversation.Begin:
		w.head.from(e.Model, e.Created)
		w.first = time.Now()
	case conversation.PartBegin:
		w.partBegin(e)
	case conversation.Delta:
		return w.delta(dst, e)
	case conversation.Signed:
		if p := w.part(e.Index); p != nil && p.call != nil {
			p.call.signature = e.Signature
		}
	case conversation.PartEnd:
		return w.partEnd(dst, e.Index)
	case conversation.UsageKnown:
		w.usage.Merge(e.Usage)
	case conversation.Finish:
		finish := *e
		w.finish = &finish
	case conversation.Failed:
		return w.fail(dst, e)
	}
	return dst
}

func (w *Writer) fail(dst []byte, e *conversation.Event) []byte {
	w.over = true
	fault := dialect.Error{Code: dialect.Code(e.Failure.Code), RetryAfter: e.Failure.RetryAfter}
	return append(dst, fault.StreamEventAfter(w.op, streamType, nil)...)
}

func (w *Writer) part(index int) *partState {
	if index < 0 || index >= len(w.parts) {
		return nil
	}
	return &w.parts[index]
}

func (w *Writer) partBegin(e *conversation.Event) {
	for len(w.parts) <= e.Index {
		w.parts = append(w.parts, partState{})
	}
	p := &w.parts[e.Index]
	p.kind = e.Part
	if e.Part == conversation.PartCall {
		p.call = &heldCall{Call: e.Call, index: w.callNum}
		w.callNum++
	}
}

func (w *Writer) delta(dst []byte, e *conversation.Event) []byte {
	p := w.part(e.Index)
	switch {
	case p == nil:
		return dst
	case p.call != nil:
		p.call.arguments = append(p.call.arguments, e.Text...)
		return dst
	case e.Text == "" && len(e.Logprobs) == 0, p.kind == conversation.PartCall:
		return dst
	}
	j := w.head.begin(dst)
	w.head.piece(&j, p.kind, e.Text)
	j.RawMember("done", "false")
	writeLogprobs(&j, e.Logprobs)
	return append(j, '}', '\n')
}

// piece writes a message with a piece of text.
func (h *head) piece(j *wire.JSON, kind conversation.PartKind, text string) {
	if kind != conversation.PartThinking {
		h.content(j, roleAssistant, text)
		return
	}
	if h.generate {
		j.RawMember("response", `""`)
		j.TextMember("thinking", text)
		return
	}
	j.Object("message")
	j.RawMember("role", `"assistant"`)
	j.RawMember("content", `""`)
	j.TextMember("thinking", text)
	j.Close('}')
}

// partEnd writes a call that is complete.
func (w *Writer) partEnd(dst []byte, index int) []byte {
	p := w.part(index)
	if p == nil || p.call == nil {
		return dst
	}
	j := w.head.begin(dst)
	if w.head.generate {
		j.RawMember("response", `""`)
	} else {
		j.Object("message")
		j.RawMember("role", `"assistant"`)
		j.RawMember("content", `""`)
	}
	j.Array("tool_calls")
	p.call.write(&j)
	j.Close(']')
	if !w.head.generate {
		j.Close('}')
	}
	j.RawMember("done", "false")
	p.call = nil
	return append(j, '}', '\n')
}

func (c *heldCall) write(j *wire.JSON) {
	j.Open('{')
	j.TextMember("id", c.ID)
	j.Object("function")
	j.IntMember("index", int64(c.index))
	j.TextMember("name", c.Name)
	j.RawMember("arguments", argumentsObject(c.arguments))
	j.Close('}')
	if c.signature.Value != "" && c.signature.By != protocol {
		j.TextMember(signatureField, c.signature.Wrap(protocol))
	}
	j.Close('}')
}

// End appends the last line, which has the counters. An answer that has failed, or that has no reason to stop, gets
// none, so that it does not look complete.
func (w *Writer) End(dst []byte) []byte {
	if w.over || w.finish == nil {
		return dst
	}
	for i := range w.parts { // that the reader did not end
		dst = w.partEnd(dst, i)
	}
	w.over = true
	j := w.head.begin(dst)
	w.head.content(&j, roleAssistant, "")
	writeEnd(&j, w.finish.Reason, w.usage, w.timing(time.Now()))
	return append(j, '}', '\n')
}

// timing is how long an answer took: in all, until it began, and from then on. 0 is not known.
type timing struct{ total, prompt, answer time.Duration }

func (w *Writer) timing(now time.Time) timing {
	t := timing{total: now.Sub(w.start)}
	if !w.first.IsZero() {
		t.prompt, t.answer = w.first.Sub(w.start), now.Sub(w.first)
	}
	return t
}

// writeEnd writes what the last line has besides its message. All counters are there, also those that are not known,
// because readers in languages with strict types miss them.
func writeEnd(j *wire.JSON, reason conversation.Reason, u conversation.Usage, t timing) {
	j.RawMember("done", "true")
	j.TextMember("done_reason", reasonName(reason))
	j.IntMember("total_duration", int64(t.total))
	j.IntMember("load_duration", 0)
	j.IntMember("prompt_eval_count", int64(u.Input))
	j.IntMember("prompt_eval_duration", int64(t.prompt))
	j.IntMember("eval_count", int64(u.Output))
	j.IntMember("eval_duration", int64(t.answer))
}

func reasonName(r conversation.Reason) string {
	switch r {
	case conversation.Length:
		return reasonLength
	case conversation.Filtered, conversation.Refused:
		return reasonFiltered
	default: // calls, too: that there are some says enough
		return reasonStop
	}
}

// EncodeAnswer writes a whole answer. How long it took is not known here.
func EncodeAnswer(op dialect.Operation, req *conversation.Request, a *conversation.Answer) []byte {
	h := headOf(op, req)
	h.from(a.Model, a.Created)
	m := collect(a)
	j := h.begin(nil)
	if !h.generate {
		j.Object("message")
		j.RawMember("role", `"assistant"`)
		j.TextMember("content", m.content)
	} else {
		j.TextMember("response", m.content)
	}
	j.TextIf("thinking", m.thinking)
	if len(m.calls) > 0 {
		j.Array("tool_calls")
		for i := range m.calls {
			m.calls[i].write(&j)
		}
		j.Close(']')
	}
	if !h.generate {
		j.Close('}')
	}
	writeEnd(&j, a.Reason, a.Usage, timing{})
	writeLogprobs(&j, m.logprobs)
	j.Close('}')
	return j
}

// wholeMessage is an answer's message.
type wholeMessage struct {
	content, thinking string
	calls             []heldCall
	logprobs          []conversation.Logprob
}

func collect(a *conversation.Answer) wholeMessage {
	var m wholeMessage
	for i := range a.Parts {
		p := &a.Parts[i]
		switch p.Kind {
		case conversation.PartThinking:
			m.thinking += p.Text
		case conversation.PartCall:
			m.calls = append(m.calls, heldCall{
				Call: p.Call, index: len(m.calls), arguments: []byte(p.Text), signature: p.Signature,
			})
		default:
			m.content += p.Text
			m.logprobs = append(m.logprobs, p.Logprobs...)
		}
	}
	return m
}

func appendUint8(dst []byte, b byte) []byte { return strconv.AppendUint(dst, uint64(b), 10) }
