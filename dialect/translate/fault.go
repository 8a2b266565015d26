// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/gemini"
	"github.com/tokengo/tokengo/dialect/ollama"
	"github.com/tokengo/tokengo/service"
)

// ErrorCode is the class of a backend's error answer.
func (x *Exchange) ErrorCode(status int, body []byte) dialect.Code {
	code := x.errorCode(status, body)
	if code == dialect.CodeBackendRejected && dialect.TooLong(body) {
		return dialect.CodeContextLength
	}
	return code
}

// Failure is the error that the backend reported in place of an answer, once [ErrFailed] was returned: a tool that was
// sent nothing yet can be told with a status. It is nil where there was some content before.
func (x *Exchange) Failure() *dialect.Error {
	if !x.failed || x.said {
		return nil
	}
	return &dialect.Error{Code: dialect.Code(x.failure.Code), RetryAfter: x.failure.RetryAfter}
}

// RetryAfter is how many seconds a backend of protocol p wants to be left alone, as digits, by what the body of its
// error says; "" where it does not. Protocols other than gemini say it in a header field.
func RetryAfter(p service.Protocol, body []byte) string {
	if p != service.Gemini {
		return ""
	}
	return gemini.RetryAfter(body)
}

// EmbeddingRefused reports whether the error answer of a backend of protocol p to a request for embeddings says that its
// model makes none. Ollama is the only server known to say so as if it had failed, over its own protocol and over OpenAI's.
func EmbeddingRefused(p service.Protocol, status int, body []byte) bool {
	return (p == service.Ollama || p == service.OpenAI) && ollama.EmbeddingRefused(status, body)
}

// WithoutReasoning is the same request without a wish for reasoning, if a backend's error answer says that its model
// cannot think and the request has such a wish; ok is false otherwise. Its Dropped then names reasoning. Ollama is the
// only server known to refuse a request for that, over its own protocol and over OpenAI's.
func (x *Exchange) WithoutReasoning(status int, body []byte) (again *Exchange, ok bool) {
	p := x.target.Protocol
	if x.asked == nil || p != service.Ollama && p != service.OpenAI || !ollama.ThinkingRefused(status, body) {
		return nil, false
	}
	request := *x.asked.request
	silent := conversation.Reasoning{Visible: request.Reasoning.Visible} // whether to show it is no wish for it
	if request.Reasoning == silent {
		return nil, false
	}
	request.Reasoning = silent
	request.Unmapped = append(request.Unmapped[:len(request.Unmapped):len(request.Unmapped)], "reasoning")
	again, problem := (&asked{op: x.asked.op, to: x.asked.to, request: &request}).exchange()
	return again, problem == nil
}
