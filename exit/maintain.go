// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/tokengo/tokengo/service"
)

// maintainer keeps what the exit registers up to date: it rotates keys, asks backends for their models, takes
// in new configurations, and signs a new description when any of that changed. Where another process leads
// the exit, it follows that one instead: see pool.go. It is used by one goroutine.
type maintainer struct {
	exit     *Exit
	cfg      Config // of the exit, or what replaced it
	backends []*backend
	sources  []source // one a backend

	lock      *stateLock    // held by the process that leads; nil in others, and where nothing is kept
	keys      *keyStore     // nil in a process that has found none to follow yet
	pair      *keyPair      // what was published last; nil before anything was
	described *service.Info // what the backends had then, though not all of it may have fitted
	told      string        // the last error, so that it is logged once
}

// newMaintainer begins to lead the exit, or to follow the process that does.
func newMaintainer(e *Exit) (*maintainer, error) {
	m := &maintainer{exit: e, cfg: e.cfg, backends: e.backends, sources: make([]source, len(e.backends))}
	if err := m.tryToLead(); err != nil {
		return nil, err
	}
	if m.leads() {
		return m, nil
	}
	var err error
	e.handler.replays, err = followReplays(e.cfg.StateDir, e.cfg.KeyLifetime+e.cfg.KeyOverlap, e.cfg.Clock)
	return m, err
}

// close ends all that is open.
func (m *maintainer) close() {
	m.resign()
	for _, b := range m.backends {
		b.close()
	}
}

// begin makes the first registration, with the models of the backends that can be reached. Without one it
// returns only when ctx has ended.
func (m *maintainer) begin(ctx context.Context) error {
	m.askBackends(ctx)
	if m.leads() {
		return m.publish()
	}
	m.cfg.Logger.Info("another process leads this exit; following it")
	for {
		err := m.tick(ctx)
		if reg, _ := m.exit.board.current(); reg != nil || ctx.Err() != nil {
			return nil
		}
		m.tell(err)
		pause(ctx, new(followInterval), nil, nil)
	}
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
		case r := <-m.exit.reloads:
			m.adopt(r)
		}
		timer.Stop()
		m.tell(errors.Join(err, m.tick(ctx)))
	}
}

// tell logs an error unless it is the same as before.
func (m *maintainer) tell(err error) {
	if err == nil {
		m.told = ""
		return
	}
	if text := err.Error(); text != m.told {
		m.told = text
		m.cfg.Logger.Error("keys and description stay as they are for now", "error", err)
	}
}

// replaceTaken makes new keys after a relay refused the published ones as another identity's. Young keys are
// kept, so that a relay which says so of all keys cannot wear the exit out.
func (m *maintainer) replaceTaken() error {
	now := m.cfg.Clock()
	if !m.leads() || now.Sub(m.keys.published().made) < minKeyAge {
		return nil
	}
	if err := m.keys.replace(now); err != nil {
		return err
	}
	return m.honour()
}

// wait is how long there is nothing to do.
func (m *maintainer) wait() time.Duration {
	now := m.cfg.Clock()
	wait := m.sourcesDue(now)
	if m.leads() {
		wait = min(wait, m.keys.nextTick().Sub(now))
	} else {
		wait = min(wait, followInterval)
	}
	return max(wait, minTick)
}

func (m *maintainer) tick(ctx context.Context) error {
	if err := m.tryToLead(); err != nil {
		return err
	}
	m.askBackends(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if !m.leads() {
		return m.follow()
	}
	changed, err := m.keys.tick(m.cfg.Clock())
	if err != nil {
		return err
	}
	if changed {
		if err := m.honour(); err != nil {
			return err
		}
	}
	if m.pair == m.keys.published() && m.isDescribed() {
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

// isDescribed reports whether all that there is to describe has been.
func (m *maintainer) isDescribed() bool {
	return m.described != nil && reflect.DeepEqual(m.described, m.cfg.info(m.current()))
}

// serve answers requests by what there is now, as far as it fits into a description. It returns the
// description of that, and the one of all that there is.
func (m *maintainer) serve() (fitting, whole *service.Info, err error) {
	o := m.current()
	whole = m.cfg.info(m.current())
	left, err := m.cfg.fit(o)
	if err != nil {
		return nil, nil, err
	}
	if left > 0 {
		m.cfg.Logger.Warn("the backends list more models than a description can hold; configure which to offer",
			"offered", len(o.models), "left_out", left)
	}
	m.exit.handler.offer.Store(o)
	return m.cfg.info(o), whole, nil
}

// publish signs a description of what there is now and has it registered.
func (m *maintainer) publish() error {
	now := m.cfg.Clock()
	pair := m.keys.published()
	sequence, err := m.keys.nextSequence(now)
	if err != nil {
		return err
	}
	configs, err := pair.configs()
	if err != nil {
		return err
	}
	info, whole, err := m.serve()
	if err != nil {
		return err
	}
	info.Sequence, info.NotBefore, info.Expires = sequence, now, pair.expires()
	signed, err := service.Sign(m.keys.identity, configs, info)
	if err != nil {
		return err
	}
	if err := writePublished(m.cfg.StateDir, signed); err != nil {
		return err
	}
	if err := m.register(signed); err != nil {
		return err
	}
	m.pair, m.described = pair, whole
	return nil
}

// register has a signed description registered with the relays.
func (m *maintainer) register(signed *service.Signed) error {
	info, err := service.ParseInfo(signed.ServiceInfo)
	if err != nil {
		return fmt.Errorf("read back the description: %w", err)
	}
	m.exit.board.replace(&registration{signed: signed, info: info, identity: m.keys.identity})
	return nil
}
