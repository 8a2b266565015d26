// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQuantiles(t *testing.T) {
	upTo := func(n int) []time.Duration {
		var d []time.Duration
		for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(n) {
			d = append(d, time.Duration(i+1)*time.Millisecond)
		}
		return d
	}
	for _, test := range []struct {
		durations []time.Duration
		want      Quantiles
	}{
		{nil, Quantiles{}},
		{upTo(1), Quantiles{1, 1, 1}},
		{upTo(2), Quantiles{1, 2, 2}},
		{upTo(10), Quantiles{5, 9, 10}},
		{upTo(100), Quantiles{50, 90, 99}},
		{upTo(101), Quantiles{51, 91, 100}},
		{upTo(1000), Quantiles{500, 900, 990}},
		{[]time.Duration{1500 * time.Microsecond}, Quantiles{1.5, 1.5, 1.5}},
	} {
		n := len(test.durations)
		if diff := cmp.Diff(test.want, quantilesOf(test.durations)); diff != "" {
			t.Errorf("of %d durations (-want +got):\n%s", n, diff)
		}
	}
	added := Quantiles{3, 4, 5}.minus(Quantiles{1, 1, 6})
	if diff := cmp.Diff(Quantiles{2, 3, -1}, added); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
}

func TestTurns(t *testing.T) {
	const d, u = direct, tunnelled
	for _, test := range []struct {
		n, size int
		want    []turn
	}{
		{0, 1, nil},
		{1, 1, []turn{{d, 1}, {u, 1}}},
		{3, 1, []turn{{d, 1}, {u, 1}, {u, 1}, {d, 1}, {d, 1}, {u, 1}}},
		{25, 10, []turn{{d, 10}, {u, 10}, {u, 10}, {d, 10}, {d, 5}, {u, 5}}},
		{5, 160, []turn{{d, 5}, {u, 5}}},
	} {
		got := turns(test.n, test.size)
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(turn{})); diff != "" {
			t.Errorf("%d in turns of %d (-want +got):\n%s", test.n, test.size, diff)
		}
	}
}

func TestTurnsAreFair(t *testing.T) {
	var sum, first [2]int
	all := turns(10_000, 7)
	for i, turn := range all {
		sum[turn.path] += turn.n
		if i%2 == 0 {
			first[turn.path]++
			if next := all[i+1]; next.path == turn.path || next.n != turn.n {
				t.Fatalf("pair %d is %v and %v", i/2, turn, next)
			}
		}
	}
	if sum != [2]int{10_000, 10_000} {
		t.Errorf("requests on the paths: %v", sum)
	}
	if diff := first[direct] - first[tunnelled]; diff < 0 || diff > 1 {
		t.Errorf("times that each path went first: %v", first)
	}
}
