// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "math"

// Logistic regression on standardised features, by gradient descent.
const (
	steps    = 400
	stepSize = 0.3
	ridge    = 0.01 // penalty on squared weights
)

// trainLogistic learns to tell labels from features.
func trainLogistic(x [][]float64, label []bool) scorer {
	scale := standardise(x)
	z := make([][]float64, len(x))
	for i := range x {
		z[i] = scale(x[i])
	}
	weights := make([]float64, len(x[0])+1) // the last one is the intercept
	for range steps {
		gradient := make([]float64, len(weights))
		for i := range z {
			residual := truth(label[i]) - 1/(1+math.Exp(-dot(weights, z[i])))
			for f, v := range z[i] {
				gradient[f] += residual * v
			}
			gradient[len(weights)-1] += residual
		}
		for f := range weights {
			weights[f] += stepSize * (gradient[f]/float64(len(z)) - ridge*weights[f])
		}
	}
	return func(x []float64) float64 { return dot(weights, scale(x)) }
}

// standardise returns a function that brings features to mean 0 and deviation 1 in the training set.
func standardise(x [][]float64) func([]float64) []float64 {
	means, deviations := make([]float64, len(x[0])), make([]float64, len(x[0]))
	for f := range means {
		column := make([]float64, len(x))
		for i := range x {
			column[i] = x[i][f]
		}
		m := moments(column)
		means[f], deviations[f] = m[0], m[1]
	}
	return func(x []float64) []float64 {
		z := make([]float64, len(x))
		for f := range x {
			if deviations[f] > 1e-9 {
				z[f] = max(-5, min(5, (x[f]-means[f])/deviations[f]))
			}
		}
		return z
	}
}

func dot(weights, z []float64) float64 {
	total := weights[len(weights)-1]
	for f, v := range z {
		total += weights[f] * v
	}
	return total
}
