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

// hashLen is how many hex digits make a shortened name or id distinct. Ours: 32 bits are enough among the tools of one
// request, 128 among the calls of a long conversation.
const (
	nameHashLen = 8
	idHashLen   = 32
)

// Digest is n hex digits, at most 64, that stand for a longer text.
func Digest(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:n]
}

// WireName is a function's name as OpenAI allows it: the name itself, or if it has other characters or is too long (as
// those of MCP tools may be) as much of it as fits and a hash. It is the same in every request.
func WireName(name string) string {
	if nameFits(name) {
		return name
	}
	out := make([]byte, 0, MaxName)
	for i := 0; i < len(name) && len(out) < MaxName-nameHashLen-1; i++ {
		c := name[i]
		if !NameByte(c) {
			c = '_'
		}
		out = append(out, c)
	}
	return string(out) + "_" + Digest(name, nameHashLen)
}

func nameFits(name string) bool {
	if name == "" || len(name) > MaxName {
		return false
	}
	for i := range len(name) {
		if !NameByte(name[i]) {
			return false
		}
	}
	return true
}

// NameByte reports whether names may have a character: letters, digits, "_" and "-".
func NameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || c == '_' || c == '-'
}

// OriginalNames maps the names of a request's tools back; nil when all go as they are, or when there is no request.
func OriginalNames(req *conversation.Request) map[string]string {
	if req == nil {
		return nil
	}
	var names map[string]string
	for i := range req.Tools {
		if name := req.Tools[i].Name; !nameFits(name) {
			if names == nil {
				names = make(map[string]string)
			}
			names[WireName(name)] = name
		}
	}
	return names
}

// WireID is a call's id, shortened if it is longer than the API allows, in bytes.
func WireID(id string, longest int) string {
	if len(id) <= longest {
		return id
	}
	return "call_" + Digest(id, idHashLen)
}
