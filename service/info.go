// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Version is the version of the description's format, and of the string that is signed with it.
const Version = 2

// MaxInfoBytes is the largest description, in bytes of JSON.
const MaxInfoBytes = 64 << 10

// Info is what an exit says about itself. [Sign] writes it and [Signed.Verify] reads it. Bounds are stated at each
// field; a string is at most 256 bytes of valid UTF-8 without control characters unless a field says otherwise.
type Info struct {
	// Version is 2. Sign fills it in.
	Version int `json:"version"`
	// Identity is the key that signs the description. Sign fills it in.
	Identity Identity `json:"identity"`
	// Operator is the name of who runs the exit, in the operator's own words. It may be empty and proves nothing.
	Operator string `json:"operator"`
	// Sequence grows with every change of keys or offers; of two descriptions by one identity the higher is the newer.
	// From 0 to 2^53-1, the integers that every JSON parser reads alike.
	Sequence int64 `json:"sequence"`
	// NotBefore and Expires bound the time in which the description may be used, in whole seconds. NotBefore is before
	// Expires by at most MaxLifetime.
	NotBefore time.Time `json:"not_before"`
	Expires   time.Time `json:"expires"`
	// Protocols are the native protocols of the exit's backends, 1 to 16 of them, each once. Protocols that this version
	// does not know are dropped when parsed, so the list may then be empty.
	Protocols []Protocol `json:"protocols"`
	// Models are what the exit offers: at most 1000, each pair of protocol and id once. Models of protocols that this
	// version does not know are dropped when parsed.
	Models []Model `json:"models"`
	// Tier is the operator's class of service.
	Tier Tier `json:"tier"`
	// SLA is what the operator promises, nil for nothing.
	SLA *SLA `json:"sla,omitempty"`
	// Capacity is what the operator says the exit runs on, nil when it does not say.
	Capacity *Capacity `json:"capacity,omitempty"`
	// Betas are the experimental features of protocols that the exit's backends take, by the names that the header
	// fields anthropic-beta and openai-beta give them, at most 64, each once. Clients send no others.
	Betas []string `json:"betas,omitempty"`
	// Tags are free-form, at most 64. Keys are not empty.
	Tags map[string]string `json:"tags,omitempty"`
}

// Model is one model that an exit offers.
type Model struct {
	// ID is the name that requests ask for, compared byte for byte. It is not empty.
	ID string `json:"id"`
	// Aliases are other names that requests may ask for this model by, at most 32. An alias need not be the only one
	// of its name.
	Aliases []string `json:"aliases,omitempty"`
	// Protocol is the native protocol of the backend that serves the model, one of the description's protocols.
	Protocol Protocol `json:"protocol"`
	// MaxCtx is the context window and MaxOutput the longest answer, in tokens; 0 is unknown, 2^31-1 the most.
	MaxCtx    int `json:"max_ctx,omitempty"`
	MaxOutput int `json:"max_output,omitempty"`
	// Modalities ("text", "image", "audio" …) and Features ("tools", "vision", "json_schema", "reasoning" …) are open
	// sets, at most 32 each.
	Modalities []string `json:"modalities,omitempty"`
	Features   []string `json:"features,omitempty"`
	// Quantization is how the weights are stored, such as "fp8" or "q4_k_m"; empty when not stated.
	Quantization string `json:"quantization,omitempty"`
	// Pricing is what the operator asks for, nil when not stated.
	Pricing *Pricing `json:"pricing,omitempty"`
}

// Pricing is the price of one model: per million tokens, and for what is counted in other ways.
type Pricing struct {
	// InputPer1M and OutputPer1M are the prices of a million tokens read and written.
	InputPer1M  Decimal `json:"input_per_1m"`
	OutputPer1M Decimal `json:"output_per_1m"`
	// CachedInputPer1M is the price of a million tokens read from a cache; empty when they cost what others cost.
	CachedInputPer1M Decimal `json:"cached_input_per_1m,omitempty"`
	// PerRequest is the price of a request whatever its size, PerImage that of an image read; empty is nothing.
	PerRequest Decimal `json:"per_request,omitempty"`
	PerImage   Decimal `json:"per_image,omitempty"`
	// Currency is what the prices are counted in: 3 to 10 upper-case letters and digits that begin with a letter, such
	// as the codes of ISO 4217.
	Currency string `json:"currency"`
}

// Decimal is an amount of money as a decimal string, never a float: up to 9 digits without a leading zero, and
// optionally a point and 1 to 9 more ("0", "2.50", "0.075").
type Decimal string

// ParseDecimal returns s as an amount, or an error that says how one is written.
func ParseDecimal(s string) (Decimal, error) {
	if !isDecimal(s) {
		return "", fmt.Errorf(`amount %w: want a decimal number such as "0.25"`, ErrInvalid)
	}
	return Decimal(s), nil
}

// SLA is what an operator promises. A field that is 0 promises nothing.
type SLA struct {
	// MaxTTFTMillis is the longest time to the first token of an answer, in milliseconds, at most a day.
	MaxTTFTMillis int `json:"max_ttft_ms,omitempty"`
	// MinTokensPerSecond is the slowest rate at which an answer's tokens follow.
	MinTokensPerSecond float64 `json:"min_tokens_per_s,omitempty"`
	// Uptime is the part of the time in which the exit answers, from 0 to 1.
	Uptime float64 `json:"uptime,omitempty"`
	// MaxConcurrency is how many requests the exit serves at once, 2^31-1 the most.
	MaxConcurrency int `json:"max_concurrency,omitempty"`
}

// Capacity is what an exit runs on, by its operator's own account.
type Capacity struct {
	// GPU is the kind of accelerator.
	GPU string `json:"gpu,omitempty"`
	// Count is the number of accelerators, 2^31-1 the most.
	Count int `json:"count,omitempty"`
	// Region is where the exit is.
	Region string `json:"region,omitempty"`
}

// infoShape lets the strict parser compare names with those of Info.
var infoShape = shapeOf(reflect.TypeFor[Info]())

// ParseInfo parses and validates a description without looking at signature or time. It reads strictly what other
// parsers might read differently: names that occur twice or differ from a known one only in case, invalid UTF-8 and
// trailing data are errors. Fields that it does not know are ignored; raw keeps them. Every error is an ErrInvalid.
func ParseInfo(raw []byte) (*Info, error) {
	if err := checkInfo(raw); err != nil {
		return nil, err
	}
	return decodeInfo(raw)
}

// checkInfo checks size and strict JSON, which is all that may be done before the signature is known to be good.
func checkInfo(raw []byte) error {
	if len(raw) > MaxInfoBytes {
		return fmt.Errorf("service description %w: %d bytes, over the limit of %d", ErrInvalid, len(raw), MaxInfoBytes)
	}
	if err := checkJSON(raw, infoShape, MaxInfoBytes); err != nil {
		return fmt.Errorf("service description %w: %w", ErrInvalid, err)
	}
	return nil
}

// decodeInfo reads and validates a description that checkInfo accepted.
func decodeInfo(raw []byte) (*Info, error) {
	var info Info
	if err := json.Unmarshal(raw, &info); err != nil {
		return nil, fmt.Errorf("service description %w: %w", ErrInvalid, plainError(err))
	}
	return info.checked()
}

// checked validates a description that was read, and drops what this version does not know.
func (in *Info) checked() (*Info, error) {
	if err := in.validate(); err != nil {
		return nil, fmt.Errorf("service description %w: %w", ErrInvalid, err)
	}
	in.dropUnknown()
	return in, nil
}

// dropUnknown removes protocols that this version does not know, and their models.
func (in *Info) dropUnknown() {
	in.Protocols = slices.DeleteFunc(in.Protocols, func(p Protocol) bool { return !p.known() })
	in.Models = slices.DeleteFunc(in.Models, func(m Model) bool { return !m.Protocol.known() })
}

// Speaks reports whether p is a native protocol of one of the exit's backends.
func (in *Info) Speaks(p Protocol) bool { return slices.Contains(in.Protocols, p) }

// Offers reports whether the exit offers the model with this id by protocol p. Ids are compared byte for byte.
func (in *Info) Offers(p Protocol, model string) bool {
	return slices.ContainsFunc(in.Models, func(m Model) bool { return m.Protocol == p && m.ID == model })
}
