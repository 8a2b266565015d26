// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

func identities(exits []Exit) []service.Identity {
	ids := []service.Identity{}
	for _, e := range exits {
		ids = append(ids, e.Info.Identity)
	}
	return ids
}

// One entry that does not verify is left out and harms no other.
func TestDirectoryEntries(t *testing.T) {
	offer := models(service.OpenAI, "m")
	broken := map[string]func(*service.Entry){
		"hash of other keys": func(e *service.Entry) { e.PubKeyHash = service.HashOf(nil) },
		"changed keys":       func(e *service.Entry) { e.KeyConfig[9] ^= 1; e.PubKeyHash = service.HashOf(e.KeyConfig) },
		"changed description": func(e *service.Entry) {
			e.ServiceInfo = bytes.Replace(e.ServiceInfo, []byte("tester"), []byte("other!"), 1)
		},
		"changed signature":      func(e *service.Entry) { e.Signature[0] ^= 1 },
		"empty":                  func(e *service.Entry) { *e = service.Entry{} },
		"description is garbage": func(e *service.Entry) { e.ServiceInfo = []byte("{") },
		"somebody else's keys": func(e *service.Entry) {
			other := newExit(t, newIdentity(t), testInfo(offer))
			e.KeyConfig, e.PubKeyHash = other.entry.KeyConfig, other.entry.PubKeyHash
		},
		"expired": func(e *service.Entry) {
			info := testInfo(offer)
			info.NotBefore, info.Expires = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
			*e = newExit(t, newIdentity(t), info).entry
		},
		"not yet valid": func(e *service.Entry) {
			info := testInfo(offer)
			info.NotBefore = time.Now().Add(time.Hour / 2)
			*e = newExit(t, newIdentity(t), info).entry
		},
		"no keys": func(e *service.Entry) {
			signed, err := service.Sign(newIdentity(t), []byte{0, 1, 2}, testInfo(offer))
			if err != nil {
				t.Fatal(err)
			}
			*e = service.Entry{
				PubKeyHash: signed.Hash(), KeyConfig: signed.KeyConfig,
				ServiceInfo: signed.ServiceInfo, Signature: signed.Signature,
			}
		},
	}
	for name, spoil := range broken {
		t.Run(name, func(t *testing.T) {
			good, bad := newExit(t, newIdentity(t), testInfo(offer)), newExit(t, newIdentity(t), testInfo(offer))
			spoil(&bad.entry)
			relay := newTestRelay(t, bad, good)
			c := start(t, Config{}, relay)
			want := []service.Identity{service.IdentityOf(good.identity.Public().(ed25519.PublicKey))}
			if diff := cmp.Diff(want, identities(c.Exits())); diff != "" {
				t.Errorf("exits (-want +got):\n%s", diff)
			}
			if status := c.Relays()[0]; status.Exits != 1 || status.Dropped != 1 || status.Err != nil {
				t.Errorf("status = %+v, want one exit and one dropped", status)
			}
			fetched, err := fetch(t.Context(), relay.url)
			if diff := cmp.Diff(want, identities(fetched)); diff != "" || err != nil {
				t.Errorf("Fetch: %v, exits (-want +got):\n%s", err, diff)
			}
			c.expectChat("{}")
		})
	}
}

// A directory that cannot be read is a failed look; the one before still counts.
func TestDirectoryGarbage(t *testing.T) {
	garbage := map[string]http.HandlerFunc{
		"not JSON": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"empty":    func(http.ResponseWriter, *http.Request) {},
		"status":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"redirect": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "/"); w.WriteHeader(302) },
		"compressed oddly": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			io.WriteString(w, "x")
		},
		"not gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "x")
		},
		"endless":    func(w http.ResponseWriter, r *http.Request) { endless(w, r) },
		"cut":        func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"exits":[`) },
		"broken off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, answer := range garbage {
		t.Run(name, func(t *testing.T) {
			relay := newTestRelay(t, newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m"))))
			c := start(t, Config{RefreshInterval: time.Millisecond}, relay)
			relay.set(func() {
				relay.list = func(w http.ResponseWriter, r *http.Request) bool { answer(w, r); return true }
			})
			eventually(t, "a look fails", func() bool { return c.Relays()[0].Err != nil })
			if n := len(c.Exits()); n != 1 {
				t.Errorf("%d exits, want the one from before", n)
			}
			c.expectChat("{}")
			relay.set(func() { relay.list = nil })
			eventually(t, "a look succeeds", func() bool { return c.Relays()[0].Err == nil })
		})
	}
}

// endless is a directory that never ends and packs well: the client, not the network, is what it keeps busy.
func endless(w http.ResponseWriter, _ *http.Request) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	io.WriteString(zip, strings.Repeat(" ", 1<<20))
	zip.Close()
	w.Header().Set("Content-Encoding", "gzip")
	for { // one after the other they are one, RFC 1952 section 2.2
		if _, err := w.Write(packed.Bytes()); err != nil {
			return
		}
	}
}

func TestDirectoryExpires(t *testing.T) {
	info := testInfo(models(service.OpenAI, "m"))
	info.Expires = time.Now().Add(2 * time.Second).Truncate(time.Second)
	c := start(t, Config{RefreshInterval: time.Hour}, newTestRelay(t, newExit(t, newIdentity(t), info)))
	if n := len(c.directory.list(info.Expires.Add(-time.Nanosecond))); n != 1 {
		t.Errorf("%d exits before the end, want 1", n)
	}
	if n := len(c.directory.list(info.Expires)); n != 0 {
		t.Errorf("%d exits at the end, want 0", n)
	}
}

func TestTrustedIdentities(t *testing.T) {
	mine, other := newIdentity(t), newIdentity(t)
	relay := newTestRelay(t, newExit(t, mine, testInfo(models(service.OpenAI, "m"))),
		newExit(t, other, testInfo(models(service.OpenAI, "m", "n"))))
	pinned := service.IdentityOf(mine.Public().(ed25519.PublicKey))
	c := start(t, Config{Identities: []service.Identity{pinned}}, relay)
	if diff := cmp.Diff([]service.Identity{pinned}, identities(c.Exits())); diff != "" {
		t.Errorf("exits (-want +got):\n%s", diff)
	}
	if resp := c.do("POST", "/v1/chat/completions", `{"model":"n"}`); resp.StatusCode != 404 {
		t.Errorf("model of an exit that is not trusted: status %d", resp.StatusCode)
	}
	stranger := service.IdentityOf(newIdentity(t).Public().(ed25519.PublicKey))
	c = start(t, Config{Identities: []service.Identity{stranger}}, relay)
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if message, code := errorText(t, service.OpenAI, read(t, resp)); code != "no_exit" || !strings.Contains(message, relay.url.Host) {
		t.Errorf("code %q, message %q", code, message)
	}
}

// threeVersions are one exit's descriptions with the sequences 0 to 2, each with keys of its own.
func threeVersions(t *testing.T) (versions []*testExit) {
	identity := newIdentity(t)
	for sequence := range 3 {
		info := testInfo(models(service.OpenAI, "m"))
		info.Sequence = int64(sequence)
		versions = append(versions, newExit(t, identity, info))
	}
	return versions
}

// Of one identity the highest sequence counts, wherever it is listed.
func TestNewestDescriptionWins(t *testing.T) {
	versions := threeVersions(t)
	c := start(t, Config{}, newTestRelay(t, versions[0], versions[2], versions[1]), newTestRelay(t, versions[1]))
	exits := c.Exits()
	if len(exits) != 1 || exits[0].Info.Sequence != 2 || len(exits[0].Paths) != 1 {
		t.Errorf("exits = %+v, want sequence 2 through one relay", exits)
	}
}

// A relay that has not heard of the newest description reaches the exit all the same while its keys are the same: the
// other one may go away just then.
func TestOlderDescriptionOfTheSameKeysIsAPath(t *testing.T) {
	described := func(sequence int64, maxCtx int) *service.Info {
		info := testInfo(models(service.OpenAI, "m"))
		info.Sequence, info.Models[0].MaxCtx = sequence, maxCtx
		return info
	}
	before := newExit(t, newIdentity(t), described(1, 10))
	after := &testExit{identity: before.identity, ring: before.ring, answer: before.answer, entry: before.entry}
	signed, err := service.Sign(before.identity, before.entry.KeyConfig, described(2, 20))
	if err != nil {
		t.Fatal(err)
	}
	after.entry.ServiceInfo, after.entry.Signature = signed.ServiceInfo, signed.Signature
	for _, order := range [][2]*testExit{{before, after}, {after, before}} {
		first, second := newTestRelay(t, order[0]), newTestRelay(t, order[1])
		c := start(t, Config{}, first, second)
		eventually(t, "both have answered", func() bool { return c.Relays()[0].Exits+c.Relays()[1].Exits == 2 })
		exits := c.Exits()
		if len(exits) != 1 || exits[0].Info.Models[0].MaxCtx != 20 || len(exits[0].Paths) != 2 || exits[0].Paths[0].Relay != first.url {
			t.Errorf("exits = %+v, want the newer one through both relays, in their order", exits)
		}
		first.server.CloseClientConnections()
		first.server.Close()
		c.expectChat("{}")
	}
}

// A relay that lists again what its exit has replaced does not have it used.
func TestOlderDescriptionAgain(t *testing.T) {
	versions := threeVersions(t)
	s := newSegmented(t, []*testExit{versions[1]})
	c := start(t, Config{RefreshInterval: time.Millisecond}, s.relay)
	list := func(e *testExit) { s.set(func() { s.exits = [][]*testExit{{e}} }) }
	list(versions[0])
	eventually(t, "the older one is not used", func() bool { return len(c.Exits()) == 0 })
	if status := c.Relays()[0]; status.Exits != 1 {
		t.Errorf("the relay's directory: %+v", status)
	}
	list(versions[2])
	eventually(t, "a newer one is", func() bool { return len(c.Exits()) == 1 && c.Exits()[0].Info.Sequence == 2 })
	list(versions[1])
	eventually(t, "the one before is not", func() bool { return len(c.Exits()) == 0 })
}

// What is remembered of exits is bounded, and strangers do not push it out.
func TestNewestIsBounded(t *testing.T) {
	now := time.Now()
	described := func(i int, sequence int64, expires time.Time) Exit {
		return Exit{Info: &service.Info{Identity: service.Identity(strconv.Itoa(i)), Sequence: sequence, Expires: expires}}
	}
	n := newest{}
	n.isOver(described(0, 2, now.Add(time.Hour)), now)
	for i := range maxNewest + 10 {
		n.isOver(described(i+1, 2, now.Add(time.Minute)), now)
	}
	if again := described(0, 1, now.Add(2*time.Hour)); !n.isOver(again, now) || n.isOver(again, now.Add(time.Hour)) {
		t.Error("the older description counts until the newer one expires, or does not after that")
	}
	n.isOver(described(0, 2, now.Add(time.Hour)), now)
	if !n.isOver(described(0, 1, now.Add(time.Hour)), now) || len(n) != maxNewest {
		t.Errorf("strangers pushed an exit out of %d", len(n))
	}
	later := now.Add(time.Minute)
	if n.isOver(described(-1, 2, later.Add(time.Hour)), later); len(n) != 2 {
		t.Errorf("%d are remembered when most have expired, want 2", len(n))
	}
}

// Two descriptions of one sequence: which one counts must not depend on chance.
func TestEqualSequences(t *testing.T) {
	identity := newIdentity(t)
	a := newExit(t, identity, testInfo(models(service.OpenAI, "m"))).entry.PubKeyHash
	x := Exit{Info: &service.Info{Sequence: 1}, Hash: a}
	y := Exit{Info: &service.Info{Sequence: 1}, Hash: a + "0"}
	if got, back := newer(x, y), newer(y, x); got.Hash != a || back.Hash != a {
		t.Errorf("newer gives %q and %q, want the lower hash both ways", got.Hash, back.Hash)
	}
}

// Requests are sealed to the post-quantum key if there is one, wherever it stands in the list.
func TestStrongestKey(t *testing.T) {
	tests := []struct {
		kems []ohttp.KEM
		want ohttp.KEM
	}{
		{[]ohttp.KEM{ohttp.KEMXWing, ohttp.KEMX25519}, ohttp.KEMXWing},
		{[]ohttp.KEM{ohttp.KEMX25519, ohttp.KEMXWing}, ohttp.KEMXWing},
		{[]ohttp.KEM{ohttp.KEMX25519}, ohttp.KEMX25519},
	}
	for _, tt := range tests {
		exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")), tt.kems...)
		e, err := verifyEntry(exit.entry.Signed(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if e.exit.key.KEM != tt.want {
			t.Errorf("of %x the client uses %x, want %x", tt.kems, e.exit.key.KEM, tt.want)
		}
		start(t, Config{}, newTestRelay(t, exit)).expectChat("{}")
	}
	if _, err := strongest(nil); err == nil {
		t.Error("a list without usable keys was accepted")
	}
}

// The directory is downloaded once and then only asked for changes; it shows no trace of its client.
func TestDirectoryRequests(t *testing.T) {
	relay := newTestRelay(t, newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m"))))
	var headers []http.Header
	relay.list = func(_ http.ResponseWriter, r *http.Request) bool {
		relay.set(func() { headers = append(headers, r.Header.Clone()) })
		if r.URL.RawQuery != "" {
			t.Errorf("query %q", r.URL.RawQuery)
		}
		return false
	}
	start(t, Config{RefreshInterval: time.Millisecond}, relay)
	eventually(t, "unchanged directories", func() bool {
		relay.mu.Lock()
		defer relay.mu.Unlock()
		return relay.notAgain >= 3
	})
	relay.mu.Lock()
	defer relay.mu.Unlock()
	if relay.fetches > relay.notAgain+2 {
		t.Errorf("%d looks, %d of them unchanged", relay.fetches, relay.notAgain)
	}
	if diff := cmp.Diff(http.Header{"Accept-Encoding": {"gzip"}}, headers[0]); diff != "" {
		t.Errorf("first request's header (-want +got):\n%s", diff)
	}
	if want := []string{"Accept-Encoding", "If-None-Match"}; len(headers[1]) != len(want) || headers[1].Get(want[1]) == "" {
		t.Errorf("second request's header: %v", headers[1])
	}
}

// Many requests that find nothing share looks at the directory.
func TestRefreshIsShared(t *testing.T) {
	relay := newTestRelay(t)
	c := start(t, Config{RefreshInterval: time.Hour}, relay)
	relay.set(func() { relay.exits = []*testExit{newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))} })
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() { c.directory.pollers[0].refresh(t.Context(), time.Now()) })
	}
	group.Wait()
	relay.set(func() {
		if relay.fetches > 3 {
			t.Errorf("%d looks for 50 refreshes, want them shared", relay.fetches)
		}
	})
	c.expectChat("{}")
}

// A tool that is early waits for the first look instead of failing.
func TestRequestBeforeTheFirstLook(t *testing.T) {
	relay := newTestRelay(t, newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m"))))
	hold := make(chan struct{})
	relay.list = func(http.ResponseWriter, *http.Request) bool { <-hold; return false }
	c := startUnready(t, Config{}, relay)
	got := make(chan *http.Response, 1)
	go func() {
		resp, err := c.send(t.Context(), "POST", "/v1/chat/completions", strings.NewReader(chatBody))
		if err != nil {
			t.Error(err)
		}
		got <- resp
	}()
	close(hold)
	if resp := <-got; resp == nil || resp.StatusCode != 200 {
		t.Errorf("answer %v", resp)
	}
}
