// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package claude is the codec of Claude's Messages protocol: it reads and writes requests, whole answers and streamed
// answers, and translates them from and to the types of package conversation.
//
// Toward a tool that speaks Claude: [DecodeRequest], then [NewWriter] for a streamed answer or [EncodeAnswer] for a
// whole one; [CountTokens] and [EncodeCount] for its count_tokens. Toward a backend that speaks Claude:
// [EncodeRequest], then [NewReader] for a streamed answer or [DecodeAnswer] for a whole one, and [ErrorCode] for an
// error.
//
// Both the exit's operator and whoever the exit belongs to may see what passes here; nothing is kept, logged or sent.
//
// Invariants:
//
//   - What the package says about a request (errors, names of dropped fields) is made of its own words and of field
//     names, never of a request's values.
//   - What cannot be said in the other form is named: by [Unmapped] and what [DecodeRequest] puts into the request, or
//     in what [EncodeRequest] adds to its dropped fields. What must not be left out is refused.
//   - Blocks of a written stream follow each other: one ends before the next begins, because accumulators of some SDKs
//     put every delta into the last block.
//   - Memory of a [Reader] and a [Writer] is bounded by what is held back of interleaved parts, not by the length of a
//     stream.
//
// Values are not safe for concurrent use.
package claude

import (
	"errors"
	"net/http"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// Names of the protocol (docs.claude.com/en/api/messages).
const (
	messagesPath = "/v1/messages"
	contentType  = "text/event-stream"
	plainType    = "text/plain"
	pdfType      = "application/pdf"

	roleUser      = "user"
	roleAssistant = "assistant"
	roleSystem    = "system"

	typeText             = "text"
	typeImage            = "image"
	typeDocument         = "document"
	typeSearchResult     = "search_result"
	typeThinking         = "thinking"
	typeRedactedThinking = "redacted_thinking"
	typeToolUse          = "tool_use"
	typeToolResult       = "tool_result"

	minBudget         = 1024 // budget_tokens of thinking
	maxCacheControls  = 4    // cache breakpoints of a request
	maxTemperature    = 1.0
	minTopPOfThinking = 0.95
)

// functionNames are those of tools that the protocol takes.
var functionNames = conversation.NameRule{Longest: 128}

// Errors of a backend's answer.
var (
	// ErrMalformed is an answer that is not in the protocol.
	ErrMalformed = errors.New("claude: the backend's answer is malformed")
	// ErrCut is a stream that ended before the answer did.
	ErrCut = errors.New("claude: the backend's answer is cut")
)

// Unmapped names the fields of a request that have no counterpart in any other protocol. [DecodeRequest] puts those
// that are present, and not null, into the request's Unmapped, and the names of fields that nobody knows as well.
//
// The names without a dot are of the request. Of the others, "messages." is followed by the type of a content block
// that is left out of the conversation, because only Claude's own servers make and read it.
var Unmapped = []string{
	"billing_policy", "cache_control", "compaction", "container", "context_management", "diagnostics",
	"fallback_credit_token", "fallbacks", "inference_geo", "mcp_servers", "metadata", "service_tier", "speed", "thread",
	"user_profile_id", "workspace_id",
	"output_config.task_budget", "thinking.between_tools",
	"tools.allowed_callers", "tools.defer_loading", "tools.eager_input_streaming", "tools.input_examples",
	"document.citations", "document.context", "image.transformations", "text.citations", "system.clear_at",
	"messages.bash_code_execution_tool_result", "messages.browser_state", "messages.code_execution_tool_result",
	"messages.compaction", "messages.container_upload", "messages.fallback", "messages.mcp_tool_result",
	"messages.mcp_tool_use", "messages.server_tool_use", "messages.text_editor_code_execution_tool_result",
	"messages.tool_addition", "messages.tool_reference", "messages.tool_removal", "messages.tool_search_tool_result",
	"messages.web_fetch_tool_result", "messages.web_search_tool_result",
}

// invalid refuses a request of a tool.
func invalid(message string) *dialect.Error {
	return &dialect.Error{Code: dialect.CodeInvalidRequest, Status: http.StatusBadRequest, Message: message}
}

// protocol is who makes the signatures of this codec's backends.
const protocol = service.Claude
