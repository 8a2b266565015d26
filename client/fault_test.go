// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"io"
	"strings"
	"testing"
	"time"
)

// An error in a stream that stays open, or goes on without end, keeps nobody from asking the next exit.
func TestErrorInAnOpenStream(t *testing.T) {
	endless := func(x *exchange) {
		for x.chunk(": "+strings.Repeat("x", 8000)+"\n\n") == nil {
		}
	}
	drip := func(x *exchange) {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for x.chunk(": 1\n\n") == nil {
			select {
			case <-ticker.C:
			case <-x.outer.Context().Done():
				return
			}
		}
	}
	for _, f := range forms {
		for name, then := range map[string]func(*exchange){"open": hang, "endless": endless, "a byte at a time": drip} {
			t.Run(f.name+", "+name, func(t *testing.T) {
				t.Parallel()
				c, exits := pair(t, Config{}, f.protocol, saying(f.kind, then, f.accepted, f.fault), saying(f.kind, properEnd, f.accepted, f.word))
				began := time.Now()
				if body := read(t, c.do("POST", f.path, f.body)); body != f.accepted+f.word {
					t.Errorf("%q, want %q", body, f.accepted+f.word)
				}
				if took := time.Since(began); took > errorTime/3 {
					t.Errorf("the other exit was asked after %v", took)
				}
				if got := standingOf(c, exits[0]); got.Failed == 0 {
					t.Errorf("remembered of the first: %+v", got)
				}
			})
		}
	}
}

// Where the tool gets an error whose stream did not come to its end in time, or within what an error may have, it does not
// look complete.
func TestErrorWithoutAnEnd(t *testing.T) {
	long := func(x *exchange) {
		for range 40 {
			if x.chunk("data: "+strings.Repeat("x", 8000)+"\n\n") != nil {
				return
			}
		}
		x.end()
	}
	for _, f := range forms {
		for name, then := range map[string]func(*exchange){"long": long, "open": hang} {
			t.Run(f.name+", "+name, func(t *testing.T) {
				t.Parallel()
				c, _ := pair(t, Config{}, f.protocol, status(503), saying(f.kind, then, f.accepted, f.fault))
				resp := c.do("POST", f.path, f.body)
				body, err := io.ReadAll(resp.Body)
				if err == nil || !strings.HasPrefix(string(body), f.accepted+f.fault) {
					t.Errorf("error %v after %d bytes", err, len(body))
				}
				if isStream(f.kind) && !strings.Contains(string(body), "not complete") {
					t.Errorf("the tool is not told that the answer is not complete: %q", body[max(0, len(body)-500):])
				}
			})
		}
	}
}

// An error that comes when signs of life have been delivered is the tool's, and an end without content as well, but no
// success of the exit's: it is remembered as if it had come before them.
func TestLateErrorsAreNoSuccess(t *testing.T) {
	for _, f := range forms {
		for name, late := range map[string]struct {
			text string
			then func(*exchange)
		}{
			"an error": {f.fault, properEnd}, "an error, and it breaks off": {f.fault, breakOff}, "nothing": {"", properEnd},
		} {
			t.Run(f.name+", "+name, func(t *testing.T) {
				seen := make(chan struct{})
				exit := newExit(t, newIdentity(t), testInfo(models(f.protocol, "m")))
				exit.answer = saying(f.kind, func(x *exchange) {
					<-seen
					if late.text != "" {
						x.check(x.chunk(late.text))
					}
					late.then(x)
				}, f.accepted)
				c := start(t, Config{Patience: Patience{FirstByte: 20 * time.Millisecond}}, newTestRelay(t, exit))
				resp := c.do("POST", f.path, f.body)
				if _, err := io.ReadFull(resp.Body, make([]byte, len(f.accepted))); err != nil {
					t.Fatal(err)
				}
				close(seen)
				if rest, _ := io.ReadAll(resp.Body); !strings.HasPrefix(string(rest), late.text) {
					t.Errorf("%q, want %q", rest, late.text)
				}
				eventually(t, "it is remembered", func() bool { k := standingOf(c, exit); return k.Failed+k.Succeeded > 0 })
				if got := standingOf(c, exit); got.Succeeded > 0 || got.Failed == 0 {
					t.Errorf("remembered: %+v", got)
				}
			})
		}
	}
}
