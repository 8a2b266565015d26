// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"cmp"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// flush writes what was held back of the active part.
func (w *Writer) flush(dst []byte, b *blockState) []byte {
	if len(b.held) == 0 {
		return dst
	}
	held := string(b.held)
	b.held = nil
	return w.piece(dst, b, held)
}

// piece writes the next piece of the active part.
func (w *Writer) piece(dst []byte, b *blockState, text string) []byte {
	dst = w.openBlock(dst, b)
	kind, name := "text_delta", "text"
	switch b.kind {
	case conversation.PartThinking:
		kind, name = "thinking_delta", "thinking"
	case conversation.PartCall:
		kind, name = "input_json_delta", "partial_json"
	}
	return blockDelta(dst, b.wire, kind, name, text)
}

func blockDelta(dst []byte, index int, kind, name, text string) []byte {
	j := event(dst, "content_block_delta")
	j.IntMember("index", int64(index))
	j.Name("delta")
	j.Open('{')
	j.TextMember("type", kind)
	j.Name(name)
	j = wire.AppendString(j, text)
	j.Close('}')
	return endEvent(j)
}

// finishBlock writes what is left of a part and ends its block. A part that said nothing has none, unless it is a call.
func (w *Writer) finishBlock(dst []byte, b *blockState) []byte {
	switch {
	case b.kind == conversation.PartThinking && b.redacted != "" && !b.open && len(b.held) == 0:
		j := w.blockStart(dst, b)
		writeRedacted(&j, b.redacted)
		return w.stop(endEvent(j), b)
	case b.kind == conversation.PartThinking:
		dst = w.flush(dst, b)
		if b.open || b.signature.Value != "" {
			dst = w.openBlock(dst, b)
			dst = blockDelta(dst, b.wire, "signature_delta", "signature", wrapSignature(b.signature))
		}
	case b.kind == conversation.PartCall:
		if strings.TrimSpace(string(b.held)) == "null" && !b.open { // as some servers say that there are no arguments
			b.held = nil
		}
		dst = w.openBlock(dst, b)
		dst = w.flush(dst, b)
	default:
		dst = w.flush(dst, b)
	}
	return w.stop(dst, b)
}

// openBlock begins the part's block if it has none.
func (w *Writer) openBlock(dst []byte, b *blockState) []byte {
	if b.open {
		return dst
	}
	if b.kind == conversation.PartCall && b.signature.Value != "" {
		dst = w.writeCallSignature(dst, b.signature)
	}
	j := w.blockStart(dst, b)
	j.Open('{')
	switch b.kind {
	case conversation.PartThinking:
		j.TextMember("type", typeThinking)
		j.RawMember(typeThinking, `""`)
		j.RawMember("signature", `""`)
	case conversation.PartCall:
		j.TextMember("type", typeToolUse)
		j.TextMember("id", b.call.ID)
		j.TextMember("name", b.call.Name)
		j.RawMember("input", "{}")
	default:
		j.TextMember("type", typeText)
		j.RawMember(typeText, `""`)
	}
	j.Close('}')
	return endEvent(j)
}

// blockStart begins the event that begins a block, up to the block.
func (w *Writer) blockStart(dst []byte, b *blockState) wire.JSON {
	b.open, b.wire = true, w.blocks
	w.blocks++
	j := event(dst, "content_block_start")
	j.IntMember("index", int64(b.wire))
	j.Name("content_block")
	return j
}

// stop ends the part's block if it has one.
func (w *Writer) stop(dst []byte, b *blockState) []byte {
	if !b.open {
		return dst
	}
	b.open = false
	j := event(dst, "content_block_stop")
	j.IntMember("index", int64(b.wire))
	return endEvent(j)
}

// writeCallSignature writes the signature of a call in a thinking block of its own, which the tool sends back.
func (w *Writer) writeCallSignature(dst []byte, s conversation.Signature) []byte {
	b := &blockState{kind: conversation.PartThinking}
	dst = w.openBlock(dst, b)
	dst = blockDelta(dst, b.wire, "signature_delta", "signature", wrapCallSignature(s))
	return w.stop(dst, b)
}

// wrapSignature is the signature of a block of thinking: each has one.
func wrapSignature(s conversation.Signature) string {
	return cmp.Or(s.Wrap(protocol), conversation.Unsigned)
}

// wrapCallSignature marks the signature of a call, which [conversation.Signature.Wrap] does not do for a backend of
// this protocol; those do not sign calls.
func wrapCallSignature(s conversation.Signature) string {
	return callSignature + strings.TrimPrefix(s.Wrap(protocol), "tokengo:")
}
