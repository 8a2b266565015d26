// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts what the client does. No label has a value that a peer chooses.
type metrics struct {
	requests *prometheus.CounterVec
	retries  prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, dir *directory) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tokengo_client_requests_total",
			Help: "Requests of AI tools, by the protocol the tool spoke and by how they ended.",
		}, []string{"protocol", "outcome"}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tokengo_client_retries_total",
			Help: "Times that a request was sent again before any of an answer had come.",
		}),
	}
	exits := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tokengo_client_exits",
		Help: "Exits that are known and verified.",
	}, func() float64 { return float64(len(dir.list(time.Now()))) })
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tokengo_client_directory_age_seconds",
		Help: "Time since a relay last answered for its directory; -1 when none ever did.",
	}, func() float64 {
		if age, ok := dir.age(time.Now()); ok {
			return age.Seconds()
		}
		return -1
	})
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.retries, exits, age} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}
