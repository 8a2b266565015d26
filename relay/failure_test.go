// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

// takers are the tunnels that take requests sealed to the keys of hash, in the order in which they are tried.
func (g *rig) takers(hash service.Hash) []*entry {
	g.t.Helper()
	var all []*entry
	for {
		e := g.relay.registry.take(hash, all)
		if e == nil {
			break
		}
		all = append(all, e)
	}
	for _, e := range all {
		g.relay.registry.release(e, noVerdict)
	}
	return all
}

// TestExitGoneBeforehand is about keys that the directory showed a moment ago.
func TestExitGoneBeforehand(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t)
		client := g.client(protocol)
		s := g.connect(newIdentity(t), echo)
		s.conn.Close()
		g.eventually("the exit is gone", func() bool { return len(g.takers(s.hash())) == 0 })
		got := g.ask(client, s.hash(), "sealed")
		if got.status != http.StatusBadGateway || got.problem() != service.TypeExitNotReached {
			t.Errorf("status %d, problem %q", got.status, got.problem())
		}
		if status := got.header.Get("Proxy-Status"); status != "tokengo-relay; error=destination_unavailable" {
			t.Errorf("Proxy-Status %q", status)
		}
		if n := g.outcomes(outcomeNotReached); n != 1 {
			t.Errorf("%v requests counted as not reached", n)
		}
	})
}

// goneCarrier is a tunnel that goes after it was chosen, before it asked for any of the body.
type goneCarrier struct{ standing }

func (goneCarrier) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrClosedPipe }

// TestNextTunnelTakesOver offers a request to tunnels of which some have gone since they were chosen.
func TestNextTunnelTakesOver(t *testing.T) {
	tests := []struct {
		name  string
		gone  int
		alive int
		want  int
	}{
		{"the first is alive", 0, 2, http.StatusOK},
		{"the second takes over", 1, 1, http.StatusOK},
		{"the last that is tried takes over", maxTries - 1, 1, http.StatusOK},
		{"no more are tried", maxTries, 1, http.StatusBadGateway},
		{"all are gone", 1, 0, http.StatusBadGateway},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newRig(t)
			id := newIdentity(t)
			for range test.gone + test.alive {
				g.connect(id, echo)
			}
			for i, e := range g.takers(id.hash()) {
				e.inFlight = i // so that this is the order in which they are tried
				if i < test.gone {
					e.carrier = goneCarrier{}
				}
			}
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("sealed"))
			g.relay.exchange(w, r, "message/ohttp-req", id.hash())
			if w.Code != test.want {
				t.Errorf("status %d, want %d", w.Code, test.want)
			}
			if want := "sealed"; test.want == http.StatusOK && w.Body.String() != want {
				t.Errorf("body %q: it did not get through whole", w.Body)
			}
			got := answer{w.Code, w.Header(), w.Body.String()}
			if test.want != http.StatusOK && got.problem() != service.TypeExitNotReached {
				t.Errorf("problem %q", got.problem())
			}
		})
	}
}

// TestExitLost has the exit go away when it has the request, before it answers.
func TestExitLost(t *testing.T) {
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	tests := []struct {
		name string
		goes func(s *session) http.HandlerFunc
	}{
		{"its connection ends", func(s *session) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) {
				s.conn.Close()
				<-r.Context().Done()
			}
		}},
		{"it resets the stream", func(*session) http.HandlerFunc { return abort }},
		{"its status is none", func(*session) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(999) }
		}},
	}
	eachProtocol(t, func(t *testing.T, protocol string) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				g := newRig(t)
				var s *session
				s = g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					test.goes(s)(w, r)
				})
				got := g.ask(g.client(protocol), s.hash(), "sealed")
				if got.status != http.StatusBadGateway || got.problem() != service.TypeExitLost {
					t.Errorf("status %d, problem %q", got.status, got.problem())
				}
				if status := got.header.Get("Proxy-Status"); status != "tokengo-relay; error=connection_terminated" {
					t.Errorf("Proxy-Status %q", status)
				}
				if n := g.outcomes(outcomeLost); n != 1 {
					t.Errorf("%v requests counted as lost", n)
				}
			})
		}
	})
}

// TestBrokenAnswer has the exit go away within its answer. The client must not take what it has for the
// whole.
func TestBrokenAnswer(t *testing.T) {
	tests := []struct {
		name  string
		sized bool
		goes  func(s *session, r *http.Request)
	}{
		{"its connection ends", false, func(s *session, r *http.Request) {
			s.conn.Close()
			<-r.Context().Done()
		}},
		{"it resets the stream", false, func(*session, *http.Request) { panic(http.ErrAbortHandler) }},
		{"it sends less than it said", true, func(*session, *http.Request) {}},
	}
	eachProtocol(t, func(t *testing.T, protocol string) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				g := newRig(t)
				client := g.client(protocol)
				received := make(chan struct{})
				var s *session
				s = g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					if test.sized {
						w.Header().Set("Content-Length", "100")
					}
					io.WriteString(w, "half")
					http.NewResponseController(w).Flush()
					<-received
					test.goes(s, r)
				})
				resp, err := client.Do(g.request(t.Context(), s.hash(), strings.NewReader("sealed")))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				half := make([]byte, 4)
				if _, err := io.ReadFull(resp.Body, half); string(half) != "half" || err != nil {
					t.Fatalf("the answer begins with %q, %v", half, err)
				}
				close(received)
				if rest, err := io.ReadAll(resp.Body); err == nil {
					t.Errorf("the broken answer ended as if whole, with %q", rest)
				}
				g.eventually("it is counted", func() bool { return g.outcomes(outcomeBroken) == 1 })
				if n := g.metric("tokengo_relay_answer_bytes_total"); n != 4 {
					t.Errorf("%v bytes counted", n)
				}
			})
		}
	})
}

// TestTunnelsShareLoad keeps requests waiting at an identity with two tunnels, and then cuts one.
func TestTunnelsShareLoad(t *testing.T) {
	g := newRig(t)
	client := g.client(h2)
	id := newIdentity(t)
	arrived, release := make(chan string, 10), make(chan struct{})
	waits := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			arrived <- name
			<-release
			io.WriteString(w, name)
		}
	}
	first := g.connect(id, waits("first"))
	g.connect(id, waits("second"))
	answers := make(chan answer, 10)
	count := map[string]int{}
	for range 10 {
		go func() {
			a, err := g.do(client, g.request(t.Context(), id.hash(), strings.NewReader("sealed")))
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
		count[<-arrived]++
	}
	if diff := cmp.Diff(map[string]int{"first": 5, "second": 5}, count); diff != "" {
		t.Errorf("requests by tunnel (-want +got):\n%s", diff)
	}

	first.conn.Close()
	lost := 0
	for range 5 { // those of the other wait for release
		if a := <-answers; a.problem() == service.TypeExitLost {
			lost++
		}
	}
	if lost != 5 {
		t.Errorf("%d requests at the tunnel that was cut were reported lost, want 5", lost)
	}
	close(release)
	for range 5 {
		if a := <-answers; a.status != http.StatusOK || a.body != "second" {
			t.Errorf("a request at the other tunnel got status %d, %q", a.status, a.body)
		}
	}
	if a := g.ask(client, id.hash(), "sealed"); a.body != "second" {
		t.Errorf("after the cut: status %d, %q", a.status, a.body)
	}
}

// TestRequestCutShort has a client that ends its request in the middle.
func TestRequestCutShort(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t)
		body, send := io.Pipe()
		aborted := make(chan error, 1)
		s := g.connect(newIdentity(t), func(_ http.ResponseWriter, r *http.Request) {
			io.ReadFull(r.Body, make([]byte, 4))
			send.CloseWithError(errors.New("cut"))
			_, err := io.Copy(io.Discard, r.Body)
			aborted <- err
		})
		go io.WriteString(send, "half")
		if _, err := g.do(g.client(protocol), g.request(t.Context(), s.hash(), body)); err == nil {
			t.Error("the client got an answer to half a request")
		}
		if err := <-aborted; err == nil {
			t.Error("to the exit the request looked whole")
		}
		g.eventually("it is counted", func() bool { return g.outcomes(outcomeCancelled) == 1 })
	})
}

// TestMalformedChunks sends what only a client that is not net/http would.
func TestMalformedChunks(t *testing.T) {
	g := newRig(t)
	s := g.connect(newIdentity(t), echo)
	conn, err := g.dial(h1)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	io.WriteString(conn, "POST /ohttp/"+string(s.hash())+" HTTP/1.1\r\nHost: relay\r\nContent-Type: message/ohttp-req\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nnonsense\r\n")
	said, err := io.ReadAll(conn)
	if !strings.HasPrefix(string(said), "HTTP/1.1 400 ") || !strings.Contains(string(said), "Connection: close") {
		t.Errorf("the relay said %q, %v", said, err)
	}
	if got := g.ask(g.client(h1), s.hash(), "sealed"); got.body != "sealed" {
		t.Errorf("another client got %q", got.body)
	}
}
