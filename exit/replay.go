// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/service"
)

// Replays (RFC 9458 section 6.5). A relay can deliver a sealed request as often as it likes; each is answered once.
const (
	// dateWindow is how old the date inside the seal may be: a request may wait in queues and in slow uploads.
	// Requests are remembered for so long.
	dateWindow = 2 * time.Minute
	// dateAhead is how far in the future it may be. Clients correct their clocks by what an exit answers.
	dateAhead = 5 * time.Second

	// maxRemembered bounds what is remembered in one span of time. Two spans of 24-byte entries are in memory, 100 MiB
	// with what a map adds; with dates a span is 125 s, so that an exit takes 8388 requests a second for ever.
	maxRemembered = 1 << 20
	// maxUndated bounds the requests without a date, which are remembered as long as keys live.
	maxUndated = 1 << 17

	newestFile = "newest-request" // the newest date that was accepted, in Unix seconds
	newestLen  = 20               // of its text, with a line's end
)

var (
	faultReplayed = fault{
		status: http.StatusBadRequest, kind: service.TypeReplayed, outcome: outcomeReplayed,
		title: "The sealed request has been delivered before",
	}
	faultDate = fault{ // RFC 9458 section 6.5.2
		status: http.StatusBadRequest, kind: service.TypeDate, outcome: outcomeDate,
		title: "The date inside the sealed request is not within what this exit accepts",
	}
	faultForgotten = fault{
		status: http.StatusServiceUnavailable, outcome: outcomeReplayed, later: true,
		title: "This exit cannot remember more requests now",
	}
)

// requestID tells sealed requests apart.
type requestID = [16]byte

// replays decides whether a sealed request is new. What it has accepted it remembers until the request's date
// is too old to be accepted anyway. Over a restart it keeps one number, the newest date that it accepted: the next
// life refuses what is dated at or before it, since an earlier life could have seen that.
//
// Requests without a date, as a plain client of Oblivious HTTP may send, are remembered as long as keys
// live. After a restart they are accepted only if they are sealed to keys that were made since.
type replays struct {
	clock  func() time.Time
	newest *os.File // nil keeps nothing

	mu      sync.Mutex // guards what follows
	floor   time.Time  // dates up to this were accepted in an earlier life
	last    int64      // newest date accepted, Unix seconds: what newest says
	dated   remembered
	undated remembered
	earlier map[uint8]bool // identifiers of keys that an earlier life had
	follows bool           // another process leads the exit
	journal *journal       // shared with other processes; nil where there are none
}

// remembered is a set that forgets what is older than one span, and younger than two.
type remembered struct {
	span              time.Duration
	most              int
	began             time.Time // when current was begun
	current, previous map[requestID]struct{}
}

// openReplays reads what dir says of an earlier life. "" is a first life that leaves nothing.
func openReplays(dir string, keyLife time.Duration, keys *keyStore, clock func() time.Time) (*replays, error) {
	r := &replays{
		clock:   clock,
		dated:   remembered{span: dateWindow + dateAhead, most: maxRemembered},
		undated: remembered{span: keyLife, most: maxUndated},
	}
	if dir == "" {
		return r, nil
	}
	r.journal = newJournal(dir, keyLife)
	return r, r.lead(dir, keys)
}

// followReplays is for a process that does not lead the exit. Its earlier lives are in the journal, like those
// of the others.
func followReplays(dir string, keyLife time.Duration, clock func() time.Time) (*replays, error) {
	r, err := openReplays("", keyLife, nil, clock)
	if err != nil {
		return nil, err
	}
	r.follows, r.journal = true, newJournal(dir, keyLife)
	return r, nil
}

// lead has the newest date kept. A process that has not followed another until now refuses what an earlier life
// of the exit could have accepted.
func (r *replays) lead(dir string, keys *keyStore) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	path := filepath.Join(dir, newestFile)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the newest request's date: %w", err)
	}
	if err == nil {
		seconds, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil {
			seconds = r.clock().Add(dateAhead).Unix() // cut off in writing: the worst that it can have been
		}
		r.last = max(r.last, seconds)
		r.distrust(keys)
	}
	if r.newest, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
		return fmt.Errorf("keep the newest request's date: %w", err)
	}
	r.follows = false
	return nil
}

// distrust refuses what is not certain to be later than an earlier life of the exit. r.mu is held.
func (r *replays) distrust(keys *keyStore) {
	if r.follows {
		return
	}
	r.floor = time.Unix(r.last, 0)
	r.earlier = make(map[uint8]bool)
	for _, p := range keys.state.pairs {
		for i := range p.keys {
			r.earlier[p.id+uint8(i)] = true
		}
	}
}

func (r *replays) close() {
	if r.newest != nil {
		r.newest.Close()
	}
	r.journal.close()
}

// admit takes a request in, or says why not. The identifier is of the sealed request, the key the one it is
// sealed to. Of several calls with one identifier, however close, one at most is admitted.
func (r *replays) admit(id [32]byte, key uint8, fields bhttp.Fields) *fault {
	short := requestID(id[:])
	date, dated, ok := dateOf(fields)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock()
	switch {
	case !ok:
		return r.refuseDate(now)
	case !dated && r.earlier[key]:
		return r.refuseDate(now)
	case !dated:
		if fault := r.undated.add(short, now); fault != nil {
			return fault
		}
		return r.journal.enterUndated(short, key, now)
	case r.dated.has(short, now):
		return &faultReplayed
	case date.After(now.Add(dateAhead)), date.Before(now.Add(-dateWindow)), !date.After(r.floor):
		return r.refuseDate(now)
	}
	if !r.keep(date.Unix()) {
		return &faultForgotten
	}
	if fault := r.dated.add(short, now); fault != nil {
		return fault
	}
	return r.journal.enter(short, date, now)
}

// refuseDate tells the client the time, so that it can seal again with a date that will do.
func (r *replays) refuseDate(now time.Time) *fault {
	f := faultDate
	f.date = now
	if now.Before(r.floor.Add(time.Second)) {
		f.date = r.floor.Add(time.Second)
	}
	return &f
}

// keep writes the newest date, before anything with that date is accepted. It is one write a second at most,
// into the system's memory: it outlives the process, and a machine that loses it takes longer to start
// than a date may be ahead.
func (r *replays) keep(seconds int64) bool {
	if seconds <= r.last {
		return true
	}
	if r.newest != nil {
		text := fmt.Appendf(nil, "%0*d\n", newestLen-1, seconds)
		if _, err := r.newest.WriteAt(text, 0); err != nil {
			return false
		}
	}
	r.last = seconds
	return true
}

// dateOf is the date of a request. It is not ok when there are several, or what is there is none.
func dateOf(fields bhttp.Fields) (date time.Time, dated, ok bool) {
	for i := range fields {
		if fields[i].Name != "date" {
			continue
		}
		at, err := http.ParseTime(fields[i].Value)
		if err != nil || dated {
			return time.Time{}, true, false
		}
		date, dated = at, true
	}
	return date, dated, true
}

// turn begins a new set when the current one has lasted a span.
func (m *remembered) turn(now time.Time) {
	switch age := now.Sub(m.began); {
	case m.current == nil || age >= 2*m.span || age < 0:
		if age < 0 && m.current != nil {
			return // the clock was set back: forget nothing
		}
		m.current, m.previous, m.began = map[requestID]struct{}{}, nil, now
	case age >= m.span:
		m.current, m.previous, m.began = map[requestID]struct{}{}, m.current, now
	}
}

func (m *remembered) has(id requestID, now time.Time) bool {
	m.turn(now)
	_, current := m.current[id]
	_, previous := m.previous[id]
	return current || previous
}

// add remembers a request, unless it is known or there is no room.
func (m *remembered) add(id requestID, now time.Time) *fault {
	switch {
	case m.has(id, now):
		return &faultReplayed
	case len(m.current) >= m.most:
		return &faultForgotten
	}
	m.current[id] = struct{}{}
	return nil
}
