// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckOperator(t *testing.T) {
	tests := []struct {
		name string
		ok   bool
	}{
		{"", true},
		{"Example Ltd", true},
		{"Öffentliche Rechner e. V.", true},
		{strings.Repeat("x", 256), true},
		{strings.Repeat("x", 257), false},
		{"two\nlines", false},
		{"\x1b[31mred", false},
		{"not \xff text", false},
	}
	for _, test := range tests {
		if err := CheckOperator(test.name); (err == nil) != test.ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("CheckOperator(%.20q) = %v, want ok %v", test.name, err, test.ok)
		}
	}
}

func TestSameOperator(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"Example Ltd", "Example Ltd", true},
		{"Example Ltd", " example LTD\u00a0", true},
		{"Ärzte", "ÄRZTE", true},
		{"Example Ltd", "Example\t\u3000 Ltd", true},
		{"Example Ltd", "\u200bExam\u200bple\u00ad \u200b Ltd\ufeff \u200b", true},
		{"\u4e91\u7aef", " \u4e91\u7aef\u200d", true},
		{"\xff", "\xff", true},
		{"kelvin", "\u212aELVIN", true},
		{"Example Ltd", "ExampleLtd", false},
		{"Example Ltd", "Example Ltd.", false},
		{"\u200b", "\u200b", false},
		{"Example Ltd", "Example", false},
		{"Example Ltd", "", false},
		{"", "", false},
		{" ", "  ", false},
	}
	for _, test := range tests {
		if got, back := SameOperator(test.a, test.b), SameOperator(test.b, test.a); got != test.want || back != test.want {
			t.Errorf("SameOperator(%q, %q) = %v, the other way %v, want %v", test.a, test.b, got, back, test.want)
		}
	}
}

// A client compares names for every path of every request.
func TestSameOperatorAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { SameOperator(" Ärzte  Ltd", "ÄRZTE\u200b Ltd ") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
