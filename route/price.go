// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/tokengo/tokengo/service"
)

// Money says how prices in different currencies compare. The zero value knows US dollars only.
type Money struct {
	// Currency is what prices are compared in, and what MaxPrice and Budget are in. Default: USD.
	Currency string
	// Rates are what one unit of another currency is worth in Currency. A price in a currency without a rate counts as
	// unknown.
	Rates map[string]float64
}

const defaultCurrency = "USD"

func (m Money) validate() error {
	for currency, rate := range m.Rates {
		if !(rate > 0 && rate < 1e12) {
			return fmt.Errorf("rate of %s: want a number above 0 and below 1e12", service.Printable(currency, 10))
		}
	}
	return nil
}

// rate is what one unit of a currency is worth, 0 when that is not known.
func (m Money) rate(currency string) float64 {
	base := m.Currency
	if base == "" {
		base = defaultCurrency
	}
	if currency == base {
		return 1
	}
	return m.Rates[currency]
}

// rates are the prices of a million tokens read, a million written, a request, and an image.
type rates [4]float32

// rates reads a model's prices; false when it states none that can be compared. Input that was read before is input: who
// asks more for it than for what is new asks that for all, since no request can tell which it will be billed as.
func (m Money) rates(p *service.Pricing) (rates, bool) {
	if p == nil {
		return rates{}, false
	}
	rate := m.rate(p.Currency)
	if rate == 0 {
		return rates{}, false
	}
	var r rates
	for i, d := range [4]service.Decimal{p.InputPer1M, p.OutputPer1M, p.PerRequest, p.PerImage} {
		r[i] = float32(amount(d) * rate)
	}
	r[0] = max(r[0], float32(amount(p.CachedInputPer1M)*rate))
	return r, true
}

// amount is a decimal as a number. Fifteen digits are exact, which is enough to compare prices and to add up what a
// month costs; nothing is paid by it. What is empty or malformed is 0.
func amount(d service.Decimal) float64 {
	if len(d) > 15 {
		return longAmount(d)
	}
	digits, unit := 0.0, 0.0 // unit is 1 at the point, and ten times as much behind each digit that follows
	for i := range len(d) {
		switch c := d[i]; {
		case c >= '0' && c <= '9':
			digits, unit = 10*digits+float64(c-'0'), 10*unit
		case c == '.' && unit == 0:
			unit = 1
		default:
			return longAmount(d)
		}
	}
	return digits / max(unit, 1) // both are exact, so this is the nearest number
}

// longAmount is amount for what has many digits, or should not be there.
func longAmount(d service.Decimal) float64 {
	n, err := strconv.ParseFloat(string(d), 64)
	if err != nil {
		return 0
	}
	return n
}

const perMillion = 1e-6

// of is the price of a request of a size, which is given as factors of the rates.
func (r *rates) of(factors *rates) float32 {
	return r[0]*factors[0] + r[1]*factors[1] + r[2]*factors[2] + r[3]*factors[3]
}

// scale is what the prices of a model's listings are compared with. Each component stands for itself, so that the scale
// of a request of any size costs nothing to find. Each owner counts once, so that none moves it by listing a model often.
type scale struct {
	usual rates // the median of those that cost something
	dear  rates // what one that states no price is taken to cost: the 90th percentile of those that cost something
}

// scaler finds scales. Its memory serves one after the other.
type scaler struct {
	costs [len(rates{})][]float32 // of each component, those that are not 0
}

// of is the scale of the rows of listings, which are sorted by owner.
func (c *scaler) of(listings []listing, rows []int32) (s scale) {
	for component := range c.costs {
		c.costs[component] = c.costs[component][:0]
	}
	for start := 0; start < len(rows); {
		var lowest rates
		lowest, start = lowestOfOwner(listings, rows, start)
		for component, cost := range lowest {
			if cost > 0 {
				c.costs[component] = append(c.costs[component], cost)
			}
		}
	}
	for component, costs := range c.costs {
		if n := len(costs); n > 0 {
			s.dear[component] = nth(costs, n*9/10)
			s.usual[component] = nth(costs[:n*9/10+1], n/2)
		}
	}
	return s
}

// lowestOfOwner is the least that the owner of the row at start asks, of what costs something, and where the next owner's
// rows begin.
func lowestOfOwner(listings []listing, rows []int32, start int) (lowest rates, next int) {
	first := &listings[rows[start]]
	lowest = first.prices
	for next = start + 1; next < len(rows) && listings[rows[next]].owner == first.owner; next++ {
		for component, cost := range listings[rows[next]].prices {
			if cost > 0 && (lowest[component] == 0 || cost < lowest[component]) {
				lowest[component] = cost
			}
		}
	}
	return lowest, next
}

// nth returns what would be at place n if costs were sorted, with what is less before it and what is more behind it. It
// looks at each a few times, whatever exits ask for: who is compared with is drawn.
func nth(costs []float32, n int) float32 {
	const few = 12
	low, high := 0, len(costs)
	for high-low > few {
		pivot := costs[low+rand.IntN(high-low)]
		i, j := low, high-1
		for i <= j {
			for costs[i] < pivot {
				i++
			}
			for costs[j] > pivot {
				j--
			}
			if i <= j {
				costs[i], costs[j] = costs[j], costs[i]
				i, j = i+1, j-1
			}
		}
		switch { // up to j at most the pivot, from i on at least
		case n <= j:
			high = j + 1
		case n >= i:
			low = i
		default:
			return costs[n]
		}
	}
	slices.Sort(costs[low:high])
	return costs[n]
}

// floorShare is the part of the usual price below which cheaper is no better: it bounds what a price of nothing, which
// may be a lie, can gain, at a hundred times the chance of the usual price.
const floorShare = 0.1

// pricing is the scale for one size of request.
type pricing struct {
	factors            rates
	usual, floor, dear float32
}

func (s *scale) pricing(of size) pricing {
	p := pricing{factors: rates{float32(of.input * perMillion), float32(of.output * perMillion), 1, float32(of.images)}}
	p.usual, p.dear = s.usual.of(&p.factors), s.dear.of(&p.factors)
	if p.usual == 0 { // nobody asks for anything: who does not say is taken to ask for a hundredth part of the chance
		p.usual, p.dear = 1, 1
	}
	p.floor = p.usual * floorShare
	return p
}

// advantage is the chance that a price gives, as a factor: 1 at the usual price, falling with its square.
func (p *pricing) advantage(price float32) float32 {
	if price < p.floor {
		price = p.floor
	}
	ratio := p.usual / price
	return ratio * ratio
}

// Usage is what a backend says that it has billed.
type Usage struct {
	InputTokens  int // all that were read, CachedTokens among them
	CachedTokens int // those that came from a cache
	OutputTokens int
	Images       int
}

// Cost is what a request cost by the prices that the model's description states, in m.Currency. It is an error when it
// states none, or in a currency that has no rate.
func (m Money) Cost(p *service.Pricing, u Usage) (float64, error) {
	if p == nil {
		return 0, errors.New("the model states no price")
	}
	rate := m.rate(p.Currency)
	if rate == 0 {
		return 0, errors.New("the model's currency has no rate")
	}
	cached := p.CachedInputPer1M
	if cached == "" {
		cached = p.InputPer1M
	}
	fresh := max(u.InputTokens-u.CachedTokens, 0)
	tokens := float64(fresh)*amount(p.InputPer1M) + float64(u.CachedTokens)*amount(cached) + float64(u.OutputTokens)*amount(p.OutputPer1M)
	return rate * (tokens*perMillion + amount(p.PerRequest) + float64(u.Images)*amount(p.PerImage)), nil
}
