// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package crowd describes the exits of a large directory, for tests and benchmarks of what a directory costs: to build
// it, to send it, to verify it, to choose from it. All parties measure with the same one. The descriptions are made up
// and not signed; nothing but tests imports this package.
package crowd

import (
	"fmt"
	"time"

	"github.com/tokengo/tokengo/service"
)

// Exits and Models are the size for which the directory is made: so many exits with so many models each.
const (
	Exits  = 10_000
	Models = 20
)

// Model is the name of a model that one exit in 300 offers, over [service.OpenAI].
const Model = "model-0-0"

// Info is the description of exit i, without an identity, 5.4 KB of JSON. Those of a directory offer 6000
// different models at different prices; each model has one of 20 aliases that are everybody's.
func Info(i int, sequence int64) *service.Info {
	info := &service.Info{
		Operator: fmt.Sprintf("Operator %d", i), Sequence: sequence, Tier: service.Standard,
		NotBefore: time.Now().Add(-time.Minute), Expires: time.Now().Add(24 * time.Hour),
		Protocols: []service.Protocol{service.OpenAI, service.Claude},
		SLA:       &service.SLA{MaxTTFTMillis: 1500, Uptime: 0.99},
		Capacity:  &service.Capacity{GPU: "H100", Count: 8, Region: "eu-north"},
	}
	for m := range Models {
		info.Models = append(info.Models, service.Model{
			ID:      fmt.Sprintf("model-%d-%d", (7*i+13*m)%300, m),
			Aliases: []string{fmt.Sprintf("vendor/model-%d", m)}, Protocol: info.Protocols[m%2],
			MaxCtx: 200_000, MaxOutput: 64_000,
			Modalities: []string{"text", "image"}, Features: []string{"tools", "vision", "json_schema"},
			Pricing: &service.Pricing{
				InputPer1M:  service.Decimal(fmt.Sprintf("%d.%d", i%9, m)),
				OutputPer1M: service.Decimal(fmt.Sprintf("%d.5", (i+m)%40)), Currency: "USD",
			},
		})
	}
	return info
}
