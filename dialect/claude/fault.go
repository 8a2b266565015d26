// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"encoding/json"
	"net/http"

	"github.com/tokengo/tokengo/dialect"
)

// statusOverloaded is the protocol's own status for overloaded_error.
const statusOverloaded = 529

// ErrorCode returns the class of a backend's error answer, by the type that it names, or by its status.
func ErrorCode(status int, body []byte) dialect.Code {
	var in struct {
		Error apiError `json:"error"`
	}
	if json.Unmarshal(body, &in) != nil {
		return codeOf("", status)
	}
	return codeOf(in.Error.Type, status)
}

// codeOf is the class of an error type (docs.claude.com/en/api/errors), or of a status where the type is another.
func codeOf(kind string, status int) dialect.Code {
	switch kind {
	case "authentication_error", "permission_error", "billing_error":
		return dialect.CodeBackendAuth
	case "rate_limit_error":
		return dialect.CodeBackendRateLimited
	case "overloaded_error":
		return dialect.CodeBackendOverloaded
	case "timeout_error":
		return dialect.CodeBackendTimeout
	case "invalid_request_error", "not_found_error", "request_too_large":
		if status < http.StatusInternalServerError && status != http.StatusTooManyRequests {
			return dialect.CodeBackendRejected
		}
	}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusPaymentRequired:
		return dialect.CodeBackendAuth
	case status == http.StatusTooManyRequests:
		return dialect.CodeBackendRateLimited
	case status == http.StatusServiceUnavailable, status == statusOverloaded:
		return dialect.CodeBackendOverloaded
	case status == http.StatusGatewayTimeout, status == http.StatusRequestTimeout:
		return dialect.CodeBackendTimeout
	case status >= 400 && status < 500:
		return dialect.CodeBackendRejected
	default:
		return dialect.CodeBackendError
	}
}
