// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// Limits of OpenAI's, which other protocols exceed.
const (
	maxNameLen = 64 // of functions and schemas: letters, digits, "_" and "-"
	maxIDLen   = 40 // of tool calls
)

// hashLen is how many hex digits make a shortened name or id distinct. Ours: 32 bits are enough among the tools of one
// request, 128 among the calls of a long conversation.
const (
	nameHashLen = 8
	idHashLen   = 32
)

func digest(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:n]
}

// wireName is a function's name as OpenAI allows it: the name itself, or if it has other characters or is too long (as
// those of MCP tools may be) as much of it as fits and a hash. It is the same in every request.
func wireName(name string) string {
	if nameFits(name) {
		return name
	}
	out := make([]byte, 0, maxNameLen)
	for i := 0; i < len(name) && len(out) < maxNameLen-nameHashLen-1; i++ {
		c := name[i]
		if !nameByte(c) {
			c = '_'
		}
		out = append(out, c)
	}
	return string(out) + "_" + digest(name, nameHashLen)
}

func nameFits(name string) bool {
	if name == "" || len(name) > maxNameLen {
		return false
	}
	for i := range len(name) {
		if !nameByte(name[i]) {
			return false
		}
	}
	return true
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || c == '_' || c == '-'
}

// originalNames maps the names of a request's tools back; nil when all go as they are.
func originalNames(req *conversation.Request) map[string]string {
	var names map[string]string
	for i := range req.Tools {
		if name := req.Tools[i].Name; !nameFits(name) {
			if names == nil {
				names = make(map[string]string)
			}
			names[wireName(name)] = name
		}
	}
	return names
}

// wireID is a call's id, shortened if OpenAI would refuse its length.
func wireID(id string) string {
	if len(id) <= maxIDLen {
		return id
	}
	return "call_" + digest(id, idHashLen)
}

// calls gives the calls of a conversation ids where its protocol has none, and finds the call that a result belongs to.
// The zero value is ready.
type calls struct {
	open  []openCall // without a result yet
	seen  map[string]bool
	count int
}

type openCall struct{ id, wire, name string }

// add notes a call and returns its id for the backend.
func (c *calls) add(id, name string) string {
	wire := wireID(id)
	if id == "" {
		wire = "call_" + strconv.Itoa(c.count)
	} else {
		if c.seen == nil {
			c.seen = make(map[string]bool)
		}
		c.seen[id] = true
	}
	c.count++
	c.open = append(c.open, openCall{id: id, wire: wire, name: name})
	return wire
}

// answer returns the id of the call that a result answers: the one with the result's id, else the first that has no
// result yet and the same name, else the first that has none. A result without a call keeps its id.
func (c *calls) answer(id, name string) string {
	at := -1
	if id != "" && c.seen[id] {
		at = slices.IndexFunc(c.open, func(o openCall) bool { return o.id == id })
		if at < 0 {
			return wireID(id)
		}
	}
	if at < 0 {
		at = slices.IndexFunc(c.open, func(o openCall) bool { return o.name == name })
	}
	switch {
	case at >= 0:
	case len(c.open) > 0:
		at = 0
	case id == "":
		c.count++
		return "call_" + strconv.Itoa(c.count-1)
	default:
		return wireID(id)
	}
	wire := c.open[at].wire
	c.open = slices.Delete(c.open, at, at+1)
	return wire
}
