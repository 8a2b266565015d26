// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import "math"

// digest is a distribution in few numbers: how often a value fell into each of a row of intervals, every one a third
// wider than the one before. A quantile of it is off by a sixth at most.
type digest [digestLen]float32

const (
	digestLen   = 32
	digestRatio = 1.35
)

// Where the first interval of each measure begins; the last ends at 4 min and 1,000 tokens/s and takes what is beyond.
const (
	firstMillis = 25.0
	firstSpeed  = 0.2
)

var logRatio = math.Log(digestRatio)

// add counts a value.
func (d *digest) add(value, first float64) {
	i := 0
	if value > first {
		i = min(int(math.Log(value/first)/logRatio), digestLen-1)
	}
	d[i]++
}

func (d *digest) total() (sum float64) {
	for _, n := range d {
		sum += float64(n)
	}
	return sum
}

func (d *digest) decay(factor float32) {
	for i := range d {
		d[i] *= factor
	}
}

// quantile is the value below which the part q of all values lies, 0 when there are none.
func (d *digest) quantile(q, first float64) float64 {
	left := q * d.total()
	last := -1
	for i, n := range d {
		if n == 0 {
			continue
		}
		last = i
		if left <= float64(n) {
			return first * math.Pow(digestRatio, float64(i)+left/float64(n))
		}
		left -= float64(n)
	}
	if last < 0 {
		return 0
	}
	return first * math.Pow(digestRatio, float64(last+1)) // rounding left a crumb
}
