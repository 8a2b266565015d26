// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tokengo/tokengo/service"
)

// source is what one backend was found to have.
type source struct {
	listing
	due    time.Time     // when to ask again; zero for at once
	gap    time.Duration // how long to wait after the next failure; 0 at first
	failed string        // what went wrong last, so that it is logged once
}

// note takes in what a backend said, or that it did not, and reports whether there is something new to tell
// the operator.
func (s *source) note(l listing, err error, now time.Time, refresh time.Duration) (news bool) {
	if err == nil {
		news = len(l.odd) > 0 && !slices.Equal(l.odd, s.odd)
		*s = source{listing: l, due: now.Add(refresh)}
		return news
	}
	s.gap = min(max(2*s.gap, firstModelGap), refresh)
	s.due = now.Add(s.gap)
	news = s.failed != err.Error()
	s.failed = err.Error()
	return news
}

// askModels asks the backends that are due, all at once. What a backend said before stays when it
// cannot be reached: requests tell why then.
func (m *maintainer) askModels(ctx context.Context) {
	now := m.cfg.Clock()
	var asking sync.WaitGroup
	for i, b := range m.backends {
		if s := &m.sources[i]; !b.silent && !now.Before(s.due) {
			asking.Go(func() { m.askSource(ctx, s, b) })
		}
	}
	asking.Wait()
}

func (m *maintainer) askSource(ctx context.Context, s *source, b *backend) {
	l, err := b.listModels(ctx)
	if ctx.Err() != nil || !s.note(l, err, m.cfg.Clock(), m.cfg.ModelsRefresh) {
		return
	}
	if err != nil {
		m.cfg.Logger.Warn("models are not known, or may be out of date", "error", err)
		return
	}
	odd := l.odd[:min(len(l.odd), maxMessageModels)]
	m.cfg.Logger.Warn("the backend says what no description can hold; it is left out", "backend", b.base.host, "what", odd, "of", len(l.odd))
}

// sourcesDue is how long no backend is due to be asked.
func (m *maintainer) sourcesDue(now time.Time) time.Duration {
	wait := wakeInterval
	for i, b := range m.backends {
		if !b.silent {
			wait = min(wait, m.sources[i].due.Sub(now))
		}
	}
	return wait
}

// current is what the backends have, as far as is known, whether it fits into a description or not.
func (m *maintainer) current() *offer {
	listed := make([][]service.Model, len(m.sources))
	for i := range m.sources {
		listed[i] = m.sources[i].models
	}
	return newOffer(m.backends, listed...)
}
