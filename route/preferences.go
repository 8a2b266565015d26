// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tokengo/tokengo/service"
)

// Preferences say which exits may serve a request and which should. The vocabulary is that of the provider object of
// OpenRouter's API, and more. The zero value allows every exit and prefers none.
//
// Several may apply to one request: the profile's, those of a [Tier], and the request's own. What restricts must be
// allowed by all of them (max_price is the lowest, min_sla the strictest, ignore lists add up, allow_fallbacks is false
// if one says so); of what orders (order, sort, protocol_preference and what is preferred) the last that is given
// counts. So a request can narrow what the profile allows and never widen it.
//
// Order, Only and Ignore name exits: by operator (in any case), by identity, or by the hash of the keys; the last two
// whole or by their first 8 characters or more. An operator's name is the exit's own word, and beginnings can be forged
// with effort: where it matters, write the whole identity.
type Preferences struct {
	// Order lists exits to try first, in this order.
	Order []string `json:"order,omitempty"`
	// AllowFallbacks is whether to go on to another exit when the first, or those of Order, cannot serve. Default: true.
	AllowFallbacks *bool `json:"allow_fallbacks,omitempty"`
	// Only lists the exits that may be used, Ignore those that may not. Empty Only: all.
	Only   []string `json:"only,omitempty"`
	Ignore []string `json:"ignore,omitempty"`
	// RequireParameters excludes exits that do not say that they know every parameter and feature of the request.
	RequireParameters bool `json:"require_parameters,omitempty"`
	// Quantizations lists how weights may be stored ("fp8", "q4_k_m"), in any case; "unknown" allows a model that does
	// not say. Empty: all.
	Quantizations []string `json:"quantizations,omitempty"`
	// MaxPrice excludes models that cost more, and those without prices. Nil: all.
	MaxPrice *MaxPrice `json:"max_price,omitempty"`
	// Sort replaces drawing by score and price: the first by this measure is tried first.
	Sort Sort `json:"sort,omitempty"`
	// PreferredMaxLatency demotes exits whose time to first token is longer, in seconds.
	PreferredMaxLatency *Percentiles `json:"preferred_max_latency,omitempty"`
	// PreferredMinThroughput demotes exits whose answers are slower, in tokens per second.
	PreferredMinThroughput *Percentiles `json:"preferred_min_throughput,omitempty"`

	// Protocols lists the native protocols that may serve. Empty: all.
	Protocols []service.Protocol `json:"protocols,omitempty"`
	// ProtocolPreference orders the choice where several native protocols can serve: earlier is better, and a protocol
	// that is not listed comes after all that are.
	ProtocolPreference []service.Protocol `json:"protocol_preference,omitempty"`
	// Tiers lists the classes of service that may be used. Empty: all.
	Tiers []service.Tier `json:"tiers,omitempty"`
	// MinSLA is what an exit must promise at least: no more than its max_ttft_ms, no less than the rest. Nil: nothing.
	MinSLA *service.SLA `json:"min_sla,omitempty"`
	// Regions and Operators list what an exit must say of itself, in any case. Empty: anything.
	Regions   []string `json:"regions,omitempty"`
	Operators []string `json:"operators,omitempty"`
}

// MaxPrice bounds prices in [Config.Currency]: of a million tokens read (Prompt) and written (Completion), of a request
// whatever its size, and of an image read. A nil one is no bound.
type MaxPrice struct {
	Prompt     *Price `json:"prompt,omitempty"`
	Completion *Price `json:"completion,omitempty"`
	Request    *Price `json:"request,omitempty"`
	Image      *Price `json:"image,omitempty"`
}

// Price is an amount of money, written as a number or a decimal string.
type Price float64

// Percentiles are bounds of a measurement: half of the requests must be within P50, and so on. 0 is no bound. A plain
// number in JSON is P50.
type Percentiles struct {
	P50 float64 `json:"p50,omitempty"`
	P75 float64 `json:"p75,omitempty"`
	P90 float64 `json:"p90,omitempty"`
	P99 float64 `json:"p99,omitempty"`
}

// quantiles are what the fields of Percentiles stand for, in order.
var quantiles = [4]float64{0.50, 0.75, 0.90, 0.99}

func (p *Percentiles) bounds() [4]float64 {
	if p == nil {
		return [4]float64{}
	}
	return [4]float64{p.P50, p.P75, p.P90, p.P99}
}

// Sort is a measure to choose by.
type Sort string

// The measures.
const (
	SortPrice      Sort = "price"      // cheapest for this request first; what has no price last
	SortThroughput Sort = "throughput" // most tokens per second first, as measured, else as promised; the rest last
	SortLatency    Sort = "latency"    // shortest time to first token first, likewise
)

const (
	maxListed    = 64  // entries of one list of preferences
	maxNameBytes = 256 // of one entry, as long as any name in a description
)

// Validate reports the first value that is not allowed, by the name of its key.
func (p *Preferences) Validate() error {
	lists := []struct {
		key    string
		values []string
	}{
		{"order", p.Order},
		{"only", p.Only},
		{"ignore", p.Ignore},
		{"quantizations", p.Quantizations},
		{"regions", p.Regions},
		{"operators", p.Operators},
	}
	for _, l := range lists {
		if err := checkList(l.values); err != nil {
			return fmt.Errorf("%s: %w", l.key, err)
		}
	}
	for _, check := range []func() error{p.checkClosed, p.checkPrices, p.checkPreferred, p.checkSLA} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func checkLength(n int) error {
	if n > maxListed {
		return fmt.Errorf("%d entries, over the limit of %d", n, maxListed)
	}
	return nil
}

func checkList(values []string) error {
	if err := checkLength(len(values)); err != nil {
		return err
	}
	for i, v := range values {
		if v == "" || len(v) > maxNameBytes {
			return fmt.Errorf("entry %d is empty or longer than %d bytes", i+1, maxNameBytes)
		}
	}
	return nil
}

// checkClosed checks what is one of a closed set.
func (p *Preferences) checkClosed() error {
	for key, list := range map[string][]service.Protocol{"protocols": p.Protocols, "protocol_preference": p.ProtocolPreference} {
		if err := checkLength(len(list)); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		for _, proto := range list {
			if _, err := service.ParseProtocol(string(proto)); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	if err := checkLength(len(p.Tiers)); err != nil {
		return fmt.Errorf("tiers: %w", err)
	}
	for _, tier := range p.Tiers {
		if _, err := service.ParseTier(string(tier)); err != nil {
			return fmt.Errorf("tiers: %w", err)
		}
	}
	if !slices.Contains([]Sort{"", SortPrice, SortThroughput, SortLatency}, p.Sort) {
		return fmt.Errorf("sort: want one of %s, %s, %s", SortPrice, SortThroughput, SortLatency)
	}
	return nil
}

func (p *Preferences) checkPrices() error {
	for i, price := range p.MaxPrice.bounds() {
		if price != nil && !(*price >= 0 && *price < maxPrice) {
			return fmt.Errorf("max_price: %s: want an amount from 0 to below %g", priceNames[i], float64(maxPrice))
		}
	}
	return nil
}

// maxPrice is what no amount of a description reaches; see [service.Decimal].
const maxPrice = 1e9

var priceNames = [4]string{"prompt", "completion", "request", "image"}

func (m *MaxPrice) bounds() [4]*Price {
	if m == nil {
		return [4]*Price{}
	}
	return [4]*Price{m.Prompt, m.Completion, m.Request, m.Image}
}

func (p *Preferences) checkPreferred() error {
	for key, bounds := range map[string]*Percentiles{
		"preferred_max_latency": p.PreferredMaxLatency, "preferred_min_throughput": p.PreferredMinThroughput,
	} {
		for _, b := range bounds.bounds() {
			if !(b >= 0 && b < 1e9) {
				return fmt.Errorf("%s: want numbers from 0 to below 1e9", key)
			}
		}
	}
	return nil
}

func (p *Preferences) checkSLA() error {
	s := p.MinSLA
	if s == nil {
		return nil
	}
	if s.MaxTTFTMillis < 0 || s.MaxConcurrency < 0 || !(s.MinTokensPerSecond >= 0) || !(s.Uptime >= 0 && s.Uptime <= 1) {
		return errors.New("min_sla: want no negative numbers, and an uptime from 0 to 1")
	}
	return nil
}
