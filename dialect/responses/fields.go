// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

// Fields names what of a tool's request is translated, in the order of the table in docs/protocols.md, which a test holds
// against this list, and the list against what the decoder reads. A name after a dot is a member of what is before it,
// wherever that stands. What is not here, in [Unmapped] or in [Refused] is a field that nobody knows.
var Fields = []string{
	"model", "stream", "input", "input.type", "input.role", "input.author", "input.recipient", "instructions",
	"input.content", "content.type", "content.text", "content.refusal", "content.image_url", "content.detail",
	"image_url.url", "image_url.detail", "content.input_audio", "input_audio.data", "input_audio.format",
	"content.file_data", "content.file_id", "content.file_url", "content.filename", "input.id", "input.call_id",
	"input.name", "input.namespace", "input.arguments", "input.input", "input.action", "action.command",
	"action.working_directory", "action.timeout_ms", "action.env", "input.output", "output.content",
	"output.success", "input.tools", "input.summary", "input.encrypted_content", "tools", "tools.type",
	"tools.name", "tools.description", "tools.parameters", "tools.format", "tools.tools", "tools.execution",
	"format.type", "format.syntax", "format.definition", "tools.strict", "tool_choice", "tool_choice.type",
	"tool_choice.name", "tool_choice.namespace", "tool_choice.mode", "tool_choice.tools", "parallel_tool_calls",
	"max_output_tokens", "max_completion_tokens", "max_tokens", "temperature", "top_p", "frequency_penalty",
	"presence_penalty", "include", "top_logprobs", "text", "text.format", "format.name", "format.description",
	"format.schema", "format.strict", "reasoning", "reasoning.effort", "reasoning.summary",
	"reasoning.generate_summary", "stream_options.include_obfuscation", "input.status", "input.created_by",
	"input.execution", "input.success", "content.logprobs",
}

// Refused names the fields of a request that are refused, because no other protocol can carry them and the answer would be
// one to another question.
var Refused = []string{"previous_response_id", "conversation", "prompt", "background"}
