// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/shape"
)

// Keys that are replaced many times while requests run lose none: a client whose keys have just expired looks at the
// directory again, and seals anew.
func TestRotationUnderLoad(t *testing.T) {
	const workers, lifetime, rotations = 8, 2 * time.Second, 3
	var hashes sync.Map
	n := run(t, models(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{}`)
	}), func(cfg *network.Config) {
		cfg.Exits[0].KeyLifetime, cfg.Exits[0].KeyOverlap = lifetime, lifetime
		cfg.Exits[0].OnRegistered = func(r exit.Registered) { hashes.Store(r.Hash, true) }
		cfg.Client.RefreshInterval = time.Hour // what it knows goes stale
		cfg.Client.Shape = shape.Off
	})
	var answered atomic.Int64
	var group sync.WaitGroup
	end := time.Now().Add(rotations * lifetime)
	for range workers {
		group.Go(func() {
			for time.Now().Before(end) {
				answer := post(t, t.Context(), n.ClientURL()+requests[0].path, `{"model":"m","messages":[]}`)
				text, err := io.ReadAll(answer.Body)
				if answer.StatusCode != http.StatusOK || err != nil {
					t.Errorf("%s: %s %v", answer.Status, text, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	group.Wait()
	keys := 0
	hashes.Range(func(any, any) bool { keys++; return true })
	if keys < rotations {
		t.Errorf("%d pairs of keys were registered, want at least %d", keys, rotations)
	}
	t.Logf("%d requests over %d pairs of keys", answered.Load(), keys)
}
