// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// message is a message as it was read.
type message struct {
	role, content, thinking  string
	images                   []conversation.Part
	calls                    []conversation.CallPart
	toolName, callID, author string
}

func (d *decoder) message() {
	var m message
	d.members("messages", func(key string) {
		switch key {
		case "role":
			m.role = strings.ToLower(d.text("messages.role"))
		case "content":
			m.content = d.text("messages.content")
		case "thinking":
			m.thinking = d.text("messages.thinking")
		case "images":
			m.images = d.media()
		case "tool_calls":
			d.each("messages.tool_calls", func() { m.calls = append(m.calls, d.call()) })
		case "tool_name":
			m.toolName = d.text("messages.tool_name")
		case "tool_call_id":
			m.callID = d.text("messages.tool_call_id")
		case "name":
			m.author = d.text("messages.name")
		default:
			d.Skip()
			d.note("messages." + key)
		}
	})
	d.addMessage(&m)
}

func (d *decoder) addMessage(m *message) {
	switch m.role {
	case roleSystem:
		d.addSpoken(conversation.System, m)
	case "developer":
		d.addSpoken(conversation.Developer, m)
	case roleUser:
		d.addSpoken(conversation.User, m)
	case roleAssistant:
		d.addAnswer(m)
	case roleTool:
		d.addResult(m)
	default:
		d.isNot("messages.role", "system, user, assistant or tool")
	}
}

// addSpoken adds what the system or the user said. The protocol's servers show the model the images first.
func (d *decoder) addSpoken(role conversation.Role, m *message) {
	parts := m.images
	if m.content != "" || len(parts) == 0 && role == conversation.User {
		parts = append(parts, conversation.TextPart{Text: m.content})
	}
	if len(parts) > 0 {
		d.add(role, parts...)
		d.req.Messages[len(d.req.Messages)-1].Name = m.author
	}
}

func (d *decoder) addAnswer(m *message) {
	var parts []conversation.Part
	if m.thinking != "" {
		parts = append(parts, conversation.ThinkingPart{Text: m.thinking})
	}
	parts = append(parts, m.images...)
	if m.content != "" {
		parts = append(parts, conversation.TextPart{Text: m.content})
	}
	for _, c := range m.calls {
		c.ID = d.calls.call(c.ID, c.Name)
		parts = append(parts, c)
	}
	if len(parts) > 0 {
		d.add(conversation.Assistant, parts...)
		d.req.Messages[len(d.req.Messages)-1].Name = m.author
	}
}

// addResult adds a result to those before it.
func (d *decoder) addResult(m *message) {
	if m.toolName == "" {
		m.toolName = m.author // its older name
	}
	call := d.calls.result(m.callID, m.toolName)
	result := conversation.ResultPart{CallID: call.id, Name: call.name}
	if m.content != "" {
		result.Parts = append(result.Parts, conversation.TextPart{Text: m.content})
	}
	result.Parts = append(result.Parts, m.images...)
	if last := len(d.req.Messages) - 1; last >= 0 && d.req.Messages[last].Role == conversation.ToolResults {
		d.req.Messages[last].Parts = append(d.req.Messages[last].Parts, result)
		return
	}
	d.add(conversation.ToolResults, result)
}

// call reads a call of a tool. Tools that were written for OpenAI send arguments as a text.
func (d *decoder) call() conversation.CallPart {
	c := conversation.CallPart{Arguments: "{}"}
	d.members("messages.tool_calls", func(key string) {
		switch key {
		case "id":
			c.ID = d.text("messages.tool_calls.id")
		case "function":
			d.calledFunction(&c)
		case signatureField:
			if s := conversation.Unwrap(protocol, d.text("messages.tool_calls."+signatureField)); s.By != protocol {
				c.Signature = s
			}
		default: // type and index say nothing
			d.Skip()
		}
	})
	if c.Name == "" {
		d.isNot("messages.tool_calls.function.name", "there")
	}
	return c
}

func (d *decoder) calledFunction(c *conversation.CallPart) {
	d.members("messages.tool_calls.function", func(key string) {
		switch key {
		case "name":
			c.Name = d.text("messages.tool_calls.function.name")
		case "arguments":
			var arguments []byte
			if d.Kind() == wire.StringValue {
				arguments = []byte(d.String())
			} else {
				arguments = d.Raw()
			}
			var ok bool
			if c.Arguments, ok = object(arguments); !ok {
				d.isNot("messages.tool_calls.function.arguments", "an object")
			}
		default:
			d.Skip()
		}
	})
}

// media reads images. Newer servers take sounds in the same place.
func (d *decoder) media() []conversation.Part {
	var parts []conversation.Part
	d.each("images", func() {
		m, ok := mediaOf(d.text("images"))
		switch {
		case !ok:
			d.isNot("images", "a list of images in base64")
		case strings.HasPrefix(m.MediaType, "audio/"):
			parts = append(parts, conversation.AudioPart{Media: m})
		default:
			parts = append(parts, conversation.ImagePart{Media: m})
		}
	})
	return parts
}
