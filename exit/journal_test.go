// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// processes are the replays of one that leads and others that follow it.
func processes(t *testing.T, dir string, n int, clock *watch) []*replays {
	t.Helper()
	leader, err := openReplays(dir, time.Hour, &keyStore{}, clock.time)
	if err != nil {
		t.Fatal(err)
	}
	all := []*replays{leader}
	for len(all) < n {
		r, err := followReplays(dir, time.Hour, clock.time)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	t.Cleanup(func() {
		for _, r := range all {
			r.close()
		}
	})
	return all
}

// Whatever a relay delivers to several processes of an exit at once, one of them accepts.
func TestJournalAdmitsOnce(t *testing.T) {
	clock := newWatchAt(noon)
	all := processes(t, t.TempDir(), 4, clock)
	const requests = 300
	var admitted [requests]atomic.Int64
	var running sync.WaitGroup
	for _, r := range all {
		running.Go(func() {
			for n := range requests {
				switch got := kindOf(r.admit(idOf(uint64(n)), 0, dateField(noon))); got {
				case "":
					admitted[n].Add(1)
				case string(outcomeReplayed):
				default:
					t.Errorf("request %d: %s", n, got)
				}
			}
		})
	}
	running.Wait()
	for n := range admitted {
		if got := admitted[n].Load(); got != 1 {
			t.Errorf("request %d was accepted %d times", n, got)
		}
	}
}

// What a process accepted is known to others after it has gone, and to those that begin later.
func TestJournalOutlives(t *testing.T) {
	clock := newWatchAt(noon)
	dir := t.TempDir()
	all := processes(t, dir, 2, clock)
	for i, r := range all {
		if got := kindOf(r.admit(idOf(uint64(i)), 0, dateField(noon))); got != "" {
			t.Fatalf("process %d: %s", i, got)
		}
		r.close()
	}
	late, err := followReplays(dir, time.Hour, clock.time)
	if err != nil {
		t.Fatal(err)
	}
	defer late.close()
	for i := range all {
		if got := kindOf(late.admit(idOf(uint64(i)), 0, dateField(noon))); got != string(outcomeReplayed) {
			t.Errorf("what process %d accepted: %q", i, got)
		}
	}
}

// Requests without a date are accepted once, by whichever process, until the key has retired. A process that
// takes over the lead goes on as before.
func TestJournalUndated(t *testing.T) {
	dir := t.TempDir()
	clock := newWatchAt(time.Now()) // of files, too
	all := processes(t, dir, 3, clock)
	admit := func(process int, id uint64, want outcome) {
		t.Helper()
		if got := kindOf(all[process].admit(idOf(id), 2, nil)); got != string(want) {
			t.Errorf("request %d at process %d: %q, want %q", id, process, got, want)
		}
	}
	admit(1, 1, "")
	admit(0, 1, outcomeReplayed)
	admit(0, 2, "")
	admit(2, 2, outcomeReplayed)
	all[0].close()
	if err := all[1].lead(dir, &keyStore{}); err != nil {
		t.Fatal(err)
	}
	admit(1, 2, outcomeReplayed)
	admit(1, 3, "")
	admit(2, 3, outcomeReplayed)
	if got := kindOf(all[1].admit(idOf(4), 2, dateField(clock.time()))); got != "" {
		t.Errorf("a request with a date: %q", got)
	}
	clock.advance(time.Hour + time.Minute)
	if got := kindOf(all[2].admit(idOf(5), 4, nil)); got != "" {
		t.Errorf("by the next key: %q", got)
	}
	files, err := filepath.Glob(filepath.Join(dir, undatedPrefix+"*"))
	if err != nil || len(files) != 1 {
		t.Errorf("left are %v, %v", files, err)
	}
}

// Files go when nobody accepts their dates any more.
func TestJournalForgets(t *testing.T) {
	clock := newWatchAt(noon)
	dir := t.TempDir()
	r := processes(t, dir, 2, clock)[1]
	for n := range uint64(20) {
		if got := kindOf(r.admit(idOf(n), 0, dateField(clock.time()))); got != "" {
			t.Fatal(got)
		}
		clock.advance(time.Minute)
	}
	files, err := filepath.Glob(filepath.Join(dir, journalPrefix+"*"))
	if err != nil || len(files) > 4 || len(r.journal.files) > 4 {
		t.Errorf("%d files are left, %d open, %v", len(files), len(r.journal.files), err)
	}
}

// A journal that cannot be used lets nothing through.
func TestJournalDamaged(t *testing.T) {
	dir := t.TempDir()
	clock := newWatchAt(noon)
	r := processes(t, dir, 2, clock)[1]
	span := noon.Unix() / int64(journalSpan/time.Second)
	torn := filepath.Join(dir, fmt.Sprint(journalPrefix, span))
	if err := os.WriteFile(torn, []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := r.admit(idOf(1), 0, dateField(noon)); got != &faultForgotten {
		t.Errorf("torn: %v", got)
	}
	if err := os.Remove(torn); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, fmt.Sprint(journalPrefix, span+1)), 0o700); err != nil {
		t.Fatal(err)
	}
	clock.advance(journalSpan)
	if got := r.admit(idOf(2), 0, dateField(noon.Add(journalSpan))); got != &faultForgotten {
		t.Errorf("not a file: %v", got)
	}
}
