// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/tokengo/tokengo/route"
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

// observe looks at which stalls the client knows.
func (m *market) observe() error {
	standings := make([]standing, len(m.stalls))
	for _, e := range m.network.Client().Exits() {
		if i, ok := m.byHash[e.Hash]; ok {
			standings[i] = standing{known: true}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.standings = standings
	return nil
}
