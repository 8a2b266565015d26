// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/network"
)

// echo answers what it reads, behind the cable.
func echo(t *testing.T, cable *network.Cable) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := cable.Listen(ln)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := port.Accept()
			if err != nil {
				return
			}
			io.Copy(conn, conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		port.Close()
		cable.Cut()
		<-ended
	})
	return ln.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// hear sends a byte and returns what comes back within the time.
func hear(t *testing.T, conn net.Conn, atMost time.Duration) error {
	t.Helper()
	conn.SetDeadline(time.Now().Add(atMost))
	if _, err := conn.Write([]byte{'x'}); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 1))
	return err
}

const (
	soon   = 10 * time.Second
	moment = 50 * time.Millisecond
)

func TestCableFreezes(t *testing.T) {
	var cable network.Cable
	conn := dial(t, echo(t, &cable))
	if err := hear(t, conn, soon); err != nil {
		t.Fatal(err)
	}
	cable.Freeze()
	if err := hear(t, conn, moment); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("through a frozen cable: %v, want silence", err)
	}
	cable.Mend()
	conn.SetDeadline(time.Now().Add(soon))
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Errorf("what was sent while the cable was frozen: %v, want it afterwards", err)
	}
	if err := hear(t, conn, soon); err != nil {
		t.Errorf("after mending: %v", err)
	}
}

// The peer of a frozen role does not see that it closes a connection until it goes on.
func TestCableHidesWhatFrozenRolesClose(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var cable network.Cable
	far, err := cable.DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	cable.Freeze()
	far.Close()
	if err := hear(t, near, moment); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("closed while frozen: %v, want silence", err)
	}
	cable.Mend()
	near.SetDeadline(time.Now().Add(soon))
	if _, err := near.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("closed while frozen, and mended: %v, want the end", err)
	}
}

func TestCableCuts(t *testing.T) {
	var cable network.Cable
	address := echo(t, &cable)
	conn := dial(t, address)
	if err := hear(t, conn, soon); err != nil {
		t.Fatal(err)
	}
	cable.Cut()
	if err := hear(t, conn, soon); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("through a cut cable: %v, want the end", err)
	}
	if _, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial behind a cut cable: %v, want refused", err)
	}
	if _, err := cable.DialContext(t.Context(), "tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial through a cut cable: %v, want refused", err)
	}
}

func TestCableBreaks(t *testing.T) {
	var cable network.Cable
	address := echo(t, &cable)
	conn := dial(t, address)
	if err := hear(t, conn, soon); err != nil {
		t.Fatal(err)
	}
	cable.Break()
	if err := hear(t, conn, soon); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("through a broken cable: %v, want the end", err)
	}
	if err := hear(t, dial(t, address), soon); err != nil {
		t.Errorf("a new connection: %v", err)
	}
}

func TestFrozenCableDialEnds(t *testing.T) {
	var cable network.Cable
	cable.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), moment)
	defer cancel()
	if _, err := cable.DialContext(ctx, "tcp", "127.0.0.1:1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("dial through a frozen cable: %v, want the end of its context", err)
	}
}
