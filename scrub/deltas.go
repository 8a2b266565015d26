// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import "strconv"

// node is a JSON value and where it stands.
type node struct {
	start, end int
	kind       byte  // '{', '[', '"', or 0 for the others
	keys       []int // where they begin
	names      []string
	members    []node // or elements
}

// parse reads one JSON value, which must be all there is.
func parse(data []byte) (node, bool) {
	c := cursor{data: data}
	n := c.node()
	return n, c.end() == nil
}

func (c *cursor) node() node {
	n := node{start: c.pos}
	switch c.peek() {
	case '{':
		n.kind = '{'
		c.open()
		for first := true; c.more('}', first); first = false {
			n.keys = append(n.keys, c.pos)
			n.names = append(n.names, string(decode(c.key())))
			n.members = append(n.members, c.node())
		}
	case '[':
		n.kind = '['
		c.open()
		for first := true; c.more(']', first); first = false {
			n.members = append(n.members, c.node())
		}
	case '"':
		n.kind = '"'
		c.text()
	default:
		c.scalar()
	}
	n.end = c.pos
	return n
}

// get returns a member of an object, nil where there is none.
func (n *node) get(name string) *node {
	if n == nil || n.kind != '{' {
		return nil
	}
	for i, have := range n.names {
		if have == name {
			return &n.members[i]
		}
	}
	return nil
}

// list returns the elements of an array.
func (n *node) list() []node {
	if n == nil || n.kind != '[' {
		return nil
	}
	return n.members
}

// event is one JSON value of an answer, whole: an event of a stream, or all of an answer that is not streamed.
type event struct {
	raw  []byte
	root node
}

// text returns the text of a string, "" for anything else.
func (e *event) text(n *node) string {
	if n == nil || n.kind != '"' {
		return ""
	}
	return string(decode(e.raw[n.start:n.end]))
}

// scalar returns a value as it is written, for ids and indexes.
func (e *event) scalar(n *node) string {
	if n == nil {
		return ""
	}
	return string(e.raw[n.start:n.end])
}

// delta is a string of an event that goes on in later events.
type delta struct {
	at   *node
	of   string // what it is part of: the same in all events that add to it
	json bool   // it is part of a JSON text, such as the arguments of a call
}

// deltas returns the strings of an event that are pieces of longer texts, in the order in which they belong together. The
// protocol shows in the event; no two protocols use the same names.
func (e *event) deltas() []delta {
	var all []delta
	add := func(n *node, of string, json bool) {
		if n != nil && n.kind == '"' {
			all = append(all, delta{n, of, json})
		}
	}
	for _, choice := range e.root.get("choices").list() { // OpenAI: chat and completions
		e.chatDeltas(&choice, add)
	}
	if kind := e.text(e.root.get("type")); len(kind) > len(".delta") && kind[len(kind)-len(".delta"):] == ".delta" { // Responses
		of := kind
		for _, name := range []string{"item_id", "output_index", "content_index", "summary_index"} {
			of += " " + e.scalar(e.root.get(name))
		}
		add(e.root.get("delta"), of, kind == "response.function_call_arguments.delta" || kind == "response.mcp_call_arguments.delta")
	}
	if d := e.root.get("delta"); d != nil && d.kind == '{' { // Claude
		for _, name := range []string{"text", "thinking", "partial_json"} {
			add(d.get(name), "block "+e.scalar(e.root.get("index"))+" "+name, name == "partial_json")
		}
	}
	for i, candidate := range e.root.get("candidates").list() { // Gemini
		for j := range candidate.get("content").get("parts").list() {
			part := &candidate.get("content").get("parts").members[j]
			add(part.get("text"), "candidate "+strconv.Itoa(i)+e.scalar(part.get("thought")), false)
		}
	}
	if e.root.get("done") != nil { // Ollama
		for _, name := range []string{"response", "thinking"} {
			add(e.root.get(name), name, false)
		}
		for _, name := range []string{"content", "thinking"} {
			add(e.root.get("message").get(name), "message "+name, false)
		}
	}
	return all
}

// chatDeltas adds the pieces in one choice of a chunk.
func (e *event) chatDeltas(choice *node, add func(n *node, of string, json bool)) {
	of := "choice " + e.scalar(choice.get("index"))
	add(choice.get("text"), of+" text", false)
	d := choice.get("delta")
	for _, name := range []string{"content", "reasoning_content", "reasoning", "refusal"} {
		add(d.get(name), of+" "+name, false)
	}
	for _, call := range d.get("tool_calls").list() {
		add(call.get("function").get("arguments"), of+" call "+e.scalar(call.get("index")), true)
		add(call.get("custom").get("input"), of+" input "+e.scalar(call.get("index")), false)
	}
	add(d.get("function_call").get("arguments"), of+" call", true)
}

// isEnd reports whether an event without pieces says that something has ended, so that no more pieces of it come.
func (e *event) isEnd() bool {
	switch kind := e.text(e.root.get("type")); {
	case kind == "ping":
		return false
	case kind != "": // Claude and Responses: every other event lies between two texts
		return true
	}
	for _, choice := range e.root.get("choices").list() {
		if reason := choice.get("finish_reason"); reason != nil && reason.kind == '"' {
			return true
		}
	}
	return e.root.get("candidates") != nil || e.scalar(e.root.get("done")) == "true"
}
