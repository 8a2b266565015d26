// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/wire"
)

// fault is what a backend's error says of its class. Its text is not looked at.
type fault struct {
	status int    // a number in "code" or "status"
	words  string // "type" and "code", in lower case
}

// readFault takes the value of a member "error".
func readFault(p *wire.Parser) fault {
	var f fault
	p.Object(func(key []byte) {
		switch string(key) {
		case "type", "code", "status":
			if p.Kind() == wire.NumberValue {
				f.status = p.Int()
				return
			}
			word := strings.ToLower(p.String())
			if n, err := strconv.Atoi(word); err == nil {
				f.status = n
				return
			}
			f.words += " " + word
		}
	})
	return f
}

// ErrorCode is the class of a backend's error answer, of its status first and else of the type and code in its body.
func ErrorCode(status int, body []byte) dialect.Code {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired, status == http.StatusForbidden:
		return dialect.CodeBackendAuth
	case status == http.StatusTooManyRequests:
		return dialect.CodeBackendRateLimited
	case status == http.StatusServiceUnavailable, status == statusOverloaded:
		return dialect.CodeBackendOverloaded
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return dialect.CodeBackendTimeout
	case status >= 500 && status <= 599:
		return dialect.CodeBackendError
	case status >= 400 && status <= 499:
		return dialect.CodeBackendRejected
	}
	p := wire.Parse(body)
	var f fault
	p.Object(func(key []byte) {
		if string(key) == "error" {
			f = readFault(p)
		}
	})
	return f.code()
}

// statusOverloaded is a status that backends in front of Claude answer with.
const statusOverloaded = 529

// code is the class of an error that came without a status, within an answer.
func (f fault) code() dialect.Code {
	if f.status >= 400 && f.status <= 599 {
		return ErrorCode(f.status, nil)
	}
	for _, sign := range []struct {
		word string
		code dialect.Code
	}{
		{"rate_limit", dialect.CodeBackendRateLimited},
		{"too_many_requests", dialect.CodeBackendRateLimited},
		{"quota", dialect.CodeBackendRateLimited},
		{"resource_exhausted", dialect.CodeBackendRateLimited},
		{"overload", dialect.CodeBackendOverloaded},
		{"unavailable", dialect.CodeBackendOverloaded},
		{"timeout", dialect.CodeBackendTimeout},
		{"authentication", dialect.CodeBackendAuth},
		{"permission", dialect.CodeBackendAuth},
		{"api_key", dialect.CodeBackendAuth},
		{"invalid", dialect.CodeBackendRejected},
		{"context_length", dialect.CodeBackendRejected},
		{"badrequest", dialect.CodeBackendRejected},
		{"not_found", dialect.CodeBackendRejected},
	} {
		if strings.Contains(f.words, sign.word) {
			return sign.code
		}
	}
	return dialect.CodeBackendError
}
