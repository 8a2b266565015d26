// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what an operator sees of a relay. No label takes a value that a peer chooses, and none
// joins a client to an exit.
type metrics struct {
	requests    *prometheus.CounterVec
	answerBytes prometheus.Counter
	refused     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, g *registry) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tokengo_relay_requests_total",
			Help: "Sealed requests by how forwarding ended.",
		}, []string{"outcome"}),
		answerBytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tokengo_relay_answer_bytes_total",
			Help: "Bytes of sealed answers sent to clients.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tokengo_relay_registrations_refused_total",
			Help: "Registrations of exits that were not taken.",
		}),
	}
	if reg == nil {
		return m
	}
	gauge := func(name, help string, value func() float64) prometheus.GaugeFunc {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	reg.MustRegister(m.requests, m.answerBytes, m.refused,
		gauge("tokengo_relay_exits", "Exits with at least one tunnel.", func() float64 {
			exits, _ := g.counts()
			return float64(exits)
		}),
		gauge("tokengo_relay_tunnels", "Connected tunnels.", func() float64 {
			_, tunnels := g.counts()
			return float64(tunnels)
		}),
	)
	return m
}
