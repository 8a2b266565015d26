// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// Reader reads one streamed answer of a backend, of /api/chat or of /api/generate.
type Reader struct {
	lines  wire.Lines
	answer answerEvents
	line   line
}

// NewReader returns a reader of the answer to a request.
func NewReader(req *conversation.Request) *Reader {
	r := &Reader{}
	if req != nil {
		r.answer.turn = len(req.Messages)
	}
	return r
}

// Feed takes the next piece of the stream and appends the events that it completes. The error wraps [ErrMalformed].
func (r *Reader) Feed(dst []conversation.Event, p []byte) ([]conversation.Event, error) {
	err := r.lines.Feed(p, func(data []byte) error {
		if r.answer.over {
			return nil
		}
		if err := r.line.parse(data, !r.answer.began); err != nil {
			return err
		}
		dst = r.answer.add(dst, &r.line)
		return nil
	})
	if err != nil {
		return dst, fmt.Errorf("%w: read a line of its stream: %w", ErrMalformed, err)
	}
	return dst, nil
}

// End tells that the stream is over and appends the events that are left. The error is [ErrCut] if the backend had not
// finished.
func (r *Reader) End(dst []conversation.Event) ([]conversation.Event, error) {
	err := r.lines.End(func(data []byte) error {
		if r.answer.over || r.line.parse(data, !r.answer.began) != nil {
			return nil // a line that was cut; what is missing shows below
		}
		dst = r.answer.add(dst, &r.line)
		return nil
	})
	switch {
	case err != nil:
		return dst, fmt.Errorf("%w: read the last line of its stream: %w", ErrMalformed, err)
	case r.answer.over:
		return dst, nil
	case r.answer.reason != "":
		return r.answer.finish(dst), nil
	}
	return dst, ErrCut
}

// DecodeAnswer reads a whole answer as the sequence of events that a stream of it would be. A backend that streams
// though it was not asked to is understood, too. Errors wrap [ErrMalformed], or are [ErrCut].
func DecodeAnswer(req *conversation.Request, body []byte) ([]conversation.Event, error) {
	r := NewReader(req)
	if r.line.parse(body, true) == nil {
		if !r.line.known && !r.line.failed {
			return nil, fmt.Errorf("%w: it has neither a message nor an error", ErrMalformed)
		}
		dst := r.answer.add(nil, &r.line)
		switch {
		case r.answer.over:
			return dst, nil
		case r.line.more && r.line.reason == "":
			return dst, ErrCut
		}
		return r.answer.finish(dst), nil
	}
	dst, err := r.Feed(nil, body)
	if err != nil {
		return nil, err
	}
	if dst, err = r.End(dst); errors.Is(err, ErrCut) && len(dst) == 0 {
		return nil, fmt.Errorf("%w: it is no JSON object", ErrMalformed)
	}
	return dst, err
}

// answerEvents makes events of what a backend says.
type answerEvents struct {
	began, over bool
	open        conversation.PartKind // of the last part, 0 if it has ended
	parts       int                   // begun so far
	ids         []string              // of the calls so far
	turn        int                   // in the conversation
	prefix      string                // of ids that are made, different in each answer of a conversation
	held        []conversation.Logprob
	reason      string
	usage       conversation.Usage
}

// add takes in a line.
func (a *answerEvents) add(dst []conversation.Event, l *line) []conversation.Event {
	dst = a.begin(dst, l)
	if l.failed {
		return a.fail(dst, l)
	}
	a.hold(l.logprobs)
	dst = a.text(dst, conversation.PartThinking, l.thinking)
	dst = a.text(dst, conversation.PartText, l.content)
	for i := range l.calls {
		dst = a.call(dst, &l.calls[i])
	}
	a.usage.Merge(l.usage)
	if l.reason != "" {
		a.reason = l.reason
	}
	if l.done {
		return a.finish(dst)
	}
	return dst
}

func (a *answerEvents) begin(dst []conversation.Event, l *line) []conversation.Event {
	if a.began {
		return dst
	}
	a.began = true
	e := conversation.Event{Kind: conversation.Begin, Model: l.model}
	a.prefix = strconv.Itoa(a.turn)
	if !l.created.IsZero() {
		e.Created = l.created.Unix()
		a.prefix = strconv.FormatInt(l.created.UnixNano(), 36)
	}
	return append(dst, e)
}

func (a *answerEvents) fail(dst []conversation.Event, l *line) []conversation.Event {
	a.over = true
	code := dialect.CodeBackendError
	if l.status >= 400 {
		code = ErrorCode(l.status, nil)
	}
	return append(dst, conversation.Event{Kind: conversation.Failed, Failure: conversation.Failure{Code: string(code)}})
}

// hold keeps probabilities of tokens for the next text: the server tells those of tokens that it holds back itself,
// until it knows whether they are a call.
func (a *answerEvents) hold(list []conversation.Logprob) {
	switch {
	case len(a.held) == 0:
		a.held = list
	case len(a.held)+len(list) <= maxHeld:
		a.held = append(a.held, list...)
	}
}

func (a *answerEvents) text(dst []conversation.Event, kind conversation.PartKind, text string) []conversation.Event {
	if text == "" {
		return dst
	}
	if a.open != kind {
		dst = a.end(dst)
		dst = append(dst, conversation.Event{Kind: conversation.PartBegin, Index: a.parts, Part: kind})
		a.open = kind
		a.parts++
	}
	e := conversation.Event{Kind: conversation.Delta, Index: a.parts - 1, Text: text, Logprobs: a.held}
	a.held = nil
	return append(dst, e)
}

// call tells a call, which comes whole.
func (a *answerEvents) call(dst []conversation.Event, c *lineCall) []conversation.Event {
	dst = a.end(dst)
	a.held = nil // of the call
	index := a.parts
	a.parts++
	return append(
		dst,
		conversation.Event{
			Kind: conversation.PartBegin, Index: index, Part: conversation.PartCall,
			Call: conversation.Call{ID: a.callID(c.id), Name: c.name},
		},
		conversation.Event{Kind: conversation.Delta, Index: index, Text: compact(c.arguments)},
		conversation.Event{Kind: conversation.PartEnd, Index: index},
	)
}

// callID is the id of the next call. Older servers have none.
func (a *answerEvents) callID(id string) string {
	if id == "" || slices.Contains(a.ids, id) {
		id = conversation.CallID(a.prefix, len(a.ids))
	}
	a.ids = append(a.ids, id)
	return id
}

// end ends the open part, if there is one.
func (a *answerEvents) end(dst []conversation.Event) []conversation.Event {
	if a.open == 0 {
		return dst
	}
	a.open = 0
	return append(dst, conversation.Event{Kind: conversation.PartEnd, Index: a.parts - 1})
}

func (a *answerEvents) finish(dst []conversation.Event) []conversation.Event {
	a.over = true
	dst = a.end(dst)
	if a.usage != (conversation.Usage{}) {
		dst = append(dst, conversation.Event{Kind: conversation.UsageKnown, Usage: a.usage})
	}
	return append(dst, conversation.Event{Kind: conversation.Finish, Reason: a.finishReason()})
}

// finishReason is why the answer ended. The server says that it stopped, also when it waits for results of calls.
func (a *answerEvents) finishReason() conversation.Reason {
	switch {
	case a.reason == reasonLength:
		return conversation.Length
	case a.reason == reasonFiltered:
		return conversation.Filtered
	case len(a.ids) > 0:
		return conversation.ToolCalls
	default:
		return conversation.Stopped
	}
}
