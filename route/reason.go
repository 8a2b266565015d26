// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

// Reason is why a candidate cannot be chosen, or comes after others. The zero value is no reason.
type Reason uint8

// Reasons that exclude. What is excluded is never tried.
const (
	_                    Reason = iota
	ProtocolCannot              // its native protocol cannot serve the request
	ProtocolRuledOut            // protocols does not list it
	TierRuledOut                // tiers does not list it
	NotInOnly                   // only does not name it
	Ignored                     // ignore names it
	NotInOrder                  // order does not name it and there are to be no fallbacks
	OperatorRuledOut            // operators does not list it
	RegionRuledOut              // regions does not list it
	QuantizationRuledOut        // quantizations does not list it
	PriceTooHigh                // over max_price
	PriceUnknown                // it has no price that can be compared with max_price
	SLATooWeak                  // it promises less than min_sla
	LacksFeature                // it lists features, and not one that the request needs
	LacksModality               // it lists modalities, and not one that the request contains
	ContextTooSmall             // the request and the beginning of an answer do not fit into its context window
	NotListed                   // it does not list a feature or parameter, and parameters are required
	RateLimited                 // it asked to be left alone for a while
	excluding                   // what follows demotes
)

// Reasons that demote, the weightiest first. What is demoted is tried after what is not.
const (
	Resting           Reason = excluding + 1 + iota // it failed lately; its circuit breaker is open
	OutsideOrder                                    // order names others
	Unreliable                                      // most likely it fails more than a quarter of the time
	BreaksPromises                                  // most likely it breaks more than a quarter of its promises
	CapabilityUnknown                               // it does not say whether it can do what the request needs
	OutputTooShort                                  // its longest answer is shorter than the request allows, or may be
	TooSlow                                         // outside preferred_max_latency or preferred_min_throughput
	LessPreferred                                   // another native protocol is preferred
	Translated                                      // it would have to translate
	Unproven                                        // enough others have proven good; this one is only explored
	reasons                                         // their number
)

var reasonTexts = [reasons]string{
	ProtocolCannot:       "its native protocol cannot serve the request",
	ProtocolRuledOut:     "protocols does not list its protocol",
	TierRuledOut:         "tiers does not list its tier",
	NotInOnly:            "only does not name it",
	Ignored:              "ignore names it",
	NotInOrder:           "order does not name it, and fallbacks are not allowed",
	OperatorRuledOut:     "operators does not list its operator",
	RegionRuledOut:       "regions does not list its region",
	QuantizationRuledOut: "quantizations does not list its quantization",
	PriceTooHigh:         "its price is over max_price",
	PriceUnknown:         "it states no price that could be compared with max_price",
	SLATooWeak:           "it promises less than min_sla",
	LacksFeature:         "it lacks a feature that the request needs",
	LacksModality:        "it does not take a modality that the request contains",
	ContextTooSmall:      "the request does not fit into its context window",
	NotListed:            "it does not list a feature or parameter of the request, and parameters are required",
	RateLimited:          "it asked to be left alone for a while",
	Resting:              "it failed lately and rests",
	OutsideOrder:         "order names others",
	Unreliable:           "it fails too often",
	BreaksPromises:       "it breaks its promises",
	CapabilityUnknown:    "it does not say whether it can do what the request needs",
	OutputTooShort:       "its longest answer may be shorter than the request allows",
	TooSlow:              "it is slower than preferred",
	LessPreferred:        "another native protocol is preferred",
	Translated:           "it has to translate",
	Unproven:             "enough others have proven good",
}

// String says it in words, as part of a sentence about an exit.
func (r Reason) String() string {
	if r < reasons {
		return reasonTexts[r]
	}
	return ""
}

// Excludes reports whether the reason excludes a candidate; the others demote.
func (r Reason) Excludes() bool { return r > 0 && r < excluding }
