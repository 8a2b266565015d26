// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package openaiapi is what OpenAI's two APIs have in common, chat completions (dialect/openai) and Responses
// (dialect/responses): what a model can do by its name ([FamilyOf]), names and ids as they are allowed ([WireName],
// [OriginalNames], [WireID]), what an error means ([ErrorCode], [ReadFault]), and probabilities of tokens ([ReadLogprobs]),
// which Ollama has in the same form.
//
// It knows no whole request or answer: those are the codecs', and so is how calls and results are paired, which the APIs
// need differently. It sees a request's names and settings, never its text, and of an error its type and code, never its
// message. The same name or id always becomes the same, so that a conversation that comes back is the same to a cache.
//
// There is no I/O here, no goroutine and no logging. All functions are safe for concurrent use.
package openaiapi
