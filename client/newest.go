// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"time"

	"github.com/tokengo/tokengo/service"
)

// maxNewest is how many exits are remembered by their newest description: those of a few directories.
const maxNewest = 4 * service.MaxEntries

// newest remembers the newest description of each exit until that expires. A relay could else list one that its exit
// has replaced, signed and within its time: at the old price, and sealed to keys that the exit gave up. The directory's
// merging guards it.
type newest map[service.Identity]signing

// signing is what is remembered of a description.
type signing struct {
	sequence int64
	expires  time.Time
}

// isOver reports whether an exit has replaced this description, and else remembers it. What is remembered is not given
// up for more: a relay that makes exits up could have it forgotten.
func (n newest) isOver(e Exit, now time.Time) bool {
	known, ok := n[e.Info.Identity]
	if ok && e.Info.Sequence < known.sequence && now.Before(known.expires) {
		return true
	}
	if ok || n.hasRoom(now) {
		n[e.Info.Identity] = signing{e.Info.Sequence, e.Info.Expires}
	}
	return false
}

// hasRoom reports whether one more may be remembered, and forgets what has expired if not.
func (n newest) hasRoom(now time.Time) bool {
	if len(n) < maxNewest {
		return true
	}
	for id, known := range n {
		if !now.Before(known.expires) {
			delete(n, id)
		}
	}
	return len(n) < maxNewest
}
