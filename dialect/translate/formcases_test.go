// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"strings"
	"testing"
)

// Cases of other forms than a question and its answer.

// writeForms writes a pair's cases of streams in other forms, and of counts of tokens.
func writeForms(t *testing.T, tool tool, backend string) {
	t.Helper()
	prefix := tool.name + "-" + backend + "-"
	request, _ := tool.request("tools", true)
	if tool.name == "gemini" {
		about := "A stream without alt=sse is an array."
		for _, a := range []string{"text", "calls", "textcall", "thinking", "failed", "cut", "empty"} {
			writeCase(t, prefix+"array"+a+"-stream", about, strings.Replace(request, "?alt=sse", "", 1), "", answers[backend].of(a, true))
		}
	}
	if tool.name == "openai" {
		about := "A tool that does not ask for usage gets none, but the backend is asked."
		text, _ := tool.request("text", true)
		request := strings.Replace(text, `"include_usage": true`, `"include_usage": false`, 1)
		writeCase(t, prefix+"nousage-stream", about, request, "", answers[backend].of("text", true))
	}
	if backend == "gemini" {
		about := "A backend that does not know alt=sse streams an array."
		elements := strings.Split(strings.TrimSuffix(strings.TrimPrefix(answers[backend].of("calls", true), "data: "), "\n\n"), "\n\ndata: ")
		writeCase(t, prefix+"fromarray-stream", about, request, "", "["+strings.Join(elements, ",\r\n")+"]\n")
	}
	if path := map[string]string{"claude": "/v1/messages/count_tokens", "gemini": "/v1beta/models/m:countTokens"}[tool.name]; path != "" {
		about := "A count of tokens, with a system prompt and tools, is answered without the backend."
		plain, _ := tool.request("choicenone", false)
		_, body, _ := strings.Cut(plain, "\n")
		writeCase(t, prefix+"count", about, "POST "+path+"\n"+body, "", "")
	}
}

// embedding is how a protocol asks for embeddings of one text and of two, and how it answers.
type embedding struct{ one, two, answerOne, answerTwo string }

var embeddings = map[string]embedding{
	"openai": {
		"POST /v1/embeddings\n" + `{"model":"m","input":"Hi","dimensions":3,"user":"u"}`,
		"POST /v1/embeddings\n" + `{"model":"m","input":["Hi","Ho"],"encoding_format":"base64"}`,
		`{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25,1]}],"model":"backend-model-1","usage":{"prompt_tokens":2,"total_tokens":2}}`,
		`{"object":"list","data":[{"object":"embedding","index":1,"embedding":[1,0]},{"object":"embedding","index":0,"embedding":[0.5,-0.25]}],"model":"backend-model-1","usage":{"prompt_tokens":4,"total_tokens":4}}`,
	},
	"gemini": {
		"POST /v1beta/models/m:embedContent\n" + `{"content":{"parts":[{"text":"Hi"}]},"outputDimensionality":3,"taskType":"RETRIEVAL_DOCUMENT","title":"T"}`,
		"POST /v1beta/models/m:batchEmbedContents\n" + `{"requests":[{"model":"models/m","content":{"parts":[{"text":"Hi"}]}},{"model":"models/m","content":{"parts":[{"text":"Ho"}]}}]}`,
		`{"embedding":{"values":[0.5,-0.25,1]}}`,
		`{"embeddings":[{"values":[0.5,-0.25]},{"values":[1,0]}]}`,
	},
	"ollama": {
		"POST /api/embed\n" + `{"model":"m","input":"Hi","dimensions":3,"truncate":true,"keep_alive":"5m"}`,
		"POST /api/embed\n" + `{"model":"m","input":["Hi","Ho"],"options":{"num_ctx":512}}`,
		`{"model":"backend-model-1","embeddings":[[0.5,-0.25,1]],"total_duration":5000000,"prompt_eval_count":2}`,
		`{"model":"backend-model-1","embeddings":[[0.5,-0.25],[1,0]],"prompt_eval_count":4}`,
	},
}

// writeEmbeddings writes the cases of embeddings, which Claude and Responses do not have.
func writeEmbeddings(t *testing.T) {
	t.Helper()
	for tool, asked := range embeddings {
		for backend, answered := range embeddings {
			if tool == backend {
				continue
			}
			prefix := tool + "-" + backend + "-"
			writeCase(t, prefix+"embedone", "The embedding of one text.", pretty(asked.one), "", answered.answerOne+"\n")
			writeCase(t, prefix+"embedtwo", "The embeddings of two texts, in their order.", pretty(asked.two), "", answered.answerTwo+"\n")
		}
		if tool == "ollama" {
			writeOlderEmbedding(t)
		}
		writeCase(t, tool+"-claude-embedone", "Claude has no embeddings.", pretty(asked.one), "", "")
	}
}

// writeOlderEmbedding writes the cases of Ollama's older path for embeddings.
func writeOlderEmbedding(t *testing.T) {
	t.Helper()
	request := pretty("POST /api/embeddings\n" + `{"model":"m","prompt":"Hi","options":{"num_ctx":512},"keep_alive":"5m"}`)
	for _, backend := range []string{"openai", "gemini"} {
		about := "The embedding of one text, asked for at the path that older tools know."
		writeCase(t, "ollama-"+backend+"-embedolder", about, request, "", embeddings[backend].answerOne+"\n")
	}
}

// pretty indents a request's body.
func pretty(request string) string {
	head, body, _ := strings.Cut(request, "\n")
	return head + "\n" + indented([]byte(body))
}
