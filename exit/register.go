// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/tunnel"
)

// link keeps the exit registered with one relay. Its run method starts a goroutine for each tunnel and
// waits for all of them.
type link struct {
	exit  *Exit
	relay relayurl.URL

	mu    sync.Mutex // guards all below
	since time.Time  // when the current tunnel was registered; zero when there is none
	err   error      // what went wrong last; nil when connected
}

// status is a snapshot.
func (l *link) status() RelayStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	return RelayStatus{Relay: l.relay, Connected: !l.since.IsZero(), Since: l.since, Err: l.err}
}

// session is one registered tunnel at work.
type session struct {
	tunnel *tunnel.Session
	reg    *registration
	since  time.Time
	drain  context.CancelFunc // has it take no new requests
	ended  chan struct{}      // closed when its last request has finished
	err    error              // why it ended, once it has
}

// run keeps one tunnel with the current registration open until ctx ends and all tunnels have drained.
// When there is a new registration the next tunnel is opened first, and the old one then drains.
func (l *link) run(ctx context.Context) {
	var sessions sync.WaitGroup
	defer sessions.Wait()
	var current *session
	var wait backoff
	for ctx.Err() == nil {
		reg, changed := l.exit.board.current()
		if current == nil || current.reg != reg {
			next, err := l.open(ctx, reg, &sessions)
			switch {
			case err == nil:
				if current != nil {
					current.drain()
				}
				current = next
				continue
			case ctx.Err() != nil:
				return
			}
			l.trouble(err, current != nil)
			l.exit.noteRefusal(err)
			pause(ctx, wait.after(err), changed, current)
		} else {
			pause(ctx, nil, changed, current)
		}
		if current.hasEnded() {
			l.lost(ctx, current)
			wait.ended(time.Since(current.since))
			current = nil
			pause(ctx, wait.after(nil), nil, nil)
		}
	}
}

// noteRefusal has the keys replaced when a relay does not take them because another identity was first with
// them: they are public, so anybody can register them anywhere.
func (e *Exit) noteRefusal(err error) {
	var refused *tunnel.RefusedError
	if !errors.As(err, &refused) || refused.Code != tunnel.CodeHashTaken {
		return
	}
	select {
	case e.taken <- struct{}{}:
	default:
	}
}

// open registers and starts to answer.
func (l *link) open(ctx context.Context, reg *registration, sessions *sync.WaitGroup) (*session, error) {
	cfg := &l.exit.cfg
	var handler http.Handler = l.exit.handler
	if cfg.Observe != nil {
		handler = cfg.Observe(handler)
	}
	t, err := tunnel.Dial(ctx, tunnel.DialConfig{
		Relay: l.relay, Identity: reg.identity, Signed: reg.signed, Handler: handler,
		DrainTimeout: max(supersededDrain, cfg.DrainTimeout), // see serve for that at the end
		DialContext:  cfg.DialContext, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	serving, drain := context.WithCancel(ctx)
	s := &session{tunnel: t, reg: reg, since: time.Now(), drain: drain, ended: make(chan struct{})}
	l.connected(reg, t)
	sessions.Go(func() {
		defer close(s.ended)
		defer drain()
		s.err = s.serve(ctx, serving, cfg.DrainTimeout)
	})
	return s, nil
}

// serve answers requests until serving ends, and lets those that run then finish: at leisure when another
// tunnel has taken over, and within the timeout when ctx has ended and with it the exit.
func (s *session) serve(ctx, serving context.Context, timeout time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- s.tunnel.Serve(serving) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		s.tunnel.Close()
		return <-done
	}
}

func (s *session) hasEnded() bool {
	if s == nil {
		return false
	}
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// pause waits for d, if that is given, or until there is something to do.
func pause(ctx context.Context, d *time.Duration, changed <-chan struct{}, s *session) {
	var elapsed <-chan time.Time
	if d != nil {
		timer := time.NewTimer(*d)
		defer timer.Stop()
		elapsed = timer.C
	}
	var ended <-chan struct{}
	if s != nil {
		ended = s.ended
	}
	select {
	case <-ctx.Done():
	case <-elapsed:
	case <-changed:
	case <-ended:
	}
}

// connected notes a registration and tells who wants to know.
func (l *link) connected(reg *registration, t *tunnel.Session) {
	l.mu.Lock()
	l.since, l.err = time.Now(), nil
	l.mu.Unlock()
	l.exit.cfg.Logger.Info("registered with a relay", "relay", l.relay.Host, "exit", reg.signed.Hash().Short())
	l.exit.cfg.OnRegistered(Registered{Relay: l.relay, Hash: reg.signed.Hash(), Info: reg.info, Limits: t.Limits()})
}

// trouble notes why there is no tunnel, or none with the current registration. Only news is logged where it is seen.
func (l *link) trouble(err error, stillConnected bool) {
	l.mu.Lock()
	news := l.err == nil || l.err.Error() != err.Error()
	l.err = err
	if !stillConnected {
		l.since = time.Time{}
	}
	l.mu.Unlock()
	log := l.exit.cfg.Logger.Debug
	if news {
		log = l.exit.cfg.Logger.Warn
	}
	log("not registered with a relay", "relay", l.relay.Host, "error", err)
}

// lost notes that the current tunnel has ended.
func (l *link) lost(ctx context.Context, s *session) {
	if ctx.Err() != nil {
		return
	}
	err := s.err
	if err == nil {
		err = errors.New("the tunnel has ended")
	}
	l.trouble(err, false)
}

// backoff is how long to wait before the next attempt to register.
type backoff struct {
	base time.Duration // 0 at first
}

// ended starts over after a tunnel that lived long.
func (b *backoff) ended(lived time.Duration) {
	if lived >= livedLong {
		b.base = 0
	}
}

// after is the wait after an attempt that failed, or nil for a tunnel that ended. A relay that refuses the
// registration itself is left alone for a while.
func (b *backoff) after(err error) *time.Duration {
	b.base = min(max(2*b.base, minBackoff), maxBackoff)
	d := b.base
	var refused *tunnel.RefusedError
	if errors.As(err, &refused) && !refused.Temporary() {
		d = maxBackoff
	}
	d = d/2 + rand.N(d/2+1)
	return &d
}
