// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/tunnel"
)

// garbage is one way of misusing the relay's port.
type garbage struct {
	name  string
	throw func(t *testing.T, g *rig)
}

// garbageOfClients is what arrives where clients are expected.
func garbageOfClients(noise []byte) []garbage {
	return []garbage{
		{"nothing", func(t *testing.T, g *rig) { throwTCP(t, g, "") }},
		{"plain HTTP", func(t *testing.T, g *rig) {
			if said := throwTCP(t, g, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.HasPrefix(said, "HTTP/1.0 400") {
				t.Errorf("the relay said %q", said)
			}
		}},
		{"random bytes", func(t *testing.T, g *rig) { throwTCP(t, g, string(noise)) }},
		{"half a TLS record", func(t *testing.T, g *rig) { throwTCP(t, g, "\x16\x03\x01\x02\x00\x01\x00") }},
		{"an unknown protocol", func(t *testing.T, g *rig) {
			if conn, err := g.dial("smtp"); err == nil {
				t.Errorf("the handshake chose %q", conn.ConnectionState().NegotiatedProtocol)
			}
		}},
		{"random bytes as HTTP/1", func(t *testing.T, g *rig) { throwTLS(t, g, h1, noise) }},
		{"endless headers", func(t *testing.T, g *rig) {
			said := throwTLS(t, g, h1, []byte("GET / HTTP/1.1\r\nX: "+strings.Repeat("x", 100<<10)))
			if !strings.HasPrefix(said, "HTTP/1.1 431 ") {
				t.Errorf("the relay said %.100q", said)
			}
		}},
		{"random bytes as HTTP/2", func(t *testing.T, g *rig) { throwTLS(t, g, h2, noise) }},
		{"random frames as HTTP/2", func(t *testing.T, g *rig) {
			throwTLS(t, g, h2, append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"), noise...))
		}},
	}
}

// garbageOfExits is what arrives where exits are expected.
func garbageOfExits(noise []byte, evil identity) []garbage {
	return []garbage{
		{"random bytes as an exit", func(t *testing.T, g *rig) {
			if said := throwTLS(t, g, tunnel.ALPN, noise); !strings.Contains(said, string(tunnel.CodeMalformed)) {
				t.Errorf("the relay said %q", said)
			}
		}},
		{"half a registration", func(t *testing.T, g *rig) { throwTLS(t, g, tunnel.ALPN, registerMessage(evil)[:100]) }},
		{"a registration of somebody else", func(t *testing.T, g *rig) {
			if said := throwTLS(t, g, tunnel.ALPN, registerMessage(evil)); !strings.Contains(said, string(tunnel.CodeProof)) {
				t.Errorf("the relay said %q", said)
			}
		}},
		{"an exit that speaks no HTTP/2", func(t *testing.T, g *rig) {
			conn := registerRaw(t, g, evil)
			defer conn.Close()
			conn.Write(noise)
			io.Copy(io.Discard, conn)
		}},
		{"an exit that breaks off", func(t *testing.T, g *rig) {
			conn := registerRaw(t, g, evil)
			conn.NetConn().(*net.TCPConn).SetLinger(0)
			conn.NetConn().Close()
		}},
	}
}

// TestGarbage throws everything at the port while an answer streams through; neither that answer nor
// the directory must suffer.
func TestGarbage(t *testing.T) {
	noise := make([]byte, 64<<10)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	g := newRig(t)
	client := g.client(h2)
	next := make(chan string)
	s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		for piece := range next {
			io.WriteString(w, piece)
			http.NewResponseController(w).Flush()
		}
	})
	first := make(chan struct{})
	go func() { next <- "piece"; close(first) }()
	resp, err := client.Do(g.request(t.Context(), s.hash(), strings.NewReader("sealed")))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-first
	for _, test := range append(garbageOfClients(noise), garbageOfExits(noise, newIdentity(t))...) {
		t.Run(test.name, func(t *testing.T) {
			test.throw(t, g)
			piece := make([]byte, len("piece"))
			if _, err := io.ReadFull(resp.Body, piece); err != nil || string(piece) != "piece" {
				t.Fatalf("the answer that streams: %q, %v", piece, err)
			}
			next <- "piece"
			g.eventually("only the good exit is listed", func() bool {
				got := g.hashes(client)
				return len(got) == 1 && got[0] == s.hash()
			})
		})
	}
	close(next)
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("the answer that streamed ends with %v", err)
	}
}

// throwTCP sends bytes below TLS and returns what the relay says to that.
func throwTCP(t *testing.T, g *rig, send string) string {
	t.Helper()
	conn, err := net.Dial("tcp", g.url.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return throw(conn, []byte(send), conn.(*net.TCPConn).CloseWrite)
}

// throwTLS sends bytes as a peer that negotiated a protocol and returns what the relay says to that.
func throwTLS(t *testing.T, g *rig, alpn string, send []byte) string {
	t.Helper()
	conn, err := g.dial(alpn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return throw(conn, send, conn.CloseWrite)
}

func throw(conn net.Conn, send []byte, closeWrite func() error) string {
	conn.SetDeadline(time.Now().Add(patience))
	go func() { // the relay may answer and close before it has read all
		conn.Write(send)
		closeWrite()
	}()
	said, _ := io.ReadAll(conn)
	return string(said)
}

// registerMessage is the Register message of an identity.
func registerMessage(id identity) []byte {
	var payload []byte
	for _, part := range [][]byte{id.signed.KeyConfig, id.signed.ServiceInfo, id.signed.Signature} {
		payload = append(binary.BigEndian.AppendUint32(payload, uint32(len(part))), part...)
	}
	m := slices.Concat([]byte{0x10, 0, 64}, []byte(id.hash()))
	return append(binary.BigEndian.AppendUint32(m, uint32(len(payload))), payload...)
}

// registerRaw registers an exit and returns its connection before any HTTP/2.
func registerRaw(t *testing.T, g *rig, id identity) *tls.Conn {
	t.Helper()
	cfg := g.url.TLSConfig(tunnel.ALPN)
	cfg.Certificates = []tls.Certificate{selfSigned(t, id.key)}
	conn, err := tls.Dial("tcp", g.url.Host, cfg)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(registerMessage(id)); err != nil {
		t.Fatal(err)
	}
	ack := make([]byte, 7)
	if _, err := io.ReadFull(conn, ack); err != nil || ack[0] != 0x11 {
		t.Fatalf("the relay answered %x, %v", ack, err)
	}
	if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(ack[3:]))); err != nil {
		t.Fatal(err)
	}
	return conn
}
