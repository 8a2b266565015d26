// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"errors"
	"slices"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// errRefused stops the parser where a request was refused.
var errRefused = errors.New("openai: refused")

// tool reads a tool: a function, or one that OpenAI has and no other.
func (d *decoder) tool(i int) {
	d.within, d.list, d.part = "tools", i, -1
	var t conversation.Tool
	kind := "function"
	raw := d.again(func() {
		d.object("", func(key []byte) {
			switch string(key) {
			case "type":
				kind = d.text("type")
			case "function":
				d.function(&t)
			case "cache_control":
				t.Cache = d.cache()
			}
		})
	})
	switch {
	case d.fail != nil:
	case kind != "function":
		d.req.Tools = append(d.req.Tools, conversation.Tool{Builtin: kind, Raw: raw})
	case t.Name == "":
		d.wrong("function.name", "is missing.")
	default:
		d.req.Tools = append(d.req.Tools, t)
	}
}

// again returns the next value as it is, after read has read it, too.
func (d *decoder) again(read func()) []byte {
	outer := d.p
	raw := outer.Raw()
	if outer.Err() != nil {
		return nil
	}
	d.p = wire.Parse(raw)
	read()
	d.p = outer
	if d.fail != nil {
		outer.Fail(errRefused)
	}
	return raw
}

func (d *decoder) function(t *conversation.Tool) {
	d.object("function", func(key []byte) {
		switch string(key) {
		case "name":
			t.Name = d.text("function.name")
		case "description":
			t.Description = d.text("function.description")
		case "parameters":
			switch d.p.Kind() {
			case wire.ObjectValue:
				t.Parameters = d.p.Raw()
			default:
				d.object("function.parameters", nil)
			}
		case "strict":
			t.Strict = d.boolean("function.strict")
		}
	})
}

// cache reads a mark that tools set which know that they reach Claude through a compatible service.
func (d *decoder) cache() *conversation.CacheControl {
	var c *conversation.CacheControl
	d.object("cache_control", func(key []byte) {
		if c == nil {
			c = &conversation.CacheControl{}
		}
		if string(key) == "ttl" {
			c.TTL = d.text("cache_control.ttl")
		}
	})
	return c
}

// toolChoice is tool_choice as an object.
type toolChoice struct {
	kind, name, mode string
	allowed          []string
}

func (d *decoder) choice() {
	var c toolChoice
	switch d.p.Kind() {
	case wire.StringValue:
		c.kind = d.p.String()
	default:
		d.object("tool_choice", func(key []byte) {
			switch string(key) {
			case "type":
				c.kind = d.text("tool_choice.type")
			case "function":
				d.object("tool_choice.function", func(key []byte) {
					if string(key) == "name" {
						c.name = d.text("tool_choice.function.name")
					}
				})
			case "allowed_tools":
				d.allowedTools(&c)
			}
		})
	}
	to := &d.req.Choice
	switch c.kind {
	case "":
	case "auto":
		to.Mode = conversation.ChoiceAuto
	case "none":
		to.Mode = conversation.ChoiceNone
	case "required", "any":
		to.Mode = conversation.ChoiceRequired
	case "function":
		if to.Mode, to.Name = conversation.ChoiceNamed, c.name; c.name == "" {
			d.wrong("tool_choice.function.name", "is missing.")
		}
	case "allowed_tools":
		to.Mode = conversation.ChoiceAuto
		if c.mode == "required" {
			to.Mode = conversation.ChoiceRequired
		}
		d.allowed = c.allowed
	default:
		d.wrong("tool_choice", "is of a type that no other protocol has.")
	}
}

func (d *decoder) allowedTools(c *toolChoice) {
	c.allowed = []string{}
	d.object("tool_choice.allowed_tools", func(key []byte) {
		switch string(key) {
		case "mode":
			c.mode = d.text("tool_choice.allowed_tools.mode")
		case "tools":
			d.array("tool_choice.allowed_tools.tools", func(int) {
				var t conversation.Tool
				d.object("tool_choice.allowed_tools.tools", func(key []byte) {
					if string(key) == "function" {
						d.function(&t)
					}
				})
				c.allowed = append(c.allowed, t.Name)
			})
		}
	})
}

// allow leaves out the tools that may not be called, which is what allowed_tools means.
func (d *decoder) allow() {
	if d.allowed == nil {
		return
	}
	d.req.Tools = slices.DeleteFunc(d.req.Tools, func(t conversation.Tool) bool {
		return !slices.Contains(d.allowed, t.Name)
	})
}

func (d *decoder) format() {
	kind := ""
	f := &d.req.Format
	d.object("response_format", func(key []byte) {
		switch string(key) {
		case "type":
			kind = d.text("response_format.type")
		case "json_schema":
			d.object("response_format.json_schema", d.schema)
		case "schema": // of json_object, in several compatible services
			f.Schema = d.p.Raw()
		}
	})
	switch {
	case kind == "" || kind == "text":
		*f = conversation.Format{}
	case kind == "json_schema" && len(f.Schema) == 0:
		d.wrong("response_format.json_schema.schema", "is missing.")
	case kind == "json_schema", kind == "json_object" && len(f.Schema) > 0:
		f.Kind = conversation.FormatSchema
	case kind == "json_object":
		f.Kind = conversation.FormatJSON
	default:
		d.wrong("response_format.type", "is one that no other protocol has.")
	}
}

func (d *decoder) schema(key []byte) {
	f := &d.req.Format
	switch string(key) {
	case "name":
		f.Name = d.text("response_format.json_schema.name")
	case "description":
		f.Description = d.text("response_format.json_schema.description")
	case "schema":
		if !d.p.Null() {
			f.Schema = d.p.Raw()
		}
	case "strict":
		f.Strict = d.boolean("response_format.json_schema.strict")
	}
}

// reasoning reads the ways in which tools say how much the model is to think.
func (d *decoder) reasoning(field string) bool {
	r := &d.req.Reasoning
	switch field {
	case "reasoning_effort":
		d.effort(d.text(field))
	case "reasoning": // OpenRouter's
		d.object(field, d.openRouterReasoning)
	case "thinking": // DeepSeek's, Zhipu's, and Claude's behind compatible services
		d.object(field, func(key []byte) {
			switch string(key) {
			case "type":
				d.think(d.text("thinking.type") != "disabled")
			case "budget_tokens":
				r.Budget = d.count("thinking.budget_tokens")
			}
		})
	case "enable_thinking": // Qwen's
		if b := d.boolean(field); b != nil {
			d.think(*b)
		}
	case "thinking_budget":
		if r.Budget = d.count(field); r.Budget > 0 {
			d.think(true)
		}
	case "include_reasoning":
		r.Visible = d.boolean(field)
	case "chat_template_kwargs": // vLLM's and SGLang's
		d.object(field, func(key []byte) {
			if k := string(key); k == "enable_thinking" || k == "thinking" {
				d.think(d.p.Bool())
				return
			}
			d.p.Skip()
			if !slices.Contains(d.req.Unmapped, field) {
				d.req.Unmapped = append(d.req.Unmapped, field)
			}
		})
	default:
		return false
	}
	return true
}

func (d *decoder) openRouterReasoning(key []byte) {
	r := &d.req.Reasoning
	switch string(key) {
	case "effort":
		d.effort(d.text("reasoning.effort"))
	case "max_tokens":
		if r.Budget = d.count("reasoning.max_tokens"); r.Budget > 0 {
			d.think(true)
		}
	case "enabled":
		if b := d.boolean("reasoning.enabled"); b != nil {
			d.think(*b)
		}
	case "exclude":
		if b := d.boolean("reasoning.exclude"); b != nil {
			visible := !*b
			r.Visible = &visible
		}
	}
}

func (d *decoder) think(on bool) {
	switch {
	case !on:
		d.req.Reasoning.Mode = conversation.ReasoningOff
	case d.req.Reasoning.Mode == conversation.ReasoningDefault:
		d.req.Reasoning.Mode = conversation.ReasoningOn
	}
}

func (d *decoder) effort(effort string) {
	if effort == "" {
		return
	}
	asked := reasoningOf(effort)
	d.req.Reasoning.Mode, d.req.Reasoning.Effort = asked.Mode, asked.Effort
}
