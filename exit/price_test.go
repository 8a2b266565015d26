// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"math/big"
	"testing"

	"github.com/tokengo/tokengo/service"
)

func TestShifted(t *testing.T) {
	for _, tt := range []struct {
		amount string
		places int
		want   service.Decimal // "" for none
	}{
		{"0.0000025", 6, "2.5"},
		{"0.00000015", 6, "0.15"},
		{"0.000000039999999", 6, "0.039999999"},
		{"0.0000000399999999", 6, ""}, // finer than a description can say
		{"0", 6, "0"},
		{"0.000", 6, "0"},
		{"1", 6, "1000000"},
		{"000.5", 6, "500000"},
		{"999.999999", 6, "999999999"},
		{"1000", 6, ""}, // more than a description can say
		{"0.003613", 0, "0.003613"},
		{"2.50", 0, "2.5"},
		{"0.000000000000000001", 6, ""},
		{"-1", 6, ""},
		{"", 6, ""},
		{"1e-6", 6, ""},
		{".5", 6, ""},
		{"5.", 6, ""},
		{"0.0000000000000000001", 6, ""},
		{"١", 6, ""},
	} {
		got, ok := shifted(tt.amount, tt.places)
		if !ok {
			got = ""
		}
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("shifted(%q, %d) = %q, %v, want %q", tt.amount, tt.places, got, ok, tt.want)
		}
	}
}

// Whatever is converted is exactly the amount, a million times.
func FuzzShifted(f *testing.F) {
	f.Add("0.0000025")
	f.Add("12.000000000001")
	f.Fuzz(func(t *testing.T, amount string) {
		got, ok := shifted(amount, millionDigits)
		if !ok {
			return
		}
		want, okWant := new(big.Rat).SetString(amount)
		have, okHave := new(big.Rat).SetString(string(got))
		if !okWant || !okHave || have.Cmp(want.Mul(want, big.NewRat(1_000_000, 1))) != 0 {
			t.Errorf("%q became %q", amount, got)
		}
	})
}
