// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"slices"
	"strconv"
)

// calls finds the call that a result belongs to, and makes ids where there are none. The zero value is ready.
//
// Tools of this protocol answer calls in several ways: with the call's id, with the tool's name, or only by the order of
// the results.
type calls struct {
	open []openCall // calls without their results
	seen int
}

type openCall struct{ id, name string }

// call notes a call and returns its id.
func (c *calls) call(id, name string) string {
	c.seen++
	if id == "" {
		id = "call_" + strconv.Itoa(c.seen)
	}
	c.open = append(c.open, openCall{id: id, name: name})
	return id
}

// result returns the call that is answered: the one with that id, else the first of that name that has no result yet,
// else, if no name is given, the first that has none. A result without a call stays as it is.
func (c *calls) result(id, name string) openCall {
	at := -1
	switch {
	case id != "":
		at = slices.IndexFunc(c.open, func(o openCall) bool { return o.id == id })
	case name != "":
		at = slices.IndexFunc(c.open, func(o openCall) bool { return o.name == name })
	case len(c.open) > 0:
		at = 0
	}
	if at < 0 {
		return openCall{id: id, name: name}
	}
	found := c.open[at]
	c.open = slices.Delete(c.open, at, at+1)
	return found
}
