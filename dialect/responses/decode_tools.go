// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"slices"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// toolFields are the fields of a tool of any kind that the tool itself runs.
type toolFields struct {
	kind, name, description, execution string
	parameters, format, tools          []byte
	strict                             *bool
}

// tool reads a tool, which may hold others. They may come again later in the conversation; the last one counts.
func (d *decoder) tool(namespace string) {
	if d.Kind() != wire.ObjectValue {
		d.wrongType("tools", "a list of tools")
		d.Skip()
		return
	}
	raw := d.Raw()
	var f toolFields
	d.within(raw, func() {
		d.Object(func(key []byte) {
			if string(key) == "type" {
				f.kind = d.text("tools.type")
			}
		})
	})
	switch f.kind {
	case typeFunction, typeCustom, typeNamespace, typeToolSearch, typeLocalShell:
	case "":
		d.refuse("A tool in the request has no type.")
		return
	default:
		d.req.Tools = append(d.req.Tools, conversation.Tool{Name: f.kind, Builtin: f.kind, Raw: raw})
		return
	}
	d.within(raw, func() { d.Object(func(key []byte) { d.toolField(&f, key) }) })
	d.add(&f, namespace, raw)
}

func (d *decoder) toolField(f *toolFields, key []byte) {
	switch string(key) {
	case "type":
	case "name":
		f.name = d.text("tools.name")
	case "description":
		f.description = d.text("tools.description")
	case "parameters":
		f.parameters = d.raw("tools.parameters", wire.ObjectValue)
	case "strict":
		f.strict = d.boolean("tools.strict")
	case "format":
		f.format = d.raw("tools.format", wire.ObjectValue)
	case "tools":
		f.tools = d.raw("tools.tools", wire.ArrayValue)
	case "execution":
		f.execution = d.text("tools.execution")
	case "defer_loading":
		if b := d.boolean("tools.defer_loading"); b != nil && *b {
			d.unmapped("tools.defer_loading")
		}
	default:
		d.other("tools.", key)
	}
}

func (d *decoder) add(f *toolFields, namespace string, raw []byte) {
	o := origin{kind: f.kind, namespace: namespace, name: f.name}
	t := conversation.Tool{Description: f.description, Parameters: f.parameters, Strict: f.strict}
	switch f.kind {
	case typeNamespace:
		if f.description != "" {
			d.unmapped("tools.description")
		}
		d.within(f.tools, func() { d.Array(func(int) { d.tool(f.name) }) })
		return
	case typeCustom:
		t.Parameters, t.Description = []byte(customSchema), d.grammar(f)
	case typeToolSearch:
		if f.execution != "client" {
			// The tools that it would find are in the request; all of them are offered.
			d.req.Tools = append(d.req.Tools, conversation.Tool{Name: f.kind, Builtin: f.kind, Raw: raw})
			return
		}
		o.name = typeToolSearch
	case typeLocalShell:
		o.name, t.Parameters, t.Description = typeLocalShell, []byte(localShellSchema), localShellDescription
	}
	if o.name == "" {
		d.refuse("A tool in the request has no name.")
		return
	}
	t.Name = d.register(o)
	t.Raw = o.raw(t.Name)
	d.added = append(d.added, t.Name)
	if i := slices.IndexFunc(d.req.Tools, func(other conversation.Tool) bool {
		return other.Builtin == "" && other.Name == t.Name
	}); i >= 0 {
		d.req.Tools[i] = t
		return
	}
	d.req.Tools = append(d.req.Tools, t)
}

// grammar is the description of a custom tool with the form that its input must have, which functions do not have.
func (d *decoder) grammar(f *toolFields) string {
	var kind, syntax, definition string
	d.within(f.format, func() {
		d.Object(func(key []byte) {
			switch string(key) {
			case "type":
				kind = d.text("tools.format.type")
			case "syntax":
				syntax = d.text("tools.format.syntax")
			case "definition":
				definition = d.text("tools.format.definition")
			default:
				d.other("tools.format.", key)
			}
		})
	})
	if kind != "grammar" || definition == "" {
		return f.description
	}
	d.unmapped("tools.format")
	text := "The input must match this grammar"
	if syntax == "lark" || syntax == "regex" {
		text += " (" + syntax + ")"
	}
	text += ":\n" + definition
	if f.description == "" {
		return text
	}
	return f.description + "\n\n" + text
}

// register gives the function that stands for a tool a name that no other has.
func (d *decoder) register(o origin) string {
	if d.functions == nil {
		d.functions, d.taken = make(map[origin]string), make(map[string]origin)
	}
	if name, ok := d.functions[o]; ok {
		return name
	}
	name := o.functionName()
	if _, ok := d.taken[name]; ok {
		name = o.distinctName()
	}
	d.functions[o], d.taken[name] = name, o
	return name
}

// called is the name of the function for a call in the conversation, whose tool may no longer be offered.
func (d *decoder) called(o origin) string {
	if name, ok := d.functions[o]; ok {
		return name
	}
	if o.namespace == "" { // the tool is in a namespace, but the call does not say so
		if name := d.named(o.kind, "", o.name); name != "" {
			return name
		}
	}
	return o.functionName()
}

// named finds a tool by its own name. An empty kind or namespace is any.
func (d *decoder) named(kind, namespace, name string) string {
	for i := range d.req.Tools {
		t := &d.req.Tools[i]
		if t.Builtin != "" {
			continue
		}
		o := originOf(t)
		if o.name == name && (kind == "" || o.kind == kind) && (namespace == "" || o.namespace == namespace) {
			return t.Name
		}
	}
	return ""
}

// choose reads tool_choice.
func (d *decoder) choose() {
	d.within(d.rawChoice, func() {
		switch d.Kind() {
		case wire.StringValue:
			mode, ok := choiceModes[d.String()]
			if !ok {
				d.refuse("The request's tool_choice is not none, auto, required or a tool.")
			}
			d.req.Choice.Mode = mode
		case wire.ObjectValue:
			d.chooseTool()
		case wire.NullValue:
		default:
			d.wrongType("tool_choice", "a text or an object")
		}
	})
}

var choiceModes = map[string]conversation.ChoiceMode{
	"auto": conversation.ChoiceAuto, "none": conversation.ChoiceNone, "required": conversation.ChoiceRequired,
}

// toolName is how tool_choice names a tool.
type toolName struct{ kind, namespace, name string }

func (d *decoder) toolName(n *toolName, key []byte) {
	switch string(key) {
	case "type":
		n.kind = d.text("tool_choice.type")
	case "name":
		n.name = d.text("tool_choice.name")
	case "namespace":
		n.namespace = d.text("tool_choice.namespace")
	}
}

func (d *decoder) chooseTool() {
	var n toolName
	var mode string
	var allowed []byte
	d.Object(func(key []byte) {
		switch string(key) {
		case "mode":
			mode = d.text("tool_choice.mode")
		case "tools":
			allowed = d.raw("tool_choice.tools", wire.ArrayValue)
		default:
			d.toolName(&n, key)
		}
	})
	switch n.kind {
	case "allowed_tools":
		d.allow(mode, allowed)
	case typeFunction, typeCustom:
		name := d.named(n.kind, n.namespace, n.name)
		if name == "" {
			d.refuse("The tool that the request's tool_choice names is not among its tools.")
		}
		d.req.Choice = conversation.Choice{Mode: conversation.ChoiceNamed, Name: name}
	default:
		d.refuse("The request's tool_choice is a tool that OpenAI's servers run, and this request goes to another backend.")
	}
}

// allow keeps the tools that tool_choice allows.
func (d *decoder) allow(mode string, allowed []byte) {
	choice, ok := choiceModes[mode]
	if !ok {
		d.refuse("The request's tool_choice.mode is not auto or required.")
		return
	}
	var names []string
	d.within(allowed, func() {
		d.Array(func(int) {
			var n toolName
			d.Object(func(key []byte) { d.toolName(&n, key) })
			if name := d.named(n.kind, n.namespace, n.name); n.name != "" && name != "" {
				names = append(names, name)
			}
			names = append(names, "builtin "+n.kind)
		})
	})
	d.req.Tools = slices.DeleteFunc(d.req.Tools, func(t conversation.Tool) bool {
		if t.Builtin != "" {
			return !slices.Contains(names, "builtin "+t.Builtin)
		}
		return !slices.Contains(names, t.Name)
	})
	d.req.Choice = conversation.Choice{Mode: choice}
}
