// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/service"
)

// date is the time to put inside the seal. It is the user's clock corrected by what the relay says the time is, which is
// the same for all who use that relay: an exit would know a user again by a clock that is always 37 seconds off. An exit
// that refuses a date has the last word about its own (RFC 9458 section 6.5.2), for this request alone: one that gave each
// client another time to remember would know it again by that. A date that a relay spoils makes requests fail, which a
// relay can always do.
func (s *sending) date(relay *relay) time.Time {
	if s.corrected {
		return time.Now().Add(s.offset)
	}
	return time.Now().Add(time.Duration(relay.ahead.Load()))
}

// correct takes in what time it is at the exit.
func (s *sending) correct(there time.Time) { s.corrected, s.offset = true, time.Until(there) }

// learn takes in the Date field of a relay's answer. It has whole seconds, so on average half of one more has passed.
func (r *relay) learn(header http.Header) {
	if at, err := http.ParseTime(header.Get("Date")); err == nil {
		r.ahead.Store(int64(time.Until(at.Add(time.Second / 2))))
	}
}

// refusedDate reports whether an exit's answer, opened, refuses the request's date, and what time it says it is. What it
// read of another answer it puts back.
func refusedDate(inner *bhttp.Response) (there time.Time, refused bool) {
	contentType := inner.Fields.Get("content-type")
	if inner.Status != http.StatusBadRequest || contentType != service.ProblemType {
		return time.Time{}, false
	}
	body, err := io.ReadAll(io.LimitReader(inner.Body, maxProblemBytes))
	inner.Body = io.MultiReader(bytes.NewReader(body), inner.Body)
	if err != nil {
		return time.Time{}, false
	}
	problem, ok := service.ParseProblem(contentType, body)
	if !ok || problem.Type != service.TypeDate {
		return time.Time{}, false
	}
	there, err = http.ParseTime(inner.Fields.Get("date"))
	return there, err == nil
}
