// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// Offer is what a set of exits offers: for each native protocol the published model ids, sorted, each
// once. The ids are text from exits: make them [service.Printable] before they are shown.
type Offer map[service.Protocol][]string

// Offered collects what the exits offer under the policy. With the zero policy it is all there is.
func Offered[E Exit](p Policy, exits []E) Offer {
	offer := Offer{}
	for _, proto := range service.Protocols() {
		var ids []string
		for _, m := range Models(p, exits, proto) {
			ids = append(ids, m.ID)
		}
		if len(ids) > 0 {
			slices.Sort(ids)
			offer[proto] = slices.Compact(ids)
		}
	}
	return offer
}

// Models are the models that the exits offer natively over the protocol under the policy, in the order of
// the exits: a model that several offer is there several times, each with what that exit grants.
func Models[E Exit](p Policy, exits []E, proto service.Protocol) []service.Model {
	var models []service.Model
	if !p.Allows(proto) {
		return nil
	}
	for _, e := range exits {
		info := e.Service()
		if !p.allowsTier(info.Tier) {
			continue
		}
		for _, m := range info.Models {
			if m.Protocol == proto {
				models = append(models, m)
			}
		}
	}
	return models
}

// Protocols are the protocols that have at least one model, in the order of [service.Protocols].
func (o Offer) Protocols() []service.Protocol {
	return slices.DeleteFunc(slices.Clone(service.Protocols()), func(p service.Protocol) bool { return len(o[p]) == 0 })
}

// With are the protocols over which a model is offered that match accepts, in the order of [service.Protocols].
func (o Offer) With(match func(id string) bool) []service.Protocol {
	return slices.DeleteFunc(o.Protocols(), func(p service.Protocol) bool { return !slices.ContainsFunc(o[p], match) })
}

// Nearest returns at most n of the protocol's model ids, those whose names are most like the asked one
// first, and how many more there are.
func (o Offer) Nearest(p service.Protocol, asked string, n int) (ids []string, more int) {
	ids = slices.Clone(o[p])
	want := pairs(asked)
	likeness := make(map[string]float64, len(ids))
	for _, id := range ids {
		likeness[id] = dice(want, pairs(id))
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(likeness[b], likeness[a]) })
	if len(ids) > n {
		ids, more = ids[:n], len(ids)-n
	}
	return ids, more
}

// pairs are the pairs of neighbouring bytes of a name, whatever its case.
func pairs(name string) map[string]bool {
	name = strings.ToLower(name)
	set := make(map[string]bool, len(name))
	for i := 0; i+2 <= len(name); i++ {
		set[name[i:i+2]] = true
	}
	return set
}

// dice is the Sørensen–Dice coefficient of two sets: 0 for nothing in common, 1 for equality.
func dice(a, b map[string]bool) float64 {
	if len(a)+len(b) == 0 {
		return 0
	}
	common := 0
	for pair := range a {
		if b[pair] {
			common++
		}
	}
	return 2 * float64(common) / float64(len(a)+len(b))
}
