// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
)

// scorer says how much an example looks like the label true.
type scorer func(x []float64) float64

// classifiers are what is tried; a relay would take whichever is best.
var classifiers = []struct {
	name  string
	train func(x [][]float64, label []bool) scorer
}{
	{"boosted stumps", trainBoosted},
	{"logistic regression", trainLogistic},
}

const folds = 5

// spread is a measurement over several seeds.
type spread struct{ mean, deviation float64 }

func spreadOf(v []float64) spread {
	m := moments(v)
	return spread{m[0], m[1]}
}

// areas is the AUROC of telling topics apart by traces, of each classifier: for each seed, all groups are dealt to
// folds anew, and every answer is scored by what was learnt from the other folds. With shuffled set, the
// labels are dealt at random first.
func areas(scripts []*script, seeds int, shuffled labels) []spread {
	found := make([][]float64, len(classifiers))
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 4))
		label := make(map[*script]bool)
		names := make([]string, len(scripts))
		for i, s := range scripts {
			names[i] = s.label
		}
		if shuffled {
			rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		}
		for i, s := range scripts {
			label[s] = names[i] == topics[0].name
		}
		parts := deal(scripts, rng)
		for k, c := range classifiers {
			found[k] = append(found[k], crossValidated(parts, label, c.train))
		}
	}
	var out []spread
	for _, v := range found {
		out = append(out, spreadOf(v))
	}
	return out
}

// labels says which labels are used.
type labels bool

const (
	trueLabels     labels = false
	shuffledLabels labels = true
)

// deal puts whole groups into folds, so that nothing is learnt from the sentences that are asked about, and as many of
// each topic into each.
func deal(scripts []*script, rng *rand.Rand) [folds][]*script {
	byGroup := make(map[string][]*script)
	for _, s := range scripts {
		byGroup[s.group] = append(byGroup[s.group], s)
	}
	names := slices.Sorted(maps.Keys(byGroup))
	rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var parts [folds][]*script
	dealt := make(map[string]int) // groups of each topic
	for _, name := range names {
		group := byGroup[name]
		k := dealt[group[0].label] % folds
		dealt[group[0].label]++
		parts[k] = append(parts[k], group...)
	}
	return parts
}

// crossValidated is the mean AUROC of the folds. Scores of different folds are not compared: they come from different
// training sets.
func crossValidated(parts [folds][]*script, label map[*script]bool, train func([][]float64, []bool) scorer) float64 {
	total := 0.0
	for k, test := range parts {
		var others []*script
		for i, part := range parts {
			if i != k {
				others = append(others, part...)
			}
		}
		f := learnFeatures(others)
		x, y := make([][]float64, len(others)), make([]bool, len(others))
		for i, s := range others {
			x[i], y[i] = f.of(s), label[s]
		}
		score := train(x, y)
		var scored []scoredExample
		for _, s := range test {
			scored = append(scored, scoredExample{score(f.of(s)), label[s]})
		}
		total += auroc(scored)
	}
	return total / folds
}

type scoredExample struct {
	score float64
	label bool
}

// auroc is the area under the ROC curve: the probability that an example of label true has a higher score than
// one of false, ties counting half.
func auroc(all []scoredExample) float64 {
	slices.SortFunc(all, func(a, b scoredExample) int { return cmp.Compare(a.score, b.score) })
	var ranks, positives float64 // ranks of the positives, equal scores sharing theirs
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].score == all[i].score {
			j++
		}
		shared := float64(i+j+1) / 2
		for ; i < j; i++ {
			if all[i].label {
				ranks += shared
				positives++
			}
		}
	}
	negatives := float64(len(all)) - positives
	if positives == 0 || negatives == 0 {
		return 0.5
	}
	return (ranks - positives*(positives+1)/2) / (positives * negatives)
}
