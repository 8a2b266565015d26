// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/marked"
	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/relay"
)

// The network of the matrix.
const (
	matrixExits  = 4
	matrixRelays = 2
)

// matrix is a network in which everything can be made to fail.
type matrix struct {
	network *network.Network
	crowd   marked.Crowd
	ledger  marked.Ledger
	release chan struct{} // closed: long answers end

	backends    []*marked.Backend
	exitCables  []*network.Cable
	relayCables []*network.Cable
	relayNames  []string // host and port
	directories []*directory

	victim, victimRelay int
}

// newMatrix starts the network. What is broken before the fault's strike is broken from the start.
func newMatrix(t *testing.T, f fault) *matrix {
	t.Helper()
	m := &matrix{release: make(chan struct{})}
	m.crowd.Tools = &http.Client{Transport: &http.Transport{}}
	var cfg network.Config
	for range matrixRelays {
		m.addRelay(t, &cfg)
	}
	for i := range matrixExits {
		cfg.Exits = append(cfg.Exits, m.exit(t, i))
	}
	cfg.Client.Patience = client.Patience{Time: patience, FirstByte: patience}
	cfg.Client.AnswerTimeout, cfg.Client.StallTimeout = patience, patience
	if f.silent {
		cfg.Client.Patience.FirstByte, cfg.Client.AnswerTimeout, cfg.Client.StallTimeout = silence, silence, silence
	}
	cfg.Client.RefreshInterval = time.Second
	if f.before != nil {
		f.before(m)
	}
	m.network = start(t, cfg)
	m.crowd.URL = m.network.ClientURL()
	t.Cleanup(m.end)
	return m
}

// end lets all requests end, so that the network can.
func (m *matrix) end() {
	for _, c := range append(m.exitCables, m.relayCables...) {
		c.Mend()
	}
	select {
	case <-m.release:
	default:
		close(m.release)
	}
	m.crowd.Wait()
	m.crowd.Tools.CloseIdleConnections()
}

func (m *matrix) addRelay(t *testing.T, cfg *network.Config) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cable, directory := &network.Cable{}, &directory{served: make(chan struct{}, 100)}
	m.relayCables, m.directories = append(m.relayCables, cable), append(m.directories, directory)
	m.relayNames = append(m.relayNames, ln.Addr().String())
	cfg.RelayListeners = append(cfg.RelayListeners, cable.Listen(ln))
	cfg.Relays = append(cfg.Relays, relay.Config{
		Observe:         directory.wrap,
		ShutdownTimeout: time.Second,
	})
}

// exit is an exit of which everything goes through one cable: to the relays and to its backend.
func (m *matrix) exit(t *testing.T, i int) exit.Config {
	t.Helper()
	b := &marked.Backend{Number: i, Ledger: &m.ledger, Release: m.release}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	cable := &network.Cable{}
	m.backends, m.exitCables = append(m.backends, b), append(m.exitCables, cable)
	backends := everyProtocol(srv.URL)
	for i := range backends {
		backends[i].Transport = relayTeller{
			&http.Transport{DialContext: cable.DialContext, DisableCompression: true, MaxIdleConnsPerHost: 2 * half},
		}
	}
	return exit.Config{
		Operator: "operator " + strconv.Itoa(i), Backends: backends, DrainTimeout: time.Second,
		DialContext: cable.DialContext,
		Observe:     m.rememberRelay,
	}
}

type relayKey struct{}

// rememberRelay keeps in a request's context which relay it came from.
func (m *matrix) rememberRelay(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i, name := range m.relayNames {
			if r.RemoteAddr == name {
				r = r.WithContext(context.WithValue(r.Context(), relayKey{}, i))
			}
		}
		next.ServeHTTP(w, r)
	})
}

// relayTeller tells the backend which relay a request came from.
type relayTeller struct{ *http.Transport }

// RoundTrip implements [http.RoundTripper].
func (rt relayTeller) RoundTrip(r *http.Request) (*http.Response, error) {
	if relay, ok := r.Context().Value(relayKey{}).(int); ok {
		r = r.Clone(r.Context())
		r.Header.Set(marked.RelayField, strconv.Itoa(relay))
	}
	return rt.Transport.RoundTrip(r)
}

// directory is what a relay says of its exits, or garbage.
type directory struct {
	garbage atomic.Bool
	served  chan struct{} // garbage
}

func (d *directory) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !d.garbage.Load() {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"garbage"`)
		w.Write([]byte(`{"exits":[{"key_config":"AAAA","service_info":"e30=","signature":"\u0000`))
		select {
		case d.served <- struct{}{}:
		default:
		}
	})
}

// spoil makes it garbage, and waits until the client has seen it.
func (d *directory) spoil() {
	d.garbage.Store(true)
	for range 2 { // the first may still be on its way
		<-d.served
	}
}
