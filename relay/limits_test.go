// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/service"
)

// TestLargeBodies streams more than a relay could hold, up and then down.
func TestLargeBodies(t *testing.T) {
	const most = 64 << 20
	size := int64(256 << 20)
	if raceDetector {
		size = 16 << 20
	}
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t, func(c *Config) { c.MaxRequestBytes = size })
		client := g.client(protocol)
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength == 0 {
				io.CopyBuffer(struct{ io.Writer }{w}, pattern(size), make([]byte, 64<<10))
				return
			}
			io.WriteString(w, digest(t, r.Body))
		})
		want := digest(t, pattern(size))
		before := heap()
		peak := watchHeap(t)
		up := g.request(t.Context(), s.hash(), pattern(size))
		got, err := g.do(client, up)
		if err != nil || got.status != http.StatusOK || got.body != want {
			t.Fatalf("up: status %d, digest %q, %v, want %q", got.status, got.body, err, want)
		}
		resp, err := client.Do(g.request(t.Context(), s.hash(), nil))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := digest(t, resp.Body); got != want {
			t.Errorf("down: digest %q, want %q", got, want)
		}
		if grown := int64(peak()) - int64(before); grown > most {
			t.Errorf("the heap of client, relay and exit grew by %d MiB", grown>>20)
		}
	})
}

// pattern is n bytes that do not repeat in any unit that bodies are cut into.
func pattern(n int64) io.Reader {
	unit := make([]byte, 1<<16+1)
	rand.NewChaCha8([32]byte{}).Read(unit)
	return io.LimitReader(&repeating{unit: unit}, n)
}

type repeating struct {
	unit []byte
	at   int
}

func (r *repeating) Read(p []byte) (int, error) {
	n := copy(p, r.unit[r.at:])
	r.at = (r.at + n) % len(r.unit)
	return n, nil
}

func digest(t *testing.T, r io.Reader) string {
	h := sha256.New()
	if _, err := io.CopyBuffer(h, r, make([]byte, 64<<10)); err != nil {
		t.Error(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// watchHeap looks at the heap until the function that it returns, which tells the most, is called.
func watchHeap(t *testing.T) (peak func() uint64) {
	ctx, cancel := context.WithCancel(t.Context())
	most := make(chan uint64, 1)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		var m runtime.MemStats
		var max uint64
		for ctx.Err() == nil {
			<-tick.C
			runtime.ReadMemStats(&m)
			if m.HeapAlloc > max {
				max = m.HeapAlloc
			}
		}
		most <- max
	}()
	return func() uint64 {
		cancel()
		return <-most
	}
}

func TestTooLarge(t *testing.T) {
	const limit = 1000
	tests := []struct {
		name  string
		size  int
		sized bool
		want  int
	}{
		{"just not, with a length", limit, true, http.StatusOK},
		{"just not, without a length", limit, false, http.StatusOK},
		{"with a length", limit + 1, true, http.StatusRequestEntityTooLarge},
		{"without a length", limit + 1, false, http.StatusRequestEntityTooLarge},
		{"far, without a length", 100 * limit, false, http.StatusRequestEntityTooLarge},
	}
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t, func(c *Config) { c.MaxRequestBytes = limit })
		client := g.client(protocol)
		whole := make(chan bool, 1)
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			whole <- err == nil
		})
		for _, test := range tests {
			body := bytes.Repeat([]byte("x"), test.size)
			r := g.request(t.Context(), s.hash(), bytes.NewReader(body))
			if !test.sized {
				r.ContentLength, r.GetBody = -1, nil
			}
			got, err := g.do(client, r)
			if err != nil || got.status != test.want {
				t.Errorf("%s: status %d, %v, want %d", test.name, got.status, err, test.want)
			}
			reached := !test.sized || test.want == http.StatusOK
			if reached && <-whole != (test.want == http.StatusOK) {
				t.Errorf("%s: the exit is wrong about whether the request is whole", test.name)
			}
		}
		if n := g.outcomes(outcomeRefused); n != 3 {
			t.Errorf("%v requests counted as refused", n)
		}
	})
}

func TestOverloaded(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t, func(c *Config) { c.MaxInFlight = 2 })
		client := g.client(protocol)
		running, release := make(chan struct{}), make(chan struct{})
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			running <- struct{}{}
			<-release
		})
		finished := make(chan answer)
		for range 2 {
			go func() {
				a, _ := g.do(client, g.request(t.Context(), s.hash(), strings.NewReader("sealed")))
				finished <- a
			}()
			<-running
		}
		got := g.ask(client, s.hash(), "sealed")
		if got.status != http.StatusServiceUnavailable || got.problem() != service.TypeOverloaded || got.header.Get("Retry-After") != "1" {
			t.Errorf("a third request: status %d, problem %q, header %v", got.status, got.problem(), got.header)
		}
		if got := g.get(client, "/exits"); got.status != http.StatusOK {
			t.Errorf("the directory meanwhile: status %d", got.status)
		}
		close(release)
		for range 2 {
			if a := <-finished; a.status != http.StatusOK {
				t.Errorf("a running request got status %d", a.status)
			}
		}
		go func() { <-running }()
		if got := g.ask(client, s.hash(), "sealed"); got.status != http.StatusOK {
			t.Errorf("afterwards: status %d", got.status)
		}
		if n := g.outcomes(outcomeOverloaded); n != 1 {
			t.Errorf("%v requests counted as overloaded", n)
		}
	})
}

// TestUploadStalls has a client send half a request and then nothing.
func TestUploadStalls(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t, func(c *Config) { c.UploadTimeout = 50 * time.Millisecond })
		cancelled := make(chan struct{})
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			close(cancelled)
		})
		body, send := io.Pipe()
		defer send.Close()
		go io.WriteString(send, "half")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		got, err := g.do(g.client(protocol), g.request(ctx, s.hash(), body))
		if err != nil || got.status != http.StatusRequestTimeout {
			t.Errorf("status %d, %v", got.status, err)
		}
		<-cancelled
		g.eventually("it is counted", func() bool { return g.outcomes(outcomeCancelled) == 1 })
	})
}

// TestSlowUpload sends a request slower than the silence that is allowed, but never silently.
func TestSlowUpload(t *testing.T) {
	const limit = 300 * time.Millisecond
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t, func(c *Config) { c.UploadTimeout = limit })
		s := g.connect(newIdentity(t), echo)
		body, send := io.Pipe()
		go func() {
			tick := time.NewTicker(limit / 10)
			defer tick.Stop()
			for range 15 {
				<-tick.C
				io.WriteString(send, "x")
			}
			send.Close()
		}()
		got, err := g.do(g.client(protocol), g.request(t.Context(), s.hash(), body))
		if err != nil || got.body != strings.Repeat("x", 15) {
			t.Errorf("status %d, body %q, %v", got.status, got.body, err)
		}
	})
}

func TestSilentExit(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		for _, when := range []outcome{outcomeLost, outcomeBroken} {
			t.Run(string(when), func(t *testing.T) {
				g := newRig(t, func(c *Config) { c.AnswerTimeout = 50 * time.Millisecond })
				cancelled := make(chan struct{})
				s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					if when == outcomeBroken {
						io.WriteString(w, "half")
						http.NewResponseController(w).Flush()
					}
					<-r.Context().Done()
					close(cancelled)
				})
				got, err := g.do(g.client(protocol), g.request(t.Context(), s.hash(), strings.NewReader("sealed")))
				if when == outcomeLost && (err != nil || got.problem() != service.TypeExitLost) {
					t.Errorf("status %d, problem %q, %v", got.status, got.problem(), err)
				}
				if when == outcomeBroken && err == nil {
					t.Error("half an answer ended as if whole")
				}
				<-cancelled
				g.eventually("it is counted", func() bool { return g.outcomes(when) == 1 })
			})
		}
	})
}

// TestSlowAnswer has an exit take longer than a client may be silent while it sends its request.
func TestSlowAnswer(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t, func(c *Config) { c.UploadTimeout = 50 * time.Millisecond })
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-time.After(100 * time.Millisecond)
			io.WriteString(w, "late")
		})
		for _, body := range []string{"sealed", ""} {
			if got := g.ask(g.client(protocol), s.hash(), body); got.body != "late" {
				t.Errorf("request %q: status %d, %q", body, got.status, got.body)
			}
		}
	})
}

// TestSlowReader has clients that take nothing of a large answer, and others that must not notice.
func TestSlowReader(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		const slow = 8
		g := newRig(t)
		ended := make(chan struct{}, slow)
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); string(body) != "large" {
				io.WriteString(w, "small")
				return
			}
			io.Copy(w, pattern(64<<20))
			ended <- struct{}{}
		})
		for range slow {
			resp, err := g.client(protocol).Do(g.request(t.Context(), s.hash(), strings.NewReader("large")))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
		}
		client := g.client(protocol)
		for range 50 {
			if got := g.ask(client, s.hash(), "x"); got.body != "small" {
				t.Fatalf("another client got status %d, %q", got.status, got.body)
			}
		}
		if len(ended) > 0 {
			t.Error("a client that reads nothing did not hold up its answer; nothing was tested")
		}
	})
}

// TestReaderIsCutOff has a client that takes nothing of a large answer for too long.
func TestReaderIsCutOff(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t, func(c *Config) { c.WriteTimeout = 100 * time.Millisecond })
		ended := make(chan struct{})
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			io.Copy(w, pattern(64<<20))
			close(ended)
		})
		resp, err := g.client(protocol).Do(g.request(t.Context(), s.hash(), nil))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		<-ended
		if _, err := io.Copy(io.Discard, resp.Body); err == nil {
			t.Error("an answer that was cut off ended as if whole")
		}
		g.eventually("it is counted", func() bool { return g.outcomes(outcomeBroken) == 1 })
		g.eventually("it holds no slot", func() bool { return len(g.relay.slots) == 0 })
	})
}
