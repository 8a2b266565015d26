// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

// Fields names what of a tool's request is translated, in the order of the table in docs/protocols.md, which a test holds
// against this list, and the list against what the decoder reads. A name after a dot is a member of what is before it,
// wherever that stands. What is not here, in [Unmapped] or in [Refused] is a field that nobody knows.
var Fields = []string{
	"model", "stream", "messages", "messages.role", "system", "messages.content", "content.type", "content.text",
	"source.content", "content.source", "source.type", "source.media_type", "source.data", "source.url",
	"source.file_id", "content.title", "content.id", "content.name", "content.input", "content.tool_use_id",
	"content.content", "content.is_error", "content.thinking", "content.data", "content.signature",
	"content.cache_control", "tools.cache_control", "cache_control.ttl", "tools", "tools.type", "tools.name",
	"tools.description", "tools.input_schema", "tools.strict", "tool_choice", "tool_choice.type",
	"tool_choice.name", "tool_choice.disable_parallel_tool_use", "max_tokens", "stop_sequences", "temperature",
	"top_p", "top_k", "output_config", "output_config.format", "output_format", "format.type", "format.schema",
	"thinking", "thinking.type", "thinking.budget_tokens", "thinking.display", "output_config.effort",
}

// Refused names the fields of a request that are refused, because no other protocol can carry them and the answer would be
// one to another question.
var Refused []string
