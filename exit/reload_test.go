// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/service"
)

// A request that runs when the configuration changes is answered to its end by the backend that it went to,
// while new ones find what the new description offers.
func TestReload(t *testing.T) {
	relay := newTestRelay(t)
	relay.listen(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	old := openAIBackend(backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		flush(w, "old ")
		close(begun)
		<-finish
		io.WriteString(w, "backend")
	}))
	cfg := Config{StateDir: t.TempDir(), Relays: []relayurl.URL{relay.url}, Backends: []Backend{old}}
	e, _ := runExit(t, cfg)
	first := relay.next(t)
	running := make(chan reply)
	go func() { running <- mustAsk(t, first) }()
	<-begun

	next := cfg
	next.Backends = []Backend{helloBackend(t)}
	next.Backends[0].Models = []service.Model{{
		ID: "gpt-new", Aliases: []string{"gpt-test"}, Pricing: &service.Pricing{InputPer1M: "1", OutputPer1M: "2", Currency: "EUR"},
	}}
	next.Tier, next.Betas, next.SLA = service.Premium, []string{"b"}, &service.SLA{MaxTTFTMillis: 700}
	next.StateDir, next.StallTimeout = "", time.Hour
	kept, err := e.Reload(t.Context(), next)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"StateDir", "StallTimeout"}, kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	second := relay.next(t)
	was, is := first.Registration.Info, second.Registration.Info
	if is.Sequence <= was.Sequence || is.Identity != was.Identity || second.Registration.Hash != first.Registration.Hash {
		t.Error("the new registration does not follow the first")
	}
	if is.Tier != service.Premium || is.Models[0].ID != "gpt-new" || is.Models[0].Pricing.OutputPer1M != "2" || is.SLA.MaxTTFTMillis != 700 || len(is.Betas) != 1 {
		t.Errorf("described as %+v", is)
	}
	if got := mustAsk(t, second); got.body != "hello" {
		t.Errorf("a new request got %+v", got)
	}
	within(t, 10*time.Second, "the old tunnel takes nothing new", first.left)
	close(finish)
	if got := <-running; got.body != "old backend" || got.err != nil {
		t.Errorf("the request that ran got %+v", got)
	}
}

// A configuration that cannot be used changes nothing, and one that describes the same is not registered anew.
func TestReloadChangesNothing(t *testing.T) {
	relay := newTestRelay(t)
	relay.listen(t)
	cfg := Config{Relays: []relayurl.URL{relay.url}, Backends: []Backend{helloBackend(t)}}
	e, _ := runExit(t, cfg)
	tun := relay.next(t)
	bad := cfg
	bad.Backends = []Backend{{Protocol: service.OpenAI, URL: "ftp://x"}}
	if _, err := e.Reload(t.Context(), bad); err == nil {
		t.Error("a backend by FTP was taken")
	}
	bad = cfg
	bad.SLA = &service.SLA{Uptime: 2}
	if _, err := e.Reload(t.Context(), bad); err == nil {
		t.Error("an uptime of 2 was taken")
	}
	if got := mustAsk(t, tun); got.body != "hello" {
		t.Errorf("got %+v", got)
	}
	same := cfg
	same.Operator = "x"
	if _, err := e.Reload(t.Context(), same); err != nil {
		t.Fatal(err)
	}
	if got := relay.next(t).Registration.Info.Operator; got != "x" {
		t.Errorf("operator %q", got)
	}
	if n := len(relay.accepted); n != 0 {
		t.Errorf("%d registrations more", n)
	}
}

// Requests of the old configuration count under the limits of the new one.
func TestReloadKeepsCount(t *testing.T) {
	relay := newTestRelay(t)
	relay.listen(t)
	begun, finish := make(chan struct{}, 1), make(chan struct{})
	cfg := Config{Relays: []relayurl.URL{relay.url}, Backends: []Backend{openAIBackend(backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-finish
		io.WriteString(w, "done")
	}))}}
	cfg.Backends[0].MaxConcurrent = 5
	e, _ := runExit(t, cfg)
	first := relay.next(t)
	running := make(chan reply)
	go func() { running <- mustAsk(t, first) }()
	<-begun
	next := cfg
	next.Operator = "x"
	next.Backends = []Backend{cfg.Backends[0]}
	next.Backends[0].MaxConcurrent = 1
	if _, err := e.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if got := mustAsk(t, relay.next(t)); got.status != http.StatusTooManyRequests {
		t.Errorf("got %+v", got)
	}
	close(finish)
	if got := <-running; got.body != "done" {
		t.Errorf("got %+v", got)
	}
}
