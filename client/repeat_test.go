// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// What is known of an attempt, the mode of retrying and the request's own effects decide together whether it is sent
// again, alike for streams and for whole answers.
func TestWhatIsRepeated(t *testing.T) {
	failures := []struct {
		name    string
		first   func(*exchange)
		certain bool // that the exit did not work on it
	}{
		{"busy", coded(dialect.CodeExitBusy), true},
		{"overloaded", coded(dialect.CodeBackendOverloaded), true},
		{"failed", coded(dialect.CodeBackendError), false},
		{"breaks after the head", hurried(func(x *exchange) { x.head(200, eventStream); breakOff(x) }), false},
		{"silent", hurried(hang), false},
		{"silent after the head", hurried(func(x *exchange) { x.head(200, eventStream); hang(x) }), false},
		{"another outer status", hurried(func(x *exchange) { x.w.WriteHeader(http.StatusTeapot) }), false},
		{"nothing", hurried(func(x *exchange) { x.head(200, eventStream); x.end() }), false},
		{"no content", hurried(func(x *exchange) { x.head(204); x.end() }), false},
	}
	for _, f := range failures {
		for _, mode := range []Retry{RetryNever, RetrySafe, RetryAlways} {
			for _, effects := range []bool{false, true} {
				for _, stream := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, %s, effects=%t, stream=%t", f.name, mode, effects, stream), func(t *testing.T) {
						t.Parallel()
						again := f.certain || mode == RetryAlways || mode == RetrySafe && !effects
						cfg := Config{Retry: mode, AnswerTimeout: time.Hour, Patience: Patience{FirstByte: time.Hour}}
						if strings.HasPrefix(f.name, "silent") {
							cfg.AnswerTimeout, cfg.Patience.FirstByte = time.Second, 400*time.Millisecond
						}
						c, exits := pair(t, cfg, service.OpenAI, f.first, plainAnswer(`{"from":"the second"}`))
						resp := c.do("POST", "/v1/chat/completions", repeatedBody(effects, stream))
						body := read(t, resp)
						if answered := resp.StatusCode == 200 && body == `{"from":"the second"}`; answered != again {
							t.Errorf("status %d, body %s", resp.StatusCode, body)
						}
						if n, m := exits[0].requests.Load(), exits[1].requests.Load(); n != 1 || m != 1 && again || m != 0 && !again {
							t.Errorf("sent %d and %d times", n, m)
						}
					})
				}
			}
		}
	}
}

func repeatedBody(effects, stream bool) string {
	tools := ""
	if effects {
		tools = `,"tools":[{"type":"mcp","server_label":"x"}]`
	}
	return fmt.Sprintf(`{"messages":[],"model":"m","stream":%t%s}`, stream, tools)
}
