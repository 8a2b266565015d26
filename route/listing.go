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
	prices          rates
	traits          traits
	context, output int32 // limits in tokens; no limit when not stated
	owner           int32 // the operator's number, or one of the exit's own when it names none
	quantization    int32 // its number; 0: not stated
	exit, model     int32 // where they are in the index and in the exit's description
	group           int32 // the model's id
	stated          stated
	protocol        uint8 // its place in protocols
}

// facts are what the listings of an exit have in common and few requests ask about.
type facts struct {
	region int32 // its number; 0: not stated
	sla    service.SLA
}

// traits are what a listing is and can do, as bits: its protocol and tier, and the features and modalities that have a
// name of their own. Any may be asked for together in one comparison.
type traits uint64

const (
	firstProtocol = 0
	firstTier     = 8
	firstFeature  = 16
	firstModality = 40
)

var (
	protocols = service.Protocols()
	tiers     = service.Tiers()
	// featureNames and modalityNames have bits; others are looked up in the description.
	featureNames  = []string{Tools, ParallelTools, Vision, JSONSchema, Reasoning, CachedInput, Embedding}
	modalityNames = []string{"text", image, "audio", "video", "file"}
)

// traitsOf are the bits of values at their places in a vocabulary, the first of which is bit first.
func traitsOf[S comparable](first int, vocabulary, values []S) (t traits) {
	for _, v := range values {
		if i := slices.Index(vocabulary, v); i >= 0 {
			t |= 1 << (first + i)
		}
	}
	return t
}

const (
	allFeatures   = traits(1<<firstModality - 1<<firstFeature)
	allModalities = traits(math.MaxUint64 - (1<<firstModality - 1))
)

// stated says what a description says at all.
type stated uint8

const (
	statesFeatures stated = 1 << iota
	statesModalities
	statesContext
	statesPrice // in a currency that can be compared
)

// sight are the traits of a model that sees, which mean each other.
var sight = traitsOf(firstFeature, featureNames, []string{Vision}) | traitsOf(firstModality, modalityNames, []string{image})

// embedding is the trait of models that make vectors, and ollama that of those whose native protocol that is.
var (
	embedding = traitsOf(firstFeature, featureNames, []string{Embedding})
	ollama    = traitsOf(firstProtocol, protocols, []service.Protocol{service.Ollama})
)

// untold are the features that the model may have although it lists others. Ollama makes embeddings with models of every
// kind, of whose weights most allow it, and lists the feature for those alone that are made for it.
func (l *listing) untold() traits {
	if l.traits&ollama != 0 {
		return embedding
	}
	return 0
}

func tierTraits(t service.Tier) traits { return traitsOf(firstTier, tiers, []service.Tier{t}) }

// describe adds a model's description to the traits of its exit. What depends on the index is for the caller.
func (l *listing) describe(m *service.Model, money Money) {
	l.protocol = uint8(slices.Index(protocols, m.Protocol))
	l.traits |= traits(1)<<(firstProtocol+l.protocol) |
		traitsOf(firstFeature, featureNames, m.Features) | traitsOf(firstModality, modalityNames, m.Modalities)
	if l.traits&sight != 0 {
		l.traits |= sight
	}
	l.context, l.output = math.MaxInt32, math.MaxInt32
	if m.MaxCtx > 0 {
		l.context = clamp(m.MaxCtx)
		l.stated |= statesContext
	}
	if m.MaxOutput > 0 {
		l.output = clamp(m.MaxOutput)
	}
	if len(m.Features) > 0 {
		l.stated |= statesFeatures
	}
	if len(m.Modalities) > 0 {
		l.stated |= statesModalities
	}
	if prices, ok := money.rates(m.Pricing); ok {
		l.prices = prices
		l.stated |= statesPrice
	}
}

// sum adds tokens, neither of them negative.
func sum(a, b int32) int32 { return int32(min(int64(a)+int64(b), math.MaxInt32)) }

func clamp(n int) int32 { return int32(min(max(n, 0), math.MaxInt32)) }
