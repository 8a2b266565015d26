// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

// TestExitSeesOnlyTheSealedRequest plants what could tell the exit about the client.
func TestExitSeesOnlyTheSealedRequest(t *testing.T) {
	type seen struct {
		Method, URI, Host string
		Header, Trailer   http.Header
		Body              string
	}
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t)
		got := make(chan seen, 1)
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got <- seen{r.Method, r.RequestURI, r.Host, r.Header, r.Trailer, string(body)}
		})
		for _, sized := range []bool{true, false} {
			r := g.request(t.Context(), s.hash(), strings.NewReader("sealed"))
			r.URL.RawQuery = "client=canary"
			r.Host = "canary.example"
			for _, name := range []string{
				"Forwarded", "Via", "Cookie", "User-Agent", "Traceparent", "Tracestate", "Baggage", "X-Forwarded-For", "X-Real-Ip",
				"X-Request-Id", "Authorization", "Accept-Language", "Referer", "Origin", "Incremental", "Accept", "Date", "Accept-Encoding",
			} {
				r.Header.Set(name, "canary")
			}
			r.Header.Set("Content-Type", `Message/OHTTP-Req; client=canary`)
			want := seen{
				Method: "POST", URI: "/ohttp", Host: "exit", Body: "sealed",
				Header: http.Header{"Content-Type": {"message/ohttp-req"}},
			}
			if sized {
				want.Header.Set("Content-Length", "6")
			} else {
				r.ContentLength = -1
				r.Trailer = http.Header{"X-Canary": {"canary"}}
			}
			if _, err := g.do(g.client(protocol), r); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, <-got); diff != "" {
				t.Errorf("sized %v: the exit saw (-want +got):\n%s", sized, diff)
			}
		}
	})
}

// TestClientSeesOnlyTheSealedAnswer plants what could tell the client about the exit or mislead it.
func TestClientSeesOnlyTheSealedAnswer(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t)
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			h := w.Header()
			for _, name := range []string{
				"Server", "Set-Cookie", "Via", "X-Canary", "Location", "Date", "Alt-Svc", "Strict-Transport-Security",
				"Proxy-Status", "Retry-After", "Etag", "Link", "Cache-Control",
			} {
				h.Set(name, "canary")
			}
			h.Set("Trailer", "X-Trailer")
			h.Set("Content-Type", "message/ohttp-res")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, "sealed")
			h.Set("X-Trailer", "canary")
		})
		resp, err := g.client(protocol).Do(g.request(t.Context(), s.hash(), strings.NewReader("sealed")))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if string(body) != "sealed" || err != nil || resp.StatusCode != http.StatusTeapot {
			t.Errorf("status %d, body %q, %v", resp.StatusCode, body, err)
		}
		want := http.Header{"Content-Type": {"message/ohttp-res"}, "Content-Length": {"6"}, "Cache-Control": {"no-store"}}
		if diff := cmp.Diff(want, resp.Header); diff != "" {
			t.Errorf("header (-want +got):\n%s", diff)
		}
		if len(resp.Trailer) > 0 {
			t.Errorf("trailer = %v", resp.Trailer)
		}
	})
}

// TestStatusAndLength passes answers of every size and kind on.
func TestStatusAndLength(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 20_000)
	tests := []struct {
		status int
		body   string
		sized  bool
	}{
		{200, "", false},
		{200, "", true},
		{200, "x", true},
		{200, large, true},
		{200, large, false},
		{204, "", false},
		{400, "refused", true},
		{503, "", false},
	}
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t)
		client := g.client(protocol)
		answers := make(chan http.HandlerFunc, 1)
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			(<-answers)(w, r)
		})
		for _, test := range tests {
			answers <- func(w http.ResponseWriter, r *http.Request) {
				if test.sized {
					w.Header().Set("Content-Length", fmt.Sprint(len(test.body)))
				}
				w.WriteHeader(test.status)
				http.NewResponseController(w).Flush()
				io.WriteString(w, test.body)
			}
			got := g.ask(client, s.hash(), "sealed")
			if got.status != test.status || got.body != test.body {
				t.Errorf("status %d with %d bytes: got %d with %d", test.status, len(test.body), got.status, len(got.body))
			}
			if _, typed := got.header["Content-Type"]; typed {
				t.Errorf("status %d: the relay made up a content type: %v", test.status, got.header)
			}
			if length := got.header.Get("Content-Length"); test.sized && length != fmt.Sprint(len(test.body)) {
				t.Errorf("status %d with %d bytes: Content-Length %q", test.status, len(test.body), length)
			}
		}
	})
}

// TestEveryFlushArrives releases each piece of an answer when the client has the one before.
func TestEveryFlushArrives(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t)
		next := make(chan string, 1)
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			for piece := range next {
				io.WriteString(w, piece)
				http.NewResponseController(w).Flush()
			}
		})
		pieces := []string{"a", "token", strings.Repeat("l", smallRead), "b", strings.Repeat("x", largeRead+1), "c", "d"}
		next <- pieces[0]
		resp, err := g.client(protocol).Do(g.request(t.Context(), s.hash(), strings.NewReader("sealed")))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for i, want := range pieces {
			got := make([]byte, len(want))
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
				t.Fatalf("piece %d = %.10q, %v, want %.10q", i, got, err, want)
			}
			if i+1 < len(pieces) {
				next <- pieces[i+1]
			}
		}
		close(next)
		if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil {
			t.Errorf("after the end: %q, %v", rest, err)
		}
	})
}

// TestUploadStreams lets the exit have each piece of a request before the client sends the next.
func TestUploadStreams(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t)
		took := make(chan string)
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			buf := make([]byte, 10)
			for {
				n, err := r.Body.Read(buf)
				if n > 0 {
					took <- string(buf[:n])
				}
				if err != nil {
					return
				}
			}
		})
		body, send := io.Pipe()
		finished := make(chan error, 1)
		go func() {
			_, err := g.do(g.client(protocol), g.request(t.Context(), s.hash(), body))
			finished <- err
		}()
		for _, piece := range []string{"one", "two", "three"} {
			io.WriteString(send, piece)
			if got := <-took; got != piece {
				t.Fatalf("the exit took %q, want %q", got, piece)
			}
		}
		send.Close()
		if err := <-finished; err != nil {
			t.Error(err)
		}
	})
}

// TestAnswerBeforeTheRequestEnds is about an exit that refuses a request whose first bytes tell it all,
// while the client has not sent the rest.
func TestAnswerBeforeTheRequestEnds(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t)
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			io.ReadFull(r.Body, make([]byte, 3))
			w.WriteHeader(http.StatusUnprocessableEntity)
			io.WriteString(w, "unknown key")
		})
		body, send := io.Pipe()
		defer send.Close()
		go io.WriteString(send, "key")
		ctx, cancel := context.WithTimeout(t.Context(), patience/2)
		defer cancel()
		got, err := g.do(g.client(protocol), g.request(ctx, s.hash(), body))
		if err != nil || got.status != http.StatusUnprocessableEntity || got.body != "unknown key" {
			t.Errorf("status %d, body %q, %v", got.status, got.body, err)
		}
	})
}

// TestCancelReachesExit cancels before and within the answer.
func TestCancelReachesExit(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		for _, when := range []outcome{outcomeCancelled, outcomeBroken} {
			t.Run(string(when), func(t *testing.T) {
				g := newRig(t)
				running, cancelled := make(chan struct{}), make(chan time.Time, 1)
				s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					if when == outcomeBroken {
						io.WriteString(w, "x")
						http.NewResponseController(w).Flush()
					}
					close(running)
					<-r.Context().Done()
					cancelled <- time.Now()
				})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				started := make(chan *http.Response, 1)
				go func() {
					resp, _ := g.client(protocol).Do(g.request(ctx, s.hash(), strings.NewReader("sealed")))
					started <- resp
				}()
				<-running
				if when == outcomeBroken {
					resp := <-started
					defer resp.Body.Close()
					io.ReadFull(resp.Body, make([]byte, 1))
				}
				begin := time.Now()
				cancel()
				if took := (<-cancelled).Sub(begin); took > patience/2 { // no timeout of a relay is as short
					t.Errorf("it took %v", took)
				}
				g.eventually("it is counted", func() bool { return g.outcomes(when) == 1 })
			})
		}
	})
}

func TestWhatIsNotForwarded(t *testing.T) {
	unknown := string(service.HashOf(nil))
	tests := []struct {
		name        string
		contentType string
		hash        string // "" is the exit's
		want        int
		problem     string
		proxyStatus string
		outcome     outcome
	}{
		{"no content type", "", "", 415, "about:blank", "", outcomeRefused},
		{"JSON", "application/json", "", 415, "about:blank", "", outcomeRefused},
		{"a sealed answer", "message/ohttp-res", "", 415, "about:blank", "", outcomeRefused},
		{"malformed content type", "message/ohttp-req; x", "", 415, "about:blank", "", outcomeRefused},
		{"unknown hash", "message/ohttp-req", unknown, 404, service.TypeUnknownExit, "destination_not_found", outcomeUnknown},
		{"upper-case hash", "message/ohttp-req", strings.Repeat("A", 64), 404, service.TypeUnknownExit, "destination_not_found", outcomeUnknown},
		{"short hash", "message/ohttp-req", "abc", 404, service.TypeUnknownExit, "destination_not_found", outcomeUnknown},
		{"control characters", "message/ohttp-req", "%0d%0aX:%20y", 404, service.TypeUnknownExit, "destination_not_found", outcomeUnknown},
	}
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t)
		client := g.client(protocol)
		s := g.connect(newIdentity(t), func(http.ResponseWriter, *http.Request) { t.Error("a request reached the exit") })
		counts := map[outcome]float64{}
		for _, test := range tests {
			r := g.request(t.Context(), "", strings.NewReader("sealed"))
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL.String()+test.hash, strings.NewReader("sealed"))
			if err != nil {
				t.Fatal(err)
			}
			if test.hash == "" {
				r.URL.Path += string(s.hash())
			}
			if test.contentType != "" {
				r.Header.Set("Content-Type", test.contentType)
			}
			got, err := g.do(client, r)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			if got.status != test.want || got.problem() != test.problem {
				t.Errorf("%s: status %d, problem %q, want %d, %q", test.name, got.status, got.problem(), test.want, test.problem)
			}
			if status := got.header.Get("Proxy-Status"); !strings.HasSuffix(status, test.proxyStatus) || (status == "") != (test.proxyStatus == "") {
				t.Errorf("%s: Proxy-Status %q, want error %q", test.name, status, test.proxyStatus)
			}
			counts[test.outcome]++
		}
		for _, outcome := range slices.Sorted(maps.Keys(counts)) {
			if got := g.outcomes(outcome); got != counts[outcome] {
				t.Errorf("%v requests counted as %s, want %v", got, outcome, counts[outcome])
			}
		}
	})
}

func TestOtherPathsAndMethods(t *testing.T) {
	g := newRig(t)
	client := g.client(h2)
	tests := []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 200},
		{"HEAD", "/exits", 200},
		{"GET", "/healthz", 200},
		{"GET", "/metrics", 404},
		{"GET", "/ohttp", 404},
		{"POST", "/ohttp/", 404},
		{"GET", "/ohttp/" + string(service.HashOf(nil)), 405},
		{"POST", "/exits", 405},
		{"CONNECT", "/", 404},
	}
	for _, test := range tests {
		r, err := http.NewRequestWithContext(t.Context(), test.method, g.url.Base()+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := g.do(client, r)
		if err != nil || (got.status != test.want && test.method != "CONNECT") || got.status/100 == 5 {
			t.Errorf("%s %s: status %d, %v, want %d", test.method, test.path, got.status, err, test.want)
		}
	}
}

// TestStreamsWaitInSmallBuffers: what piled up once must not hold a large buffer for the rest of a stream.
func TestStreamsWaitInSmallBuffers(t *testing.T) {
	buf := buffers.Take(0)
	for i, step := range []struct{ read, want int }{
		{100, smallRead}, {smallRead - 1, smallRead}, {smallRead, 8 << 10}, {8 << 10, largeRead}, {largeRead, largeRead}, {smallRead, 8 << 10}, {100, smallRead},
	} {
		if buf = fitting(buf, step.read); len(*buf) != step.want {
			t.Fatalf("read %d: after %d bytes the next goes into %d, want %d", i, step.read, len(*buf), step.want)
		}
	}
	release(buf)
}
