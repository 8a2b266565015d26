// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/service"
)

// Exits that share a state directory register the same bytes, whichever began first, and when the one that
// leads has gone another goes on where it was.
func TestPool(t *testing.T) {
	relay := newTestRelay(t)
	relay.listen(t)
	cfg := Config{StateDir: t.TempDir(), Relays: []relayurl.URL{relay.url}, Backends: []Backend{helloBackend(t)}}
	leader, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stopLeader := context.WithCancel(t.Context())
	led := make(chan error, 1)
	go func() { led <- leader.Run(ctx) }()
	first := relay.next(t)
	runExit(t, cfg)
	second := relay.next(t)
	a, b := first.Registration.Signed, second.Registration.Signed
	if !bytes.Equal(a.ServiceInfo, b.ServiceInfo) || !bytes.Equal(a.Signature, b.Signature) || !bytes.Equal(a.KeyConfig, b.KeyConfig) {
		t.Error("two registrations differ")
	}
	for _, tun := range []*accepted{first, second} {
		if got := mustAsk(t, tun); got.body != "hello" {
			t.Errorf("got %+v", got)
		}
	}

	// The follower registers what the leader changes.
	changed := cfg
	changed.Operator = "changed"
	if _, err := leader.Reload(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	third, fourth := relay.next(t), relay.next(t)
	if !bytes.Equal(third.Registration.Signed.Signature, fourth.Registration.Signed.Signature) || third.Registration.Info.Operator != "changed" {
		t.Error("the follower did not follow")
	}

	stopLeader()
	if err := <-led; err != nil {
		t.Fatal(err)
	}
	fifth := relay.next(t) // of the follower, which leads now and has its own configuration
	if got := fifth.Registration; got.Info.Operator != "" || got.Hash != first.Registration.Hash ||
		got.Info.Identity != first.Registration.Info.Identity || got.Info.Sequence <= third.Registration.Info.Sequence {
		t.Errorf("then registered %+v", got.Info)
	}
	if got := mustAsk(t, fifth); got.body != "hello" {
		t.Errorf("got %+v", got)
	}
}

// followed is a leader and a follower of it, without relays.
func followed(t *testing.T) (leader, follower *maintainer, now *time.Time) {
	t.Helper()
	now = new(testStart)
	cfg := Config{
		StateDir: t.TempDir(), Relays: testRelays, Backends: []Backend{openAIBackend("http://127.0.0.1:1")},
		KeyLifetime: testLives.published, KeyOverlap: testLives.overlap, Clock: func() time.Time { return *now },
	}
	var both []*maintainer
	for range 2 {
		e, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		m, err := newMaintainer(e)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.close)
		both = append(both, m)
	}
	return both[0], both[1], now
}

func signature(m *maintainer) string {
	reg, _ := m.exit.board.current()
	if reg == nil {
		return ""
	}
	return string(reg.signed.Signature)
}

// A follower has nothing to register before its leader does, follows its keys, and leads with them.
func TestFollowKeys(t *testing.T) {
	leader, follower, now := followed(t)
	if !leader.leads() || follower.leads() {
		t.Fatal("both lead, or none")
	}
	tick := func(m *maintainer) {
		t.Helper()
		if err := m.tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tick(follower)
	if signature(follower) != "" {
		t.Fatal("the follower registers on its own")
	}
	tick(leader)
	tick(follower)
	if signature(follower) == "" || signature(follower) != signature(leader) {
		t.Fatal("the follower does not follow")
	}
	*now = now.Add(testLives.published)
	tick(leader)
	tick(follower)
	if signature(follower) != signature(leader) || len(follower.keys.state.pairs) != 2 {
		t.Error("the follower did not follow a rotation")
	}
	*now = now.Add(testLives.overlap)
	tick(leader)
	tick(follower)
	if len(follower.keys.state.pairs) != 1 {
		t.Error("the follower honours a pair that has retired")
	}
	published := leader.keys.published().id
	leader.resign()
	tick(follower)
	if !follower.leads() || follower.keys.published().id != published {
		t.Error("the follower does not lead with its leader's keys")
	}
	reg, _ := follower.exit.board.current()
	if _, err := reg.signed.Verify(*now); err != nil {
		t.Error(err)
	}
	tick(leader) // follows now
	if leader.leads() || signature(leader) != signature(follower) {
		t.Error("who led before does not follow")
	}
}

// A follower whose configuration is another says so.
func TestFollowOther(t *testing.T) {
	leader, follower, _ := followed(t)
	log := &lockedBuffer{}
	follower.cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	leader.backends[0].models = append(leader.backends[0].models, service.Model{ID: "more", Protocol: service.OpenAI})
	for _, m := range []*maintainer{leader, follower} {
		if err := m.tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(log.String(), "missing=1 offered=2") {
		t.Errorf("logged %s", log)
	}
}

// What a follower cannot use, it leaves alone.
func TestFollowDamaged(t *testing.T) {
	leader, follower, _ := followed(t)
	if err := leader.tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := follower.tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := signature(follower)
	dir := leader.cfg.StateDir
	signed, err := readPublished(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func() error{
		"not JSON": func() error { return os.WriteFile(filepath.Join(dir, publishedFile), []byte("x"), 0o600) },
		"forged": func() error {
			return writePublished(dir, &service.Signed{KeyConfig: signed.KeyConfig, ServiceInfo: signed.ServiceInfo, Signature: make([]byte, 64)})
		},
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
		if err := follower.tick(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
		if signature(follower) != want {
			t.Errorf("%s: registered", name)
		}
	}
	other := *signed
	other.KeyConfig, other.Signature = []byte("keys of another pair"), make([]byte, 64)
	if err := writePublished(dir, &other); err != nil {
		t.Fatal(err)
	}
	if err := follower.tick(t.Context()); err != nil || signature(follower) != want {
		t.Errorf("between the leader's two files: %v", err)
	}
}
