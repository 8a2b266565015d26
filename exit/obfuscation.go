// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"io"
	"net/http"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// maxEventLine is the longest line of a stream that is looked into, in bytes. Longer ones pass as they are.
const maxEventLine = 256 << 10

// source is what an answer is read from: a backend's, without what the backend adds to hide lengths if they
// are hidden here. Nothing else of it changes.
func (x *exchange) source(answer io.Reader, resp *http.Response) io.Reader {
	if x.answer.cells == nil || x.answer.op.Protocol != service.OpenAI || mediaType(resp) != "text/event-stream" {
		return answer
	}
	return &clarified{src: answer, in: make([]byte, smallRead)}
}

// clarified reads server-sent events, by the line, without their obfuscation.
type clarified struct {
	src  io.Reader
	in   []byte
	line []byte // the beginning of a line whose end has not come
	long bool   // that line is too long: what has come of it has been passed on
	out  []byte // memory of left
	left []byte // read and not yet passed on
	err  error  // what comes after left
}

// Read implements [io.Reader].
func (c *clarified) Read(p []byte) (int, error) {
	for len(c.left) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		n, err := c.src.Read(c.in)
		c.out = c.feed(c.out[:0], c.in[:n])
		if c.err = err; err != nil {
			c.out, c.line = append(c.out, c.line...), nil
		}
		c.left = c.out
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

// feed appends the lines that p completes.
func (c *clarified) feed(out, p []byte) []byte {
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			end = len(p)
		}
		c.line, p = append(c.line, p[:end]...), p[end:]
		switch complete := c.line[len(c.line)-1] == '\n'; {
		case c.long, len(c.line) > maxEventLine:
			out, c.line, c.long = append(out, c.line...), c.line[:0], !complete
		case complete:
			out, c.line = append(out, clearLine(c.line)...), c.line[:0]
		}
	}
	return out
}

// clearLine overwrites line.
func clearLine(line []byte) []byte {
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok {
		return line
	}
	return line[:len(line)-len(data)+len(dialect.WithoutObfuscation(data))]
}
