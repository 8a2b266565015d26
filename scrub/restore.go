// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"bytes"
	"io"
	"mime"
	"slices"
)

const (
	// maxEvent is the longest event, or answer that is not streamed, in which names are put back. Ours: a longer one
	// passes as it is.
	maxEvent = 64 << 20
	// maxHeld is how many events wait for the rest of a placeholder. Ours: no placeholder is cut in as many pieces, so
	// it will not come.
	maxHeld = 256
	// readBytes is how much is read at once.
	readBytes = 16 << 10
)

// Restore returns a reader of an answer in which the user's own names stand where the model wrote placeholders: in whole
// answers, in streams, also where a placeholder is split over events, and in the arguments of calls. contentType is the
// answer's; what is neither JSON nor a stream of it passes as it is.
//
// Everything else passes byte for byte, and at once: an event waits only while its text ends in what may be the beginning
// of a placeholder. The reader is not safe for concurrent use. Errors are those of the answer, after what came before.
func (q *Request) Restore(answer io.Reader, contentType string) io.Reader {
	media, _, err := mime.ParseMediaType(contentType)
	if q.names == nil || err != nil {
		return answer
	}
	r := &restorer{src: answer, names: q.names, texts: map[string]*longText{}}
	switch media {
	case typeJSON:
	case typeSSE, "application/x-ndjson":
		r.lines = true
	default:
		return answer
	}
	return r
}

// restorer takes an answer apart into events and what is between them, and puts it together again.
type restorer struct {
	src   io.Reader
	names *names
	lines bool // no event goes beyond a line
	err   error

	partial []byte // the event that is arriving
	depth   int    // of brackets in it
	quoted  bool   // within a string
	escaped bool   // after a backslash within a string
	comment bool   // within a line of a stream that is no event
	inLine  bool   // within any line

	queue []*held
	texts map[string]*longText // that may go on
	out   bytes.Buffer
	buf   [readBytes]byte
}

// held is an event with its pieces, or bytes between events.
type held struct {
	raw     []byte
	pieces  []*piece
	splices []splice // of strings that are whole
	open    int      // pieces that are not decided
}

// piece is a string of an event that is part of a longer text.
type piece struct {
	of      *held
	at      *node
	pending int    // bytes of the text that are not decided
	text    []byte // what is
	changed bool
}

// longText is a text that comes in pieces.
type longText struct {
	json    bool
	before  []byte // the last bytes that were decided, which tell where words begin
	text    []byte // that is not decided
	pieces  []*piece
	touched bool // by the event at hand
}

// Read implements [io.Reader].
func (r *restorer) Read(p []byte) (int, error) {
	for r.out.Len() == 0 && r.err == nil {
		n, err := r.src.Read(r.buf[:])
		r.feed(r.buf[:n])
		if r.err = err; err != nil {
			r.finish()
		}
	}
	if r.out.Len() > 0 {
		return r.out.Read(p)
	}
	return 0, r.err
}

// feed takes the next bytes of the answer.
func (r *restorer) feed(p []byte) {
	from := 0
	for i, b := range p {
		if r.depth == 0 {
			if r.begins(b) {
				r.between(p[from:i])
				r.depth, from = 1, i
			}
			continue
		}
		if r.inside(b) || r.lines && b == '\n' {
			r.partial = append(r.partial, p[from:i+1]...)
			from = i + 1
			r.event()
			r.inLine = r.inLine && b != '\n'
		}
	}
	switch {
	case r.depth == 0:
		r.between(p[from:])
	case len(r.partial)+len(p)-from > maxEvent:
		r.partial = append(r.partial, p[from:]...)
		r.event()
	default:
		r.partial = append(r.partial, p[from:]...)
	}
}

// begins takes a byte between events and reports whether it begins one.
func (r *restorer) begins(b byte) bool {
	if r.lines {
		switch {
		case b == '\n':
			r.inLine, r.comment = false, false
		case !r.inLine:
			r.inLine, r.comment = true, b == ':'
		}
	}
	return b == '{' && !r.comment
}

// inside takes a byte of an event and reports whether it is the last.
func (r *restorer) inside(b byte) bool {
	switch {
	case r.escaped:
		r.escaped = false
	case r.quoted && b == '\\':
		r.escaped = true
	case b == '"':
		r.quoted = !r.quoted
	case r.quoted:
	case b == '{', b == '[':
		r.depth++
	case b == '}', b == ']':
		r.depth--
	}
	return r.depth == 0
}

// between passes bytes on that are no event, behind the events that wait.
func (r *restorer) between(p []byte) {
	switch n := len(r.queue); {
	case len(p) == 0:
	case n == 0:
		r.out.Write(p)
	case len(r.queue[n-1].pieces) == 0 && r.queue[n-1].splices == nil:
		r.queue[n-1].raw = append(r.queue[n-1].raw, p...)
	default:
		r.queue = append(r.queue, &held{raw: bytes.Clone(p)})
	}
}

// event takes the event in partial.
func (r *restorer) event() {
	raw := bytes.Clone(r.partial)
	r.partial = r.partial[:0]
	r.depth, r.quoted, r.escaped = 0, false, false
	root, ok := parse(raw)
	if !ok {
		r.between(raw)
		return
	}
	e := &event{raw: raw, root: root}
	h := &held{raw: raw}
	r.queue = append(r.queue, h)
	deltas := e.deltas()
	for i := range deltas {
		r.add(h, &deltas[i])
	}
	r.whole(h, &e.root, "", structured)
	r.close(e, deltas)
	if len(r.queue) > maxHeld {
		r.closeAll()
	}
	r.release()
}

// add puts a piece behind those of the same text.
func (r *restorer) add(h *held, d *delta) {
	t := r.texts[d.of]
	if t == nil {
		t = &longText{json: d.json}
		r.texts[d.of] = t
	}
	text := decode(h.raw[d.at.start:d.at.end])
	p := &piece{of: h, at: d.at, pending: len(text)}
	h.pieces = append(h.pieces, p)
	t.touched = true
	if len(text) == 0 && len(t.pieces) == 0 {
		return
	}
	h.open++
	t.pieces = append(t.pieces, p)
	t.text = append(t.text, text...)
	r.decide(t, goesOn)
}

// close ends the texts that an event shows to be over: those that it does not add to, if it adds to another text or ends
// something. Arguments of several calls may take turns.
func (r *restorer) close(e *event, deltas []delta) {
	onlyCalls := !slices.ContainsFunc(deltas, func(d delta) bool { return !d.json })
	ends := len(deltas) > 0 || e.isEnd()
	for of, t := range r.texts {
		switch {
		case t.touched:
			t.touched = false
		case ends && (!t.json || !onlyCalls || len(deltas) == 0):
			r.decide(t, ended)
			delete(r.texts, of)
		}
	}
}

func (r *restorer) closeAll() {
	for _, t := range r.texts {
		r.decide(t, ended)
	}
	clear(r.texts)
}

// whole puts names back in the strings of an event that are no pieces: in those that [renamer] would have taken for text.
func (r *restorer) whole(h *held, n *node, name string, z zone) {
	switch n.kind {
	case '{':
		if free[name] {
			z = written
		}
		for i := range n.members {
			if z == written {
				key := cursor{data: h.raw, pos: n.keys[i]}
				r.string(h, key.text(), n.keys[i], r.names.back.text)
			}
			r.whole(h, &n.members[i], n.names[i], z)
		}
	case '[':
		for i := range n.members {
			if n.members[i].kind == '{' {
				r.whole(h, &n.members[i], "", z)
			} else {
				r.whole(h, &n.members[i], name, z)
			}
		}
	case '"':
		isPiece := slices.ContainsFunc(h.pieces, func(p *piece) bool { return p.at.start == n.start })
		if isText(name, z) && !isPiece {
			r.string(h, h.raw[n.start:n.end], n.start, r.names.answer(name == "arguments" && z == structured))
		}
	}
}

// string puts names back in a string token of an event.
func (r *restorer) string(h *held, token []byte, start int, by *replacer) {
	if text, changed := by.replace(decode(token)); changed {
		h.splices = append(h.splices, splice{start, start + len(token), string(appendString(nil, text))})
	}
}

// answer returns what puts values back in a text, or in a JSON text.
func (n *names) answer(json bool) *replacer {
	if json {
		return n.back.json
	}
	return n.back.text
}

// decide goes through the text as far as it is certain what it is.
func (r *restorer) decide(t *longText, e ending) {
	all := append(bytes.Clone(t.before), t.text...)
	i := len(t.before)
	for i < len(all) {
		p, v := r.names.answer(t.json).at(all, i, e)
		if v == unsure {
			break
		}
		if v == found {
			t.take(len(p.from), []byte(p.to), true)
			i += len(p.from)
			continue
		}
		t.take(1, all[i:i+1], false)
		i++
	}
	t.text = append(t.text[:0], all[i:]...)
	t.before = bytes.Clone(all[max(0, i-2):i])
	for len(t.pieces) > 0 && t.pieces[0].pending == 0 {
		t.pieces[0].of.open--
		t.pieces = t.pieces[1:]
	}
}

// take decides the next n bytes of the text: the piece that has the first of them gets what comes in their place.
func (t *longText) take(n int, text []byte, changed bool) {
	i := 0
	for t.pieces[i].pending == 0 {
		i++
	}
	first := t.pieces[i]
	first.text = append(first.text, text...)
	for ; n > 0; i++ {
		p := t.pieces[i]
		m := min(n, p.pending)
		p.pending -= m
		p.changed = p.changed || changed
		n -= m
	}
}

// release writes the events that wait for nothing any more, in their order.
func (r *restorer) release() {
	n := 0
	for n < len(r.queue) && r.queue[n].open == 0 {
		r.out.Write(r.queue[n].restored())
		n++
	}
	r.queue = slices.Delete(r.queue, 0, n)
}

// restored is the event with the names in it.
func (h *held) restored() []byte {
	splices := h.splices
	for _, p := range h.pieces {
		if p.changed {
			splices = append(splices, splice{p.at.start, p.at.end, string(appendString(nil, p.text))})
		}
	}
	slices.SortFunc(splices, func(a, b splice) int { return a.from - b.from })
	return applied(h.raw, splices)
}

// finish passes on what is left when the answer is over.
func (r *restorer) finish() {
	r.closeAll()
	r.release()
	r.out.Write(r.partial)
	r.partial = nil
}
