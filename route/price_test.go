// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/tokengo/tokengo/service"
)

func TestAmount(t *testing.T) {
	tests := []service.Decimal{
		"0", "0.0", "2.50", "0.075", "1.1", "0.000000001", "123456789.123456", "123456789.1234567", "999999999.999999999",
		"", ".", "1.2.3", "-1", "1e3", "x", "0x1p4",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		tests = append(tests, service.Decimal(strconv.FormatFloat(random.Float64()*100, 'f', random.IntN(10), 64)))
	}
	for _, d := range tests {
		want, err := strconv.ParseFloat(string(d), 64)
		if err != nil {
			want = 0
		}
		if got := amount(d); got != want {
			t.Errorf("amount(%q) = %v, want %v", d, got, want)
		}
	}
}

func TestNth(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		costs := make([]float32, 1+random.IntN(200))
		kinds := 1 + random.IntN(50)
		for i := range costs {
			costs[i] = float32(random.IntN(kinds))
		}
		sorted := slices.Sorted(slices.Values(costs))
		n := random.IntN(len(costs))
		if got := nth(costs, n); got != sorted[n] {
			t.Fatalf("place %d of %v: %v, want %v", n, sorted, got, sorted[n])
		}
		if n > 0 && slices.Max(costs[:n]) > sorted[n] || slices.Min(costs[n:]) < sorted[n] {
			t.Fatalf("not parted at %d: %v", n, costs)
		}
	}
}

func TestScale(t *testing.T) {
	listings := make([]listing, 20)
	for i := range listings {
		listings[i].prices = rates{float32(20 - i), 0, float32(max(0, i-17))}
		listings[i].owner = int32(i)
	}
	rows := []int32{3, 1, 2, 0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
	var scales scaler
	for range 2 {
		want := scale{usual: rates{11, 0, 2}, dear: rates{19, 0, 2}}
		if got := scales.of(listings, rows); got != want {
			t.Errorf("scale %+v, want %+v", got, want)
		}
	}
	if got := scales.of(listings, nil); got != (scale{}) {
		t.Errorf("scale of nothing %+v", got)
	}
}

type indexed struct{ info service.Info }

func (e *indexed) Service() *service.Info { return &e.info }

// Whatever the order of exits, the rows of an owner lie next to each other in every table, each once.
func TestOwnersLieTogether(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var exits []Exit
	for i := range 200 {
		e := &indexed{service.Info{Identity: service.Identity(strconv.Itoa(i)), Operator: []string{"a", "b", "c", ""}[random.IntN(4)]}}
		for m := range random.IntN(4) {
			id := strconv.Itoa(random.IntN(5))
			e.info.Models = append(e.info.Models, service.Model{
				ID: id, Protocol: service.Protocols()[m], Aliases: []string{strconv.Itoa(random.IntN(7)), "x", "x"},
			})
		}
		exits = append(exits, e)
	}
	short := func(_ service.Protocol, name string) string { return "short " + name }
	ix := NewIndex(exits, Naming{Normal: short, Aliases: map[string][]string{"1": {"2", "new"}}}, Money{})
	for name, n := range ix.names {
		rows := ix.tables[n-1].rows
		seen := map[int32]bool{}
		for i, row := range rows {
			owner := ix.listings[row].owner
			if i > 0 && ix.listings[rows[i-1]].owner != owner && seen[owner] {
				t.Fatalf("%q: the rows of an owner are not together", name)
			}
			seen[owner] = true
			if !ix.contains(ix.tables[n-1], row) || slices.Contains(rows[i+1:], row) {
				t.Fatalf("%q: row %d is not found, or found twice", name, row)
			}
		}
	}
	if x := ix.table("short x"); x == nil || len(x.rows) != len(ix.listings) {
		t.Error("not all who have an alias are found by its other spelling")
	}
	if a, b := ix.table("2"), ix.table("new"); a == nil || a != b || a != ix.table("1") {
		t.Error("a family has more than one table")
	}
}
