// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/service"
)

// Config is what an exit is made of. Relays and Backends must be set.
type Config struct {
	// StateDir is where the exit keeps its identity and its keys, readable by its owner only. Several
	// processes that share it are one exit: the first makes keys and descriptions, the others follow it, and
	// one of them takes over when it is gone. Empty: nothing is kept, and the exit is somebody else each time
	// it is made, for demos and tests.
	StateDir string
	// Relays are the relays to register with, 1 to 64.
	Relays []relayurl.URL
	// Backends are the AI services that answer, 1 to 64. Where several offer the same model over the same
	// protocol, the first of them serves it.
	Backends []Backend
	// Operator is the name of who runs the exit, for people: at most 256 bytes. It may be empty.
	Operator string
	// Tier is the operator's class of service. Default: standard.
	Tier service.Tier
	// SLA is what the operator promises, Capacity what the exit runs on. Default: nothing is said. The
	// promised concurrency is also the limit: requests beyond it are told to come back later.
	SLA      *service.SLA
	Capacity *service.Capacity
	// Betas are the experimental features that the backends take, at most 64, as service.Info has them. Requests
	// for others are passed on without. Default: none.
	Betas []string
	// Tags are free-form, at most 64, as service.Info has them.
	Tags map[string]string

	// KeyLifetime is how long a pair of keys is published before the next one takes its place.
	// Default: 24 h.
	KeyLifetime time.Duration
	// KeyOverlap is how long a pair is honoured after that. Descriptions that name the pair expire at half
	// of it, so that a client which learned of them at the last moment, with a clock that is wrong by the
	// other half, can still be answered. Past requests stay readable to a thief of the state directory
	// until then. Default: 1 h; at most 100 lifetimes, and together with KeyLifetime 31 days.
	KeyOverlap time.Duration
	// DrainTimeout is how long requests may go on once the exit is told to stop. Default: 30 s.
	DrainTimeout time.Duration

	// MaxRequestBytes is the largest request, sealed. Default: 64 MiB.
	MaxRequestBytes int64
	// MaxAnswerBytes is the largest answer to a request that was sealed as a whole and not in chunks:
	// such an answer cannot be streamed. Default: 64 MiB.
	MaxAnswerBytes int64
	// MaxHeldBytes is the most that the requests at hand may have sent, together: they are held in memory
	// until they are answered. Beyond it they are told to come back later. Default: 1 GiB.
	MaxHeldBytes int64
	// MaxConcurrent is how many requests are worked on at once. Those beyond it are told to come back
	// later. Default: 1000.
	MaxConcurrent int

	// RequestTimeout is how long a request may take to arrive, plus a second for each 32 KiB of it.
	// Default: 30 s.
	RequestTimeout time.Duration
	// BackendHeaderTimeout is how long a backend may take before its answer begins. Default: 5 min.
	BackendHeaderTimeout time.Duration
	// StallTimeout is how long a backend may be silent within an answer. A client that takes nothing of
	// it for three times as long is given up. Default: 2 min.
	StallTimeout time.Duration
	// ModelsRefresh is how often backends are asked for their models.
	// Default: 5 min.
	ModelsRefresh time.Duration

	// OnRegistered is called whenever a relay has taken a registration: at the start, after every
	// reconnection, and when keys or models changed. Calls for different relays may overlap; it must not
	// block. Default: none.
	OnRegistered func(Registered)
	// Observe wraps the handler of what comes through the tunnels, so that a demo or test can record what
	// an exit receives. Default: none, as real exits have it.
	Observe func(http.Handler) http.Handler
	// Logger takes what the operator wants to know. Default: nothing is logged.
	Logger *slog.Logger
	// Registerer takes the exit's metrics. Default: none are registered.
	Registerer prometheus.Registerer
	// DialContext opens the connections to relays. Default: a [net.Dialer].
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Clock tells the time by which keys are dated. Default: [time.Now].
	Clock func() time.Time
}

// Backend is one AI service.
type Backend struct {
	// Protocol is what it speaks.
	Protocol service.Protocol
	// URL is its base URL, http or https, as the vendors' own tools take it: for openai with or without a
	// path that ends in the version ("https://api.openai.com/v1", "https://api.z.ai/api/paas/v4"; without
	// a path it is /v1), for the others without ("https://api.anthropic.com",
	// "https://generativelanguage.googleapis.com", "http://127.0.0.1:11434"; a trailing /v1, /v1beta or
	// /api is ignored).
	URL string
	// Key is the operator's credential, none by default.
	Key secret.Secret
	// Models are the models to offer. Their Protocol may be left empty; other fields that are empty are filled
	// with what the backend says. Default: all that the backend lists.
	Models []service.Model
	// Silent is whether the backend is never asked what it has. Models must then be given.
	Silent bool
	// MaxConcurrent is how many requests the backend is sent at once, and ModelConcurrent the same for some of
	// Models, by id. Those beyond it are told to come back later. Default: no limit but the exit's.
	MaxConcurrent   int
	ModelConcurrent map[string]int
	// Aliases maps ids that the exit publishes to those that the backend knows the models by. A published
	// id must be among Models when those are given; otherwise it is offered besides the backend's own.
	Aliases map[string]string
	// Responses says how requests of the Responses API are answered; for openai backends only. Default: ResponsesAuto.
	Responses ResponsesMode
	// Transport makes the requests. It must not follow redirects, add credentials or decompress. Default:
	// a transport of its own, with the proxy that the environment names.
	Transport http.RoundTripper
}

func (cfg Config) withDefaults() Config {
	cfg.Tier = cmp.Or(cfg.Tier, defaultTier)
	cfg.KeyLifetime = cmp.Or(cfg.KeyLifetime, defaultKeyLifetime)
	cfg.KeyOverlap = cmp.Or(cfg.KeyOverlap, defaultKeyOverlap)
	cfg.DrainTimeout = cmp.Or(cfg.DrainTimeout, defaultDrainTimeout)
	cfg.MaxRequestBytes = cmp.Or(cfg.MaxRequestBytes, defaultMaxRequestBytes)
	cfg.MaxAnswerBytes = cmp.Or(cfg.MaxAnswerBytes, defaultMaxAnswerBytes)
	cfg.MaxHeldBytes = cmp.Or(cfg.MaxHeldBytes, defaultMaxHeldBytes)
	cfg.MaxConcurrent = cmp.Or(cfg.MaxConcurrent, defaultMaxConcurrent)
	cfg.RequestTimeout = cmp.Or(cfg.RequestTimeout, defaultRequestTimeout)
	cfg.BackendHeaderTimeout = cmp.Or(cfg.BackendHeaderTimeout, defaultHeaderTimeout)
	cfg.StallTimeout = cmp.Or(cfg.StallTimeout, defaultStallTimeout)
	cfg.ModelsRefresh = cmp.Or(cfg.ModelsRefresh, defaultModelsRefresh)
	if cfg.OnRegistered == nil {
		cfg.OnRegistered = func(Registered) {}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	return cfg
}

// validate checks everything and returns the backends.
func (cfg Config) validate() ([]*backend, error) {
	if err := cfg.validateLimits(); err != nil {
		return nil, err
	}
	if err := cfg.validateRelays(); err != nil {
		return nil, err
	}
	if n := len(cfg.Backends); n < 1 || n > maxBackends {
		return nil, fmt.Errorf("%d backends are configured, want 1 to %d", n, maxBackends)
	}
	backends := make([]*backend, len(cfg.Backends))
	for i, b := range cfg.Backends {
		var err error
		if backends[i], err = newBackend(b, cfg.Logger); err != nil {
			return nil, fmt.Errorf("backend %d: %w", i+1, err)
		}
		backends[i].betas = cfg.Betas
	}
	return backends, cfg.validateInfo(backends)
}

func (cfg Config) validateLimits() error {
	if faults := cfg.limitFaults(); len(faults) > 0 {
		return errors.New(faults[0].field + " " + faults[0].text)
	}
	return nil
}

// limitFault is what is wrong with a time or limit.
type limitFault struct {
	field string // of Config
	text  string // after the field's name
}

// limitFaults is all that is wrong with times and limits.
func (cfg Config) limitFaults() (faults []limitFault) {
	fault := func(field, format string, args ...any) {
		faults = append(faults, limitFault{field, fmt.Sprintf(format, args...)})
	}
	for _, limit := range []struct {
		name string
		d    time.Duration
	}{
		{"KeyLifetime", cfg.KeyLifetime},
		{"KeyOverlap", cfg.KeyOverlap},
		{"DrainTimeout", cfg.DrainTimeout},
		{"RequestTimeout", cfg.RequestTimeout},
		{"BackendHeaderTimeout", cfg.BackendHeaderTimeout},
		{"StallTimeout", cfg.StallTimeout},
		{"ModelsRefresh", cfg.ModelsRefresh},
	} {
		if limit.d < minTimeout {
			fault(limit.name, "is %v, want more", limit.d)
		}
	}
	for _, limit := range []struct {
		name string
		n    int64
	}{
		{"MaxRequestBytes", cfg.MaxRequestBytes},
		{"MaxAnswerBytes", cfg.MaxAnswerBytes},
		{"MaxHeldBytes", cfg.MaxHeldBytes},
		{"MaxConcurrent", int64(cfg.MaxConcurrent)},
	} {
		if limit.n < 1 {
			fault(limit.name, "is %d, want 1 or more", limit.n)
		}
	}
	if cfg.KeyOverlap/maxOverlapLifetimes > cfg.KeyLifetime {
		fault("KeyOverlap", "is %v, want at most %d times the lifetime of keys", cfg.KeyOverlap, maxOverlapLifetimes)
	}
	if max(cfg.KeyLifetime, cfg.KeyOverlap) > service.MaxLifetime || cfg.KeyLifetime+cfg.KeyOverlap > service.MaxLifetime {
		fault("KeyLifetime", "is %v and the overlap %v, want at most %v together", cfg.KeyLifetime, cfg.KeyOverlap, service.MaxLifetime)
	}
	return faults
}

func (cfg Config) validateRelays() error {
	if n := len(cfg.Relays); n < 1 || n > maxRelays {
		return fmt.Errorf("%d relays are configured, want 1 to %d", n, maxRelays)
	}
	seen := map[relayurl.URL]bool{}
	for _, relay := range cfg.Relays {
		if relay.Host == "" || seen[relay] {
			return fmt.Errorf("relay %q is empty or configured twice", relay.Host)
		}
		seen[relay] = true
	}
	return nil
}

// validateInfo finds what could not be signed later on.
func (cfg Config) validateInfo(backends []*backend) error {
	return trySign(cfg.info(newOffer(backends)))
}

// trySign finds out whether a description can be signed, with a key that is then forgotten.
func trySign(info *service.Info) error {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	now := time.Now()
	info.NotBefore, info.Expires = now, now.Add(time.Hour)
	_, err = service.Sign(key, []byte("not a key"), info)
	return err
}

// info is the description of an offer, without what changes each time.
func (cfg Config) info(o *offer) *service.Info {
	return &service.Info{
		Version:   service.Version,
		Operator:  cfg.Operator,
		Protocols: o.protocols,
		Models:    o.models,
		Tier:      cfg.Tier,
		SLA:       cfg.SLA,
		Capacity:  cfg.Capacity,
		Betas:     cfg.Betas,
		Tags:      cfg.Tags,
	}
}

// fit leaves models out of an offer that is too large to be described, and says how many.
func (cfg Config) fit(o *offer) (left int, err error) {
	bare := cfg.info(o)
	bare.Models = nil
	raw, err := json.Marshal(bare)
	if err != nil {
		return 0, fmt.Errorf("write description: %w", err)
	}
	return o.fit(service.MaxInfoBytes - len(raw) - infoRoom)
}
