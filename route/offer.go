// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"slices"

	"github.com/tokengo/tokengo/service"
)

// Offer is what a set of exits offers: for each native protocol the names that models can be asked for by, sorted, each
// once. They are text from exits: make them [service.Printable] before they are shown.
type Offer map[service.Protocol][]string

// Offering is a model at the exit that offers it, both read only.
type Offering struct {
	Exit  Exit
	Model *service.Model
}

// Offered are the models of [Chooser.Offerings].
func (c *Chooser) Offered(protocols []service.Protocol, name string) []*service.Model {
	var models []*service.Model
	for _, o := range c.Offerings(protocols, name) {
		models = append(models, o.Model)
	}
	return models
}

// Offerings are the models that the profile's preferences and those of at least one tier allow, of exits that serve one of
// the protocols natively, sorted by id: a model that several exits offer is there several times, each with what that exit
// grants. With a name they are those that it means. They are read only. It costs what there is on offer.
func (c *Chooser) Offerings(protocols []service.Protocol, name string) []Offering {
	g := c.current.Load()
	rows := g.ix.all
	if name != "" {
		w := c.want(g.ix, protocols, name)
		if w.table == nil {
			return nil
		}
		rows = w.table.rows
	}
	filters := make([]*filter, len(c.tiers))
	for i, t := range c.tiers {
		filters[i] = newFilter(g.ix, &Request{Protocols: protocols}, &c.cfg.Preferences, &t.Preferences)
	}
	var offered []Offering
	for _, id := range rows {
		l := &g.ix.listings[id]
		if slices.ContainsFunc(filters, func(f *filter) bool { return f.exclude(l) == 0 }) {
			offered = append(offered, Offering{g.ix.exits[l.exit], g.ix.model(l)})
		}
	}
	return offered
}

// Offer is what Offered has of all protocols, by name alone: ids, published aliases, and configured ones.
func (c *Chooser) Offer() Offer {
	offer := Offer{}
	for _, m := range c.Offered(protocols, "") {
		offer[m.Protocol] = append(append(offer[m.Protocol], m.ID), m.Aliases...)
	}
	for _, family := range families(c.cfg.Naming.Aliases) {
		for _, name := range family {
			for _, m := range c.Offered(protocols, name) {
				offer[m.Protocol] = append(offer[m.Protocol], name)
			}
		}
	}
	for proto, names := range offer {
		slices.Sort(names)
		offer[proto] = slices.Compact(names)
	}
	return offer
}

// Protocols are the protocols that have at least one model, in the order of [service.Protocols].
func (o Offer) Protocols() []service.Protocol {
	return slices.DeleteFunc(slices.Clone(service.Protocols()), func(p service.Protocol) bool { return len(o[p]) == 0 })
}

// Nearest returns at most n of the protocol's names, those whose names are most like the asked one
// first, and how many more there are. It looks at each id once: 200,000 of them take a fraction of a second.
func (o Offer) Nearest(p service.Protocol, asked string, n int) (names []string, more int) {
	want := newPairs(asked)
	likeness := make([]float64, 0, n+1) // of names, falling
	for _, name := range o[p] {
		like := want.like(name)
		at, _ := slices.BinarySearchFunc(likeness, like, func(have, like float64) int {
			if have >= like { // equals stay in their order
				return -1
			}
			return 1
		})
		if at == n {
			continue
		}
		names, likeness = slices.Insert(names, at, name), slices.Insert(likeness, at, like)
		if len(names) > n {
			names, likeness = names[:n], likeness[:n]
		}
	}
	return names, len(o[p]) - len(names)
}

// Of is the offer of some protocols, under the first of them: for the nearest of all their names.
func (o Offer) Of(protocols []service.Protocol) (joined Offer) {
	var names []string
	for _, p := range protocols {
		names = append(names, o[p]...)
	}
	slices.Sort(names)
	return Offer{protocols[0]: slices.Compact(names)}
}

// pairs are the pairs of neighbouring bytes of a name, whatever its case, each once.
type pairs struct {
	in    [1 << 10]uint64 // a bit for each of the 65,536 pairs
	list  []uint16
	other [1 << 10]uint64 // those of the name that is compared
	seen  []uint16
}

func newPairs(name string) *pairs {
	p := &pairs{}
	p.list = appendPairs(nil, &p.in, name)
	return p
}

// appendPairs appends the pairs of a name that are not in the set, and puts them there.
func appendPairs(list []uint16, set *[1 << 10]uint64, name string) []uint16 {
	for i := 0; i+2 <= len(name); i++ {
		pair := uint16(lower(name[i]))<<8 | uint16(lower(name[i+1]))
		if word, bit := pair>>6, uint64(1)<<(pair&63); set[word]&bit == 0 {
			set[word] |= bit
			list = append(list, pair)
		}
	}
	return list
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// like is the Sørensen–Dice coefficient of two names' pairs: 0 for nothing in common, 1 for equality.
func (p *pairs) like(name string) float64 {
	p.seen = appendPairs(p.seen[:0], &p.other, name)
	common := 0
	for _, pair := range p.seen {
		word, bit := pair>>6, uint64(1)<<(pair&63)
		if p.in[word]&bit != 0 {
			common++
		}
		p.other[word] = 0
	}
	if len(p.list)+len(p.seen) == 0 {
		return 0
	}
	return 2 * float64(common) / float64(len(p.list)+len(p.seen))
}
