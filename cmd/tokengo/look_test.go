// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/internal/relayurl"
)

// runningClient runs a client with the management token of a state directory, and returns its address.
func runningClient(t *testing.T, stateDir string) string {
	t.Helper()
	token, err := managementToken(stateDir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(client.Config{ManagementToken: token, Relays: []relayurl.URL{{Host: "127.0.0.1:1"}}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

// What listens where the client would, and says that it is one, gets no token and no question: not when it makes proofs
// up, nor when it has the client make them.
func TestImpostorGetsNoToken(t *testing.T) {
	stateDir := filepath.Join(t.TempDir(), "state")
	genuine := runningClient(t, stateDir)
	target, err := url.Parse("http://" + genuine)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	answers := map[string]http.HandlerFunc{
		"silent":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{") },
		"none":    func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"proofs":[]}`) },
		"guesses": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"proofs":["","00"]}`) },
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, target.String()+r.URL.String(), http.StatusTemporaryRedirect)
		},
		"passes on":  proxy.ServeHTTP,
		"never ends": func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `{"proofs":["%0100000d"]}`, 0) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			var asked, tokens atomic.Int32
			impostor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "" {
					tokens.Add(1)
				}
				switch r.URL.Path {
				case "/":
					io.WriteString(w, "TokenGo is running\n")
				case client.ProofPath:
					answer(w, r)
				default:
					asked.Add(1)
				}
			}))
			defer impostor.Close()
			if _, err := opened(t, stateDir, impostor.Listener.Addr().String()); err == nil {
				t.Error("the impostor passes for a client")
			}
			if asked.Load()+tokens.Load() > 0 {
				t.Errorf("it got %d tokens and %d questions", tokens.Load(), asked.Load())
			}
		})
	}
	s, err := opened(t, stateDir, genuine)
	if err != nil {
		t.Fatal(err)
	}
	var status client.Status
	if err := s.get(t.Context(), "status", &status); err != nil || len(status.Relays) != 1 {
		t.Errorf("the client itself: %v, %+v", err, status)
	}
}

func opened(t *testing.T, stateDir, address string) (*source, error) {
	f := &lookFlags{roleFlags: roleFlags{stateDir: stateDir}}
	f.file.Listen = address
	cmd := &cobra.Command{}
	cmd.Flags().StringArray("relay", nil, "")
	return f.open(t.Context(), cmd, needClient)
}
