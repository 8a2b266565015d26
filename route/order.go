// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"slices"

	"github.com/tokengo/tokengo/service"
)

// Need is what a request asks of an exit, for [Order].
type Need struct {
	// Protocols are the native protocols that can serve the request, the one that the tool speaks first: an
	// exit with that one is preferred to one that has to translate.
	Protocols []service.Protocol
	// Model reports whether a published id means the model asked for.
	Model func(id string) bool
}

// Policy is the part of [Preferences] that [Order], [Offered] and [Models] know: they look at a few exits, of which
// nothing is remembered. The zero value allows every exit and prefers none.
type Policy struct {
	// Protocols restricts the choice to models served natively over one of these protocols; empty allows all.
	Protocols []service.Protocol
	// Preference orders the choice where several native protocols can serve: earlier is better, and a
	// protocol that is not listed comes after all that are.
	Preference []service.Protocol
	// Tiers restricts the choice to exits of these tiers; empty allows all.
	Tiers []service.Tier
}

// Shuffle puts n things into random order through swap, as [math/rand/v2.Shuffle] does.
type Shuffle func(n int, swap func(i, j int))

// Validate reports the first protocol or tier that does not exist.
func (p Policy) Validate() error {
	for _, list := range [][]service.Protocol{p.Protocols, p.Preference} {
		for _, proto := range list {
			if _, err := service.ParseProtocol(string(proto)); err != nil {
				return err
			}
		}
	}
	for _, tier := range p.Tiers {
		if _, err := service.ParseTier(string(tier)); err != nil {
			return err
		}
	}
	return nil
}

// Allows reports whether the policy lets requests be served over a native protocol.
func (p Policy) Allows(proto service.Protocol) bool {
	return len(p.Protocols) == 0 || slices.Contains(p.Protocols, proto)
}

// Order returns the exits that can serve the need under the policy, the one to try first at the front.
// Exits are ordered by preference; equals are in the order that shuffle gives them. The slice it is
// given stays as it is.
func Order[E Exit](p Policy, exits []E, need Need, shuffle Shuffle) []E {
	type ranked struct {
		exit E
		rank int
	}
	var able []ranked
	for _, e := range exits {
		if rank, ok := p.rank(e.Service(), need); ok {
			able = append(able, ranked{e, rank})
		}
	}
	shuffle(len(able), func(i, j int) { able[i], able[j] = able[j], able[i] })
	slices.SortStableFunc(able, func(a, b ranked) int { return a.rank - b.rank })
	ordered := make([]E, len(able))
	for i, r := range able {
		ordered[i] = r.exit
	}
	return ordered
}

// rank is the place in the preference of the best protocol over which the exit can serve the need.
func (p Policy) rank(info *service.Info, need Need) (best int, ok bool) {
	if !p.allowsTier(info.Tier) {
		return 0, false
	}
	for _, m := range info.Models {
		if !slices.Contains(need.Protocols, m.Protocol) || !p.Allows(m.Protocol) || !need.Model(m.ID) {
			continue
		}
		rank := 2 * p.preference(m.Protocol)
		if m.Protocol != need.Protocols[0] {
			rank++ // it would be translated
		}
		if !ok || rank < best {
			best, ok = rank, true
		}
	}
	return best, ok
}

func (p Policy) preference(proto service.Protocol) int {
	if i := slices.Index(p.Preference, proto); i >= 0 {
		return i
	}
	return len(p.Preference)
}

func (p Policy) allowsTier(tier service.Tier) bool {
	return len(p.Tiers) == 0 || slices.Contains(p.Tiers, tier)
}
