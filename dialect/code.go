// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"net/http"

	"github.com/tokengo/tokengo/service"
)

// Code says what went wrong, and at which hop, in a word that tools can act on. The set is closed; every code is in one
// table with its HTTP status, its error type in each protocol and its default message.
type Code string

// What is wrong with the request itself. Client and exit find the same.
const (
	CodeNotJSON        Code = "not_json"                // 400: the body is not one JSON object
	CodeNoModel        Code = "no_model"                // 400: no model is named, or none that is certain
	CodeUnknownPath    Code = "unknown_path"            // 404: no operation has this path
	CodeMethod         Code = "method_not_allowed"      // 405: the path has another method
	CodeUpgrade        Code = "upgrade_not_supported"   // 426: a WebSocket was asked for; plain HTTP works
	CodeTooLarge       Code = "request_too_large"       // 413: the body is over the limit
	CodeMediaType      Code = "unsupported_media_type"  // 415: the body is not said to be JSON
	CodeUnauthorized   Code = "unauthorized"            // 401: the client has a token, and the tool did not show it
	CodeForbidden      Code = "forbidden"               // 403: not from a tool on this machine (a web page, another host name)
	CodeInvalidRequest Code = "invalid_request"         // 400: not as its protocol wants, or not to be said in the backend's
	CodeContextLength  Code = "context_length_exceeded" // 400: longer than the model's context window
	CodeUnknownModel   Code = "model_not_found"         // 404: no exit that may be used offers the model
)

// What fails between client, relay and exit.
const (
	CodeNoExit           Code = "no_exit"           // 503: no exit can serve the protocol and model now
	CodeRelayUnreachable Code = "relay_unreachable" // 502: no connection to the relay, or a certificate that is not its
	CodeRelayRefused     Code = "relay_refused"     // 502: the relay answered, but did not forward
	CodeExitUnreachable  Code = "exit_unreachable"  // 502: the relay has no tunnel to the exit; nothing reached it
	CodeExitLost         Code = "exit_lost"         // 502: the exit went away before it answered
	CodeExitTimeout      Code = "exit_timeout"      // 504: the exit did not answer in time
	CodeExitRefused      Code = "exit_refused"      // 502: the exit did not open the request (an outer error)
	CodeExitInvalid      Code = "exit_invalid"      // 502: the exit's answer does not open or parse
	CodeExitBusy         Code = "exit_busy"         // 429: the exit is at its limit
	CodeExitDraining     Code = "exit_draining"     // 503: the exit is shutting down and takes nothing new
	CodeStreamCut        Code = "stream_cut"        // 502: the answer broke off on its way to the client
)

// What the backend does, as its exit tells it.
const (
	CodeBackendUnreachable Code = "backend_unreachable"  // 502: no connection to the backend
	CodeBackendAuth        Code = "backend_auth"         // 502: the backend refused the exit's credentials (401, 403)
	CodeBackendRateLimited Code = "backend_rate_limited" // 429: the backend limits the exit
	CodeBackendOverloaded  Code = "backend_overloaded"   // 503, claude 529: the backend has too much to do
	CodeBackendRejected    Code = "backend_rejected"     // 400: the backend takes the request for wrong (other 4xx)
	CodeBackendError       Code = "backend_error"        // 500: the backend failed (other 5xx)
	CodeBackendTimeout     Code = "backend_timeout"      // 504: the backend did not answer in time, or stalled
	CodeBackendCut         Code = "backend_cut"          // 502: the backend's answer broke off
)

// CodeInternal is a fault of TokenGo's own, with status 500.
const CodeInternal Code = "internal"

// Error types of the protocols. OpenAI's: platform.openai.com/docs/guides/error-codes. Claude's:
// docs.claude.com/en/api/errors. Gemini's are names of google.rpc.Code. Ollama has none.
const (
	openAIInvalid = "invalid_request_error"
	openAIDenied  = "permission_error"
	openAIUnknown = "authentication_error"
	openAILimited = "rate_limit_error"
	openAIServer  = "server_error"

	claudeInvalid    = "invalid_request_error"
	claudeDenied     = "permission_error"
	claudeUnknown    = "authentication_error"
	claudeNotFound   = "not_found_error"
	claudeTooLarge   = "request_too_large"
	claudeLimited    = "rate_limit_error"
	claudeServer     = "api_error"
	claudeTimeout    = "timeout_error"
	claudeOverloaded = "overloaded_error"

	geminiInvalid       = "INVALID_ARGUMENT"
	geminiPrecondition  = "FAILED_PRECONDITION"
	geminiDenied        = "PERMISSION_DENIED"
	geminiUnknown       = "UNAUTHENTICATED"
	geminiNotFound      = "NOT_FOUND"
	geminiExhausted     = "RESOURCE_EXHAUSTED"
	geminiUnimplemented = "UNIMPLEMENTED"
	geminiUnavailable   = "UNAVAILABLE"
	geminiDeadline      = "DEADLINE_EXCEEDED"
	geminiInternal      = "INTERNAL"
)

// statusOverloaded is Claude's own status for overloaded_error.
const statusOverloaded = 529

// meaning is a row of the table.
type meaning struct {
	status                 int
	openAI, claude, gemini string
	noRetry                bool // official SDKs would send it again by themselves, to no good
	message                string
}

var meanings = map[Code]meaning{
	CodeNotJSON: {
		status: http.StatusBadRequest, openAI: openAIInvalid, claude: claudeInvalid, gemini: geminiInvalid,
		message: "The request body is not a JSON object. Correct it and send it again.",
	},
	CodeNoModel: {
		status: http.StatusBadRequest, openAI: openAIInvalid, claude: claudeInvalid, gemini: geminiInvalid,
		message: "The request names no model. Set it to one that the list of models shows.",
	},
	CodeUnknownPath: {
		status: http.StatusNotFound, openAI: openAIInvalid, claude: claudeNotFound, gemini: geminiNotFound,
		message: "TokenGo has no such path. Check the tool's base URL: it ends in /v1 for OpenAI tools, and has no path " +
			"for Claude, Gemini and Ollama tools.",
	},
	CodeMethod: {
		status: http.StatusMethodNotAllowed, openAI: openAIInvalid, claude: claudeInvalid, gemini: geminiUnimplemented,
		message: "This path does not answer that method.",
	},
	CodeUpgrade: {
		status: http.StatusUpgradeRequired, openAI: openAIInvalid, claude: claudeInvalid, gemini: geminiPrecondition,
		message: "TokenGo does not speak WebSocket here. Send the request as a POST; it can be streamed.",
	},
	CodeTooLarge: {
		status: http.StatusRequestEntityTooLarge, openAI: openAIInvalid, claude: claudeTooLarge, gemini: geminiInvalid,
		message: "The request body is over the size limit. Send less, for example fewer or smaller images.",
	},
	CodeMediaType: {
		status: http.StatusUnsupportedMediaType, openAI: openAIInvalid, claude: claudeInvalid, gemini: geminiInvalid,
		message: "The request body is not said to be JSON. Send it with content-type: application/json.",
	},
	CodeUnauthorized: {
		status: http.StatusUnauthorized, openAI: openAIUnknown, claude: claudeUnknown, gemini: geminiUnknown,
		message: "This client asks for its token. Give it to the tool as its API key.",
	},
	CodeInvalidRequest: {
		status: http.StatusBadRequest, openAI: openAIInvalid, claude: claudeInvalid, gemini: geminiInvalid,
		message: "The request is not what its protocol wants, or asks for what the protocol of the model's backend cannot " +
			"say. Leave that out, or choose a model that is offered over your tool's own protocol.",
	},
	CodeContextLength: {
		status: http.StatusBadRequest, openAI: openAIInvalid, claude: claudeInvalid, gemini: geminiInvalid,
		// Coding agents look for the first words, and then shorten the conversation by themselves.
		message: "prompt is too long: it does not fit into the model's context window. Shorten the conversation.",
	},
	CodeForbidden: {
		status: http.StatusForbidden, openAI: openAIDenied, claude: claudeDenied, gemini: geminiDenied,
		message: "The client answers tools on its own machine only, not web pages and not other host names. Use the " +
			"address that the client prints.",
	},
	CodeUnknownModel: {
		status: http.StatusNotFound, openAI: openAIInvalid, claude: claudeNotFound, gemini: geminiNotFound,
		message: "No exit offers this model. Choose one that the list of models shows.",
	},
	CodeNoExit: {
		status: http.StatusServiceUnavailable, openAI: openAIServer, claude: claudeServer, gemini: geminiUnavailable,
		message: "No exit that the client may use can serve this request now. See which there are with: tokengo exits list.",
	},
	CodeRelayUnreachable: {
		status: http.StatusBadGateway, openAI: openAIServer, claude: claudeServer, gemini: geminiUnavailable,
		message: "The client cannot reach its relay. Check the network and the relay's URL with its pin, or use another relay.",
	},
	CodeRelayRefused: {
		status: http.StatusBadGateway, openAI: openAIServer, claude: claudeServer, gemini: geminiUnavailable,
		message: "The relay did not forward the request. Try again later, or use another relay.",
	},
	CodeExitUnreachable: {
		status: http.StatusBadGateway, openAI: openAIServer, claude: claudeServer, gemini: geminiUnavailable,
		message: "The relay cannot reach the exit. Nothing was sent to it; try again, or choose another exit.",
	},
	CodeExitLost: {
		status: http.StatusBadGateway, openAI: openAIServer, claude: claudeServer, gemini: geminiUnavailable,
		message: "The exit went away before it answered. The request may have been processed; try again.",
	},
	CodeExitTimeout: {
		status: http.StatusGatewayTimeout, openAI: openAIServer, claude: claudeTimeout, gemini: geminiDeadline,
		noRetry: true,
		message: "The exit did not answer in time. The request may have been processed; try again, or raise the client's " +
			"timeout.",
	},
	CodeExitRefused: {
		status: http.StatusBadGateway, openAI: openAIServer, claude: claudeServer, gemini: geminiUnavailable,
		message: "The exit refused the sealed request, for example because its keys have just changed. Try again, or " +
			"choose another exit.",
	},
	CodeExitInvalid: {
		status: http.StatusBadGateway, openAI: openAIServer, claude: claudeServer, gemini: geminiInternal,
		noRetry: true,
		message: "The exit's answer is damaged or was tampered with, and was discarded. Choose another exit or relay.",
	},
	CodeExitBusy: {
		status: http.StatusTooManyRequests, openAI: openAILimited, claude: claudeLimited, gemini: geminiExhausted,
		message: "The exit is at its limit of requests. Try again in a while, or choose another exit.",
	},
	CodeExitDraining: {
		status: http.StatusServiceUnavailable, openAI: openAIServer, claude: claudeServer, gemini: geminiUnavailable,
		message: "The exit is shutting down and takes no new requests. Try again, or choose another exit.",
	},
	CodeStreamCut: {
		status: http.StatusBadGateway, openAI: openAIServer, claude: claudeServer, gemini: geminiUnavailable,
		message: "The answer broke off between the exit and the client and is not complete. Try again.",
	},
	CodeBackendUnreachable: {
		status: http.StatusBadGateway, openAI: openAIServer, claude: claudeServer, gemini: geminiUnavailable,
		message: "The exit cannot reach its AI backend. Try again later, or choose another exit.",
	},
	CodeBackendAuth: {
		status: http.StatusBadGateway, openAI: openAIServer, claude: claudeServer, gemini: geminiUnavailable,
		noRetry: true,
		message: "The AI backend refused the exit's own credentials; yours play no part. Choose another exit, or tell its " +
			"operator.",
	},
	CodeBackendRateLimited: {
		status: http.StatusTooManyRequests, openAI: openAILimited, claude: claudeLimited, gemini: geminiExhausted,
		message: "The AI backend limits the exit's rate of requests. Try again in a while, or choose another exit.",
	},
	CodeBackendOverloaded: {
		status: http.StatusServiceUnavailable, openAI: openAIServer, claude: claudeOverloaded, gemini: geminiUnavailable,
		message: "The AI backend is overloaded. Try again in a while, or choose another exit.",
	},
	CodeBackendRejected: {
		status: http.StatusBadRequest, openAI: openAIInvalid, claude: claudeInvalid, gemini: geminiInvalid,
		message: "The AI backend rejected the request as invalid. Check its parameters against the model's limits.",
	},
	CodeBackendError: {
		status: http.StatusInternalServerError, openAI: openAIServer, claude: claudeServer, gemini: geminiInternal,
		message: "The AI backend failed. Try again, or choose another exit.",
	},
	CodeBackendTimeout: {
		status: http.StatusGatewayTimeout, openAI: openAIServer, claude: claudeTimeout, gemini: geminiDeadline,
		noRetry: true,
		message: "The AI backend did not answer the exit in time. The request may have been processed; try again, or " +
			"choose another exit.",
	},
	CodeBackendCut: {
		status: http.StatusBadGateway, openAI: openAIServer, claude: claudeServer, gemini: geminiUnavailable,
		message: "The AI backend's answer to the exit broke off and is not complete. Try again.",
	},
	CodeInternal: {
		status: http.StatusInternalServerError, openAI: openAIServer, claude: claudeServer, gemini: geminiInternal,
		message: "TokenGo failed in a way that it should not. Try again; if it stays, please report it.",
	},
}

// meaning returns the code's row. A code from elsewhere is an internal fault.
func (c Code) meaning() meaning {
	if m, ok := meanings[c]; ok {
		return m
	}
	return meanings[CodeInternal]
}

// Message returns the default text of the code: which hop failed and what the user can do, in one or two sentences.
func (c Code) Message() string { return c.meaning().message }

// statusIn returns the HTTP status in a protocol.
func (m meaning) statusIn(p service.Protocol) int {
	if p == service.Claude && m.claude == claudeOverloaded {
		return statusOverloaded
	}
	return m.status
}
