// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demobackend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// maxRequestBytes bounds a request's body, as the real services do: the smallest
// limit among them is Claude's 32 MB.
const maxRequestBytes = 32 << 20

// reason says why a request was refused.
type reason int

const (
	notJSON       reason = iota // the body is not the JSON of this endpoint
	tooLarge                    // the body exceeds maxRequestBytes
	missingField                // subject names the field
	badField                    // subject names the field
	unknownModel                // subject is the model asked for
	unknownMethod               // subject is the method asked for (Gemini)
)

// apiError is a refusal that each protocol renders in its own shape.
type apiError struct {
	reason  reason
	subject string
}

func (e *apiError) status() int {
	switch e.reason {
	case unknownModel, unknownMethod:
		return http.StatusNotFound
	case tooLarge:
		return http.StatusRequestEntityTooLarge
	default:
		return http.StatusBadRequest
	}
}

// Error describes the refusal for protocols whose wording does not matter.
func (e *apiError) Error() string {
	switch e.reason {
	case tooLarge:
		return "the request body is larger than this backend accepts"
	case missingField:
		return e.subject + " is required"
	case badField:
		return e.subject + " is out of range"
	case unknownModel:
		return "model '" + e.subject + "' not found"
	case unknownMethod:
		return "method '" + e.subject + "' not found"
	default:
		return "the request body is not valid JSON for this endpoint"
	}
}

// protocol is what the endpoints of one protocol share. It is not changed once
// the routes are made.
type protocol struct {
	models    []string
	errorBody func(*apiError) any
}

// check reports a model that this protocol does not offer.
func (p *protocol) check(model string) error {
	switch {
	case model == "":
		return &apiError{reason: missingField, subject: "model"}
	case !slices.Contains(p.models, model):
		return &apiError{reason: unknownModel, subject: model}
	}
	return nil
}

// get serves an endpoint without a request body.
func (p *protocol) get(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.finish(w, serve(w, r))
	}
}

// post serves an endpoint whose request body is a JSON value of type T.
func post[T any](p *protocol, serve func(http.ResponseWriter, *http.Request, *T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		req := new(T)
		err := readJSON(w, r, req)
		if err == nil {
			err = serve(w, r, req)
		}
		p.finish(w, err)
	}
}

// finish renders a refusal. Any other error means that the caller is gone, and
// that nobody is left to be told.
func (p *protocol) finish(w http.ResponseWriter, err error) {
	if e, ok := errors.AsType[*apiError](err); ok {
		_ = writeJSON(w, e.status(), p.errorBody(e)) // nothing is left to do about a lost connection
	}
}

func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	if r.ContentLength > maxRequestBytes {
		return &apiError{reason: tooLarge}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &apiError{reason: tooLarge}
	}
	if err != nil {
		return err
	}
	if json.Unmarshal(raw, v) != nil {
		return &apiError{reason: notJSON}
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, err := w.Write(append(encode(v), '\n'))
	return err
}

// encode returns v as JSON on one line, with text readable as it is.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("demobackend: encode one of its own structures: " + err.Error())
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// framing is how a protocol lays out the JSON values of a stream.
type framing struct {
	contentType string
	begin       string // before the first value
	between     string // before every other value
	prefix      string // directly before each value
	suffix      string // directly after each value
	end         string // after the last value
}

var (
	// Server-sent events (WHATWG HTML, section 9.2).
	sseFraming = framing{contentType: "text/event-stream; charset=utf-8", prefix: "data: ", suffix: "\n\n"}
	// Newline-delimited JSON.
	ndjsonFraming = framing{contentType: "application/x-ndjson", suffix: "\n"}
)

// stream writes the values of a streamed answer, each in one Write, flushed.
type stream struct {
	w       http.ResponseWriter
	ctl     *http.ResponseController
	framing framing
	begun   bool
}

func newStream(w http.ResponseWriter, f framing) *stream {
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	return &stream{w: w, ctl: http.NewResponseController(w), framing: f}
}

// send writes v without an event name.
func (s *stream) send(v any) error { return s.write("", encode(v)) }

// sendEvent writes v as the data of a named server-sent event.
func (s *stream) sendEvent(name string, v any) error { return s.write(name, encode(v)) }

func (s *stream) write(event string, data []byte) error {
	f := s.framing
	lead := f.between
	if !s.begun {
		lead, s.begun = f.begin, true
	}
	if event != "" {
		lead += "event: " + event + "\n"
	}
	return s.writeFlush(lead + f.prefix + string(data) + f.suffix)
}

// close completes a stream that did not fail.
func (s *stream) close() error {
	if s.framing.end == "" {
		return nil
	}
	return s.writeFlush(s.framing.end)
}

func (s *stream) writeFlush(frame string) error {
	if _, err := io.WriteString(s.w, frame); err != nil {
		return err
	}
	if err := s.ctl.Flush(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// engine is what all protocols share: the pace, the clock and the ids.
type engine struct {
	delay time.Duration
	clock func() time.Time
	newID func(prefix string) string
}

// speak passes the answer's pieces to say at the backend's pace, and stops as
// soon as ctx is done. It is the only loop over an answer: a plain answer takes
// as long as a streamed one, with a say that does nothing.
func (e *engine) speak(ctx context.Context, a answer, say func(i int, piece string) error) error {
	timer := time.NewTimer(e.delay)
	defer timer.Stop()
	for i, piece := range a.pieces {
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := say(i, piece); err != nil {
			return err
		}
		timer.Reset(e.delay)
	}
	return nil
}

// ponder takes the time of a plain answer.
func (e *engine) ponder(ctx context.Context, a answer) error {
	return e.speak(ctx, a, func(int, string) error { return nil })
}
