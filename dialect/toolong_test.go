// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import "testing"

func TestTooLong(t *testing.T) {
	for body, want := range map[string]bool{
		`{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 213462 tokens > 200000 maximum"}}`:                                                                    true,
		"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length":                                                                                          true,
		`{"error":{"code":400,"message":"The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).","status":"INVALID_ARGUMENT"}}`:                                      true,
		`{"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 8545 tokens.","type":"invalid_request_error","code":"context_length_exceeded"}}`: true,
		`{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}`:                                                                      true,
		`Your input exceeds the context window of this model. Please adjust your input and try again.`:                                                                                                true,
		`{"error":{"code":400,"message":"request (9412 tokens) exceeds the available context size (8192 tokens), try increasing it"}}`:                                                                true,
		`{"error":"prompt too long; exceeded max context length by 17 tokens"}`:                                                                                                                       true,
		`{"error":"the input length exceeds the context length"}`:                                                                                                                                     true,
		`{"error":"input exceeds maximum context length"}`:                                                                                                                                            true,
		`This model's maximum prompt length is 131072 but the request contains 537812 tokens.`:                                                                                                        true,
		`Please reduce the length of the messages or completion.`:                                                                                                                                     true,
		`prompt token count of 128001 exceeds the limit of 128000`:                                                                                                                                    true,
		`The number of tokens to keep from the initial prompt is greater than the context length`:                                                                                                     true,
		`The input (9000 tokens) is longer than the model's context length (8192 tokens).`:                                                                                                            true,
		`Prompt contains 9000 tokens, too large for model with 8192 maximum context length`:                                                                                                           true,
		`invalid params, context window exceeds limit`:                                                                                                                                                true,
		`Your request exceeded model token limit: 262144`:                                                                                                                                             true,
		`Input is too long for requested model.`:                                                                                                                                                      true,

		``: false,
		`{"error":{"message":"Unknown parameter"},"messages":[{"content":"What does 'prompt is too long' mean?"}]}`:                                         false,
		`{"error":{"message":"Unknown parameter: context"}}`:                                                                                                false,
		`{"error":{"message":"max_tokens is too large: 99999. This model supports at most 4096 completion tokens"}}`:                                        false,
		`{"error":{"message":"Request too large for model on tokens per minute (TPM): Limit 6000, please reduce the length of the messages or try later"}}`: false,
		`{"error":{"message":"This request would exceed your rate limit of 40,000 input tokens per minute: the prompt is too long"}}`:                       false,
	} {
		if got := TooLong([]byte(body)); got != want {
			t.Errorf("TooLong(%s) = %v", body, got)
		}
	}
}
