// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"encoding/binary"
	"net"
	"sync"
	"testing"
	"time"
)

// wiretap records what passes through a relay's sockets: sizes and times of TLS records.
type wiretap struct {
	net.Listener
	mu    sync.Mutex // guards conns
	conns []*tapped
}

// passage is one TLS record.
type passage struct {
	at   time.Time // when its last byte passed
	size int       // with its header
}

// tapped is one connection.
type tapped struct {
	net.Conn
	mu      sync.Mutex // guards what follows
	in, out records
}

// records cuts one direction of a connection into TLS records, as anybody on the line can (RFC 8446
// section 5.1).
type records struct {
	seen []passage
	head []byte // of the record at hand, up to 5 bytes
	left int    // bytes of it behind its head
}

const recordHead = 5

func (r *records) pass(p []byte) {
	for len(p) > 0 {
		if r.left == 0 {
			n := min(recordHead-len(r.head), len(p))
			r.head, p = append(r.head, p[:n]...), p[n:]
			if len(r.head) < recordHead {
				return
			}
			r.left = int(binary.BigEndian.Uint16(r.head[3:]))
		}
		n := min(r.left, len(p))
		r.left, p = r.left-n, p[n:]
		if r.left == 0 {
			size := recordHead + int(binary.BigEndian.Uint16(r.head[3:]))
			r.seen, r.head = append(r.seen, passage{time.Now(), size}), r.head[:0]
		}
	}
}

func newWiretap(t *testing.T) *wiretap {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &wiretap{Listener: ln}
}

// Accept implements [net.Listener].
func (w *wiretap) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &tapped{Conn: conn}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, c)
	return c, nil
}

// Read implements [net.Conn].
func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in.pass(p[:n])
	return n, err
}

// Write implements [net.Conn].
func (c *tapped) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.pass(p[:n])
	return n, err
}

// mark says how many records each direction of all connections has had.
func (w *wiretap) mark() map[*tapped][2]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	marks := make(map[*tapped][2]int)
	for _, c := range w.conns {
		c.mu.Lock()
		marks[c] = [2]int{len(c.in.seen), len(c.out.seen)}
		c.mu.Unlock()
	}
	return marks
}

// since returns the records after a mark. Small ones, whose frames of HTTP/2 have nothing to do with content
// (HEADERS, WINDOW_UPDATE, PING), are left out.
func (c *tapped) since(mark [2]int) (in, out []passage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return large(c.in.seen[mark[0]:]), large(c.out.seen[mark[1]:])
}

func large(all []passage) []passage {
	const cell = 1000
	var kept []passage
	for _, p := range all {
		if p.size >= cell {
			kept = append(kept, p)
		}
	}
	return kept
}
