// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package client is the client role: a local proxy that AI tools talk to as if it were their AI
// backend. It chooses an exit, seals the request to that exit's key, sends it through a relay, and
// streams the opened answer back to the tool.
//
// It runs on the user's own machine and sees everything. What leaves the machine is a sealed request,
// the hash of the exit's keys, and requests for the whole directory; the relay sees those and the
// user's address. Inside the seal, for the exit, is a request that this package writes anew: the method,
// the protocol's own path, and what package scrub leaves of header and body. Nothing else that a
// tool sent locally, its credentials, cookies, user agent and query keys among it, goes anywhere.
//
// Invariants:
//
//   - Requests are sealed only to keys that an exit signed with its identity, in a description that is
//     within its time and, when the user has pinned identities, one of those. A relay cannot speak for
//     another exit; exits of its own, which see what they are asked, only a pin keeps out.
//   - No request goes through a relay to an exit that states the same operator.
//   - The strongest key that an exit lists is used, so that nobody on the way can argue it down.
//   - A request is sent a second time only while nothing of an answer has been delivered, and, when it is not certain that
//     no exit worked on it the first time, only as [Config.Retry] allows.
//   - An answer ends properly toward the tool only when the exit has proved its end. Anything else is
//     an error in the tool's own protocol, or a connection that visibly breaks.
//   - Bytes go to the tool as they arrive; nothing is held back. With pseudonyms an event of a stream waits while its
//     text ends in what may be the beginning of a placeholder.
//   - When the tool goes away, so does its request, at every hop.
//   - Neither logs nor metrics contain prompts, header fields, keys or model names, and which exit was
//     used is logged at debug level only.
//
// Use:
//
//	c, err := client.New(client.Config{Relays: []relayurl.URL{relay}, Logger: logger})
//	...
//	err = c.Run(ctx) // until ctx ends
//
// [Inspector] shows what a client knows of exits and would choose, with or without one that runs.
package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/internal/drain"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/scrub"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

// DefaultListen is where the client listens unless told otherwise.
const DefaultListen = "127.0.0.1:8080"

// DialContext opens a connection, as [net.Dialer.DialContext] does.
type DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

// Config is what a client is made of. Only Relays must be set.
type Config struct {
	// Listen is the address for AI tools, as [Listen] takes it. Default: [DefaultListen]. Unless AllowRemote
	// is set a host must be localhost or a loopback address: whoever reaches it can ask in the user's name.
	Listen string
	// AllowRemote allows tools on other machines. An address that they can reach needs a Token.
	AllowRemote bool
	// Token must be shown by every tool, as its API key. Default: none is asked for.
	Token secret.Secret
	// ManagementToken opens the management paths, as Token does. Default: without either they are closed.
	ManagementToken secret.Secret
	// Origins are the web pages that may ask, as browsers write them (https://chat.example). Default: none.
	Origins []string
	// Relays are the relays to go through. At least one; all are asked for their exits.
	Relays []relayurl.URL
	// Identities are the exits that may be used. Empty: every exit whose description verifies.
	Identities []service.Identity
	// Preferences say which exits may be used and which should, for every request. Default: all.
	Preferences route.Preferences
	// Tiers are the steps of fall-back, the one to use first at the front. Default: one, without a name.
	Tiers []route.Tier
	// Models are the only ones that are used, whatever a tool asks for: a request for one of them gets that one, and
	// when no exit can serve it the others in their order; every other request gets them in their order. Default: what
	// the tool asks for.
	Models []string
	// Aliases make families of model names: a key and its values are names of one model. Default: none.
	Aliases map[string][]string
	// Money says how prices compare. Default: US dollars.
	Money route.Money
	// HalfLife is the time in which what was learned of exits comes to count half. Default: 1 h.
	HalfLife time.Duration
	// StateDir is where what was learned of exits is kept between two runs, in a file that only the user can read.
	// Default: nowhere.
	StateDir string
	// Affinity is whether a conversation stays with the exit that answered it last. Default: [AffinityConversation].
	Affinity Affinity
	// Retry is what may be sent to another exit when it is not known whether the first worked on it. Default: [RetrySafe].
	Retry Retry
	// Patience bounds how long and how often a request is tried before any of its answer has come.
	Patience Patience
	// RelayOperators says who runs the relays: an exit of the same operator is not reached through them. It goes before
	// what relays say of themselves. Each must be one of Relays, and its operator what [service.CheckOperator] takes.
	RelayOperators map[relayurl.URL]string
	// Format is how requests are sealed. Default: [ohttp.Chunked]. With [ohttp.Whole] an answer arrives
	// all at once, when it is complete.
	Format ohttp.Format
	// Shape is how much the sizes and times of answers, and the sizes of requests, may tell the relay. Default:
	// [shape.Default]. [shape.Constant] needs [ohttp.Chunked].
	Shape shape.Mode
	// MaxRequestBytes is the largest request body a tool may send. Default: 64 MiB.
	MaxRequestBytes int64
	// MaxWholeBytes is the largest answer in the format [ohttp.Whole]. Default: 64 MiB. Chunked answers
	// stream through, whatever their size.
	MaxWholeBytes int64
	// RefreshInterval is the time between two looks at a relay's directory, give or take a fifth.
	// Default: 10 s.
	RefreshInterval time.Duration
	// AnswerTimeout bounds the time from sending a request to the first byte of its answer.
	// Default: 10 min, what the tools themselves wait.
	AnswerTimeout time.Duration
	// StallTimeout bounds a silence within an answer, and how long a tool may leave an answer unread.
	// Default: 5 min.
	StallTimeout time.Duration
	// ShutdownTimeout is how long running requests may go on once the client is told to stop.
	// Default: 10 s.
	ShutdownTimeout time.Duration
	// Scrub is how much of a request is changed so that it does not say who asks. Default: [scrub.Full].
	Scrub scrub.Level
	// Pseudonyms keep the user's own names out of prompts: exits read placeholders, tools the names. Default: none.
	Pseudonyms *scrub.Pseudonyms
	// Debug keeps the last requests for the management path /tokengo/debug/scrub, a page that shows what left.
	// Default: there is no such page, and requests are not kept.
	Debug bool
	// Block are the kinds of text for which a request is refused instead of sent. Default: none; of each
	// kind that prompts hold the log warns once.
	Block []scrub.Kind
	// Logger takes what an operator of the client wants to know. Default: nothing is logged.
	Logger *slog.Logger
	// Registerer takes the client's metrics. Default: none are registered.
	Registerer prometheus.Registerer
	// DialContext opens the connections to relays. Default: a [net.Dialer].
	DialContext DialContext
}

func (cfg Config) withDefaults() Config {
	cfg.Listen = cmp.Or(cfg.Listen, DefaultListen)
	cfg.Format = cmp.Or(cfg.Format, ohttp.Chunked)
	cfg.Shape = cmp.Or(cfg.Shape, shape.Default)
	cfg.MaxRequestBytes = cmp.Or(cfg.MaxRequestBytes, defaultMaxRequestBytes)
	cfg.MaxWholeBytes = cmp.Or(cfg.MaxWholeBytes, defaultMaxWholeBytes)
	cfg.RefreshInterval = cmp.Or(cfg.RefreshInterval, defaultRefreshInterval)
	cfg.AnswerTimeout = cmp.Or(cfg.AnswerTimeout, defaultAnswerTimeout)
	cfg.StallTimeout = cmp.Or(cfg.StallTimeout, defaultStallTimeout)
	cfg.ShutdownTimeout = cmp.Or(cfg.ShutdownTimeout, defaultShutdownTimeout)
	cfg.Affinity = cmp.Or(cfg.Affinity, AffinityConversation)
	cfg.Retry = cmp.Or(cfg.Retry, RetrySafe)
	cfg.Patience = cfg.Patience.withDefaults()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

func (cfg Config) validate() error {
	if err := cfg.checkListen(); err != nil {
		return err
	}
	if err := checkOrigins(cfg.Origins); err != nil {
		return err
	}
	if len(cfg.Relays) == 0 {
		return errors.New("no relay is configured")
	}
	seen := map[relayurl.URL]bool{}
	for _, relay := range cfg.Relays {
		if relay.Host == "" || seen[relay] {
			return fmt.Errorf("relay %q is empty or configured twice", relay.Host)
		}
		seen[relay] = true
	}
	for _, identity := range cfg.Identities {
		if _, err := identity.PublicKey(); err != nil {
			return fmt.Errorf("pinned identity: %w", err)
		}
	}
	if err := cfg.checkChoice(); err != nil {
		return err
	}
	if err := cfg.checkOperators(); err != nil {
		return err
	}
	if _, err := scrub.ParseLevel(string(cfg.Scrub)); err != nil {
		return err
	}
	if cfg.Format.RequestType() == "" {
		return fmt.Errorf("format %d does not exist", cfg.Format)
	}
	if err := checkShape(cfg.Shape, cfg.Format); err != nil {
		return err
	}
	for _, limit := range []int64{
		cfg.MaxRequestBytes, cfg.MaxWholeBytes, int64(cfg.RefreshInterval),
		int64(cfg.AnswerTimeout), int64(cfg.StallTimeout), int64(cfg.ShutdownTimeout),
	} {
		if limit < 0 {
			return errors.New("a limit is negative")
		}
	}
	return nil
}

// Client is a local proxy. Its methods may be called from several goroutines at once.
type Client struct {
	cfg       Config
	directory *directory
	router    *router
	proxy     *proxy
	fresh     drain.Fresh
}

// New checks cfg and makes a client. It does no I/O.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	dir := newDirectory(cfg)
	router, err := newRouter(cfg, dir)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	metrics, err := newMetrics(cfg.Registerer, dir)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return &Client{cfg: cfg, directory: dir, router: router, proxy: newProxy(cfg, router, metrics)}, nil
}

// Run listens on Config.Listen and serves until ctx ends, then returns nil.
func (c *Client) Run(ctx context.Context) error {
	ln, err := Listen(ctx, c.cfg.Listen)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	return c.Serve(ctx, ln)
}

// Serve serves on ln, which it closes, until ctx ends, and then returns nil: running requests first
// get Config.ShutdownTimeout to finish. It may be called once. Its goroutines have ended when it returns.
func (c *Client) Serve(ctx context.Context, ln net.Listener) error {
	if tcp, ok := ln.Addr().(*net.TCPAddr); ok {
		c.proxy.door.local = tcp.IP.IsLoopback()
		if err := c.cfg.checkRemote(tcp.String()); err != nil && !c.proxy.door.local {
			ln.Close()
			return fmt.Errorf("client: %w", err)
		}
	}
	requests, cancelRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelRequests()
	server := c.server(requests)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { c.directory.run(ctx); return nil })
	group.Go(func() error { c.router.run(ctx); return nil })
	group.Go(func() error {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("client: serve AI tools on %s: %w", ln.Addr(), err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		c.stop(requests, server, cancelRequests)
		return nil
	})
	err := group.Wait()
	c.router.save() // with what the last requests taught
	c.directory.hangUp()
	return err
}

func (c *Client) server(requests context.Context) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           c.proxy,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ConnState:         c.fresh.Track,
		Protocols:         &protocols,
		ReadHeaderTimeout: toolHeaderTimeout,
		IdleTimeout:       toolIdleTimeout,
		MaxHeaderBytes:    maxToolHeaderBytes,
		// What the server would log about connections names tools' addresses; the proxy logs its own errors.
		ErrorLog: log.New(io.Discard, "", 0),
	}
}

// stop lets running requests finish for a while, then ends them, and waits for all.
func (c *Client) stop(ctx context.Context, server *http.Server, cancelRequests func()) {
	grace, cancel := context.WithTimeout(ctx, c.cfg.ShutdownTimeout)
	defer cancel()
	if c.fresh.Shutdown(grace, server) != nil {
		cancelRequests()
	}
	c.proxy.wait()
}

// WaitReady waits until every relay has been asked for its directory once, with or without success;
// [Client.Relays] and [Client.Exits] then say what is within reach. It needs Run or Serve to be running
// and fails only when ctx ends first.
func (c *Client) WaitReady(ctx context.Context) error {
	for _, p := range c.directory.pollers {
		if err := p.wait(ctx, 1); err != nil {
			return err
		}
	}
	return nil
}

// Exits are the exits that can be used now, whatever the policy, sorted by identity.
func (c *Client) Exits() []Exit {
	return slices.Clone(c.directory.list(time.Now()))
}

// Forget forgets what was learned of all exits: how they did, what rests, and where conversations are.
func (c *Client) Forget() { c.router.chooser.Clear("") }

// Relays says how each relay does, in the order of Config.Relays.
func (c *Client) Relays() []RelayStatus {
	var all []RelayStatus
	for _, p := range c.directory.pollers {
		all = append(all, p.status())
	}
	return all
}
