// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// maxNameLen is how long names of functions and schemas and ids of calls and items may be for OpenAI. Names are of
// letters, digits, "_" and "-".
const maxNameLen = 64

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

// wireName is a name as OpenAI allows it: the name itself, or as much of it as fits and a hash.
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
	for i := range len(name) {
		if !nameByte(name[i]) {
			return false
		}
	}
	return name != "" && len(name) <= maxNameLen
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// originalNames maps the names of a request's functions back; nil when all go as they are.
func originalNames(req *conversation.Request) map[string]string {
	var names map[string]string
	if req == nil {
		return nil
	}
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
	if len(id) <= maxNameLen {
		return id
	}
	return "call_" + digest(id, idHashLen)
}

// calls gives the calls of a conversation ids where its protocol has none, and finds the call that a result belongs to.
type calls struct{ list []openCall }

type openCall struct {
	id, wire, name string
	answered       bool
}

// add notes a call and returns its id for the backend.
func (c *calls) add(id, name string) string {
	wire := wireID(id)
	if id == "" {
		wire = "call_" + strconv.Itoa(len(c.list))
	}
	c.list = append(c.list, openCall{id: id, wire: wire, name: name})
	return wire
}

// answer returns the id of the call that a result answers: the one with the result's id, else, for a result without one,
// the first of the same name that has no result yet, else the first that has none.
func (c *calls) answer(id, name string) string {
	best := -1
	for i := range c.list {
		call := &c.list[i]
		switch {
		case id != "":
			if call.id == id && !call.answered {
				call.answered = true
				return call.wire
			}
		case call.answered:
		case best < 0, name != "" && call.name == name && c.list[best].name != name:
			best = i
		}
	}
	if best < 0 {
		return wireID(id)
	}
	c.list[best].answered = true
	return c.list[best].wire
}
