// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// turn is one content.
type turn struct {
	role    string
	parts   []conversation.Part
	results []conversation.Part
}

func (d *decoder) systemInstruction() (conversation.Message, bool) {
	if d.Kind() == wire.StringValue {
		text := d.String()
		return conversation.Message{Role: conversation.System, Parts: []conversation.Part{
			conversation.TextPart{Text: text},
		}}, text != ""
	}
	t := d.turn("systemInstruction")
	return conversation.Message{Role: conversation.System, Parts: t.parts}, len(t.parts) > 0
}

// content reads an element of contents. Results of functions become a message of their own, before what else the content
// has: they answer the turn before.
func (d *decoder) content() {
	t := d.turn("contents[]")
	d.add(conversation.ToolResults, t.results)
	switch t.role {
	case roleModel:
		d.add(conversation.Assistant, t.parts)
	case "", roleUser, "function", "tool":
		d.add(conversation.User, t.parts)
	case "system":
		d.add(conversation.System, t.parts)
	default:
		if d.wrong == "" {
			d.wrong, d.want = "contents[].role", `"user" or "model"`
		}
	}
}

// add adds a message, or to the message before if that is of the same turn: streamed answers come back as a content for
// each piece.
func (d *decoder) add(role conversation.Role, parts []conversation.Part) {
	if len(parts) == 0 {
		return
	}
	list := d.req.Messages
	if n := len(list); n > 0 && list[n-1].Role == role && (role == conversation.Assistant || role == conversation.ToolResults) {
		list[n-1].Parts = join(list[n-1].Parts, parts)
		return
	}
	if role == conversation.Assistant {
		parts = join(nil, parts)
	}
	d.req.Messages = append(list, conversation.Message{Role: role, Parts: parts})
}

// join appends parts of an assistant's turn and puts together what was one text.
func join(parts, more []conversation.Part) []conversation.Part {
	for _, part := range more {
		last := len(parts) - 1
		if last < 0 {
			parts = append(parts, part)
			continue
		}
		switch before := parts[last].(type) {
		case conversation.TextPart:
			if p, ok := part.(conversation.TextPart); ok {
				parts[last] = conversation.TextPart{Text: before.Text + p.Text}
				continue
			}
		case conversation.ThinkingPart:
			// A signature without text is of the reasoning before it.
			if p, ok := part.(conversation.ThinkingPart); ok && before.Text != "" && before.Signature.Value == "" &&
				p.Redacted == "" && (p.Text != "" || p.Signature.Value != "" && p.Signature.By != protocol) {
				before.Text += p.Text
				before.Signature = p.Signature
				parts[last] = before
				continue
			}
		}
		parts = append(parts, part)
	}
	return parts
}

func (d *decoder) turn(field string) turn {
	var t turn
	d.members(field, func(key string) {
		switch key {
		case "role":
			t.role = d.text(field + ".role")
		case "parts":
			d.each(func() { d.part(&t, field+".parts[]") })
		default:
			d.unmapped([]byte(key))
		}
	})
	return t
}

// rawPart is a part as it stands.
type rawPart struct {
	text      string
	hasText   bool
	thought   bool
	signature string
	other     conversation.Part // what is not text
}

func (d *decoder) part(t *turn, field string) {
	if d.Kind() == wire.StringValue { // which the service takes for a text
		t.parts = appendPart(t.parts, rawPart{text: d.String(), hasText: true})
		return
	}
	var p rawPart
	d.members(field, func(key string) {
		switch key {
		case "text":
			p.hasText = d.Kind() == wire.StringValue
			p.text = d.text(field + ".text")
		case "thought":
			p.thought = d.flag(field + ".thought")
		case "thoughtSignature":
			p.signature = d.text(field + ".thoughtSignature")
		case "inlineData", "fileData":
			if m, ok := d.media(field + "." + key); ok {
				p.other = m
			}
		case "functionCall":
			p.other = d.call(field + ".functionCall")
		case "functionResponse":
			t.results = append(t.results, d.result(field+".functionResponse"))
		case "executableCode", "codeExecutionResult":
			p.text, p.hasText = d.code(field+"."+key), true
		default:
			d.unmapped([]byte(key))
		}
	})
	t.parts = appendPart(t.parts, p)
}

// appendPart adds what a part means: its signature may carry reasoning that came before it.
func appendPart(parts []conversation.Part, p rawPart) []conversation.Part {
	c := readCarried(p.signature)
	for _, t := range c.before {
		parts = append(parts, t)
	}
	switch call, isCall := p.other.(conversation.CallPart); {
	case isCall:
		call.Signature = c.own
		return append(parts, call)
	case p.other != nil:
		return append(parts, p.other)
	case p.thought && (p.text != "" || c.own.Value != ""):
		return append(parts, conversation.ThinkingPart{Text: p.text, Signature: c.own})
	case p.thought:
		return parts
	}
	if p.text != "" {
		parts = append(parts, conversation.TextPart{Text: p.text})
	}
	if c.own.Value != "" {
		parts = append(parts, conversation.ThinkingPart{Signature: c.own})
	}
	return parts
}

func (d *decoder) media(field string) (conversation.Part, bool) {
	if d.Null() {
		return nil, false
	}
	var m conversation.Media
	d.members(field, func(key string) {
		switch key {
		case "mimeType":
			m.MediaType = d.text(field + ".mimeType")
		case "data":
			m.Data = standardBase64(d.text(field + ".data"))
		case "fileUri":
			m.URL = d.text(field + ".fileUri")
		case "displayName":
			m.Name = d.text(field + ".displayName")
		default:
			d.unmapped([]byte(key))
		}
	})
	if strings.HasPrefix(m.URL, uploadedFilesURL) {
		d.refuse("The request has a file that was uploaded to Google, which this backend cannot read. Send it inline.")
	}
	kind, _, _ := strings.Cut(m.MediaType, "/")
	if kind == "" {
		kind, _, _ = strings.Cut(mediaTypeOf(m.URL), "/")
	}
	switch kind {
	case "image":
		return conversation.ImagePart{Media: m}, true
	case "audio":
		return conversation.AudioPart{Media: m}, true
	default:
		return conversation.FilePart{Media: m}, true
	}
}

func (d *decoder) call(field string) conversation.Part {
	if d.Null() {
		return nil
	}
	c := conversation.CallPart{Arguments: "{}"}
	d.members(field, func(key string) {
		switch key {
		case "id":
			c.ID = d.text(field + ".id")
		case "name":
			c.Name = d.text(field + ".name")
		case "args":
			if args := d.rawObject(field + ".args"); args != nil {
				c.Arguments = compact(args)
			}
		default:
			d.unmapped([]byte(key))
		}
	})
	return c
}

func (d *decoder) result(field string) conversation.ResultPart {
	var r conversation.ResultPart
	var media []conversation.Part
	d.members(field, func(key string) {
		switch key {
		case "id":
			r.CallID = d.text(field + ".id")
		case "name":
			r.Name = d.text(field + ".name")
		case "response":
			r.JSON = d.rawObject(field + ".response")
		case "parts":
			d.each(func() {
				d.members(field+".parts[]", func(key string) {
					if key != "inlineData" && key != "fileData" {
						d.unmapped([]byte(key))
					} else if m, ok := d.media(field + ".parts[]." + key); ok {
						media = append(media, m)
					}
				})
			})
		default:
			d.unmapped([]byte(key))
		}
	})
	text, isError := resultText(r.JSON)
	r.IsError = isError
	if text != "" || len(media) == 0 {
		r.Parts = append(r.Parts, conversation.TextPart{Text: text})
	}
	r.Parts = append(r.Parts, media...)
	return r
}

// resultText is a function's response as a text: that of its "output", "result" or "error" if it has nothing else, and
// all of it if not.
func resultText(response []byte) (text string, isError bool) {
	p := wire.Parse(response)
	members, name, value := 0, "", []byte(nil)
	p.Object(func(key []byte) { members, name, value = members+1, string(key), p.Raw() })
	if members == 0 {
		return string(response), false
	}
	if members > 1 || name != "output" && name != "result" && name != "error" {
		return compact(response), false
	}
	if inner := wire.Parse(value); inner.Kind() == wire.StringValue {
		return inner.String(), name == "error"
	}
	return compact(value), name == "error"
}

func compact(raw []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// code is a program that Google's service ran in an earlier turn, or its output, as a text.
func (d *decoder) code(field string) string {
	var language, code, output string
	d.members(field, func(key string) {
		switch key {
		case "language":
			language = strings.ToLower(d.text(field + ".language"))
		case "code":
			code = d.text(field + ".code")
		case "output":
			output = d.text(field + ".output")
		}
	})
	return "\n```" + language + "\n" + strings.TrimSuffix(code+output, "\n") + "\n```\n"
}
