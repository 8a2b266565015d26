// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// What was learned must survive a restart, fade meanwhile, and be shown and cleared.
func TestSnapshot(t *testing.T) {
	sla := func(i *service.Info, _ *service.Model) { i.SLA = &service.SLA{MaxTTFTMillis: 100} }
	tiers := []route.Tier{{Name: "t", Budget: &route.Budget{Amount: 100, Period: route.Month}}}
	offers := []*offer{newOffer("good-exit"), newOffer("bad-exit", sla)}
	b := newBench(t, route.Config{Tiers: tiers}, offers...)
	o := fine
	o.Usage = route.Usage{InputTokens: 1_000_000, CachedTokens: 500_000}
	b.reports("good-exit", 8, o)
	b.reports("bad-exit", 4, fine)
	b.reports("bad-exit", 3, failed)
	raw, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	later := newBench(t, route.Config{Tiers: tiers}, offers...)
	later.now = b.now.Add(time.Hour)
	if err := later.Restore(raw); err != nil {
		t.Fatal(err)
	}
	known := later.Known("")
	if len(known) != 2 || known[0].Exit != "bad-exit" {
		t.Fatalf("known %+v", known)
	}
	bad, good := known[0], known[1]
	if !near(good.Succeeded, 4) || !near(bad.Failed, 1.5) || !near(bad.Broken, 2) || !near(good.Broken, 0) {
		t.Errorf("after a half-life: %+v, %+v", good, bad)
	}
	if good.TTFT < 400*time.Millisecond || good.TTFT > 600*time.Millisecond || good.TokensPerSecond < 40 || good.TokensPerSecond > 60 {
		t.Errorf("median %s and %.0f tokens/s, want about 500 ms and 50", good.TTFT, good.TokensPerSecond)
	}
	if good.Score <= bad.Score {
		t.Errorf("score %f of the good, %f of the bad", good.Score, bad.Score)
	}
	if s := later.TierStatus()[0]; !near(s.Spent, 8) {
		t.Errorf("spent %f, want 8", s.Spent)
	}
	later.Clear("bad-exit")
	if left := later.Known(""); len(left) != 1 || left[0].Exit != "good-exit" {
		t.Errorf("after clearing one: %+v", left)
	}
	later.Clear("")
	if left := later.Known(""); len(left) != 0 {
		t.Errorf("after clearing all: %+v", left)
	}
}

func near(a, b float64) bool { return a > b-0.02 && a < b+0.02 }

func TestRestoreRefuses(t *testing.T) {
	b := newBench(t, route.Config{}, newOffer("exit-one"))
	b.reports("exit-one", 1, fine)
	for name, raw := range map[string]string{
		"no JSON": "x", "version": `{"version":2}`, "negative": `{"version":1,"records":[{"exit":"a","good":-1}]}`,
		"huge":              `{"version":1,"records":[{"exit":"a","bad":1e300}]}`,
		"long distribution": `{"version":1,"records":[{"latency":[` + strings.Repeat("1,", 32) + `1]}]}`,
		"long name":         `{"version":1,"records":[{"model":"` + strings.Repeat("x", 300) + `"}]}`,
		"size":              strings.Repeat(" ", route.MaxSnapshotBytes+1),
	} {
		if err := b.Restore([]byte(raw)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if len(b.Known("")) != 1 {
		t.Error("a snapshot that was refused changed what is known")
	}
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"version":1,"records":[{"exit":"a","model":"m","protocol":"openai","at":"2026-03-01T11:00:00Z","good":2,"latency":[0,1]}]}`))
	f.Add([]byte(`{"version":1,"records":[],"spent":[{"tier":"t","since":"2026-03-01T00:00:00Z","amount":3}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b := newBench(t, route.Config{MaxRecords: 4, Tiers: []route.Tier{{Name: "t", Budget: &route.Budget{Amount: 1, Period: route.Day}}}}, newOffer("a"))
		if b.Restore(raw) != nil {
			return
		}
		for _, k := range b.Known("") {
			if !(k.Score > 0 && k.Score <= 1) {
				t.Errorf("score %f of %+v", k.Score, k)
			}
		}
		again, err := b.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Restore(again); err != nil {
			t.Errorf("its own snapshot is refused: %v", err)
		}
		b.Plan(asks("m")).Next()
	})
}

// What is remembered is bounded: what says least makes room.
func TestMemoryIsBounded(t *testing.T) {
	var offers []*offer
	for i := range 50 {
		offers = append(offers, newOffer(fmt.Sprintf("exit-%04d", i)))
	}
	b := newBench(t, route.Config{MaxRecords: 10}, offers...)
	b.reports("exit-0007", 5, fine)
	for i := range 50 {
		b.reports(fmt.Sprintf("exit-%04d", i), 1, failed)
	}
	known := b.Known("")
	if len(known) > 10 {
		t.Errorf("%d records, want at most 10", len(known))
	}
	if len(b.Known("exit-0007")) != 1 {
		t.Error("the record that says most was forgotten")
	}
}

// What is learned stays when the directory changes, and counts again when an exit comes back.
func TestUpdateKeepsWhatWasLearned(t *testing.T) {
	good, bad := newOffer("good-exit"), newOffer("bad-exit")
	b := newBench(t, route.Config{Random: always(0.5)}, good, bad)
	b.reports("bad-exit", 3, failed)
	b.update(good)
	if got := b.order(asks("m")); got != "good-exit" {
		t.Errorf("without it: %q", got)
	}
	b.update(bad, good)
	if got := b.order(asks("m")); got != "good-exit bad-exit" {
		t.Errorf("back again: %q", got)
	}
}

// A record that a file has twice counts once.
func TestRestoreTwice(t *testing.T) {
	b := newBench(t, route.Config{}, newOffer("exit-one"))
	record := func(latency string) string {
		return `{"exit":"exit-one","model":"m","protocol":"openai","at":"2026-03-01T12:00:00Z","good":4,"latency":[` + latency + `]}`
	}
	if err := b.Restore([]byte(`{"version":1,"records":[` + record("4") + `,` + record("0,0,0,0,0,0,0,0,0,0,4") + `]}`)); err != nil {
		t.Fatal(err)
	}
	if got := b.Known("")[0].Factors.Latency; got != 0.5 {
		t.Errorf("the only exit is %.3f as fast as its peers, want 0.5", got)
	}
}
