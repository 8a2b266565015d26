// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/json"
	"mime"
)

// ProblemType is the media type of a problem (RFC 9457, section 6.1).
const ProblemType = "application/problem+json"

// Types of problem in the IANA registry.
const (
	// TypeOHTTPKey means that the exit does not have the key that a request was sealed to, or not with that KEM and
	// suite (RFC 9458, section 5.3). Nothing was opened; fetch the directory again, seal again and retry.
	TypeOHTTPKey = "https://iana.org/assignments/http-problem-types#ohttp-key"
	// TypeDate means that the date inside the seal was not acceptable (RFC 9458, section 6.5.2).
	TypeDate = "https://iana.org/assignments/http-problem-types#date"
)

// TypeReplayed means that an exit has had the same sealed request before; an exit says so under seal. Nothing was done
// again (docs/protocol.md).
const TypeReplayed = problemBase + "replayed"

// Types of problem that a relay answers with, described in docs/protocol.md.
const (
	// TypeExitNotReached means that the relay is certain that no part of the request reached the exit: a retry is safe.
	TypeExitNotReached = problemBase + "exit-not-reached"
	// TypeExitLost means that the exit went away after the request may have reached it: a retry may repeat its effects.
	TypeExitLost = problemBase + "exit-lost"
	// TypeUnknownExit means that no exit of that hash is registered, so none was reached: fetch the directory again.
	TypeUnknownExit = problemBase + "unknown-exit"
	// TypeOverloaded means that the relay refused the request, before any of it reached an exit, because it is busy.
	TypeOverloaded = problemBase + "overloaded"

	problemBase = "https://github.com/tokengo/tokengo/blob/main/docs/protocol.md#"
)

// maxProblemBytes is the largest problem that is read. Ours are a few hundred bytes.
const maxProblemBytes = 16 << 10

// Problem is the body of a plain (not sealed) error answer of a relay or exit (RFC 9457, section 3).
type Problem struct {
	// Type is the URI that names the kind of problem. It is all that a program should act on.
	Type string `json:"type,omitempty"`
	// Title says what kind of problem it is, the same text for every problem of a type.
	Title string `json:"title,omitempty"`
	// Status is the status of the answer, 0 when not stated.
	Status int `json:"status,omitempty"`
	// Detail says what happened this time. When it came from a peer, show it only through Printable.
	Detail string `json:"detail,omitempty"`
}

// ParseProblem reads the body of an answer with the given Content-Type. It reports false when that is not a problem's
// (parameters and case do not matter) or body is not one JSON object that every parser reads alike, of at most 16 KiB.
// As RFC 9457 (section 3.1) wants it, members of the wrong type are ignored and a problem without a type is of the type
// "about:blank".
func ParseProblem(contentType string, body []byte) (*Problem, bool) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || media != ProblemType || len(body) > maxProblemBytes {
		return nil, false
	}
	if checkJSON(body, nil, maxProblemBytes) != nil {
		return nil, false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return nil, false
	}
	p := &Problem{Type: "about:blank"}
	member(members, "type", &p.Type)
	member(members, "title", &p.Title)
	member(members, "status", &p.Status)
	member(members, "detail", &p.Detail)
	return p, true
}

// member sets *dst to the member's value if there is one of that type.
func member[T any](members map[string]json.RawMessage, name string, dst *T) {
	var v *T
	if json.Unmarshal(members[name], &v) == nil && v != nil {
		*dst = *v
	}
}
