// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/readbuf"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/shape"
)

// answer is the sealed answer to one request. Nothing of it is sent before there is something worth
// sending, so that an early failure can still be told with its status.
type answer struct {
	op        dialect.Operation // as far as it is known
	noContent bool              // to HEAD
	whole     bool              // cannot be streamed
	padded    bool              // a whole one has to hide its length
	sink      shape.Sink        // takes Binary HTTP
	cells     *cells            // the sink, if it is one that sends cells
}

// newAnswer prepares the outer answer. Its status is 200 whatever the inner one is (RFC 9458 section 5.2).
func (h *handler) newAnswer(w http.ResponseWriter, opened *ohttp.OpenedRequest, f ohttp.Format) (*answer, error) {
	out := &outlet{w: w, control: http.NewResponseController(w), patience: h.cfg.StallTimeout, metrics: h.metrics}
	sealer, err := opened.SealResponse(out)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	w.Header().Set("Content-Type", f.ResponseType())
	return &answer{whole: f == ohttp.Whole, sink: chunks{sealer, out.control}}, nil
}

// known sends a whole answer, in one sealed chunk if it fits.
func (a *answer) known(resp *bhttp.Response, content []byte) error {
	b := scratches.Take(len(content))
	defer b.release()
	if a.noContent {
		content = nil
	}
	var err error
	if b.out, err = bhttp.AppendResponseKnown(b.out[:0], resp, content); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if a.padded {
		b.out = append(b.out, make([]byte, shape.AnswerSize(len(b.out))-len(b.out))...)
	}
	return a.sink.Close(b.out)
}

// outlet is where sealed bytes leave. Its patience with a client that takes nothing ends after about
// three times as long as set.
type outlet struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
	renewal  time.Time // when the deadline is to be moved
	metrics  *metrics
}

// Write implements [io.Writer].
func (o *outlet) Write(p []byte) (int, error) {
	if now := time.Now(); now.After(o.renewal) {
		// Moved only now and then, because each time costs as much as a small chunk does. Writes are less
		// than one patience apart, so it cannot pass while there is nothing to write.
		o.control.SetWriteDeadline(now.Add(3 * o.patience))
		o.renewal = now.Add(o.patience)
	}
	n, err := o.w.Write(p)
	o.metrics.sealedOut.Add(float64(n))
	if err != nil {
		return n, fmt.Errorf("send answer: %w", err)
	}
	return n, nil
}

// stream is an answer that is sealed while it arrives.
type stream struct {
	answer   *answer
	coalesce bool // fill chunks: nobody can use part of the content
	buf      *scratch
	begun    bool // something was sent
	tail     [2 * tailSize]byte
	tailLen  int // tail begins with the last bytes of the content, at most tailSize of them
}

// tailSize is how many bytes tell whether a stream is between two of its items.
const tailSize = 4

// newStream begins with the head, which travels with the first content.
func (a *answer) newStream(resp *bhttp.Response, coalesce bool) (*stream, error) {
	size := 0
	if coalesce {
		size = largeRead
	}
	s := &stream{answer: a, coalesce: coalesce, buf: scratches.Take(size)}
	var err error
	if s.buf.out, err = bhttp.AppendResponseHead(s.buf.out[:0], resp); err != nil {
		s.release()
		return nil, fmt.Errorf("answer: %w", err)
	}
	return s, nil
}

func (s *stream) release() { s.buf.release() }

// copy seals src until it ends. readErr is how src failed: what came before it is sent or still in the
// buffer, and the caller decides how the answer ends. sendErr is how the client was lost.
func (s *stream) copy(src io.Reader) (readErr, sendErr error) {
	for {
		n, err := src.Read(s.buf.in)
		s.add(s.buf.in[:n])
		switch {
		case err == io.EOF:
			return nil, s.end(nil)
		case err != nil:
			return err, nil
		case n == 0:
			continue
		}
		if err := s.send(); err != nil {
			return nil, err
		}
		s.fit(n)
	}
}

// add appends content and remembers how it ends.
func (s *stream) add(p []byte) {
	s.buf.out = bhttp.AppendContentChunk(s.buf.out, p)
	end := append(s.tail[:s.tailLen], p[max(0, len(p)-tailSize):]...) // fits into tail
	s.tailLen = copy(s.tail[:], end[max(0, len(end)-tailSize):])
}

// send seals what there is, or as much as fills chunks.
func (s *stream) send() error {
	n := len(s.buf.out)
	if s.coalesce {
		n -= n % ohttp.MaxChunk
	}
	if n == 0 {
		return nil
	}
	if err := s.answer.sink.WriteChunk(s.buf.out[:n]); err != nil {
		return err
	}
	s.begun = true
	s.buf.out = s.buf.out[:copy(s.buf.out, s.buf.out[n:])]
	return s.answer.sink.Flush()
}

// end seals what is left, and the proof that this is the end. The last bytes are not flushed: the server
// sends them when the handler returns, together with its own end.
func (s *stream) end(trailer bhttp.Fields) error {
	out, err := bhttp.AppendContentEnd(s.buf.out, trailer)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	s.buf.out = out
	return s.answer.sink.Close(out)
}

// fail ends the answer with an error in the protocol's own form and in the trailer section. It reports
// false when the protocol has no such form for this type of content, so that the answer must break.
func (s *stream) fail(e *dialect.Error, contentType string) (told bool, err error) {
	event := e.StreamEventAfter(s.answer.op, contentType, s.tail[:s.tailLen])
	if event == nil {
		return false, nil
	}
	s.add(event)
	return true, s.endFailed(e.Code)
}

// endFailed ends an answer in which the tool was told of an error.
func (s *stream) endFailed(code dialect.Code) error {
	return s.end(bhttp.Fields{{Name: dialect.FieldError, Value: string(code)}})
}

// fit prepares for the next read after one of n bytes: with room for more, if there is a size for that. What fills
// chunks keeps the memory that it has for them.
func (s *stream) fit(n int) {
	size := scratches.Size(n)
	if size == len(s.buf.in) || size < len(s.buf.in) && s.coalesce {
		return
	}
	other := scratches.Take(n)
	other.out = append(other.out[:0], s.buf.out...)
	s.buf.release()
	s.buf = other
}

// scratch is the memory that an answer passes through.
type scratch struct {
	in  []byte // what is read
	out []byte // Binary HTTP to be sealed
}

var scratches = readbuf.New(newScratch, smallRead, mediumRead, largeRead)

func newScratch(size int) *scratch {
	const room = 512 // for a head section
	return &scratch{in: make([]byte, size), out: make([]byte, 0, size+room)}
}

// release gives the memory back, with nothing of the answer in it.
func (b *scratch) release() {
	clear(b.in)
	clear(b.out[:cap(b.out)])
	if cap(b.out) > 4*ohttp.MaxChunk { // one large answer must not hold memory for ever
		return
	}
	scratches.Put(b, len(b.in))
}

// responseNames are the fields that come back, as they stand in an http.Header.
var responseNames = func() (names []struct{ canonical, lower string }) {
	for _, lower := range dialect.ResponseFields() {
		names = append(names, struct{ canonical, lower string }{textproto.CanonicalMIMEHeaderKey(lower), lower})
	}
	return names
}()

// responseFields are the fields of a header that come back, in their fixed order.
func responseFields(h http.Header) bhttp.Fields {
	fields := make(bhttp.Fields, 0, 4)
	for _, name := range responseNames {
		values := h[name.canonical]
		if len(values) == 0 {
			continue
		}
		if value := strings.Trim(values[0], " \t"); value != "" && !strings.ContainsAny(value, "\x00\r\n") {
			fields = append(fields, bhttp.Field{Name: name.lower, Value: value})
		}
	}
	return fields
}
