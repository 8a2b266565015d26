// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package dialect knows how AI tools talk: which request a path means, which model it asks for and what else of whoever
// answers it, which headers belong to the protocol, what a list of models looks like, how an answer begins and how much it
// says, and how an error is told and read, before an answer and in the middle of one.
//
// The client uses it on what a tool sends, the exit on what it opened; both see the request in the clear. The relay must
// not be able to import it. There is no I/O here, no goroutine and no logging, and nothing is kept between calls.
//
// Invariants:
//
//   - What goes on is byte for byte what came in: [Operation.WithModel] changes the bytes of the model's name and no other,
//     and [Operation.Demand] takes out the fields that are the client's.
//   - A path is never forwarded as received. [Identify] builds a canonical one, and its query holds at most "alt=sse".
//   - The set of [Code]s is closed. One table gives each code its HTTP status, its error type in every protocol and its
//     default message.
//   - No error text repeats bytes of a request or of a peer.
//
// A request takes this way:
//
//	op, problem := dialect.Identify(r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header)
//	if problem != nil {
//		status, fields, body := problem.Response(op) // op has the protocol also when there is a problem
//	}
//	if op.Local() {
//		body := op.ModelsBody(models)
//	}
//	demand, problem := op.Demand(body) // what is asked for, and demand.Body without the client's own fields
//	model, problem := op.RequestModel(body)
//	op, body, err := op.WithModel(body, backendModel)
//
// And its answer this one, in pieces as they come:
//
//	opening := op.Opening(contentType) // whether it has begun, or begins with an error
//	if opening.Add(p) == dialect.Refused {
//		code := op.FaultCode(opening.Fault())
//	}
//	said := op.Said(contentType) // how much the model wrote, whatever the answer claims
//	said.Add(p)
//
// [Operation.FaultCode] reads an error that stands where an answer was promised, [Operation.ErrorCode] one that
// [Error.Response] made; [TooLong] says of any service's whether the request is longer than the model takes.
package dialect

import "github.com/tokengo/tokengo/service"

// Kind says what a request asks for.
type Kind uint8

// The kinds of request. The zero Kind belongs to no operation; an [Operation] that comes with an error may have it.
const (
	Chat        Kind = iota + 1 // a conversation: chat completions, messages, generateContent, /api/chat
	Completion                  // text from a prompt: /v1/completions, /api/generate
	Responses                   // OpenAI's Responses API
	Embedding                   // vectors for texts
	CountTokens                 // how many tokens a conversation has
	ListModels                  // every model on offer
	GetModel                    // one model, named by the path
	ShowModel                   // Ollama's /api/show: by its backend, or an exit's description
	ListLoaded                  // Ollama's /api/ps: none, since no model runs where the client does
	Version                     // Ollama's /api/version
	Root                        // GET or HEAD of "/", which tools use to see whether anybody is there
)

var kindNames = [...]string{
	"unknown", "chat", "completion", "responses", "embedding", "count_tokens", "list_models", "get_model", "show_model",
	"list_loaded", "version", "root",
}

// String returns the kind's name for logs and metrics: one of a closed set of lower-case words.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[0]
}

// Operation is one request of a tool, as its method, path and headers tell it. The zero value is no operation, but its
// errors still have a shape (OpenAI's).
type Operation struct {
	// Protocol is the one that the tool speaks; answers and errors have its shape.
	Protocol service.Protocol
	Kind     Kind
	// Model is the model that the path names, without gemini's "models/" but with its "tunedModels/"; "" where the
	// body names the model or there is none. See RequestModel.
	Model string
	// Stream is true where the path alone asks for a stream (gemini's streamGenerateContent). Other protocols ask in
	// the body, and the answer's content type tells.
	Stream bool
	// Path is the canonical path and query to send inside the seal, such as "/v1/messages" or
	// "/v1beta/models/x:streamGenerateContent?alt=sse". Identify of its two parts gives the same operation.
	Path string
}

// Local reports whether the client answers the operation itself, from the directory, so that nothing is sent.
func (op Operation) Local() bool {
	switch op.Kind {
	case ListModels, GetModel, ListLoaded, Version, Root:
		return true
	default:
		return false
	}
}
