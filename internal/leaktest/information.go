// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	longestToken = 16 // longer ones count as this
	observedBins = 64 // of sizes, when there are more different ones
)

// pair is a token's length and the size of what passed the relay with it.
type pair struct{ token, size int }

// pairs matches each token with the first thing that passed the relay after the backend had sent it.
func pairs(scripts []*script) []pair {
	var all []pair
	for _, s := range scripts {
		next := 0
		for i, t := range s.tokens {
			sent := s.sent[i].Sub(s.asked)
			for next < len(s.trace) && s.trace[next].at < sent {
				next++
			}
			if next < len(s.trace) {
				all = append(all, pair{min(len(t.text), longestToken), s.trace[next].size})
			}
		}
	}
	coarsen(all)
	return all
}

// coarsen replaces sizes by quantiles when there are too many different ones to count.
func coarsen(all []pair) {
	different := make(map[int]bool)
	var sizes []float64
	for _, p := range all {
		different[p.size] = true
		sizes = append(sizes, float64(p.size))
	}
	if len(different) <= observedBins {
		return
	}
	at := make([]float64, observedBins-1)
	for k := range at {
		at[k] = float64(k+1) / observedBins
	}
	limits := slices.Compact(quantiles(sizes, at...))
	for i := range all {
		all[i].size, _ = slices.BinarySearch(limits, float64(all[i].size))
	}
}

// information is the mutual information of token length and observed size in bits, and what the same estimate gives
// when the two are paired at random, which is its error.
func information(scripts []*script) (bits, chance float64) {
	all := pairs(scripts)
	bits = mutual(all)
	rand.Shuffle(len(all), func(i, j int) { all[i].size, all[j].size = all[j].size, all[i].size })
	return bits, mutual(all)
}

// mutual is the plug-in estimate.
func mutual(all []pair) float64 {
	joint, tokens, sizes := make(map[pair]float64), make(map[int]float64), make(map[int]float64)
	for _, p := range all {
		joint[p]++
		tokens[p.token]++
		sizes[p.size]++
	}
	bits, n := 0.0, float64(len(all))
	for p, count := range joint {
		bits += count / n * math.Log2(count*n/(tokens[p.token]*sizes[p.size]))
	}
	return bits
}

// delays are how long each token took from backend to user.
func delays(scripts []*script) (mean, p95 time.Duration) {
	var all []float64
	for _, s := range scripts {
		for i := range s.tokens {
			all = append(all, s.received[i].Sub(s.sent[i]).Seconds())
		}
	}
	seconds := func(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }
	return seconds(moments(all)[0]), seconds(quantiles(all, 0.95)[0])
}

// volume is how many sealed bytes an answer has at the relay, and how long it takes there, on average.
func volume(scripts []*script) (bytes float64, took time.Duration) {
	for _, s := range scripts {
		for _, e := range s.trace {
			bytes += float64(e.size)
		}
		if len(s.trace) > 0 {
			took += s.trace[len(s.trace)-1].at
		}
	}
	n := len(scripts)
	return bytes / float64(n), took / time.Duration(n)
}
