// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tokengo/tokengo/service"
)

// snapshotVersion is the version of the format that Snapshot writes and Restore reads.
const snapshotVersion = 1

// MaxSnapshotBytes is the largest snapshot that Restore reads.
const MaxSnapshotBytes = 32 << 20

// snapshot is what is remembered, as JSON: not what rests now, nor where conversations are.
type snapshot struct {
	Version int           `json:"version"`
	Records []savedRecord `json:"records"`
	Spent   []savedSpent  `json:"spent,omitempty"`
}

type savedRecord struct {
	Exit     service.Identity `json:"exit"`
	Model    string           `json:"model"`
	Protocol service.Protocol `json:"protocol"`
	At       time.Time        `json:"at"`
	Good     float64          `json:"good,omitempty"`
	Bad      float64          `json:"bad,omitempty"`
	Kept     float64          `json:"kept,omitempty"`
	Broken   float64          `json:"broken,omitempty"`
	Latency  []float32        `json:"latency,omitempty"`
	Speeds   []float32        `json:"speeds,omitempty"`
}

type savedSpent struct {
	Tier   string    `json:"tier"`
	Since  time.Time `json:"since"`
	Amount float64   `json:"amount"`
}

// Snapshot writes what was learned and spent, as JSON, for Restore in a later process. It tells which exits and models
// the user used: keep it where only the user can read it.
func (c *Chooser) Snapshot() ([]byte, error) {
	c.mu.Lock()
	s := snapshot{Version: snapshotVersion, Records: make([]savedRecord, 0, len(c.memory.records))}
	now := c.cfg.Now()
	for _, r := range c.memory.records {
		r.fade(now, c.cfg.HalfLife)
		if r.worth() >= forgotten {
			s.Records = append(s.Records, r.saved())
		}
	}
	for _, t := range c.tiers {
		if amount := t.spentAt(now); amount > 0 {
			s.Spent = append(s.Spent, savedSpent{t.Name, t.since, amount})
		}
	}
	c.mu.Unlock()
	slices.SortFunc(s.Records, func(a, b savedRecord) int { return a.key().compare(b.key()) })
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write what was learned: %w", err)
	}
	return raw, nil
}

// Changes counts what has changed what Snapshot writes, but for time, which the next process lets count. While it is the
// same, what was saved need not be saved again.
func (c *Chooser) Changes() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes
}

// forgotten is how little may be left of a record for it not to be saved: it would change nothing.
const forgotten = 0.01

// worth is how much is left of a record.
func (r *record) worth() float64 { return max(r.weight(), r.kept+r.broken) }

func (s *savedRecord) key() Key { return Key{s.Exit, s.Model, s.Protocol} }

func (r *record) saved() savedRecord {
	return savedRecord{
		Exit: r.key.Exit, Model: r.key.Model, Protocol: r.key.Protocol, At: r.at.UTC(),
		Good: brief(r.good), Bad: brief(r.bad), Kept: brief(r.kept), Broken: brief(r.broken),
		Latency: r.latency.saved(), Speeds: r.speeds.saved(),
	}
}

// brief rounds to what matters, so that a snapshot is short.
func brief(x float64) float64 { return math.Round(x*1e4) / 1e4 }

// saved is the digest without the zeros at its end.
func (d *digest) saved() []float32 {
	n := digestLen
	for n > 0 && brief(float64(d[n-1])) == 0 {
		n--
	}
	short := make([]float32, n)
	for i := range short {
		short[i] = float32(brief(float64(d[i])))
	}
	return short
}

// Restore takes what an earlier process remembered, in the place of what is remembered now. Time that has passed since
// counts. A snapshot of another version or that does not make sense is an error and changes nothing.
func (c *Chooser) Restore(raw []byte) error {
	if len(raw) > MaxSnapshotBytes {
		return fmt.Errorf("read what was learned: %d bytes, over the limit of %d", len(raw), MaxSnapshotBytes)
	}
	var s snapshot
	if err := json.Unmarshal(raw, &s); err != nil {
		return errors.New("read what was learned: it is not the JSON that was written")
	}
	if s.Version != snapshotVersion {
		return fmt.Errorf("read what was learned: version %d, want %d", s.Version, snapshotVersion)
	}
	now := c.cfg.Now()
	m := newMemory(c.cfg.HalfLife, c.cfg.MaxRecords)
	for i := range s.Records {
		r, err := s.Records[i].record(now)
		if err != nil {
			return fmt.Errorf("read what was learned: record %d: %w", i+1, err)
		}
		r.fade(now, c.cfg.HalfLife)
		m.add(r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.memory = m
	c.restoreSpent(s.Spent)
	c.begin(newGeneration(c.current.Load().ix), now)
	return nil
}

// restoreSpent gives tiers of the same name what they had spent. c.mu is held.
func (c *Chooser) restoreSpent(spent []savedSpent) {
	for _, s := range spent {
		for _, t := range c.tiers {
			if t.Name == s.Tier && s.Amount >= 0 {
				t.spent, t.since = s.Amount, s.Since
			}
		}
	}
}

// maxCount is more than any faded count can reach.
const maxCount = 1e9

// record checks a saved record. One of the future, from a clock that was wrong, is taken to be of now.
func (s *savedRecord) record(now time.Time) (*record, error) {
	r := &record{key: s.key(), at: s.At, good: s.Good, bad: s.Bad, kept: s.Kept, broken: s.Broken}
	if s.At.After(now) {
		r.at = now
	}
	for _, n := range []float64{s.Good, s.Bad, s.Kept, s.Broken} {
		if !(n >= 0 && n < maxCount) {
			return nil, errors.New("a count is out of range")
		}
	}
	if !r.latency.restore(s.Latency) || !r.speeds.restore(s.Speeds) {
		return nil, errors.New("a distribution is out of range")
	}
	if len(s.Exit) > maxNameBytes || len(s.Model) > maxNameBytes || len(s.Protocol) > maxNameBytes {
		return nil, errors.New("a name is too long")
	}
	return r, nil
}

func (d *digest) restore(saved []float32) bool {
	if len(saved) > digestLen {
		return false
	}
	for i, n := range saved {
		if !(n >= 0 && n < maxCount) {
			return false
		}
		d[i] = n
	}
	return true
}
