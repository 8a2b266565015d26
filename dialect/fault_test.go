// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import "testing"

func TestFaultCode(t *testing.T) {
	tests := []struct {
		op   Operation
		body string
		want Code
	}{
		{claudeOp, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, CodeBackendOverloaded},
		{claudeOp, `{"type":"error","error":{"type":"rate_limit_error"}}`, CodeBackendRateLimited},
		{claudeOp, `{"type":"error","error":{"type":"api_error"}}`, CodeBackendError},
		{claudeOp, `{"type":"error","error":{"type":"authentication_error"}}`, CodeBackendAuth},
		{claudeOp, `{"type":"error","error":{"type":"invalid_request_error","message":"messages: at least one is needed"}}`, CodeBackendRejected},
		{claudeOp, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 tokens > 1 maximum"}}`, CodeContextLength},
		{claudeOp, `{"type":"error","error":{"type":"api_error","details":{"error_code":"exit_busy"}}}`, CodeExitBusy},
		{chatOp, `{"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}`, CodeBackendError},
		{chatOp, `{"error":{"message":"","type":"BadRequestError","code":400}}`, CodeBackendRejected},
		{chatOp, `{"error":{"message":"Provider returned error","code":502}}`, CodeBackendError},
		{chatOp, `{"error":{"message":"","type":"requests","code":"rate_limit_exceeded"}}`, CodeBackendRateLimited},
		{chatOp, `{"error":{"message":"","type":"invalid_request_error","code":"context_length_exceeded"}}`, CodeContextLength},
		{chatOp, `{"code":503,"message":"Loading model","type":"unavailable_error"}`, CodeBackendOverloaded},
		{chatOp, `{"error":{"type":{"odd":1},"code":[429]}}`, CodeBackendError},
		{chatOp, `{"error":{"code":11210}}`, CodeBackendError},
		{responsesOp, `{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded"}}}`, CodeBackendRateLimited},
		{responsesOp, `{"type":"error","code":"server_error","message":""}`, CodeBackendError},
		{geminiOp, `{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}`, CodeBackendOverloaded},
		{geminiOp, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}`, CodeBackendRateLimited},
		{geminiOp, `{"error":{"code":500,"status":"INTERNAL"}}`, CodeBackendError},
		{geminiOp, `{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}`, CodeContextLength},
		{geminiOp, `{"error":{"code":504,"status":"DEADLINE_EXCEEDED"}}`, CodeBackendTimeout},
		{ollamaOp, `{"error":"model requires more system memory"}`, CodeBackendError},
		{ollamaOp, `{"error":"the input length exceeds the context length"}`, CodeContextLength},
		{ollamaOp, `{"error":"","code":"backend_rate_limited"}`, CodeBackendRateLimited},
		{chatOp, `no JSON`, CodeBackendError},
	}
	for _, tt := range tests {
		if got := tt.op.FaultCode([]byte(tt.body)); got != tt.want {
			t.Errorf("%s: %s: %s, want %s", tt.op.Protocol, tt.body, got, tt.want)
		}
	}
}
