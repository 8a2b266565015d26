// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import "bytes"

// maxSaid is how many texts of one message are kept, to know the conversation by.
const maxSaid = 64

// billingPrefix begins a text that Claude Code puts among the system prompts. It differs from request to request.
const billingPrefix = `"x-anthropic-billing-header:`

// input reads what Responses is asked. That of an embedding is no conversation.
func (r *demander) input() {
	if r.op.Kind != Responses {
		return
	}
	if r.s.peek() != '"' {
		r.array(r.message)
		return
	}
	r.said = r.said[:0]
	r.say()
	r.begin.user(r.said)
}

// system reads a system prompt that stands apart from the messages.
func (r *demander) system() {
	r.said = r.said[:0]
	r.content()
	r.begin.system(r.said)
}

// prompt reads the text that a completion continues, or several.
func (r *demander) prompt() {
	if r.op.Kind != Completion {
		return
	}
	r.said = r.said[:0]
	r.content()
	r.begin.prompt(r.said)
}

// message reads a message, or an item of a Responses input.
func (r *demander) message() {
	r.said = r.said[:0]
	var role []byte
	r.object(func(name []byte) {
		switch string(name) {
		case "role":
			role = r.word()
		case "content", "output":
			r.content()
		case "images":
			r.images()
		case "result": // an image that OpenAI's tool made
			r.data()
		}
	})
	r.begin.message(role, r.said)
}

// images reads ollama's list of images in base64.
func (r *demander) images() {
	r.array(func() {
		r.data()
		r.contains(ModalityImage)
	})
}

// content reads a text, a part, or a list of these.
func (r *demander) content() {
	if r.s.peek() == '[' {
		r.array(r.part)
		return
	}
	r.part()
}

// part is what a part of a message is.
type part struct {
	kind   []byte // its type
	source []byte // the type of its source, of claude
	media  []byte // the media type of that
	bytes  int    // of data in it
}

// part reads a part of a message of openai or claude, or a text in its place.
func (r *demander) part() {
	r.say()
	var p part
	r.object(func(name []byte) {
		switch string(name) {
		case "type":
			p.kind = r.word()
		case "text":
			r.say()
		case "image_url", "video_url", "input_audio", "file", "source", "file_data", "file_url":
			p.bytes += r.data()
			r.source(&p)
		case "content":
			r.content()
		}
	})
	if p.isText() {
		r.media -= p.bytes
	}
	r.contains(p.modality())
}

// source reads the object in which a part has its data.
func (r *demander) source(p *part) {
	r.object(func(name []byte) {
		switch string(name) {
		case "type":
			p.source = r.word()
		case "media_type":
			p.media = r.word()
		case "data", "url", "file_data":
			p.bytes += r.data()
		case "content":
			r.content()
		}
	})
}

// isText reports whether a document is one of text, which every model reads.
func (p *part) isText() bool {
	return string(p.source) == "text" || string(p.source) == "content" || bytes.HasPrefix(p.media, []byte("text/"))
}

// modality is what a part contains besides text, or "".
func (p *part) modality() string {
	switch string(p.kind) {
	case "image", "image_url", "input_image", "computer_screenshot":
		return ModalityImage
	case "audio", "input_audio":
		return ModalityAudio
	case "video", "video_url", "input_video":
		return ModalityVideo
	case "file", "input_file", "document":
		if !p.isText() {
			return ModalityFile
		}
	}
	return ""
}

// contains notes a modality, unless it is none.
func (r *demander) contains(modality string) {
	switch {
	case modality == "":
		return
	case modality == ModalityImage:
		r.demand.Images++
	}
	add(&r.demand.Modalities, modality, maxParameters)
}

// say takes a text.
func (r *demander) say() {
	at, ok := r.text()
	if text := r.s.data[at.start:at.end]; ok && !bytes.HasPrefix(text, []byte(billingPrefix)) {
		r.hear(text)
	}
}

// data takes a string that is no text, such as an image in base64, and returns how long it is.
func (r *demander) data() int {
	slack := r.s.slack
	at, ok := r.text()
	if !ok {
		return 0
	}
	r.s.slack = slack
	r.media += at.end - at.start
	r.hear(r.s.data[at.start:at.end])
	return at.end - at.start
}

func (r *demander) hear(text []byte) {
	if len(r.said) < maxSaid {
		r.said = append(r.said, text)
	}
}
