// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"errors"

	"github.com/tokengo/tokengo/dialect/wire"
	"github.com/tokengo/tokengo/service"
)

// Stage is how far an answer has come.
type Stage uint8

// The stages, in their order.
const (
	// Silent: there is nothing, or nothing but signs of life: white space, comments, pings.
	Silent Stage = iota
	// Accepted: the backend says that it has taken the request up, and the model has not written anything: Claude's
	// message_start, the role in chat completions, response.created.
	Accepted
	// Begun: there is content, or an end, or something that is not known.
	Begun
	// Refused: an error stands in the place of content.
	Refused
)

// Opening watches an answer until it is clear how it begins. It is fed the answer's bytes as they come, in pieces of any
// size, and looks at no more of them than that takes. It keeps one unfinished event, up to 1 MiB.
type Opening struct {
	op      Operation
	stage   Stage
	seen    int                  // bytes so far
	fault   []byte               // the event with the error
	byEvent bool                 // it is a stream that can be read; else any byte counts
	feed    func(p []byte) error // calls event for each; nil from Begun on
	end     func() error         // as feed
}

// longestOpening is how many bytes may come before content. Where OpenAI's Responses API tells of the request that it has
// taken up, its first two events have all instructions and tools in them.
const longestOpening = 1 << 20

// errOpened ends the reading of events when it is known how an answer begins.
var errOpened = errors.New("the answer has begun")

// Opening returns what watches an answer of this content type to the operation. Where the type is no stream of events or
// lines that are known, an answer begins with the first byte that is no white space.
func (op Operation) Opening(contentType string) *Opening {
	o := &Opening{op: op, byEvent: true}
	switch f := framingOf(contentType); {
	case f == sse:
		var events wire.SSE
		o.feed = func(p []byte) error { return events.Feed(p, o.event) }
		o.end = func() error { return events.End(o.event) }
	case f == ndjson:
		var lines wire.Lines
		o.feed = func(p []byte) error { return lines.Feed(p, o.item) }
		o.end = func() error { return lines.End(o.item) }
	case op.Protocol == service.Gemini && op.Stream:
		var array wire.Array
		o.feed = func(p []byte) error { return array.Feed(p, o.item) }
		o.end = func() error { return array.End(o.item) }
	default:
		o.byEvent = false
	}
	return o
}

// Stage is what is known of the answer so far.
func (o *Opening) Stage() Stage { return o.stage }

// Fault is the error of an answer that is Refused, as [Operation.FaultCode] takes it, else nil.
func (o *Opening) Fault() []byte { return o.fault }

// Add takes in the next bytes of the answer. Once that has Begun, or is Refused, it does nothing.
func (o *Opening) Add(p []byte) Stage {
	if o.stage >= Begun {
		return o.stage
	}
	if !o.byEvent {
		if len(bytes.Trim(p, " \t\r\n")) > 0 { // as JSON has it: U+00A0 may come in two pieces
			o.stage = Begun
		}
		return o.stage
	}
	if o.seen += len(p); o.seen > longestOpening {
		o.settle(Begun)
		return o.stage
	}
	if o.feed(p) != nil { // which also ends what cannot be read, as what is not to be judged
		o.settle(max(o.stage, Begun))
	}
	return o.stage
}

// End tells that the answer is over: what came last may be a whole event. Nothing may be added after it.
func (o *Opening) End() Stage {
	if o.stage < Begun && o.end != nil {
		o.end() // an event that is not whole is none
		o.settle(o.stage)
	}
	return o.stage
}

// settle ends the reading of events, and lets go of what was kept for it: an answer may go on for long.
func (o *Opening) settle(stage Stage) { o.stage, o.feed, o.end = stage, nil, nil }

func (o *Opening) item(data []byte) error { return o.event("", data) }

// event looks at one event, line or element. What is called an error is one, whatever it says.
func (o *Opening) event(name string, data []byte) error {
	stage := stageOf(o.op, data)
	if name == "error" {
		stage = Refused
	}
	if stage == Refused {
		o.fault = append([]byte{}, data...)
	}
	o.stage = max(o.stage, stage)
	if o.stage >= Begun {
		return errOpened
	}
	return nil
}
