// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"slices"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
)

// meter measures an answer: when it began, how fast it came, and what it says was billed. It keeps no more of it than
// its two ends, where backends say that.
type meter struct {
	began, first, last time.Time        // of the request, and of the answer's first and last content
	opening            *dialect.Opening // how it begins
	stream             bool
	said               dialect.Said // in a stream
	bytes              int          // of all
	head, tail         []byte
}

const (
	meteredEnd   = 1 << 10 // bytes that are kept of each end
	meteredTime  = 200 * time.Millisecond
	meteredLeast = 8 // tokens that make a rate
)

func newMeter(began time.Time, op dialect.Operation, contentType string) *meter {
	return &meter{began: began, opening: op.Opening(contentType), stream: isStream(contentType), said: op.Said(contentType)}
}

// add takes in the next piece of the answer.
func (m *meter) add(p []byte) {
	if len(p) == 0 {
		return
	}
	m.bytes += len(p)
	if m.first.IsZero() && m.opening.Add(p) == dialect.Begun {
		m.first = time.Now()
	}
	if m.stream {
		m.listen(p)
	}
	if room := meteredEnd - len(m.head); room > 0 {
		m.head = append(m.head, p[:min(room, len(p))]...)
	}
	m.tail = append(m.tail, p[max(0, len(p)-meteredEnd):]...)
	if len(m.tail) > 2*meteredEnd {
		m.tail = m.tail[:copy(m.tail, m.tail[len(m.tail)-meteredEnd:])]
	}
}

// listen takes in the next piece of a stream. One that says nothing, such as a comment or what was billed, may come long
// after the last word.
func (m *meter) listen(p []byte) {
	before := m.said.Tokens()
	if m.said.Add(p); m.said.Tokens() > before {
		m.last = time.Now()
	}
}

// outcome is what the answer tells about the exit.
func (m *meter) outcome(op dialect.Operation, r *route.Request, result route.Result) route.Outcome {
	o := route.Outcome{Result: result, Usage: m.usage(op, r, result == route.Succeeded)}
	if m.stream && !m.first.IsZero() && result != route.Inconclusive {
		o.TTFT, o.TokensPerSecond = m.first.Sub(m.began), m.rate()
	}
	return o
}

// usage is what was billed, for all of an answer or for what there is of one: a tool that goes away in its middle, or a
// line that breaks, keeps no backend from counting. What the answer does not say is estimated. Signs of life, and an error
// in the place of an answer, are billed by nobody.
func (m *meter) usage(op dialect.Operation, r *route.Request, whole bool) route.Usage {
	stage := m.opening.Stage()
	if stage == dialect.Silent || stage == dialect.Refused || op.Kind == dialect.CountTokens || op.Kind == dialect.ShowModel {
		return route.Usage{}
	}
	said := op.Usage(m.head, m.tail)
	u := route.Usage{
		InputTokens: cmp.Or(said.Input, r.InputTokens), CachedTokens: said.Cached, OutputTokens: said.Output, Images: r.Images,
	}
	switch {
	case m.stream && (!whole || said.Output == 0): // some protocols count at the end, or at the beginning as well
		u.OutputTokens = max(said.Output, m.said.Tokens())
	case !m.stream && op.Kind != dialect.Embedding && said == dialect.Usage{}:
		u.OutputTokens = m.bytes / bytesPerToken
	}
	// An estimate can be driven up as well, by a stream without end.
	cut := plausible(dialect.Usage{Input: u.InputTokens, Cached: u.CachedTokens, Output: u.OutputTokens}, r)
	u.InputTokens, u.CachedTokens, u.OutputTokens = cut.Input, cut.Cached, cut.Output
	return u
}

// bytesPerToken is a rough figure for text, as for requests.
const bytesPerToken = 4

// rate is the tokens per second after the first; 0 when there are too few to tell. They are counted in what was
// delivered: an exit is no faster for claiming more.
func (m *meter) rate() float64 {
	took, tokens := m.last.Sub(m.first), m.said.Tokens()
	if took < meteredTime || tokens < meteredLeast {
		return 0
	}
	return float64(tokens) / took.Seconds()
}

// What an answer can have taken at most. What it says of that is the exit's word, and budgets count it.
const (
	mostInput      = 1 << 21 // tokens, of any model's context
	mostOutput     = 1 << 18
	mostOverhead   = 1 << 10 // tokens that a backend adds to a request
	bytesPerLength = 4       // of [route.Request.InputTokens]; no token is shorter than a byte
)

// plausible cuts what an answer says of its usage to what the request can have taken: one lie must not use up a month's
// budget. Where backends may read more than the request, because of tools that they run and of images and files, and
// write more than one answer, only the bounds of models are left.
func plausible(u dialect.Usage, r *route.Request) dialect.Usage {
	input, output := mostInput, mostOutput
	if len(r.Features) == 0 && len(r.Modalities) == 0 {
		input = min(input, bytesPerLength*r.InputTokens+mostOverhead)
	}
	if r.MaxOutput > 0 && !slices.Contains(r.Parameters, "n") {
		output = min(output, r.MaxOutput)
	}
	u.Input, u.Output = min(u.Input, input), min(u.Output, output)
	u.Cached = min(u.Cached, u.Input)
	return u
}
