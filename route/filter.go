// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"slices"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// filter is a request together with all preferences that apply to it, ready to check listings of one index.
type filter struct {
	ix      *Index
	request *Request

	protocols  uint32   // those that can serve, as bits of their places in service.Protocols
	allowed    []uint32 // those that the preferences allow, a mask each
	tiers      []uint32
	preference [protocolCount]uint8 // lower is better

	only, operators        []exitSet
	ignore                 exitSet
	order                  []exitSet
	regions, quantizations [][]int32
	bounded                bool
	maxPrice               rates
	sla                    *service.SLA
	needs                  needs

	sort           Sort
	latency, speed [4]float64
	slowBounds     bool
	noFallbacks    bool
}

const protocolCount = 4

// needs are the capabilities that a request asks for.
type needs struct {
	features, modalities           uint32
	otherFeatures, otherModalities []string
	parameters                     []string
	mustList                       bool // what is not listed is not there
	context                        int32
	output                         int32
}

// knownContext is what every model can read, in tokens: up to here it does not matter that a model does not state its
// context window.
const knownContext = 8192

// newFilter joins preferences, the later ones the more particular; nils are skipped.
func newFilter(ix *Index, r *Request, all ...*Preferences) *filter {
	f := &filter{ix: ix, request: r, maxPrice: rates{maxPrice, maxPrice, maxPrice, maxPrice}}
	f.protocols = protocolMask(r.Protocols)
	f.needs = newNeeds(r)
	var preferred []service.Protocol
	for _, p := range all {
		if p == nil {
			continue
		}
		f.restrict(p)
		f.bound(p)
		f.arrange(p)
		if len(p.ProtocolPreference) > 0 {
			preferred = p.ProtocolPreference
		}
	}
	for i, p := range service.Protocols() {
		if i >= protocolCount {
			break
		}
		place := slices.Index(preferred, p)
		if place < 0 {
			place = len(preferred)
		}
		f.preference[i] = uint8(min(place, 15))
	}
	return f
}

func newNeeds(r *Request) needs {
	n := needs{output: clamp(r.MaxOutput), context: clamp(r.InputTokens + r.MaxOutput), parameters: r.parameters()}
	n.features, n.otherFeatures = bits(featureNames, r.Features)
	n.modalities, n.otherModalities = bits(modalityNames, r.Modalities)
	return n
}

// restrict adds what must be so.
func (f *filter) restrict(p *Preferences) {
	if len(p.Only) > 0 {
		f.only = append(f.only, f.ix.named(p.Only))
	}
	if len(p.Operators) > 0 {
		f.operators = append(f.operators, f.ix.operated(p.Operators))
	}
	f.ignore.add(f.ix.named(p.Ignore))
	if len(p.Protocols) > 0 {
		f.allowed = append(f.allowed, protocolMask(p.Protocols))
	}
	if len(p.Tiers) > 0 {
		f.tiers = append(f.tiers, tierMask(p.Tiers))
	}
	if len(p.Regions) > 0 {
		f.regions = append(f.regions, f.ix.regions.numbers(p.Regions))
	}
	if len(p.Quantizations) > 0 {
		numbers := f.ix.quantizations.numbers(p.Quantizations)
		if slices.ContainsFunc(p.Quantizations, func(q string) bool { return strings.EqualFold(q, "unknown") }) {
			numbers = append(numbers, 0)
		}
		f.quantizations = append(f.quantizations, numbers)
	}
	f.needs.mustList = f.needs.mustList || p.RequireParameters
	f.noFallbacks = f.noFallbacks || (p.AllowFallbacks != nil && !*p.AllowFallbacks)
}

// bound lowers the highest price and raises the lowest promise.
func (f *filter) bound(p *Preferences) {
	for i, price := range p.MaxPrice.bounds() {
		if price != nil {
			f.bounded = true
			f.maxPrice[i] = min(f.maxPrice[i], float32(*price))
		}
	}
	if p.MinSLA == nil {
		return
	}
	if f.sla == nil {
		f.sla = &service.SLA{}
	}
	if ms := p.MinSLA.MaxTTFTMillis; ms > 0 && (f.sla.MaxTTFTMillis == 0 || ms < f.sla.MaxTTFTMillis) {
		f.sla.MaxTTFTMillis = ms
	}
	f.sla.MinTokensPerSecond = max(f.sla.MinTokensPerSecond, p.MinSLA.MinTokensPerSecond)
	f.sla.Uptime = max(f.sla.Uptime, p.MinSLA.Uptime)
	f.sla.MaxConcurrency = max(f.sla.MaxConcurrency, p.MinSLA.MaxConcurrency)
}

// arrange takes what orders, over what an earlier one said.
func (f *filter) arrange(p *Preferences) {
	if len(p.Order) > 0 {
		f.order = f.order[:0]
		for _, name := range p.Order {
			f.order = append(f.order, f.ix.named([]string{name}))
		}
	}
	if p.Sort != "" {
		f.sort = p.Sort
	}
	if p.PreferredMaxLatency != nil {
		f.latency = p.PreferredMaxLatency.bounds()
		f.slowBounds = true
	}
	if p.PreferredMinThroughput != nil {
		f.speed = p.PreferredMinThroughput.bounds()
		f.slowBounds = true
	}
}

// exclude says why a listing cannot be chosen, or nothing.
func (f *filter) exclude(l *listing) Reason {
	protocol, tier := uint32(1)<<l.protocol, uint32(1)<<l.tier
	if f.protocols&protocol == 0 {
		return ProtocolCannot
	}
	if !allow(f.allowed, protocol) {
		return ProtocolRuledOut
	}
	if !allow(f.tiers, tier) {
		return TierRuledOut
	}
	if r := f.excludeExit(l); r != 0 {
		return r
	}
	if !memberOfAll(f.regions, l.region) {
		return RegionRuledOut
	}
	if !memberOfAll(f.quantizations, l.quantization) {
		return QuantizationRuledOut
	}
	if f.bounded {
		if r := f.excludePrice(l); r != 0 {
			return r
		}
	}
	if f.sla != nil && !f.promises(l) {
		return SLATooWeak
	}
	return f.needs.exclude(l, f.ix)
}

// excludeExit checks what names exits.
func (f *filter) excludeExit(l *listing) Reason {
	for i := range f.only {
		if !f.only[i].has(l) {
			return NotInOnly
		}
	}
	if f.ignore.has(l) {
		return Ignored
	}
	for i := range f.operators {
		if !f.operators[i].has(l) {
			return OperatorRuledOut
		}
	}
	if f.noFallbacks && len(f.order) > 0 && f.place(l) == len(f.order) {
		return NotInOrder
	}
	return 0
}

func (f *filter) excludePrice(l *listing) Reason {
	if l.stated&statesPrice == 0 {
		return PriceUnknown
	}
	for i := range f.maxPrice {
		if l.prices[i] > f.maxPrice[i] {
			return PriceTooHigh
		}
	}
	return 0
}

// promises reports whether the listing's SLA is at least what is asked for.
func (f *filter) promises(l *listing) bool {
	s := f.sla
	return (s.MaxTTFTMillis == 0 || l.ttftMillis > 0 && int(l.ttftMillis) <= s.MaxTTFTMillis) &&
		l.tokensPerSecond >= float32(s.MinTokensPerSecond) && l.uptime >= float32(s.Uptime) &&
		int(l.concurrency) >= s.MaxConcurrency
}

// exclude says which need a listing is known not to meet.
func (n *needs) exclude(l *listing, ix *Index) Reason {
	if n.output > 0 && l.maxOutput > 0 && n.output > l.maxOutput {
		return OutputTooShort
	}
	if l.maxCtx > 0 && n.context > l.maxCtx {
		return ContextTooSmall
	}
	if (l.stated&statesFeatures != 0 || n.mustList) && n.features&^l.features != 0 {
		return n.absent(LacksFeature)
	}
	if (l.stated&statesModalities != 0 || n.mustList) && n.modalities&^l.modalities != 0 {
		return n.absent(LacksModality)
	}
	if len(n.otherFeatures)+len(n.otherModalities) == 0 && !n.mustList {
		return 0
	}
	return n.excludeListed(l, ix.model(l))
}

// absent is the reason when something is not listed: with parameters required it does not matter what that means.
func (n *needs) absent(r Reason) Reason {
	if n.mustList {
		return NotListed
	}
	return r
}

// excludeListed checks what has no bit.
func (n *needs) excludeListed(l *listing, m *service.Model) Reason {
	missing := func(listed []string) func(string) bool {
		return func(name string) bool { return !slices.Contains(listed, name) }
	}
	switch {
	case (l.stated&statesFeatures != 0 || n.mustList) && slices.ContainsFunc(n.otherFeatures, missing(m.Features)):
		return n.absent(LacksFeature)
	case (l.stated&statesModalities != 0 || n.mustList) && slices.ContainsFunc(n.otherModalities, missing(m.Modalities)):
		return n.absent(LacksModality)
	case n.mustList && slices.ContainsFunc(n.parameters, missing(m.Features)):
		return NotListed
	case n.mustList && n.context > knownContext && l.maxCtx == 0:
		return NotListed
	}
	return 0
}

// unsure reports whether the listing does not say whether it meets a need.
func (n *needs) unsure(l *listing) bool {
	switch {
	case n.context > knownContext && l.maxCtx == 0:
		return true
	case l.stated&statesFeatures == 0 && (n.features&^l.features != 0 || len(n.otherFeatures) > 0):
		return true
	}
	return l.stated&statesModalities == 0 && (n.modalities&^l.modalities != 0 || len(n.otherModalities) > 0)
}

// place is where the order names the listing's exit, or its length.
func (f *filter) place(l *listing) int {
	for i := range f.order {
		if f.order[i].has(l) {
			return i
		}
	}
	return len(f.order)
}

func allow(masks []uint32, bit uint32) bool {
	for _, m := range masks {
		if m&bit == 0 {
			return false
		}
	}
	return true
}

func memberOfAll(lists [][]int32, n int32) bool {
	for _, list := range lists {
		if !slices.Contains(list, n) {
			return false
		}
	}
	return true
}

func protocolMask(protocols []service.Protocol) (m uint32) {
	for _, p := range protocols {
		if i := slices.Index(service.Protocols(), p); i >= 0 {
			m |= 1 << i
		}
	}
	return m
}

func tierMask(tiers []service.Tier) (m uint32) {
	for _, t := range tiers {
		if i := slices.Index(service.Tiers(), t); i >= 0 {
			m |= 1 << i
		}
	}
	return m
}
