// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/shape"
)

// user is a person with a client and a connection of their own, who asks one thing after the other.
type user struct {
	client *client.Client
	ln     net.Listener
	asked  chan *script // what the recorder is about to see
}

// newUser makes a user whose connections to the relay the recorder knows.
func newUser(ctx context.Context, relay relayurl.URL, mode shape.Mode, rec *recorder) (*user, error) {
	u := &user{asked: make(chan *script, 1)}
	var err error
	u.client, err = client.New(client.Config{
		Relays: []relayurl.URL{relay}, Shape: mode, RefreshInterval: time.Hour,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err == nil {
				rec.expect(conn.LocalAddr().String(), u.asked)
			}
			return conn, err
		},
	})
	if err != nil {
		return nil, err
	}
	u.ln, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	return u, err
}

// run serves the user's client until ctx ends.
func (u *user) run(ctx context.Context, group *errgroup.Group) {
	group.Go(func() error { return u.client.Serve(ctx, u.ln) })
}

// ask has the script with this number played, and notes when the tokens come.
func (u *user) ask(ctx context.Context, number int, s *script) error {
	body := fmt.Sprintf(`{"model":"%s","stream":true,"messages":[{"role":"user","content":"%d"}]}`, model, number)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+u.ln.Addr().String()+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	u.asked <- s
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data: {") {
			s.received = append(s.received, time.Now())
		}
	}
	if len(s.received) != len(s.tokens) || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask: status %d, %d of %d tokens", resp.StatusCode, len(s.received), len(s.tokens))
	}
	return nil
}
