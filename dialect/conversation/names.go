// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// NameRule is what a protocol allows as the name of a function. All allow ASCII letters, digits, "_" and "-".
type NameRule struct {
	Longest int    // in bytes
	Also    string // further characters
	Initial bool   // the first is a letter or "_"
}

// nameHashLen is how many hex digits make a changed name distinct. Ours: 32 bits are enough among the tools of one request.
const nameHashLen = 8

// Name is a function's name as the rule allows it: the name itself, or if that has other characters or is too long (as
// those of MCP tools may be) as much of it as fits and a hash. It is the same in every request, so that a conversation
// that comes back is the same to a cache.
func (r NameRule) Name(name string) string {
	if r.fits(name) {
		return name
	}
	out := make([]byte, 0, r.Longest)
	if r.Initial && name != "" && !initial(name[0]) {
		out = append(out, '_')
	}
	for i := 0; i < len(name) && len(out) < r.Longest-nameHashLen-1; i++ {
		c := name[i]
		if !r.allows(c) {
			c = '_'
		}
		out = append(out, c)
	}
	sum := sha256.Sum256([]byte(name))
	return string(out) + "_" + hex.EncodeToString(sum[:])[:nameHashLen]
}

// Originals maps the changed names of a request's functions back; nil when all go as they are, or when there is no
// request.
func (r NameRule) Originals(req *Request) map[string]string {
	if req == nil {
		return nil
	}
	var names map[string]string
	for i := range req.Tools {
		if name := req.Tools[i].Name; req.Tools[i].Builtin == "" && !r.fits(name) {
			if names == nil {
				names = make(map[string]string)
			}
			names[r.Name(name)] = name
		}
	}
	return names
}

func (r NameRule) fits(name string) bool {
	if name == "" || len(name) > r.Longest || r.Initial && !initial(name[0]) {
		return false
	}
	for i := range len(name) {
		if !r.allows(name[i]) {
			return false
		}
	}
	return true
}

func (r NameRule) allows(c byte) bool {
	return initial(c) || '0' <= c && c <= '9' || c == '-' || strings.IndexByte(r.Also, c) >= 0
}

func initial(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }
