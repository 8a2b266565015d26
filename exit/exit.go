// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package exit is the exit role: it opens sealed requests, has an AI backend answer them, and seals the
// answers.
//
// An exit sees prompts and answers, and never who asked: what reaches it through a relay's tunnel is a
// media type and sealed bytes, and the only address it ever learns is the relay's. The backend sees the
// exit, with the exit's own credentials. The relay sees sealed bytes, their sizes and their times.
//
// Invariants:
//
//   - Nothing happens before a sealed request has been verified to its end. Whoever cuts, changes or
//     extends one gets an error and no backend is called.
//   - Until the first bytes of a request have been opened, answers are plain ones that say nothing but
//     what was wrong with the envelope; from then on every answer is sealed, inside an outer 200
//     (RFC 9458 section 5.2).
//   - A backend that speaks the tool's protocol gets the body byte for byte, and its answer goes back
//     byte for byte, as it arrives. Of the header fields only those pass that package dialect lists. Only signatures
//     that a translation has marked are taken out of such a body, because no backend but their own takes them.
//   - The final chunk of a sealed answer is sent only when the backend's answer was complete, or after
//     an error in the protocol's own form and a trailer field that says so. All else visibly breaks.
//   - When the client goes away, so does the backend call.
//   - Every read has a limit, every wait a deadline. What requests may occupy together is bounded.
//   - Neither logs nor metrics contain prompts, answers, header fields, models asked for, keys, or
//     addresses of anybody but the operator's own backends and relays.
//
// Use:
//
//	e, err := exit.New(exit.Config{
//		StateDir: dir,
//		Relays:   []relayurl.URL{relay},
//		Backends: []exit.Backend{{Protocol: service.Ollama, URL: "http://127.0.0.1:11434"}},
//	})
//	...
//	err = e.Run(ctx) // until ctx ends and running requests have drained
package exit

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

// Exit is one exit. Its methods may be called from several goroutines at once.
type Exit struct {
	cfg      Config     // as New was given it
	backends []*backend // of cfg
	handler  *handler
	metrics  *metrics
	board    *board
	loads    loads

	links    []*link       // one a relay, in the order of Config.Relays
	reloads  chan *reload  // configurations that are to replace the one in use
	taken    chan struct{} // a relay says that another identity registered the published keys; holds one
	keysMade atomic.Int64  // when the published keys were, in Unix milliseconds; 0 before there are any
}

// New checks cfg and makes an exit. It does no I/O.
func New(cfg Config) (*Exit, error) {
	cfg = cfg.withDefaults()
	backends, err := cfg.validate()
	if err != nil {
		return nil, fmt.Errorf("exit: %w", err)
	}
	e := &Exit{cfg: cfg, backends: backends, board: newBoard(), reloads: make(chan *reload), taken: make(chan struct{}, 1)}
	e.loads.limit(&e.cfg, backends)
	for _, relay := range cfg.Relays {
		e.links = append(e.links, &link{exit: e, relay: relay})
	}
	if e.metrics, err = newMetrics(cfg.Registerer, e); err != nil {
		return nil, fmt.Errorf("exit: %w", err)
	}
	e.handler = newHandler(cfg, e.metrics)
	e.handler.offer.Store(newOffer(backends))
	return e, nil
}

// Run loads or makes the exit's identity and keys, or follows another process that uses the state directory,
// asks its backends for their models, registers with every relay and answers requests until ctx ends. It then takes no new ones and returns nil when those
// that run have finished, or after Config.DrainTimeout. A relay or backend that cannot be reached is
// tried again for ever. Run returns an error only when the state directory cannot be used. It must be
// called once.
func (e *Exit) Run(ctx context.Context) error {
	m, err := newMaintainer(e)
	if err != nil {
		return fmt.Errorf("exit: %w", err)
	}
	defer m.close()
	if err := m.begin(ctx); err != nil {
		return fmt.Errorf("exit: %w", err)
	}
	var running sync.WaitGroup
	for _, l := range e.links {
		running.Go(func() { l.run(ctx) })
	}
	m.run(ctx)
	m.resign() // others need not wait until the last request has finished
	running.Wait()
	e.handler.replays.close()
	return nil
}

// Registered is told when a relay has taken a registration.
type Registered struct {
	// Relay is where the exit can now be reached.
	Relay relayurl.URL
	// Hash is what clients address the exit by there.
	Hash service.Hash
	// Info is the description that was registered. It must not be modified.
	Info *service.Info
	// Limits is what the relay states.
	Limits tunnel.Limits
}

// Status is how an exit does at one moment.
type Status struct {
	// Hash and Info are of the current registration, whether a relay has it yet or not: "" and nil before
	// Run has made the first one. Info must not be modified.
	Hash service.Hash
	Info *service.Info
	// Relays is the state at each relay, in the order of Config.Relays.
	Relays []RelayStatus
}

// RelayStatus is how an exit does at one relay.
type RelayStatus struct {
	Relay relayurl.URL
	// Connected is whether a tunnel is registered, and Since when it was.
	Connected bool
	Since     time.Time
	// Err is why the last attempt to register failed or the last tunnel ended; nil when connected. Its
	// text is safe to show.
	Err error
}

// Status returns how the exit does now.
func (e *Exit) Status() Status {
	var s Status
	if reg, _ := e.board.current(); reg != nil {
		s.Hash, s.Info = reg.signed.Hash(), reg.info
	}
	for _, l := range e.links {
		s.Relays = append(s.Relays, l.status())
	}
	return s
}

// registration is what the exit registers with relays. It never changes.
type registration struct {
	signed   *service.Signed
	info     *service.Info
	identity ed25519.PrivateKey
}

// board holds the current registration and tells who waits for the next.
type board struct {
	mu      sync.Mutex // guards both below
	reg     *registration
	changed chan struct{} // closed when reg is replaced
}

func newBoard() *board { return &board{changed: make(chan struct{})} }

// current returns the registration, nil before the first, and what is closed when another replaces it.
func (b *board) current() (*registration, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reg, b.changed
}

func (b *board) replace(reg *registration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reg = reg
	close(b.changed)
	b.changed = make(chan struct{})
}

// Identity returns the name of the exit whose state is in dir, and makes its identity key if there is
// none yet. The error wraps keyfile.ErrExposed when others can read the key.
func Identity(dir string) (service.Identity, error) {
	if dir == "" {
		return "", errors.New("exit: identity: no state directory is given")
	}
	key, err := openIdentity(dir)
	if err != nil {
		return "", fmt.Errorf("exit: %w", err)
	}
	return service.IdentityOf(key.Public().(ed25519.PublicKey)), nil
}
