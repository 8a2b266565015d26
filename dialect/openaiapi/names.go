// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openaiapi

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// MaxName is how long names of functions and schemas may be for OpenAI, in bytes: letters, digits, "_" and "-". Other
// protocols allow more.
const MaxName = 64

// idHashLen is how many hex digits make a shortened id distinct. Ours: 128 bits are enough among the calls of a long
// conversation.
const idHashLen = 32

// Digest is n hex digits, at most 64, that stand for a longer text.
func Digest(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:n]
}

var functionNames = conversation.NameRule{Longest: MaxName}

// WireName is a function's name as OpenAI allows it, see [conversation.NameRule].
func WireName(name string) string { return functionNames.Name(name) }

// OriginalNames maps the names of a request's tools back; nil when all go as they are, or when there is no request.
func OriginalNames(req *conversation.Request) map[string]string { return functionNames.Originals(req) }

// NameByte reports whether names may have a character: letters, digits, "_" and "-".
func NameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || c == '_' || c == '-'
}

// WireID is a call's id, shortened if it is longer than the API allows, in bytes.
func WireID(id string, longest int) string {
	if len(id) <= longest {
		return id
	}
	return "call_" + Digest(id, idHashLen)
}
