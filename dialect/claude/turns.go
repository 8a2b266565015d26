// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
)

// turn is one message of the protocol.
type turn struct {
	role  string
	parts []conversation.Part
}

func (t turn) hasResults() bool {
	return slices.ContainsFunc(t.parts, func(p conversation.Part) bool { _, ok := p.(conversation.ResultPart); return ok })
}

func (t turn) hasCalls() bool {
	return slices.ContainsFunc(t.parts, func(p conversation.Part) bool { _, ok := p.(conversation.CallPart); return ok })
}

// thinksFirst reports whether the turn begins with thinking that its backend knows again.
func (t turn) thinksFirst() bool {
	p, ok := t.parts[0].(conversation.ThinkingPart)
	return ok && ownThinking(p)
}

// ownThinking reports whether thinking can go back to a Claude backend.
func ownThinking(p conversation.ThinkingPart) bool {
	return p.Signature.For(protocol) != "" || p.Redacted != "" && p.Signature.Value == ""
}

// arrange makes the protocol's turns: what the system says first is the system prompt, what it says later stays where
// it is, results of tools become one turn of the user, results first, and nothing is empty.
//
// Models that take system messages within the conversation take them only between a turn of the user and one of the
// assistant, or at the end, so there they move behind the user's turns that follow. For models that take none at all,
// the system prompt is the only place.
func (e *encoder) arrange() (system []conversation.TextPart, turns []turn, fail *dialect.Error) {
	for i := range e.req.Messages {
		m := &e.req.Messages[i]
		if m.Name != "" {
			e.dropped.Add("message.name")
		}
		parts := e.kept(m)
		if len(parts) == 0 {
			continue
		}
		switch m.Role {
		case conversation.System, conversation.Developer:
			texts, fail := systemTexts(parts)
			if fail != nil {
				return nil, nil, fail
			}
			if len(turns) == 0 {
				system = append(system, texts...)
				continue
			}
			if e.model.refusesSystem() {
				e.dropped.Add(systemPosition)
				system = append(system, texts...)
				continue
			}
			turns = e.addTurn(turns, turn{roleSystem, parts})
		case conversation.User, conversation.ToolResults:
			turns = e.addTurn(turns, turn{roleUser, parts})
		case conversation.Assistant:
			turns = e.addTurn(turns, turn{roleAssistant, parts})
		}
	}
	if len(turns) == 0 {
		return nil, nil, invalid("The request has no message that is not the system's, and the backend needs one.")
	}
	if e.model.placesSystem() {
		system, turns = e.hoist(system, turns)
	}
	if turns[0].role == roleAssistant {
		turns = slices.Insert(turns, 0, turn{roleUser, []conversation.Part{conversation.TextPart{Text: silentUser}}})
	}
	trimLast(turns)
	return system, turns, nil
}

// silentUser stands for what the user said before an answer that begins a conversation: the protocol demands a turn of the
// user's first. It is what other translators write, too.
const silentUser = "."

// systemPosition names that a message of the system's is not where it was.
const systemPosition = "system.position"

// hoist takes system messages that do not follow a turn of the user's into the system prompt.
func (e *encoder) hoist(system []conversation.TextPart, turns []turn) ([]conversation.TextPart, []turn) {
	var kept []turn
	for _, t := range turns {
		if last := len(kept) - 1; t.role != roleSystem || last >= 0 && kept[last].role == roleUser {
			kept = e.addTurn(kept, t)
			continue
		}
		e.dropped.Add(systemPosition)
		for _, p := range t.parts {
			if text, ok := p.(conversation.TextPart); ok {
				system = append(system, text)
			}
		}
	}
	return system, kept
}

func systemTexts(parts []conversation.Part) ([]conversation.TextPart, *dialect.Error) {
	var texts []conversation.TextPart
	for _, p := range parts {
		text, ok := p.(conversation.TextPart)
		if !ok {
			return nil, invalid("A system message in the request has content other than text, which the backend does not take.")
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// addTurn adds a turn, joined to one before where the protocol wants that.
func (e *encoder) addTurn(turns []turn, t turn) []turn {
	last := len(turns) - 1
	if last < 0 {
		return append(turns, t)
	}
	before := &turns[last]
	switch {
	case before.role == t.role && t.role != roleUser:
		before.parts = append(before.parts, t.parts...)
		return turns
	case before.role == roleUser && t.role == roleUser && (before.hasResults() || t.hasResults()):
		before.parts = resultsFirst(append(before.parts, t.parts...))
		return turns
	case before.role == roleSystem && t.role == roleUser && last > 0:
		if answersCall := turns[last-1].hasCalls() && t.hasResults(); answersCall || e.model.placesSystem() {
			e.dropped.Add(systemPosition)
			said := *before
			turns = e.addTurn(turns[:last], t)
			return append(turns, said)
		}
	}
	return append(turns, t)
}

// resultsFirst orders the parts as the protocol wants them, in place.
func resultsFirst(parts []conversation.Part) []conversation.Part {
	slices.SortStableFunc(parts, func(a, b conversation.Part) int { return order(a) - order(b) })
	return parts
}

func order(p conversation.Part) int {
	if _, ok := p.(conversation.ResultPart); ok {
		return 0
	}
	return 1
}

// kept are the parts of a message that can be written and say something.
func (e *encoder) kept(m *conversation.Message) []conversation.Part {
	var parts []conversation.Part
	for _, p := range m.Parts {
		switch p := p.(type) {
		case conversation.TextPart:
			if blank(p.Text) { // the protocol refuses it
				continue
			}
		case conversation.RefusalPart:
			if blank(p.Text) {
				continue
			}
		case conversation.ThinkingPart:
			if !ownThinking(p) {
				e.dropped.Add(lostThinking(p))
				continue
			}
		}
		parts = append(parts, p)
	}
	return parts
}

func lostThinking(p conversation.ThinkingPart) string {
	if p.Signature.Value != "" || p.Redacted != "" {
		return "thinking.signature"
	}
	return "thinking"
}

// trimLast removes the white space at the end of an answer that is to be continued, which the protocol refuses.
func trimLast(turns []turn) {
	t := turns[len(turns)-1]
	if t.role != roleAssistant {
		return
	}
	if text, ok := t.parts[len(t.parts)-1].(conversation.TextPart); ok {
		text.Text = trimRight(text.Text)
		t.parts[len(t.parts)-1] = text
	}
}

// Sizes of a request, about, so that it is written without copying it while it grows.
const (
	sizeOfRest = 1 << 10 // of a request besides its messages and tools
	sizeOfPart = 1 << 7  // of a part besides its text, of a tool besides its schema
)

func sizeOf(turns []turn) int {
	n := sizeOfRest
	for _, t := range turns {
		n += sizeOfPart + sizeOfParts(t.parts)
	}
	return n
}

func sizeOfParts(parts []conversation.Part) int {
	n := 0
	for _, p := range parts {
		n += sizeOfPart
		switch p := p.(type) {
		case conversation.TextPart:
			n += len(p.Text)
		case conversation.ThinkingPart:
			n += len(p.Text) + len(p.Signature.Value) + len(p.Redacted)
		case conversation.CallPart:
			n += len(p.Arguments)
		case conversation.ResultPart:
			n += sizeOfParts(p.Parts)
		case conversation.ImagePart:
			n += len(p.Data)
		case conversation.FilePart:
			n += len(p.Data)
		}
	}
	return n
}

func sizeOfTools(tools []conversation.Tool) int {
	n := 0
	for i := range tools {
		n += sizeOfPart + len(tools[i].Description) + len(tools[i].Parameters) + len(tools[i].Raw)
	}
	return n
}

// callIDs finds the call that a result belongs to, and makes ids where another protocol has none or one that this does
// not take.
type callIDs struct {
	open []openCall // calls without their results
	used map[string]bool
	made int
}

type openCall struct{ from, to, name string }

// call returns the id of a call. The protocol refuses one that the conversation has had, and backends of other
// protocols that have no ids, or count them anew in each answer, leave it to tools to make them.
func (c *callIDs) call(p conversation.CallPart) string {
	to := cleanID(p.ID)
	for to == "" || c.used[to] {
		c.made++
		to = strings.TrimSuffix("toolu_"+strconv.Itoa(c.made)+"_"+cleanID(p.ID), "_")
	}
	if c.used == nil {
		c.used = make(map[string]bool)
	}
	c.used[to] = true
	c.open = append(c.open, openCall{from: p.ID, to: to, name: p.Name})
	return to
}

// result returns the id of the call that is answered: the one with its id, else, if it has none, the first of its name,
// else the first. It reports false where there is no such call, or it has a result already, which the protocol refuses.
func (c *callIDs) result(p conversation.ResultPart) (id string, ok bool) {
	i := -1
	switch {
	case p.CallID != "":
		i = slices.IndexFunc(c.open, func(o openCall) bool { return o.from == p.CallID })
	case len(c.open) > 0:
		i = max(0, slices.IndexFunc(c.open, func(o openCall) bool { return o.name == p.Name }))
	}
	if i < 0 {
		return "", false
	}
	id = c.open[i].to
	c.open = slices.Delete(c.open, i, i+1)
	return id, true
}

// cleanID replaces what the protocol does not allow in an id: anything but letters, digits, _ and -.
func cleanID(id string) string {
	clean := []byte(id)
	for i, b := range clean {
		if !fieldName(string(b)) {
			clean[i] = '_'
		}
	}
	return string(clean)
}
