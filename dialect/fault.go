// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"cmp"
)

// FaultCode is what an error means whose status says nothing, such as the first event of a stream: our own code if it
// has one, else what its type, code and status come to in any service, else what its message says, and CodeBackendError
// where none of them says anything. A body that is no JSON is a message.
//
// Messages count only where the kind of error leaves it open whether the request is at fault: they are prose, and may
// speak of lengths and limits for any reason.
func (op Operation) FaultCode(body []byte) Code {
	if code := op.ErrorCode(body); code != "" {
		return code
	}
	w := readFault(body)
	if tooLong.Match(w.kinds) {
		return CodeContextLength
	}
	code := w.code()
	if (code == "" || code == CodeBackendRejected) && w.tooLong() {
		return CodeContextLength
	}
	return cmp.Or(code, CodeBackendError)
}

// code is the class that the kinds tell, "" for none.
func (w *faultWords) code() Code {
	for _, sign := range faultSigns {
		if bytes.Contains(w.kinds, []byte(sign.word)) {
			return sign.code
		}
	}
	return ""
}

// faultSigns are what tells kinds of errors apart, the surest first: kinds in words, statuses in words, statuses.
var faultSigns = []struct {
	word string
	code Code
}{
	{"overload", CodeBackendOverloaded},
	{"rate_limit", CodeBackendRateLimited},
	{"quota", CodeBackendRateLimited},
	{"too_many_requests", CodeBackendRateLimited},
	{"resource_exhausted", CodeBackendRateLimited},
	{"unavailable", CodeBackendOverloaded},
	{"authentication", CodeBackendAuth},
	{"unauthenticated", CodeBackendAuth},
	{"permission", CodeBackendAuth},
	{"billing", CodeBackendAuth},
	{"api_key", CodeBackendAuth},
	{"timeout", CodeBackendTimeout},
	{"deadline", CodeBackendTimeout},
	{"model_not_found", CodeUnknownModel},
	{" 429 ", CodeBackendRateLimited},
	{" 503 ", CodeBackendOverloaded},
	{" 529 ", CodeBackendOverloaded},
	{" 401 ", CodeBackendAuth},
	{" 402 ", CodeBackendAuth},
	{" 403 ", CodeBackendAuth},
	{" 408 ", CodeBackendTimeout},
	{" 504 ", CodeBackendTimeout},
	{" 404 ", CodeUnknownModel},
	{"not_found", CodeUnknownModel},
	{" 5", CodeBackendError},
	{"server_error", CodeBackendError},
	{"invalid", CodeBackendRejected},
	{"badrequest", CodeBackendRejected},
	{"request_too_large", CodeBackendRejected},
	{" 400 ", CodeBackendRejected},
	{" 413 ", CodeBackendRejected},
	{" 422 ", CodeBackendRejected},
}
