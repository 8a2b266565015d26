// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"cmp"
	"slices"

	"github.com/tokengo/tokengo/service"
)

// Naming says which names mean the same model. The zero value compares names byte for byte.
type Naming struct {
	// Normal returns the normal form of a model's name in a protocol, such as without ollama's ":latest". Nil: as it is.
	Normal func(p service.Protocol, name string) string
	// Aliases makes families: a key and its values are names of one model. Published aliases come on top, each for the
	// exit that publishes it only, so that no exit can rename the models of others.
	Aliases map[string][]string
}

// forms appends the spellings of a name to forms, which is empty, each once.
func (n Naming) forms(forms []string, name string) []string {
	forms = append(forms, name)
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

// name makes the tables: for each model's id its group, together with those who have the name as another.
func (ix *Index) name(naming Naming, d *draft, byRank []int32) {
	others := ix.meanings(naming, d, byRank).rows(len(ix.names))
	tables := make([]table, len(ix.names))
	ix.tables = make([]*table, len(tables))
	var scales scaler
	for i := range tables {
		rows := others[i]
		if i < len(d.counts) {
			group := ix.all[ix.groups[i]:ix.groups[i+1]:ix.groups[i+1]]
			if len(rows) == 0 {
				rows = group
			} else {
				rows = append(rows, group...)
			}
		}
		tables[i].rows = ix.sorted(rows)
		tables[i].scale = scales.of(ix.listings, tables[i].rows)
		ix.tables[i] = &tables[i]
	}
	ix.join(naming.Aliases)
}

// meaning is a listing that a name means which is not its id.
type meaning struct{ name, row int32 }

type meanings []meaning

// meanings are those of all names, which it adds to ix.names.
func (ix *Index) meanings(naming Naming, d *draft, byRank []int32) meanings {
	all := make(meanings, 0, len(d.uses))
	var forms []string
	if naming.Normal != nil {
		for g, start := range ix.groups[:len(d.counts)] {
			id := ix.model(&ix.listings[start]).ID
			forms = naming.forms(forms[:0], id)
			for _, form := range forms[1:] {
				name := ix.names.exactly(form)
				for row := start; row < ix.groups[g+1]; row++ {
					all = append(all, meaning{name, row})
				}
			}
		}
	}
	names := make([][]int32, len(d.aliases)) // of each alias
	for alias, n := range d.aliases {
		forms = naming.forms(forms[:0], alias)
		for _, form := range forms {
			names[n-1] = append(names[n-1], ix.names.exactly(form))
		}
	}
	for _, u := range d.uses {
		for _, name := range names[u.alias-1] {
			all = append(all, meaning{name, byRank[u.rank]})
		}
	}
	return all
}

// rows are the rows that each of so many names means.
func (all meanings) rows(names int) [][]int32 {
	ends := make([]int32, names+1)
	for _, m := range all {
		ends[m.name]++
	}
	for i := range names {
		ends[i+1] += ends[i]
	}
	flat := make([]int32, len(all))
	rows := make([][]int32, names)
	next := slices.Clone(ends)
	for _, m := range all {
		flat[next[m.name-1]] = m.row
		next[m.name-1]++
	}
	for i := range rows {
		rows[i] = flat[ends[i]:ends[i+1]:ends[i+1]]
	}
	return rows
}

// join gives each name of a configured family the listings of all of them.
func (ix *Index) join(aliases map[string][]string) {
	ix.configured = map[string]bool{}
	for _, family := range families(aliases) {
		var all []int32
		for _, name := range family {
			if t := ix.table(name); t != nil {
				all = append(all, t.rows...)
			}
		}
		if len(all) == 0 {
			continue
		}
		t := ix.newTable(all)
		for _, name := range family {
			ix.configured[name] = true
			n := ix.names.exactly(name)
			ix.tables = append(ix.tables, nil)[:len(ix.names)]
			ix.tables[n-1] = t
		}
	}
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

// newTable makes a table of the rows, which it takes.
func (ix *Index) newTable(rows []int32) *table {
	rows = ix.sorted(rows)
	return &table{rows: rows, scale: new(scaler).of(ix.listings, rows)}
}

// sorted sorts rows by rank, each once.
func (ix *Index) sorted(rows []int32) []int32 {
	if !slices.IsSortedFunc(rows, ix.byRank) { // most are: that is how they were collected
		slices.SortFunc(rows, ix.byRank)
	}
	return slices.Clip(slices.Compact(rows))
}

func (ix *Index) byRank(a, b int32) int { return cmp.Compare(ix.ranks[a], ix.ranks[b]) }
