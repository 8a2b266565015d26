// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"encoding/json"
	"testing"

	"github.com/tokengo/tokengo/dialect/conversation"
)

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{"contents":[{"role":"model","parts":[{"text":"a","thought":true},{"functionCall":{"name":"f","args":{}},"thoughtSignature":"dG9rZW5nbzpjbGF1ZGU6YQ=="}]}]}`))
	f.Add([]byte(`{"contents":{"parts":{"functionResponse":{"name":"f","response":{"output":[1]},"parts":[{"inlineData":{"mimeType":"image/png","data":"_-"}}]}}}}`))
	f.Add([]byte(`{"system_instruction":"s","contents":[{"parts":["x"]}],"tools":[{"function_declarations":{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"enum":["1"],"type":"INTEGER","nullable":true,"anyOf":[1]}}}}}]}`))
	f.Add([]byte(`{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"seed":"7","thinkingConfig":{"thinkingBudget":-1},"responseSchema":{}},"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}`))
	f.Add([]byte(`{"generateContentRequest":{"contents":[{"parts":[{"text":"a"}]}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		req, fail := DecodeRequest(wholeOp, body)
		n, countFail := CountTokens(body)
		if n < 0 || fail == nil && countFail != nil {
			t.Fatalf("%d tokens, %v", n, countFail)
		}
		if fail != nil {
			return
		}
		for i := range req.Tools {
			if p := req.Tools[i].Parameters; p != nil && !json.Valid(p) {
				t.Fatalf("schema %s", p)
			}
		}
		var dropped conversation.Dropped
		_, out, fail := EncodeRequest(req, &dropped)
		if fail != nil {
			return
		}
		if !json.Valid(out) {
			t.Fatalf("written: %s", out)
		}
		if _, fail := DecodeRequest(wholeOp, out); fail != nil {
			t.Fatalf("%v: %s", fail, out)
		}
	})
}
