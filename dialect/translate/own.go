// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"bytes"
	"encoding/json"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/gemini"
	"github.com/tokengo/tokengo/dialect/responses"
	"github.com/tokengo/tokengo/service"
)

// marks are what a body has in it when a tool keeps a signature that a codec has marked: in the open, in base64 (gemini),
// or as what the openai codec makes of chat completions for the tools of Responses.
var marks = [][]byte{[]byte("tokengo:"), []byte("tokengo-"), []byte("dG9rZW5nb"), []byte(`"chat:`)}

// OwnSignatures returns a request as a backend of the tool's own protocol gets it: without the signatures, and the
// reasoning that they sign, that backends of other protocols made in earlier turns and a translation has marked. Such a
// backend would refuse them. A signature that was marked for a tool and is the protocol's own is unmarked. A request
// without any of these is returned as it is, byte for byte; of others only the places change that have one. body must be
// valid JSON; it is not written to.
func OwnSignatures(op dialect.Operation, body []byte) []byte {
	marked := false
	for _, mark := range marks {
		marked = marked || bytes.Contains(body, mark)
	}
	if !marked {
		return body
	}
	start := skipSpace(body, 0)
	end := len(bytes.TrimRight(body, " \t\r\n"))
	if start >= end {
		return body
	}
	request := body[start:end]
	edited := editObject(request, func(key string, value []byte) []byte { return ownMember(op, key, value) })
	if same(edited, request) {
		return body
	}
	return append(append(bytes.Clone(body[:start]), edited...), body[end:]...)
}

// ownMember edits one member of a request.
func ownMember(op dialect.Operation, key string, value []byte) []byte {
	switch {
	case op.Kind == dialect.Responses && key == "input":
		return editArray(value, ownItem)
	case op.Protocol == service.Gemini && key == "contents":
		return editArray(value, func(c []byte) []byte { return ownContent(op.Model, c) })
	case op.Protocol == service.Gemini && (key == "generateContentRequest" || key == "generate_content_request"):
		return editObject(value, func(key string, value []byte) []byte { return ownMember(op, key, value) })
	case key != "messages":
		return value
	case op.Protocol == service.Claude:
		return editArray(value, ownClaude)
	default:
		return editArray(value, ownChat)
	}
}

// ownItem leaves out items of reasoning of a Responses request.
func ownItem(item []byte) []byte {
	var in struct {
		Type      string `json:"type"`
		Encrypted string `json:"encrypted_content"`
	}
	if json.Unmarshal(item, &in) == nil && in.Type == "reasoning" && responses.Foreign(in.Encrypted) {
		return nil
	}
	return item
}

// ownClaude leaves out blocks of thinking of a message, and a message that has nothing else.
func ownClaude(message []byte) []byte {
	return editLists(message, "content", func(block []byte) []byte {
		var in struct {
			Type      string `json:"type"`
			Signature string `json:"signature"`
		}
		if json.Unmarshal(block, &in) == nil && in.Type == "thinking" && conversation.Marked(in.Signature) {
			return nil
		}
		return block
	})
}

// editLists edits the elements of a list in an object, and returns nil where none is left of some.
func editLists(object []byte, list string, edit func([]byte) []byte) []byte {
	emptied := false
	object = editObject(object, func(key string, value []byte) []byte {
		if key != list {
			return value
		}
		edited := editArray(value, edit)
		emptied = emptied || !same(edited, value) && string(edited) == "[]"
		return edited
	})
	if emptied {
		return nil
	}
	return object
}

// ownChat leaves out marked details of reasoning, and marked signatures of calls, of a message of chat completions or of
// Ollama's.
func ownChat(message []byte) []byte {
	return editObject(message, func(key string, value []byte) []byte {
		switch key {
		case "reasoning_details":
			if value = editArray(value, ownDetail); string(value) == "[]" {
				return nil
			}
			return value
		case "tool_calls":
			return editArray(value, func(call []byte) []byte { return editObject(call, ownCallMember) })
		default:
			return value
		}
	})
}

func ownDetail(detail []byte) []byte {
	var in struct {
		Signature string `json:"signature"`
		Data      string `json:"data"`
	}
	if json.Unmarshal(detail, &in) == nil && (conversation.Marked(in.Signature) || conversation.Marked(in.Data)) {
		return nil
	}
	return detail
}

// ownCallMember leaves the place out that keeps the signature of a call: ollama's signature, openai's extra_content.
func ownCallMember(key string, value []byte) []byte {
	switch key {
	case "signature":
		var signature string
		if json.Unmarshal(value, &signature) == nil && conversation.Marked(signature) {
			return nil
		}
	case "extra_content":
		var in struct {
			Google struct {
				Signature string `json:"thought_signature"`
			} `json:"google"`
		}
		if json.Unmarshal(value, &in) == nil && conversation.Marked(in.Google.Signature) {
			return nil
		}
	}
	return value
}

// ownContent edits the parts of one of gemini's contents.
func ownContent(model string, content []byte) []byte {
	return editLists(content, "parts", func(part []byte) []byte {
		var in struct {
			Text *string         `json:"text"`
			Call json.RawMessage `json:"functionCall"`
			Old  json.RawMessage `json:"function_call"`
		}
		if json.Unmarshal(part, &in) != nil {
			return part
		}
		lost := false
		edited := editObject(part, func(key string, value []byte) []byte {
			if key == "thoughtSignature" || key == "thought_signature" {
				value = ownThought(value, model, in.Call != nil || in.Old != nil)
				lost = value == nil
			}
			return value
		})
		if lost && in.Text != nil && *in.Text == "" {
			return nil // it was there for the signature
		}
		return edited
	})
}

// ownThought is a signature as Gemini's own backend is to get it.
func ownThought(value []byte, model string, ofCall bool) []byte {
	var signature string
	if json.Unmarshal(value, &signature) != nil {
		return value
	}
	own, marked := gemini.OwnSignature(signature)
	if own == "" && ofCall {
		own = gemini.Unsigned(model)
	}
	switch {
	case !marked:
		return value
	case own == "":
		return nil
	}
	edited, err := json.Marshal(own)
	if err != nil {
		return nil
	}
	return edited
}
