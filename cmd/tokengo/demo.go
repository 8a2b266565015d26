// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/demobackend"
	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/relay"
	"github.com/tokengo/tokengo/service"
)

// What the demo asks. The model is the built-in text generator.
const (
	demoModel      = "demo-gpt"
	demoPlain      = "My doctor says it may be serious. What should I ask her?"
	demoStreamed   = "Write me a resignation letter that nobody at work knows of yet."
	demoTokens     = 40
	overlapBytes   = 12 // so many bytes in common with a prompt or an answer count as a leak
	demoTimeout    = time.Minute
	cipherShown    = 16   // bytes of ciphertext shown
	clientLoopback = 2    // 127.0.0.2 and so on, where a system has them, so that addresses differ as they
	relayLoopback  = 3    // do between machines
	exitLoopback   = 4    //
	tokenDelay     = 40e6 // ns, slow enough to watch
)

func newDemoCommand() *cobra.Command {
	var asJSON bool
	var exits int
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Ask privately through client, relay and exit on this machine, and see who saw what",
		Long: `Start a client, a relay and an exit on loopback, with a built-in text generator as the AI backend, ask it
twice (one plain, one streamed chat), and show what each party held. Then ask as a tool that says much about its
user, once in each mode of shaping, and show what was taken out of the request and what the relay saw of the
answers. It needs no network and no keys.

The demo fails if a check on the recorded bytes fails.

With --exits it shows choosing instead: so many exits of different prices and speeds, in two tiers of fall-back, behind
two relays. Requests flow for half a minute while the exit that most of them prefer fails and recovers, and then all
exits of the first tier disappear and come back. It fails if requests are not answered elsewhere, or do not return.`,
		Example: `  tokengo demo
  tokengo demo --exits 8`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), demoTimeout)
			defer cancel()
			progress := cmd.OutOrStdout()
			if asJSON {
				progress = io.Discard
			}
			if cmd.Flags().Changed("exits") {
				return demoExits(ctx, cmd, exits)
			}
			report, err := runDemo(ctx, progress)
			if err != nil {
				return fmt.Errorf("demo: %w", err)
			}
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				err = encoder.Encode(report)
			} else {
				showDemo(cmd.OutOrStdout(), report)
			}
			return errors.Join(err, report.failed())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntVar(&exits, "exits", 0, "show choosing among `N` exits, 2 to 50")
	return cmd
}

// demoNetwork is a network whose every party is recorded.
type demoNetwork struct {
	*network.Network
	atRelay, atExit, atBackend network.Recorder
}

// runDemo asks both questions and reports who saw what. It prints the answers as they come.
func runDemo(ctx context.Context, progress io.Writer) (*demoReport, error) {
	group, ctx := errgroup.WithContext(ctx)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lasting, stopBackend := context.WithCancel(context.WithoutCancel(ctx)) // until the exit has drained
	defer stopBackend()
	d, err := newDemoNetwork(lasting, group)
	if err != nil {
		return nil, err
	}
	var report *demoReport
	group.Go(func() error {
		defer stopBackend()
		return d.Run(ctx)
	})
	group.Go(func() (err error) {
		defer stop()
		if err := d.WaitReady(ctx); err != nil {
			return err
		}
		report, err = d.ask(ctx, progress)
		return err
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	return report, nil
}

func newDemoNetwork(ctx context.Context, group *errgroup.Group) (*demoNetwork, error) {
	backend, err := demobackend.New(demobackend.Config{TokenDelay: tokenDelay})
	if err != nil {
		return nil, err
	}
	d := &demoNetwork{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	srv := &http.Server{
		Handler: d.atBackend.Wrap(backend), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	group.Go(func() error { return serveUntil(ctx, srv, ln) })
	url := "http://" + ln.Addr().String()
	var backends []exit.Backend
	for _, p := range service.Protocols() {
		backends = append(backends, exit.Backend{Protocol: p, URL: url})
	}
	relayListener, err := loopbackListener(relayLoopback)
	if err != nil {
		return nil, err
	}
	d.Network, err = network.New(ctx, network.Config{
		Relay: relay.Config{Observe: d.atRelay.Wrap},
		Exits: []exit.Config{{
			Operator: "demo", Tier: service.Free, Backends: backends,
			Observe: d.atExit.Wrap, DialContext: dialFrom(exitLoopback),
		}},
		Client:        client.Config{DialContext: dialFrom(clientLoopback)},
		RelayListener: relayListener,
	})
	return d, err
}

// loopbackListener listens on 127.0.0.last where the system has that address, else on 127.0.0.1.
func loopbackListener(last byte) (net.Listener, error) {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)})
	if err != nil {
		ln, err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	}
	return ln, err
}

// dialFrom dials from 127.0.0.last where the system lets us, else from any address.
func dialFrom(last byte) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)}}
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		}
		return conn, err
	}
}

// ask has both conversations and gathers the report.
func (d *demoNetwork) ask(ctx context.Context, progress io.Writer) (*demoReport, error) {
	fmt.Fprintf(progress, "A private chat, offline. The backend is TokenGo's own demo text generator, not an AI.\n\n")
	var chats []demoChat
	for _, question := range []struct {
		prompt string
		stream bool
	}{{demoPlain, false}, {demoStreamed, true}} {
		chat := demoChat{Prompt: question.prompt, Streamed: question.stream}
		fmt.Fprintf(progress, "you     %s\nanswer  ", question.prompt)
		var err error
		if chat.Answer, err = d.chat(ctx, question.prompt, question.stream, progress); err != nil {
			return nil, err
		}
		fmt.Fprint(progress, "\n\n")
		chats = append(chats, chat)
	}
	report := newDemoReport(d, chats)
	return report, d.showPrivacy(ctx, report, progress)
}

// chat is what an AI tool would do: one request in the OpenAI protocol to the local client.
func (d *demoNetwork) chat(ctx context.Context, prompt string, stream bool, progress io.Writer) (string, error) {
	body, err := json.Marshal(map[string]any{
		"model": demoModel, "stream": stream, "max_tokens": demoTokens,
		"messages": []map[string]string{{"role": "user", "content": prompt}},
	})
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.ClientURL()+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<12))
		return "", fmt.Errorf("ask: %s: %s", answer.Status, text)
	}
	if stream {
		return readStream(answer.Body, progress)
	}
	return readPlain(answer.Body, progress)
}

// completion is what the demo reads of an answer or of a piece of a streamed one.
type completion struct {
	Choices []struct {
		Message, Delta struct{ Content string }
	}
}

func readPlain(body io.Reader, progress io.Writer) (string, error) {
	var c completion
	if err := json.NewDecoder(body).Decode(&c); err != nil {
		return "", fmt.Errorf("read answer: %w", err)
	}
	if len(c.Choices) == 0 {
		return "", errors.New("read answer: it is empty")
	}
	io.WriteString(progress, c.Choices[0].Message.Content)
	return c.Choices[0].Message.Content, nil
}

// readStream reads server-sent events and prints each piece when it comes.
func readStream(body io.Reader, progress io.Writer) (string, error) {
	var text strings.Builder
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			return text.String(), nil
		}
		var c completion
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			return "", fmt.Errorf("read stream: %w", err)
		}
		if len(c.Choices) > 0 {
			io.WriteString(progress, c.Choices[0].Delta.Content)
			text.WriteString(c.Choices[0].Delta.Content)
		}
	}
	return "", errors.Join(errors.New("read stream: it ended early"), lines.Err())
}
