// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// Error is what a tool is told when its request cannot be served. It is shaped for a protocol only when it is written:
// by Response before an answer, by StreamEvent within one.
type Error struct {
	Code Code
	// Message replaces the code's default message. It is made of our own words and values that everybody concerned may
	// see, never of bytes of a request, a peer or a backend.
	Message string
	// Status replaces the code's HTTP status when it is an error status, 400 to 599.
	Status int
	// RetryAfter is how many seconds to wait, as 1 to 6 digits; "" or anything else is not told.
	RetryAfter string
	// Lasting says that the same again would fail alike, however long one waits, where the code leaves that open.
	Lasting bool
	// Allow lists the methods that the path has, for CodeMethod only (RFC 9110 section 15.5.6).
	Allow string
}

// Error returns the code and the message.
func (e *Error) Error() string { return string(e.Code) + ": " + e.text() }

func (e *Error) text() string {
	if e.Message != "" {
		return e.Message
	}
	return e.Code.Message()
}

func (e *Error) status(p service.Protocol) int {
	if e.Status >= 400 && e.Status <= 599 {
		return e.Status
	}
	return e.Code.meaning().statusIn(p)
}

func (e *Error) retryAfter() string {
	if len(e.RetryAfter) > 6 || strings.Trim(e.RetryAfter, "0123456789") != "" {
		return ""
	}
	return e.RetryAfter
}

// Response returns the answer to the tool, in its protocol's shape: the HTTP status, the header fields and a JSON body
// that has the code in it (at error.code, Claude error.details.error_code, Gemini error.details[].reason, Ollama code).
// Where the official SDKs would repeat the request by themselves and should not, x-should-retry tells them.
func (e *Error) Response(op Operation) (status int, fields http.Header, body []byte) {
	status = e.status(op.Protocol)
	fields = http.Header{"Content-Type": {"application/json"}}
	if s := e.retryAfter(); s != "" {
		fields.Set("Retry-After", s)
	}
	if e.Code == CodeUpgrade {
		fields.Set("Upgrade", "HTTP/1.1") // RFC 9110 section 15.5.22 wants one that works
	}
	if e.Allow != "" {
		fields.Set("Allow", e.Allow)
	}
	if e.Lasting || e.Code.meaning().noRetry {
		fields.Set("X-Should-Retry", "false")
	}
	return status, fields, encode(e.shape(op.Protocol))
}

// The error bodies of the protocols. OpenAI's param and Claude's request_id are null, not absent, when there is none.
type (
	openAIBody struct {
		Error openAIError `json:"error"`
	}
	openAIError struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    Code    `json:"code"`
	}
	claudeBody struct {
		Type      string      `json:"type"`
		Error     claudeError `json:"error"`
		RequestID *string     `json:"request_id"`
	}
	claudeError struct {
		Type    string        `json:"type"`
		Message string        `json:"message"`
		Details claudeDetails `json:"details"`
	}
	claudeDetails struct {
		ErrorCode Code `json:"error_code"`
	}
	geminiBody struct {
		Error geminiError `json:"error"`
	}
	geminiError struct {
		Code    int            `json:"code"`
		Message string         `json:"message"`
		Status  string         `json:"status"`
		Details []geminiDetail `json:"details"`
	}
	geminiDetail struct {
		Type       string `json:"@type"`
		Reason     string `json:"reason,omitempty"`
		Domain     string `json:"domain,omitempty"`
		RetryDelay string `json:"retryDelay,omitempty"`
	}
	ollamaBody struct {
		Error string `json:"error"`
		Code  Code   `json:"code"`
	}
)

// shape returns the error's body in a protocol.
func (e *Error) shape(p service.Protocol) any {
	row := e.Code.meaning()
	switch p {
	case service.Claude:
		inner := claudeError{Type: row.claude, Message: e.text(), Details: claudeDetails{e.Code}}
		return claudeBody{Type: "error", Error: inner}
	case service.Gemini:
		return geminiBody{geminiError{Code: e.status(p), Message: e.text(), Status: row.gemini, Details: e.geminiDetails()}}
	case service.Ollama:
		return ollamaBody{Error: e.text(), Code: e.Code}
	default:
		return openAIBody{e.openAI()}
	}
}

func (e *Error) openAI() openAIError {
	inner := openAIError{Message: e.text(), Type: e.Code.meaning().openAI, Code: e.Code}
	if e.Code == CodeNoModel || e.Code == CodeUnknownModel {
		param := "model"
		inner.Param = &param
	}
	return inner
}

// errorDomain says whose codes Reason has.
const errorDomain = "tokengo"

// geminiDetails are google.rpc.ErrorInfo, whose reason is in upper case, and google.rpc.RetryInfo, which Google's tools
// read instead of the header.
func (e *Error) geminiDetails() []geminiDetail {
	info := geminiDetail{
		Type:   "type.googleapis.com/google.rpc.ErrorInfo",
		Reason: strings.ToUpper(string(e.Code)),
		Domain: errorDomain,
	}
	if s := e.retryAfter(); s != "" {
		return []geminiDetail{info, {Type: "type.googleapis.com/google.rpc.RetryInfo", RetryDelay: s + "s"}}
	}
	return []geminiDetail{info}
}

// encode returns v as JSON on one line, with <, > and & as they are. It is for this package's own types, which can
// always be encoded.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("dialect: encode a value of its own: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
