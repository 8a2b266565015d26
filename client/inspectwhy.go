// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// Why explains a choice.
type Why struct {
	// Protocol is what the tool speaks.
	Protocol service.Protocol `json:"protocol"`
	// Models are those that are tried, in their order.
	Models []string `json:"models"`
	// Unknown are those of them that no exit offers.
	Unknown []UnknownModel `json:"unknown,omitempty"`
	// Currency is that of prices.
	Currency string `json:"currency"`
	// Tiers say how the steps of fall-back are; none are configured when it is empty.
	Tiers []TierReport `json:"tiers,omitempty"`
	Verdicts
}

// Verdicts are what was thought of models at exits.
type Verdicts struct {
	// Candidates are listed for each model and tier, the likeliest to be tried first at the front.
	Candidates []Verdict `json:"candidates"`
	// More is how many candidates there are beyond the limit.
	More int `json:"more,omitempty"`
	// Excluded counts what cannot be chosen, for each model and tier what excludes most at the front. Where Find finds
	// nothing, also what it does not look at, by its name or its context window.
	Excluded []Exclusion `json:"excluded,omitempty"`
}

// UnknownModel is a model that no exit offers under any name.
type UnknownModel struct {
	Model string `json:"model"`
	// Nearest are names that are offered and look like it.
	Nearest []string `json:"nearest,omitempty"`
}

// Exclusion counts candidates that one reason excludes.
type Exclusion struct {
	Model  string `json:"model,omitempty"` // as it was asked for
	Tier   string `json:"tier,omitempty"`  // the step of fall-back
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// Verdict is what is thought of one model at one exit.
type Verdict struct {
	// Exit is the hash of the exit's keys, Identity what names it for as long as it exists.
	Exit     service.Hash     `json:"pub_key_hash"`
	Identity service.Identity `json:"identity"`
	// Operator, Region and ServiceTier are what the exit says of itself.
	Operator    string       `json:"operator"`
	Region      string       `json:"region,omitempty"`
	ServiceTier service.Tier `json:"service_tier"`
	// Model is the id by which it is asked for, Asked which of the query's names led to it.
	Model    string           `json:"model"`
	Protocol service.Protocol `json:"protocol"`
	Asked    string           `json:"asked,omitempty"`
	// Tier is the step of fall-back in which it was found.
	Tier string `json:"tier,omitempty"`
	// Excluded says why it cannot be chosen; empty when it can. Demoted says why it comes after others.
	Excluded string   `json:"excluded,omitempty"`
	Demoted  []string `json:"demoted,omitempty"`
	// Score is made of Factors, each from 0 to 1.
	Score   float64 `json:"score"`
	Factors Factors `json:"factors"`
	// Price is what the request would cost; nil when the exit does not say.
	Price *float64 `json:"price,omitempty"`
	// Chance is the probability that it is tried first.
	Chance float64 `json:"chance"`
	// State is that of its circuit breaker, and Until when that lets a request through again.
	State route.State `json:"state"`
	Until time.Time   `json:"until,omitzero"`
	// Relays are those through which the exit may be reached.
	Relays []string `json:"relays"`
	// Offer is the exit's description of the model, where that was looked for.
	Offer *service.Model `json:"offer,omitempty"`
}

// Factors are those of [route.Factors].
type Factors struct {
	Availability float64 `json:"availability"`
	Latency      float64 `json:"latency"`
	Throughput   float64 `json:"throughput"`
	Promises     float64 `json:"promises"`
}

// maxNearest is how many names are suggested for one that nobody offers.
const maxNearest = 5

// Why says what would be thought of every candidate for a request now. The query needs a model, unless Config.Models
// names some. The error is an [ErrQuery].
func (i *Inspector) Why(q Query) (*Why, error) {
	if err := q.validate(); err != nil {
		return nil, err
	}
	if len(q.Models) == 0 && len(i.cfg.Models) == 0 {
		return nil, fmt.Errorf("%w: name a model", ErrQuery)
	}
	if slices.ContainsFunc(q.Models, isAuto) {
		return nil, fmt.Errorf("%w: %s", ErrQuery, autoMessage)
	}
	i.router.update(time.Now())
	w := &Why{Protocol: q.Protocol, Currency: i.currency(), Tiers: i.tiers()}
	if w.Protocol == "" {
		w.Protocol = i.usualProtocol(append(slices.Clone(q.Models), i.cfg.Models...)[0])
	}
	w.Models = i.cfg.wanted(w.Protocol, q.Models)
	op := q.operation(w.Protocol)
	all := i.router.chooser.Explain(q.request(op.Reaches(), w.Models))
	for _, name := range w.Models {
		if !slices.ContainsFunc(all, func(v route.Verdict) bool { return v.Asked == name }) {
			w.Unknown = append(w.Unknown, unknownModel(i.router.chooser.Offer(), op.Reaches(), name))
		}
	}
	w.Verdicts = verdicts(all, &q)
	return w, nil
}

// usualProtocol is the one by which most exits that may be used serve what a name means.
func (i *Inspector) usualProtocol(name string) service.Protocol {
	count := map[service.Protocol]int{}
	for _, m := range i.router.chooser.Offered(service.Protocols(), name) {
		count[m.Protocol]++
	}
	return slices.MaxFunc(service.Protocols(), func(a, b service.Protocol) int { return cmp.Compare(count[a], count[b]) })
}

func unknownModel(offer route.Offer, protocols []service.Protocol, name string) UnknownModel {
	base, _ := route.SplitSuffix(name)
	nearest, _ := offer.Of(protocols).Nearest(protocols[0], base, maxNearest)
	return UnknownModel{Model: name, Nearest: nearest}
}

func (i *Inspector) currency() string { return cmp.Or(i.cfg.Money.Currency, "USD") }

// verdicts reports those that the query wants to see, and counts what is excluded.
func verdicts(all []route.Verdict, q *Query) (r Verdicts) {
	r.Candidates = []Verdict{}
	for n := range all {
		v := &all[n]
		if v.Excluded != 0 {
			r.exclude(v.Asked, v.Tier, v.Excluded.String())
			if !q.Excluded {
				continue
			}
		}
		if r.hasRoom(q) {
			r.Candidates = append(r.Candidates, newVerdict(v))
		}
	}
	r.sortExcluded()
	return r
}

// sortExcluded puts what excludes most to the front, of each stage, which stay in their order.
func (r *Verdicts) sortExcluded() {
	stage := func(e Exclusion) [2]string { return [2]string{e.Model, e.Tier} }
	place := map[[2]string]int{}
	for n, e := range slices.Backward(r.Excluded) {
		place[stage(e)] = n
	}
	slices.SortStableFunc(r.Excluded, func(a, b Exclusion) int {
		return cmp.Or(cmp.Compare(place[stage(a)], place[stage(b)]), cmp.Compare(b.Count, a.Count))
	})
}

// hasRoom reports whether one more may be listed, and counts it if not.
func (r *Verdicts) hasRoom(q *Query) bool {
	if len(r.Candidates) < q.limit() {
		return true
	}
	r.More++
	return false
}

func (r *Verdicts) exclude(model, tier, reason string) {
	for n := range r.Excluded {
		if e := &r.Excluded[n]; e.Model == model && e.Tier == tier && e.Reason == reason {
			e.Count++
			return
		}
	}
	r.Excluded = append(r.Excluded, Exclusion{Model: model, Tier: tier, Reason: reason, Count: 1})
}

func newVerdict(v *route.Verdict) Verdict {
	e := v.Exit.(Exit)
	r := Verdict{
		Exit: e.Hash, Identity: e.Info.Identity, Operator: e.Info.Operator, ServiceTier: e.Info.Tier,
		Model: v.Model.ID, Protocol: v.Model.Protocol, Asked: v.Asked, Tier: v.Tier, Score: v.Score, Factors: Factors(v.Factors),
		Chance: v.Chance, State: v.State, Until: v.Until, Relays: relaysOf(e),
	}
	if e.Info.Capacity != nil {
		r.Region = e.Info.Capacity.Region
	}
	if v.Excluded != 0 {
		r.Excluded = v.Excluded.String()
	}
	for _, d := range v.Demoted {
		r.Demoted = append(r.Demoted, d.String())
	}
	if v.Price >= 0 {
		r.Price = &v.Price
	}
	return r
}

func relaysOf(e Exit) []string {
	hosts := []string{}
	for _, p := range e.Paths {
		if allowed(e, p) {
			hosts = append(hosts, p.Relay.Host)
		}
	}
	return hosts
}

// Find lists the models of all exits that fit the query, whatever protocol a tool speaks, under the configured
// preferences and the query's but no tier's. Those that are well and cheap stand at the front, or those that
// Provider.Sort wants. Chances are 0. The error is an [ErrQuery].
func (i *Inspector) Find(q Query) (*Verdicts, error) {
	found, passed, err := i.find(&q)
	if err != nil {
		return nil, err
	}
	var r Verdicts
	r.Candidates = []Verdict{}
	for n := range found {
		v := &found[n]
		if v.Excluded != 0 {
			r.exclude("", "", v.Excluded.String())
			if !q.Excluded {
				continue
			}
		}
		if !r.hasRoom(&q) {
			continue
		}
		one := newVerdict(v)
		one.Offer = v.Model
		r.Candidates = append(r.Candidates, one)
	}
	if len(r.Candidates) == 0 && r.More == 0 {
		r.Excluded = append(r.Excluded, passed...)
	}
	r.sortExcluded()
	return &r, nil
}

// Why Find does not look at a model.
const (
	otherName    = "its names have no part that is looked for"
	smallContext = "it states no context window of the size that is looked for"
)

// find returns what fits the query and what its preferences exclude, and counts what it passed by.
func (i *Inspector) find(q *Query) (found []route.Verdict, passed []Exclusion, err error) {
	if err := q.validate(); err != nil {
		return nil, nil, err
	}
	i.router.update(time.Now())
	found = i.router.chooser.Find(q.request(service.Protocols(), nil))
	if slices.Contains(q.Features, featureEmbedding) {
		excludeOthers(found)
	}
	all := len(found)
	found = slices.DeleteFunc(found, func(v route.Verdict) bool { return !i.cfg.isNamed(v.Model, q.Models) })
	named := len(found)
	found = slices.DeleteFunc(found, func(v route.Verdict) bool { return v.Model.MaxCtx < q.MinContext })
	for _, e := range []Exclusion{{Reason: otherName, Count: all - named}, {Reason: smallContext, Count: named - len(found)}} {
		if e.Count > 0 {
			passed = append(passed, e)
		}
	}
	for n := range found { // any protocol will do
		found[n].Demoted = slices.DeleteFunc(found[n].Demoted, func(r route.Reason) bool { return r == route.Translated })
	}
	if q.Provider != nil {
		i.sort(found, q.Provider.Sort)
	}
	return found, passed, nil
}

// excludeOthers excludes models that list features and not that of embeddings. A request for embeddings may be tried with
// such a model of an Ollama's; who looks for one to make embeddings with does not look for all that chat.
func excludeOthers(found []route.Verdict) {
	for n := range found {
		v := &found[n]
		if v.Excluded == 0 && len(v.Model.Features) > 0 && !slices.Contains(v.Model.Features, featureEmbedding) {
			v.Excluded = route.LacksFeature
		}
	}
	slices.SortStableFunc(found, func(a, b route.Verdict) int { return cmp.Compare(a.Excluded, b.Excluded) })
}

// isNamed reports whether one of the names is a part of the model's, or of another of its family.
func (cfg *Config) isNamed(m *service.Model, names []string) bool {
	if len(names) == 0 {
		return true
	}
	published := append([]string{m.ID}, m.Aliases...)
	return slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc(published, func(p string) bool {
			return strings.Contains(strings.ToLower(p), strings.ToLower(name)) || cfg.sameModel(m.Protocol, p, name)
		})
	})
}

// sort orders by price as stated, or by what was measured and else promised; what does not say comes last.
func (i *Inspector) sort(found []route.Verdict, by route.Sort) {
	if by == "" {
		return
	}
	measured := map[route.Key]route.Known{}
	for _, k := range i.router.chooser.Known("") {
		measured[k.Key] = k
	}
	key := func(v *route.Verdict) float64 {
		known := measured[route.Key{Exit: v.Exit.Service().Identity, Model: v.Model.ID, Protocol: v.Model.Protocol}]
		return sortKey(v, &known, by)
	}
	keys := make(map[*service.Model]float64, len(found))
	for n := range found {
		keys[found[n].Model] = key(&found[n])
	}
	slices.SortStableFunc(found, func(a, b route.Verdict) int {
		return cmp.Or(cmp.Compare(a.Excluded, b.Excluded), cmp.Compare(keys[a.Model], keys[b.Model]))
	})
}

// unmeasured is after every measurement.
const unmeasured = 1e18

func sortKey(v *route.Verdict, known *route.Known, by route.Sort) float64 {
	sla := v.Exit.Service().SLA
	if sla == nil {
		sla = &service.SLA{}
	}
	switch by {
	case route.SortPrice:
		if v.Price >= 0 {
			return v.Price
		}
	case route.SortLatency:
		if ms := cmp.Or(float64(known.TTFT)/float64(time.Millisecond), float64(sla.MaxTTFTMillis)); ms > 0 {
			return ms
		}
	case route.SortThroughput:
		if rate := cmp.Or(known.TokensPerSecond, sla.MinTokensPerSecond); rate > 0 {
			return -rate
		}
	}
	return unmeasured
}
