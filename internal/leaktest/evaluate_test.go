// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestAUROC(t *testing.T) {
	tests := map[string]struct {
		all  []scoredExample
		want float64
	}{
		"perfect":    {[]scoredExample{{1, false}, {2, false}, {3, true}, {4, true}}, 1},
		"reversed":   {[]scoredExample{{4, false}, {3, false}, {2, true}, {1, true}}, 0},
		"one wrong":  {[]scoredExample{{1, false}, {3, false}, {2, true}, {4, true}}, 0.75},
		"all equal":  {[]scoredExample{{1, false}, {1, true}, {1, true}}, 0.5},
		"a tie":      {[]scoredExample{{1, false}, {2, false}, {2, true}}, 0.75},
		"one label":  {[]scoredExample{{1, true}, {2, true}}, 0.5},
		"no example": {nil, 0.5},
	}
	for name, tt := range tests {
		if got := auroc(tt.all); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// made are scripts whose traces tell the topic by the size of every nth event.
func made(n int, tells func(rng *rand.Rand, label string) event) []*script {
	rng := rand.New(rand.NewPCG(1, 1))
	var all []*script
	for i := range n {
		s := &script{label: topics[i%2].name}
		s.group = fmt.Sprintf("%s/%d", s.label, i/10)
		for range 40 {
			s.trace = append(s.trace, tells(rng, s.label))
		}
		all = append(all, s)
	}
	return all
}

// The classifiers must see what is there, and not what is not.
func TestAreas(t *testing.T) {
	sizes := func(rng *rand.Rand, label string) event {
		return event{time.Millisecond, 100 + rng.IntN(40) + 4*len(label)}
	}
	noise := func(rng *rand.Rand, _ string) event {
		return event{time.Duration(rng.IntN(1000)) * time.Microsecond, 100 + rng.IntN(40)}
	}
	same := func(*rand.Rand, string) event { return event{time.Millisecond, 100} }
	tests := map[string]struct {
		scripts   []*script
		labels    labels
		low, high float64
	}{
		"sizes tell":      {made(200, sizes), trueLabels, 0.8, 1},
		"but labels lie":  {made(200, sizes), shuffledLabels, 0.35, 0.65},
		"noise":           {made(200, noise), trueLabels, 0.35, 0.65},
		"no difference":   {made(200, same), trueLabels, 0.5, 0.5},
		"nothing at all":  {made(200, func(*rand.Rand, string) event { return event{} }), trueLabels, 0.5, 0.5},
		"few, and enough": {made(100, sizes), trueLabels, 0.75, 1},
	}
	for name, tt := range tests {
		for k, got := range areas(tt.scripts, 2, tt.labels) {
			if got.mean < tt.low || got.mean > tt.high {
				t.Errorf("%s, %s: %v, want %v to %v", name, classifiers[k].name, got, tt.low, tt.high)
			}
		}
	}
}

func TestMutual(t *testing.T) {
	var same, known, half []pair
	for i := range 4000 {
		same = append(same, pair{i % 4, 7})
		known = append(known, pair{i % 4, 100 + i%4})
		half = append(half, pair{i % 4, i % 4 / 2})
	}
	for name, tt := range map[string]struct {
		all  []pair
		want float64
	}{"nothing": {same, 0}, "all of two bits": {known, 2}, "one of two": {half, 1}} {
		if got := mutual(tt.all); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %v bits, want %v", name, got, tt.want)
		}
	}
}

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		f  finding
		ok bool
	}{
		"off tells":            {finding{mode: "off", areas: []spread{{0.9, 0}}}, true},
		"off does not":         {finding{mode: "off", areas: []spread{{0.6, 0}}}, false},
		"pad hides":            {finding{mode: "pad", areas: []spread{{0.6, 0}}}, true},
		"pad tells":            {finding{mode: "pad", areas: []spread{{0.5, 0}, {0.7, 0}}}, false},
		"constant tells":       {finding{mode: "constant", areas: []spread{{0.6, 0}}}, false},
		"constant tells sizes": {finding{mode: "constant", bits: 0.1}, false},
	}
	for name, tt := range tests {
		if err := check([]finding{tt.f}, 0); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
