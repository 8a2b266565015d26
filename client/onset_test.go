// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// forms are how streams begin, in each protocol: what carries no content, what does, and an error in its place.
var forms = []struct {
	name, path, body     string
	protocol             service.Protocol
	kind                 string
	sign, accepted, word string
	fault                string
}{
	{
		"chat", "/v1/chat/completions", streamBody, service.OpenAI, "text/event-stream",
		": keep-alive\n\n", `data: {"choices":[{"delta":{"role":"assistant","content":""}}]}` + "\n\n", `data: {"choices":[{"delta":{"content":"Hi"}}]}` + "\n\n",
		`data: {"error":{"message":"overloaded","code":503}}` + "\n\n",
	},
	{
		"responses", "/v1/responses", `{"model":"m","input":"hi","stream":true}`, service.OpenAI, "text/event-stream",
		": keep-alive\n\n", `data: {"type":"response.created","response":{}}` + "\n\n", `data: {"type":"response.output_text.delta","delta":"Hi"}` + "\n\n",
		`data: {"type":"response.failed","response":{"error":{"code":"server_error"}}}` + "\n\n",
	},
	{
		"claude", "/v1/messages", `{"model":"m","max_tokens":9,"messages":[],"stream":true}`, service.Claude, "text/event-stream",
		"event: ping\ndata: {\"type\": \"ping\"}\n\n", `data: {"type":"message_start","message":{"content":[]}}` + "\n\n", `data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}` + "\n\n",
		"event: error\n" + `data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}` + "\n\n",
	},
	{
		"gemini", "/v1beta/models/m:streamGenerateContent?alt=sse", `{"contents":[]}`, service.Gemini, "text/event-stream",
		"\r\n", `data: {"candidates":[{"content":{"parts":[{"text":""}]}}]}` + "\r\n\r\n", `data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}` + "\r\n\r\n",
		`data: {"error":{"code":503,"status":"UNAVAILABLE"}}` + "\r\n\r\n",
	},
	{
		"gemini's array", "/v1beta/models/m:streamGenerateContent", `{"contents":[]}`, service.Gemini, "application/json",
		"\n", `[{"candidates":[{"content":{"parts":[{"text":""}]}}]}`, `,{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}`,
		`,{"error":{"code":503,"status":"UNAVAILABLE"}}]`,
	},
	{
		"ollama", "/api/chat", `{"model":"m","messages":[]}`, service.Ollama, "application/x-ndjson",
		"\n", `{"message":{"role":"assistant","content":""},"done":false}` + "\n", `{"message":{"role":"assistant","content":"Hi"},"done":false}` + "\n",
		`{"error":"out of memory"}` + "\n",
	},
}

// pair runs a client with an exit that is tried first and another, which offer a model in a protocol.
func pair(t *testing.T, cfg Config, p service.Protocol, first, second func(*exchange)) (*testClient, []*testExit) {
	t.Helper()
	cfg.Preferences.Sort = route.SortPrice
	var exits []*testExit
	for i, answer := range []func(*exchange){first, second} {
		exits = append(exits, newExit(t, newIdentity(t), testInfo([]service.Model{priced(p, "m", []service.Decimal{"0.01", "50"}[i])})))
		exits[i].answer = answer
	}
	return start(t, cfg, newTestRelay(t, exits...)), exits
}

// saying sends pieces of a stream and then does what is to follow.
func saying(kind string, then func(*exchange), pieces ...string) func(*exchange) {
	return hurried(func(x *exchange) {
		x.head(200, bhttp.Field{Name: "content-type", Value: kind})
		for _, p := range pieces {
			if x.chunk(p) != nil {
				return
			}
		}
		then(x)
	})
}

func breakOff(*exchange) { panic(http.ErrAbortHandler) }
func properEnd(x *exchange) {
	x.end()
}

func cutByExit(x *exchange) { x.end(bhttp.Field{Name: dialect.FieldError, Value: "backend_cut"}) }

// An answer of which only signs of life have come, or that the request was taken up, has not begun: whatever becomes of it,
// the request is answered elsewhere, and the tool sees nothing of the first.
func TestNoContentIsNoBeginning(t *testing.T) {
	for _, f := range forms {
		for name, first := range map[string]func(*exchange){
			"silent after a sign of life":  saying(f.kind, hang, f.sign),
			"silent after it was accepted": saying(f.kind, hang, f.accepted, f.sign),
			"broken after a sign of life":  saying(f.kind, breakOff, f.sign),
			"broken after it was accepted": saying(f.kind, breakOff, f.sign, f.accepted),
			"cut by the exit":              saying(f.kind, cutByExit, f.accepted),
			"ends without content":         saying(f.kind, properEnd, f.sign+f.accepted),
			"an error":                     saying(f.kind, properEnd, f.accepted+f.fault),
			"an error, and it breaks off":  saying(f.kind, breakOff, f.accepted, f.fault),
		} {
			t.Run(f.name+", "+name, func(t *testing.T) {
				cfg := Config{Patience: Patience{FirstByte: 50 * time.Millisecond}}
				second := f.accepted + f.word
				c, exits := pair(t, cfg, f.protocol, first, saying(f.kind, properEnd, f.accepted, f.word))
				resp := c.do("POST", f.path, f.body)
				if body := read(t, resp); resp.StatusCode != 200 || body != second {
					t.Errorf("status %d, body %q, want %q", resp.StatusCode, body, second)
				}
				if n, m := exits[0].requests.Load(), exits[1].requests.Load(); n != 1 || m != 1 {
					t.Errorf("sent %d and %d times", n, m)
				}
				if got := standingOf(c, exits[0]); got.Failed == 0 && got.State == route.Closed {
					t.Errorf("remembered of the first: %+v", got)
				}
			})
		}
	}
}

// Where there is nobody else to ask, what an exit sends before content is held back only so long, and then goes to the
// tool as it comes.
func TestSignsOfLifeAreDelivered(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			seen := make(chan struct{})
			exit := newExit(t, newIdentity(t), testInfo(models(f.protocol, "m")))
			exit.answer = func(x *exchange) {
				x.head(200, bhttp.Field{Name: "content-type", Value: f.kind})
				for _, piece := range []string{f.accepted, f.sign, f.word} {
					x.check(x.chunk(piece))
					<-seen
				}
				x.end()
			}
			c := start(t, Config{Patience: Patience{FirstByte: 20 * time.Millisecond}}, newTestRelay(t, exit))
			resp := c.do("POST", f.path, f.body)
			for _, want := range []string{f.accepted, f.sign, f.word} {
				got := make([]byte, len(want))
				if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
					t.Fatalf("%q, %v, want %q", got, err, want)
				}
				seen <- struct{}{}
			}
			if rest := read(t, resp); rest != "" {
				t.Errorf("more than was sent: %q", rest)
			}
		})
	}
}

// A backend that waits for its reader before it goes on is waited for, but the tool does not wait for it: with another
// exit at hand and all the patience there is, it learns soon that its request was taken up.
func TestAcceptedIsTold(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			seen := make(chan struct{})
			cfg := Config{Patience: Patience{FirstByte: time.Hour}}
			c, exits := pair(t, cfg, f.protocol, saying(f.kind, func(x *exchange) {
				<-seen
				x.check(x.chunk(f.word))
				x.end()
			}, f.sign, f.accepted), plainAnswer("{}"))
			resp := c.do("POST", f.path, f.body)
			want := f.sign + f.accepted
			got := make([]byte, len(want))
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
				t.Errorf("%q, %v, want %q", got, err, want)
			}
			close(seen)
			if body := read(t, resp); body != f.word || exits[1].requests.Load() != 0 {
				t.Errorf("then %q, want %q; %d requests to the other exit", body, f.word, exits[1].requests.Load())
			}
		})
	}
}

// What was delivered is an answer that has begun, even if it was a sign of life alone.
func TestDeliveredSignsAreNotTakenBack(t *testing.T) {
	seen := make(chan struct{})
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	exit.answer = func(x *exchange) {
		x.head(200, eventStream)
		x.check(x.chunk(": 1\n\n"))
		<-seen
		breakOff(x)
	}
	c := start(t, Config{Retry: RetryAlways, Patience: Patience{FirstByte: 20 * time.Millisecond}}, newTestRelay(t, exit))
	resp := c.do("POST", "/v1/chat/completions", streamBody)
	if _, err := io.ReadFull(resp.Body, make([]byte, len(": 1\n\n"))); err != nil {
		t.Fatal(err)
	}
	seen <- struct{}{}
	rest, err := io.ReadAll(resp.Body)
	if err == nil || !strings.Contains(string(rest), "stream_cut") || exit.requests.Load() != 1 {
		t.Errorf("error %v after %q; %d requests", err, rest, exit.requests.Load())
	}
}

// A model that was asked to reason, and has taken the request up, is not given up for having nothing to show yet.
func TestReasoningIsWaitedFor(t *testing.T) {
	f := forms[0]
	late := make(chan struct{})
	c, exits := pair(t, Config{Patience: Patience{FirstByte: 500 * time.Millisecond}}, f.protocol, saying(f.kind, func(x *exchange) {
		<-late
		x.check(x.chunk(f.word))
		x.end()
	}, f.accepted), plainAnswer("{}"))
	resp := c.do("POST", f.path, `{"messages":[],"model":"m","stream":true,"reasoning_effort":"high"}`)
	got := make([]byte, len(f.accepted))
	if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != f.accepted {
		t.Errorf("%q, %v", got, err)
	}
	close(late)
	if body := read(t, resp); body != f.word || exits[1].requests.Load() != 0 {
		t.Errorf("body %q, %d requests to the other exit", body, exits[1].requests.Load())
	}
}

// An error in a stream that no other exit does better than is the tool's, as it was sent.
func TestLastErrorInAStream(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			c, _ := pair(t, Config{}, f.protocol, status(503), saying(f.kind, properEnd, f.accepted, f.fault))
			resp := c.do("POST", f.path, f.body)
			if body := read(t, resp); resp.StatusCode != 200 || body != f.accepted+f.fault {
				t.Errorf("status %d, body %q", resp.StatusCode, body)
			}
		})
	}
}

// What an error in a stream means is told by its words, as that of one with a status.
func TestErrorsInStreams(t *testing.T) {
	event := func(text string) func(*exchange) { return saying("text/event-stream", properEnd, "data: "+text+"\n\n") }
	tests := []struct {
		name  string
		retry Retry
		fault string
		again bool
		state route.State
	}{
		{"overloaded", RetryNever, `{"error":{"type":"overloaded_error"}}`, true, route.Open},
		{"limited", RetryNever, `{"error":{"code":"rate_limit_exceeded"}}`, true, route.Open},
		{"failed", RetrySafe, `{"error":{"type":"server_error"}}`, true, route.Open},
		{"failed, and nothing unknown may be repeated", RetryNever, `{"error":{"type":"server_error"}}`, false, route.Open},
		{"wrong, in the first's opinion", RetrySafe, `{"error":{"type":"invalid_request_error"}}`, true, route.Open},
		{"wrong, and nothing may be repeated", RetryNever, `{"error":{"type":"invalid_request_error"}}`, false, route.Closed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, exits := two(t, Config{Retry: tt.retry}, event(tt.fault), saying("text/event-stream", properEnd, forms[0].word))
			want := map[bool]string{true: forms[0].word, false: "data: " + tt.fault + "\n\n"}[tt.again]
			if body := read(t, c.do("POST", "/v1/chat/completions", streamBody)); body != want {
				t.Errorf("%q, want %q", body, want)
			}
			if got := standingOf(c, exits[0]); tt.state == route.Open && got.State != route.Open {
				t.Errorf("remembered of the first: %+v", got)
			}
		})
	}
}

// A request that is too long for its first model goes on to the next in whatever words that is said.
func TestTooLongInOtherWords(t *testing.T) {
	for name, answer := range map[string]func(*exchange){
		"claude":    answering(400, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 tokens > 1 maximum"}}`),
		"gemini":    answering(400, `{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}`),
		"vllm":      answering(400, `{"object":"error","message":"This model's maximum context length is 8 tokens.","code":400}`),
		"llama.cpp": answering(400, `{"error":{"code":400,"message":"request (9 tokens) exceeds the available context size (8 tokens)","type":"exceed_context_size_error"}}`),
		"413":       answering(413, `{"error":{"message":"prompt too long; exceeded max context length by 4 tokens"}}`),
		"a stream":  saying("text/event-stream", properEnd, `data: {"error":{"code":"context_length_exceeded","message":""}}`+"\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			short, long := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m"))), newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "long")))
			short.answer = answer
			long.answer = plainAnswer("{}")
			c := start(t, Config{Retry: RetryNever}, newTestRelay(t, short, long))
			resp := c.do("POST", "/v1/chat/completions", `{"model":"m","models":["long"],"messages":[]}`)
			if body := read(t, resp); body != "{}" || resp.Header.Get(fieldModel) != "long" {
				t.Errorf("model %q, body %s", resp.Header.Get(fieldModel), body)
			}
		})
	}
}

// A tool that goes away while the beginning is held back, or a sign of life was delivered and a read is under way, cancels
// the request and leaves nothing behind.
func TestCancelBeforeContent(t *testing.T) {
	for _, firstByte := range []time.Duration{time.Millisecond, time.Hour} {
		t.Run(fmt.Sprint(firstByte), func(t *testing.T) {
			arrived, gone := make(chan struct{}), make(chan struct{})
			exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
			exit.answer = saying("text/event-stream", func(x *exchange) {
				close(arrived)
				hang(x)
				close(gone)
			}, ": 1\n\n")
			c := start(t, Config{Patience: Patience{FirstByte: firstByte}}, newTestRelay(t, exit))
			before := ownGoroutines()
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				if resp, err := c.send(ctx, "POST", "/v1/chat/completions", strings.NewReader(streamBody)); err == nil {
					io.Copy(io.Discard, resp.Body)
				}
			}()
			<-arrived
			cancel()
			<-gone
			<-ended
			eventually(t, "nothing runs any more", func() bool { return ownGoroutines() <= before+4 }) // connections stay
			if got := c.router.chooser.Known(""); len(got) > 0 && got[0].Failed > 0 {
				t.Errorf("remembered: %+v", got)
			}
		})
	}
}

// While the tool is written to, nobody waits for the exit: a read that is under way from before may take as long as that.
func TestNobodyIsHurriedWhileTheToolIsWrittenTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, exit := io.Pipe()
		defer exit.Close()
		op := dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Chat}
		ctx, cancel := context.WithCancelCause(t.Context())
		a := &answer{
			inner: &bhttp.Response{}, begun: true, stall: time.Minute,
			source: ahead{src: source}, meter: newMeter(time.Now(), op, "text/event-stream"),
			watch: newWatch(cancel, time.Hour, func() error { return context.Cause(ctx) }),
		}
		enough := make(chan struct{})
		close(enough)
		piece := make([]byte, 1)
		if _, _, came := a.readUntil(piece, enough); came {
			t.Fatal("something came that was not sent")
		}
		if _, err := exit.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute) // virtual
		if err := context.Cause(ctx); err != nil {
			t.Errorf("given up while the tool was written to: %v", err)
		}
		if n, err := a.Read(piece); n != 1 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}

// The beginning of an answer is held back as far as it goes into the memory that it may have, and then delivered.
func TestHeldIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name, body, sent string
		kind             bhttp.Field
	}{
		{"a stream", streamBody, strings.Repeat(": "+strings.Repeat("x", 8<<10)+"\n\n", 2*maxHeld>>13), eventStream},
		{"an answer of white space", chatBody, strings.Repeat(" ", 2*maxHeld), jsonType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _, _ := network(t, Config{Patience: Patience{FirstByte: time.Hour}}, func(x *exchange) {
				x.head(200, tt.kind)
				for rest := tt.sent; rest != ""; rest = rest[min(len(rest), 9000):] {
					x.check(x.chunk(rest[:min(len(rest), 9000)]))
				}
				hang(x)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			resp, err := c.send(ctx, "POST", "/v1/chat/completions", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(tt.sent))
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != tt.sent {
				t.Errorf("not what was sent: %v", err)
			}
		})
	}
}
