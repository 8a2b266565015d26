// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// preferenceFlags are the preferences that have flags. What is given goes before what a file says.
type preferenceFlags struct {
	tiers, regions, operators, only, ignore []string
	maxPrice, sort                          string
}

func (f *preferenceFlags) register(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.tiers, "tier", nil, "use only exits of this `class` of service: free, standard or premium (repeatable)")
	flags.StringVar(&f.maxPrice, "max-price", "", "use only models that cost at most `amount` per million tokens, such as 0.5, or prompt=1,completion=5,request=0.01,image=0.02")
	flags.StringVar(&f.sort, "sort", "", "instead of weighing score and price, take the first by `measure`: price, throughput or latency")
	flags.StringArrayVar(&f.regions, "region", nil, "use only exits that say they are in `region` (repeatable)")
	flags.StringArrayVar(&f.operators, "operator", nil, "use only exits whose operator is called `name` (repeatable)")
	flags.StringArrayVar(&f.only, "only", nil, "use only the `exit` with this operator, identity or hash; 8 characters of the last two will do (repeatable)")
	flags.StringArrayVar(&f.ignore, "ignore", nil, "do not use the `exit` with this operator, identity or hash (repeatable)")
}

// apply writes what is given into preferences.
func (f *preferenceFlags) apply(p *route.Preferences) error {
	if len(f.tiers) > 0 {
		tiers, err := parseAll(f.tiers, parseTier)
		if err != nil {
			return err
		}
		p.Tiers = tiers
	}
	if f.maxPrice != "" {
		price, err := route.ParseMaxPrice(f.maxPrice)
		if err != nil {
			return usagef("write 0.5, or prompt=1,completion=5", "--max-price: %w", err)
		}
		p.MaxPrice = price
	}
	p.Sort = cmp.Or(route.Sort(f.sort), p.Sort)
	for _, list := range []struct {
		given []string
		to    *[]string
	}{{f.regions, &p.Regions}, {f.operators, &p.Operators}, {f.only, &p.Only}, {f.ignore, &p.Ignore}} {
		if len(list.given) > 0 {
			*list.to = list.given
		}
	}
	if err := p.Validate(); err != nil {
		return &usageError{err: err}
	}
	return nil
}

// protocolFlag writes the protocols that were given on the command line into preferences.
func protocolFlag(given []string, p *route.Preferences) error {
	protocols, err := parseAll(given, parseProtocol)
	if err == nil && len(protocols) > 0 {
		p.Protocols = protocols
	}
	return err
}

// parseTier reads a class of service.
func parseTier(s string) (service.Tier, error) {
	t, err := service.ParseTier(s)
	if err != nil {
		return "", fmt.Errorf("%q is not a class of service: use free, standard or premium", s)
	}
	return t, nil
}
