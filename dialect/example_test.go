// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect_test

import (
	"fmt"
	"net/http"

	"github.com/tokengo/tokengo/dialect"
)

func ExampleIdentify() {
	op, problem := dialect.Identify("POST", "/v1beta/models/fast:streamGenerateContent", "alt=sse&key=secret", nil)
	if problem != nil {
		fmt.Println(problem)
		return
	}
	fmt.Println(op.Protocol, op.Kind, op.Model, op.Path)
	// Output: gemini chat fast /v1beta/models/fast:streamGenerateContent?alt=sse
}

func ExampleOperation_WithModel() {
	op, _ := dialect.Identify("POST", "/v1/chat/completions", "", nil)
	_, body, err := op.WithModel([]byte(`{ "model": "fast",  "unknown": 1.50 }`), "vendor/fast-2")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", body)
	// Output: { "model": "vendor/fast-2",  "unknown": 1.50 }
}

func ExampleError_Response() {
	h := http.Header{"Anthropic-Version": {"2023-06-01"}}
	op, problem := dialect.Identify("GET", "/v1/nothing", "", h)
	status, _, body := problem.Response(op)
	fmt.Printf("%d %.51s\n", status, body)
	// Output: 404 {"type":"error","error":{"type":"not_found_error","
}
