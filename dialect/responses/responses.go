// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package responses is the codec of OpenAI's Responses (https://platform.openai.com/docs/api-reference/responses), which
// Codex and OpenAI's agents speak: it reads and writes requests, whole answers and streamed answers, and translates them
// from and to the types of package conversation. OpenAI's Chat Completions are package openai.
//
// Toward a tool, [DecodeRequest] reads its request and a [Writer] or [EncodeAnswer] writes its answer. Toward a backend
// that offers /v1/responses, [EncodeRequest] writes the request and a [Reader] or [DecodeAnswer] reads the answer. The
// exit uses it on what it has opened; nothing here does I/O, logs or is kept between calls.
//
// Invariants:
//
//   - What a tool sent is read, named in [conversation.Request.Unmapped], or refused by the name of its field. What a
//     request has and Responses cannot say is named in [conversation.Dropped], or refused.
//   - No error repeats bytes of a request or of a backend.
//   - Nothing is stored: what refers to something stored (previous_response_id, conversation, prompt, item references) is
//     refused, and backends are told to store nothing.
//   - A Writer numbers its events from 0 without gaps and ends every stream with exactly one of response.completed,
//     response.incomplete and response.failed.
//   - A Reader makes the same events of the same bytes however they are cut.
//
// Responses has kinds of tools that no other protocol has, but that tools run themselves: custom tools, whose input is
// text, tools in a namespace, the search for tools and the local shell. They become functions; the function's Raw says
// what it was, see [origin], so that a call of it goes back to the tool in the form that it knows.
//
// Values are not safe for concurrent use.
package responses

import (
	"errors"
	"net/http"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// Errors of reading a backend's answer.
var (
	// ErrMalformed is what is no answer of Responses.
	ErrMalformed = errors.New("responses: the backend's answer is malformed")
	// ErrCut is a stream that ended before the answer did.
	ErrCut = errors.New("responses: the backend's answer is not complete")
)

// Names of the protocol.
const (
	responsesPath = "/v1/responses"
	contentType   = "text/event-stream"

	typeMessage         = "message"
	typeReasoning       = "reasoning"
	typeFunction        = "function"
	typeFunctionCall    = "function_call"
	typeFunctionOutput  = "function_call_output"
	typeCustom          = "custom"
	typeCustomCall      = "custom_tool_call"
	typeCustomOutput    = "custom_tool_call_output"
	typeToolSearch      = "tool_search"
	typeToolSearchCall  = "tool_search_call"
	typeToolSearchOut   = "tool_search_output"
	typeLocalShell      = "local_shell"
	typeLocalShellCall  = "local_shell_call"
	typeLocalShellOut   = "local_shell_call_output"
	typeNamespace       = "namespace"
	typeAdditionalTools = "additional_tools"
	typeAgentMessage    = "agent_message"
	typeInputText       = "input_text"
	typeInputImage      = "input_image"
	typeInputFile       = "input_file"
	typeInputAudio      = "input_audio"
	typeOutputText      = "output_text"
	typeRefusal         = "refusal"
	typeSummaryText     = "summary_text"
	typeReasoningText   = "reasoning_text"

	includeReasoning = "reasoning.encrypted_content"
	includeLogprobs  = "message.output_text.logprobs"
)

// minOutputTokens is the smallest max_output_tokens that OpenAI takes.
const minOutputTokens = 16

// Unmapped names what a request may have that has a meaning here and in no other protocol. [DecodeRequest] puts those
// that are present, and not null, into the request's Unmapped, and the names of fields that nobody knows as well.
//
// The names without a dot are of the request. Of the others, "input." is followed by a field of an item, or by the type
// of an item that is left out of the conversation, because only OpenAI's own servers make and read it.
var Unmapped = []string{
	"client_metadata", "context_management", "include", "max_tool_calls", "metadata", "moderation", "prompt_cache_key",
	"prompt_cache_options", "prompt_cache_retention", "safety_identifier", "service_tier", "store", "stream_options",
	"truncation", "user", "text.verbosity", "reasoning.context", "reasoning.mode",
	"tools.allowed_callers", "tools.defer_loading", "tools.description", "tools.format", "tools.output_schema",
	"input.annotations", "input.caller", "input.detail", "input.phase", "input.prompt_cache_breakpoint",
	"input.code_interpreter_call", "input.computer_call", "input.computer_call_output", "input.configuration_update",
	"input.file_search_call", "input.ghost_snapshot", "input.image_generation_call", "input.mcp_approval_request",
	"input.mcp_approval_response", "input.mcp_call", "input.mcp_list_tools", "input.program", "input.program_output",
	"input.web_search_call",
}

// maxUnknown is how many fields that nobody knows are named of one request. Ours: a header has to hold them.
const maxUnknown = 16

// protocol is who makes the signatures of this codec's backends.
const protocol = service.OpenAI

// invalid is a request that is wrong, or that cannot be carried. The message names fields, never values.
func invalid(message string) *dialect.Error {
	return &dialect.Error{Code: dialect.CodeInvalidRequest, Status: http.StatusBadRequest, Message: message}
}
