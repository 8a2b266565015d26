// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
)

// callSignature marks a thinking block that holds the signature of the tool call after it. Claude's calls have no
// signature; those of other protocols' backends travel through the tool that way.
const callSignature = "tokengo:call:"

func (d *decoder) messages(in *request) *dialect.Error {
	if fail := d.message(conversation.System, in.System); fail != nil {
		return fail
	}
	for i := range in.Messages {
		m := &in.Messages[i]
		var fail *dialect.Error
		switch m.Role {
		case roleUser:
			fail = d.userMessage(m.Content)
		case roleAssistant:
			fail = d.message(conversation.Assistant, m.Content)
		case roleSystem:
			d.unmappedIf("system.clear_at", m.ClearAt)
			fail = d.message(conversation.System, m.Content)
		default:
			fail = invalid("A message in the request has a role that is not user, assistant or system.")
		}
		if fail != nil {
			return fail
		}
	}
	return nil
}

// message adds one message, unless it is empty.
func (d *decoder) message(role conversation.Role, c content) *dialect.Error {
	parts, fail := d.parts(role, c)
	if fail != nil || len(parts) == 0 {
		return fail
	}
	d.req.Messages = append(d.req.Messages, conversation.Message{Role: role, Parts: parts})
	return nil
}

// userMessage takes results of tools and what the user says apart, in their order.
func (d *decoder) userMessage(c content) *dialect.Error {
	for len(c) > 0 {
		role := conversation.User
		if c[0].Type == typeToolResult {
			role = conversation.ToolResults
		}
		n := slices.IndexFunc(c, func(b block) bool { return (b.Type == typeToolResult) != (role == conversation.ToolResults) })
		if n < 0 {
			n = len(c)
		}
		if fail := d.message(role, c[:n]); fail != nil {
			return fail
		}
		c = c[n:]
	}
	return nil
}

func (d *decoder) parts(role conversation.Role, c content) ([]conversation.Part, *dialect.Error) {
	var parts []conversation.Part
	var callBy conversation.Signature // of the next call
	for i := range c {
		b := &c[i]
		if b.Type == typeThinking && strings.HasPrefix(b.Signature, callSignature) {
			callBy = conversation.Unwrap(protocol, "tokengo:"+strings.TrimPrefix(b.Signature, callSignature))
			continue
		}
		added, fail := d.part(role, b)
		if fail != nil {
			return nil, fail
		}
		if call, ok := first(added).(conversation.CallPart); ok {
			call.Signature, callBy = callBy, conversation.Signature{}
			added[0] = call
		}
		parts = append(parts, added...)
	}
	return parts, nil
}

func first(parts []conversation.Part) conversation.Part {
	if len(parts) == 0 {
		return nil
	}
	return parts[0]
}

// part translates one block of a message.
func (d *decoder) part(role conversation.Role, b *block) ([]conversation.Part, *dialect.Error) {
	switch {
	case b.Type == typeText:
		return d.text(b), nil
	case role == conversation.Assistant:
		return d.assistantPart(b)
	case b.Type == typeToolResult && role == conversation.ToolResults:
		return d.result(b)
	case role == conversation.User && b.Type == typeImage:
		return d.image(b)
	case role == conversation.User && b.Type == typeDocument:
		return d.document(b)
	case role == conversation.User && b.Type == typeSearchResult:
		return d.searchResult(b), nil
	}
	return d.leftOut(b)
}

// leftOut notes blocks that only Claude's own servers read, and refuses others.
func (d *decoder) leftOut(b *block) ([]conversation.Part, *dialect.Error) {
	name := "messages." + b.Type
	if !slices.Contains(Unmapped, name) {
		return nil, invalid("A message in the request has a type of content that is not known, or not in a message of its role.")
	}
	d.unmapped(name)
	return nil, nil
}

func (d *decoder) text(b *block) []conversation.Part {
	d.unmappedIf("text.citations", b.Citations)
	if b.Text == "" {
		return nil
	}
	return []conversation.Part{conversation.TextPart{Text: b.Text, Cache: cacheOf(b.CacheControl)}}
}

func (d *decoder) assistantPart(b *block) ([]conversation.Part, *dialect.Error) {
	switch b.Type {
	case typeThinking:
		p := conversation.ThinkingPart{Text: b.Thinking}
		if b.Signature != "" {
			p.Signature = conversation.Unwrap(protocol, b.Signature)
		}
		if p == (conversation.ThinkingPart{}) {
			return nil, nil
		}
		return []conversation.Part{p}, nil
	case typeRedactedThinking:
		return []conversation.Part{conversation.ThinkingPart{Redacted: b.Data}}, nil
	case typeToolUse:
		if b.Name == "" || b.ID == "" {
			return nil, invalid("A tool_use in the request has no id or no name.")
		}
		d.names[b.ID] = b.Name
		arguments, ok := object(b.Input)
		if !ok {
			return nil, invalid("The input of a tool_use in the request is not an object.")
		}
		return []conversation.Part{conversation.CallPart{
			ID: b.ID, Name: b.Name, Arguments: arguments, Cache: cacheOf(b.CacheControl),
		}}, nil
	}
	if b.Type != "" && !slices.Contains(Unmapped, "messages."+b.Type) && fieldName(b.Type) {
		// What a later Claude said must not end the conversation with another model.
		d.unmapped("messages." + b.Type)
		return nil, nil
	}
	return d.leftOut(b)
}

// object returns a JSON object without insignificant space, "{}" for none.
func object(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "{}", true
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil || b.Bytes()[0] != '{' {
		return "", false
	}
	return b.String(), true
}

func (d *decoder) result(b *block) ([]conversation.Part, *dialect.Error) {
	if b.ToolUseID == "" {
		return nil, invalid("A tool_result in the request has no tool_use_id.")
	}
	p := conversation.ResultPart{
		CallID: b.ToolUseID, Name: d.names[b.ToolUseID], IsError: b.IsError, Cache: cacheOf(b.CacheControl),
	}
	parts, fail := d.parts(conversation.User, b.Content)
	if fail != nil {
		return nil, fail
	}
	p.Parts = parts
	return []conversation.Part{p}, nil
}

func (d *decoder) image(b *block) ([]conversation.Part, *dialect.Error) {
	d.unmappedIf("image.transformations", b.Transforms)
	media, ok := mediaOf(b.Source)
	if !ok {
		return nil, invalid("An image in the request has no source of type base64, url or file.")
	}
	return []conversation.Part{conversation.ImagePart{Media: media, Cache: cacheOf(b.CacheControl)}}, nil
}

func mediaOf(s *source) (conversation.Media, bool) {
	switch {
	case s == nil:
	case s.Type == "base64" && s.Data != "":
		return conversation.Media{MediaType: s.MediaType, Data: s.Data}, true
	case s.Type == "url" && s.URL != "":
		return conversation.Media{URL: s.URL}, true
	case s.Type == "file" && s.FileID != "":
		return conversation.Media{FileID: s.FileID, FileBy: protocol}, true
	}
	return conversation.Media{}, false
}

func (d *decoder) document(b *block) ([]conversation.Part, *dialect.Error) {
	d.unmappedIf("document.citations", b.Citations)
	d.unmappedIf("document.context", b.Context)
	media, ok := mediaOf(b.Source)
	switch {
	case ok && media.URL != "":
		media.MediaType = pdfType // of others there are no URLs
	case ok:
	case b.Source != nil && b.Source.Type == typeText:
		media = conversation.Media{
			MediaType: plainType, Data: base64.StdEncoding.EncodeToString([]byte(b.Source.Data)),
		}
	case b.Source != nil && b.Source.Type == "content":
		return d.parts(conversation.User, b.Source.Content)
	default:
		return nil, invalid("A document in the request has no source of type base64, text, content, url or file.")
	}
	media.Name = b.Title
	return []conversation.Part{conversation.FilePart{Media: media, Cache: cacheOf(b.CacheControl)}}, nil
}

// searchResult is text with where it is from.
func (d *decoder) searchResult(b *block) []conversation.Part {
	d.unmappedIf("text.citations", b.Citations)
	var lines []string
	if b.Title != "" {
		lines = append(lines, b.Title)
	}
	if b.Source != nil && b.Source.URL != "" {
		lines = append(lines, b.Source.URL)
	}
	for _, inner := range b.Content {
		if inner.Type == typeText && inner.Text != "" {
			lines = append(lines, inner.Text)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return []conversation.Part{conversation.TextPart{Text: strings.Join(lines, "\n"), Cache: cacheOf(b.CacheControl)}}
}
