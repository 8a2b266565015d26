// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/shape"
)

// log collects what a role logs.
type log struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

// Write implements [io.Writer].
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

const (
	canaryPrompt = "canary-prompt-5d1f"
	canaryAnswer = "canary-answer-77ab"
	canaryKey    = "sk-canary-key-e2c9"
	canaryHeader = "canary-header-91d0"
)

// TestNothingIsLogged runs a network at debug level, with good and bad requests, and searches its logs
// and metrics for what must not be there: prompt, answer, keys, headers and the client's address.
func TestNothingIsLogged(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs a loopback address of the client's own, which only Linux has without set-up")
	}
	const clientIP = "127.0.0.77"
	var logs log
	logger := slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	registry := prometheus.NewRegistry()
	n := run(t, models(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("fail")) {
			w.WriteHeader(http.StatusInternalServerError)
		}
		io.WriteString(w, `{"answer":"`+canaryAnswer+`"}`)
	}), func(cfg *network.Config) {
		cfg.Relay.Logger, cfg.Exits[0].Logger, cfg.Client.Logger = logger, logger, logger
		cfg.Relay.Registerer, cfg.Exits[0].Registerer, cfg.Client.Registerer = registry, registry, registry
		cfg.Client.Shape = shape.Off // so that the relay has counted a request when the tool has its answer
		cfg.Client.DialContext = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(clientIP)}}).DialContext
	})
	var told bytes.Buffer // the texts of errors
	for _, body := range []string{
		`{"model":"m","prompt":"` + canaryPrompt + `"}`,
		`{"model":"m","prompt":"` + canaryPrompt + `","fail":1}`,
		`{"model":"` + canaryPrompt + `"}`,
		canaryPrompt,
	} {
		for _, path := range []string{"/v1/chat/completions", "/v1/messages", "/v1beta/models/m:generateContent?key=" + canaryKey, "/" + canaryPrompt} {
			told.WriteString(askWithKey(t, n.ClientURL()+path, body))
		}
	}
	// The client says to its own user's tool which model nobody offers.
	errorTexts := strings.ReplaceAll(told.String(), `offers the model \"`+canaryPrompt+`\"`, "")
	var metrics bytes.Buffer
	writeMetrics(t, &metrics, registry)
	for _, secret := range []string{canaryPrompt, canaryAnswer, canaryKey, canaryHeader, "sk-operator", clientIP} {
		if strings.Contains(logs.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, logs.String())
		}
		if strings.Contains(metrics.String(), secret) {
			t.Errorf("%q is in the metrics:\n%s", secret, metrics.String())
		}
		if strings.Contains(errorTexts, secret) {
			t.Errorf("%q is in the text of an error:\n%s", secret, errorTexts)
		}
	}
	if !strings.Contains(told.String(), "backend_error") || !strings.Contains(told.String(), "model_not_found") {
		t.Errorf("not all errors were told: %s", told.String())
	}
	if !strings.Contains(logs.String(), "exit connected") || !strings.Contains(metrics.String(), "tokengo_relay_requests_total") {
		t.Error("nothing was logged or counted at all: this test proves nothing")
	}
}

// askWithKey asks as a tool with credentials, and returns the answer if it is an error.
func askWithKey(t *testing.T, url, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key", "Cookie"} {
		r.Header.Set(name, canaryKey)
	}
	r.Header.Set("User-Agent", canaryHeader)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Stainless-Os", canaryHeader)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode == http.StatusOK {
		return ""
	}
	return string(text)
}

func writeMetrics(t *testing.T, w *bytes.Buffer, registry *prometheus.Registry) {
	t.Helper()
	rec := &bodyWriter{header: http.Header{}, w: w}
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true}).ServeHTTP(rec, &http.Request{Header: http.Header{}})
}

type bodyWriter struct {
	header http.Header
	w      io.Writer
}

func (b *bodyWriter) Header() http.Header         { return b.header }
func (b *bodyWriter) Write(p []byte) (int, error) { return b.w.Write(p) }
func (b *bodyWriter) WriteHeader(int)             {}

// TestWhoSeesWhat records what relay, exit and backend handle, and searches it for what they must not have.
func TestWhoSeesWhat(t *testing.T) {
	var atRelay, atExit, atBackend network.Recorder
	n := run(t, atBackend.Wrap(models(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, `{"answer":"`+canaryAnswer+`"}`)
	})), func(cfg *network.Config) {
		cfg.Relay.Observe, cfg.Exits[0].Observe = atRelay.Wrap, atExit.Wrap
	})
	askWithKey(t, n.ClientURL()+"/v1/chat/completions?"+canaryHeader, `{"model":"m","prompt":"`+canaryPrompt+`"}`)
	if !bytes.Contains(atBackend.Bytes(), []byte(canaryPrompt)) {
		t.Fatal("the backend did not get the prompt: this test proves nothing")
	}
	for _, e := range atRelay.Exchanges() {
		for name := range e.Header {
			switch name {
			case "Content-Type", "Content-Length", "Accept-Encoding", "If-None-Match", "Incremental":
			default:
				t.Errorf("the relay got a header field %s from the client", name)
			}
		}
	}
	for _, e := range atExit.Exchanges() {
		for name := range e.Header {
			switch name {
			case "Content-Type", "Content-Length":
			default:
				t.Errorf("the exit got a header field %s from the relay", name)
			}
		}
		if e.Remote != n.RelayURL().Host {
			t.Errorf("the exit's peer was %s, want the relay, %s", e.Remote, n.RelayURL().Host)
		}
	}
	for _, secret := range []string{canaryPrompt, canaryAnswer, canaryKey, canaryHeader} {
		if bytes.Contains(atRelay.Bytes(), []byte(secret)) {
			t.Errorf("%q is in what the relay handled", secret)
		}
	}
	for _, secret := range []string{canaryKey, canaryHeader} {
		if bytes.Contains(atBackend.Bytes(), []byte(secret)) {
			t.Errorf("%q is in what the backend got", secret)
		}
	}
}

// TestTenThousandRequests sends them through one tunnel, cancels half, and counts what is left.
func TestTenThousandRequests(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	const total, workers = 10_000, 16
	stream := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: {}\n\n")
		http.NewResponseController(w).Flush()
		if r.URL.Path == "/v1/messages" {
			<-r.Context().Done() // until it is cancelled
		}
	}
	n := run(t, models(stream), func(c *network.Config) { c.Client.Shape = shape.Off }) // padding would go on for seconds
	tool := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	defer tool.CloseIdleConnections()
	hammer(t, tool, n.ClientURL(), 200, workers) // warm up: pools, connections
	goroutines, heap := settled(tool)
	hammer(t, tool, n.ClientURL(), total, workers)
	goroutinesAfter, heapAfter := settled(tool)
	t.Logf("goroutines %d before, %d after; heap %d KiB before, %d KiB after", goroutines, goroutinesAfter, heap>>10, heapAfter>>10)
	// Idle connections to the backend are kept, up to one a worker, with three goroutines each.
	if goroutinesAfter > goroutines+4*workers {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after:\n%s", goroutines, goroutinesAfter, buf[:runtime.Stack(buf, true)])
	}
	if heapAfter > heap+4<<20 {
		t.Errorf("heap %d KiB before, %d KiB after", heap>>10, heapAfter>>10)
	}
}

// hammer sends requests, of which every other is cancelled in the middle of its stream.
func hammer(t *testing.T, tool *http.Client, url string, total, workers int) {
	t.Helper()
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := range total / workers {
				if err := finishOrCancel(t.Context(), tool, url, i%2 == 0); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

func finishOrCancel(ctx context.Context, tool *http.Client, url string, finish bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	path := "/v1/messages"
	if finish {
		path = "/v1/chat/completions"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path, strings.NewReader(chat))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := tool.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if finish {
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	_, err = answer.Body.Read(make([]byte, 10))
	return err
}

// settled waits until the number of goroutines no longer falls, and returns it with the live heap.
func settled(tool *http.Client) (goroutines int, heap uint64) {
	tool.CloseIdleConnections()
	var stats runtime.MemStats
	goroutines = runtime.NumGoroutine()
	for begin, last := time.Now(), time.Now(); time.Since(last) < 500*time.Millisecond && time.Since(begin) < 10*time.Second; {
		runtime.GC()
		if now := runtime.NumGoroutine(); now < goroutines {
			goroutines, last = now, time.Now()
		}
	}
	runtime.ReadMemStats(&stats)
	return goroutines, stats.HeapAlloc
}
