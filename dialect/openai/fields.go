// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

// Fields names what of a tool's request is translated, in the order of the table in docs/protocols.md, which a test holds
// against this list, and the list against what the decoder reads. A name after a dot is a member of what is before it,
// wherever that stands. What is not here, in [Unmapped] or in [Refused] is a field that nobody knows.
var Fields = []string{
	"model", "stream", "stream_options", "stream_options.include_usage", "messages", "messages.role",
	"messages.name", "messages.content", "content.type", "content.text", "prompt", "messages.refusal",
	"content.refusal", "content.image_url", "image_url.url", "image_url.detail", "content.input_audio",
	"input_audio.data", "input_audio.format", "content.file", "file.file_data", "file.file_id", "file.filename",
	"messages.tool_calls", "messages.function_call", "tool_calls.id", "tool_calls.type", "tool_calls.function",
	"tool_calls.custom", "function.name", "function.arguments", "custom.name", "custom.input",
	"messages.tool_call_id", "messages.reasoning_content", "messages.reasoning", "messages.reasoning_details",
	"reasoning_details.type", "reasoning_details.text", "reasoning_details.summary", "reasoning_details.data",
	"reasoning_details.id", "reasoning_details.format", "reasoning_details.index", "reasoning_details.signature",
	"tool_calls.extra_content", "extra_content.google.thought_signature", "messages.cache_control",
	"content.cache_control", "tools.cache_control", "cache_control.ttl", "tools", "tools.type", "tools.function",
	"function.description", "function.parameters", "function.strict", "tool_choice", "tool_choice.type",
	"tool_choice.function", "tool_choice.allowed_tools", "allowed_tools.mode", "allowed_tools.tools",
	"parallel_tool_calls", "max_completion_tokens", "max_tokens", "stop", "temperature", "top_p", "top_k",
	"min_p", "frequency_penalty", "presence_penalty", "repetition_penalty", "seed", "n", "logprobs",
	"top_logprobs", "response_format", "response_format.type", "response_format.json_schema",
	"response_format.schema", "json_schema.name", "json_schema.description", "json_schema.schema",
	"json_schema.strict", "reasoning_effort", "reasoning", "reasoning.effort", "reasoning.max_tokens",
	"reasoning.enabled", "reasoning.exclude", "thinking", "thinking.type", "thinking.budget_tokens",
	"enable_thinking", "thinking_budget", "include_reasoning", "chat_template_kwargs", "suffix", "input",
	"dimensions", "encoding_format",
}

// Refused names the fields of a request that are refused, because no other protocol can carry them and the answer would be
// one to another question.
var Refused = []string{"modalities", "audio", "functions", "function_call", "messages.audio"}
