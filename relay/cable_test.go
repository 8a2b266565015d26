// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// cable is a connection that can stand still without being closed.
type cable struct {
	net.Conn
	still  atomic.Bool
	once   sync.Once
	pulled chan struct{}
}

func (c *cable) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.still.Load() {
		<-c.pulled
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *cable) Write(p []byte) (int, error) {
	if c.still.Load() {
		<-c.pulled
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}

func (c *cable) Close() error {
	c.once.Do(func() { close(c.pulled) })
	return c.Conn.Close()
}

// standing is a tunnel without a connection, which takes requests and answers none.
type standing struct{}

func (standing) RoundTrip(*http.Request) (*http.Response, error) { return nil, net.ErrClosed }
func (standing) Alive() bool                                     { return true }
func (standing) Available() bool                                 { return true }
func (standing) Frozen() bool                                    { return false }
