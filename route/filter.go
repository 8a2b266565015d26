// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"slices"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// filter is a request together with all preferences that apply to it, ready to check listings of one index. Each kind of
// check has a flag, so that those that nobody asked for cost next to nothing.
type filter struct {
	ix    *Index
	needs needs

	can, allowed, tiers traits // protocols that can serve, protocols and tiers that may: one of each is wanted

	checks bool // there is more to check than can and needs
	asks   bool // there is something that may demote

	names           bool // some of the next four are set
	only, operators []exitSet
	ignore          exitSet
	noFallbacks     bool

	order []exitSet
	fixed []exitSet // the orders that allow no fallbacks, each as one set: a later order cannot add to them

	lists                  bool // some of the next two are set
	regions, quantizations [][]int32

	bounded  bool
	maxPrice rates
	sla      *service.SLA

	sort           Sort
	preference     [8]uint32 // of each protocol; lower is better
	preferred      bool      // some of the next two are set
	latency, speed [4]float64
}

// needs are the capabilities that a request asks for.
type needs struct {
	traits                         traits
	wishes                         traits   // what is missing of them demotes only
	least                          int32    // of context, in tokens: the input and a little room for an answer
	context, output                int32    // for the longest answer that is allowed, which only demotes
	otherFeatures, otherModalities []string // those that have no bit
	parameters                     []string
	mustList                       bool // what is not listed is not there
	special                        bool // some of the last four are set
}

// knownContext is what every model can read, in tokens: up to here it does not matter that a model does not state its
// context window.
const knownContext = 8192

// answerRoom is how many tokens a context window must leave for an answer, unless the request allows fewer. That it must
// leave as many as the request allows would be too much to ask: tools allow more than any answer needs.
const answerRoom = 256

// newFilter joins preferences, the later ones the more particular; nils are skipped.
func newFilter(ix *Index, r *Request, all ...*Preferences) *filter {
	f := &filter{
		ix: ix, needs: newNeeds(r), can: traitsOf(firstProtocol, protocols, r.Protocols), allowed: ^traits(0), tiers: ^traits(0),
		maxPrice: rates{maxPrice, maxPrice, maxPrice, maxPrice},
	}
	for _, p := range all {
		if p != nil {
			f.restrict(p)
			f.bound(p)
			f.arrange(p)
		}
	}
	if f.needs.mustList {
		f.needs.traits |= f.needs.wishes
	}
	f.needs.special = f.needs.mustList || len(f.needs.otherFeatures)+len(f.needs.otherModalities) > 0
	f.names = f.names || f.noFallbacks && len(f.order) > 0
	f.checks = f.names || f.lists || f.bounded || f.sla != nil || f.needs.special || f.allowed&f.tiers != ^traits(0)
	f.asks = f.needs.special || f.needs.traits|f.needs.wishes != 0 || f.needs.least > knownContext || f.preferred || len(f.order) > 0
	return f
}

func newNeeds(r *Request) needs {
	n := needs{output: clamp(r.MaxOutput), parameters: r.parameters()}
	n.least = sum(clamp(r.InputTokens), min(n.output, answerRoom))
	n.context = sum(clamp(r.InputTokens), n.output)
	n.traits = traitsOf(firstFeature, featureNames, r.Features) | traitsOf(firstModality, modalityNames, r.Modalities)
	n.wishes = traitsOf(firstFeature, featureNames, r.Wishes)
	n.otherFeatures = without(r.Features, featureNames)
	n.otherModalities = without(r.Modalities, modalityNames)
	return n
}

// without are the values that are not in the vocabulary.
func without(values, vocabulary []string) (others []string) {
	for _, v := range values {
		if !slices.Contains(vocabulary, v) {
			others = append(others, v)
		}
	}
	return others
}

// restrict adds what must be so.
func (f *filter) restrict(p *Preferences) {
	f.names = f.names || len(p.Only)+len(p.Operators)+len(p.Ignore) > 0
	f.lists = f.lists || len(p.Regions)+len(p.Quantizations) > 0
	if len(p.Only) > 0 {
		f.only = append(f.only, f.ix.named(p.Only))
	}
	if len(p.Operators) > 0 {
		f.operators = append(f.operators, f.ix.operated(p.Operators))
	}
	f.ignore.add(f.ix.named(p.Ignore))
	if len(p.Protocols) > 0 {
		f.allowed &= traitsOf(firstProtocol, protocols, p.Protocols)
	}
	if len(p.Tiers) > 0 {
		f.tiers &= traitsOf(firstTier, tiers, p.Tiers)
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
	if p.AllowFallbacks != nil && !*p.AllowFallbacks {
		f.noFallbacks = true
		if len(p.Order) > 0 {
			f.fixed = append(f.fixed, f.ix.named(p.Order))
		}
	}
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
	if len(p.ProtocolPreference) > 0 {
		for i := range f.preference {
			f.preference[i] = uint32(len(p.ProtocolPreference))
		}
		for place, proto := range slices.Backward(p.ProtocolPreference) {
			f.preference[slices.Index(protocols, proto)] = uint32(place)
		}
	}
	if p.PreferredMaxLatency != nil {
		f.latency = p.PreferredMaxLatency.bounds()
		f.preferred = true
	}
	if p.PreferredMinThroughput != nil {
		f.speed = p.PreferredMinThroughput.bounds()
		f.preferred = true
	}
}

// exclude says why a listing cannot be chosen, or nothing.
func (f *filter) exclude(l *listing) Reason {
	switch {
	case l.traits&f.can == 0:
		return ProtocolCannot
	case l.traits&f.allowed == 0:
		return ProtocolRuledOut
	case l.traits&f.tiers == 0:
		return TierRuledOut
	}
	if f.names {
		if r := f.excludeExit(l); r != 0 {
			return r
		}
	}
	if f.lists {
		if !memberOfAll(f.regions, f.ix.facts[l.exit].region) {
			return RegionRuledOut
		}
		if !memberOfAll(f.quantizations, l.quantization) {
			return QuantizationRuledOut
		}
	}
	if f.bounded {
		if r := f.excludePrice(l); r != 0 {
			return r
		}
	}
	if f.sla != nil && !f.promises(l) {
		return SLATooWeak
	}
	if n := &f.needs; n.special || n.traits&^l.traits != 0 || n.least > l.context {
		return n.exclude(l, f.ix)
	}
	return 0
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
	for i := range f.fixed {
		if !f.fixed[i].has(l) {
			return NotInOrder
		}
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
	want, given := f.sla, &f.ix.facts[l.exit].sla
	return (want.MaxTTFTMillis == 0 || given.MaxTTFTMillis > 0 && given.MaxTTFTMillis <= want.MaxTTFTMillis) &&
		given.MinTokensPerSecond >= want.MinTokensPerSecond && given.Uptime >= want.Uptime &&
		given.MaxConcurrency >= want.MaxConcurrency
}

// exclude says which need a listing is known not to meet.
func (n *needs) exclude(l *listing, ix *Index) Reason {
	missing := n.traits &^ l.traits
	switch {
	case n.least > l.context:
		return ContextTooSmall
	case missing&allFeatures != 0 && n.mustList, missing&allFeatures&^l.untold() != 0 && l.stated&statesFeatures != 0:
		return n.absent(LacksFeature)
	case missing&allModalities != 0 && (n.mustList || l.stated&statesModalities != 0):
		return n.absent(LacksModality)
	case n.special:
		return n.excludeListed(l, ix.model(l))
	}
	return 0
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
	case n.mustList && n.least > knownContext && l.stated&statesContext == 0:
		return NotListed
	}
	return 0
}

// unsure reports whether a listing that is not excluded does not say that it meets all needs and wishes.
func (n *needs) unsure(l *listing) bool {
	return (n.traits|n.wishes)&^l.traits != 0 || n.least > knownContext && l.stated&statesContext == 0 ||
		n.special && (len(n.otherFeatures) > 0 && l.stated&statesFeatures == 0 ||
			len(n.otherModalities) > 0 && l.stated&statesModalities == 0)
}

// curbs reports whether a listing is known to end an answer before the longest that is allowed, or leaves that open with
// its context window.
func (n *needs) curbs(l *listing) bool {
	return n.output > l.output || n.context > l.context || n.context > knownContext && l.stated&statesContext == 0
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

func memberOfAll(lists [][]int32, n int32) bool {
	for _, list := range lists {
		if !slices.Contains(list, n) {
			return false
		}
	}
	return true
}
