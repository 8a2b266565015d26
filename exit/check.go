// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// Problem is something that an operator should know about a configuration before others see what it makes.
type Problem struct {
	// Fatal is whether an exit would not start with it, or would not be able to answer; otherwise it would
	// do so less well than may be meant.
	Fatal bool
	// Backend and Model are where it is, as indices of Config.Backends and of that backend's Models; -1 for
	// none in particular.
	Backend, Model int
	// Field is what it is about, by the name that service descriptions have: "pricing.currency", "sla"; for what they
	// do not have, such as "url" and "max_concurrent" of backends, by that of exit.yaml, and for limits of the exit by
	// that of Config; "" for all.
	Field string
	// Text says what is wrong. Text of a backend in it is made printable.
	Text string
}

// Report is what Check finds.
type Report struct {
	// Info is the description that would be published, but for its identity, sequence and times.
	Info *service.Info
	// Problems are all that there are, in the order of the configuration.
	Problems []Problem
}

// Check says what an exit of this configuration would publish, and every problem in it. It asks the backends
// what they have, and neither registers anywhere nor touches the state directory. Unlike New it takes a
// configuration with mistakes.
func Check(ctx context.Context, cfg Config) Report {
	c := &checker{cfg: cfg.withDefaults()}
	for _, fault := range c.cfg.limitFaults() {
		c.fatal(at{-1, -1, fault.field}, "it "+fault.text)
	}
	if err := c.cfg.validateRelays(); err != nil {
		c.fatal(at{-1, -1, "relays"}, err.Error())
	}
	c.checkExit()
	if n := len(cfg.Backends); n < 1 || n > maxBackends {
		c.fatal(at{-1, -1, "backends"}, fmt.Sprintf("%d backends are configured, want 1 to %d", n, maxBackends))
	}
	c.makeBackends()
	c.askBackends(ctx)
	c.checkModels()
	info := c.info()
	for _, b := range c.backends {
		b.close()
	}
	return Report{Info: info, Problems: c.sorted()}
}

// checker collects problems.
type checker struct {
	cfg      Config
	backends []*backend // those that can be made
	origin   []int      // index in cfg.Backends of each
	listed   [][]service.Model
	asked    []bool // whether a backend has said what it has

	mu       sync.Mutex // guards problems
	problems []Problem
}

// at is a place in a configuration.
type at struct {
	backend, model int
	field          string
}

func (c *checker) fatal(p at, text string) { c.add(Problem{true, p.backend, p.model, p.field, text}) }

func (c *checker) warn(p at, text string) { c.add(Problem{false, p.backend, p.model, p.field, text}) }

func (c *checker) add(p Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = append(c.problems, p)
}

// sorted are the problems in the order of the configuration.
func (c *checker) sorted() []Problem {
	slices.SortStableFunc(c.problems, func(x, y Problem) int {
		return slices.Compare([]int{x.Backend, x.Model}, []int{y.Backend, y.Model})
	})
	return c.problems
}

// makeBackends makes those that can be made, and says of the others why not.
func (c *checker) makeBackends() {
	for i, cfg := range c.cfg.Backends {
		cfg, sound := c.checkBackend(i, cfg)
		if !sound {
			continue
		}
		b, err := newBackend(cfg, c.cfg.Logger)
		if err != nil {
			c.fatal(at{i, -1, ""}, err.Error())
			continue
		}
		c.backends, c.origin = append(c.backends, b), append(c.origin, i)
	}
}

// checkBackend looks at what has a place of its own in a backend's configuration. It returns the configuration without
// the limits that are none, and whether a backend can be made of it as far as that goes.
func (c *checker) checkBackend(i int, cfg Backend) (Backend, bool) {
	if cfg.MaxConcurrent < 0 {
		c.fatal(at{i, -1, "max_concurrent"}, "it is negative")
		cfg.MaxConcurrent = 0
	}
	limits := map[string]int{}
	for id, most := range cfg.ModelConcurrent {
		j := slices.IndexFunc(cfg.Models, func(m service.Model) bool { return m.ID == id })
		if most < 0 && j >= 0 {
			c.fatal(at{i, j, "max_concurrent"}, "it is negative")
			continue
		}
		limits[id] = most
	}
	cfg.ModelConcurrent = limits
	if _, err := service.ParseProtocol(string(cfg.Protocol)); err != nil {
		c.fatal(at{i, -1, "protocol"}, err.Error())
		return cfg, false
	}
	if _, err := parseBase(cfg.Protocol, cfg.URL); err != nil {
		c.fatal(at{i, -1, "url"}, err.Error())
		return cfg, false
	}
	return cfg, true
}

// askBackends asks all backends at once what they have.
func (c *checker) askBackends(ctx context.Context) {
	c.listed, c.asked = make([][]service.Model, len(c.backends)), make([]bool, len(c.backends))
	var asking sync.WaitGroup
	for i, b := range c.backends {
		if b.silent {
			continue
		}
		asking.Go(func() {
			l, err := b.listModels(ctx)
			if err != nil {
				c.fatal(at{c.origin[i], -1, ""}, err.Error())
				return
			}
			c.listed[i], c.asked[i] = l.models, true
			for _, odd := range l.odd {
				c.warn(at{c.origin[i], -1, ""}, "the backend says what no description can hold; it is left out: "+odd)
			}
		})
	}
	asking.Wait()
}

// info is the description of what has been found, as far as it fits.
func (c *checker) info() *service.Info {
	o := newOffer(c.backends, c.listed...)
	left, err := c.cfg.fit(o)
	if err != nil { // a value that is no JSON, which checkExit has found
		return c.cfg.info(o)
	}
	if len(o.models) == 0 && (len(c.backends) > 0 || len(c.cfg.Backends) == 0) { // else it is said why there is no backend
		c.fatal(at{-1, -1, "models"}, "nothing is offered")
	}
	if left > 0 {
		c.warn(at{-1, -1, "models"}, fmt.Sprintf("%d models are left out because a description cannot hold them all; configure which to offer", left))
	}
	return c.cfg.info(o)
}

// checkModels looks at each model that is configured or listed.
func (c *checker) checkModels() {
	names := &names{ids: map[modelName]bool{}, aliases: map[modelName]bool{}}
	for _, cfg := range c.cfg.Backends {
		for _, m := range cfg.Models {
			names.ids[modelName{cfg.Protocol, m.ID}] = false
		}
	}
	for i, cfg := range c.cfg.Backends {
		for j, m := range cfg.Models {
			c.checkModel(at{i, j, ""}, m, names)
		}
		if k := slices.Index(c.origin, i); k >= 0 {
			c.checkOffered(c.backends[k], k)
		}
	}
}

// names are those that models have had so far.
type names struct {
	ids     map[modelName]bool // whether it has occurred; all configured ids are there
	aliases map[modelName]bool
}

// checkModel looks at a configured model by itself and beside the others.
func (c *checker) checkModel(p at, m service.Model, n *names) {
	m.Protocol = cmp.Or(m.Protocol, c.cfg.Backends[p.backend].Protocol)
	if _, err := service.ParseProtocol(string(m.Protocol)); err == nil { // else the backend's is wrong, too
		c.checkParts(p, modelParts(m), part{"", service.Info{Models: []service.Model{m}}})
	}
	id := modelName{m.Protocol, m.ID}
	if n.ids[id] {
		c.warn(p, fmt.Sprintf("model %q is offered before, which is what answers", m.ID))
	}
	n.ids[id] = true
	for i, alias := range m.Aliases {
		name := modelName{m.Protocol, alias}
		if slices.Contains(m.Aliases[:i], alias) {
			c.warn(at{p.backend, p.model, "aliases"}, fmt.Sprintf("alias %q is listed twice", alias))
		} else if _, taken := n.ids[name]; taken {
			c.warn(at{p.backend, p.model, "aliases"}, fmt.Sprintf("alias %q is a model's own id, which goes before", alias))
		} else if n.aliases[name] {
			c.warn(at{p.backend, p.model, "aliases"}, fmt.Sprintf("alias %q is another model's, too, and the first answers", alias))
		}
		n.aliases[name] = true
	}
	c.checkWords(at{p.backend, p.model, "features"}, m.Features, knownFeatures)
	c.checkWords(at{p.backend, p.model, "modalities"}, m.Modalities, knownModalities)
}

func (c *checker) checkWords(p at, words, known []string) {
	for _, w := range words {
		if !slices.Contains(known, w) {
			c.warn(p, fmt.Sprintf("%q has no meaning to clients; those that have: %s", w, strings.Join(known, ", ")))
		}
	}
}

// checkOffered compares what a backend is to offer with what it says that it has.
func (c *checker) checkOffered(b *backend, i int) {
	has := func(id string) bool {
		return slices.ContainsFunc(c.listed[i], func(m service.Model) bool { return dialect.SameModel(b.protocol, m.ID, id) })
	}
	unpriced := 0
	for j, m := range b.complete(c.listed[i]) {
		p := at{c.origin[i], j, ""}
		configured := len(b.models) > 0
		if configured && c.asked[i] && !has(b.name(m.ID)) {
			c.warn(p, fmt.Sprintf("the backend does not list %q", b.name(m.ID)))
		}
		if m.Pricing != nil || c.cfg.Tier == service.Free {
			continue
		}
		unpriced++
		if configured {
			c.warn(at{p.backend, p.model, "pricing"}, "no price is stated; clients with a limit pass the model over")
		}
	}
	if len(b.models) == 0 && unpriced > 0 {
		c.warn(at{c.origin[i], -1, "pricing"}, fmt.Sprintf("no price is stated for %d models; clients with a limit pass them over", unpriced))
	}
	for published, id := range b.aliases {
		if len(b.models) == 0 && c.asked[i] && !has(id) {
			c.warn(at{c.origin[i], -1, "aliases"}, fmt.Sprintf("the backend does not list %q, so %q is not offered", id, published))
		}
	}
}
