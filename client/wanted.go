// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"slices"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// wanted are the models to try for a request of a protocol that names some: those that it names, unless
// Config.Models says which ones are used.
func (cfg *Config) wanted(p service.Protocol, asked []string) []string {
	if len(cfg.Models) == 0 {
		return asked
	}
	var models []string
	named := map[string]bool{} // of Config.Models
	for _, name := range asked {
		i := slices.IndexFunc(cfg.Models, func(m string) bool { return cfg.sameModel(p, m, name) })
		if i >= 0 && !named[cfg.Models[i]] {
			named[cfg.Models[i]] = true
			models = append(models, name) // with its suffix
		}
	}
	for _, m := range cfg.Models {
		if !named[m] {
			models = append(models, m)
		}
	}
	return models
}

// sameModel reports whether two names mean one model, as far as the configuration knows.
func (cfg *Config) sameModel(p service.Protocol, a, b string) bool {
	a, _ = route.SplitSuffix(a)
	b, _ = route.SplitSuffix(b)
	if dialect.SameModel(p, a, b) {
		return true
	}
	for name, family := range cfg.Aliases {
		in := func(asked string) bool {
			same := func(member string) bool { return dialect.SameModel(p, member, asked) }
			return same(name) || slices.ContainsFunc(family, same)
		}
		if in(a) && in(b) {
			return true
		}
	}
	return false
}
