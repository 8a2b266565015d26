// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package scrub takes identity out of an AI tool's request before it is sealed, so that the exit, which reads the
// request, is not told in it who asks.
//
// AI tools write device ids, account and session ids, git remotes, operating system, runtime and terminal into header
// fields and bodies. Whatever the tool, this package
//
//   - builds the header anew: a fixed set of fields in a fixed order, the same user agent for everybody (header.go);
//   - deletes, replaces or refuses the fields of the body that say who asks or make the backend remember (lists.go);
//   - keeps the experimental features that the chosen exit lists, and takes the others out with their fields (betas.go);
//   - writes the JSON in one canonical form, so that the order of keys and the spacing do not name the library that
//     wrote it (canonical.go);
//   - on request, writes placeholders for the user's own names where they stand in prompts (pseudonym.go, rename.go), and
//     puts the names back in the answer, streamed or not (restore.go, deltas.go);
//   - says what kinds of keys, addresses and paths a text holds (find.go).
//
// The client uses it, and nobody else can link it: relay and exit see only what is left. There is no I/O here, no
// goroutine and no logging. A [Report] names fields, never values.
//
// Invariants:
//
//   - Header fields are built from a list, never copied: what is not on the list cannot pass.
//   - Fields of the body that are on no list stay, with their values as they were. Numbers keep the digits they had.
//   - Writing the canonical form again changes nothing, and it means what the original meant.
//   - What [Request.For] returns is what is sealed; the exit passes it on byte for byte.
//
// Use:
//
//	q, problem := scrub.New(op, header, body, scrub.Options{Level: scrub.Full})
//	...
//	message := q.For(scrub.Exit{Betas: info.Betas, CacheKey: key}) // for each exit that is tried
package scrub

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/tokengo/tokengo/dialect"
)

// Level says how much is changed.
type Level string

// The levels. The zero Level is [Full].
const (
	// Full removes identity and writes the body in canonical form.
	Full Level = "full"
	// Minimal removes identity and leaves every other byte of the body as it was.
	Minimal Level = "minimal"
	// Off leaves the body alone. The header is still a short list of fields, with the tool's own values.
	Off Level = "off"
)

// ParseLevel returns the level of that name, [Full] for "".
func ParseLevel(s string) (Level, error) {
	switch l := Level(s); l {
	case "":
		return Full, nil
	case Full, Minimal, Off:
		return l, nil
	}
	return "", fmt.Errorf("%q is not a level of scrubbing: use full, minimal or off", s)
}

// Options say how a request is scrubbed. The zero value is the default.
type Options struct {
	// Level is how much is changed. Default: [Full].
	Level Level
	// Pseudonyms are the names to keep out of prompts, at every level. Default: none.
	Pseudonyms *Pseudonyms
}

// Request is a request without identity, for whichever exit will answer it. It does not change.
type Request struct {
	op      dialect.Operation
	level   Level
	header  http.Header // the tool's
	body    []byte
	stream  bool // the body asks for a stream
	changes []Change
	names   *names // that stand in the body as placeholders, nil for none
}

// New scrubs a request. The body must be a JSON object, as [dialect.Operation.RequestModel] checks; it is not written to.
//
// Errors are CodeNotJSON and, where the request asks the backend to remember, CodeInvalidRequest. A body that gives one
// key twice is CodeNotJSON at the level [Full]: two readers could read it differently.
func New(op dialect.Operation, header http.Header, body []byte, options Options) (*Request, *dialect.Error) {
	q := &Request{op: op, level: options.Level, header: header, body: body}
	if q.level == "" {
		q.level = Full
	}
	edited, problem := edit(body, rulesOf(op, q.level), nil)
	if problem != nil {
		return nil, problem
	}
	q.body, q.stream, q.changes = edited.body, edited.stream, edited.changes
	if options.Pseudonyms != nil {
		if problem := q.rename(options.Pseudonyms); problem != nil {
			return nil, problem
		}
	}
	if q.level != Full {
		return q, nil
	}
	canonical, err := Canonical(q.body)
	if err != nil {
		return nil, notJSON(err)
	}
	if !bytes.Equal(canonical, q.body) {
		q.changes = append(q.changes, Change{Path: "(the whole body)", Action: Rewritten, Why: "order of keys, spacing and escapes name the library that wrote them"})
	}
	q.body = canonical
	return q, nil
}

// Body returns the body as every exit gets it but for what depends on the exit. It must not be written to.
func (q *Request) Body() []byte { return q.body }

// Exit is what scrubbing has to know of the exit that a request is sealed to.
type Exit struct {
	// Betas are the experimental features that the exit's signed description lists.
	Betas []string
	// CacheKey is a secret of the client's session with this exit. What tools call their prompt cache by is replaced by
	// a code under it, which is the same for one tool's conversation and tells nothing across exits and sessions.
	CacheKey []byte
}

// Message is what goes inside the seal, besides the method and the path.
type Message struct {
	// Fields are the header, in the order to send it.
	Fields []Field
	// Body is the content. It must not be written to.
	Body []byte
	// Report says what is not in it any more.
	Report Report
}

// Field is a header field. The name is in lower case.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// For returns the request as it is sealed to an exit.
func (q *Request) For(exit Exit) Message {
	betas := q.betas(exit.Betas)
	m := Message{Body: q.body, Report: Report{Body: q.changes}}
	m.Fields = q.fields(betas)
	m.Report.Header = q.headerChanges(m.Fields)
	if q.level == Off {
		return m
	}
	// The body is known to be JSON, and these rules refuse nothing.
	if edited, problem := edit(q.body, exitRules(q.op, betas), exit.CacheKey); problem == nil {
		m.Body = edited.body
		m.Report.Body = append(append([]Change{}, q.changes...), edited.changes...)
	}
	return m
}

func notJSON(err error) *dialect.Error {
	return &dialect.Error{
		Code:    dialect.CodeNotJSON,
		Message: "The request body cannot be read as a JSON object: " + err.Error() + ". Correct it and send it again.",
	}
}
