// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package openai is the codec of OpenAI's Chat Completions, of its older completions and of its embeddings
// (https://platform.openai.com/docs/api-reference), as tools speak them and as the many backends do that call themselves
// compatible. OpenAI's Responses are package responses.
//
// Toward a tool, [DecodeRequest] reads its request and a [Writer] or [EncodeAnswer] writes its answer. Toward a backend,
// [EncodeRequest] writes the request and a [Reader] or [DecodeAnswer] reads the answer. The exit uses it on what it has
// opened; nothing here does I/O, logs or is kept between calls.
//
// Invariants:
//
//   - What a tool sent is read, named in [conversation.Request.Unmapped], or refused by the name of its field.
//   - What a request has and Chat Completions cannot say is named in [conversation.Dropped], or refused where the answer
//     would be one to another question.
//   - A Reader makes the same events of the same bytes however they are cut, and keeps nothing that grows with them but
//     the signatures of reasoning.
//   - No error repeats bytes of a request or of a backend.
//
// Compatible backends differ. Where the specification leaves a choice, what most of them accept is sent: system for
// developer, plain strings for text, max_tokens to models that are not OpenAI's. Where they answer otherwise than
// OpenAI, the Reader takes it: reasoning under three names, tool calls without an index or an id, arguments in one piece
// or as an object, a stream without its last marker, an error in the middle of one.
package openai

import (
	"errors"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// Errors of reading a backend's answer.
var (
	// ErrMalformed is what is no answer of Chat Completions or embeddings.
	ErrMalformed = errors.New("openai: the backend's answer is malformed")
	// ErrCut is a stream that ended before the answer did.
	ErrCut = errors.New("openai: the backend's answer is not complete")
)

// Paths of operations.
const (
	chatPath      = "/v1/chat/completions"
	embeddingPath = "/v1/embeddings"
)

// Unmapped are the fields of requests that have a meaning in OpenAI's protocol and in no other. Those that a tool sends
// are in [conversation.Request.Unmapped] or [conversation.EmbeddingRequest.Unmapped].
var Unmapped = []string{
	"best_of", "echo", "logit_bias", "metadata", "prediction", "prompt_cache_key", "prompt_cache_retention",
	"safety_identifier", "service_tier", "store", "user", "verbosity", "web_search_options",
}

// maxUnmapped is how many fields nobody knows are named of one request. Ours: a header has to hold them.
const maxUnmapped = 32

// untranslatable is a request that is wrong, or that another protocol cannot carry. The message names fields, never
// values.
func untranslatable(message string) *dialect.Error {
	return &dialect.Error{Code: dialect.CodeInvalidRequest, Status: 400, Message: message}
}

// own is who makes the signatures that this codec reads.
const own = service.OpenAI
