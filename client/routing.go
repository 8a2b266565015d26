// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/keyfile"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// memoryFile, in the state directory, is what the client has learned of exits. It tells which the user used.
const memoryFile = "routes.json"

// memoryInterval is the time between two savings, and between two comparisons of peers.
const memoryInterval = time.Minute

// indexWait is how long a request waits for the index of a directory that has just changed: long enough for a small one,
// and not felt with a large one, which takes a tenth of a second. It then uses the index before.
const indexWait = 2 * time.Millisecond

// router knows which exits there are and how they did. What it decides on stays on this machine. run, which is its only
// goroutine, indexes the exits when the directory has changed.
type router struct {
	cfg       Config
	chooser   *route.Chooser
	directory *directory
	file      string // of the memory, empty: it is not kept
	log       *slog.Logger

	had     atomic.Bool   // there were exits once
	has     atomic.Bool   // there are in the index
	indexed atomic.Uint64 // the directory's routes that the chooser has, plus one
	kick    chan struct{} // asks run to look at the directory; holds one

	indexing sync.Mutex    // held while the exits are indexed
	settled  chan struct{} // closed when they next are; guarded by waiting
	waiting  sync.Mutex

	saving sync.Mutex // held while the memory is saved
	saved  uint64     // the chooser's changes that are in the file; guarded by saving
}

func newRouter(cfg Config, d *directory) (*router, error) {
	chooser, err := route.New(route.Config{
		Preferences: cfg.Preferences, Tiers: cfg.Tiers, Money: cfg.Money, HalfLife: cfg.HalfLife,
		Naming: route.Naming{Normal: normalName, Aliases: cfg.Aliases},
	})
	if err != nil {
		return nil, err
	}
	r := &router{cfg: cfg, chooser: chooser, directory: d, log: cfg.Logger, kick: d.changed, settled: make(chan struct{})}
	if cfg.StateDir != "" {
		r.file = filepath.Join(cfg.StateDir, memoryFile)
	}
	return r, nil
}

// fleetingName finds a name of an exit in the preferences that means nobody once the exit has replaced its keys: who is to
// be ignored would come back, and an only would leave nobody.
func (cfg *Config) fleetingName() (name string, found bool) {
	all := []route.Preferences{cfg.Preferences}
	for _, t := range cfg.Tiers {
		all = append(all, t.Preferences)
	}
	for _, p := range all {
		for _, name := range slices.Concat(p.Only, p.Ignore, p.Order) {
			if _, err := service.ParseHash(name); err == nil {
				return name, true
			}
		}
	}
	return "", false
}

// normalName is a model's name in its shortest spelling.
func normalName(p service.Protocol, name string) string { return dialect.NormalModel(p, name) }

// run keeps the chooser up to date and its memory on disk until ctx ends. What is learned after that is for save.
func (r *router) run(ctx context.Context) {
	if name, found := r.cfg.fleetingName(); found {
		r.log.Warn("an exit is named by its keys, which it replaces about once a day: name it by its identity", "name", name)
	}
	r.load()
	minute := time.NewTicker(memoryInterval)
	defer minute.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.kick:
			r.update(time.Now())
			r.settle()
		case <-minute.C:
			r.chooser.Refresh()
			r.save()
		}
	}
}

// settle tells those who wait that the exits have been indexed.
func (r *router) settle() {
	r.waiting.Lock()
	defer r.waiting.Unlock()
	close(r.settled)
	r.settled = make(chan struct{})
}

// next is closed when the exits are next indexed.
func (r *router) next() <-chan struct{} {
	r.waiting.Lock()
	defer r.waiting.Unlock()
	return r.settled
}

// ready is update for a request. It does not wait until a large directory is indexed while there are exits to choose
// among: those of before, of which one may have left.
func (r *router) ready(ctx context.Context, now time.Time) {
	if v := r.directory.current(now); v != nil && r.indexed.Load() == v.routes+1 {
		return
	}
	if !r.has.Load() {
		r.update(now)
		return
	}
	settled := r.next()
	r.directory.kick()
	sleep(ctx, indexWait, settled)
}

// update gives the chooser the exits that can be used now, when they are others than before.
func (r *router) update(now time.Time) *view {
	v := r.directory.view(now)
	r.indexing.Lock()
	defer r.indexing.Unlock()
	if r.indexed.Load() == v.routes+1 {
		return v
	}
	exits := make([]route.Exit, 0, len(v.exits))
	for i := range v.exits {
		if v.exits[i].inReach() {
			exits = append(exits, v.exits[i])
		}
	}
	r.chooser.Update(exits)
	r.has.Store(len(exits) > 0)
	r.had.Store(r.had.Load() || len(exits) > 0)
	r.indexed.Store(v.routes + 1)
	return v
}

// hadExits reports whether there ever were exits to choose among.
func (r *router) hadExits() bool { return r.had.Load() }

// load takes in what an earlier run learned. What cannot be read is left where it is until it is written over.
func (r *router) load() {
	if err := r.restore(); err != nil {
		r.log.Warn("what was learned of exits is lost", "reason", err)
	}
}

// restore takes in what an earlier run learned, if there was one.
func (r *router) restore() error {
	if r.file == "" {
		return nil
	}
	raw, err := keyfile.ReadAtMost(r.file, route.MaxSnapshotBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what was learned: %w", err)
	}
	return r.chooser.Restore(raw)
}

// save writes what was learned, if anything was since the last time.
func (r *router) save() {
	if r.file == "" {
		return
	}
	r.saving.Lock() // so that what was forgotten meanwhile is not written over what is saved after it
	defer r.saving.Unlock()
	changes := r.chooser.Changes()
	if changes == r.saved {
		return
	}
	raw, err := r.chooser.Snapshot()
	if err == nil {
		err = keyfile.Write(r.file, raw)
	}
	if err != nil {
		r.log.Warn("what was learned of exits is not saved", "reason", err)
		return
	}
	r.saved = changes
}
