// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

// tally counts how often a request was tried, against [Patience.Attempts].
//
// What certainly reached no exit costs little, and comes all at once when every exit or relay is gone for a moment. So
// misses are not attempts: as many as there may be attempts are a round, and the pause after a round is one attempt.
type tally struct {
	attempts    int // that an exit may have got, and pauses
	inDoubt     int // of them, those that an exit may have worked on
	roundMisses int // since the last pause
	misses      int // in all
}

// maxDoubtful is how often an exit may have worked on a request before it is given up: each time may cost money, and a
// request that exits break at would break them one after the other.
const maxDoubtful = 3

// fullRounds is how many rounds of as many misses as there may be attempts a request goes through: a relay that forges
// them for ever is not to be sent the same large request without end.
const fullRounds = 3

// add counts a failure.
func (t *tally) add(f *failure) {
	switch {
	case f.undelivered:
		t.roundMisses++
		t.misses++
	case f.inDoubt():
		t.inDoubt++
		t.attempts++
	default:
		t.attempts++
	}
}

// pause counts a pause, after which a new round begins.
func (t *tally) pause() {
	t.attempts++
	t.newRound()
}

func (t *tally) newRound() { t.roundMisses = 0 }

// roundIsOver reports whether the client has to pause before the next attempt.
func (t *tally) roundIsOver(p Patience) bool { return t.roundMisses >= p.Attempts }

// isSpent reports whether there may be no further attempt.
func (t *tally) isSpent(p Patience) bool {
	return t.attempts >= p.Attempts || t.misses >= fullRounds*p.Attempts
}

// lastIfInDoubt reports whether there may be no further attempt if an exit may have worked on the one that is under way.
func (t *tally) lastIfInDoubt(p Patience) bool {
	return t.inDoubt+1 >= maxDoubtful || t.attempts+1 >= p.Attempts
}
