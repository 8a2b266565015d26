// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/route"
)

// A tier is passed over while it rests or has spent its budget, and no more when it is to be tried again.
func TestStageTitle(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	tests := []struct {
		tier client.TierReport
		want string
	}{
		{client.TierReport{State: route.Closed}, "m in tier paid"},
		{client.TierReport{State: route.Open, Until: at}, "m in tier paid: passed over, it rests until 12:00:00"},
		{client.TierReport{State: route.HalfOpen, Until: at}, "m in tier paid: to be tried again"},
		{client.TierReport{State: route.Closed, OverBudget: true}, "m in tier paid: passed over, it has spent its budget"},
		{client.TierReport{State: route.HalfOpen, OverBudget: true}, "m in tier paid: passed over, it has spent its budget"},
	}
	for _, tt := range tests {
		tt.tier.Name = "paid"
		if got := stageTitle(&client.Why{Tiers: []client.TierReport{tt.tier}}, stage{"m", "paid"}); got != tt.want {
			t.Errorf("title %q, want %q", got, tt.want)
		}
	}
}
