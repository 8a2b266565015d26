// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// format reads the form of the answer: "json", or a JSON schema.
func (d *decoder) format() {
	switch d.Kind() {
	case wire.ObjectValue:
		schema := bytes.Clone(d.Raw())
		d.req.Format = conversation.Format{Kind: conversation.FormatSchema, Schema: schema}
		if len(bytes.Trim(schema, "{} \t\r\n")) == 0 { // any JSON
			d.req.Format = conversation.Format{Kind: conversation.FormatJSON}
		}
	case wire.StringValue:
		switch d.String() {
		case "":
		case "json":
			d.req.Format = conversation.Format{Kind: conversation.FormatJSON}
		default:
			d.isNot("format", `"json" or a JSON schema`)
		}
	default:
		d.isNot("format", `"json" or a JSON schema`)
	}
}

// efforts are the words for how much to think. Older servers know only three of them.
var efforts = []string{"minimal", "low", "medium", "high", "xhigh", "max"}

// think reads whether to think, or how much. Who asks for it wants to see it.
func (d *decoder) think() {
	visible := true
	on := conversation.Reasoning{Mode: conversation.ReasoningOn, Visible: &visible}
	off := conversation.Reasoning{Mode: conversation.ReasoningOff}
	switch d.Kind() {
	case wire.BoolValue:
		d.req.Reasoning = off
		if d.Bool() {
			d.req.Reasoning = on
		}
	case wire.StringValue:
		level := d.String()
		switch {
		case level == "":
		case level == "none":
			d.req.Reasoning = off
		case slices.Contains(efforts, level):
			on.Effort = level
			d.req.Reasoning = on
		default:
			d.isNot("think", "true, false, low, medium or high")
		}
	default:
		d.isNot("think", "true, false, low, medium or high")
	}
}

func (d *decoder) options() {
	s := &d.req.Sampling
	d.members("options", func(key string) {
		field := "options." + key
		switch key {
		case "num_predict":
			d.req.MaxTokens = max(0, d.integer(field)) // -1 and -2 are no limit
		case "temperature":
			s.Temperature = d.number(field)
		case "top_p":
			s.TopP = d.number(field)
		case "top_k":
			n := d.integer(field)
			s.TopK = &n
		case "min_p":
			s.MinP = d.number(field)
		case "seed":
			if n := int64(d.integer(field)); n != -1 { // which is none
				s.Seed = &n
			}
		case "stop":
			d.stop(field)
		case "repeat_penalty":
			s.RepeatPenalty = d.number(field)
		case "presence_penalty":
			s.PresencePenalty = d.number(field)
		case "frequency_penalty":
			s.FrequencyPenalty = d.number(field)
		default:
			d.Skip()
			d.note(key)
		}
	})
}

func (d *decoder) stop(field string) {
	d.req.Stop = nil
	if d.Kind() == wire.StringValue {
		d.req.Stop = []string{d.String()}
		return
	}
	d.each(field, func() { d.req.Stop = append(d.req.Stop, d.text(field)) })
}

func (d *decoder) tool() {
	var t conversation.Tool
	kind := ""
	d.members("tools", func(key string) {
		switch key {
		case "type":
			kind = d.text("tools.type")
		case "function":
			d.function(&t)
		default:
			d.Skip()
			d.note("tools." + key)
		}
	})
	switch {
	case kind != "" && kind != "function" && t.Name == "":
		d.isNot("tools.type", "function")
	case t.Name == "":
		d.isNot("tools.function.name", "there")
	}
	d.req.Tools = append(d.req.Tools, t)
}

func (d *decoder) function(t *conversation.Tool) {
	d.members("tools.function", func(key string) {
		switch key {
		case "name":
			t.Name = d.text("tools.function.name")
		case "description":
			t.Description = d.text("tools.function.description")
		case "parameters":
			if d.Kind() != wire.ObjectValue {
				d.isNot("tools.function.parameters", "an object")
			}
			t.Parameters = json.RawMessage(bytes.Clone(d.Raw()))
		case "strict": // not in the protocol, but in the form of tools that it shares with OpenAI's
			strict := d.flag("tools.function.strict")
			t.Strict = &strict
		default:
			d.Skip()
			d.note("tools." + key)
		}
	})
}
