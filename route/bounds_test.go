// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/tokengo/tokengo/service"
)

// described is an exit by its description alone.
type described struct{ info *service.Info }

func (d described) Service() *service.Info { return d.info }

// newcomers are exits that nobody has seen before, with two models of their own names and one that all have.
func newcomers(round, n int) (exits []Exit) {
	for i := range n {
		name := strconv.Itoa(round) + "-" + strconv.Itoa(i)
		info := &service.Info{Identity: service.Identity(name), Operator: name, Tier: service.Free}
		for _, id := range []string{"m", "a-" + name, "b-" + name} {
			info.Models = append(info.Models, service.Model{ID: id, Protocol: service.OpenAI})
		}
		exits = append(exits, described{info})
	}
	return exits
}

// Exits that come under new names all the time, models that are called anew, conversations without end and failures of
// every kind leave behind no more than was agreed.
func TestChurnIsBounded(t *testing.T) {
	const rounds, each, requests, limit = 100, 100, 1000, 500
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(1, 2))
	c, err := New(Config{
		MaxRecords: limit, MaxConversations: limit, Tiers: []Tier{{Name: "a"}, {Name: "b"}},
		Now: func() time.Time { return now }, Random: random.Float64,
	})
	if err != nil {
		t.Fatal(err)
	}
	for round := range rounds {
		exits := newcomers(round, each)
		c.Update(exits)
		for range requests {
			now = now.Add(36 * time.Millisecond) // 10,000 exits an hour
			own := exits[random.IntN(each)].Service().Models[random.IntN(3)].ID
			r := &Request{
				Protocols: []service.Protocol{service.OpenAI}, Models: []string{own, "m", "unknown-" + own},
				Conversation: strconv.Itoa(random.IntN(10_000)),
			}
			p := c.Plan(r)
			for range 3 {
				to, ok := p.Next()
				if !ok {
					break
				}
				c.Report(to, Outcome{Result: Result(random.IntN(int(Inconclusive) + 1)), RetryAfter: time.Duration(random.IntN(2)) * time.Hour})
			}
		}
		c.Refresh()
		for name, n := range map[string]int{
			"records": len(c.memory.records), "models": len(c.memory.byModel), "breakers": len(c.breakers),
			"conversations": len(c.affinity.byKey), "conversations in order": c.affinity.recent.Len(), "usual": len(c.usual),
		} {
			if n > limit {
				t.Fatalf("round %d: %d %s, over the limit of %d", round, n, name, limit)
			}
		}
	}
}
