// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"slices"
	"strconv"

	"github.com/tokengo/tokengo/dialect/openaiapi"
)

// maxIDLen is how long ids of tool calls may be for OpenAI, in bytes, which other protocols exceed.
const maxIDLen = 40

func wireID(id string) string { return openaiapi.WireID(id, maxIDLen) }

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
