// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// Exits that lie about their speed or fail, all cheaper than the cheapest honest one, must lose nearly all traffic.
func TestCheatersAreFoundOut(t *testing.T) {
	r, err := runTrust()
	if err != nil {
		t.Fatal(err)
	}
	if r.early < 0.5 {
		t.Errorf("cheaters got %.3f of the first attempts, want more than half: the scenario tests nothing", r.early)
	}
	if r.bad >= 0.05 {
		t.Errorf("cheaters got %.3f of the attempts of requests 101 to 200, want less than 0.05", r.bad)
	}
	if r.succeeded < 0.995 {
		t.Errorf("%.4f of the requests succeeded, want at least 0.995", r.succeeded)
	}
}

func TestRecoveredExitsReturn(t *testing.T) {
	r, err := runRecovery()
	if err != nil {
		t.Fatal(err)
	}
	if r.during > 0.06 {
		t.Errorf("failing exits got %.3f of the attempts, want at most 0.06", r.during)
	}
	if r.after < 0.6*r.before {
		t.Errorf("recovered exits got %.3f of the attempts, %.3f before they failed: want at least 0.6 of it", r.after, r.before)
	}
}

func TestCheapestGoodExitsGetMost(t *testing.T) {
	r, err := runPrices()
	if err != nil {
		t.Fatal(err)
	}
	if r.cheapest < 0.5 {
		t.Errorf("the cheapest quarter got %.3f, want more than half", r.cheapest)
	}
	if r.dearest == 0 || r.dearest > 0.1 {
		t.Errorf("the dearest quarter got %.3f, want some but at most 0.1", r.dearest)
	}
}

func TestNoHerd(t *testing.T) {
	r, err := runHerd()
	if err != nil {
		t.Fatal(err)
	}
	if r.weighted.busiest > 6 || r.weighted.limited > 0.001 || r.weighted.failed > 0.001 {
		t.Errorf("busiest exit %.1f times the mean, %.4f of attempts limited, %.5f of requests failed; want at most 6, 0.001, 0.001",
			r.weighted.busiest, r.weighted.limited, r.weighted.failed)
	}
	if r.sorted.busiest < 2*r.weighted.busiest {
		t.Errorf("sorted by price the busiest exit is %.1f times the mean, want at least twice %.1f: the scenario tests nothing",
			r.sorted.busiest, r.weighted.busiest)
	}
}

func TestPlotsAreXML(t *testing.T) {
	c := chart{"title", axis{"x", 0, 1}, axis{"y", 0, 1}}
	for name, plot := range map[string][]byte{
		"lines": c.lines([]series{{"a", []float64{1, 2, 3}}, {"b", []float64{3, 2, 1}}}),
		"dots":  c.dots([]point{{1, 2}, {3, 4}}),
	} {
		decoder := xml.NewDecoder(strings.NewReader(string(plot)))
		elements := 0
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, ok := token.(xml.StartElement); ok {
				elements++
			}
		}
		if elements < 20 {
			t.Errorf("%s: %d elements, want axes and values", name, elements)
		}
	}
}

func TestBetween(t *testing.T) {
	page := "a\n" + beginFigures + "old\n" + endFigures + "z\n"
	got, err := between([]byte(page), "new\n")
	if want := "a\n" + beginFigures + "new\n" + endFigures + "z\n"; err != nil || string(got) != want {
		t.Errorf("between = %q, %v, want %q", got, err, want)
	}
	if _, err := between([]byte("no lines"), "new\n"); err == nil {
		t.Error("between accepted a page without the lines")
	}
}
