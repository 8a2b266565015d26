// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"strings"
	"testing"

	"github.com/tokengo/tokengo/service"
)

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
		{chatOp, `Your input exceeds the context window of this model.`, CodeContextLength},

		// What is repeated of a request says nothing about the error.
		{responsesOp, `{"type":"response.failed","response":{"instructions":"When the prompt is too long, summarize.","error":{"code":"server_error"}}}`, CodeBackendError},
		{responsesOp, `{"type":"response.failed","response":{"instructions":"When the prompt is too long, summarize.","error":{"message":"Sorry"}}}`, CodeBackendError},
		{responsesOp, `{"type":"response.failed","response":{"instructions":"Mind the rate limit per minute","error":{"message":"Your input exceeds the context window of this model"}}}`, CodeContextLength},
		{chatOp, `{"error":{"message":"Sorry"},"input":"What does 'prompt is too long' mean?"}`, CodeBackendError},
		{ollamaOp, `{"error":"out of memory","message":{"role":"assistant","content":"The prompt is too long"}}`, CodeBackendError},

		// A kind or status that is the service's own fault counts before words; one that blames the request does not.
		{chatOp, `{"error":{"type":"server_error","message":"input is too long"}}`, CodeBackendError},
		{chatOp, `{"error":{"code":503,"message":"prompt too long"}}`, CodeBackendOverloaded},
		{claudeOp, `{"error":{"type":"overloaded_error","message":"prompt is too long"}}`, CodeBackendOverloaded},
		{claudeOp, `{"error":{"type":"server_error","code":"context_length_exceeded"}}`, CodeContextLength},
		{chatOp, `{"error":{"code":400,"type":"exceed_context_size_error","message":""}}`, CodeContextLength},

		// Where else services have their words.
		{chatOp, `{"object":"error","type":"BadRequestError","code":400,"message":"maximum context length is 4096 tokens"}`, CodeContextLength},
		{chatOp, `{"error":{"code":400,"message":"Provider returned error","metadata":{"raw":"{\"message\":\"prompt is too long\"}"}}}`, CodeContextLength},
		{chatOp, `{"error":"Bad Request","status":400,"message":"Input is too long for requested model."}`, CodeContextLength},
		{chatOp, `{"detail":"Input is too long for requested model."}`, CodeContextLength},
		{geminiOp, `[{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8)."}}]`, CodeContextLength},
		{generateOp, `{"error":{"type":"overloaded_error"},"response":""}`, CodeBackendOverloaded},
		{ollamaOp, `{"error":"rate limit exceeded","status":429}`, CodeBackendRateLimited},
		{chatOp, `{"error":{"type":"invalid_request_error","code":"invalid_api_key"}}`, CodeBackendAuth},

		// Our own codes where the Responses API has them.
		{responsesOp, `{"type":"error","code":"backend_unreachable","message":""}`, CodeBackendUnreachable},
		{responsesOp, `{"code":"backend_auth","message":"","type":"error"}`, CodeBackendAuth},
		{responsesOp, `{"type":"response.failed","response":{"error":{"code":"exit_busy","message":""}}}`, CodeExitBusy},
		{responsesOp, `{"type":"error","code":"server_error","error":{"code":"backend_timeout"}}`, CodeBackendTimeout},
		{chatOp, `{"code":"unauthorized","message":""}`, CodeBackendError},
		{responsesOp, `{"code":"unauthorized","message":""}`, CodeBackendError},
	}
	for _, tt := range tests {
		if got := tt.op.FaultCode([]byte(tt.body)); got != tt.want {
			t.Errorf("%s: %s: %s, want %s", tt.op.Protocol, tt.body, got, tt.want)
		}
	}
}

// What an exit writes into a stream that fails is understood by the client, for every code.
func TestFaultCodeOfStreamEvents(t *testing.T) {
	for _, op := range []Operation{chatOp, responsesOp, claudeOp, geminiOp, ollamaOp} {
		kind := typeEvents
		if op.Protocol == service.Ollama {
			kind = typeLines
		}
		for code := range meanings {
			o := op.Opening(kind)
			o.Add((&Error{Code: code}).StreamEvent(op, kind))
			if o.End() != Refused {
				t.Errorf("%s: %s: stage %d, want %d", op.Protocol, code, o.Stage(), Refused)
			} else if got := op.FaultCode(o.Fault()); got != code {
				t.Errorf("%s: %s for %s", op.Protocol, got, code)
			}
		}
	}
}

// The words of an error count near its beginning only, so that a long one costs little.
func TestFaultCodeOfLongErrors(t *testing.T) {
	far := strings.Repeat("x", 1<<16) + " prompt is too long"
	for _, body := range []string{
		far, `{"error":{"message":"` + far + `"}}`, `{"error":{"type":"` + far + `"}}`, `[` + strings.Repeat(`{"error":{"type":"x","message":"x"}},`, 1<<12) + `{"error":"` + far + `"}]`,
	} {
		if got := chatOp.FaultCode([]byte(body)); got != CodeBackendError {
			t.Errorf("%.40s…: %s", body, got)
		}
	}
}
