// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
	"time"
)

// Shape of the features.
const (
	sizeBins    = 32
	gapBins     = 20
	firstEvents = 24 // whose sizes and gaps are features themselves
	slices1s    = 20 // seconds whose bytes are
)

// features describes traces by numbers: what published attacks use, and the first events one by one.
type features struct {
	low, high float64 // of sizes in the training set: the range of the histogram
}

// learnFeatures fits the histogram to the sizes in the training set.
func learnFeatures(train []*script) features {
	var sizes []float64
	for _, s := range train {
		for _, e := range s.trace {
			sizes = append(sizes, float64(e.size))
		}
	}
	q := quantiles(sizes, 0.01, 0.99)
	return features{q[0], q[1]}
}

// of returns the features of one trace.
func (f features) of(s *script) []float64 {
	var sizes, gaps []float64
	bySecond := make([]float64, slices1s)
	before := time.Duration(0)
	for _, e := range s.trace {
		sizes = append(sizes, float64(e.size))
		gaps = append(gaps, (e.at - before).Seconds())
		before = e.at
		bySecond[min(int(e.at/time.Second), slices1s-1)] += float64(e.size)
	}
	x := []float64{float64(len(sizes)), sum(sizes), before.Seconds()}
	x = append(x, moments(sizes)...)
	x = append(x, moments(gaps)...)
	x = append(x, quantiles(sizes, 0.1, 0.25, 0.5, 0.75, 0.9)...)
	x = append(x, quantiles(gaps, 0.1, 0.25, 0.5, 0.75, 0.9)...)
	x = append(x, bySecond...)
	x = append(x, f.histograms(sizes, gaps)...)
	for i := range firstEvents {
		x = append(x, at(sizes, i), at(gaps, i))
	}
	return x
}

// histograms are shares of all events: of sizes in equal steps, of gaps in steps of a factor from 1 ms on.
func (f features) histograms(sizes, gaps []float64) []float64 {
	h := make([]float64, sizeBins+gapBins)
	share := 1 / float64(max(1, len(sizes)))
	for i := range sizes {
		h[bin((sizes[i]-f.low)/max(1, f.high-f.low)*sizeBins, sizeBins)] += share
		h[sizeBins+bin(2*math.Log2(max(1, gaps[i]*1000)), gapBins)] += share
	}
	return h
}

func bin(v float64, n int) int { return max(0, min(n-1, int(v))) }

func at(v []float64, i int) float64 {
	if i < len(v) {
		return v[i]
	}
	return 0
}

func sum(v []float64) float64 {
	total := 0.0
	for _, x := range v {
		total += x
	}
	return total
}

// moments are mean and standard deviation.
func moments(v []float64) []float64 {
	if len(v) == 0 {
		return []float64{0, 0}
	}
	mean, square := sum(v)/float64(len(v)), 0.0
	for _, x := range v {
		square += (x - mean) * (x - mean)
	}
	return []float64{mean, math.Sqrt(square / float64(len(v)))}
}

// quantiles of v, zeros when it is empty.
func quantiles(v []float64, at ...float64) []float64 {
	sorted := slices.Sorted(slices.Values(v))
	out := make([]float64, len(at))
	for i, q := range at {
		if len(sorted) > 0 {
			out[i] = sorted[int(q*float64(len(sorted)-1)+0.5)]
		}
	}
	return out
}
