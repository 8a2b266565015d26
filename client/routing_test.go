// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"crypto/ed25519"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// While a changed directory is indexed, requests go to the exits of before.
func TestRequestsDoNotWaitForTheIndex(t *testing.T) {
	a, b := offering(t), offering(t)
	a.answer, b.answer = plainAnswer(`{"from":"a"}`), plainAnswer(`{"from":"b"}`)
	relay := newTestRelay(t, a)
	c := start(t, Config{RefreshInterval: time.Millisecond}, relay)
	c.expectChat(`{"from":"a"}`)
	c.router.indexing.Lock() // as long as a large one would take
	relay.set(func() { relay.exits = []*testExit{a, b} })
	eventually(t, "the directory has the second exit", func() bool { return len(c.Exits()) == 2 })
	c.expectChat(`{"from":"a"}`)
	relay.set(func() { relay.exits = []*testExit{b} })
	eventually(t, "the directory has the second exit alone", func() bool { return len(c.Exits()) == 1 })
	c.router.indexing.Unlock()
	eventually(t, "the index is that of the directory", func() bool {
		return c.router.indexed.Load() == c.directory.view(time.Now()).routes+1
	})
	c.expectChat(`{"from":"b"}`)
}

// An exit whose description has expired since the exits were indexed is not used.
func TestExpiredSinceTheIndex(t *testing.T) {
	c := &course{proxy: &proxy{paths: newPaths(newDirectory(Config{}))}}
	info := testInfo(models(service.OpenAI, "m"))
	info.Expires = time.Now().Add(-time.Second)
	url := relayurl.URL{Host: "relay.test"}
	c.proxy.paths.directory.pollers = []*poller{{relay: newRelay(url, nil)}}
	exit := Exit{Info: info, Paths: []Path{{Relay: url}}}
	if got := c.paths(route.Candidate{Exit: exit}); len(got) != 0 {
		t.Errorf("paths %v to an exit that has expired", got)
	}
	info.Expires = time.Now().Add(time.Minute)
	if got := c.paths(route.Candidate{Exit: exit}); len(got) != 1 {
		t.Errorf("paths %v, want one", got)
	}
}

// The memory is written when something was learned, and not again for nothing.
func TestMemoryIsSavedWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, memoryFile)
	_, i := inspected(t, Config{StateDir: dir})
	saved := func() bool {
		t.Helper()
		i.router.save()
		err := os.Remove(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return err == nil
	}
	if saved() {
		t.Error("nothing was learned, and it was written")
	}
	report(t, i, "Cheap", "large", route.Outcome{Result: route.Succeeded})
	if !saved() {
		t.Error("what was learned is not written")
	}
	report(t, i, "Cheap", "large", route.Outcome{Result: route.Inconclusive})
	if saved() {
		t.Error("nothing more was learned, and it was written again")
	}
	if err := i.Forget(""); err != nil || !saved() {
		t.Errorf("error %v, want a file that says that all is forgotten", err)
	}
}

// What the requests teach that end while the client stops is saved, too.
func TestLastRequestsAreRemembered(t *testing.T) {
	goOn, dir := make(chan struct{}), t.TempDir()
	c, _, exit := network(t, Config{StateDir: dir}, func(x *exchange) {
		x.head(200, eventStream)
		x.check(x.chunk("data: 1\n\n"))
		<-goOn
		x.end()
	})
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if _, err := io.ReadFull(resp.Body, make([]byte, len("data: 1\n\n"))); err != nil {
		t.Fatal(err)
	}
	stopped := c.beginStop()
	close(goOn)
	read(t, resp)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	saved, err := os.ReadFile(filepath.Join(dir, memoryFile))
	if id := string(service.IdentityOf(exit.identity.Public().(ed25519.PublicKey))); err != nil || !strings.Contains(string(saved), id) {
		t.Errorf("saved %s, %v, want what %s did", saved, err, id)
	}
}
