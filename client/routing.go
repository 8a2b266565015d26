// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
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

// router knows which exits there are and how they did. What it decides on stays on this machine.
type router struct {
	chooser   *route.Chooser
	directory *directory
	file      string // of the memory, empty: it is not kept
	log       *slog.Logger

	had atomic.Bool // there were exits once

	indexing sync.Mutex // held while the exits are indexed
	indexed  uint64     // the directory's routes that the chooser has, plus one; guarded by indexing
}

func newRouter(cfg Config, d *directory) (*router, error) {
	chooser, err := route.New(route.Config{
		Preferences: cfg.Preferences, Tiers: cfg.Tiers, Money: cfg.Money, HalfLife: cfg.HalfLife,
		Naming: route.Naming{Normal: normalName, Aliases: cfg.Aliases},
	})
	if err != nil {
		return nil, err
	}
	r := &router{chooser: chooser, directory: d, log: cfg.Logger}
	if cfg.StateDir != "" {
		r.file = filepath.Join(cfg.StateDir, memoryFile)
	}
	return r, nil
}

// normalName is a model's name in its shortest spelling.
func normalName(p service.Protocol, name string) string { return dialect.NormalModel(p, name) }

// run keeps the chooser up to date and its memory on disk until ctx ends.
func (r *router) run(ctx context.Context) {
	r.load()
	for ctx.Err() == nil {
		sleep(ctx, memoryInterval, nil)
		r.chooser.Refresh()
		r.save()
	}
}

// update gives the chooser the exits that can be used now, when they are others than before.
func (r *router) update(now time.Time) *view {
	v := r.directory.view(now)
	r.indexing.Lock()
	defer r.indexing.Unlock()
	if r.indexed == v.routes+1 {
		return v
	}
	exits := make([]route.Exit, 0, len(v.exits))
	for i := range v.exits {
		if v.exits[i].inReach() {
			exits = append(exits, v.exits[i])
		}
	}
	r.chooser.Update(exits)
	r.had.Store(r.had.Load() || len(exits) > 0)
	r.indexed = v.routes + 1
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
		return err
	}
	return r.chooser.Restore(raw)
}

// save writes what was learned.
func (r *router) save() {
	if r.file == "" {
		return
	}
	raw, err := r.chooser.Snapshot()
	if err == nil {
		err = keyfile.Write(r.file, raw)
	}
	if err != nil {
		r.log.Warn("what was learned of exits is not saved", "reason", err)
	}
}
