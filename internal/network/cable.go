// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// Cable is what connects a role with others, for demos and tests of what happens when a role fails. With all
// connections of a role behind one cable, the others see what they see of a process:
//
//   - [Cable.Cut]: it is killed. Its connections end, and new ones are refused.
//   - [Cable.Freeze]: it is stopped, or its network swallows everything. Connections stay, can even be opened,
//     and nothing ever comes. What the role does meanwhile, closing connections among it, is not seen.
//   - [Cable.Mend]: it goes on, or is there again.
//   - [Cable.Break]: the connections end, and new ones work.
//
// The zero value is whole. It is safe for concurrent use and starts no goroutines. A cable that is frozen must
// be mended or cut before its role can be told to stop: it waits for the cable, not for its own deadlines,
// since a stopped process has no clock either.
type Cable struct {
	mu    sync.Mutex // guards what follows
	thaw  chan struct{}
	cut   bool
	conns map[*cableConn]bool
	ports []*cablePort
}

// aLongTimeAgo is a deadline that wakes whoever waits for the connection.
var aLongTimeAgo = time.Unix(1, 0)

// errCut is why a connection ended that went through a cable.
var errCut = &net.OpError{Op: "cable", Net: "tcp", Err: syscall.ECONNREFUSED}

// DialContext opens a connection through the cable. Its type is that of the roles' DialContext.
func (c *Cable) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if err := c.whole(ctx); err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return c.add(conn)
}

// whole waits while the cable is frozen, and fails when it is cut.
func (c *Cable) whole(ctx context.Context) error {
	for {
		c.mu.Lock()
		thaw, cut := c.thaw, c.cut
		c.mu.Unlock()
		switch {
		case cut:
			return errCut
		case thaw == nil:
			return nil
		}
		select {
		case <-thaw:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Listen puts what ln accepts behind the cable. When the cable is cut, ln is closed, and mending does not open
// it again. The listener must be closed in any case.
func (c *Cable) Listen(ln net.Listener) net.Listener {
	p := &cablePort{Listener: ln, cable: c, closed: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ports = append(c.ports, p)
	if c.cut {
		ln.Close()
	}
	return p
}

// Cut ends all connections, and refuses new ones until the cable is mended.
func (c *Cable) Cut() {
	c.mu.Lock()
	c.cut = true
	for _, p := range c.ports {
		p.Listener.Close()
	}
	c.mu.Unlock()
	c.Break()
}

// Break ends all connections that there are.
func (c *Cable) Break() {
	c.mu.Lock()
	conns := c.conns
	c.conns = nil
	c.mu.Unlock()
	for conn := range conns {
		conn.sever()
	}
}

// Freeze stops everything that goes through the cable.
func (c *Cable) Freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.thaw == nil {
		c.thaw = make(chan struct{})
	}
}

// Mend undoes [Cable.Freeze] and [Cable.Cut], but for listeners that were cut.
func (c *Cable) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = false
	if c.thaw != nil {
		close(c.thaw)
		c.thaw = nil
	}
	for conn := range c.conns {
		if conn.isClosed() { // while the cable was frozen: now it shows
			conn.Conn.Close()
			delete(c.conns, conn)
		}
	}
}

func (c *Cable) add(conn net.Conn) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		conn.Close()
		return nil, errCut
	}
	wrapped := &cableConn{Conn: conn, cable: c, closed: make(chan struct{})}
	if c.conns == nil {
		c.conns = make(map[*cableConn]bool)
	}
	c.conns[wrapped] = true
	return wrapped, nil
}

// cableConn is a connection behind a cable.
type cableConn struct {
	net.Conn
	cable  *Cable
	once   sync.Once
	closed chan struct{} // by either end of it
}

// pass waits while the cable is frozen.
func (c *cableConn) pass() error {
	for {
		c.cable.mu.Lock()
		thaw := c.cable.thaw
		c.cable.mu.Unlock()
		switch {
		case c.isClosed():
			return net.ErrClosed
		case thaw == nil:
			return nil
		}
		select {
		case <-thaw:
		case <-c.closed:
		}
	}
}

func (c *cableConn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// Read implements [net.Conn]. What arrives while the cable is frozen is held back.
func (c *cableConn) Read(p []byte) (int, error) {
	if err := c.pass(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if frozen := c.pass(); frozen != nil {
		return 0, frozen
	}
	return n, err
}

// Write implements [net.Conn].
func (c *cableConn) Write(p []byte) (int, error) {
	if err := c.pass(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// Close implements [net.Conn]. The peer learns of it when the cable is not frozen, or no longer.
func (c *cableConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	c.cable.mu.Lock()
	defer c.cable.mu.Unlock()
	if c.cable.thaw != nil && c.cable.conns[c] {
		return c.Conn.SetDeadline(aLongTimeAgo)
	}
	delete(c.cable.conns, c)
	return c.Conn.Close()
}

// sever ends the connection from outside.
func (c *cableConn) sever() {
	c.once.Do(func() { close(c.closed) })
	c.Conn.Close()
}

// cablePort is a listener behind a cable.
type cablePort struct {
	net.Listener
	cable  *Cable
	once   sync.Once
	closed chan struct{} // by its owner
}

// Accept implements [net.Listener]. When the cable is cut it waits for its owner to close it.
func (p *cablePort) Accept() (net.Conn, error) {
	for {
		conn, err := p.Listener.Accept()
		if err == nil {
			conn, err = p.cable.add(conn)
		}
		switch {
		case err == nil:
			return conn, nil
		case errors.Is(err, net.ErrClosed):
			<-p.closed
			return nil, net.ErrClosed
		case err != error(errCut):
			return nil, err
		}
	}
}

// Close implements [net.Listener].
func (p *cablePort) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Listener.Close()
}
