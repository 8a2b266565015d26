// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"path"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// contentFields are the fields of any content.
type contentFields struct {
	kind, text, refusal string
	data, format        string // of audio
	conversation.Media
}

// parts reads the content of a message or the output of a tool: a text or a list.
func (d *decoder) parts(raw []byte, field string) []conversation.Part {
	var parts []conversation.Part
	d.within(raw, func() {
		switch d.Kind() {
		case wire.StringValue:
			parts = append(parts, conversation.TextPart{Text: d.String()})
		case wire.ArrayValue:
			d.Array(func(int) {
				if part := d.part(field); part != nil {
					parts = append(parts, part)
				}
			})
		case wire.NullValue:
		default:
			d.wrongType(field, "a text or a list of contents")
		}
	})
	return parts
}

func (d *decoder) part(field string) conversation.Part {
	var f contentFields
	if !d.Object(func(key []byte) { d.contentField(&f, key) }) {
		d.wrongType(field, "a text or a list of contents")
		return nil
	}
	switch f.kind {
	case typeInputText, typeOutputText, "text", typeSummaryText, typeReasoningText:
		return conversation.TextPart{Text: f.text}
	case typeRefusal:
		return conversation.RefusalPart{Text: f.refusal}
	case typeInputImage:
		d.media(&f.Media, field, "image/png")
		if f.Detail == "auto" {
			f.Detail = ""
		}
		return conversation.ImagePart{Media: f.Media}
	case typeInputFile:
		if f.Detail != "" {
			d.unmapped("input.detail")
			f.Detail = ""
		}
		d.media(&f.Media, field, mediaTypeOf(f.Name))
		return conversation.FilePart{Media: f.Media}
	case typeInputAudio:
		mediaType := "audio/" + f.format
		if f.format == "mp3" {
			mediaType = "audio/mpeg"
		}
		return conversation.AudioPart{Media: conversation.Media{MediaType: mediaType, Data: f.data}}
	}
	d.refuse("The request's field " + field + " has a content of a type that TokenGo does not know.")
	return nil
}

func (d *decoder) contentField(f *contentFields, key []byte) {
	switch string(key) {
	case "type":
		f.kind = d.text("input.content.type")
	case "text":
		f.text = d.text("input.content.text")
	case "refusal":
		f.refusal = d.text("input.content.refusal")
	case "image_url":
		if d.Kind() == wire.ObjectValue { // as in Chat Completions
			d.Object(func(key []byte) { d.imageURL(f, key) })
			return
		}
		f.URL = d.text("input.content.image_url")
	case "detail":
		f.Detail = d.text("input.content.detail")
	case "file_id":
		if f.FileID = d.text("input.content.file_id"); f.FileID != "" {
			f.FileBy = protocol
		}
	case "file_data":
		f.Data = d.text("input.content.file_data")
	case "file_url":
		f.URL = d.text("input.content.file_url")
	case "filename":
		f.Name = d.text("input.content.filename")
	case "input_audio":
		d.Object(func(key []byte) {
			switch string(key) {
			case "data":
				f.data = d.text("input.content.input_audio.data")
			case "format":
				f.format = d.text("input.content.input_audio.format")
			}
		})
	case "logprobs":
		d.Skip()
	case "annotations": // an empty list is what everybody sends
		if d.Kind() == wire.ArrayValue {
			d.Array(func(int) { d.noted("input.annotations") })
		}
	default:
		d.other("input.", key)
	}
}

func (d *decoder) imageURL(f *contentFields, key []byte) {
	switch string(key) {
	case "url":
		f.URL = d.text("input.content.image_url.url")
	case "detail":
		f.Detail = d.text("input.content.image_url.detail")
	}
}

// media sorts out where a content is: in the request, at an address or with the backend.
func (d *decoder) media(m *conversation.Media, field, otherwise string) {
	for _, inline := range []*string{&m.URL, &m.Data} {
		rest, ok := strings.CutPrefix(*inline, "data:")
		if !ok {
			continue
		}
		head, data, ok := strings.Cut(rest, ",")
		head, isBase64 := strings.CutSuffix(head, ";base64")
		if !ok || !isBase64 {
			d.refuse("The request's field " + field + " has a data URI that is not in base64.")
			return
		}
		*inline = ""
		m.Data, m.URL = data, ""
		m.MediaType, _, _ = strings.Cut(head, ";")
		if m.MediaType == "" {
			m.MediaType = otherwise
		}
		return
	}
	switch {
	case m.Data != "":
		m.URL, m.MediaType = "", otherwise
	case m.URL == "" && m.FileID == "":
		d.refuse("The request's field " + field + " has an image or a file without its content.")
	}
}

// mediaTypes are those of files that are sent without one, by the end of the name.
var mediaTypes = map[string]string{
	".pdf": "application/pdf", ".txt": "text/plain", ".md": "text/markdown", ".csv": "text/csv", ".html": "text/html",
	".json": "application/json", ".xml": "text/xml",
}

func mediaTypeOf(name string) string { return mediaTypes[strings.ToLower(path.Ext(name))] }
