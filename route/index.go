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
	exits    []Exit
	facts    []facts // of each exit
	listings []listing
	tables   map[string]*table
	groups   []int32   // where each model's listings begin, and where the last ends
	byExit   [][]int32 // listings of each exit
	all      []int32   // 0, 1, 2 …: the rows of tables that need no list of their own

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
	rows  []int32 // of Index.listings, sorted by owner
	scale scale   // of their prices
}

// interner gives strings small numbers. 0 is the empty string's.
type interner map[string]int32

func (in interner) add(s string) int32 {
	if s == "" {
		return 0
	}
	return in.exactly(strings.ToLower(s))
}

// exactly is add without the lower case, which find does not expect.
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
	if n, ok := in[strings.ToLower(s)]; ok {
		return n
	}
	return -1
}

// Naming says which names mean the same model. The zero value compares names byte for byte.
type Naming struct {
	// Normal returns the normal form of a model's name in a protocol, such as without ollama's ":latest". Nil: as it is.
	Normal func(p service.Protocol, name string) string
	// Aliases makes families: a key and its values are names of one model. Published aliases come on top, each for the
	// exit that publishes it only, so that no exit can rename the models of others.
	Aliases map[string][]string
}

// NewIndex makes an index of the exits, which it keeps. They must not change any more. It takes time and memory in
// proportion to the number of models of all exits; BenchmarkNewIndex measures how much.
func NewIndex(exits []Exit, naming Naming, money Money) *Index {
	ix := &Index{
		exits: exits, facts: make([]facts, len(exits)), regions: interner{}, quantizations: interner{}, operators: interner{},
	}
	ix.list(money)
	ix.name(naming)
	for i, e := range exits {
		ix.identities = append(ix.identities, named{string(e.Service().Identity), int32(i)})
		if k, ok := e.(Keyed); ok {
			ix.hashes = append(ix.hashes, named{string(k.KeyHash()), int32(i)})
		}
	}
	byName := func(a, b named) int { return strings.Compare(a.name, b.name) }
	slices.SortFunc(ix.identities, byName)
	slices.SortFunc(ix.hashes, byName)
	return ix
}

// list makes the listings, sorted by model and owner.
func (ix *Index) list(money Money) {
	total := 0
	for _, e := range ix.exits {
		total += len(e.Service().Models)
	}
	unsorted := make([]listing, 0, total)
	models := interner{} // by id, not in lower case
	counts := []int32{}
	unowned := int32(total) // above every operator's number
	for i, e := range ix.exits {
		info := e.Service()
		base := listing{exit: int32(i), owner: ix.operators.add(info.Operator)}
		if base.owner == 0 {
			unowned++
			base.owner = unowned
		}
		if info.Capacity != nil {
			ix.facts[i].region = ix.regions.add(info.Capacity.Region)
		}
		if info.SLA != nil {
			ix.facts[i].sla = *info.SLA
		}
		for j := range info.Models {
			l := base
			l.describe(info.Tier, &info.Models[j], money)
			l.model, l.quantization = int32(j), ix.quantizations.add(info.Models[j].Quantization)
			if l.group = models.exactly(info.Models[j].ID); int(l.group) > len(counts) {
				counts = append(counts, 0)
			}
			counts[l.group-1]++
			unsorted = append(unsorted, l)
		}
	}
	ix.arrange(unsorted, counts)
}

// arrange sorts the listings by group, of which it knows how many there are, and each group by owner.
func (ix *Index) arrange(unsorted []listing, counts []int32) {
	ix.groups = make([]int32, len(counts)+1)
	for i, n := range counts {
		ix.groups[i+1] = ix.groups[i] + n
	}
	next := slices.Clone(ix.groups)
	ix.listings = make([]listing, len(unsorted))
	for _, l := range unsorted {
		ix.listings[next[l.group-1]] = l
		next[l.group-1]++
	}
	ix.byExit = make([][]int32, len(ix.exits))
	for g := range counts {
		group := ix.listings[ix.groups[g]:ix.groups[g+1]]
		slices.SortFunc(group, func(a, b listing) int { return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.exit, b.exit)) })
	}
	for i := range ix.listings {
		exit := ix.listings[i].exit
		if ix.byExit[exit] == nil {
			ix.byExit[exit] = make([]int32, 0, len(ix.exits[exit].Service().Models))
		}
		ix.byExit[exit] = append(ix.byExit[exit], int32(i))
	}
}

// name makes the tables: for each model's id its group, together with those who have the name as another.
func (ix *Index) name(naming Naming) {
	ix.all = make([]int32, len(ix.listings))
	for i := range ix.all {
		ix.all[i] = int32(i)
	}
	rows := ix.otherNames(naming)
	ix.tables = make(map[string]*table, len(ix.groups)+len(rows))
	for g, start := range ix.groups[:len(ix.groups)-1] {
		group := ix.all[start:ix.groups[g+1]:ix.groups[g+1]]
		id := ix.model(&ix.listings[start]).ID
		if others := rows[id]; len(others) > 0 {
			rows[id] = append(others, group...)
			continue
		}
		ix.tables[id] = &table{rows: group, scale: newScale(ix.listings, group)}
	}
	for name, list := range rows {
		ix.tables[name] = ix.newTable(list)
	}
	ix.join(naming.Aliases)
}

// otherNames are the listings of every name that is not the id by which they are grouped.
func (ix *Index) otherNames(naming Naming) map[string][]int32 {
	rows := map[string][]int32{}
	for g, start := range ix.groups[:len(ix.groups)-1] {
		id := ix.model(&ix.listings[start]).ID
		for _, name := range naming.forms(id) {
			if name != id {
				rows[name] = append(rows[name], ix.all[start:ix.groups[g+1]]...)
			}
		}
	}
	for i := range ix.listings {
		for _, alias := range ix.model(&ix.listings[i]).Aliases {
			for _, name := range naming.forms(alias) {
				rows[name] = append(rows[name], int32(i))
			}
		}
	}
	return rows
}

// join gives each name of a configured family the listings of all of them.
func (ix *Index) join(aliases map[string][]string) {
	for _, family := range families(aliases) {
		var all []int32
		for _, name := range family {
			if t := ix.tables[name]; t != nil {
				all = append(all, t.rows...)
			}
		}
		if len(all) == 0 {
			continue
		}
		t := ix.newTable(all)
		for _, name := range family {
			ix.tables[name] = t
		}
	}
}

// forms are the spellings of a name, each once.
func (n Naming) forms(name string) []string {
	forms := []string{name}
	if n.Normal == nil {
		return forms
	}
	for _, p := range protocols {
		if form := n.Normal(p, name); !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	return forms
}

// families joins aliases that have a name in common.
func families(aliases map[string][]string) [][]string {
	of := map[string]*[]string{}
	for key, values := range aliases {
		joined := &[]string{}
		for _, name := range append([]string{key}, values...) {
			old := of[name]
			switch {
			case old == joined:
				continue
			case old == nil:
				old = &[]string{name}
			}
			*joined = append(*joined, *old...)
			for _, member := range *old {
				of[member] = joined
			}
		}
	}
	var all [][]string
	seen := map[*[]string]bool{}
	for _, family := range of {
		if !seen[family] {
			seen[family] = true
			all = append(all, *family)
		}
	}
	return all
}

// newTable sorts the rows by owner and takes the scale of their prices.
func (ix *Index) newTable(rows []int32) *table {
	slices.SortFunc(rows, func(a, b int32) int {
		return cmp.Or(cmp.Compare(ix.listings[a].owner, ix.listings[b].owner), cmp.Compare(a, b))
	})
	rows = slices.Clip(slices.Compact(rows))
	return &table{rows: rows, scale: newScale(ix.listings, rows)}
}

// lookup returns the table of a name, in the spelling of any of the protocols, or nil.
func (ix *Index) lookup(naming Naming, protocols []service.Protocol, name string) *table {
	if t := ix.tables[name]; t != nil || naming.Normal == nil {
		return t
	}
	for _, p := range protocols {
		if t := ix.tables[naming.Normal(p, name)]; t != nil {
			return t
		}
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
	owner := ix.listings[id].owner
	_, ok := slices.BinarySearchFunc(t.rows, id, func(row, id int32) int {
		return cmp.Or(cmp.Compare(ix.listings[row].owner, owner), cmp.Compare(row, id))
	})
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
