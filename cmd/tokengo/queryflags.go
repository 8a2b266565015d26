// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/spf13/pflag"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// queryFlags say what a request, or whoever looks, wants of a model.
type queryFlags struct {
	prefer     preferenceFlags
	query      client.Query
	protocols  []string
	quantities []string
	provider   string
}

// register adds what 'why' and the filters of exits have in common.
func (f *queryFlags) register(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.query.Features, "features", nil, "what the model must be able to do: `names` such as tools,vision,json_schema,reasoning (repeatable)")
	flags.StringSliceVar(&f.query.Wishes, "wishes", nil, "what the request can do without: `names` as for --features; tools ask so for reasoning and parallel_tools (repeatable)")
	flags.StringSliceVar(&f.query.Modalities, "modality", nil, "what it must read: `names` such as image,audio (repeatable)")
	flags.StringSliceVar(&f.quantities, "quantization", nil, "how its weights may be stored: `names` such as fp8,q4_k_m,unknown (repeatable)")
	flags.StringVar(&f.provider, "provider", "", "further preferences as a `JSON` object, as in a request's provider field")
	f.prefer.register(flags)
}

// registerFilter adds the filters of exits.
func (f *queryFlags) registerFilter(flags *pflag.FlagSet) {
	f.register(flags)
	flags.StringArrayVar(&f.query.Models, "model", nil, "only models with this `text` in their id or an alias, in any case (repeatable: any of them)")
	flags.StringSliceVar(&f.protocols, "protocol", nil, "only models served natively by `protocol`: openai, claude, gemini or ollama (repeatable)")
	flags.IntVar(&f.query.MinContext, "min-context", 0, "only models that state a context window of at least so many `tokens`")
}

// build makes the query.
func (f *queryFlags) build() (*client.Query, error) {
	preferences := &route.Preferences{}
	if f.provider != "" {
		var err error
		if preferences, err = route.ParsePreferences([]byte(f.provider)); err != nil {
			return nil, usagef("write it like {\"sort\": \"price\"}", "--provider: %w", err)
		}
	}
	if len(f.quantities) > 0 {
		preferences.Quantizations = f.quantities
	}
	if err := errors.Join(protocolFlag(f.protocols, preferences), f.prefer.apply(preferences)); err != nil {
		return nil, err
	}
	f.query.Provider = preferences
	return &f.query, nil
}

// given reports whether any of the filters was given.
func (f *queryFlags) given(flags *pflag.FlagSet) bool {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(queryFlags).registerFilter(own)
	given := false
	own.VisitAll(func(flag *pflag.Flag) { given = given || flags.Changed(flag.Name) })
	return given
}

// protocolOf reads one protocol; empty is none.
func protocolOf(s string) (service.Protocol, error) {
	if s == "" {
		return "", nil
	}
	p, err := parseProtocol(s)
	if err != nil {
		return "", &usageError{err: err}
	}
	return p, nil
}
