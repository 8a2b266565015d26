// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import "regexp"

// tooLong is how services say that a conversation does not fit into the model's context window, each in its own words;
// few have a code for it. Limits of a minute are said in similar ones, see limited.
var tooLong = regexp.MustCompile(`(?i)` +
	`prompt (is )?too long|` + // Claude, Ollama
	`exceed context limit|` + // Claude, of the input and max_tokens together
	`token count[^"]{0,80}exceeds the (maximum|limit)|` + // Gemini, Copilot
	`exceeds? (the |this |your )?((available|maximum|model'?s?|input) )*(context|number of tokens)|` + // OpenAI, llama.cpp, Ollama
	`exceed_context_size|` + // llama.cpp
	`maximum (context|prompt) length|` + // OpenAI, vLLM, Mistral, xAI
	`exceed(s|ed)? (the )?max(imum)? (context|prompt) length|` + // Ollama, LiteLLM
	`context[ _](window|size|length)[ _](is |was )?exceed(ed|s)|` + // OpenAI's code, MiniMax
	`(greater|longer) than the (model'?s )?context (length|window)|` + // LM Studio, Together
	`context length is only|` + // vLLM
	`reduce the length of the (messages|prompt|input)|` + // OpenAI, Groq
	`exceeded model token limit|` + // Kimi
	`input is too long`) // Bedrock

// limited is how a limit of tokens within a time is said.
var limited = regexp.MustCompile(`(?i)rate[ _-]?limit|per (minute|day)|tokens per min|too many requests|throttl`)

// TooLong reports whether the body of an error says that the request is too long for the model, in the words of any
// service. Another model may take it. Of a JSON text only the type, code and message of the error count, of any other
// the first 4 KiB.
func TooLong(body []byte) bool { return readFault(body).tooLong() }
