// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/internal/keyfile"
	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

type clientFlags struct {
	roleFlags
	prefer    preferenceFlags
	file      clientFile
	token     string
	protocols []string
}

func newClientCommand() *cobra.Command {
	f := &clientFlags{}
	cmd := &cobra.Command{
		Use:   "client",
		Short: "Take requests from AI tools on this machine and ask them privately",
		Long: `Run the local client. AI tools use it as if it were their backend; it speaks the OpenAI, Claude,
Gemini and Ollama protocols. Each request is sealed to an exit and sent through a relay.

Any key a tool sends is accepted and dropped: exits are not told who you are.

The client chooses the exit of each request by itself, by price and by what it measured, and goes on to the next exit,
relay, model or tier when one fails before its answer begins. 'tokengo why' explains a choice, 'tokengo status' shows
how things are. With limits of price, exits that state none are left out.`,
		Example: `  tokengo client --relay https://relay.example
  tokengo client --relay 'https://192.0.2.7:4433#sha256=<pin>' --protocol claude
  tokengo client --relay https://relay.example --relay https://other.example
  tokengo client --relay https://relay.example --max-price prompt=1,completion=5 --ignore 'Some Operator'
  tokengo client --relay https://relay.example --model claude-sonnet-4 --model gpt-5 --sort latency
  tokengo client --config tokengo.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := loadFile(cmd, &f.roleFlags, clientFileName, &f.file); err != nil {
				return err
			}
			return runClient(cmd, f)
		},
	}
	f.register(cmd, clientFileName)
	f.registerClient(cmd)
	return cmd
}

// registerClient adds the flags that say how a client runs.
func (f *clientFlags) registerClient(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file.Listen, "listen", client.DefaultListen, "listen for AI tools on `address`, or on unix:PATH")
	flags.BoolVar(&f.file.AllowRemote, "allow-remote", false, "allow an address that other machines can reach; it needs a token")
	flags.StringVar(&f.token, "token", "", "ask every tool for this `token`; other users can see it in the list of processes (default $"+tokenEnv+")")
	flags.StringVar(&f.file.TokenFile, "token-file", "", "ask every tool for the token in `file`, which others must not be able to read")
	flags.StringArrayVar(&f.file.Origins, "origin", nil, "let web pages of `origin` ask, such as http://localhost:3000 (repeatable)")
	flags.Var(&f.file.Relays, "relay", "go through the relay at `URL` (repeatable)")
	flags.StringSliceVar(&f.protocols, "protocol", nil, "use only exits that speak `protocol` natively: openai, claude, gemini or ollama (repeatable)")
	flags.StringArrayVar(&f.file.Models, "model", nil, "answer with `model` only, whatever a tool asks for; the next one when none can serve the first (repeatable)")
	flags.StringVar(&f.file.Retry, "retry", string(client.RetrySafe), "send again when an exit may have worked on a request: `when` is never, safe or always")
	flags.StringVar(&f.file.Affinity, "affinity", string(client.AffinityConversation), "keep each `what` with one exit: conversation, or none")
	f.prefer.register(flags)
	flags.StringVar(&f.file.Shape, "shape", string(shape.Default), "hide sizes and times from the relay by `mode`: off, pad or constant")
	flags.StringArrayVar(&f.file.Identities, "identity", nil, "use only the exit with this `identity`, as 'tokengo exits list --json' shows it (repeatable)")
	f.file.scrubFile.register(flags)
}

func runClient(cmd *cobra.Command, f *clientFlags) error {
	keepSmall()
	env, err := f.start(cmd, "client")
	if err != nil {
		return err
	}
	cfg, err := f.config(env)
	if err != nil {
		return err
	}
	if len(cfg.Relays) == 0 {
		return usagef("name one with --relay URL, or under relays: in "+clientFileName, "no relay is configured")
	}
	if err := f.file.look(cmd.Context(), &cfg, env.stderr); err != nil {
		return err
	}
	cfg.Registerer = env.registerer()
	c, err := client.New(cfg)
	if err != nil {
		return &usageError{err: err}
	}
	metrics, err := listenMetrics(cmd.Context(), f.metricsListen)
	if err != nil {
		return err
	}
	ln, err := listen(cmd.Context(), cfg.Listen, "for AI tools", "--listen")
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(cmd.Context())
	group.Go(func() error { return c.Serve(ctx, ln) })
	group.Go(func() error { return env.serveMetrics(ctx, metrics) })
	group.Go(func() error {
		announceClient(ctx, env, c, ln)
		keepCalm() // all processors verify the first directory
		return nil
	})
	return group.Wait()
}

// config is what the flags and the file say, with the tokens from where they are kept.
func (f *clientFlags) config(env *role) (client.Config, error) {
	cfg, err := f.file.config()
	if err != nil {
		return client.Config{}, err
	}
	if err := errors.Join(protocolFlag(f.protocols, &cfg.Preferences), f.prefer.apply(&cfg.Preferences)); err != nil {
		return client.Config{}, err
	}
	cfg.Logger, cfg.StateDir = env.log, env.stateDir
	if cfg.Token, err = f.readToken(); err != nil {
		return client.Config{}, err
	}
	if cfg.ManagementToken, err = managementToken(env.stateDir); err != nil {
		return client.Config{}, err
	}
	return cfg, nil
}

// readToken returns the token that tools must show, from the flag, the file or the environment.
func (f *clientFlags) readToken() (secret.Secret, error) {
	switch {
	case f.token != "" && f.file.TokenFile != "":
		return secret.Secret{}, usagef("give the token in one way", "--token and --token-file are both given")
	case f.token != "":
		return secret.New(f.token), nil
	case f.file.TokenFile == "":
		return secret.New(os.Getenv(tokenEnv)), nil
	}
	raw, err := keyfile.Read(f.file.TokenFile)
	if err != nil {
		return secret.Secret{}, err
	}
	token := secret.New(string(raw))
	if token.IsZero() || !token.Sendable() {
		return secret.Secret{}, usagef("write one line of letters and digits into it", "token file %s holds no token", f.file.TokenFile)
	}
	return token, nil
}

// managementToken reads the token of the management paths from the state directory, and makes it there at
// the first start.
func managementToken(stateDir string) (secret.Secret, error) {
	path := filepath.Join(stateDir, managementTokenFile)
	raw, err := keyfile.Read(path)
	if errors.Is(err, os.ErrNotExist) {
		raw = []byte(rand.Text() + "\n")
		err = keyfile.Write(path, raw)
	}
	if err != nil {
		return secret.Secret{}, err
	}
	return secret.New(string(raw)), nil
}

const (
	// tokenEnv names the token that tools must show.
	tokenEnv = "TOKENGO_TOKEN"
	// managementTokenFile, in the client's state directory, opens the management paths.
	managementTokenFile = "management.token"
)

// announceClient prints the client's URL at once, and who it can reach as soon as that is known.
func announceClient(ctx context.Context, env *role, c *client.Client, ln net.Listener) {
	fmt.Fprintln(env.stderr, "client ready for AI tools at:")
	fmt.Fprintln(env.stdout, toolAddress(ln))
	ready, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if c.WaitReady(ready) != nil && ctx.Err() != nil {
		return
	}
	showReach(env.stderr, c)
}

// toolAddress is what tools are told: a URL, or the path of a socket.
func toolAddress(ln net.Listener) string {
	if ln.Addr().Network() == "unix" {
		return "unix:" + ln.Addr().String()
	}
	return "http://" + ln.Addr().String()
}

// showReach lists the relays with how they do, and the exits.
func showReach(w io.Writer, c *client.Client) {
	for _, relay := range c.Relays() {
		state := plural(relay.Exits, "exit")
		if relay.Err != nil {
			state = "not reached, trying on: " + relay.Err.Error()
		}
		fmt.Fprintf(w, "relay %s: %s\n", relay.Relay.Host, state)
	}
	exits := c.Exits()
	for _, e := range exits {
		fmt.Fprintf(w, "exit  %s %s: %s\n", e.Hash.Short(), service.Printable(cmp.Or(e.Info.Operator, "(unnamed)"), 40), describeOffer(e.Info))
	}
	if len(exits) == 0 {
		fmt.Fprintln(w, "no exit within reach yet; requests are answered as soon as one is")
	}
}

// describeOffer is a line about what an exit offers, made safe for a terminal.
func describeOffer(info *service.Info) string {
	const shown = 8
	var protocols, models []string
	for _, p := range info.Protocols {
		protocols = append(protocols, string(p))
	}
	for _, m := range info.Models {
		if id := service.Printable(m.ID, 60); !slices.Contains(models, id) {
			models = append(models, id)
		}
	}
	more := ""
	if len(models) > shown {
		models, more = models[:shown], fmt.Sprintf(" and %d more", len(models)-shown)
	}
	return strings.Join(protocols, ",") + " — " + strings.Join(models, ", ") + more
}

// plural is a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
