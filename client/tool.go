// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/readbuf"
)

// tool is where an answer is written to.
type tool struct {
	w           http.ResponseWriter
	control     *http.ResponseController
	head        *bhttp.Response
	from        hop
	patience    time.Duration // for one write
	contentType string
	begun       bool   // the head has been written
	length      int    // of the whole body, -1 while it is not known
	tail        []byte // the last bytes written
}

func newTool(w http.ResponseWriter, a *answer, patience time.Duration) *tool {
	t := &tool{
		w: w, control: http.NewResponseController(w), head: a.inner, from: a.to, patience: patience,
		contentType: a.inner.Fields.Get("content-type"), length: -1,
	}
	if a.err == io.EOF {
		t.length = len(a.held) + a.n
	}
	return t
}

// close lets the connection be used for other requests.
func (t *tool) close() { t.control.SetWriteDeadline(time.Time{}) }

// isJSONType reports whether an answer of this type is one JSON value, of use only when it is complete.
func isJSONType(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}

// responseFields are the fields of an answer that a tool gets to see.
var responseFields = dialect.ResponseFields()

// begin writes the head, once.
func (t *tool) begin() {
	if t.begun {
		return
	}
	t.begun = true
	h := t.w.Header()
	for _, name := range responseFields {
		for _, field := range t.head.Fields {
			if field.Name == name && isBounded(field) {
				h.Add(name, field.Value)
			}
		}
	}
	t.from.tell(h)
	switch {
	case t.contentType == "":
		h["Content-Type"] = nil // do not guess
	case isStream(t.contentType):
		h.Set("Cache-Control", "no-cache, no-transform")
	}
	if t.length >= 0 {
		h.Set("Content-Length", strconv.Itoa(t.length))
	}
	t.w.WriteHeader(t.head.Status)
}

// longestRetry is the most that a tool is told to wait, in seconds: a day. Tools may do as they are told.
const longestRetry = 24 * 60 * 60

// isBounded reports whether a field of an exit's answer can be passed on: one that says when to try again does not, if
// it names no time within a day.
func isBounded(f bhttp.Field) bool {
	longest := float64(longestRetry)
	switch f.Name {
	case "retry-after-ms":
		longest *= 1000
	case "retry-after":
		if at, err := http.ParseTime(f.Value); err == nil {
			return time.Until(at) < longestRetry*time.Second
		}
	default:
		return true
	}
	n, err := strconv.ParseFloat(f.Value, 64)
	return err == nil && n >= 0 && n <= longest
}

// Header fields in which the client tells the tool where an answer comes from. Nobody else gets to see them.
const (
	fieldExit  = "X-Tokengo-Exit"  // the hash of the exit's keys
	fieldModel = "X-Tokengo-Model" // the model that was asked, by the exit's own name for it
	fieldTier  = "X-Tokengo-Tier"  // the tier of fall-back that the exit was found in
)

// defaultTier is the name of the only tier when none is configured.
const defaultTier = "default"

// tell writes where an answer comes from.
func (to *hop) tell(h http.Header) {
	h.Set(fieldExit, string(to.exit.Hash))
	h.Set(fieldModel, fieldValue(to.chosen.Model.ID))
	h.Set(fieldTier, fieldValue(to.tier()))
}

// tier is the name of the tier of fall-back.
func (to *hop) tier() string { return cmp.Or(to.chosen.Tier, defaultTier) }

// fieldValue is a name as a field's value: as it is when it is printable ASCII, else percent-encoded.
func fieldValue(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
		return url.PathEscape(name)
	}
	return name
}

// isStream reports whether a body of this type can carry an error at its end.
func isStream(contentType string) bool {
	probe := dialect.Error{Code: dialect.CodeStreamCut}
	return probe.StreamEvent(dialect.Operation{}, contentType) != nil
}

// write sends p at once, and the head before the first one. An error means that the tool is gone.
func (t *tool) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	t.begin()
	// Where deadlines cannot be set, the server's own timeouts have to do.
	if err := t.control.SetWriteDeadline(time.Now().Add(t.patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := t.w.Write(p); err != nil {
		return err
	}
	t.tail = append(t.tail[:0], p[max(0, len(p)-tailBytes):]...)
	if t.length >= 0 {
		return nil // the server sends it all when the handler returns
	}
	return t.control.Flush()
}

// buffers are what holds an answer on its way from an exit to a tool.
var buffers = readbuf.Bytes(smallBuffer, 8<<10, largeBuffer)

// buffer is one of them.
type buffer struct{ bytes *[]byte }

// newBuffer returns the smallest with room for more than n bytes, or the largest.
func newBuffer(n int) *buffer { return &buffer{buffers.Take(n)} }

// fit prepares for the next read after one of n bytes: with room for more, if there is a size for that.
func (b *buffer) fit(n int) {
	if len(*b.bytes) != buffers.Size(n) {
		b.release()
		*b = *newBuffer(n)
	}
}

// release gives the memory back, with nothing of the answer in it.
func (b *buffer) release() {
	clear(*b.bytes)
	buffers.Put(b.bytes, len(*b.bytes))
}
