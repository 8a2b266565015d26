// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package translate has a tool of one AI protocol understand a backend of another.
//
// It joins two codecs over the canonical conversation (package conversation): the codec of the tool's
// protocol reads the request and writes the answer, that of the backend's writes the request and reads
// the answer. It runs in the exit, which sees both in the clear. There is no I/O, and nothing is kept
// between exchanges; within a stream, no more than the codecs need to end it properly.
//
// Invariants:
//
//   - What the backend's protocol has no counterpart for is named in [Exchange.Dropped], never lost in
//     silence; where leaving it out would change what was asked, [New] refuses.
//   - Text of a backend's error never reaches the tool: its class does.
//   - A stream that breaks does not end like a complete one: [Exchange.End] then returns an error.
//
// Use:
//
//	x, problem := translate.New(op, body, translate.Target{Protocol: service.Ollama, Model: "llama3"})
//	// POST x.Path with x.Body to the backend, then, if x.Stream:
//	out, err = x.Feed(out, piece) // for each piece read, as it comes
//	out, err = x.End(out)
//	// or else
//	body, err = x.Answer(body)
package translate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/claude"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/gemini"
	"github.com/tokengo/tokengo/dialect/ollama"
	"github.com/tokengo/tokengo/dialect/openai"
	"github.com/tokengo/tokengo/dialect/responses"
	"github.com/tokengo/tokengo/service"
)

// ErrFailed is returned when the backend reported an error within its answer; the tool has been told.
var ErrFailed = errors.New("the backend failed within its answer")

// writer is a codec's writer of one streamed answer.
type writer interface {
	Event(dst []byte, e *conversation.Event) []byte
	End(dst []byte) []byte
	Idle(dst []byte) []byte
	ContentType() string
}

// reader is a codec's reader of one streamed answer.
type reader interface {
	Feed(dst []conversation.Event, p []byte) ([]conversation.Event, error)
	End(dst []conversation.Event) ([]conversation.Event, error)
}

// inbound is the half of a codec that faces tools.
type inbound struct {
	decode    func(dialect.Operation, []byte) (*conversation.Request, *dialect.Error)
	newWriter func(dialect.Operation, *conversation.Request) writer
	encode    func(dialect.Operation, *conversation.Request, *conversation.Answer) []byte
}

// outbound is the half of a codec that faces backends.
type outbound struct {
	encode    func(*conversation.Request, *conversation.Dropped) (string, []byte, *dialect.Error)
	newReader func(*conversation.Request) reader
	decode    func(*conversation.Request, []byte) ([]conversation.Event, error)
	errorCode func(int, []byte) dialect.Code
}

var (
	toOpenAI    = inbound{openai.DecodeRequest, writerOf(openai.NewWriter), openai.EncodeAnswer}
	toResponses = inbound{responses.DecodeRequest, writerOf(responses.NewWriter), responses.EncodeAnswer}
	toClaude    = inbound{claude.DecodeRequest, writerOf(claude.NewWriter), claude.EncodeAnswer}
	toGemini    = inbound{gemini.DecodeRequest, writerOf(gemini.NewWriter), gemini.EncodeAnswer}
	toOllama    = inbound{ollama.DecodeRequest, writerOf(ollama.NewWriter), ollama.EncodeAnswer}
)

// backends are the codecs toward backends, by the backend's protocol.
var backends = map[service.Protocol]outbound{
	service.OpenAI: {openai.EncodeRequest, readerOf(openai.NewReader), openai.DecodeAnswer, openai.ErrorCode},
	service.Claude: {claude.EncodeRequest, readerOf(claude.NewReader), claude.DecodeAnswer, claude.ErrorCode},
	service.Gemini: {gemini.EncodeRequest, readerOf(gemini.NewReader), gemini.DecodeAnswer, gemini.ErrorCode},
	service.Ollama: {ollama.EncodeRequest, readerOf(ollama.NewReader), ollama.DecodeAnswer, ollama.ErrorCode},
}

// writerOf makes a codec's constructor one of the interface.
func writerOf[W writer](construct func(dialect.Operation, *conversation.Request) W) func(dialect.Operation, *conversation.Request) writer {
	return func(op dialect.Operation, r *conversation.Request) writer { return construct(op, r) }
}

// readerOf does the same for readers.
func readerOf[R reader](construct func(*conversation.Request) R) func(*conversation.Request) reader {
	return func(r *conversation.Request) reader { return construct(r) }
}

// inboundOf is the codec for what a tool asks.
func inboundOf(op dialect.Operation) inbound {
	switch {
	case op.Kind == dialect.Responses:
		return toResponses
	case op.Protocol == service.Claude:
		return toClaude
	case op.Protocol == service.Gemini:
		return toGemini
	case op.Protocol == service.Ollama:
		return toOllama
	default:
		return toOpenAI
	}
}

// Local answers what needs no backend of the tool's own protocol: a count of tokens, which is an estimate
// (packages claude and gemini say how good), and Ollama's requests to load or unload a model. ok is false
// for all else.
func Local(op dialect.Operation, body []byte) (answer []byte, ok bool, problem *dialect.Error) {
	count, encode := claude.CountTokens, claude.EncodeCount
	switch {
	case op.Protocol == service.Ollama && (op.Kind == dialect.Chat || op.Kind == dialect.Completion):
		answer, ok = ollama.Load(op, body)
		return answer, ok, nil
	case op.Kind != dialect.CountTokens:
		return nil, false, nil
	case op.Protocol == service.Gemini:
		count, encode = gemini.CountTokens, gemini.EncodeCount
	}
	n, problem := count(body)
	if problem != nil {
		return nil, true, problem
	}
	return encode(n), true, nil
}

// Target is the backend's side of an exchange.
type Target struct {
	Protocol service.Protocol
	Model    string // as the backend knows it
	// MaxOutput is the longest answer of the model and MaxCtx its context window, in tokens; 0 is not known. They lower a
	// limit that the tool states, and stand in for one that it does not state and the backend's protocol demands.
	MaxOutput, MaxCtx int
	// ID and Created (Unix seconds) stand in an answer where the tool's protocol has an identifier and a
	// time of creation and the backend gave none.
	ID      string
	Created int64
}

// Exchange is one request and its answer, translated. It is used by one goroutine.
type Exchange struct {
	Path    string   // at the backend, with its query
	Body    []byte   // JSON
	Stream  bool     // whether the answer is to be streamed
	Dropped []string // names of what was left out

	answer    func(body []byte) ([]byte, error)
	errorCode func(status int, body []byte) dialect.Code
	target    Target
	asked     *asked               // nil for embeddings
	events    []conversation.Event // memory for those of one piece
	writer    writer               // of a stream, like reader
	reader    reader
	failed    bool
	failure   conversation.Failure // if failed
	said      bool                 // the answer has some content
}

// New translates a request. Its errors have the shape of the tool's protocol.
func New(op dialect.Operation, body []byte, to Target) (*Exchange, *dialect.Error) {
	_, known := backends[to.Protocol]
	// Responses and Chat Completions are one protocol by name, and two to say things in.
	if !known || !op.Translates(to.Protocol) && op.Kind != dialect.Responses {
		return nil, &dialect.Error{Code: dialect.CodeNoExit, Message: "This request cannot be translated for the exit's backend."}
	}
	if op.Kind == dialect.Embedding {
		return newEmbedding(op, body, to)
	}
	request, problem := inboundOf(op).decode(op, body)
	if problem != nil {
		return nil, problem
	}
	request.Model, request.MaxOutput = to.Model, to.MaxOutput
	request.Room = roomFor(request, to.MaxCtx)
	orderResults(request.Messages)
	return (&asked{op: op, to: to, request: request}).exchange()
}

// asked is a tool's request, understood.
type asked struct {
	op      dialect.Operation
	to      Target
	request *conversation.Request
}

// exchange writes the request for the backend.
func (a *asked) exchange() (*Exchange, *dialect.Error) {
	tool, backend, request := inboundOf(a.op), backends[a.to.Protocol], a.request
	x := &Exchange{Stream: request.Stream, errorCode: backend.errorCode, target: a.to, asked: a}
	var dropped conversation.Dropped
	dropped.Add(request.Unmapped...)
	var problem *dialect.Error
	if x.Path, x.Body, problem = backend.encode(request, &dropped); problem != nil {
		return nil, problem
	}
	x.Dropped = dropped.Names()
	if x.Stream {
		x.writer, x.reader = tool.newWriter(a.op, request), backend.newReader(request)
	}
	x.answer = func(body []byte) ([]byte, error) {
		answer, err := collect(backend.decode(request, body))
		if err != nil {
			return nil, err
		}
		answer.ID, answer.Created = cmp.Or(answer.ID, a.to.ID), cmp.Or(answer.Created, a.to.Created)
		return tool.encode(a.op, request, answer), nil
	}
	return x, nil
}

// orderResults puts the results of parallel calls into the order of the calls. Tools send them as they were
// done, and backends of protocols without identifiers tell them apart by name and place.
func orderResults(messages []conversation.Message) {
	calls := map[string]int{}
	for _, m := range messages {
		if m.Role == conversation.ToolResults {
			slices.SortStableFunc(m.Parts, func(a, b conversation.Part) int { return cmp.Compare(place(calls, a), place(calls, b)) })
			continue
		}
		for _, part := range m.Parts {
			if call, ok := part.(conversation.CallPart); ok && call.ID != "" {
				calls[call.ID] = len(calls)
			}
		}
	}
}

// place is where the call of a result was; results of unknown calls come last.
func place(calls map[string]int, part conversation.Part) int {
	if result, ok := part.(conversation.ResultPart); ok {
		if at, known := calls[result.CallID]; known {
			return at
		}
	}
	return len(calls)
}

// collect puts a whole answer together. One that the backend reports to have failed is an error.
func collect(events []conversation.Event, err error) (*conversation.Answer, error) {
	if err != nil {
		return nil, err
	}
	var c conversation.Collector
	for i := range events {
		c.Add(&events[i])
	}
	answer := c.Answer()
	if code := answer.Failure.Code; code != "" {
		return nil, &dialect.Error{Code: dialect.Code(code), RetryAfter: answer.Failure.RetryAfter}
	}
	return answer, nil
}

// ContentType is the media type of the answer.
func (x *Exchange) ContentType() string {
	if x.Stream {
		return x.writer.ContentType()
	}
	return "application/json"
}

// Feed takes what the backend sent, in pieces of any size, and appends what the tool is to get of it. It
// returns [ErrFailed] after the backend's own error was told, and other errors for an answer that cannot
// be understood.
func (x *Exchange) Feed(dst, p []byte) ([]byte, error) {
	events, err := x.reader.Feed(x.events[:0], p)
	dst = x.write(dst, events)
	switch {
	case x.failed:
		return x.writer.End(dst), ErrFailed
	case err != nil:
		return dst, fmt.Errorf("translate stream: %w", err)
	}
	return dst, nil
}

// End appends what completes the stream when the backend has ended its answer. It returns an error when
// that was too early, and then leaves it to the caller to break the stream off.
func (x *Exchange) End(dst []byte) ([]byte, error) {
	events, err := x.reader.End(x.events[:0])
	dst = x.write(dst, events)
	switch {
	case x.failed:
		return x.writer.End(dst), ErrFailed
	case err != nil:
		return dst, fmt.Errorf("translate stream: %w", err)
	}
	return x.writer.End(dst), nil
}

// Break appends what tells the tool that the answer broke off, in place of [Exchange.End].
func (x *Exchange) Break(dst []byte, code dialect.Code) []byte {
	failed := conversation.Event{Kind: conversation.Failed, Failure: conversation.Failure{Code: string(code)}}
	return x.writer.End(x.writer.Event(dst, &failed))
}

// Idle appends what keeps the tool waiting while the backend is silent, if its protocol has such a thing.
func (x *Exchange) Idle(dst []byte) []byte { return x.writer.Idle(dst) }

func (x *Exchange) write(dst []byte, events []conversation.Event) []byte {
	for i := range events {
		if events[i].Kind == conversation.Begin {
			events[i].ID = cmp.Or(events[i].ID, x.target.ID)
			events[i].Created = cmp.Or(events[i].Created, x.target.Created)
		}
		dst = x.writer.Event(dst, &events[i])
		switch events[i].Kind {
		case conversation.Failed:
			x.failed, x.failure = true, events[i].Failure
		case conversation.PartBegin:
			x.said = true
		}
	}
	x.events = events
	return dst
}

// Answer translates a whole answer. The error is a *[dialect.Error] when the backend reported one in it.
func (x *Exchange) Answer(body []byte) ([]byte, error) {
	out, err := x.answer(body)
	if err != nil {
		return nil, fmt.Errorf("translate answer: %w", err)
	}
	return out, nil
}
