// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

// Exit is an exit whose service description has been verified. It is read only. What Info says is the
// exit's own word, its text a stranger's: show it through [service.Printable].
type Exit struct {
	Info *service.Info
	// Hash names the keys that requests are sealed to.
	Hash service.Hash
	// Paths are the relays through which the exit is reached, at least one, in the order of Config.Relays.
	Paths []Path

	key *ohttp.KeyConfig // what to seal to
}

// Path is one way to an exit.
type Path struct {
	Relay relayurl.URL
	// Operator is who runs the relay: as the user says, else as it says itself. Empty: unknown.
	Operator string
	// Observed is what the relay says it measured.
	Observed service.Observed
}

// Service implements [route.Exit].
func (e Exit) Service() *service.Info { return e.Info }

// KeyHash implements [route.Keyed].
func (e Exit) KeyHash() service.Hash { return e.Hash }

// Reachable are the protocols whose tools can use the exit by translation, besides those that its backends speak.
func (e Exit) Reachable() []service.Protocol { return dialect.Reachable(e.Info.Protocols) }

func verifyEntry(signed *service.Signed, now time.Time) (*entry, error) {
	info, err := signed.Verify(now)
	if err != nil {
		return nil, err
	}
	configs, err := ohttp.ParseKeyConfigs(signed.KeyConfig)
	if err != nil {
		return nil, err
	}
	key, err := strongest(configs)
	if err != nil {
		return nil, err
	}
	return &entry{exit: Exit{Info: info, Hash: signed.Hash(), key: key}, sums: sumsOf(signed)}, nil
}

// strongest is the post-quantum key if the list has one, else the first that can be used. The list is
// covered by the exit's signature, so nobody on the way can take the stronger key out of it.
func strongest(configs []ohttp.KeyConfig) (*ohttp.KeyConfig, error) {
	if len(configs) == 0 {
		return nil, fmt.Errorf("key list: no key of a kind that this client knows")
	}
	best := slices.IndexFunc(configs, func(c ohttp.KeyConfig) bool { return c.KEM == ohttp.KEMXWing })
	return &configs[max(best, 0)], nil
}

// reached is a listing and the relay through which its exits are reached.
type reached struct {
	relay   relayurl.URL
	listing listing
}

// merge makes one list of the relays' directories, sorted by identity: of each identity the newest
// description, with a path through each relay that has it or an older one of the same keys. What has expired is left out, and so is, when
// there are trusted identities, every other.
func merge(all []reached, trusted []service.Identity, now time.Time) []Exit {
	newest := map[service.Identity]Exit{}
	for _, r := range all {
		paths := make([]Path, 0, len(r.listing.entries)) // of all its exits, in one piece
		for hash, e := range r.listing.entries {
			id := e.exit.Info.Identity
			if !now.Before(e.exit.Info.Expires) || (len(trusted) > 0 && !slices.Contains(trusted, id)) {
				continue
			}
			path := Path{Relay: r.relay, Operator: r.listing.operator}
			if r.listing.observed != nil {
				path.Observed = r.listing.observed.Of(hash)
			}
			n := len(paths)
			paths = append(paths, path)
			reached := e.exit
			reached.Paths = paths[n : n+1 : n+1]
			newest[id] = newer(newest[id], reached)
		}
	}
	exits := make([]Exit, 0, len(newest))
	for _, e := range newest {
		exits = append(exits, e)
	}
	slices.SortFunc(exits, func(a, b Exit) int { return cmp.Compare(a.Info.Identity, b.Info.Identity) })
	return exits
}

// newer returns the newer of two descriptions by one identity. When they are of the same keys it has the paths of both:
// what is sealed to these can be sent through a relay that has not heard of the newer one yet. An exit that signs two
// different ones with one sequence gets the lower hash.
func newer(a, b Exit) Exit {
	newest := b
	if a.Info == nil {
		return b
	}
	if a.Info.Sequence > b.Info.Sequence || a.Info.Sequence == b.Info.Sequence && a.Hash <= b.Hash {
		newest = a
	}
	if a.Hash == b.Hash {
		newest.Paths = append(slices.Clip(a.Paths), b.Paths...)
	}
	return newest
}
