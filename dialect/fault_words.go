// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/tokengo/tokengo/dialect/wire"
)

// faultWords are what an error says of itself, in any service's form. What it repeats of the request, as response.failed
// repeats the instructions, is not looked at: a conversation may say anything.
type faultWords struct {
	p     *wire.Parser
	kinds []byte // types, codes and statuses, in lower case, each between spaces
	text  []byte // messages, each before a quotation mark, over which no phrase reaches
}

// Bounds of what is looked at: a backend may send errors of a megabyte.
const (
	longestKind  = 128     // bytes of one type, code or status
	longestKinds = 1 << 10 // of all
	longestText  = 4 << 10 // of all messages
)

// readFault reads an error: an object, an array of them (gemini), or, where it is neither, a text.
func readFault(body []byte) *faultWords {
	w := &faultWords{p: wire.Parse(body)}
	isJSON := true
	if w.p.Kind() == wire.ArrayValue {
		w.p.Array(func(int) { w.p.Object(w.member) })
	} else {
		isJSON = w.p.Object(w.member)
	}
	if !isJSON || w.p.End() != nil {
		return &faultWords{text: body[:min(len(body), longestText)]}
	}
	return w
}

// member reads a member of the outermost object.
func (w *faultWords) member(key []byte) {
	switch string(key) {
	case "error":
		if w.p.Kind() == wire.StringValue {
			w.say()
		} else {
			w.p.Object(w.inner)
		}
	case "response": // responses
		w.p.Object(func(key []byte) {
			if string(key) == "error" {
				w.p.Object(w.inner)
			}
		})
	default:
		w.inner(key)
	}
}

// inner reads a member that errors have in an object of their own or, in some services, in the outermost one.
func (w *faultWords) inner(key []byte) {
	switch string(key) {
	case "type", "code", "status":
		w.kind()
	case "message", "detail":
		w.say()
	case "metadata": // OpenRouter: what the provider behind it said
		w.p.Object(func(key []byte) {
			if string(key) == "raw" {
				w.say()
			}
		})
	}
}

// kind takes a type, a code or a status. A number that is no status is the service's own and says nothing.
func (w *faultWords) kind() {
	var word []byte
	switch w.p.Kind() {
	case wire.StringValue:
		word = []byte(w.p.String())
	case wire.NumberValue:
		word = w.p.Raw()
	}
	if status, err := strconv.Atoi(string(word)); err == nil && http.StatusText(status) == "" && status != statusOverloaded {
		return
	}
	if len(w.kinds) < longestKinds {
		word = bytes.ToLower(word[:min(len(word), longestKind)])
		w.kinds = append(append(append(w.kinds, ' '), word...), ' ')
	}
}

// say takes a message. What is no text says nothing.
func (w *faultWords) say() {
	if w.p.Kind() != wire.StringValue {
		return
	}
	message := w.p.String()
	if room := longestText - len(w.text); room > 0 {
		w.text = append(append(w.text, message[:min(len(message), room)]...), '"')
	}
}

// tooLong reports whether kinds or messages say that the request is too long for the model.
func (w *faultWords) tooLong() bool {
	isLong := tooLong.Match(w.kinds) || tooLong.Match(w.text)
	return isLong && !limited.Match(w.kinds) && !limited.Match(w.text)
}
