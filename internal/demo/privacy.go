// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/demobackend"
	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/relay"
	"github.com/tokengo/tokengo/service"
)

// What is asked.
const (
	plainPrompt    = "My doctor says it may be serious. What should I ask her?"
	streamedPrompt = "Write me a resignation letter that nobody at work knows of yet."
	answerTokens   = 40
	tokenDelay     = 40 * time.Millisecond // slow enough to watch
)

// The parties are at 127.0.0.2 and so on, where a system has these addresses, so that they differ as they do between
// machines.
const (
	clientHost = 2
	relayHost  = 3
	exitHost   = 4
)

// privacy is the story of who sees what: all that relay, exit and backend handle is recorded.
type privacy struct {
	progress  io.Writer
	generator *demobackend.Backend
	clientURL string // set when the story begins

	atRelay, atExit, atBackend network.Recorder
}

// newPrivacy prints prompts, answers and what goes on to progress.
func newPrivacy(progress io.Writer) (*privacy, error) {
	generator, err := demobackend.New(demobackend.Config{TokenDelay: tokenDelay})
	return &privacy{progress: progress, generator: generator}, err
}

// backend implements [story].
func (p *privacy) backend() http.Handler { return p.atBackend.Wrap(p.generator) }

// config implements [story].
func (p *privacy) config(backendURL string) (network.Config, error) {
	var backends []exit.Backend
	for _, protocol := range service.Protocols() {
		backends = append(backends, exit.Backend{Protocol: protocol, URL: backendURL})
	}
	relayListener, err := listenAt(relayHost)
	return network.Config{
		Relay: relay.Config{Observe: p.atRelay.Wrap},
		Exits: []exit.Config{{
			Operator: "demo", Tier: service.Free, Backends: backends,
			Observe: p.atExit.Wrap, DialContext: dialFrom(exitHost),
		}},
		Client:        client.Config{DialContext: dialFrom(clientHost)},
		RelayListener: relayListener,
	}, err
}

// listenAt listens on 127.0.0.host where the system has that address, else on 127.0.0.1.
func listenAt(host byte) (net.Listener, error) {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, host)})
	if err != nil {
		ln, err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	}
	return ln, err
}

// dialFrom dials from 127.0.0.host where the system lets us, else from any address.
func dialFrom(host byte) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, host)}}
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		}
		return conn, err
	}
}

// play implements [story]: two chats, and then the same question in each mode of shaping.
func (p *privacy) play(ctx context.Context, n *network.Network) (report, error) {
	p.clientURL = n.ClientURL()
	fmt.Fprintf(p.progress, "A private chat, offline. The backend is TokenGo's text generator, not an AI.\n\n")
	plain, err := p.chat(ctx, plainPrompt, false)
	if err != nil {
		return nil, err
	}
	streamed, err := p.chat(ctx, streamedPrompt, true)
	if err != nil {
		return nil, err
	}
	r := newPrivacyReport(p, n.RelayURL().Host, []chatView{plain, streamed})
	if err := p.watchShaping(ctx, r); err != nil {
		return nil, err
	}
	return r, nil
}

// chat asks, and prints question and answer.
func (p *privacy) chat(ctx context.Context, prompt string, stream bool) (chatView, error) {
	body, err := json.Marshal(map[string]any{
		"model": model, "stream": stream, "max_tokens": answerTokens,
		"messages": []map[string]string{{"role": "user", "content": prompt}},
	})
	if err != nil {
		return chatView{}, err
	}
	fmt.Fprintf(p.progress, "you     %s\n", prompt)
	shown := newParagraph(p.progress, "answer  ")
	answer, err := ask(ctx, p.clientURL, nil, body)
	if err != nil {
		return chatView{}, err
	}
	defer answer.Body.Close()
	read := readPlain
	if stream {
		read = readStream
	}
	text, err := read(answer.Body, shown)
	shown.end()
	fmt.Fprintln(p.progress)
	return chatView{Prompt: prompt, Answer: text, Streamed: stream}, err
}
