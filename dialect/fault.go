// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// FaultCode is what an error means that stands in the place of an answer whose status says nothing, such as the first
// event of a stream: our own code if it has one, else what the words of any service come to, and CodeBackendError where
// they say nothing. Body is one JSON text.
func (op Operation) FaultCode(body []byte) Code {
	if code := op.ErrorCode(body); code != "" {
		return code
	}
	if TooLong(body) {
		return CodeContextLength
	}
	var f faultBody
	if json.Unmarshal(body, &f) != nil {
		return CodeBackendError
	}
	words := f.words()
	for _, sign := range faultSigns {
		if strings.Contains(words, sign.word) {
			return sign.code
		}
	}
	return CodeBackendError
}

// faultBody is where services say what kind of error it is. Its values may be of any kind.
type faultBody struct {
	faultWords
	Error    json.RawMessage `json:"error"`
	Response struct {
		Error json.RawMessage `json:"error"`
	} `json:"response"`
}

type faultWords struct {
	Type   json.RawMessage `json:"type"`
	Code   json.RawMessage `json:"code"`
	Status json.RawMessage `json:"status"`
}

// words are all that is said of the kind, in lower case, each between spaces.
func (f *faultBody) words() string {
	all := f.faultWords.text()
	for _, raw := range []json.RawMessage{f.Error, f.Response.Error} {
		var inner faultWords
		if json.Unmarshal(raw, &inner) == nil {
			all += inner.text()
		}
	}
	return all
}

func (w *faultWords) text() (all string) {
	for _, raw := range []json.RawMessage{w.Type, w.Code, w.Status} {
		word := strings.ToLower(strings.Trim(string(raw), `"`))
		if status, err := strconv.Atoi(word); err == nil && http.StatusText(status) == "" && status != statusOverloaded {
			continue // a number of the service's own
		}
		all += " " + word + " "
	}
	return all
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
