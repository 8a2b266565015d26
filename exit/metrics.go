// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokengo/tokengo/service"
)

// outcome is how a request ended: a code of package dialect or one of those below. The set is closed.
type outcome string

const (
	outcomeOK         outcome = "ok"
	outcomeRejected   outcome = "backend_answered_error" // about the request, passed on as it was
	outcomeUnknownKey outcome = "unknown_key"
	outcomeDamaged    outcome = "damaged"     // did not open
	outcomeBadRequest outcome = "bad_request" // not HTTP as an exit takes it, outside or inside
	outcomeReplayed   outcome = "replayed"    // delivered before, or not to be told from that
	outcomeDate       outcome = "date"        // the client's clock is wrong, or the request is old
	outcomeGone       outcome = "client_gone"
)

// metrics are what an operator sees of an exit. No label takes a value that a peer chooses.
type metrics struct {
	requests     *prometheus.CounterVec
	inFlight     prometheus.Gauge
	backend      *prometheus.HistogramVec
	sealedIn     prometheus.Counter
	sealedOut    prometheus.Counter
	translations *prometheus.CounterVec
	dropped      prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, e *Exit) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tokengo_exit_requests_total",
			Help: "Sealed requests, by the protocol inside and by how they ended.",
		}, []string{"protocol", "outcome"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tokengo_exit_requests_in_flight",
			Help: "Sealed requests that are being read or answered.",
		}),
		backend: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tokengo_exit_backend_seconds",
			Help:    "Time from sending a request to a backend to the end of its answer.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 9),
		}, []string{"protocol"}),
		sealedIn: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tokengo_exit_sealed_request_bytes_total",
			Help: "Bytes of sealed requests.",
		}),
		sealedOut: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tokengo_exit_sealed_answer_bytes_total",
			Help: "Bytes of sealed answers.",
		}),
		translations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tokengo_exit_translated_total",
			Help: "Requests that were translated, by the tool's protocol and the backend's.",
		}, []string{"tool", "backend"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tokengo_exit_dropped_fields_total",
			Help: "Fields of requests that the backend's protocol had no counterpart for.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.requests, m.inFlight, m.backend, m.sealedIn, m.sealedOut, m.translations, m.dropped, e.keyAge(), e.connectedTunnels(),
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

func (e *Exit) keyAge() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tokengo_exit_key_age_seconds",
		Help: "Age of the keys that are published.",
	}, func() float64 {
		made := e.keysMade.Load()
		if made == 0 {
			return 0
		}
		return e.cfg.Clock().Sub(time.UnixMilli(made)).Seconds()
	})
}

func (e *Exit) connectedTunnels() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tokengo_exit_relays_connected",
		Help: "Relays that the exit is registered with.",
	}, func() float64 {
		n := 0
		for _, l := range e.links {
			if l.status().Connected {
				n++
			}
		}
		return float64(n)
	})
}

func (m *metrics) count(r result) {
	protocol := string(r.protocol)
	if protocol == "" {
		protocol = "unknown"
	}
	m.requests.WithLabelValues(protocol, string(r.outcome)).Inc()
}

// translated notes a translation and how many fields it left out.
func (m *metrics) translated(tool, backend service.Protocol, dropped []string) {
	m.translations.WithLabelValues(string(tool), string(backend)).Inc()
	m.dropped.Add(float64(len(dropped)))
}

// took notes how long a backend needed.
func (m *metrics) took(protocol service.Protocol, d time.Duration) {
	m.backend.WithLabelValues(string(protocol)).Observe(d.Seconds())
}
