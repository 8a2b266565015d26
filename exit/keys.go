// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/tokengo/tokengo/internal/keyfile"
	"github.com/tokengo/tokengo/ohttp"
)

// keysFile holds the key pairs that are published or still honoured, and the last sequence number.
const keysFile = "ohttp-keys.json"

const keysVersion = 1 // of keysFile

// lifetimes is how long pairs that are made from now on live.
type lifetimes struct{ published, overlap time.Duration }

// keyStore is an exit's secrets: its identity and its pairs of sealing keys. What is in memory is never
// ahead of what is on disk, so that a restart neither forgets a key that clients have seen nor uses a
// sequence number again. It is not safe for concurrent use.
type keyStore struct {
	dir      string // "" keeps nothing
	lives    lifetimes
	identity ed25519.PrivateKey
	state    keyState
}

// keyState is what a store has, apart from the identity. It is copied to be changed.
type keyState struct {
	sequence int64
	pairs    []*keyPair // newest last; the last is the one that is published
}

// keyPair is the two keys that are published together: X-Wing with identifier id, X25519 with id + 1.
type keyPair struct {
	id       uint8 // even
	made     time.Time
	notAfter time.Time // when the next pair takes its place
	retires  time.Time // when it is no longer honoured
	keys     []*ohttp.PrivateKey
}

// openKeyStore reads the secrets in dir or makes what is missing. Afterwards the last pair is one to
// publish now.
func openKeyStore(dir string, lives lifetimes, now time.Time) (*keyStore, error) {
	identity, err := openIdentity(dir)
	if err != nil {
		return nil, err
	}
	s := &keyStore{dir: dir, lives: lives, identity: identity}
	if err := s.load(); err != nil {
		return nil, err
	}
	_, err = s.tick(now)
	return s, err
}

// tick makes the next pair when it is time and forgets those that have retired. It reports whether
// anything changed; after an error nothing has.
func (s *keyStore) tick(now time.Time) (changed bool, err error) {
	next := keyState{sequence: s.state.sequence, pairs: slices.Clone(s.state.pairs)}
	next.pairs = slices.DeleteFunc(next.pairs, func(p *keyPair) bool { return !now.Before(p.retires) })
	if s.due(next.pairs, now) {
		pair, err := newKeyPair(next.freeID(), now, s.lives)
		if err != nil {
			return false, fmt.Errorf("make the next keys: %w", err)
		}
		next.pairs = append(next.pairs, pair)
	}
	if slices.Equal(next.pairs, s.state.pairs) {
		return false, nil
	}
	return true, s.commit(next)
}

// replace publishes a new pair from now on, whatever the lifetime of the last, which stays honoured.
func (s *keyStore) replace(now time.Time) error {
	next := keyState{sequence: s.state.sequence, pairs: slices.Clone(s.state.pairs)}
	last := *s.published()
	last.notAfter = now
	pair, err := newKeyPair(next.freeID(), now, s.lives)
	if err != nil {
		return fmt.Errorf("make the next keys: %w", err)
	}
	next.pairs[len(next.pairs)-1] = &last
	next.pairs = append(next.pairs, pair)
	return s.commit(next)
}

// due reports whether the last pair is not, or no longer, one to publish. One from the future is due,
// too: the clock was wrong then, or the lifetime has been shortened since.
func (s *keyStore) due(pairs []*keyPair, now time.Time) bool {
	if len(pairs) == 0 {
		return true
	}
	last := pairs[len(pairs)-1]
	return !now.Before(last.notAfter) || last.notAfter.Sub(now) > s.lives.published
}

// nextTick is when tick will next have something to do.
func (s *keyStore) nextTick() time.Time {
	at := s.published().notAfter
	for _, p := range s.state.pairs {
		if p.retires.Before(at) {
			at = p.retires
		}
	}
	return at
}

// published is the pair to publish.
func (s *keyStore) published() *keyPair { return s.state.pairs[len(s.state.pairs)-1] }

// keyring is all pairs that are honoured.
func (s *keyStore) keyring() (*ohttp.Keyring, error) {
	var keys []*ohttp.PrivateKey
	for _, p := range s.state.pairs {
		keys = append(keys, p.keys...)
	}
	return ohttp.NewKeyring(keys...)
}

// nextSequence is a number that is higher than any before: the time, so that an exit whose state was
// lost but for its identity is not taken for its own past.
func (s *keyStore) nextSequence(now time.Time) (int64, error) {
	next := keyState{sequence: max(s.state.sequence+1, now.UnixMilli()), pairs: s.state.pairs}
	if err := s.commit(next); err != nil {
		return 0, err
	}
	return next.sequence, nil
}

// freeID is an even identifier that none of the pairs has: the one after the last, or a random one to
// begin with, so that a client which holds keys of a lost state is told so instead of failing to be understood.
func (st *keyState) freeID() uint8 {
	var id uint8
	if n := len(st.pairs); n > 0 {
		id = st.pairs[n-1].id + 2
	} else {
		var b [1]byte
		rand.Read(b[:]) // never fails
		id = b[0] &^ 1
	}
	for range 128 {
		if !slices.ContainsFunc(st.pairs, func(p *keyPair) bool { return p.id == id }) {
			return id
		}
		id += 2
	}
	id = st.pairs[0].id // only if lifetimes were changed wildly: the oldest has to go
	st.pairs = st.pairs[1:]
	return id
}

func newKeyPair(id uint8, now time.Time, lives lifetimes) (*keyPair, error) {
	now = now.UTC().Truncate(time.Millisecond)
	p := &keyPair{id: id, made: now, notAfter: now.Add(lives.published)}
	p.retires = p.notAfter.Add(lives.overlap)
	for i, kem := range pairKEMs() {
		key, err := ohttp.GenerateKey(id+uint8(i), kem)
		if err != nil {
			return nil, err
		}
		p.keys = append(p.keys, key)
	}
	return p, nil
}

// pairKEMs are the KEMs of a pair in the order in which they are published: the one to prefer first.
func pairKEMs() [2]ohttp.KEM { return [...]ohttp.KEM{ohttp.KEMXWing, ohttp.KEMX25519} }

// configs is the pair as an application/ohttp-keys list.
func (p *keyPair) configs() ([]byte, error) {
	var configs []ohttp.KeyConfig
	for _, key := range p.keys {
		configs = append(configs, key.Config())
	}
	return ohttp.MarshalKeyConfigs(configs)
}

// expires is when descriptions that name the pair do: half of the overlap before it retires.
func (p *keyPair) expires() time.Time { return p.notAfter.Add(p.retires.Sub(p.notAfter) / 2) }

// storedKeys is the content of keysFile.
type storedKeys struct {
	Version  int          `json:"version"`
	Sequence int64        `json:"sequence"`
	Pairs    []storedPair `json:"pairs"`
}

type storedPair struct {
	ID       uint8     `json:"id"`
	Made     time.Time `json:"made"`
	NotAfter time.Time `json:"not_after"`
	Retires  time.Time `json:"retires"`
	XWing    []byte    `json:"x_wing"`
	X25519   []byte    `json:"x25519"`
}

// commit writes next to disk and then makes it the state.
func (s *keyStore) commit(next keyState) error {
	if s.dir == "" {
		s.state = next
		return nil
	}
	stored := storedKeys{Version: keysVersion, Sequence: next.sequence, Pairs: []storedPair{}}
	for _, p := range next.pairs {
		sp, err := p.store()
		if err != nil {
			return fmt.Errorf("write keys: %w", err)
		}
		stored.Pairs = append(stored.Pairs, sp)
	}
	data, err := json.MarshalIndent(stored, "", "  ")
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	if err := keyfile.Write(filepath.Join(s.dir, keysFile), append(data, '\n')); err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	s.state = next
	return nil
}

func (p *keyPair) store() (storedPair, error) {
	sp := storedPair{ID: p.id, Made: p.made, NotAfter: p.notAfter, Retires: p.retires}
	for i, dst := range []*[]byte{&sp.XWing, &sp.X25519} {
		raw, err := p.keys[i].Bytes()
		if err != nil {
			return storedPair{}, err
		}
		*dst = raw
	}
	return sp, nil
}

// load reads keysFile, if there is one. Its errors never repeat what is in it.
func (s *keyStore) load() error {
	if s.dir == "" {
		return nil
	}
	path := filepath.Join(s.dir, keysFile)
	data, err := keyfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	var stored storedKeys
	if json.Unmarshal(data, &stored) != nil || stored.Version != keysVersion {
		return fmt.Errorf("read keys: %s is damaged or of another version; move it away to make new keys", path)
	}
	state := keyState{sequence: stored.Sequence}
	for i, sp := range stored.Pairs {
		pair, err := sp.pair()
		if err != nil {
			return fmt.Errorf("read keys: %s: pair %d: %w", path, i+1, err)
		}
		if slices.ContainsFunc(state.pairs, func(p *keyPair) bool { return p.id == pair.id }) {
			return fmt.Errorf("read keys: %s: pair %d has the identifier of another", path, i+1)
		}
		state.pairs = append(state.pairs, pair)
	}
	s.state = state
	return nil
}

func (sp storedPair) pair() (*keyPair, error) {
	if sp.ID%2 != 0 {
		return nil, errors.New("its identifier is odd")
	}
	p := &keyPair{id: sp.ID, made: sp.Made, notAfter: sp.NotAfter, retires: sp.Retires}
	kems := pairKEMs()
	for i, raw := range [][]byte{sp.XWing, sp.X25519} {
		key, err := ohttp.NewPrivateKey(sp.ID+uint8(i), kems[i], raw)
		if err != nil {
			return nil, err
		}
		p.keys = append(p.keys, key)
	}
	return p, nil
}
