// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package network runs client, relays and exits in one process, connected through real loopback sockets.
//
// It is what a person runs who wants everything on one machine, and what the demo, the tests and the
// benchmarks run on. Nothing is short-circuited: requests are sealed, forwarded and opened as they are
// across three machines. One process sees everything, of course, and the backends see this machine's
// address: what it protects from is only what tools put into their headers.
//
// The roles end in the order in which requests flow, so that running requests finish: first the client
// takes no new ones, then the exits drain, then the relays stop.
//
// A [Cable] around the connections of a role makes it fail as a process does that is killed or stopped, and
// come back; a [Recorder] keeps what a role handled.
//
// Use:
//
//	n, err := network.New(ctx, network.Config{Exits: []exit.Config{{Backends: backends}}})
//	...
//	go n.Run(ctx)
//	err = n.WaitReady(ctx)
//	http.Post(n.ClientURL()+"/v1/chat/completions", …)
package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/relay"
)

const (
	loopback     = "127.0.0.1:0"
	registerWait = 5 * time.Second // how long the client's first look at the directory waits for the exits
	readyPoll    = 10 * time.Millisecond
)

// Config is a network. Every field of the roles may be set but for what connects them, which is filled
// in: the relays' certificates (made anew if there are none) and the relays of exits and client.
type Config struct {
	Relay  relay.Config
	Exits  []exit.Config // at least one
	Client client.Config

	// Relays, when there are any, take the place of Relay: each exit registers with all of them, and the
	// client may use any.
	Relays []relay.Config

	// RelayListener and ClientListener are where the relay and the client are reached. Default: a
	// loopback port of the system's choice. They are closed when the network ends.
	RelayListener, ClientListener net.Listener
	// RelayListeners are where Relays are reached, in the same order. Those that are nil or missing are as
	// RelayListener by default.
	RelayListeners []net.Listener
}

// relays are the configured relays, and a listener for each, which may be nil.
func (cfg *Config) relays() ([]relay.Config, []net.Listener) {
	if len(cfg.Relays) == 0 {
		return []relay.Config{cfg.Relay}, []net.Listener{cfg.RelayListener}
	}
	listeners := make([]net.Listener, max(len(cfg.Relays), len(cfg.RelayListeners)))
	copy(listeners, cfg.RelayListeners)
	return slices.Clone(cfg.Relays), listeners
}

// Network is a network that runs or is about to.
type Network struct {
	relays         []*relay.Relay
	relayListeners []net.Listener
	relayURLs      []relayurl.URL
	exits          []*exit.Exit
	client         *client.Client
	clientListener net.Listener
	registered     *countdown
}

// New builds the roles and opens the ports. [Network.Run] must follow.
func New(ctx context.Context, cfg Config) (*Network, error) {
	if len(cfg.Exits) == 0 {
		return nil, errors.New("network: no exit")
	}
	n := &Network{clientListener: cfg.ClientListener, registered: newCountdown(len(cfg.Exits))}
	var relays []relay.Config
	relays, n.relayListeners = cfg.relays()
	err := openDefault(ctx, &n.clientListener)
	for i := range n.relayListeners {
		err = errors.Join(err, openDefault(ctx, &n.relayListeners[i]))
	}
	if err == nil && len(n.relayListeners) > len(relays) {
		err = errors.New("network: more listeners than relays")
	}
	if err == nil {
		err = n.build(cfg, relays)
	}
	if err != nil {
		n.closeListeners()
		return nil, err
	}
	return n, nil
}

func openDefault(ctx context.Context, ln *net.Listener) (err error) {
	if *ln == nil {
		*ln, err = (&net.ListenConfig{}).Listen(ctx, "tcp", loopback)
	}
	return err
}

func (n *Network) closeListeners() {
	for _, ln := range append(n.relayListeners, n.clientListener) {
		if ln != nil {
			ln.Close()
		}
	}
}

func (n *Network) build(cfg Config, relays []relay.Config) (err error) {
	for i, relayConfig := range relays {
		if err := n.addRelay(relayConfig, n.relayListeners[i].Addr()); err != nil {
			return err
		}
	}
	for _, exitConfig := range cfg.Exits {
		exitConfig.Relays = n.relayURLs
		exitConfig.OnRegistered = n.registered.once(exitConfig.OnRegistered)
		e, err := exit.New(exitConfig)
		if err != nil {
			return err
		}
		n.exits = append(n.exits, e)
	}
	cfg.Client.Relays = n.relayURLs
	n.client, err = client.New(cfg.Client)
	return err
}

func (n *Network) addRelay(cfg relay.Config, address net.Addr) error {
	if cfg.Certificate == nil {
		made, err := relay.NewCertificate()
		if err != nil {
			return err
		}
		cfg.Certificate = relay.FixedCertificate(made)
	}
	url, err := pinnedURL(cfg, address)
	if err != nil {
		return err
	}
	r, err := relay.New(cfg)
	if err != nil {
		return err
	}
	n.relays, n.relayURLs = append(n.relays, r), append(n.relayURLs, url)
	return nil
}

// pinnedURL is how the roles of the network reach and verify the relay.
func pinnedURL(cfg relay.Config, address net.Addr) (relayurl.URL, error) {
	cert, err := cfg.Certificate(nil)
	if err != nil {
		return relayurl.URL{}, err
	}
	pin, err := relayurl.PinOfTLS(cert)
	if err != nil {
		return relayurl.URL{}, err
	}
	return relayurl.URL{Host: address.String(), Pin: pin, Pinned: true}, nil
}

// RelayURL is the first relay's address with its pin.
func (n *Network) RelayURL() relayurl.URL { return n.relayURLs[0] }

// RelayURLs are the relays' addresses with their pins, in the order of the configuration.
func (n *Network) RelayURLs() []relayurl.URL { return slices.Clone(n.relayURLs) }

// ClientURL is the base URL for AI tools.
func (n *Network) ClientURL() string { return "http://" + n.clientListener.Addr().String() }

// Client is the network's client.
func (n *Network) Client() *client.Client { return n.client }

// Run runs the network until ctx is done or a role fails, and returns when all roles have ended.
func (n *Network) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	exits, stopExits := context.WithCancel(context.WithoutCancel(ctx))
	defer stopExits()
	relays, stopRelays := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRelays()

	var exitsLeft sync.WaitGroup
	for _, e := range n.exits {
		exitsLeft.Add(1)
		group.Go(func() error {
			defer exitsLeft.Done()
			return e.Run(exits)
		})
	}
	group.Go(func() error {
		exitsLeft.Wait()
		stopRelays()
		return nil
	})
	for i, r := range n.relays {
		group.Go(func() error { return r.Run(relays, n.relayListeners[i]) })
	}
	group.Go(func() error {
		defer stopExits()
		n.registered.wait(ctx, registerWait)
		return n.client.Serve(ctx, n.clientListener)
	})
	return group.Wait()
}

// WaitReady waits until the client knows every exit and each of them offers a model, or ctx is done.
func (n *Network) WaitReady(ctx context.Context) error {
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		ready := 0
		for _, e := range n.client.Exits() {
			if len(e.Info.Models) > 0 {
				ready++
			}
		}
		if ready >= len(n.exits) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the network: %d of %d exits offer models: %w", ready, len(n.exits), ctx.Err())
		}
	}
}

// countdown waits until each exit has registered once.
type countdown struct {
	done chan struct{}

	mu   sync.Mutex // guards left
	left int
}

func newCountdown(n int) *countdown { return &countdown{done: make(chan struct{}), left: n} }

// once returns a callback that counts its first call, and passes all on to next if there is one.
func (c *countdown) once(next func(exit.Registered)) func(exit.Registered) {
	var first sync.Once
	return func(r exit.Registered) {
		first.Do(c.count)
		if next != nil {
			next(r)
		}
	}
}

func (c *countdown) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left == 0 {
		close(c.done)
	}
}

func (c *countdown) wait(ctx context.Context, atMost time.Duration) {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}
