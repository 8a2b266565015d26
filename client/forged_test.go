// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

// A relay that says of every key that the exit does not have it makes the client use nothing weaker, and learns nothing
// from how often it is asked again: that is the same for every request. What is not sealed is no answer about a date.
func TestForgedKeyErrors(t *testing.T) {
	const attempts = 3
	for _, kind := range []string{service.TypeOHTTPKey, service.TypeDate, service.TypeReplayed} {
		exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
		relay := newTestRelay(t, exit)
		var kems []ohttp.KEM
		var lengths []int
		relay.forward = func(w http.ResponseWriter, r *http.Request) bool {
			sealed, err := io.ReadAll(r.Body)
			if err != nil || len(sealed) < 3 {
				t.Errorf("%d sealed bytes, %v", len(sealed), err)
				return false
			}
			relay.set(func() {
				kems = append(kems, ohttp.KEM(binary.BigEndian.Uint16(sealed[1:3]))) // RFC 9458 section 4.3
				lengths = append(lengths, len(sealed))
			})
			problem(w, http.StatusBadRequest, kind)
			return true
		}
		c := start(t, Config{RefreshInterval: time.Hour, Patience: Patience{Attempts: attempts}}, relay)
		counts := map[int]bool{}
		for _, prompt := range []string{"x", strings.Repeat("y", 3000)} {
			relay.set(func() { kems, lengths = nil, nil })
			resp := c.do("POST", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"`+prompt+`"}]}`)
			if body := read(t, resp); resp.StatusCode != http.StatusBadGateway || !strings.Contains(body, "exit_refused") {
				t.Errorf("%s: %d %s", kind, resp.StatusCode, body)
			}
			relay.set(func() {
				counts[len(kems)] = true
				for i := range kems {
					if kems[i] != ohttp.KEMXWing || lengths[i] != lengths[0] {
						t.Errorf("%s: attempt %d: KEM %#x, %d bytes, want X-Wing and the length of the first, %d", kind, i, kems[i], lengths[i], lengths[0])
					}
				}
				if len(kems) == 0 || len(kems) > attempts {
					t.Errorf("%s: %d attempts", kind, len(kems))
				}
			})
		}
		if len(counts) != 1 {
			t.Errorf("%s: numbers of attempts %v differ by what is asked", kind, counts)
		}
	}
}
