// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"net/http"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// UserAgent is what every request names as its user agent, whatever the tool.
const UserAgent = "tokengo"

const (
	typeJSON = "application/json"
	typeSSE  = "text/event-stream"
)

// claudeVersions are the versions of Claude's protocol, the one for requests that name none of them at the front.
var claudeVersions = []string{"2023-06-01", "2023-01-01", "2026-10-21"}

// fields is the header: the user agent, and the fields that the protocol needs.
func (q *Request) fields(b betas) []Field {
	fields := []Field{{"user-agent", UserAgent}}
	for _, name := range dialect.RequestFields(q.op.Protocol) {
		if value := q.value(name, b); value != "" {
			fields = append(fields, Field{name, value})
		}
	}
	return fields
}

// value is what a field says, "" for one that is left out.
func (q *Request) value(name string, b betas) string {
	asked := items(q.header, name)
	switch {
	case name == "content-type":
		return typeJSON // of every operation; the body has been looked at
	case q.level == Off && name == "accept":
		return theirAccept(asked)
	case q.level == Off:
		return strings.Join(asked, ",")
	case name == "accept":
		return q.accept()
	case name == "anthropic-version":
		if len(asked) == 1 && slices.Contains(claudeVersions, asked[0]) {
			return asked[0]
		}
		return claudeVersions[0]
	case name == betaHeader(q.op.Protocol):
		return strings.Join(b.names, ",")
	}
	return ""
}

// accept is the type of the answer that the rest of the request asks for, so that the field tells nothing more.
func (q *Request) accept() string {
	switch q.op.Protocol {
	case service.Gemini:
		if strings.HasSuffix(q.op.Path, "?alt=sse") {
			return typeSSE
		}
	case service.OpenAI, service.Claude:
		if q.stream {
			return typeSSE
		}
	}
	return typeJSON
}

// theirAccept keeps the two types that backends tell apart, where a tool asks for just one of them, and takes everything
// else for "anything".
func theirAccept(asked []string) string {
	if len(asked) == 1 && (asked[0] == typeJSON || asked[0] == typeSSE) {
		return asked[0]
	}
	return ""
}

// headerChanges compares what the tool sent with what leaves.
func (q *Request) headerChanges(fields []Field) []Change {
	left := http.Header{}
	for _, f := range fields {
		left.Set(f.Name, f.Value)
	}
	var changes []Change
	for name, values := range q.header {
		now, stays := left[name]
		switch {
		case !stays:
			changes = append(changes, Change{Path: strings.ToLower(name), Action: Removed, Why: "is not among the fields that the protocol needs"})
		case !slices.Equal(now, values):
			changes = append(changes, Change{Path: strings.ToLower(name), Action: Replaced, Why: "has one form for all tools"})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return changes
}
