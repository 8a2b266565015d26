// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"container/list"
	"time"
)

// affinity remembers which exit and model a conversation used last, so that it stays there while that works: the
// backend may have its beginning in a cache. Keys are opaque and never leave the client. It is bounded in number, the
// longest unused make room, and in time.
type affinity struct {
	limit    int
	lifetime time.Duration
	byKey    map[string]*list.Element
	recent   *list.List // of *bond, the last used at the front
}

// bond is where one conversation is.
type bond struct {
	conversation string
	to           Key
	used         time.Time
}

func newAffinity(limit int, lifetime time.Duration) *affinity {
	return &affinity{limit: limit, lifetime: lifetime, byKey: map[string]*list.Element{}, recent: list.New()}
}

// find returns where a conversation is.
func (a *affinity) find(now time.Time, conversation string) (Key, bool) {
	e := a.byKey[conversation]
	if e == nil {
		return Key{}, false
	}
	b := e.Value.(*bond)
	if now.Sub(b.used) > a.lifetime {
		a.remove(e)
		return Key{}, false
	}
	return b.to, true
}

// keep notes that a conversation went well there.
func (a *affinity) keep(now time.Time, conversation string, to Key) {
	if e := a.byKey[conversation]; e != nil {
		b := e.Value.(*bond)
		b.to, b.used = to, now
		a.recent.MoveToFront(e)
		return
	}
	a.byKey[conversation] = a.recent.PushFront(&bond{conversation, to, now})
	if a.recent.Len() > a.limit {
		a.remove(a.recent.Back())
	}
}

// leave forgets a conversation if it is there.
func (a *affinity) leave(conversation string, from Key) {
	if e := a.byKey[conversation]; e != nil && e.Value.(*bond).to == from {
		a.remove(e)
	}
}

func (a *affinity) remove(e *list.Element) {
	a.recent.Remove(e)
	delete(a.byKey, e.Value.(*bond).conversation)
}
