// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// Explanation is what leaves of a request and what does not, for the user to read.
type Explanation struct {
	// Method and Path are those inside the seal.
	Method string `json:"method"`
	Path   string `json:"path"`
	// Header is the whole header, in its order.
	Header []Field `json:"header"`
	// Body is the whole body.
	Body json.RawMessage `json:"body"`
	// Changed says what was removed or changed on the way.
	Changed Report `json:"changed"`
	// Left are texts in the body that identify somebody or give access to something.
	Left []Finding `json:"left,omitempty"`
}

// Explain says what leaves with a message.
func Explain(op dialect.Operation, m Message) Explanation {
	return Explanation{Method: "POST", Path: op.Path, Header: m.Fields, Body: m.Body, Changed: m.Report, Left: Find(m.Body)}
}

// String returns the explanation as text, of several lines.
func (e Explanation) String() string {
	var b strings.Builder
	b.WriteString("What leaves\n\n")
	fmt.Fprintf(&b, "%s %s\n", e.Method, service.Printable(e.Path, maxShown))
	for _, f := range e.Header {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, service.Printable(f.Value, maxShown))
	}
	fmt.Fprintf(&b, "\n%s\n", e.Body)
	b.WriteString("\nWhat was removed or changed\n\n")
	for _, c := range e.Changed.Header {
		c.write(&b, "header")
	}
	for _, c := range e.Changed.Body {
		c.write(&b, "body")
	}
	if len(e.Changed.Header)+len(e.Changed.Body) == 0 {
		b.WriteString("nothing\n")
	}
	if len(e.Left) > 0 {
		b.WriteString("\nWhat may still identify you in the text, or give access\n\n")
	}
	for _, f := range e.Left {
		fmt.Fprintf(&b, "%s in %s\n", f.Kind, f.Where)
	}
	return b.String()
}

// maxShown is how much of a name or value is shown on one line.
const maxShown = 200

func (c Change) write(b *strings.Builder, part string) {
	fmt.Fprintf(b, "%-6s  %s  %s: %s\n", part, service.Printable(c.Path, maxShown), c.Action, c.Why)
}
