// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// standing is how the client sees an exit.
type standing struct {
	known  bool // it is in the directory
	score  float64
	breaks route.State
}

// said is the state of the circuit breaker, for people.
func (s standing) said() string {
	if !s.known {
		return "gone"
	}
	return string(s.breaks)
}

func (s standing) scored() string {
	if !s.known {
		return "-"
	}
	return fmt.Sprintf("%.2f", s.score)
}

// standing is how the client saw a stall at the last look.
func (m *market) standing(i int) standing {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.standings[i]
}

// observe looks at what the client thinks of each stall, as 'tokengo why' does.
func (m *market) observe() error {
	why, err := m.network.Client().Inspector().Why(client.Query{Protocol: service.OpenAI, Models: []string{demoModel}})
	if err != nil {
		return err
	}
	standings := make([]standing, len(m.stalls))
	for _, v := range why.Candidates {
		if i, ok := m.byHash[v.Exit]; ok {
			standings[i] = standing{known: true, score: v.Score, breaks: v.State}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.standings = standings
	return nil
}
