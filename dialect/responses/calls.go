// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"strconv"

	"github.com/tokengo/tokengo/dialect/openaiapi"
)

// maxIDLen is how long ids of calls and items may be for OpenAI, in bytes.
const maxIDLen = 64

func wireID(id string) string { return openaiapi.WireID(id, maxIDLen) }

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
