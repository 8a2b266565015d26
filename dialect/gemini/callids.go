// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"strconv"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// callIDs gives ids to calls that have none, and tells which call a result answers. Gemini CLI makes ids for its results
// only, so an id that no call has counts for nothing.
type callIDs struct {
	calls int    // of the conversation so far
	open  []call // calls of the turn before that wait for their results
}

type call struct{ id, name string }

// assign gives ids to the calls and results of a conversation.
func (c *callIDs) assign(messages []conversation.Message) {
	for _, m := range messages {
		switch m.Role {
		case conversation.Assistant:
			c.open = c.open[:0]
			for i, part := range m.Parts {
				if p, ok := part.(conversation.CallPart); ok {
					m.Parts[i] = c.called(p)
				}
			}
		case conversation.ToolResults:
			for i, part := range m.Parts {
				if p, ok := part.(conversation.ResultPart); ok {
					m.Parts[i] = c.answered(p)
				}
			}
		}
	}
}

func (c *callIDs) called(p conversation.CallPart) conversation.CallPart {
	if p.ID == "" {
		p.ID = "call_" + strconv.Itoa(c.calls)
	}
	c.calls++
	c.open = append(c.open, call{p.ID, p.Name})
	return p
}

// answered finds the call: by id, else by name, else the first.
func (c *callIDs) answered(p conversation.ResultPart) conversation.ResultPart {
	for _, fits := range []func(call) bool{
		func(o call) bool { return o.id == p.CallID },
		func(o call) bool { return o.name == p.Name },
		func(call) bool { return p.Name == "" },
	} {
		for i, o := range c.open {
			if fits(o) {
				p.CallID, p.Name = o.id, o.name
				c.open = append(c.open[:i:i], c.open[i+1:]...)
				return p
			}
		}
	}
	if p.CallID == "" {
		p.CallID = "call_" + p.Name
	}
	return p
}
