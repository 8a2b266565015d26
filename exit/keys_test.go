// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/internal/keyfile"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

var (
	testStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	testLives = lifetimes{24 * time.Hour, 2 * time.Hour}
)

func openTestStore(t *testing.T, dir string, now time.Time) *keyStore {
	t.Helper()
	s, err := openKeyStore(dir, testLives, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tickStore(t *testing.T, s *keyStore, now time.Time) bool {
	t.Helper()
	changed, err := s.tick(now)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func listOf(t *testing.T, p *keyPair) []byte {
	t.Helper()
	list, err := p.configs()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// opens reports whether the store opens what is sealed to a list, to each of its keys.
func opens(t *testing.T, s *keyStore, list []byte) bool {
	t.Helper()
	ring, err := s.keyring()
	if err != nil {
		t.Fatal(err)
	}
	configs, err := ohttp.ParseKeyConfigs(list)
	if err != nil {
		t.Fatal(err)
	}
	opened := 0
	for i := range configs {
		sealed, err := ohttp.SealRequest(&configs[i], ohttp.Whole, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		o, err := ring.OpenRequest(sealed, ohttp.Whole, 0)
		if errors.Is(err, ohttp.ErrUnknownKey) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(o); err == nil {
			opened++
		}
	}
	if opened != 0 && opened != len(configs) {
		t.Errorf("opens %d keys of %d", opened, len(configs))
	}
	return opened > 0
}

func TestPublishedList(t *testing.T) {
	s := openTestStore(t, "", testStart)
	configs, err := ohttp.ParseKeyConfigs(listOf(t, s.published()))
	if err != nil {
		t.Fatal(err)
	}
	if len(configs) != 2 || configs[0].KEM != ohttp.KEMXWing || configs[1].KEM != ohttp.KEMX25519 || configs[1].ID != configs[0].ID+1 {
		t.Errorf("got %+v, want X-Wing and then X25519 with the next identifier", configs)
	}
}

func TestRotation(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := openTestStore(t, dir, testStart)
	first := listOf(t, s.published())
	if tickStore(t, s, testStart.Add(24*time.Hour-time.Second)) {
		t.Error("keys changed before their time")
	}
	if got, want := s.nextTick(), testStart.Add(24*time.Hour); !got.Equal(want) {
		t.Errorf("next tick at %v, want %v", got, want)
	}
	rotated := testStart.Add(24 * time.Hour)
	if !tickStore(t, s, rotated) {
		t.Error("keys did not rotate")
	}
	second := listOf(t, s.published())
	if bytes.Equal(first, second) || !opens(t, s, first) || !opens(t, s, second) {
		t.Error("after the rotation both pairs have to open")
	}
	if got, want := s.nextTick(), rotated.Add(2*time.Hour); !got.Equal(want) {
		t.Errorf("next tick at %v, want %v", got, want)
	}

	// A restart within the overlap honours both, publishes the same, and is the same exit.
	again := openTestStore(t, dir, rotated.Add(time.Hour))
	if !bytes.Equal(listOf(t, again.published()), second) || !opens(t, again, first) || !again.identity.Equal(s.identity) {
		t.Error("a restart changes keys or identity")
	}

	before, err := os.ReadFile(filepath.Join(dir, keysFile))
	if err != nil {
		t.Fatal(err)
	}
	if !tickStore(t, again, rotated.Add(2*time.Hour)) || opens(t, again, first) || !opens(t, again, second) {
		t.Error("the old pair does not retire")
	}
	after, err := os.ReadFile(filepath.Join(dir, keysFile))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(before), "x_wing") != 2 || strings.Count(string(after), "x_wing") != 1 {
		t.Error("the retired pair is still on disk")
	}

	// A restart after a long time begins anew.
	late := openTestStore(t, dir, rotated.Add(1000*time.Hour))
	if opens(t, late, first) || opens(t, late, second) || !opens(t, late, listOf(t, late.published())) {
		t.Error("a late restart honours what has retired")
	}
}

// Descriptions expire before the keys they name are forgotten.
func TestExpires(t *testing.T) {
	p := openTestStore(t, "", testStart).published()
	if got, want := p.expires(), testStart.Add(25*time.Hour); !got.Equal(want) {
		t.Errorf("expires %v, want %v", got, want)
	}
}

// A lifetime that was shortened, or a clock that was wrong, does not keep a pair alive.
func TestPairFromTheFuture(t *testing.T) {
	dir := t.TempDir()
	first := listOf(t, openTestStore(t, dir, testStart.Add(48*time.Hour)).published())
	s := openTestStore(t, dir, testStart)
	if bytes.Equal(listOf(t, s.published()), first) || !opens(t, s, first) {
		t.Error("want a new pair, and the old one honoured")
	}
}

func TestSequence(t *testing.T) {
	dir := t.TempDir()
	s := openTestStore(t, dir, testStart)
	var last int64
	for i, now := range []time.Time{testStart, testStart, testStart.Add(-time.Hour), testStart.Add(time.Hour)} {
		n, err := s.nextSequence(now)
		if err != nil {
			t.Fatal(err)
		}
		if n <= last || n < now.UnixMilli() {
			t.Errorf("step %d: %d after %d", i, n, last)
		}
		last = n
		s = openTestStore(t, dir, now)
	}
}

// Identifiers wrap, and none is used for two pairs at once.
func TestIdentifiers(t *testing.T) {
	s, err := openKeyStore("", lifetimes{time.Hour, 100 * time.Hour}, testStart)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		tickStore(t, s, testStart.Add(time.Duration(i)*time.Hour))
		seen := map[uint8]bool{}
		for _, p := range s.state.pairs {
			if p.id%2 != 0 || seen[p.id] {
				t.Fatalf("after %d h: identifier %d is odd or used twice", i, p.id)
			}
			seen[p.id] = true
		}
	}
	if n := len(s.state.pairs); n != 101 {
		t.Errorf("%d pairs, want 101", n)
	}
	full := keyState{}
	for range 128 {
		full.pairs = append(full.pairs, &keyPair{id: full.freeID()})
	}
	oldest := full.pairs[0].id
	if id := full.freeID(); id != oldest || len(full.pairs) != 127 {
		t.Errorf("with none left: %d, %d pairs", id, len(full.pairs))
	}
}

func TestSecretFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes")
	}
	for _, name := range []string{identityFile, keysFile} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a", "b")
			openTestStore(t, dir, testStart)
			path := filepath.Join(dir, name)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v", info.Mode())
			}
			if err := os.Chmod(path, 0o640); err != nil {
				t.Fatal(err)
			}
			if _, err := openKeyStore(dir, testLives, testStart); !errors.Is(err, keyfile.ErrExposed) || !strings.Contains(err.Error(), "chmod 600") {
				t.Errorf("a file that others can read: %v", err)
			}
		})
	}
}

func TestDamagedFiles(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	wrongKey := string(pem.EncodeToMemory(&pem.Block{Type: pemPrivateKey, Bytes: der}))
	for _, tt := range []struct{ file, content string }{
		{identityFile, ""},
		{identityFile, canaryKey},
		{identityFile, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
		{identityFile, wrongKey},
		{keysFile, ""},
		{keysFile, `{"version":1,"sequence":"` + canaryKey + `"}`},
		{keysFile, `{"version":2}`},
		{keysFile, `{"version":1,"pairs":[{"id":2,"x_wing":"AAAA","x25519":"AAAA"}]}`},
		{keysFile, `{"version":1,"pairs":[{"id":3}]}`},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, tt.file), []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := openKeyStore(dir, testLives, testStart)
		if err == nil || !strings.Contains(err.Error(), tt.file) || strings.Contains(err.Error(), canaryKey) {
			t.Errorf("%s %q: %v", tt.file, tt.content, err)
		}
		after, readErr := os.ReadFile(filepath.Join(dir, tt.file))
		if readErr != nil || string(after) != tt.content {
			t.Errorf("%s %q was replaced", tt.file, tt.content)
		}
	}
}

// What cannot be written does not happen.
func TestUnwritable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := openTestStore(t, dir, testStart)
	published := s.published()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if changed, err := s.tick(testStart.Add(25 * time.Hour)); err == nil && changed {
		t.Error("keys changed that are not on disk")
	}
	if _, err := s.nextSequence(testStart); err == nil {
		t.Error("a sequence number that is not on disk")
	}
	if s.published() != published || len(s.state.pairs) != 1 {
		t.Error("the state has changed")
	}
	_, err := New(Config{Relays: testRelays, Backends: []Backend{openAIBackend("http://h")}, StateDir: dir})
	if err != nil {
		t.Errorf("New looks at the disk: %v", err)
	}
	e, err := New(Config{Relays: testRelays, Backends: []Backend{openAIBackend("http://h")}, StateDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(t.Context()); err == nil {
		t.Error("Run begins without a state directory")
	}
}

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	id, err := Identity(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Identity(dir)
	if err != nil || again != id {
		t.Errorf("then %v, %v; first %v", again, err, id)
	}
	if _, err := id.PublicKey(); err != nil {
		t.Error(err)
	}
	if _, err := Identity(""); err == nil {
		t.Error("no directory: no error")
	}
}

// Requests that are sealed to a pair which was replaced are answered until it retires, and then told so.
func TestOldKeysAtTheHandler(t *testing.T) {
	now := testStart
	url := backendServer(t, func(http.ResponseWriter, *http.Request) {})
	r := newRig(t, Config{
		Backends: []Backend{openAIBackend(url)}, StateDir: t.TempDir(),
		KeyLifetime: testLives.published, KeyOverlap: testLives.overlap, Clock: func() time.Time { return now },
	})
	old := r.config(t, ohttp.KEMXWing)
	send := func() *http.Response {
		t.Helper()
		sealed, err := ohttp.SealRequest(old, ohttp.Chunked, bytes.NewReader(chat().encode(t)))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := r.outer(t.Context(), t, ohttp.Chunked.RequestType(), sealed)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		if resp.StatusCode == 200 {
			if _, err := bhttp.ReadResponse(sealed.OpenResponse(resp.Body, 0), bhttp.Limits{}); err != nil {
				t.Error(err)
			}
		}
		return resp
	}
	m := r.maintainer
	for _, step := range []struct {
		after  time.Duration
		status int
		hashes int
	}{{0, 200, 1}, {24 * time.Hour, 200, 2}, {26*time.Hour - time.Second, 200, 2}, {26 * time.Hour, 400, 2}} {
		now = testStart.Add(step.after)
		before, _ := r.exit.board.current()
		if err := m.tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		reg, _ := r.exit.board.current()
		if got := send(); got.StatusCode != step.status {
			t.Errorf("after %v: status %d, want %d", step.after, got.StatusCode, step.status)
		}
		if _, err := reg.signed.Verify(now); err != nil {
			t.Errorf("after %v: %v", step.after, err)
		}
		if step.after == 24*time.Hour {
			if reg == before || reg.info.Sequence <= before.info.Sequence || reg.signed.Hash() == before.signed.Hash() {
				t.Error("the rotation was not published")
			}
		} else if reg != before {
			t.Errorf("after %v: registered anew for nothing", step.after)
		}
	}
	if got := r.exit.Status(); got.Hash != service.HashOf(r.list(t)) || got.Info == nil || got.Relays[0].Connected {
		t.Errorf("status %+v", got)
	}
}

// Keys that another identity registered first are replaced, and the old ones still honoured; young keys stay.
func TestTakenKeysAreReplaced(t *testing.T) {
	now := time.Now()
	e, err := New(Config{
		Relays: []relayurl.URL{{Host: "127.0.0.1:1"}}, Backends: []Backend{openAIBackend("http://127.0.0.1:1")},
		Clock: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := newMaintainer(e)
	if err != nil {
		t.Fatal(err)
	}
	first := m.keys.published()
	e.noteRefusal(&tunnel.RefusedError{Code: tunnel.CodeHashTaken})
	e.noteRefusal(&tunnel.RefusedError{Code: tunnel.CodeHashTaken}) // does not block
	if len(e.taken) != 1 {
		t.Fatal("the refusal was not noted")
	}
	if err := m.replaceTaken(); err != nil || m.keys.published() != first {
		t.Errorf("young keys were replaced, %v", err)
	}
	now = now.Add(minKeyAge)
	if err := m.replaceTaken(); err != nil {
		t.Fatal(err)
	}
	if m.keys.published().id == first.id || len(m.keys.state.pairs) != 2 {
		t.Errorf("keys were not replaced: %d pairs", len(m.keys.state.pairs))
	}
	if _, err := m.keys.tick(now.Add(time.Minute)); err != nil || len(m.keys.state.pairs) != 2 {
		t.Errorf("after a minute %d pairs, %v; the old one is honoured for an hour", len(m.keys.state.pairs), err)
	}
}
