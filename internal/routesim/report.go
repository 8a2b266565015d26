// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// results are those of all scenarios.
type results struct {
	trust    *trustResult
	recovery *recoveryResult
	prices   *priceResult
	herd     *herdResult
}

func runAll() (*results, error) {
	var r results
	var err error
	if r.trust, err = runTrust(); err != nil {
		return nil, err
	}
	if r.recovery, err = runRecovery(); err != nil {
		return nil, err
	}
	if r.prices, err = runPrices(); err != nil {
		return nil, err
	}
	r.herd, err = runHerd()
	return &r, err
}

// table is the figures in Markdown.
func (r *results) table() string {
	rows := []struct {
		what, value string
	}{
		{"attempts at exits that lie or fail, a client's first 20 requests", percent(r.trust.early)},
		{"the same, requests 101 to 200", percent(r.trust.bad)},
		{"requests that some exit answered, all 400 of each client", percent(r.trust.succeeded)},
		{"attempts at ten exits of fifty, before they fail", percent(r.recovery.before)},
		{"the same, while they fail, after five minutes", percent(r.recovery.during)},
		{"the same, from half an hour after they recovered", percent(r.recovery.after)},
		{"requests at the cheapest quarter of equally good exits", percent(r.prices.cheapest)},
		{"requests at the dearest quarter", percent(r.prices.dearest)},
		{"a thousand clients: requests in flight at the busiest exit, over the mean", fmt.Sprintf("%.1f", r.herd.weighted.busiest)},
		{"the same, when all sort by price", fmt.Sprintf("%.1f", r.herd.sorted.busiest)},
		{"a thousand clients: attempts that an exit was too busy for", percent(r.herd.weighted.limited)},
		{"the same, when all sort by price", percent(r.herd.sorted.limited)},
		{"a thousand clients: requests that no exit answered", percent(r.herd.weighted.failed)},
		{"the same, when all sort by price", percent(r.herd.sorted.failed)},
	}
	var b strings.Builder
	b.WriteString("| figure | value |\n|---|---|\n")
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s | %s |\n", row.what, row.value)
	}
	return b.String()
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// plots are the pictures by name.
func (r *results) plots() map[string][]byte {
	herd := []series{
		{"by score and price", r.herd.weighted.unevenness[0].values},
		{"all by lowest price", r.herd.sorted.unevenness[0].values},
	}
	return map[string][]byte{
		"trust": chart{
			title: "Cheap exits that lie or fail are found out", x: axis{"requests of a client", 0, trustStep}, y: axis{"share of attempts, %", 0, 1},
		}.lines(scaled(r.trust.byRequest, 100)),
		"recovery": chart{
			title: "Exits that fail from minute 30 to 60", x: axis{"minutes", 0, 5}, y: axis{"share of attempts, %", 0, 1},
		}.lines(scaled(r.recovery.byMinute, 100)),
		"prices": chart{
			title: "Equally good exits of different price", x: axis{"price of a million tokens, USD", 0, 1}, y: axis{"share of requests, %", 0, 1},
		}.dots(r.prices.points),
		"herd": chart{
			title: "A thousand clients, ten of a hundred exits fail from 120 s to 240 s", x: axis{"seconds", 0, 5}, y: axis{"busiest exit ÷ mean", 0, 1},
		}.lines(herd),
	}
}

func scaled(all []series, factor float64) []series {
	out := make([]series, len(all))
	for i, s := range all {
		out[i] = series{s.name, make([]float64, len(s.values))}
		for j, v := range s.values {
			out[i].values[j] = v * factor
		}
	}
	return out
}
