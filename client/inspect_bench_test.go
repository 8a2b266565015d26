// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"testing"
	"time"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// BenchmarkInspect measures what reports cost the client: 10,000 exits with the same 20 models.
func BenchmarkInspect(b *testing.B) {
	i, err := NewInspector(Config{})
	if err != nil {
		b.Fatal(err)
	}
	const exits, models = 10_000, 20
	v := &view{until: time.Now().Add(time.Hour), routes: 1}
	for n := range exits {
		info := &service.Info{Identity: service.Identity(fmt.Sprintf("%044d", n)), Operator: fmt.Sprint(n % 500), Tier: service.Free}
		for m := range models {
			info.Models = append(info.Models, priced(service.OpenAI, fmt.Sprintf("model-%d", m), "1"))
		}
		v.exits = append(v.exits, Exit{Info: info, Hash: service.HashOf([]byte(info.Identity)), Paths: make([]Path, 1)})
	}
	i.directory.merged.Store(v)
	i.router.update(time.Now())
	for _, bench := range []struct {
		name string
		run  func() error
	}{
		{"why", func() error { _, err := i.Why(Query{Models: []string{"model-7"}}); return err }},
		{"find", func() error { _, err := i.Find(Query{Limit: 50}); return err }},
		{"find-sorted", func() error {
			_, err := i.Find(Query{Limit: 50, Provider: &route.Preferences{Sort: route.SortPrice}})
			return err
		}},
		{"exits", func() error { i.AllExits(); return nil }},
		{"show", func() error { i.Show(string(v.exits[77].Hash)); return nil }},
		{"status", func() error { i.Status(); return nil }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := bench.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
