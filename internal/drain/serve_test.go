// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package drain_test

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/tokengo/tokengo/internal/drain"
)

func TestServeUntilClosesRunningRequests(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	srv := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stop()
		<-r.Context().Done()
	})}
	served := make(chan error, 1)
	go func() { served <- drain.ServeUntil(ctx, srv, ln) }()
	if answer, err := http.Get("http://" + ln.Addr().String()); err == nil {
		answer.Body.Close()
		t.Errorf("a request that was under way was answered with %s", answer.Status)
	}
	if err := <-served; err != nil {
		t.Errorf("ServeUntil() = %v, want no error once its context is done", err)
	}
}

func TestServeUntilSaysWhenItCannotServe(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := drain.ServeUntil(t.Context(), &http.Server{}, ln); err == nil {
		t.Error("ServeUntil() on a closed listener returned no error")
	}
}
