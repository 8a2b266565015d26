// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/dialect/wire"
)

// signs are of errors that only Responses has.
var signs = []openaiapi.Sign{
	{Word: "slow_down", Code: dialect.CodeBackendOverloaded},
	{Word: "image", Code: dialect.CodeBackendRejected},
	{Word: "policy", Code: dialect.CodeBackendRejected},
}

// ErrorCode is the class of a backend's error answer, of its status first and else of the type and code in its body.
func ErrorCode(status int, body []byte) dialect.Code {
	return openaiapi.ErrorCode(status, body, signs...)
}

// readFault takes the value of a member "error"; null is none.
func readFault(p *wire.Parser) *openaiapi.Fault {
	if p.Null() {
		return nil
	}
	f := openaiapi.ReadFault(p)
	return &f
}
