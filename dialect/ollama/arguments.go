// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"bytes"
	"encoding/json"

	"github.com/tokengo/tokengo/dialect/wire"
)

// object returns a JSON object on one line, "{}" for none.
func object(text []byte) (string, bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || string(text) == "null" {
		return "{}", true
	}
	var b bytes.Buffer
	if text[0] != '{' || json.Compact(&b, text) != nil {
		return "", false
	}
	return b.String(), true
}

// argumentsObject makes an object of the arguments of a call. Those that a model got wrong are passed on as a text within
// one, so that whoever runs the tool can say what is wrong with them.
func argumentsObject(arguments []byte) string {
	if o, ok := object(arguments); ok {
		return o
	}
	var j wire.JSON
	j.Open('{')
	j.TextMember("arguments", string(arguments))
	j.Close('}')
	return string(j)
}
