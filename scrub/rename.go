// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"bytes"

	"github.com/tokengo/tokengo/dialect"
)

// fixed are the members of bodies whose strings are no prompt text: words of the protocol, names of tools and models, ids
// and signatures, which must come back as they were, and binary data.
var fixed = map[string]bool{
	"role": true, "type": true, "model": true, "name": true, "id": true, "call_id": true, "tool_call_id": true, "tool_use_id": true,
	"item_id": true, "signature": true, "thoughtSignature": true, "thought_signature": true, "encrypted_content": true, "data": true,
	"media_type": true, "mimeType": true, "mime_type": true, "required": true, "prompt_cache_key": true, "status": true,
	"allowedFunctionNames": true, "allowed_function_names": true, "images": true, "tool_name": true,
}

// free are the members whose objects a model or a tool has written, so that every string in them is text, and every name.
var free = map[string]bool{"input": true, "args": true, "arguments": true, "response": true, "output": true}

// zone says what the strings in a part of a body are.
type zone uint8

const (
	structured zone = iota // some words of the protocol, some text
	written                // text
)

// renamer walks over a body and notes where placeholders go.
type renamer struct {
	cursor
	names   *names
	splices []splice
	clashes bool // a text has placeholders of its own, or would not come back as it was
}

// rename writes placeholders into the prompt text of a request: those with the first number that clashes with nothing.
func (q *Request) rename(p *Pseudonyms) *dialect.Error {
	var r renamer
	for names := range p.each {
		r = renamer{cursor: cursor{data: q.body}, names: names}
		r.begin()
		r.value("", structured)
		if err := r.end(); err != nil {
			return notJSON(err)
		}
		if len(r.splices) == 0 {
			return nil
		}
		if !r.clashes {
			break
		}
	}
	q.names = r.names
	q.body = applied(q.body, r.splices)
	q.changes = append(q.changes, Change{Path: "(prompt text)", Action: Replaced, Why: "has names of the user's own; the answer gets them back"})
	return nil
}

// value takes the value of a member, or the elements of an array that is one.
func (r *renamer) value(name string, z zone) {
	switch r.peek() {
	case '{':
		if free[name] {
			z = written
		}
		r.open()
		for first := true; r.more('}', first); first = false {
			start := r.pos
			key := r.key()
			if z == written {
				r.text(key, start)
			} else {
				r.stays(key)
			}
			r.value(string(decode(key)), z)
		}
	case '[':
		r.open()
		for first := true; r.more(']', first); first = false {
			if r.peek() == '{' {
				r.value("", z) // the items of a Responses input, for one, are not free
			} else {
				r.value(name, z)
			}
		}
	case '"':
		start := r.pos
		if token := r.cursor.text(); isText(name, z) {
			r.text(token, start)
		} else {
			r.stays(token)
		}
	default:
		r.scalar()
	}
}

// isText reports whether the string of a member is prompt text.
func isText(name string, z zone) bool { return z == written || !fixed[name] }

// text notes what to write for a string token that begins at start. Images in URLs of their own are left alone.
func (r *renamer) text(token []byte, start int) {
	plain := decode(token)
	if bytes.HasPrefix(plain, []byte("data:")) {
		r.stays(token)
		return
	}
	text, changed := r.names.out.replace(plain)
	if changed {
		r.splices = append(r.splices, splice{start, start + len(token), string(appendString(nil, text))})
	}
	if back, _ := r.names.back.text.replace(text); !bytes.Equal(back, plain) {
		r.clashes = true
	}
}

// stays takes a string that is no prompt text: if it has a placeholder, an answer that repeats it would have a name there.
func (r *renamer) stays(token []byte) {
	if _, changed := r.names.back.text.replace(decode(token)); changed {
		r.clashes = true
	}
}
