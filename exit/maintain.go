// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tokengo/tokengo/service"
)

// maintainer keeps what the exit registers up to date: it rotates keys, asks backends for their models,
// and signs a new description when either changed. It is used by one goroutine.
type maintainer struct {
	exit     *Exit
	keys     *keyStore
	listings []listing // one a backend
	pair     *keyPair  // what was published last; nil before anything was
	offer    *offer
}

// listing is what a backend was found to have.
type listing struct {
	models []service.Model
	due    time.Time     // when to ask again; zero for at once
	gap    time.Duration // how long to wait after the next failure; 0 at first
	failed string        // what went wrong last, so that it is logged once
}

func newMaintainer(e *Exit) (*maintainer, error) {
	keys, err := openKeyStore(e.cfg.StateDir, lifetimes{e.cfg.KeyLifetime, e.cfg.KeyOverlap}, e.cfg.Clock())
	if err != nil {
		return nil, err
	}
	e.handler.replays, err = openReplays(e.cfg.StateDir, e.cfg.KeyLifetime+e.cfg.KeyOverlap, keys, e.cfg.Clock)
	if err != nil {
		return nil, err
	}
	return &maintainer{exit: e, keys: keys, listings: make([]listing, len(e.backends))}, nil
}

// begin makes the first registration, with the models of the backends that can be reached.
func (m *maintainer) begin(ctx context.Context) error {
	m.askBackends(ctx)
	if err := m.honour(); err != nil {
		return err
	}
	return m.publish()
}

// run keeps things up to date until ctx ends.
func (m *maintainer) run(ctx context.Context) {
	for {
		timer := time.NewTimer(m.wait())
		var err error
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-m.exit.taken:
			err = m.replaceTaken()
		}
		timer.Stop()
		if err = errors.Join(err, m.tick(ctx)); err != nil {
			m.exit.cfg.Logger.Error("keys and description stay as they are for now", "error", err)
		}
	}
}

// replaceTaken makes new keys after a relay refused the published ones as another identity's. Young keys are
// kept, so that a relay which says so of all keys cannot wear the exit out.
func (m *maintainer) replaceTaken() error {
	now := m.exit.cfg.Clock()
	if now.Sub(m.keys.published().made) < minKeyAge {
		return nil
	}
	if err := m.keys.replace(now); err != nil {
		return err
	}
	return m.honour()
}

// wait is how long there is nothing to do.
func (m *maintainer) wait() time.Duration {
	now := m.exit.cfg.Clock()
	wait := min(wakeInterval, m.keys.nextTick().Sub(now))
	for i, b := range m.exit.backends {
		if len(b.models) == 0 {
			wait = min(wait, m.listings[i].due.Sub(now))
		}
	}
	return max(wait, minTick)
}

func (m *maintainer) tick(ctx context.Context) error {
	changed, err := m.keys.tick(m.exit.cfg.Clock())
	if err != nil {
		return err
	}
	if changed {
		if err := m.honour(); err != nil {
			return err
		}
	}
	m.askBackends(ctx)
	if ctx.Err() != nil || m.pair == m.keys.published() && m.offer.same(m.current()) {
		return nil
	}
	return m.publish()
}

// honour lets requests be opened that are sealed to any key of the store, and to no other.
func (m *maintainer) honour() error {
	ring, err := m.keys.keyring()
	if err != nil {
		return err
	}
	m.exit.handler.keyring.Store(ring)
	m.exit.keysMade.Store(m.keys.published().made.UnixMilli())
	return nil
}

// publish signs a description of what there is now and has it registered.
func (m *maintainer) publish() error {
	now := m.exit.cfg.Clock()
	pair, o := m.keys.published(), m.current()
	if err := m.fit(o); err != nil {
		return err
	}
	sequence, err := m.keys.nextSequence(now)
	if err != nil {
		return err
	}
	configs, err := pair.configs()
	if err != nil {
		return err
	}
	info := m.exit.cfg.info(o)
	info.Sequence, info.NotBefore, info.Expires = sequence, now, pair.expires()
	signed, err := service.Sign(m.keys.identity, configs, info)
	if err != nil {
		return err
	}
	if info, err = service.ParseInfo(signed.ServiceInfo); err != nil {
		return fmt.Errorf("read back the description: %w", err)
	}
	m.pair, m.offer = pair, m.current()
	m.exit.handler.offer.Store(o)
	m.exit.board.replace(&registration{signed: signed, info: info, identity: m.keys.identity})
	return nil
}

// current is what the backends have, as far as is known, whether it fits into a description or not.
func (m *maintainer) current() *offer {
	listed := make([][]service.Model, len(m.listings))
	for i := range m.listings {
		listed[i] = m.listings[i].models
	}
	return newOffer(m.exit.backends, listed...)
}

// fit leaves models out of an offer that is too large to be described.
func (m *maintainer) fit(o *offer) error {
	bare := m.exit.cfg.info(o)
	bare.Models = nil
	raw, err := json.Marshal(bare)
	if err != nil {
		return fmt.Errorf("write description: %w", err)
	}
	left, err := o.fit(service.MaxInfoBytes - len(raw) - infoRoom)
	if err != nil {
		return err
	}
	if left > 0 {
		m.exit.cfg.Logger.Warn("the backends list more models than a description can hold; configure which to offer",
			"offered", len(o.models), "left_out", left)
	}
	return nil
}

// askModels asks the backends that are due, all at once. What a backend said before stays when it
// cannot be reached: requests tell why then.
func (m *maintainer) askModels(ctx context.Context) {
	now := m.exit.cfg.Clock()
	var asking sync.WaitGroup
	for i, b := range m.exit.backends {
		if len(b.models) > 0 || now.Before(m.listings[i].due) {
			continue
		}
		asking.Go(func() {
			models, err := b.listModels(ctx)
			news := m.listings[i].note(models, err, now, m.exit.cfg.ModelsRefresh)
			if news && err != nil && ctx.Err() == nil {
				m.exit.cfg.Logger.Warn("models are not known, or may be out of date", "error", err)
			}
		})
	}
	asking.Wait()
}

// note takes in what a backend said, or that it did not, and reports whether an error is a new one.
func (l *listing) note(models []service.Model, err error, now time.Time, refresh time.Duration) (news bool) {
	if err == nil {
		*l = listing{models: models, due: now.Add(refresh)}
		return false
	}
	l.gap = min(max(2*l.gap, firstModelGap), refresh)
	l.due = now.Add(l.gap)
	news = l.failed != err.Error()
	l.failed = err.Error()
	return news
}
