// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// Status is how a client is.
type Status struct {
	// Relays are the configured relays, in their order.
	Relays []RelayReport `json:"relays"`
	// Exits is how many exits are known and verified.
	Exits int `json:"exits"`
	// Answered is how many requests were answered since the client began to run, through whatever tier.
	Answered int64 `json:"answered"`
	// Currency is that of budgets.
	Currency string `json:"currency"`
	// Tiers are the steps of fall-back, in their order; none are configured when it is empty.
	Tiers []TierReport `json:"tiers,omitempty"`
	// Breakers are the circuit breakers that are not closed.
	Breakers []Breaker `json:"breakers"`
	// Conversations is how many conversations stay with an exit.
	Conversations int `json:"conversations"`
}

// RelayReport is how one relay does.
type RelayReport struct {
	// Relay is its host and port.
	Relay string `json:"relay"`
	// Operator is who runs it, as the user says, else as it says itself.
	Operator string `json:"operator,omitempty"`
	// RTTMillis is the median of the last round trips between client and relay; 0 when none has been measured.
	RTTMillis float64 `json:"rtt_ms,omitempty"`
	// State is that of its circuit breaker: while it is open other relays are used. Until is when that ends.
	State route.State `json:"state"`
	Until time.Time   `json:"until,omitzero"`
	// Exits is how many of its exits verified, Dropped how many did not.
	Exits   int `json:"exits"`
	Dropped int `json:"dropped,omitempty"`
	// Tunnels is how many tunnels to exits it says it has, and TunnelRTTMillis the median over these exits of the round
	// trip between relay and exit that it says it measured; 0 when it does not say.
	Tunnels         int     `json:"tunnels,omitempty"`
	TunnelRTTMillis float64 `json:"tunnel_rtt_ms,omitempty"`
	// Fetched is when it last answered; zero when it never did.
	Fetched time.Time `json:"fetched,omitzero"`
	// Problem says why the last look at its directory failed; empty when it did not.
	Problem string `json:"problem,omitempty"`
}

// TierReport is how one step of fall-back is.
type TierReport struct {
	Name string `json:"name"`
	// Spent is what the present period cost so far, and Budget what it may, if there is one.
	Spent  float64      `json:"spent,omitempty"`
	Budget float64      `json:"budget,omitempty"`
	Period route.Period `json:"period,omitempty"`
	// OverBudget says that the tier is passed over because the budget is spent.
	OverBudget bool `json:"over_budget,omitempty"`
	// State is open while the tier rests because its exits failed one after the other, and Until when it is tried again.
	State route.State `json:"state"`
	Until time.Time   `json:"until,omitzero"`
	// Answered is how many requests it answered since the client began to run, and Last when it did last.
	Answered int64     `json:"answered"`
	Last     time.Time `json:"last,omitzero"`
}

// Breaker is a circuit breaker that rests a model at an exit, or has it tried by one request.
type Breaker struct {
	Exit     service.Hash     `json:"pub_key_hash,omitempty"` // empty when the exit has left the directory
	Identity service.Identity `json:"identity"`
	Operator string           `json:"operator,omitempty"`
	Model    string           `json:"model"`
	Protocol service.Protocol `json:"protocol"`
	State    route.State      `json:"state"`
	Until    time.Time        `json:"until,omitzero"`
}

// Measurement is what the client has learned of one model at one exit. Counts have faded: a request of one half-life ago
// counts half.
type Measurement struct {
	Breaker
	Score   float64 `json:"score"`
	Factors Factors `json:"factors"`
	// Succeeded, Failed, Kept and Broken count requests and promises.
	Succeeded float64 `json:"succeeded"`
	Failed    float64 `json:"failed"`
	Kept      float64 `json:"kept"`
	Broken    float64 `json:"broken"`
	// TTFTMillis and TTFT90Millis are the median and the 90th percentile of the time to the first token.
	TTFTMillis   float64 `json:"ttft_ms,omitempty"`
	TTFT90Millis float64 `json:"ttft_p90_ms,omitempty"`
	// TokensPerSecond is the median rate.
	TokensPerSecond float64 `json:"tokens_per_s,omitempty"`
}

// Errors of [Inspector.Forget].
var (
	ErrNotKnown  = errors.New("no exit of this name is known")
	ErrAmbiguous = errors.New("several exits have this name; give more of the identity or the hash")
)

// Status says how relays, tiers and circuit breakers are.
func (i *Inspector) Status() Status {
	exits := i.directory.list(time.Now())
	s := Status{
		Relays: []RelayReport{}, Breakers: []Breaker{}, Exits: len(exits), Answered: i.answers.total(),
		Currency: i.currency(), Tiers: i.tiers(), Conversations: i.router.chooser.Conversations(),
	}
	for n, path := range i.paths.status() {
		report := newRelayReport(i.directory.pollers[n].status(), exits)
		report.Operator, report.State, report.Until = path.Operator, path.State, path.Until
		report.RTTMillis = float64(path.RoundTrip) / float64(time.Millisecond)
		s.Relays = append(s.Relays, report)
	}
	for _, m := range i.Stats() {
		if m.State != route.Closed {
			s.Breakers = append(s.Breakers, m.Breaker)
		}
	}
	return s
}

func newRelayReport(status RelayStatus, exits []Exit) RelayReport {
	r := RelayReport{Relay: status.Relay.Host, Exits: status.Exits, Dropped: status.Dropped, Fetched: status.Fetched}
	if status.Err != nil {
		r.Problem = status.Err.Error()
	}
	var trips []float64
	for _, e := range exits {
		n := slices.IndexFunc(e.Paths, func(p Path) bool { return p.Relay == status.Relay })
		if n < 0 {
			continue
		}
		r.Tunnels += e.Paths[n].Observed.Tunnels
		if ms := e.Paths[n].Observed.RTTMillis; ms > 0 {
			trips = append(trips, ms)
		}
	}
	if len(trips) > 0 {
		slices.Sort(trips)
		r.TunnelRTTMillis = trips[len(trips)/2]
	}
	return r
}

// tiers says how the configured tiers are.
func (i *Inspector) tiers() (reports []TierReport) {
	if len(i.cfg.Tiers) == 0 {
		return nil
	}
	for _, t := range i.router.chooser.TierStatus() {
		got := i.answers.of(t.Name)
		r := TierReport{
			Name: t.Name, Spent: t.Spent, Budget: t.Budget, Period: t.Period, OverBudget: t.Budget > 0 && t.Spent >= t.Budget,
			State: t.State, Answered: got.count, Last: got.last,
		}
		if t.State != route.Closed {
			r.Until = t.Until
		}
		reports = append(reports, r)
	}
	return reports
}

// Stats is all that is remembered, sorted by identity and model.
func (i *Inspector) Stats() []Measurement {
	exits := i.directory.list(time.Now())
	all := []Measurement{}
	for _, k := range i.router.chooser.Known("") {
		all = append(all, newMeasurement(k, exits))
	}
	return all
}

func newMeasurement(k route.Known, exits []Exit) Measurement {
	m := Measurement{
		Breaker: Breaker{Identity: k.Exit, Model: k.Model, Protocol: k.Protocol, State: k.State, Until: k.Until},
		Score:   k.Score, Factors: Factors(k.Factors), Succeeded: k.Succeeded, Failed: k.Failed, Kept: k.Kept, Broken: k.Broken,
		TTFTMillis:      float64(k.TTFT) / float64(time.Millisecond),
		TTFT90Millis:    float64(k.TTFT90) / float64(time.Millisecond),
		TokensPerSecond: k.TokensPerSecond,
	}
	if e, ok := byIdentity(exits, k.Exit); ok {
		m.Breaker.Exit, m.Operator = e.Hash, e.Info.Operator
	}
	return m
}

// Forget forgets what was learned of the exit that a name means, as [Inspector.Show] takes it, or with an empty name of
// all, also in the state directory. What tiers have spent stays. The error is ErrNotKnown or ErrAmbiguous.
func (i *Inspector) Forget(name string) error {
	var id service.Identity
	if name != "" {
		means := i.remembered(name)
		if len(means) == 0 {
			return fmt.Errorf("forget what was learned: %w", ErrNotKnown)
		}
		if len(means) > 1 {
			return fmt.Errorf("forget what was learned: %w", ErrAmbiguous)
		}
		id = means[0]
	}
	i.router.chooser.Clear(id)
	i.router.save()
	return nil
}

// remembered are the identities that a name means, of exits that are in the directory or were.
func (i *Inspector) remembered(name string) (ids []service.Identity) {
	for _, e := range named(i.directory.list(time.Now()), name) {
		ids = append(ids, e.Info.Identity)
	}
	for _, k := range i.router.chooser.Known("") {
		if begins(string(k.Exit), name) {
			ids = append(ids, k.Exit)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (a *answers) total() (n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, got := range a.byTier {
		n += got.count
	}
	return n
}
