// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Names of a journal's files begin so. The rest is the number of a span of dates, or the identifier of a key.
const (
	journalPrefix = "requests-"
	undatedPrefix = "undated-requests-"
)

const (
	journalSpan  = dateWindow + dateAhead // dates of one file
	journalEntry = len(requestID{}) + len(processID{})
	journalRead  = 64 * journalEntry // bytes at a time

	// journalKept is how long after the last date of a file it is removed: when that date is refused anyway, by
	// the clock of any process of the machine.
	journalKept = dateWindow + time.Minute
)

// processID tells the processes apart that write a journal.
type processID = [8]byte

// journal tells the processes of one exit which sealed requests the others have accepted, so that each is
// answered by one of them. It takes no locks, because a process that is stopped would keep them: every process
// appends what it is about to accept, reads what has been appended since it last did, and accepts the request
// if its own entry is the first one of it. The date inside a request decides which file it is in, or the key if it
// has none, so that all look in the same. It is guarded by the mutex of the replays that it belongs to. A nil journal has room for
// everything.
type journal struct {
	dir     string
	keyLife time.Duration // after which no request is opened by a key
	self    processID
	files   map[string]*journalFile // by name
	buf     []byte                  // of journalRead bytes
}

// journalFile is one file as far as it has been read.
type journalFile struct {
	file   *os.File
	read   int64 // a multiple of journalEntry
	others map[requestID]struct{}
}

func newJournal(dir string, keyLife time.Duration) *journal {
	j := &journal{dir: dir, keyLife: keyLife, files: map[string]*journalFile{}, buf: make([]byte, journalRead)}
	rand.Read(j.self[:]) // never fails
	return j
}

// close ends reading and writing. What others need stays.
func (j *journal) close() {
	if j == nil {
		return
	}
	for _, f := range j.files {
		f.file.Close()
	}
}

// enter notes a request with a date and says whether another process was first.
func (j *journal) enter(id requestID, date, now time.Time) *fault {
	if j == nil {
		return nil
	}
	span := date.Unix() / int64(journalSpan/time.Second)
	return j.note(id, journalPrefix+strconv.FormatInt(span, 10), now)
}

// enterUndated is the same for a request without a date, by the identifier of the key that it is sealed to.
func (j *journal) enterUndated(id requestID, key uint8, now time.Time) *fault {
	if j == nil {
		return nil
	}
	return j.note(id, undatedPrefix+strconv.Itoa(int(key)), now)
}

func (j *journal) note(id requestID, name string, now time.Time) *fault {
	f, err := j.open(name, now)
	if err != nil || f.read >= maxRemembered*int64(journalEntry) {
		return &faultForgotten
	}
	if _, err := f.file.Write(append(id[:], j.self[:]...)); err != nil {
		return &faultForgotten
	}
	first, err := j.catchUp(f, id)
	switch {
	case err != nil:
		return &faultForgotten
	case !first:
		return &faultReplayed
	}
	return nil
}

// open returns the file of that name. With a new one, old ones go.
func (j *journal) open(name string, now time.Time) (*journalFile, error) {
	if f, ok := j.files[name]; ok {
		return f, nil
	}
	j.removeOld(now)
	file, err := os.OpenFile(filepath.Join(j.dir, name), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	f := &journalFile{file: file, others: map[requestID]struct{}{}}
	j.files[name] = f
	return f, nil
}

// removeOld closes and removes files of requests that nobody accepts any more. Another process may have done so.
func (j *journal) removeOld(now time.Time) {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if j.isOld(entry, now) {
			os.Remove(filepath.Join(j.dir, entry.Name()))
		}
	}
	for name, f := range j.files {
		if _, err := os.Stat(filepath.Join(j.dir, name)); err != nil {
			f.file.Close()
			delete(j.files, name)
		}
	}
}

// isOld reports whether a file of the journal's has only requests whose dates have passed, or whose key has
// retired since the last was written.
func (j *journal) isOld(entry os.DirEntry, now time.Time) bool {
	if number, ok := strings.CutPrefix(entry.Name(), journalPrefix); ok {
		span, err := strconv.ParseInt(number, 10, 64)
		end := time.Unix((span+1)*int64(journalSpan/time.Second), 0)
		return err == nil && now.After(end.Add(journalKept))
	}
	if !strings.HasPrefix(entry.Name(), undatedPrefix) {
		return false
	}
	info, err := entry.Info()
	return err == nil && now.After(info.ModTime().Add(j.keyLife))
}

// errJournal means that a file does not have what was written to it.
var errJournal = errors.New("the journal is damaged")

// catchUp reads what has been appended to f, and reports whether its own entry for id is before those of others.
func (j *journal) catchUp(f *journalFile, id requestID) (first bool, err error) {
	found := false
	for n := len(j.buf); n == len(j.buf); {
		n, err = f.file.ReadAt(j.buf, f.read)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, fmt.Errorf("read journal: %w", err)
		}
		entries := j.buf[:n-n%journalEntry]
		f.read += int64(len(entries))
		for ; len(entries) > 0; entries = entries[journalEntry:] {
			of, who := requestID(entries), processID(entries[len(requestID{}):])
			if who != j.self {
				f.others[of] = struct{}{}
			} else if of == id {
				_, taken := f.others[of]
				found, first = true, !taken
			}
		}
	}
	if !found {
		return false, errJournal
	}
	return first, nil
}
