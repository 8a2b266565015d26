// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package marked

import "fmt"

// Wrongs are what an answer must never be, whatever has failed.
func (q *Request) Wrongs(l *Ledger) (all []string) {
	attempts := l.Of(q.Number)
	finished := 0
	for _, a := range attempts {
		if a.Finished {
			finished++
		}
		if !q.Begun.IsZero() && a.Arrived.After(q.Begun) {
			all = append(all, fmt.Sprintf("was sent to backend %d after the tool had some of an answer", a.Backend))
		}
	}
	if finished > 1 {
		all = append(all, fmt.Sprintf("was answered to the end %d times", finished))
	}
	pieces := marks(q.Text)
	for i, m := range pieces {
		if m.Request != q.Number || m.Attempt != pieces[0].Attempt || m.Piece != i {
			all = append(all, fmt.Sprintf("has %v as piece %d: of another answer, or in the wrong place", m, i))
			break
		}
	}
	switch s := q.State(); {
	case s == Complete && !isWhole(pieces, attempts):
		all = append(all, fmt.Sprintf("looks complete and is not what a backend has finished: %+v", attempts))
	case s == Refused && len(pieces) > 0:
		all = append(all, "is refused and has pieces")
	case s == Garbled:
		all = append(all, "is neither complete nor broken nor refused")
	}
	return all
}

// isWhole reports whether the pieces are all that an attempt which was finished has written.
func isWhole(pieces []Mark, attempts []Attempt) bool {
	for _, a := range attempts {
		if a.Finished && len(pieces) > 0 && pieces[len(pieces)-1] == a.Mark {
			return true
		}
	}
	return false
}
