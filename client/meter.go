// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
)

// meter measures an answer: when it began, how fast it came, and what it says was billed. It keeps no more of it than
// its two ends, where backends say that.
type meter struct {
	began, first, last time.Time
	stream             bool
	events             int // of a stream; each is about a token
	head, tail         []byte
}

const (
	meteredEnd   = 1 << 10 // bytes that are kept of each end
	meteredTime  = 200 * time.Millisecond
	meteredLeast = 8 // events or tokens that make a rate
)

func newMeter(began time.Time, contentType string) *meter {
	return &meter{began: began, stream: isStream(contentType)}
}

// add takes in the next piece of the answer.
func (m *meter) add(p []byte) {
	if len(p) == 0 {
		return
	}
	m.last = time.Now()
	if m.first.IsZero() {
		m.first = m.last
	}
	if m.stream {
		m.events += bytes.Count(p, []byte("\n"))
	}
	if room := meteredEnd - len(m.head); room > 0 {
		m.head = append(m.head, p[:min(room, len(p))]...)
	}
	m.tail = append(m.tail, p[max(0, len(p)-meteredEnd):]...)
	if len(m.tail) > 2*meteredEnd {
		m.tail = m.tail[:copy(m.tail, m.tail[len(m.tail)-meteredEnd:])]
	}
}

// outcome is what the answer tells about the exit.
func (m *meter) outcome(op dialect.Operation, r *route.Request, result route.Result) route.Outcome {
	o := route.Outcome{Result: result}
	if result == route.Inconclusive {
		return o
	}
	usage := op.Usage(m.head, m.tail)
	tokens := usage.Output
	if m.stream && !m.first.IsZero() {
		if tokens == 0 {
			tokens = m.events / op.LinesPerEvent()
		}
		o.TTFT = m.first.Sub(m.began)
		if took := m.last.Sub(m.first); took >= meteredTime && tokens >= meteredLeast {
			o.TokensPerSecond = float64(tokens) / took.Seconds()
		}
	}
	o.Usage = route.Usage{InputTokens: usage.Input, CachedTokens: usage.Cached, OutputTokens: tokens, Images: r.Images}
	if usage.Input == 0 && result == route.Succeeded {
		o.Usage.InputTokens = r.InputTokens
	}
	return o
}
