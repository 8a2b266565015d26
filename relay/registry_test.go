// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

// TestRotation changes an exit's keys while it works: the new registration first, then the drain of the
// old tunnel, as an exit does it.
func TestRotation(t *testing.T) {
	g := newRig(t)
	client := g.client(h2)
	running, release := make(chan struct{}), make(chan struct{})
	id := newIdentity(t)
	old := g.connect(id, func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) == "wait" {
			close(running)
			<-release
		}
		io.WriteString(w, "old")
	})
	waiting := make(chan answer, 1)
	go func() {
		a, err := g.do(client, g.request(t.Context(), old.hash(), strings.NewReader("wait")))
		if err != nil {
			t.Error(err)
		}
		waiting <- a
	}()
	<-running

	renewed := g.connect(id.sign(t, "new keys", 2), says("new"))
	if diff := cmp.Diff([]service.Hash{renewed.hash()}, g.hashes(client)); diff != "" {
		t.Errorf("the directory after the new registration (-want +got):\n%s", diff)
	}
	for hash, want := range map[service.Hash]string{old.hash(): "old", renewed.hash(): "new"} {
		if got := g.ask(client, hash, "x"); got.body != want {
			t.Errorf("before the drain the %s keys lead to %q", want, got.body)
		}
	}
	if got := g.get(client, "/exits/"+string(old.hash())+"/keys"); got.body != string(old.signed.KeyConfig) {
		t.Errorf("before the drain the old keys are %q", got.body)
	}

	old.drain()
	g.eventually("the old tunnel takes no more", func() bool { return len(g.takers(old.hash())) == 1 })
	for _, hash := range []service.Hash{old.hash(), renewed.hash()} {
		if got := g.ask(client, hash, "x"); got.body != "new" {
			t.Errorf("after the drain %s leads to %q, status %d", hash.Short(), got.body, got.status)
		}
	}
	close(release)
	if got := <-waiting; got.status != http.StatusOK || got.body != "old" {
		t.Errorf("the request that ran got status %d, %q", got.status, got.body)
	}
	if err := <-old.served; err != nil {
		t.Errorf("the old tunnel ended with %v", err)
	}
	if diff := cmp.Diff([]service.Hash{renewed.hash()}, g.hashes(client)); diff != "" {
		t.Errorf("the directory at the end (-want +got):\n%s", diff)
	}
}

// TestManyRotations keeps the last keys routable and forgets older ones.
func TestManyRotations(t *testing.T) {
	g := newRig(t)
	client := g.client(h2)
	id := newIdentity(t)
	var last *session
	hashes := make([]service.Hash, maxHashes+2)
	for i := range hashes {
		previous := last
		last = g.connect(id.sign(t, fmt.Sprint("keys ", i), int64(i)), echo)
		hashes[i] = last.hash()
		if previous != nil {
			previous.drain()
			<-previous.served
		}
	}
	for i, hash := range hashes {
		want := http.StatusOK
		if i < len(hashes)-maxHashes {
			want = http.StatusNotFound
		}
		g.eventually("the old tunnels are gone", func() bool { _, n := g.relay.registry.counts(); return n == 1 })
		if got := g.ask(client, hash, "x"); got.status != want {
			t.Errorf("keys %d of %d: status %d, want %d", i, len(hashes), got.status, want)
		}
	}
}

func TestAdmission(t *testing.T) {
	known := newIdentity(t).sign(t, "keys", 5)
	other := newIdentity(t)
	tests := []struct {
		name string
		id   identity
		want tunnel.Code
	}{
		{"the same registration again", known, ""},
		{"a newer one", known.sign(t, "newer keys", 6), ""},
		{"an older one", known.sign(t, "keys", 4), tunnel.CodeSequence},
		{"an older one with other keys", known.sign(t, "other keys", 4), tunnel.CodeSequence},
		{"another identity", other, ""},
		{"another identity with the same keys", other.sign(t, "keys", 9), tunnel.CodeHashTaken},
	}
	for _, connected := range []bool{true, false} {
		for _, test := range tests {
			t.Run(fmt.Sprintf("%s, connected %v", test.name, connected), func(t *testing.T) {
				g := newRig(t)
				client := g.client(h2)
				s := g.connect(known, says("known"))
				if !connected {
					s.conn.Close()
					g.eventually("the exit is gone", func() bool { _, n := g.relay.registry.counts(); return n == 0 })
				}
				_, err := g.register(test.id, says("other"))
				if got := refusedWith(err); got != test.want {
					t.Errorf("refused with %q (%v), want %q", got, err, test.want)
				}
				if test.want == "" {
					return
				}
				g.eventually("the refusal is counted", func() bool { return g.metric("tokengo_relay_registrations_refused_total") == 1 })
				if got := g.ask(client, known.hash(), "x"); connected && got.body != "known" {
					t.Errorf("then a request to the known exit got status %d, %q", got.status, got.body)
				}
			})
		}
	}
}

func TestRegistryFull(t *testing.T) {
	g := newRig(t, func(c *Config) { c.MaxExits = 2 })
	first := newIdentity(t)
	g.connect(first, echo)
	second := g.connect(newIdentity(t), echo)
	refused := func(id identity) tunnel.Code {
		_, err := g.register(id, echo)
		return refusedWith(err)
	}
	if got := refused(newIdentity(t)); got != tunnel.CodeFull {
		t.Errorf("a third exit: refused with %q", got)
	}
	if got := refused(first.sign(t, "new keys", 2)); got != "" {
		t.Errorf("a known exit: refused with %q", got)
	}
	second.conn.Close()
	g.eventually("the second is gone", func() bool { exits, _ := g.relay.registry.counts(); return exits == 1 })
	if got := refused(newIdentity(t)); got != tunnel.CodeFull {
		t.Errorf("a third exit, while the second may come back: refused with %q", got)
	}
	if got := refused(second.identity); got != "" {
		t.Errorf("the second, come back: refused with %q", got)
	}
}

// TestForgetting fills a registry with exits that are gone, one of them for good.
func TestForgetting(t *testing.T) {
	ends := func(d time.Duration) func(*service.Info) {
		return func(in *service.Info) { in.NotBefore, in.Expires = time.Now().Add(-2*time.Hour), time.Now().Add(d) }
	}
	expired, valid, connected := newIdentity(t, ends(-time.Hour)), newIdentity(t, ends(time.Hour)), newIdentity(t, ends(-time.Hour))
	g := newRegistry(3)
	for _, id := range []identity{expired, valid} {
		g.remove(g.add(id.registration(t), standing{}))
	}
	g.add(connected.registration(t), standing{})

	fresh := newIdentity(t).registration(t)
	if err := g.admit(fresh); err != nil {
		t.Errorf("with one that can be forgotten: %v", err)
	}
	for id, want := range map[*identity]bool{&expired: false, &valid: true, &connected: true} {
		reg := id.registration(t)
		_, member := g.identities[reg.Info.Identity]
		_, hash := g.hashes[reg.Hash]
		if member != want || hash != want {
			t.Errorf("expires %v: kept %v, its keys %v, want %v", reg.Info.Expires, member, hash, want)
		}
	}
	g.add(fresh, standing{})
	if got := refusedWith(g.admit(newIdentity(t).registration(t))); got != tunnel.CodeFull {
		t.Errorf("with none that can be forgotten: refused with %q", got)
	}
}

func TestTunnelsOfOneIdentityAreBounded(t *testing.T) {
	g := newRegistry(10)
	reg := newIdentity(t).registration(t)
	for i := range maxTunnels {
		if err := g.admit(reg); err != nil {
			t.Fatalf("tunnel %d: %v", i, err)
		}
		g.add(reg, standing{})
	}
	if got := refusedWith(g.admit(reg)); got != tunnel.CodeFull {
		t.Errorf("refused with %q", got)
	}
	if err := g.admit(newIdentity(t).registration(t)); err != nil {
		t.Errorf("another identity: %v", err)
	}
}

// TestRaceForKeys has two identities admitted with the same keys before either is added.
func TestRaceForKeys(t *testing.T) {
	rig := newRig(t)
	g := rig.relay.registry
	winner, loser := newIdentity(t).sign(t, "keys", 1), newIdentity(t).sign(t, "keys", 1)
	for _, id := range []identity{winner, loser} {
		if err := g.admit(id.registration(t)); err != nil {
			t.Fatal(err)
		}
	}
	s := rig.connect(winner, says("winner"))
	g.add(loser.registration(t), standing{})
	client := rig.client(h2)
	d := rig.directory(client)
	if len(d.Exits) != 1 || string(d.Exits[0].Signature) != string(s.signed.Signature) {
		t.Errorf("the directory shows %d exits", len(d.Exits))
	}
	if got := rig.ask(client, s.hash(), "x"); got.body != "winner" {
		t.Errorf("the keys lead to %q, status %d", got.body, got.status)
	}
}

// TestSnapshotOfThePast has an exit come while the directory is being built.
func TestSnapshotOfThePast(t *testing.T) {
	g := newRegistry(10)
	p := newPublisher(g, time.Hour)
	now := time.Now()
	if p.current(now) != nil {
		t.Fatal("a snapshot without anybody having asked")
	}
	s, err := p.directory(now)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := p.directory(now); again != s || err != nil {
		t.Errorf("it was built again though nothing has changed: %v", err)
	}
	old, err := p.build(now)
	if err != nil {
		t.Fatal(err)
	}
	g.add(newIdentity(t).registration(t), standing{})
	p.publish(old, now)
	if p.current(now) != nil {
		t.Error("a snapshot without the new exit is served")
	}
}
