// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openaiapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/wire"
)

// Fault is what a backend's error says of its class. Its text is not looked at.
type Fault struct {
	status int    // a number in "code" or "status"
	words  string // "type" and "code", in lower case
}

// Sign is a word, in lower case, in the type or code of an error that tells its class.
type Sign struct {
	Word string
	Code dialect.Code
}

// ReadFault takes the value of a member "error". Some servers have a text there, which says nothing.
func ReadFault(p *wire.Parser) Fault {
	var f Fault
	p.Object(func(key []byte) {
		switch string(key) {
		case "type", "code", "status":
			f.Add(p)
		}
	})
	return f
}

// Add takes a word or a number: the value of a member "type", "code" or "status".
func (f *Fault) Add(p *wire.Parser) {
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

// statusOverloaded is a status that backends in front of Claude answer with.
const statusOverloaded = 529

// ErrorCode is the class of a backend's error answer, of its status first and else of the type and code in its body. More
// signs are those that only one of the APIs has.
func ErrorCode(status int, body []byte, more ...Sign) dialect.Code {
	if code := codeOfStatus(status); code != "" {
		return code
	}
	p := wire.Parse(body)
	var f Fault
	p.Object(func(key []byte) {
		if string(key) == "error" {
			f = ReadFault(p)
		}
	})
	return f.Code(more...)
}

// codeOfStatus is the class of a status, "" for one that is no error.
func codeOfStatus(status int) dialect.Code {
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
	return ""
}

// signs are those that both APIs have, the surest first.
var signs = []Sign{
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
	{"context_length", dialect.CodeContextLength},
	{"exceed_context", dialect.CodeContextLength},
	{"invalid", dialect.CodeBackendRejected},
	{"badrequest", dialect.CodeBackendRejected},
	{"not_found", dialect.CodeBackendRejected},
}

// Code is the class of an error that came without a status, within an answer.
func (f Fault) Code(more ...Sign) dialect.Code {
	if f.status >= 400 && f.status <= 599 {
		return codeOfStatus(f.status)
	}
	for _, list := range [...][]Sign{signs, more} {
		for _, sign := range list {
			if strings.Contains(f.words, sign.Word) {
				return sign.Code
			}
		}
	}
	return dialect.CodeBackendError
}
