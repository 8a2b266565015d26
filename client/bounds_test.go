// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokengo/tokengo/service"
)

// What is remembered of ways is bounded, however many exits there were and however often they were used.
func TestWaysAreBounded(t *testing.T) {
	var s ways
	for i := range 3 * maxWays {
		for range 2 * waySoon {
			s.note(service.Identity(strconv.Itoa(i)), time.Unix(int64(i%2), 0))
		}
	}
	if len(s.to) != maxWays {
		t.Errorf("%d ways, want %d", len(s.to), maxWays)
	}
	for id, w := range s.to {
		if w.good+w.bad > waySoon {
			t.Errorf("%s: %+v", id, w)
		}
	}
}

// Failures of every kind, of exits and relays, under many requests at once, leave no goroutine and no request behind.
func TestFailuresLeaveNothingBehind(t *testing.T) {
	const workers, requests = 8, 30
	before := ownGoroutines()
	kinds := forgeries()
	answers := []func(*exchange){
		plainAnswer("{}"), streaming, status(500), status(429), trickle(503), answering(200, ""), answering(307, "{}"),
		func(*exchange) { panic(http.ErrAbortHandler) },
	}
	var exits []*testExit
	for _, answer := range answers {
		exit := offering(t)
		exit.answer = hurried(answer)
		exits = append(exits, exit)
	}
	cfg := Config{AnswerTimeout: 200 * time.Millisecond, StallTimeout: 200 * time.Millisecond, Patience: Patience{Attempts: 3, FirstByte: 50 * time.Millisecond}}
	c, _ := behind(t, cfg, kinds[0].answer, exits...)
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for i := range requests {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+(worker+i)%3)*200*time.Millisecond)
				body := strings.Replace(streamBody, "hi", strconv.Itoa(i), 1)
				if resp, err := c.send(ctx, "POST", "/v1/chat/completions", strings.NewReader(body)); err == nil {
					io.Copy(io.Discard, resp.Body)
				}
				cancel()
			}
		})
	}
	group.Wait()
	for _, p := range c.directory.pollers {
		eventually(t, "nobody waits", func() bool {
			_, waits := p.relay.lookout.oldest()
			return !waits
		})
	}
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	eventually(t, "all goroutines have ended", func() bool { return ownGoroutines() <= before })
}
