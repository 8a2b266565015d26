// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"slices"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// Writer writes one streamed answer for a tool.
//
// The protocol's blocks follow each other, so of parts that interleave the first is passed on as it comes, and the
// others are held back until it ends; a text gives way to what begins after it, and goes on in another block.
type Writer struct {
	op      dialect.Operation
	head    answerHead
	pending bool // Begin has come and message_start is not written: usage may follow at once
	started bool
	over    bool // failed or ended
	usage   conversation.Usage
	finish  *conversation.Event
	parts   []*blockState // of the answer, by index; nil when it has ended
	active  *blockState   // the one that is passed on
	waiting []*blockState
	blocks  int // blocks written
	ending  ending
}

// ending is what decides about the reason to stop, besides the backend's.
type ending struct{ called, refused bool }

// blockState is a part of the answer on its way to become a block.
type blockState struct {
	kind      conversation.PartKind
	call      conversation.Call
	wire      int    // index of its block
	open      bool   // its block has begun
	held      []byte // text that is not written yet
	pieces    int    // of text so far
	ended     bool
	signature conversation.Signature
	redacted  string
}

// NewWriter returns a writer of the answer to req.
func NewWriter(op dialect.Operation, req *conversation.Request) *Writer {
	w := &Writer{op: op}
	if req != nil {
		w.head.model = req.Model
	}
	return w
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
		w.head.from(e)
		w.pending = true
		return dst
	case conversation.UsageKnown:
		w.usage.Merge(e.Usage)
		return w.start(dst)
	case conversation.Failed:
		return w.fail(dst, e)
	}
	w.pending = w.pending || !w.started
	dst = w.start(dst)
	switch e.Kind {
	case conversation.PartBegin:
		dst = w.partBegin(dst, e)
	case conversation.Delta:
		dst = w.delta(dst, e)
	case conversation.Signed:
		if b := w.part(e.Index); b != nil {
			b.signature, b.redacted = e.Signature, e.Redacted
		}
	case conversation.PartEnd:
		dst = w.partEnd(dst, e)
	case conversation.Finish:
		finish := *e
		w.finish = &finish
	}
	return dst
}

// Idle appends what may be sent while nothing comes.
func (w *Writer) Idle(dst []byte) []byte {
	dst = w.start(dst)
	if !w.started || w.over {
		return dst
	}
	return append(dst, "event: ping\ndata: {\"type\":\"ping\"}\n\n"...)
}

// End appends what closes the stream. An answer that has failed, or that has no reason to stop, gets no end, so that
// it does not look complete.
func (w *Writer) End(dst []byte) []byte {
	if w.over || w.finish == nil {
		return dst
	}
	dst = w.start(dst)
	for w.active != nil {
		w.active.ended = true
		dst = w.advance(dst)
	}
	w.over = true
	j := wire.JSON(event(dst, "message_delta"))
	j.Name("delta")
	j.Open('{')
	w.ending.write(&j, w.finish.Reason, w.finish.StopSequence)
	j.Close('}')
	j.Name("usage")
	writeDeltaUsage(&j, w.usage)
	dst = endEvent(j)
	return append(dst, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}

// event begins an event whose data is an object that has its type.
func event(dst []byte, name string) wire.JSON {
	dst = append(dst, "event: "...)
	dst = append(dst, name...)
	dst = append(dst, "\ndata: {\"type\":\""...)
	dst = append(dst, name...)
	return append(dst, '"')
}

func endEvent(j wire.JSON) []byte { return append(j, "}\n\n"...) }

func (w *Writer) start(dst []byte) []byte {
	if !w.pending {
		return dst
	}
	w.pending, w.started = false, true
	j := event(dst, "message_start")
	j.Name("message")
	j.Open('{')
	w.head.write(&j)
	j.RawMember("content", "[]")
	j.RawMember("stop_reason", "null")
	j.RawMember("stop_sequence", "null")
	j.Name("usage")
	writeUsage(&j, w.usage)
	j.Close('}')
	return endEvent(j)
}

func (w *Writer) fail(dst []byte, e *conversation.Event) []byte {
	w.over = true
	fault := dialect.Error{Code: dialect.Code(e.Failure.Code), RetryAfter: e.Failure.RetryAfter}
	return append(dst, fault.StreamEventAfter(w.op, contentType, nil)...)
}

func (w *Writer) part(index int) *blockState {
	if index < 0 || index >= len(w.parts) {
		return nil
	}
	return w.parts[index]
}

func (w *Writer) partBegin(dst []byte, e *conversation.Event) []byte {
	for len(w.parts) <= e.Index {
		w.parts = append(w.parts, nil)
	}
	b := &blockState{kind: e.Part, call: e.Call}
	w.parts[e.Index] = b
	w.ending.called = w.ending.called || b.kind == conversation.PartCall
	w.ending.refused = w.ending.refused || b.kind == conversation.PartRefusal
	w.waiting = append(w.waiting, b)
	if w.active != nil && w.active.textual() {
		dst = w.stop(dst, w.active)
		w.active = nil
	}
	return w.next(dst)
}

// next makes the part that waited longest the active one, if there is none.
func (w *Writer) next(dst []byte) []byte {
	if w.active != nil || len(w.waiting) == 0 {
		return dst
	}
	w.active = w.waiting[0]
	w.waiting = slices.Delete(w.waiting, 0, 1)
	if w.active.kind == conversation.PartCall && w.active.pieces == 1 {
		return dst
	}
	return w.flush(dst, w.active)
}

// textual reports whether the part can be cut in two blocks.
func (b *blockState) textual() bool {
	return b.kind == conversation.PartText || b.kind == conversation.PartRefusal
}

func (w *Writer) delta(dst []byte, e *conversation.Event) []byte {
	b := w.part(e.Index)
	if b == nil || e.Text == "" {
		return dst
	}
	b.pieces++
	if b != w.active && !slices.Contains(w.waiting, b) { // a text that gave way goes on
		w.waiting = append(w.waiting, b)
		dst = w.next(dst)
	}
	// The first piece of a call waits for the next event of the call: a signature goes before it.
	if b != w.active || b.kind == conversation.PartCall && b.pieces == 1 {
		b.held = append(b.held, e.Text...)
		return dst
	}
	dst = w.flush(dst, b)
	return w.piece(dst, b, e.Text)
}

func (w *Writer) partEnd(dst []byte, e *conversation.Event) []byte {
	b := w.part(e.Index)
	if b == nil {
		return dst
	}
	b.ended = true
	w.parts[e.Index] = nil
	if b == w.active {
		return w.advance(dst)
	}
	return dst
}

// advance ends the active part and goes on with those that waited, up to one that has not ended.
func (w *Writer) advance(dst []byte) []byte {
	for w.active != nil && w.active.ended {
		dst = w.finishBlock(dst, w.active)
		w.active = nil
		dst = w.next(dst)
	}
	return dst
}
