// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// Whoever reads a description stops at the first thing that is wrong with it. An operator is told of all: each field
// is tried in a description that has nothing else in it.

// part is one field of a description, and a description that has that field and what cannot be left out.
type part struct {
	field string
	info  service.Info
}

// checkParts looks at fields one by one, and at all of them together, which is their name without a field, if nothing is
// wrong with any.
func (c *checker) checkParts(p at, parts []part, whole part) {
	sound := true
	for _, one := range parts {
		if err := describable(&one.info); err != nil {
			c.fatal(at{p.backend, p.model, one.field}, without(err.Error(), one.field))
			sound = false
		}
	}
	if err := describable(&whole.info); sound && err != nil {
		c.fatal(at{p.backend, p.model, whole.field}, without(err.Error(), whole.field))
	}
}

// without is what is wrong with a field, without the field's name.
func without(reason, field string) string {
	for name := range strings.SplitSeq(field, ".") {
		reason = strings.TrimPrefix(reason, name+": ")
	}
	return reason
}

// describable says why a description with these fields could not be published.
func describable(info *service.Info) error {
	info.Tier = cmp.Or(info.Tier, defaultTier)
	info.Protocols = service.Protocols()
	err := trySign(info)
	if err == nil {
		return nil
	}
	_, reason, found := strings.Cut(err.Error(), service.ErrInvalid.Error()+": ")
	if !found {
		reason = strings.TrimPrefix(err.Error(), "service description "+service.ErrInvalid.Error()+" ")
	}
	return errors.New(strings.TrimPrefix(reason, "models[0]: "))
}

// checkExit looks at what is said of the exit as a whole.
func (c *checker) checkExit() {
	c.checkParts(at{-1, -1, ""}, nil, part{"operator", service.Info{Operator: c.cfg.Operator}})
	c.checkParts(at{-1, -1, ""}, nil, part{"tier", service.Info{Tier: c.cfg.Tier}})
	c.checkParts(at{-1, -1, ""}, slaParts(c.cfg.SLA), part{"sla", service.Info{SLA: c.cfg.SLA}})
	c.checkParts(at{-1, -1, ""}, capacityParts(c.cfg.Capacity), part{"capacity", service.Info{Capacity: c.cfg.Capacity}})
	c.checkParts(at{-1, -1, ""}, betaParts(c.cfg.Betas), part{"betas", service.Info{Betas: c.cfg.Betas}})
	c.checkParts(at{-1, -1, ""}, tagParts(c.cfg.Tags), part{"tags", service.Info{Tags: c.cfg.Tags}})
	if sla := c.cfg.SLA; sla != nil && c.cfg.MaxConcurrent > 0 && sla.MaxConcurrency > c.cfg.MaxConcurrent {
		c.warn(at{-1, -1, "sla"}, fmt.Sprintf("it promises %d requests at once, and the exit works on %d", sla.MaxConcurrency, c.cfg.MaxConcurrent))
	}
}

func slaParts(s *service.SLA) []part {
	if s == nil {
		return nil
	}
	one := func(field string, sla service.SLA) part { return part{"sla." + field, service.Info{SLA: &sla}} }
	return []part{
		one("max_ttft_ms", service.SLA{MaxTTFTMillis: s.MaxTTFTMillis}),
		one("min_tokens_per_s", service.SLA{MinTokensPerSecond: s.MinTokensPerSecond}),
		one("uptime", service.SLA{Uptime: s.Uptime}),
		one("max_concurrency", service.SLA{MaxConcurrency: s.MaxConcurrency}),
	}
}

func capacityParts(c *service.Capacity) []part {
	if c == nil {
		return nil
	}
	one := func(field string, capacity service.Capacity) part {
		return part{"capacity." + field, service.Info{Capacity: &capacity}}
	}
	return []part{
		one("gpu", service.Capacity{GPU: c.GPU}),
		one("count", service.Capacity{Count: c.Count}),
		one("region", service.Capacity{Region: c.Region}),
	}
}

func betaParts(betas []string) (parts []part) {
	for i := range betas {
		parts = append(parts, part{fmt.Sprintf("betas[%d]", i), service.Info{Betas: betas[i : i+1]}})
	}
	return parts
}

func tagParts(tags map[string]string) (parts []part) {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		parts = append(parts, part{"tags." + key, service.Info{Tags: map[string]string{key: tags[key]}}})
	}
	return parts
}

// modelParts are the fields of a model, each in a model that has an id and a protocol besides.
func modelParts(m service.Model) (parts []part) {
	add := func(field string, set func(*service.Model)) {
		one := service.Model{ID: "x", Protocol: m.Protocol}
		set(&one)
		parts = append(parts, part{field, service.Info{Models: []service.Model{one}}})
	}
	add("id", func(one *service.Model) { one.ID = m.ID })
	add("aliases", func(one *service.Model) { one.Aliases = m.Aliases })
	add("max_ctx", func(one *service.Model) { one.MaxCtx = m.MaxCtx })
	add("max_output", func(one *service.Model) { one.MaxOutput = m.MaxOutput })
	add("modalities", func(one *service.Model) { one.Modalities = m.Modalities })
	add("features", func(one *service.Model) { one.Features = m.Features })
	add("quantization", func(one *service.Model) { one.Quantization = m.Quantization })
	if m.Pricing == nil {
		return parts
	}
	price := func(field string, set func(*service.Pricing)) {
		one := &service.Pricing{InputPer1M: "0", OutputPer1M: "0", Currency: "USD"}
		set(one)
		add("pricing."+field, func(model *service.Model) { model.Pricing = one })
	}
	price("input_per_1m", func(one *service.Pricing) { one.InputPer1M = m.Pricing.InputPer1M })
	price("output_per_1m", func(one *service.Pricing) { one.OutputPer1M = m.Pricing.OutputPer1M })
	price("cached_input_per_1m", func(one *service.Pricing) { one.CachedInputPer1M = m.Pricing.CachedInputPer1M })
	price("per_request", func(one *service.Pricing) { one.PerRequest = m.Pricing.PerRequest })
	price("per_image", func(one *service.Pricing) { one.PerImage = m.Pricing.PerImage })
	price("currency", func(one *service.Pricing) { one.Currency = m.Pricing.Currency })
	return parts
}
