// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// holds sets the limits of a model, in tokens; 0 is not stated.
func holds(context, output int) func(*service.Info, *service.Model) {
	return func(_ *service.Info, m *service.Model) { m.MaxCtx, m.MaxOutput = context, output }
}

// Only a request that is too long itself excludes a model. That it allows a longer answer than the model can give demotes,
// since tools allow more than any answer needs.
func TestLongestAnswer(t *testing.T) {
	tests := []struct {
		name                           string
		context, output                int // of the model
		input, bound                   int // of the request
		excluded, demoted, withRequire route.Reason
	}{
		{"says nothing and is asked little", 0, 0, 1000, 500, 0, 0, 0},
		{"has room for all", 200_000, 64_000, 20_000, 32_000, 0, 0, 0},
		{"gives as much as is allowed", 200_000, 32_000, 20_000, 32_000, 0, 0, 0},
		{"gives less than is allowed", 200_000, 8192, 20_000, 32_000, 0, route.OutputTooShort, 0},
		{"has no room for all that is allowed", 32_768, 0, 20_000, 32_000, 0, route.OutputTooShort, 0},
		{"reads less than is allowed to be written", 16_384, 0, 5000, 32_000, 0, route.OutputTooShort, 0},
		{"leaves the room for a short answer", 20_256, 0, 20_000, 32_000, 0, route.OutputTooShort, 0},
		{"leaves less than that", 20_255, 0, 20_000, 32_000, route.ContextTooSmall, 0, route.ContextTooSmall},
		{"leaves room for the little that is allowed", 20_010, 0, 20_000, 10, 0, 0, 0},
		{"leaves less than the little that is allowed", 20_009, 0, 20_000, 10, route.ContextTooSmall, 0, route.ContextTooSmall},
		{"holds the input of a request without a bound", 512, 0, 500, 0, 0, 0, 0},
		{"does not hold it", 512, 0, 513, 0, route.ContextTooSmall, 0, route.ContextTooSmall},
		{"does not say whether it has room for all that is allowed", 0, 0, 1000, 32_000, 0, route.OutputTooShort, 0},
		{"does not say whether it holds the input", 0, 0, 9000, 0, 0, route.CapabilityUnknown, route.NotListed},
		{"is allowed more than there are numbers for", 200_000, 0, 1000, 1<<31 - 1, 0, route.OutputTooShort, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, route.Config{}, newOffer("exit-1", holds(tt.context, tt.output)))
			r := asks("m")
			r.InputTokens, r.MaxOutput = tt.input, tt.bound
			v := b.Explain(r)[0]
			if v.Excluded != tt.excluded || (b.order(r) == "") != (tt.excluded != 0) {
				t.Errorf("excluded because %q, the plan is %q; want %q", v.Excluded, b.order(r), tt.excluded)
			}
			for _, why := range []route.Reason{route.OutputTooShort, route.CapabilityUnknown} {
				if got := len(v.Demoted) > 0 && v.Demoted[0] == why; got != (tt.demoted == why) {
					t.Errorf("demoted %v, want %q", v.Demoted, tt.demoted)
				}
			}
			r.Preferences = &route.Preferences{RequireParameters: true}
			if v := b.Explain(r)[0]; v.Excluded != tt.withRequire {
				t.Errorf("with parameters required excluded because %q, want %q", v.Excluded, tt.withRequire)
			}
		})
	}
}

// What may end an answer early comes after what fails nothing, before what may lack a feature, and counts for more than
// being slow, another protocol or the price.
func TestShortAnswersInOrder(t *testing.T) {
	promise := func(ms int) func(*service.Info, *service.Model) {
		return func(i *service.Info, m *service.Model) {
			i.SLA = &service.SLA{MaxTTFTMillis: ms}
			m.Features = []string{route.Tools}
		}
	}
	b := newBench(t, route.Config{Random: always(0.5)},
		newOffer("unsure", holds(200_000, 64_000), price("1")),
		newOffer("short", holds(200_000, 8192), price("1"), promise(100)),
		newOffer("tight", holds(24_000, 0), price("1"), promise(100), model("m", service.Claude)),
		newOffer("slow", holds(200_000, 64_000), price("9"), promise(9000)),
		newOffer("well", holds(200_000, 0), price("99"), promise(100)),
	)
	r := with(route.Preferences{PreferredMaxLatency: &route.Percentiles{P50: 1}})
	r.Features, r.InputTokens, r.MaxOutput = []string{route.Tools}, 4000, 32_000
	if diff := cmp.Diff("well slow short tight unsure", b.order(r)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	r.MaxOutput = 8000
	if got := b.order(r); strings.Index(got, "short") > strings.Index(got, "slow") {
		t.Errorf("order %q, but short gives all that is asked for", got)
	}
}
