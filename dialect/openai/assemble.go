// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
)

// assembler makes events of chunks. Text, reasoning and refusals follow each other, one open at a time; calls stay open
// until the answer ends, because their arguments may interleave.
type assembler struct {
	out   []conversation.Event
	chunk chunk
	names map[string]string // of tools whose names were changed
	turn  int               // how many messages there were before, for ids
	stops []string          // asked for
	stop  string            // of them, the one that was met

	begun   bool
	done    bool // Finish or Failed was sent
	id      string
	parts   int // how many began
	open    conversation.PartKind
	part    int    // index of the open part
	mark    string // of the open reasoning
	detail  detail // of the open reasoning, if the mark is a detail's
	calls   []*call
	said    bool // there was text
	refused bool
	usage   conversation.Usage
	reason  conversation.Reason
}

// call is a tool call of the answer.
type call struct {
	index    int // as the backend counts
	indexed  bool
	id, name string
	part     int
	begun    bool
	ended    bool
	early    string // arguments that came before the name
}

func newAssembler(req *conversation.Request) assembler {
	return assembler{names: openaiapi.OriginalNames(req), turn: len(req.Messages), stops: req.Stop}
}

// take returns the events made so far and forgets them.
func (a *assembler) take() []conversation.Event {
	out := a.out
	a.out = nil
	return out
}

func (a *assembler) emit(e conversation.Event) { a.out = append(a.out, e) }

// add takes the chunk that was parsed last.
func (a *assembler) add() error {
	c := &a.chunk
	if c.failed || c.choice.finish == "error" { // OpenRouter's reason
		a.begin()
		a.done = true
		a.emit(conversation.Event{Kind: conversation.Failed, Failure: conversation.Failure{Code: string(c.fault.Code())}})
		return nil
	}
	if c.chosen || c.usage != (conversation.Usage{}) {
		a.begin()
	}
	if c.chosen {
		if err := a.choice(&c.choice); err != nil {
			return err
		}
	}
	if merged := a.usage; c.usage != (conversation.Usage{}) {
		if merged.Merge(c.usage); merged != a.usage {
			a.usage = merged
			a.emit(conversation.Event{Kind: conversation.UsageKnown, Usage: merged})
		}
	}
	return nil
}

func (a *assembler) begin() {
	if a.begun {
		return
	}
	a.begun, a.id = true, a.chunk.id
	a.emit(conversation.Event{Kind: conversation.Begin, ID: a.id, Model: a.chunk.model, Created: int64(a.chunk.created)})
}

func (a *assembler) choice(ch *choice) error {
	if ch.reasoning != "" && !slices.ContainsFunc(ch.details, func(d detail) bool { return d.text != "" }) {
		a.openThinking(ch.mark, detail{})
		a.delta(a.part, ch.reasoning, nil)
	}
	a.details(ch.details)
	if ch.content != "" || len(ch.logprobs) > 0 && ch.refusal == "" {
		a.openPart(conversation.PartText)
		a.delta(a.part, ch.content, ch.logprobs)
	}
	if ch.refusal != "" {
		a.openPart(conversation.PartRefusal)
		a.delta(a.part, ch.refusal, nil)
	}
	for i := range ch.calls {
		if err := a.callDelta(&ch.calls[i]); err != nil {
			return err
		}
	}
	if ch.finish == "" {
		return nil
	}
	if slices.Contains(a.stops, ch.stop) { // others have other words there
		a.stop = ch.stop
	}
	return a.finishReason(ch.finish)
}

func (a *assembler) delta(part int, text string, logprobs []conversation.Logprob) {
	a.emit(conversation.Event{Kind: conversation.Delta, Index: part, Text: text, Logprobs: logprobs})
}

// openPart makes a part of the kind the open one.
func (a *assembler) openPart(kind conversation.PartKind) {
	if a.open == kind {
		return
	}
	a.closePart()
	a.open = kind
	a.said = a.said || kind == conversation.PartText
	a.refused = a.refused || kind == conversation.PartRefusal
	a.part = a.next()
	a.emit(conversation.Event{Kind: conversation.PartBegin, Index: a.part, Part: kind})
}

func (a *assembler) next() int {
	a.parts++
	return a.parts - 1
}

// closePart ends the open part, if there is one. Reasoning is signed with where it came from.
func (a *assembler) closePart() {
	if a.open == 0 {
		return
	}
	if a.open == conversation.PartThinking {
		mark := a.mark
		if mark == markDetail {
			mark = a.detail.mark()
		}
		signature := conversation.Signature{By: own, Value: mark}
		a.emit(conversation.Event{Kind: conversation.Signed, Index: a.part, Signature: signature})
	}
	a.emit(conversation.Event{Kind: conversation.PartEnd, Index: a.part})
	a.open = 0
}

// openThinking makes reasoning from a field the open part, if it is not.
func (a *assembler) openThinking(mark string, d detail) {
	if a.open == conversation.PartThinking && a.mark == mark && (mark != markDetail || a.detail.continues(&d)) {
		a.detail.merge(&d)
		return
	}
	a.closePart()
	a.openPart(conversation.PartThinking)
	d.text = ""
	a.mark, a.detail = mark, d
}

// details takes reasoning as elements.
func (a *assembler) details(list []detail) {
	for i := range list {
		d := &list[i]
		a.openThinking(markDetail, *d)
		if d.kind == detailEncrypted {
			a.closePart()
		} else if d.text != "" {
			a.delta(a.part, d.text, nil)
		}
	}
}

func (a *assembler) callDelta(d *callDelta) error {
	c := a.find(d)
	if c == nil {
		if len(a.calls) >= maxCalls {
			return fmt.Errorf("%w: more than %d tool calls", ErrMalformed, maxCalls)
		}
		c = &call{index: d.index, indexed: d.indexed, id: d.id}
		a.calls = append(a.calls, c)
	}
	if c.id == "" {
		c.id = d.id
	}
	text := d.arguments
	if text == "null" {
		text = ""
	}
	if !c.begun {
		if c.name = d.name; c.name == "" {
			if c.early += text; len(c.early) > maxEarly {
				return fmt.Errorf("%w: a tool call without a name", ErrMalformed)
			}
			return nil
		}
		a.beginCall(c)
		text, c.early = c.early+text, ""
	}
	if text != "" && !c.ended {
		a.delta(c.part, text, nil)
	}
	return nil
}

// Ours: no model calls so many tools in one answer, or gives so many arguments before it says of what.
const (
	maxCalls = 1024
	maxEarly = 64 << 10
)

// find returns the call that a piece belongs to, nil if it is the first of one.
func (a *assembler) find(d *callDelta) *call {
	for _, c := range slices.Backward(a.calls) {
		switch {
		case d.indexed && c.indexed:
			if c.index != d.index {
				continue
			}
			if d.name != "" && c.begun && (d.id != c.id && d.id != "" || d.id == "" && d.name != c.name) {
				return nil // one index for all calls
			}
			return c
		case d.id != "":
			if c.id == d.id {
				return c
			}
		case d.name == "":
			return c // the last
		default:
			return nil
		}
	}
	return nil
}

func (a *assembler) beginCall(c *call) {
	a.closePart()
	c.begun, c.part = true, a.next()
	if original, ok := a.names[c.name]; ok {
		c.name = original
	}
	if c.id == "" || slices.ContainsFunc(a.calls, func(o *call) bool { return o != c && o.begun && o.id == c.id }) {
		answer := a.id
		if answer == "" {
			answer = strconv.Itoa(a.turn)
		}
		c.id = conversation.CallID(answer, c.part)
	}
	named := conversation.Call{ID: c.id, Name: c.name}
	a.emit(conversation.Event{Kind: conversation.PartBegin, Index: c.part, Part: conversation.PartCall, Call: named})
}

// finishReason takes a finish reason and ends what is open. It does not finish the answer: usage comes later, and a few
// backends say plain stop once more.
func (a *assembler) finishReason(word string) error {
	reason := reasonOf(word)
	if a.reason == 0 || a.reason == conversation.Stopped {
		a.reason = reason
	}
	a.closePart()
	for _, c := range a.calls {
		if !c.begun {
			return fmt.Errorf("%w: a tool call without a name", ErrMalformed)
		}
		if !c.ended {
			c.ended = true
			a.emit(conversation.Event{Kind: conversation.PartEnd, Index: c.part})
		}
	}
	return nil
}

func reasonOf(word string) conversation.Reason {
	switch word {
	case "length", "max_tokens", "model_length":
		return conversation.Length
	case "tool_calls", "function_call":
		return conversation.ToolCalls
	case "content_filter":
		return conversation.Filtered
	default:
		return conversation.Stopped
	}
}

// finish ends the answer.
func (a *assembler) finish() error {
	if a.done {
		return nil
	}
	a.begin()
	if err := a.finishReason("stop"); err != nil {
		return err
	}
	a.done = true
	a.emit(conversation.Event{Kind: conversation.Finish, Reason: a.lastReason(), StopSequence: a.stop})
	return nil
}

// lastReason puts right what backends report as a plain stop.
func (a *assembler) lastReason() conversation.Reason {
	switch {
	case len(a.calls) > 0 && a.reason == conversation.Stopped:
		return conversation.ToolCalls
	case len(a.calls) == 0 && a.reason == conversation.ToolCalls:
		return conversation.Stopped
	case a.refused && !a.said && a.reason == conversation.Stopped:
		return conversation.Refused
	}
	return a.reason
}
