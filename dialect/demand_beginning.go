// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// partBytes is how much of a text counts at its beginning, and of the user's at its end. It bounds the cost, and is
// enough: tools write what changes within a conversation to the end of their system prompts, and people ask different
// things about the same long text at its end.
const partBytes = 1 << 10

// maxTexts is how many texts of the user's, and of system prompts, count.
const maxTexts = 64

// beginning is what all requests of a conversation begin with, and others do not: the beginnings of the system prompts
// and what the user says before the first answer. What may change from turn to turn is left out: tools, settings, marks
// for caching, whether a text stands alone or in a list, and system messages after the user's first.
//
// Tools that put a changing text at the front (a time of day) change it with each request, and lose the cache of prompts
// whose sake it is for in any case. Conversations that begin alike, as those with the same examples do, count as one.
type beginning struct {
	systems, users digest
	over           bool // there was an answer
}

// digest is a hash of texts.
type digest struct {
	hash   hash.Hash // nil until there is a text
	texts  int
	length [8]byte
}

// message takes what is said by a role, in the words of all protocols.
func (b *beginning) message(role []byte, texts [][]byte) {
	switch {
	case b.over:
	case string(role) == "user":
		b.user(texts)
	case string(role) != "system" && string(role) != "developer":
		b.over = b.users.hash != nil
	case b.users.hash == nil:
		b.system(texts)
	}
}

// user takes what the user says.
func (b *beginning) user(texts [][]byte) {
	for _, text := range texts {
		b.users.add(len(text), text[:min(len(text), partBytes)], text[max(0, len(text)-partBytes):])
	}
}

// system takes a system prompt.
func (b *beginning) system(texts [][]byte) { b.systems.heads(texts) }

// prompt takes texts to be continued, which grow at their ends.
func (b *beginning) prompt(texts [][]byte) { b.users.heads(texts) }

func (d *digest) heads(texts [][]byte) {
	for _, text := range texts {
		text = text[:min(len(text), partBytes)]
		d.add(len(text), text)
	}
}

// add adds parts of a text of a length, so that no two lists of texts are the same bytes.
func (d *digest) add(length int, parts ...[]byte) {
	if d.texts++; d.texts > maxTexts {
		return
	}
	if d.hash == nil {
		d.hash = sha256.New()
	}
	binary.BigEndian.PutUint64(d.length[:], uint64(length))
	d.hash.Write(d.length[:])
	for _, part := range parts {
		d.hash.Write(part)
	}
}

// sum is the hash of all, nil when the user has said nothing.
func (b *beginning) sum() []byte {
	if b.users.hash == nil {
		return nil
	}
	all := sha256.New()
	if b.systems.hash != nil {
		all.Write(b.systems.hash.Sum(nil))
	}
	all.Write(b.users.hash.Sum(nil))
	return all.Sum(nil)
}
