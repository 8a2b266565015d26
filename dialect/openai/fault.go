// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/openaiapi"
)

// ErrorCode is the class of a backend's error answer, of its status first and else of the type and code in its body.
func ErrorCode(status int, body []byte) dialect.Code { return openaiapi.ErrorCode(status, body) }
