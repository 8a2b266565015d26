// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

// Fields names what of a tool's request is translated, in the order of the table in docs/protocols.md, which a test holds
// against this list, and the list against what the decoder reads. A name after a dot is a member of what is before it,
// wherever that stands. What is not here, in [Unmapped] or in [Refused] is a field that nobody knows.
var Fields = []string{
	"model", "stream", "messages", "messages.role", "messages.name", "system", "messages.content", "prompt",
	"messages.images", "images", "messages.tool_calls", "tool_calls.id", "tool_calls.function", "function.name",
	"function.arguments", "messages.tool_name", "messages.tool_call_id", "messages.thinking",
	"tool_calls.signature", "tools", "tools.type", "tools.function", "function.description",
	"function.parameters", "function.strict", "options.num_predict", "options.stop", "options.temperature",
	"options.top_p", "options.top_k", "options.min_p", "options.frequency_penalty", "options.presence_penalty",
	"options.repeat_penalty", "options.seed", "logprobs", "top_logprobs", "format", "think", "suffix", "input",
	"dimensions", "options",
}

// Refused names the fields of a request that are refused, because no other protocol can carry them and the answer would be
// one to another question.
var Refused = []string{"raw", "context"}
