// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"slices"
	"time"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// ExitSummary is an exit in a list.
type ExitSummary struct {
	Exit      service.Hash       `json:"pub_key_hash"`
	Identity  service.Identity   `json:"identity"`
	Operator  string             `json:"operator"`
	Tier      service.Tier       `json:"tier"`
	Protocols []service.Protocol `json:"protocols"`           // native
	Reachable []service.Protocol `json:"reachable_protocols"` // by translation
	Models    []service.Model    `json:"models"`
	Expires   time.Time          `json:"expires"`
	// Observed is what each relay says of it.
	Observed []RelayObservation `json:"observed"`
}

// RelayObservation is what one relay says that it has seen of an exit. Nobody signs it, and no choice depends on it.
type RelayObservation struct {
	Relay string `json:"relay"`
	// SameOperator says that the exit is not reached through the relay, because one and the same operator runs both.
	SameOperator bool `json:"same_operator,omitempty"`
	service.Observed
}

// ExitReport is all that is known of one exit: what it signed, what relays say, and what the client has measured are
// kept apart.
type ExitReport struct {
	Exit service.Hash `json:"pub_key_hash"`
	// Signed is the exit's own description. Fields that this version does not know are not in it.
	Signed *service.Info `json:"signed"`
	// Reachable are the protocols whose tools can use it by translation.
	Reachable []service.Protocol `json:"reachable_protocols"`
	// Observed is what each relay says.
	Observed []RelayObservation `json:"observed"`
	// Measured is what this client has learned from its own requests.
	Measured []Measurement `json:"measured"`
	// Chances are those of its models, at most 100 of them.
	Chances []ModelChance `json:"chances"`
}

// ModelChance says how likely a model of an exit is tried first by a tool of the model's own protocol that asks for it by
// its id and needs nothing in particular.
type ModelChance struct {
	Model    string           `json:"model"`
	Protocol service.Protocol `json:"protocol"`
	Score    float64          `json:"score"`
	Chance   float64          `json:"chance"` // in all tiers together
	// Excluded says why it cannot be chosen in any tier, and Demoted why it comes after others in the first.
	Excluded string   `json:"excluded,omitempty"`
	Demoted  []string `json:"demoted,omitempty"`
}

const (
	maxShown   = 16  // exits that one name means
	maxChances = 100 // models of an exit, each of which costs a look at all its candidates
)

// Exits lists the exits that have models which fit the query, with those models, sorted by operator and identity. The
// error is an [ErrQuery].
func (i *Inspector) Exits(q Query) ([]ExitSummary, error) {
	found, _, err := i.find(&q)
	if err != nil {
		return nil, err
	}
	fit := map[*service.Model]bool{}
	for n := range found {
		if found[n].Excluded == 0 {
			fit[found[n].Model] = true
		}
	}
	return i.summaries(func(e Exit) (models []service.Model, ok bool) {
		for n := range e.Info.Models {
			if m := &e.Info.Models[n]; fit[m] {
				models = append(models, *m)
			}
		}
		return models, len(models) > 0
	}), nil
}

// AllExits lists every exit with all its models, whatever the preferences are, sorted by operator and identity.
func (i *Inspector) AllExits() []ExitSummary {
	return i.summaries(func(e Exit) ([]service.Model, bool) { return e.Info.Models, true })
}

// summaries lists the exits that models returns some of.
func (i *Inspector) summaries(models func(Exit) ([]service.Model, bool)) []ExitSummary {
	all := []ExitSummary{}
	for _, e := range i.directory.list(time.Now()) {
		shown, ok := models(e)
		if !ok {
			continue
		}
		all = append(all, ExitSummary{
			Exit: e.Hash, Identity: e.Info.Identity, Operator: e.Info.Operator, Tier: e.Info.Tier, Protocols: e.Info.Protocols,
			Reachable: e.Reachable(), Models: shown, Expires: e.Info.Expires, Observed: observed(e),
		})
	}
	slices.SortStableFunc(all, func(a, b ExitSummary) int { return cmp.Compare(a.Operator, b.Operator) })
	return all
}

func observed(e Exit) []RelayObservation {
	seen := make([]RelayObservation, len(e.Paths))
	for n, p := range e.Paths {
		seen[n] = RelayObservation{p.Relay.Host, !allowed(e, p), p.Observed}
	}
	return seen
}

// Show says all that is known of the exits that a name means, at most 16: an operator in any case, an identity or a hash,
// or at least 4 characters that one of these two begins with.
func (i *Inspector) Show(name string) []ExitReport {
	exits := i.router.update(time.Now()).exits
	reports := []ExitReport{}
	for _, e := range named(exits, name) {
		if len(reports) == maxShown {
			break
		}
		r := ExitReport{Exit: e.Hash, Signed: e.Info, Reachable: e.Reachable(), Observed: observed(e), Measured: []Measurement{}}
		for _, k := range i.router.chooser.Known(e.Info.Identity) {
			r.Measured = append(r.Measured, newMeasurement(k, exits))
		}
		for n := range e.Info.Models[:min(len(e.Info.Models), maxChances)] {
			r.Chances = append(r.Chances, i.chance(e, &e.Info.Models[n]))
		}
		reports = append(reports, r)
	}
	return reports
}

// chance asks for a model as a tool of its protocol would.
func (i *Inspector) chance(e Exit, m *service.Model) ModelChance {
	q := Query{Features: slices.DeleteFunc(slices.Clone(m.Features), func(f string) bool { return f != featureEmbedding })}
	c := ModelChance{Model: m.ID, Protocol: m.Protocol}
	first := true
	for _, v := range i.router.chooser.Explain(q.request(q.operation(m.Protocol).Reaches(), []string{m.ID})) {
		if v.Exit.Service().Identity != e.Info.Identity || v.Model.ID != m.ID || v.Model.Protocol != m.Protocol {
			continue
		}
		c.Score = v.Score
		c.Chance += v.Chance
		if v.Excluded != 0 {
			if first {
				c.Excluded = v.Excluded.String()
			}
			first = false
			continue
		}
		if c.Excluded != "" || first {
			c.Excluded, c.Demoted = "", words(v.Demoted)
		}
		first = false
	}
	if first {
		c.Excluded = "no relay that may be used reaches it"
	}
	return c
}

func words(reasons []route.Reason) (texts []string) {
	for _, r := range reasons {
		texts = append(texts, r.String())
	}
	return texts
}
