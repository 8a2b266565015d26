// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"bytes"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// What happens to which field of a body. Everything that is not in this file stays as the tool sent it.
//
// A path names a member, "a.b" a member of a member, "a[].b" one of each element of an array, and a name that ends in "*"
// every member whose name begins so. Names are compared without regard to case, because some decoders do so.

// openAIRules are those of every OpenAI operation.
var openAIRules = []rule{
	{path: "user", do: remove, why: "names the user"},
	{path: "safety_identifier", do: remove, why: "names the user"},
	{path: "metadata", do: remove, why: "labels the request for the account that sends it"},
	{path: "client_metadata", do: remove, why: "holds ids of installation, session and turn, workspace paths and git remotes"},
	{path: "x-codex-*", do: remove, why: "holds ids of installation, session and turn"},
	{path: "session_id", do: remove, why: "names the session to OpenRouter"},
	{path: "trace", do: remove, why: "holds ids of session and user for OpenRouter"},
	{path: "previous_response_id", do: refuse, why: "previous_response_id"},
	{path: "conversation", do: refuse, why: "conversation"},
	{path: "stream", do: observe},
}

// storeRules keep the backend from storing what it is asked. The Responses API stores unless told not to.
var (
	storeRule     = rule{path: "store", do: falsify, why: "the backend would keep request and answer"}
	storeDefault  = rule{path: "store", do: insistFalse, why: "the backend would keep request and answer"}
	responseRules = []rule{
		// Codex numbers its own messages with ids that hold the time. Those of the model's items are the backend's own.
		{path: "input[].id", do: remove, when: isFromTool, why: "is made up by the tool, and holds when"},
	}
)

// claudeRules are those of every Claude operation. What prompts are cached by (cache_control) stays: it names nobody.
var claudeRules = []rule{
	{path: "metadata.user_id", do: remove, why: "holds ids of device, account and session"},
	{path: "system[]", do: remove, when: isBilling, why: "holds the tool's version and how it was started"},
	{path: "messages[].content[]", do: remove, when: isBilling, why: "holds the tool's version and how it was started"},
	{path: "diagnostics", do: remove, why: "names an earlier answer"},
	{path: "session_id", do: remove, why: "names the session to OpenRouter"},
	{path: "trace", do: remove, why: "holds ids of session and user for OpenRouter"},
	{path: "thread", do: refuse, why: "thread"},
	{path: "stream", do: observe},
}

// geminiRules are those of every Gemini operation. Protocol buffers know each name in two spellings.
var geminiRules = []rule{
	{path: "labels", do: remove, why: "labels the request for the account that sends it"},
	{path: "generateContentRequest.labels", do: remove, why: "labels the request for the account that sends it"},
	{path: "generate_content_request.labels", do: remove, why: "labels the request for the account that sends it"},
	// Gemini CLI numbers calls that its backend has not with the time. Each id stands twice: with the call and its answer.
	{path: "contents[].parts[].functionCall.id", do: renumber, why: "is made up by the tool, and holds when"},
	{path: "contents[].parts[].functionResponse.id", do: renumber, why: "is made up by the tool, and holds when"},
	{path: "contents[].parts[].function_call.id", do: renumber, why: "is made up by the tool, and holds when"},
	{path: "contents[].parts[].function_response.id", do: renumber, why: "is made up by the tool, and holds when"},
	{path: "cachedContent", do: refuse, why: "cachedContent"},
	{path: "cached_content", do: refuse, why: "cached_content"},
	{path: "generateContentRequest.cachedContent", do: refuse, why: "cachedContent"},
	{path: "generateContentRequest.cached_content", do: refuse, why: "cachedContent"},
	{path: "generate_content_request.cachedContent", do: refuse, why: "cachedContent"},
	{path: "generate_content_request.cached_content", do: refuse, why: "cachedContent"},
}

// rulesOf are the rules that are the same for every exit. Ollama's bodies say nothing about the user.
func rulesOf(op dialect.Operation, level Level) []rule {
	if level == Off {
		return nil
	}
	switch {
	case op.Protocol == service.OpenAI && op.Kind == dialect.Responses:
		return append(append([]rule{storeDefault}, responseRules...), openAIRules...)
	case op.Protocol == service.OpenAI:
		return append([]rule{storeRule}, openAIRules...)
	case op.Protocol == service.Claude:
		return claudeRules
	case op.Protocol == service.Gemini:
		return geminiRules
	}
	return nil
}

// exitRules are the rules that depend on the exit.
func exitRules(op dialect.Operation, b betas) []rule {
	switch op.Protocol {
	case service.OpenAI:
		return []rule{{path: "prompt_cache_key", do: rekey, why: "is the tool's id of the session; the code in its place is the exit's alone"}}
	case service.Claude:
		return b.rules
	}
	return nil
}

// rememberAdvice is what to do instead of having the backend remember.
const rememberAdvice = " It asks the backend to remember earlier requests, which would tie them together and to one exit. " +
	"Send the whole conversation with each request instead, or turn scrubbing off."

// billingPrefix begins a block that Claude Code puts among the system prompts.
const billingPrefix = "x-anthropic-billing-header:"

// isBilling reports whether a block of a prompt is Claude Code's account of itself.
func isBilling(block []byte) bool {
	if !bytes.Contains(block, []byte("billing")) && bytes.IndexByte(block, '\\') < 0 {
		return false
	}
	return bytes.HasPrefix(bytes.TrimSpace(memberText(block, "text")), []byte(billingPrefix))
}

// isFromTool reports whether an item of a Responses input was written by the tool, not by the model.
func isFromTool(item []byte) bool {
	switch string(memberText(item, "role")) {
	case "user", "developer", "system":
		return true
	}
	return bytes.HasSuffix(memberText(item, "type"), []byte("_output")) // of a call
}

// memberText returns the text of a member of an object, nil where there is no such text.
func memberText(object []byte, name string) []byte {
	c := cursor{data: object}
	if c.peek() != '{' {
		return nil
	}
	c.open()
	for first := true; c.more('}', first); first = false {
		key := decode(c.key())
		if string(key) == name && c.peek() == '"' {
			return decode(c.text())
		}
		c.skip()
	}
	return nil
}
