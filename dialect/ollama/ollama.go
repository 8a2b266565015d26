// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package ollama is the codec of Ollama's own protocol (docs.ollama.com/api): /api/chat, /api/generate, /api/embed and
// its predecessor /api/embeddings. It reads and writes requests, whole answers and streamed answers, and translates them
// from and to the types of package conversation.
//
// Toward a tool that speaks Ollama: [DecodeRequest], then [NewWriter] for a streamed answer or [EncodeAnswer] for a whole
// one; [Load] answers requests that ask for nothing but that a model be loaded. Toward a backend that speaks Ollama:
// [EncodeRequest], then [NewReader] for a streamed answer or [DecodeAnswer] for a whole one, and [ErrorCode] for an
// error. [ThinkingRefused] tells errors apart that go away when the request does not ask for reasoning.
//
// Both the exit's operator and whoever the exit belongs to may see what passes here; nothing is kept, logged or sent.
//
// Invariants:
//
//   - What the package says about a request (errors, names of dropped fields) is made of its own words and of field
//     names, never of a request's values.
//   - What cannot be said in the other form is named: by [Unmapped] and what [DecodeRequest] puts into the request, or in
//     what [EncodeRequest] adds to its dropped fields. What must not be left out is refused.
//   - Every line of a written stream is one JSON object and ends in a line feed. Tool calls are written when they are
//     complete, because the protocol has their arguments as objects.
//   - Memory of a [Reader] and a [Writer] is bounded by one line and by the calls that have not ended, not by the length
//     of a stream.
//
// Values are not safe for concurrent use.
package ollama

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// Names of the protocol (docs.ollama.com/api).
const (
	chatPath     = "/api/chat"
	generatePath = "/api/generate"
	embedPath    = "/api/embed"

	olderEmbedPath = "/api/embeddings" // of tools written before /api/embed; read, never written

	streamType = "application/x-ndjson"

	roleSystem    = "system"
	roleUser      = "user"
	roleAssistant = "assistant"
	roleTool      = "tool"

	reasonStop   = "stop"
	reasonLength = "length"
	reasonLoad   = "load"
	reasonUnload = "unload"
	// reasonFiltered is not Ollama's, which withholds nothing: it is the word that most other protocols have.
	reasonFiltered = "content_filter"

	maxTopLogprobs = 20 // top_logprobs
)

// Our own limits.
const (
	maxUnmapped = 32   // fields nobody knows that are named of one request: a header has to hold them
	maxHeld     = 4096 // probabilities of tokens that wait for the text that they belong to
)

// Errors of a backend's answer.
var (
	// ErrMalformed is an answer that is not in the protocol.
	ErrMalformed = errors.New("ollama: the backend's answer is malformed")
	// ErrCut is a stream that ended before the answer did.
	ErrCut = errors.New("ollama: the backend's answer is cut")
)

// Unmapped names the fields of a request that have no counterpart in any other protocol, most of them about how a server
// runs a model. [DecodeRequest] and [DecodeEmbedding] put those that are present, and not null, into the request's
// Unmapped, those of options by their own name, and the names of fields that nobody knows as well.
var Unmapped = []string{
	"_debug_render_only", "height", "keep_alive", "shift", "steps", "template", "truncate", "width",
	"f16_kv", "logits_all", "low_vram", "main_gpu", "mirostat", "mirostat_eta", "mirostat_tau", "num_batch", "num_ctx",
	"num_gpu", "num_keep", "num_thread", "numa", "penalize_newline", "repeat_last_n", "tfs_z", "typical_p", "use_mlock",
	"use_mmap", "vocab_only",
}

// invalid refuses a request, because it is wrong or because a backend would take it for another one.
func invalid(message string) *dialect.Error {
	return &dialect.Error{Code: dialect.CodeInvalidRequest, Status: http.StatusBadRequest, Message: message}
}

// ErrorCode is the class of an error that a backend answered with status and body.
func ErrorCode(status int, _ []byte) dialect.Code {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired, status == http.StatusForbidden:
		return dialect.CodeBackendAuth
	case status == http.StatusTooManyRequests:
		return dialect.CodeBackendRateLimited
	case status == http.StatusServiceUnavailable, status == 529:
		return dialect.CodeBackendOverloaded
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return dialect.CodeBackendTimeout
	case status >= 400 && status <= 499:
		return dialect.CodeBackendRejected
	default:
		return dialect.CodeBackendError
	}
}

// ThinkingRefused reports whether a backend's error answer says that the model cannot think, or not in the degree that
// was asked for. The same request with the zero Reasoning, which is the model's default, would have been taken. No other
// server refuses what a model merely cannot do better, so tools ask for reasoning without knowing the model.
func ThinkingRefused(status int, body []byte) bool {
	return status == http.StatusBadRequest &&
		(bytes.Contains(body, []byte("does not support thinking")) || bytes.Contains(body, []byte("think value")))
}

// EmbeddingRefused reports whether a backend's error answer to a request for embeddings says that the model makes none.
// Whether a model that answers does is not among its capabilities; the status is 501 at /api/embed, 500 at /api/embeddings.
func EmbeddingRefused(status int, body []byte) bool {
	return status >= http.StatusInternalServerError && bytes.Contains(body, []byte("does not support embeddings"))
}

// protocol is this package's.
const protocol = service.Ollama
