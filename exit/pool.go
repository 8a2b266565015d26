// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/tokengo/tokengo/internal/keyfile"
	"github.com/tokengo/tokengo/service"
)

// Processes that share a state directory are one exit: the same identity, the same keys, and the same signed
// description byte for byte, so that relays see one registration with several tunnels and spread requests over
// them. The process that holds the lock leads: it rotates keys and signs descriptions, and leaves both in the
// directory. The others follow: they read both and register with them. The system frees the lock when a
// process ends, however it does, and one of the others then leads.

const (
	lockFile      = "lock"             // is held, and has no content
	publishedFile = "description.json" // what the leader registers with; nothing in it is secret
)

// published is the content of publishedFile.
type published struct {
	KeyConfig   []byte `json:"key_config"`
	ServiceInfo []byte `json:"service_info"` // the signed bytes
	Signature   []byte `json:"signature"`
}

// leads reports whether this process makes keys and descriptions.
func (m *maintainer) leads() bool { return m.lock != nil || m.cfg.StateDir == "" && m.keys != nil }

// tryToLead takes the lead unless another process has it.
func (m *maintainer) tryToLead() error {
	if m.leads() {
		return nil
	}
	var lock *stateLock
	if m.cfg.StateDir != "" {
		var err error
		if lock, err = lockState(m.cfg.StateDir); lock == nil {
			return err
		}
	}
	keys, err := openKeyStore(m.cfg.StateDir, lifetimes{m.cfg.KeyLifetime, m.cfg.KeyOverlap}, m.cfg.Clock())
	if err != nil {
		lock.release()
		return err
	}
	if err := m.leadReplays(keys); err != nil {
		lock.release()
		return err
	}
	m.lock, m.keys, m.pair = lock, keys, nil
	return m.honour()
}

// leadReplays has the process remember requests for the exit. One that followed goes on with what it knows.
func (m *maintainer) leadReplays(keys *keyStore) (err error) {
	h := m.exit.handler
	if h.replays != nil {
		m.cfg.Logger.Info("this process leads the exit now")
		return h.replays.lead(m.cfg.StateDir, keys)
	}
	h.replays, err = openReplays(m.cfg.StateDir, m.cfg.KeyLifetime+m.cfg.KeyOverlap, keys, m.cfg.Clock)
	return err
}

// follow registers with what the leader has published since the last time, if that is complete.
func (m *maintainer) follow() error {
	if !m.isDescribed() {
		_, whole, err := m.serve()
		if err != nil {
			return err
		}
		m.described = whole
	}
	signed, err := readPublished(m.cfg.StateDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the leader has only begun
	}
	if err != nil {
		return err
	}
	if err := m.followKeys(); err != nil {
		return err
	}
	if reg, _ := m.exit.board.current(); reg != nil && bytes.Equal(reg.signed.Signature, signed.Signature) {
		return nil
	}
	if !m.keys.publishes(signed.KeyConfig) {
		return nil // the leader is between writing the one file and the other
	}
	if _, err := signed.Verify(m.cfg.Clock()); err != nil {
		return fmt.Errorf("read %s: %w", publishedFile, err)
	}
	if err := m.register(signed); err != nil {
		return err
	}
	m.compare()
	return nil
}

// compare tells the operator when this process cannot serve what its leader says of both.
func (m *maintainer) compare() {
	reg, _ := m.exit.board.current()
	own := m.exit.handler.offer.Load()
	missing := 0
	for i := range reg.info.Models {
		if _, ok := own.index[modelName{reg.info.Models[i].Protocol, reg.info.Models[i].ID}]; !ok {
			missing++
		}
	}
	if missing > 0 {
		m.cfg.Logger.Warn("this process does not have all that the one which leads the exit offers; give both the same configuration",
			"missing", missing, "offered", len(reg.info.Models))
	}
}

// resign lets another process lead.
func (m *maintainer) resign() {
	m.lock.release()
	m.lock = nil
}

// followKeys honours the keys that the leader honours.
func (m *maintainer) followKeys() error {
	keys, err := readKeyStore(m.cfg.StateDir)
	if err != nil {
		return err
	}
	if m.keys != nil && slices.EqualFunc(m.keys.state.pairs, keys.state.pairs, samePair) {
		return nil
	}
	m.keys = keys
	return m.honour()
}

func samePair(a, b *keyPair) bool {
	return a.id == b.id && a.made.Equal(b.made) && a.retires.Equal(b.retires)
}

// publishes reports whether the list of keys is that of the last pair.
func (s *keyStore) publishes(keyConfig []byte) bool {
	configs, err := s.published().configs()
	return err == nil && bytes.Equal(configs, keyConfig)
}

// readKeyStore reads the secrets in dir, which a leader has made.
func readKeyStore(dir string) (*keyStore, error) {
	s := &keyStore{dir: dir}
	if err := s.load(); err != nil {
		return nil, err
	}
	if len(s.state.pairs) == 0 {
		return nil, fmt.Errorf("read keys: %s has none; the leader makes them when it starts", keysFile)
	}
	var err error
	s.identity, err = openIdentity(dir)
	return s, err
}

// writePublished leaves a registration for other processes. With no dir there are none.
func writePublished(dir string, signed *service.Signed) error {
	if dir == "" {
		return nil
	}
	data, err := json.Marshal(published{signed.KeyConfig, signed.ServiceInfo, signed.Signature})
	if err != nil {
		return fmt.Errorf("write %s: %w", publishedFile, err)
	}
	return keyfile.Write(filepath.Join(dir, publishedFile), append(data, '\n'))
}

// readPublished reads what writePublished left. It verifies nothing.
func readPublished(dir string) (*service.Signed, error) {
	data, err := keyfile.Read(filepath.Join(dir, publishedFile))
	if err != nil {
		return nil, err
	}
	var p published
	if json.Unmarshal(data, &p) != nil {
		return nil, fmt.Errorf("read %s: it is damaged; the leader writes it anew when it starts", publishedFile)
	}
	return &service.Signed{KeyConfig: p.KeyConfig, ServiceInfo: p.ServiceInfo, Signature: p.Signature}, nil
}
