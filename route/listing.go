// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"math"
	"slices"

	"github.com/tokengo/tokengo/service"
)

// listing is one model of one exit, as numbers: what a filter checks for each candidate of each request.
type listing struct {
	prices               rates
	features, modalities uint32 // those of known names that it lists, as bits
	stated               stated
	protocol, tier       uint8 // their places in service.Protocols and service.Tiers
	maxCtx, maxOutput    int32 // 0: unknown
	ttftMillis           int32 // promised; 0: nothing
	concurrency          int32
	tokensPerSecond      float32
	uptime               float32

	quantization, region, operator int32 // interned; 0: not stated
	owner                          int32 // the operator, or the exit itself when it names none
	exit, model                    int32 // where they are in the index and in the exit's description
}

// stated says what a description says at all.
type stated uint8

const (
	statesFeatures stated = 1 << iota
	statesModalities
	statesPrice // in a currency that can be compared
)

// featureNames are the features that have a bit; others are looked up in the description.
var featureNames = []string{Tools, ParallelTools, Vision, JSONSchema, Reasoning, CachedInput}

// modalityNames are the modalities that have a bit.
var modalityNames = []string{"text", image, "audio", "video", "file"}

// bits are those of the names that are in the vocabulary, and the names that are not.
func bits(vocabulary, names []string) (set uint32, others []string) {
	for _, name := range names {
		if i := slices.Index(vocabulary, name); i >= 0 {
			set |= 1 << i
			continue
		}
		others = append(others, name)
	}
	return set, others
}

// newListing reads a model's description. What depends on the index is for the caller.
func newListing(info *service.Info, m *service.Model, money Money) listing {
	l := listing{
		protocol: uint8(slices.Index(service.Protocols(), m.Protocol)), tier: uint8(slices.Index(service.Tiers(), info.Tier)),
		maxCtx: clamp(m.MaxCtx), maxOutput: clamp(m.MaxOutput),
	}
	l.features = mask(featureNames, m.Features)
	l.modalities = mask(modalityNames, m.Modalities)
	if len(m.Features) > 0 {
		l.stated |= statesFeatures
	}
	if len(m.Modalities) > 0 {
		l.stated |= statesModalities
	}
	l.reconcile()
	if s := info.SLA; s != nil {
		l.ttftMillis, l.concurrency = clamp(s.MaxTTFTMillis), clamp(s.MaxConcurrency)
		l.tokensPerSecond, l.uptime = float32(s.MinTokensPerSecond), float32(s.Uptime)
	}
	if prices, ok := money.rates(m.Pricing); ok {
		l.prices = prices
		l.stated |= statesPrice
	}
	return l
}

// reconcile lets the feature vision and the modality image mean each other.
func (l *listing) reconcile() {
	const visionBit, imageBit = 1 << 2, 1 << 1
	switch {
	case l.features&visionBit != 0:
		l.modalities |= imageBit
	case l.modalities&imageBit != 0:
		l.features |= visionBit
	}
}

// mask is bits without the rest, and without allocating.
func mask(vocabulary, names []string) (set uint32) {
	for _, name := range names {
		if i := slices.Index(vocabulary, name); i >= 0 {
			set |= 1 << i
		}
	}
	return set
}

func clamp(n int) int32 { return int32(min(max(n, 0), math.MaxInt32)) }
