// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package drain_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/drain"
)

// serve runs a server whose handler announces itself and waits for release.
func serve(t *testing.T) (srv *http.Server, fresh *drain.Fresh, address string, running chan struct{}, release chan struct{}) {
	t.Helper()
	running, release = make(chan struct{}), make(chan struct{})
	fresh = &drain.Fresh{}
	accepted := make(chan struct{}, 1)
	srv = &http.Server{
		ConnState: func(c net.Conn, s http.ConnState) {
			fresh.Track(c, s)
			if s == http.StateNew {
				accepted <- struct{}{}
			}
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			running <- struct{}{}
			select {
			case <-release:
				io.WriteString(w, "finished")
			case <-r.Context().Done():
			}
		}),
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		srv.Close()
		<-served
	})
	spare, err := net.Dial("tcp", ln.Addr().String()) // never used
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { spare.Close() })
	<-accepted
	go func() { // the connection of the request
		<-accepted
	}()
	return srv, fresh, ln.Addr().String(), running, release
}

func TestShutdownDoesNotWaitForSpareConnections(t *testing.T) {
	srv, fresh, _, _, _ := serve(t)
	begin := time.Now()
	if err := fresh.Shutdown(t.Context(), srv); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 4*time.Second { // Shutdown of net/http takes 5 s to take such a connection for idle
		t.Errorf("shutdown took %v", took)
	}
}

func TestShutdownWaitsForRequests(t *testing.T) {
	srv, fresh, address, running, release := serve(t)
	got := make(chan string, 1)
	go func() {
		answer, err := http.Get("http://" + address)
		if err != nil {
			got <- err.Error()
			return
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		got <- string(body)
	}()
	<-running
	done := make(chan error, 1)
	go func() { done <- fresh.Shutdown(t.Context(), srv) }()
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if text := <-got; text != "finished" {
		t.Errorf("the running request got %q", text)
	}
}

func TestShutdownCutsOffAtDeadline(t *testing.T) {
	srv, fresh, address, running, _ := serve(t)
	got := make(chan error, 1)
	go func() {
		answer, err := http.Get("http://" + address)
		if err == nil {
			answer.Body.Close()
		}
		got <- err
	}()
	<-running
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := fresh.Shutdown(ctx, srv); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown = %v", err)
	}
	if err := <-got; err == nil {
		t.Error("the request that was cut off succeeded")
	}
}
