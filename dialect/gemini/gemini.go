// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package gemini is the codec of Google's Gemini protocol (generateContent and streamGenerateContent of
// ai.google.dev/api, version v1beta): it reads and writes requests, whole answers, streamed answers and embeddings, and
// translates them from and to the types of package conversation.
//
// Toward a tool that speaks Gemini: [DecodeRequest], then [NewWriter] for a streamed answer or [EncodeAnswer] for a whole
// one; [CountTokens] and [EncodeCount] for its countTokens; [DecodeEmbedding] and [EncodeEmbeddingAnswer]. Toward a
// backend that speaks Gemini: [EncodeRequest], then [NewReader] for a streamed answer or [DecodeAnswer] for a whole one,
// and [ErrorCode] for an error; [EncodeEmbedding] and [DecodeEmbeddingAnswer].
//
// Both the exit's operator and whoever the exit belongs to may see what passes here; nothing is kept, logged or sent.
//
// Invariants:
//
//   - What the package says about a request (errors, names of dropped fields) is made of its own words and of field
//     names, never of a request's values.
//   - What cannot be said in the other form is named: by [Unmapped] and what [DecodeRequest] puts into the request, or in
//     what [EncodeRequest] adds to its dropped fields. What must not be left out is refused.
//   - Field names are read as the service reads them, in camelCase and in snake_case; what is written is camelCase.
//   - All results of one turn's calls stand in one content, in order, because the service counts them.
//   - Memory of a [Reader] does not grow with the stream. A [Writer] holds the arguments of calls that are not complete,
//     because the protocol has them in one piece.
//
// Values are not safe for concurrent use.
package gemini

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// Names of the protocol (ai.google.dev/api/generate-content).
const (
	pathPrefix       = "/v1beta/"
	modelsPrefix     = "models/"
	tunedPrefix      = "tunedModels/"
	verbGenerate     = ":generateContent"
	verbStream       = ":streamGenerateContent?alt=sse"
	verbEmbed        = ":embedContent"
	verbEmbedBatch   = ":batchEmbedContents"
	uploadedFilesURL = "https://generativelanguage.googleapis.com/"

	typeSSE   = "text/event-stream"
	typeArray = "application/json"
	jsonType  = "application/json"

	roleUser  = "user"
	roleModel = "model"

	maxStops   = 5  // stopSequences
	maxTopLogs = 20 // logprobs

	statusOverloaded = 529 // no standard one, but gateways in front of the service have it
)

// functionNames are those that the protocol takes (ai.google.dev/api/caching#FunctionDeclaration).
var functionNames = conversation.NameRule{Longest: 128, Also: ".:", Initial: true}

// Errors of a backend's answer.
var (
	// ErrMalformed is an answer that is not in the protocol.
	ErrMalformed = errors.New("gemini: the backend's answer is malformed")
	// ErrCut is a stream that ended before the answer did.
	ErrCut = errors.New("gemini: the backend's answer is cut")
)

// Unmapped names the fields of a request that have no counterpart in any other protocol. [DecodeRequest] puts those that
// are present, and not null, into the request's Unmapped, by their own name without what they stand in, and the names of
// fields that nobody knows as well.
var Unmapped = []string{
	"labels", "safetySettings", "serviceTier", "store", // of the request
	"audioTimestamp", "audioTranscriptionConfig", "enableAffectiveDialog", "enableEnhancedCivicAnswers", "imageConfig",
	"mediaResolution", "modelSelectionConfig", "routingConfig", "speechConfig", "translationConfig", // of generationConfig
	"includeServerSideToolInvocations", "retrievalConfig", "streamFunctionCallArguments", // of toolConfig
	"behavior", "response", "responseJsonSchema", // of a function declaration
	"mediaProcessing", "partMetadata", "scheduling", "speechMetadata", "toolCall", "toolResponse", "videoMetadata",
	"willContinue", // of a part and what is in it
}

// invalid is the answer to a request that is not in the protocol.
func invalid(message string) *dialect.Error {
	return &dialect.Error{Code: dialect.CodeInvalidRequest, Status: http.StatusBadRequest, Message: message}
}

// untranslatable is the answer to a request that would mean something else if what cannot be translated were left out.
func untranslatable(message string) *dialect.Error {
	return &dialect.Error{Code: dialect.CodeInvalidRequest, Status: http.StatusBadRequest, Message: message}
}

// resource is a model's resource name.
func resource(model string) string {
	if strings.HasPrefix(model, modelsPrefix) || strings.HasPrefix(model, tunedPrefix) {
		return model
	}
	return modelsPrefix + model
}

// pathOf is the path of a method of a model.
func pathOf(model, verb string) string {
	collection, id, _ := strings.Cut(resource(model), "/")
	return pathPrefix + collection + "/" + strings.ReplaceAll(url.PathEscape(id), "%2F", "/") + verb
}

// ErrorCode is the class of an error that a backend answered with status and body.
func ErrorCode(status int, body []byte) dialect.Code {
	f := readFault(body)
	return f.codeOf(status)
}

// RetryAfter is how many seconds to wait, as digits, that an error's body says: the service has no header for it. It is ""
// where the body does not say.
func RetryAfter(body []byte) string { return readFault(body).retryAfter }

// codeOf is the class of an error with an HTTP status.
func (f *fault) codeOf(status int) dialect.Code {
	switch {
	case f.badKey, status == http.StatusUnauthorized, status == http.StatusPaymentRequired, status == http.StatusForbidden:
		return dialect.CodeBackendAuth
	case status == http.StatusTooManyRequests, f.name == "RESOURCE_EXHAUSTED":
		return dialect.CodeBackendRateLimited
	case status == http.StatusServiceUnavailable, status == statusOverloaded, f.name == "UNAVAILABLE":
		return dialect.CodeBackendOverloaded
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout, f.name == "DEADLINE_EXCEEDED":
		return dialect.CodeBackendTimeout
	case status >= 400 && status <= 499:
		return dialect.CodeBackendRejected
	default:
		return dialect.CodeBackendError
	}
}

// protocol is this package's.
const protocol = service.Gemini
