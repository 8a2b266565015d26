// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"encoding/base64"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// A tool keeps one thing verbatim for a backend: encrypted_content of a reasoning item. Codex sends it back together with
// the summary, without the item's id and without its content. So the text of reasoning is the summary, its signature is
// the encrypted content, and what else another protocol's backend wants back has an item of its own:
//
//	tokengo:<protocol>:<base64url>                         the signature of the reasoning, see conversation.Signature
//	tokengo-redacted:<base64url>                           reasoning that only Claude can read
//	tokengo-call:<base64url of the id>:<protocol>:<base64url>  the signature of a call (gemini's thought signature)
const (
	redactedMark = "tokengo-redacted:"
	callMark     = "tokengo-call:"
)

// chatMark begins the signatures by openai that package openai makes: they are no encrypted content.
const chatMark = "chat:"

func encode64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// wrapCall is the encrypted content that carries the signature of a call.
func wrapCall(callID string, s conversation.Signature) string {
	return callMark + encode64(callID) + ":" + string(s.By) + ":" + encode64(s.Value)
}

// unwrapCall reads what wrapCall wrote.
func unwrapCall(encrypted string) (callID string, s conversation.Signature, ok bool) {
	rest, ok := strings.CutPrefix(encrypted, callMark)
	fields := strings.Split(rest, ":")
	if !ok || len(fields) != 3 {
		return "", s, false
	}
	id, idErr := base64.RawURLEncoding.DecodeString(fields[0])
	by, byErr := service.ParseProtocol(fields[1])
	value, valueErr := base64.RawURLEncoding.DecodeString(fields[2])
	if idErr != nil || byErr != nil || valueErr != nil {
		return "", s, false
	}
	return string(id), conversation.Signature{By: by, Value: string(value)}, true
}

// wrapReasoning is the encrypted content of a reasoning item, "" for none.
func wrapReasoning(s conversation.Signature, redacted string) string {
	if redacted != "" {
		return redactedMark + encode64(redacted)
	}
	return s.Wrap(protocol)
}

// unwrapReasoning reads what wrapReasoning wrote, or an OpenAI backend.
func unwrapReasoning(encrypted string) (s conversation.Signature, redacted string) {
	if rest, ok := strings.CutPrefix(encrypted, redactedMark); ok {
		if raw, err := base64.RawURLEncoding.DecodeString(rest); err == nil {
			return s, string(raw)
		}
	}
	if encrypted == "" {
		return s, ""
	}
	return conversation.Unwrap(protocol, encrypted), ""
}

// Foreign reports whether encrypted content means nothing to a backend that speaks Responses.
func Foreign(encrypted string) bool {
	return conversation.Marked(encrypted) || strings.HasPrefix(encrypted, chatMark)
}

// encryptedContent is the signature for a Responses backend, "" when no Responses backend made it.
func encryptedContent(s conversation.Signature) string {
	value := s.For(protocol)
	if strings.HasPrefix(value, chatMark) {
		return ""
	}
	return value
}
