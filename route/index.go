// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// Index finds the exits that offer a model. It is made from a whole directory at once and never changes, so it can be
// read without locks; a new directory gets a new one.
//
// Each model of each exit is a listing: one row of numbers that a filter can check without following pointers. Listings
// are sorted by model, so that those of one model lie next to each other, and within a model by who owns the exit.
// Every name of a model leads to a table, the row numbers of the listings that it means.
type Index struct {
	exits      []Exit
	facts      []facts // of each exit
	listings   []listing
	ranks      []int32         // of each listing, its place when all are sorted by owner
	names      interner        // of models, in all spellings and as they are: those of the groups, then others
	tables     []*table        // of each name
	configured map[string]bool // names of families that somebody offers
	groups     []int32         // where each model's listings begin, and where the last ends
	byExit     [][]int32       // listings of each exit
	all        []int32         // 0, 1, 2 …: the rows of tables that need no list of their own

	regions, quantizations, operators interner
	identities                        []named // sorted
	hashes                            []named // sorted
}

// Key names what is learned about: a model at an exit by its id and native protocol, or with both empty the exit as a
// whole.
type Key struct {
	Exit     service.Identity
	Model    string
	Protocol service.Protocol
}

// named leads from an identity or a hash to the exit that has it.
type named struct {
	name string
	exit int32
}

// table is what a model's name means.
type table struct {
	rows  []int32 // of Index.listings, sorted by rank
	scale scale   // of their prices
}

// interner gives strings small numbers. 0 is the empty string's.
type interner map[string]int32

func (in interner) add(s string) int32 {
	if s = folded(s); s == "" {
		return 0
	}
	return in.exactly(s)
}

// folded is a string without what does not tell one operator, region or quantization from another: case, and white space
// around it, which nobody sees.
func folded(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// exactly is add without folding, which find does not expect.
func (in interner) exactly(s string) int32 {
	n, ok := in[s]
	if !ok {
		n = int32(len(in) + 1)
		in[s] = n
	}
	return n
}

// find returns the number of a string, or -1 when there is none.
func (in interner) find(s string) int32 {
	if n, ok := in[folded(s)]; ok {
		return n
	}
	return -1
}

// NewIndex makes an index of the exits, which it keeps. They must not change any more. It takes time and memory in
// proportion to the number of models of all exits; BenchmarkNewIndex measures how much.
func NewIndex(exits []Exit, naming Naming, money Money) *Index {
	ix := &Index{
		exits: exits, names: make(interner, len(exits)),
		regions: interner{}, quantizations: interner{}, operators: interner{},
	}
	d := ix.draft(money)
	byRank := ix.arrange(d)
	ix.name(naming, d, byRank)
	ix.index()
	return ix
}

// index finds exits by the names of their own.
func (ix *Index) index() {
	ix.identities = make([]named, 0, len(ix.exits))
	for i, e := range ix.exits {
		ix.identities = append(ix.identities, named{string(e.Service().Identity), int32(i)})
		if k, ok := e.(Keyed); ok {
			ix.hashes = append(ix.hashes, named{string(k.KeyHash()), int32(i)})
		}
	}
	byName := func(a, b named) int { return strings.Compare(a.name, b.name) }
	slices.SortFunc(ix.identities, byName)
	slices.SortFunc(ix.hashes, byName)
}

// draft is the listings before they are arranged, by rank.
type draft struct {
	listings []listing
	counts   []int32  // how many of them each group has
	aliases  interner // as they are published
	uses     []use
}

// use is an alias of a listing.
type use struct{ alias, rank int32 }

// draft describes all models, exit by exit in the order of their owners.
func (ix *Index) draft(money Money) *draft {
	owners := ix.survey()
	order := make([]int32, len(owners))
	total := 0
	for i, e := range ix.exits {
		order[i] = int32(i)
		total += len(e.Service().Models)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(owners[a], owners[b]) })
	d := &draft{listings: make([]listing, 0, total), uses: make([]use, 0, total), aliases: interner{}}
	for _, exit := range order {
		info := ix.exits[exit].Service()
		tier := tierTraits(info.Tier)
		for j := range info.Models {
			l := listing{exit: exit, model: int32(j), owner: owners[exit], traits: tier}
			l.describe(&info.Models[j], money)
			ix.enter(d, l, &info.Models[j])
		}
	}
	return d
}

// survey notes what is said of exits as a whole, and returns who owns each.
func (ix *Index) survey() (owners []int32) {
	ix.facts = make([]facts, len(ix.exits))
	owners = make([]int32, len(ix.exits))
	unowned := int32(len(ix.exits)) // above every operator's number
	for i, e := range ix.exits {
		info := e.Service()
		if owners[i] = ix.operators.add(info.Operator); owners[i] == 0 {
			unowned++
			owners[i] = unowned
		}
		if info.Capacity != nil {
			ix.facts[i].region = ix.regions.add(info.Capacity.Region)
		}
		if info.SLA != nil {
			ix.facts[i].sla = *info.SLA
		}
	}
	return owners
}

// enter adds a listing, of model m, to the draft.
func (ix *Index) enter(d *draft, l listing, m *service.Model) {
	l.quantization = ix.quantizations.add(m.Quantization)
	if l.group = ix.names.exactly(m.ID); int(l.group) > len(d.counts) {
		d.counts = append(d.counts, 0)
	}
	d.counts[l.group-1]++
	for _, alias := range m.Aliases {
		d.uses = append(d.uses, use{d.aliases.exactly(alias), int32(len(d.listings))})
	}
	d.listings = append(d.listings, l)
}

// arrange puts the listings of each group next to each other, in the order of their ranks, and returns where each went.
func (ix *Index) arrange(d *draft) (byRank []int32) {
	ix.groups = make([]int32, len(d.counts)+1)
	for i, n := range d.counts {
		ix.groups[i+1] = ix.groups[i] + n
	}
	next := slices.Clone(ix.groups)
	n := len(d.listings)
	ix.listings, ix.ranks, ix.all, byRank = make([]listing, n), make([]int32, n), make([]int32, n), make([]int32, n)
	for rank := range d.listings {
		l := &d.listings[rank]
		row := next[l.group-1]
		next[l.group-1]++
		ix.listings[row], ix.ranks[row], ix.all[row], byRank[rank] = *l, int32(rank), row, row
	}
	ix.byExit = make([][]int32, len(ix.exits))
	for rank := 0; rank < n; { // the listings of one exit have ranks next to each other
		begin, exit := rank, d.listings[rank].exit
		for rank < n && d.listings[rank].exit == exit {
			rank++
		}
		ix.byExit[exit] = byRank[begin:rank:rank]
	}
	return byRank
}

// lookup returns the table of a name, in the spelling of any of the protocols, or nil. The normal form means all that the
// name does and what is published in other spellings, unless the name is of a configured family.
func (ix *Index) lookup(naming Naming, protocols []service.Protocol, name string) *table {
	exact := ix.table(name)
	if naming.Normal == nil || exact != nil && ix.configured[name] {
		return exact
	}
	for _, p := range protocols {
		if form := naming.Normal(p, name); form != name {
			if t := ix.table(form); t != nil {
				return t
			}
		}
	}
	return exact
}

// table returns the table of a name as it is written, or nil.
func (ix *Index) table(name string) *table {
	if n, ok := ix.names[name]; ok {
		return ix.tables[n-1]
	}
	return nil
}

func (ix *Index) model(l *listing) *service.Model {
	return &ix.exits[l.exit].Service().Models[l.model]
}

func (ix *Index) key(l *listing) Key {
	m := ix.model(l)
	return Key{ix.exits[l.exit].Service().Identity, m.ID, m.Protocol}
}

// contains reports whether the table has the listing.
func (ix *Index) contains(t *table, id int32) bool {
	_, ok := slices.BinarySearchFunc(t.rows, id, ix.byRank)
	return ok
}

// prefixed returns the exits whose identity or hash begins so; at most limit, since beginnings can be forged.
func prefixed(sorted []named, prefix string, limit int) []int32 {
	i, _ := slices.BinarySearchFunc(sorted, prefix, func(n named, p string) int { return strings.Compare(n.name, p) })
	var found []int32
	for ; i < len(sorted) && strings.HasPrefix(sorted[i].name, prefix) && len(found) < limit; i++ {
		found = append(found, sorted[i].exit)
	}
	return found
}

// modelsOf are the listings that a key means: one, or without a model all of the exit's.
func (ix *Index) modelsOf(key Key) []int32 {
	i, ok := slices.BinarySearchFunc(ix.identities, string(key.Exit), func(n named, id string) int { return strings.Compare(n.name, id) })
	if !ok {
		return nil
	}
	all := ix.byExit[ix.identities[i].exit]
	if key.Model == "" {
		return all
	}
	for i, id := range all {
		if m := ix.model(&ix.listings[id]); m.ID == key.Model && m.Protocol == key.Protocol {
			return all[i : i+1]
		}
	}
	return nil
}

// find returns the listing of a key that names a model.
func (ix *Index) find(key Key) (id int32, ok bool) {
	if found := ix.modelsOf(key); key.Model != "" && len(found) > 0 {
		return found[0], true
	}
	return 0, false
}
