// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"slices"
	"strconv"
	"strings"
)

// Answer is a whole answer, put together from its events.
type Answer struct {
	ID           string
	Model        string
	Created      int64
	Parts        []AnswerPart // in the order of their indexes
	Usage        Usage
	Reason       Reason
	StopSequence string
	Failure      Failure // Code is "" when the answer did not fail
}

// AnswerPart is one part of an [Answer].
type AnswerPart struct {
	Kind      PartKind
	Call      Call
	Text      string // or arguments: "{}" when there were none
	Logprobs  []Logprob
	Signature Signature
	Redacted  string
}

// Collector puts an answer together. The zero value is ready.
type Collector struct {
	answer Answer
	texts  []*strings.Builder
}

// Add takes the next event.
func (c *Collector) Add(e *Event) {
	a := &c.answer
	switch e.Kind {
	case Begin:
		a.ID, a.Model, a.Created = e.ID, e.Model, e.Created
	case PartBegin:
		for len(a.Parts) <= e.Index {
			a.Parts = append(a.Parts, AnswerPart{})
			c.texts = append(c.texts, &strings.Builder{})
		}
		a.Parts[e.Index].Kind, a.Parts[e.Index].Call = e.Part, e.Call
	case Delta:
		c.texts[e.Index].WriteString(e.Text)
		a.Parts[e.Index].Logprobs = append(a.Parts[e.Index].Logprobs, e.Logprobs...)
	case Signed:
		a.Parts[e.Index].Signature, a.Parts[e.Index].Redacted = e.Signature, e.Redacted
	case UsageKnown:
		a.Usage.Merge(e.Usage)
	case Finish:
		a.Reason, a.StopSequence = e.Reason, e.StopSequence
	case Failed:
		a.Failure = e.Failure
	}
}

// Answer returns what has been put together so far.
func (c *Collector) Answer() *Answer {
	a := c.answer
	a.Parts = slices.Clone(a.Parts)
	for i := range a.Parts {
		a.Parts[i].Text = c.texts[i].String()
		if a.Parts[i].Kind == PartCall && strings.TrimSpace(a.Parts[i].Text) == "" {
			a.Parts[i].Text = "{}"
		}
	}
	a.Parts = slices.DeleteFunc(a.Parts, func(p AnswerPart) bool { return p.Kind == 0 })
	return &a
}

// CallID makes an id for the n-th call of an answer whose protocol has none.
func CallID(answerID string, n int) string {
	return "call_" + strings.TrimPrefix(answerID, "call_") + "_" + strconv.Itoa(n)
}

// Dropped collects the names of fields that a translation left out, each once, in the order met. Its
// zero value is ready. The exit sends the list as x-tokengo-dropped.
type Dropped struct{ names []string }

// Add notes a field by the name that the tool's protocol has for it.
func (d *Dropped) Add(names ...string) {
	for _, name := range names {
		if !slices.Contains(d.names, name) {
			d.names = append(d.names, name)
		}
	}
}

// Names returns the fields noted so far.
func (d *Dropped) Names() []string { return d.names }
