// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/translate"
	"github.com/tokengo/tokengo/service"
)

// A pulse beats while nothing comes, loses nothing, and leaves no goroutine behind: a bubble with one does not end.
func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, dst := io.Pipe()
		p := newPulse(src, time.Second)
		go func() {
			<-time.After(2500 * time.Millisecond)
			io.WriteString(dst, "late")
			dst.CloseWithError(io.ErrUnexpectedEOF)
		}()
		var got []string
		memory := make([]byte, 10)
		for {
			n, err := p.Read(memory)
			got = append(got, string(memory[:n]))
			if err != nil && !errors.Is(err, errSilent) {
				got = append(got, err.Error())
				break
			}
		}
		if diff := cmp.Diff([]string{"", "", "late", "", "unexpected EOF"}, got); diff != "" {
			t.Errorf("read (-want +got):\n%s", diff)
		}
		p.stop(func() { t.Error("nothing was being read") })
	})
}

// Stopping a pulse ends a read that hangs.
func TestPulseStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, _ := io.Pipe()
		p := newPulse(src, time.Second)
		if _, err := p.Read(make([]byte, 1)); !errors.Is(err, errSilent) {
			t.Errorf("read: %v", err)
		}
		p.stop(func() { src.Close() })
	})
}

// While a backend is silent, tools whose protocol has a sign of life get one, in the middle of a stream.
func TestIdleStreams(t *testing.T) {
	const begun = `data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}` + "\n\n"
	tests := []struct {
		tool dialect.Operation
		body string
		want string
	}{
		{dialect.Operation{Protocol: service.Claude, Kind: dialect.Chat}, `{"max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"}]}`, "event: ping\n"},
		{dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Responses}, `{"stream":true,"input":"x"}`, ": keep-alive\n\n"},
		{dialect.Operation{Protocol: service.Gemini, Kind: dialect.Chat, Stream: true}, `{"contents":[{"parts":[{"text":"x"}]}]}`, ""},
		{dialect.Operation{Protocol: service.Ollama, Kind: dialect.Chat}, `{"messages":[{"role":"user","content":"x"}]}`, ""},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			x, fail := translate.New(tt.tool, []byte(tt.body), translate.Target{Protocol: service.OpenAI, Model: "m"})
			if fail != nil {
				t.Fatal(fail)
			}
			body, dst := io.Pipe()
			c := &call{
				silence: time.NewTimer(time.Hour), silent: new(atomic.Bool), stall: time.Hour,
				cancel: func() {}, resp: &http.Response{Body: body},
			}
			src := newTranslated(c, x)
			beat := newPulse(c, idleInterval)
			src.src = beat
			go func() {
				io.WriteString(dst, begun)
				<-time.After(3*idleInterval - time.Second)
				io.WriteString(dst, `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
				dst.Close()
			}()
			out, err := io.ReadAll(src)
			beat.stop(c.abandon)
			if err != nil {
				t.Errorf("%v: %v", tt.tool, err)
			}
			got := string(out)
			if n := strings.Count(got, tt.want); tt.want != "" && n != 2 {
				t.Errorf("%v: %d signs of life, want 2 in %s", tt.tool, n, got)
			}
			if tt.want == "" && (strings.Contains(got, "ping") || strings.Contains(got, "\n: ") || strings.Contains(got, "\n\n\n")) {
				t.Errorf("%v: a sign of life that the protocol does not have: %s", tt.tool, got)
			}
		})
	}
}
