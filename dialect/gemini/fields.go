// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

// Fields names what of a tool's request is translated, in the order of the table in docs/protocols.md, which a test holds
// against this list, and the list against what the decoder reads. A name after a dot is a member of what is before it,
// wherever that stands. What is not here, in [Unmapped] or in [Refused] is a field that nobody knows.
var Fields = []string{
	"model", "contents", "generateContentRequest", "contents.role", "systemInstruction", "contents.parts",
	"parts.text", "parts.executableCode", "parts.codeExecutionResult", "executableCode.language",
	"executableCode.code", "codeExecutionResult.output", "parts.inlineData", "parts.fileData",
	"inlineData.mimeType", "inlineData.data", "inlineData.displayName", "fileData.mimeType", "fileData.fileUri",
	"parts.functionCall", "functionCall.id", "functionCall.name", "functionCall.args", "parts.functionResponse",
	"functionResponse.id", "functionResponse.name", "functionResponse.response", "functionResponse.parts",
	"response.output", "response.error", "response.result", "parts.thought", "parts.thoughtSignature", "tools",
	"tools.functionDeclarations", "functionDeclarations.name", "functionDeclarations.description",
	"functionDeclarations.parameters", "functionDeclarations.parametersJsonSchema", "toolConfig",
	"toolConfig.functionCallingConfig", "functionCallingConfig.mode",
	"functionCallingConfig.allowedFunctionNames", "generationConfig.maxOutputTokens",
	"generationConfig.stopSequences", "generationConfig.temperature", "generationConfig.topP",
	"generationConfig.topK", "generationConfig.frequencyPenalty", "generationConfig.presencePenalty",
	"generationConfig.seed", "generationConfig.candidateCount", "generationConfig.responseLogprobs",
	"generationConfig.logprobs", "generationConfig", "generationConfig.responseMimeType",
	"generationConfig.responseJsonSchema", "generationConfig.responseSchema", "generationConfig.responseFormat",
	"responseFormat.mimeType", "responseFormat.schema", "generationConfig.thinkingConfig",
	"thinkingConfig.includeThoughts", "thinkingConfig.thinkingLevel", "thinkingConfig.thinkingBudget", "requests",
	"content", "outputDimensionality", "embedContentConfig", "taskType", "title",
}

// Refused names the fields of a request that are refused, because no other protocol can carry them and the answer would be
// one to another question.
var Refused = []string{"cachedContent", "continuationToken", "generationConfig.responseModalities"}
