// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"fmt"
	"slices"
)

// reload is a configuration that is to replace the one in use.
type reload struct {
	cfg      Config
	backends []*backend
	adopted  chan struct{}
}

// Reload replaces what the exit offers and how: Backends, Operator, Tier, SLA, Capacity, Betas, Tags and
// ModelsRefresh of cfg. Relays are told by a fresh registration if the description changes; requests that run
// go on as they began. All else stays as New was given it, and kept names the fields of cfg that differ from
// that. An error says what is wrong with cfg, and nothing has changed then. Reload is of use while Run runs;
// otherwise it waits until ctx ends.
func (e *Exit) Reload(ctx context.Context, cfg Config) (kept []string, err error) {
	cfg = cfg.withDefaults()
	backends, err := cfg.validate()
	if err != nil {
		return nil, fmt.Errorf("exit: reload: %w", err)
	}
	kept = e.cfg.differences(&cfg)
	next := e.cfg
	next.Backends, next.Operator, next.Tier, next.SLA = cfg.Backends, cfg.Operator, cfg.Tier, cfg.SLA
	next.Capacity, next.Betas, next.Tags, next.ModelsRefresh = cfg.Capacity, cfg.Betas, cfg.Tags, cfg.ModelsRefresh
	e.loads.limit(&next, backends)
	r := &reload{cfg: next, backends: backends, adopted: make(chan struct{})}
	select {
	case e.reloads <- r:
	case <-ctx.Done():
		return nil, fmt.Errorf("exit: reload: %w", ctx.Err())
	}
	<-r.adopted
	return kept, nil
}

// differences names the fields that need a restart and are not the same in both.
func (cfg *Config) differences(other *Config) (names []string) {
	for _, field := range []struct {
		name string
		same bool
	}{
		{"StateDir", cfg.StateDir == other.StateDir},
		{"Relays", slices.Equal(cfg.Relays, other.Relays)},
		{"KeyLifetime", cfg.KeyLifetime == other.KeyLifetime},
		{"KeyOverlap", cfg.KeyOverlap == other.KeyOverlap},
		{"DrainTimeout", cfg.DrainTimeout == other.DrainTimeout},
		{"MaxRequestBytes", cfg.MaxRequestBytes == other.MaxRequestBytes},
		{"MaxAnswerBytes", cfg.MaxAnswerBytes == other.MaxAnswerBytes},
		{"MaxHeldBytes", cfg.MaxHeldBytes == other.MaxHeldBytes},
		{"MaxConcurrent", cfg.MaxConcurrent == other.MaxConcurrent},
		{"RequestTimeout", cfg.RequestTimeout == other.RequestTimeout},
		{"BackendHeaderTimeout", cfg.BackendHeaderTimeout == other.BackendHeaderTimeout},
		{"StallTimeout", cfg.StallTimeout == other.StallTimeout},
	} {
		if !field.same {
			names = append(names, field.name)
		}
	}
	return names
}

// adopt replaces the configuration. A backend that is in both is what it was found to be until it is asked,
// which is next.
func (m *maintainer) adopt(r *reload) {
	defer close(r.adopted)
	sources := make([]source, len(r.backends))
	for i, b := range r.backends {
		before := slices.IndexFunc(m.backends, func(old *backend) bool { return old.protocol == b.protocol && old.base == b.base })
		if before >= 0 {
			sources[i].listing = m.sources[before].listing
		}
	}
	for _, b := range m.backends {
		b.close()
	}
	m.cfg, m.backends, m.sources = r.cfg, r.backends, sources
	m.described = nil
}
