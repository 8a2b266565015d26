// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"slices"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// builtins are the tools that Google's service runs itself, by the name of their field.
var builtins = []string{
	"codeExecution", "computerUse", "enterpriseWebSearch", "exaAiSearch", "fileSearch", "googleMaps", "googleSearch",
	"googleSearchRetrieval", "mcpServers", "parallelAiSearch", "retrieval", "urlContext",
}

// tool reads an element of tools.
func (d *decoder) tool() {
	d.members("tools[]", func(key string) {
		switch {
		case d.Null():
		case key == "functionDeclarations":
			d.each(d.function)
		case slices.Contains(builtins, key):
			d.req.Tools = append(d.req.Tools, conversation.Tool{Name: key, Builtin: key, Raw: d.Raw()})
		default:
			d.unmapped([]byte(key))
		}
	})
}

func (d *decoder) function() {
	const field = "tools[].functionDeclarations[]"
	var t conversation.Tool
	d.members(field, func(key string) {
		switch key {
		case "name":
			t.Name = d.text(field + ".name")
		case "description":
			t.Description = d.text(field + ".description")
		case "parameters":
			if s := d.openSchema(); s != nil {
				t.Parameters = s
			}
		case "parametersJsonSchema":
			if s := d.rawObject(field + ".parametersJsonSchema"); s != nil {
				t.Parameters = s
			}
		default:
			d.unmapped([]byte(key))
		}
	})
	if t.Name == "" && d.wrong == "" {
		d.wrong, d.want = field+".name", "there"
	}
	d.req.Tools = append(d.req.Tools, t)
}

func (d *decoder) toolConfig() {
	d.members("toolConfig", func(key string) {
		if key != "functionCallingConfig" {
			d.unmapped([]byte(key))
			return
		}
		d.functionCallingConfig()
	})
}

func (d *decoder) functionCallingConfig() {
	const field = "toolConfig.functionCallingConfig"
	mode := ""
	var names []string
	d.members(field, func(key string) {
		switch key {
		case "mode":
			mode = d.text(field + ".mode")
		case "allowedFunctionNames":
			names = d.texts(field + ".allowedFunctionNames")
		default:
			d.unmapped([]byte(key))
		}
	})
	c := &d.req.Choice
	switch mode {
	case "", modeUnspecified:
	case "AUTO", "auto":
		c.Mode = conversation.ChoiceAuto
	case "VALIDATED", "validated":
		c.Mode, d.allowed = conversation.ChoiceAuto, names
		d.note("tool.strict")
	case "NONE", "none":
		c.Mode = conversation.ChoiceNone
	case "ANY", "any":
		c.Mode, d.allowed = conversation.ChoiceRequired, names
		if len(names) == 1 {
			*c = conversation.Choice{Mode: conversation.ChoiceNamed, Name: names[0]}
			d.allowed = nil
		}
	default:
		if d.wrong == "" {
			d.wrong, d.want = field+".mode", "a mode"
		}
	}
}

// restrictTools leaves only the functions that may be called: no other protocol can say so of some.
func (d *decoder) restrictTools() {
	if len(d.allowed) == 0 {
		return
	}
	d.req.Tools = slices.DeleteFunc(d.req.Tools, func(t conversation.Tool) bool {
		return t.Builtin == "" && !slices.Contains(d.allowed, t.Name)
	})
}
