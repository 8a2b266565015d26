// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"testing"

	"github.com/tokengo/tokengo/service"
)

func TestUsage(t *testing.T) {
	tests := []struct {
		name       string
		op         Operation
		head, tail string
		want       Usage
	}{
		{
			"chat",
			Operation{Protocol: service.OpenAI, Kind: Chat},
			"",
			`data: {"usage":{"prompt_tokens":12,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":4}}}`,
			Usage{12, 4, 7},
		},
		{
			"responses",
			Operation{Protocol: service.OpenAI, Kind: Responses},
			"",
			`"usage": {"input_tokens": 12, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 7}`,
			Usage{12, 0, 7},
		},
		{
			"claude says the input first and the output last",
			Operation{Protocol: service.Claude, Kind: Chat},
			`data: {"message":{"usage":{"input_tokens":3,"cache_creation_input_tokens":10,"cache_read_input_tokens":20,"output_tokens":1}}}`,
			`data: {"usage":{"output_tokens":40}}`,
			Usage{33, 20, 40},
		},
		{
			"gemini's thoughts count",
			Operation{Protocol: service.Gemini, Kind: Chat},
			"",
			`{"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":6,"thoughtsTokenCount":7}}`,
			Usage{5, 0, 13},
		},
		{"ollama", Operation{Protocol: service.Ollama, Kind: Chat}, "", `{"done":true,"prompt_eval_count":5,"eval_count":6}`, Usage{5, 0, 6}},
		{"said by the model", Operation{Protocol: service.OpenAI, Kind: Chat}, "", `{"content":"{\"completion_tokens\":9}"}`, Usage{}},
		{"no number", Operation{Protocol: service.OpenAI, Kind: Chat}, "", `"completion_tokens":null,"prompt_tokens":`, Usage{}},
		{"a number without end", Operation{Protocol: service.OpenAI, Kind: Chat}, "", `"completion_tokens":99999999999999999999999`, Usage{Output: maxUsage}},
	}
	for _, tt := range tests {
		if got := tt.op.Usage([]byte(tt.head), []byte(tt.tail)); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// The code is found in what Response writes, for every code and protocol, and in nothing else.
func TestErrorCode(t *testing.T) {
	for _, proto := range service.Protocols() {
		op := Operation{Protocol: proto}
		for code := range meanings {
			_, _, body := (&Error{Code: code, RetryAfter: "3"}).Response(op)
			if got := op.ErrorCode(body); got != code {
				t.Errorf("%s: %q in %s", proto, got, body)
			}
		}
		for _, body := range []string{"", "[]", "null", `{"error":"x"}`, `{"error":{"code":500,"message":"x"}}`, `{"error":{"code":"invalid_api_key"}}`} {
			if got := op.ErrorCode([]byte(body)); got != "" {
				t.Errorf("%s: %q in %s", proto, got, body)
			}
		}
	}
}
