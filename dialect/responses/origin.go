// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// origin is what a function was in the tool's request. It is kept in [conversation.Tool.Raw] of the function, unless it
// was a plain function, and found again there when the answer is written.
type origin struct {
	kind      string // typeFunction, typeCustom, typeToolSearch, typeLocalShell
	namespace string
	name      string
}

// raw is the mark of a tool whose function has the name, nil for one that is just that function.
func (o origin) raw(name string) []byte {
	if o == (origin{kind: typeFunction, name: name}) {
		return nil
	}
	var j wire.JSON
	j.Open('{')
	j.TextMember("type", o.kind)
	j.TextIf("namespace", o.namespace)
	j.TextMember("name", o.name)
	j.Close('}')
	return j
}

// originOf reads what raw wrote.
func originOf(t *conversation.Tool) origin {
	o := origin{kind: typeFunction, name: t.Name}
	if t.Builtin != "" || len(t.Raw) == 0 {
		return o
	}
	p := wire.Parse(t.Raw)
	p.Object(func(key []byte) {
		switch string(key) {
		case "type":
			o.kind = p.String()
		case "namespace":
			o.namespace = p.String()
		case "name":
			o.name = p.String()
		}
	})
	return o
}

// origins finds the functions of a request that were something else, by name. It is nil when there are none.
func origins(req *conversation.Request) map[string]origin {
	var found map[string]origin
	if req == nil {
		return nil
	}
	for i := range req.Tools {
		t := &req.Tools[i]
		if t.Builtin != "" || len(t.Raw) == 0 {
			continue
		}
		if found == nil {
			found = make(map[string]origin)
		}
		found[t.Name] = originOf(t)
	}
	return found
}

// defaultNamespace is where Codex puts tools that have no namespace of their own.
const defaultNamespace = "functions"

const namespaceEnd = "__"

// functionName is the name of the function that stands for a tool.
func (o origin) functionName() string {
	if o.namespace == "" || o.namespace == defaultNamespace {
		return o.name
	}
	return strings.TrimSuffix(o.namespace, namespaceEnd) + namespaceEnd + o.name
}

// distinctName is a name for a tool whose functionName another tool has already.
func (o origin) distinctName() string {
	sum := sha256.Sum256([]byte(o.kind + "\x00" + o.namespace + "\x00" + o.name))
	return o.functionName() + "_" + hex.EncodeToString(sum[:4])
}

// customMember is the argument of the function that stands for a custom tool.
const customMember = "input"

const customSchema = `{"type":"object","properties":{"input":{"type":"string","description":"The whole input of the ` +
	`tool, as plain text."}},"required":["input"],"additionalProperties":false}`

const localShellSchema = `{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"},` +
	`"description":"The command and its arguments."},"working_directory":{"type":"string"},"timeout_ms":` +
	`{"type":"integer"},"env":{"type":"object","additionalProperties":{"type":"string"}}},"required":["command"]}`

const localShellDescription = "Runs a command on the user's machine and returns its output."

// customArguments are the arguments of the function that stands for a custom tool.
func customArguments(input string) string {
	return string(append(wire.AppendString([]byte(`{"`+customMember+`":`), input), '}'))
}

// customInput is the input of a custom tool that the model called as a function. Models that do not keep to the schema
// give the text in a member of another name, or as it is.
func customInput(arguments string) string {
	p := wire.Parse([]byte(arguments))
	if p.Kind() == wire.StringValue {
		if text := p.String(); p.End() == nil {
			return text
		}
		return arguments
	}
	var input, other string
	named, members, texts := false, 0, 0
	whole := p.Object(func(key []byte) {
		members++
		if p.Kind() != wire.StringValue {
			return
		}
		if texts++; string(key) == customMember {
			named, input = true, p.String()
			return
		}
		other = p.String()
	})
	switch {
	case !whole || p.End() != nil:
		return arguments
	case named || members == 0:
		return input
	case texts == 1 && members == 1:
		return other
	}
	return arguments
}
