// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
)

// Gradient boosting of decision stumps on the logistic loss.
const (
	rounds       = 150
	learningRate = 0.15
	cuts         = 24 // thresholds tried for each feature
)

// stump votes by one feature.
type stump struct {
	feature     int
	threshold   float64
	below, over float64 // votes
}

// boosted is a trained ensemble; its score grows with the probability of the label true.
type boosted []stump

// columns are features sorted into bins, once for all rounds.
type columns struct {
	bins   [][]uint8   // of each feature, of each example: how many thresholds are below it
	limits [][]float64 // thresholds of each feature
}

func binned(x [][]float64) columns {
	c := columns{bins: make([][]uint8, len(x[0])), limits: make([][]float64, len(x[0]))}
	for f := range x[0] {
		column := make([]float64, len(x))
		for i := range x {
			column[i] = x[i][f]
		}
		at := make([]float64, cuts)
		for k := range at {
			at[k] = float64(k+1) / (cuts + 1)
		}
		limits := slices.Compact(quantiles(column, at...))
		c.limits[f], c.bins[f] = limits, make([]uint8, len(x))
		for i, v := range column {
			n, _ := slices.BinarySearch(limits, v) // limits below v
			c.bins[f][i] = uint8(n)
		}
	}
	return c
}

// trainBoosted learns to tell labels from features.
func trainBoosted(x [][]float64, label []bool) scorer {
	c := binned(x)
	scores, gradient, hessian := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
	var all boosted
	for range rounds {
		for i := range x {
			p := 1 / (1 + math.Exp(-scores[i]))
			gradient[i], hessian[i] = truth(label[i])-p, p*(1-p)
		}
		s, ok := c.best(gradient, hessian)
		if !ok {
			break
		}
		for i := range x {
			scores[i] += s.vote(x[i])
		}
		all = append(all, s)
	}
	return all.score
}

// best finds the stump that fits the gradient best, by Newton's step with regularisation.
func (c *columns) best(gradient, hessian []float64) (stump, bool) {
	var best stump
	gain := 1e-9
	for f, bins := range c.bins {
		var g, h [cuts + 1]float64
		var allG, allH float64
		for i, b := range bins {
			g[b] += gradient[i]
			h[b] += hessian[i]
			allG, allH = allG+gradient[i], allH+hessian[i]
		}
		var lowG, lowH float64
		for k, limit := range c.limits[f] {
			lowG, lowH = lowG+g[k], lowH+h[k]
			if now := lowG*lowG/(lowH+1) + (allG-lowG)*(allG-lowG)/(allH-lowH+1) - allG*allG/(allH+1); now > gain {
				gain = now
				best = stump{f, limit, learningRate * lowG / (lowH + 1), learningRate * (allG - lowG) / (allH - lowH + 1)}
			}
		}
	}
	return best, gain > 1e-9
}

func (s *stump) vote(x []float64) float64 {
	if x[s.feature] <= s.threshold {
		return s.below
	}
	return s.over
}

func (b boosted) score(x []float64) float64 {
	total := 0.0
	for i := range b {
		total += b[i].vote(x)
	}
	return total
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
