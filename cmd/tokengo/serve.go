// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/relay"
	"github.com/tokengo/tokengo/shape"
)

type serveFlags struct {
	roleFlags
	backendFlags
	listen string
}

func newServeCommand() *cobra.Command {
	f := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run client, relay and exit on this machine, in front of your own backends",
		Long: `Run all three roles in one process. Without --backend it uses what it finds: an Ollama that runs on this
machine, and the backends for which the environment has a key or an address (OPENAI_API_KEY,
OPENAI_BASE_URL, ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, GEMINI_API_KEY, GOOGLE_GEMINI_BASE_URL).

It prints the lines to paste for AI tools. On one machine nothing hides you from the backends, which see
this machine's address; identity that tools put into headers is dropped all the same.`,
		Example: `  tokengo serve
  tokengo serve --backend ollama=http://127.0.0.1:11434 --backend openai=https://api.openai.com
  tokengo serve --backend demo --listen 127.0.0.1:9000`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd, f) },
	}
	f.backendFlags.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", client.DefaultListen, "listen for AI tools on `address`")
	flags.StringVar(&f.stateDir, "state-dir", "", "keep keys and state in `dir` (default "+stateRoot()+"/serve)")
	flags.StringVar(&f.logLevel, "log-level", "warn", "debug, info, warn or error")
	flags.StringVar(&f.metricsListen, "metrics-listen", "", "serve /metrics and /healthz on `address` (default off)")
	return cmd
}

func runServe(cmd *cobra.Command, f *serveFlags) error {
	keepSmall()
	env, err := f.start(cmd, "serve")
	if err != nil {
		return err
	}
	files, err := f.backendFlags.files()
	if err != nil {
		return err
	}
	if len(files) == 0 {
		files = findBackends(cmd.Context(), env.stderr, f.listen)
	}
	if len(files) == 0 {
		return &hintedError{
			fmt.Errorf("no backend was found: no Ollama answers, and the environment names none"),
			"set OPENAI_API_KEY or the like, name one with --backend PROTOCOL=URL, or try --backend demo",
		}
	}
	group, ctx := errgroup.WithContext(cmd.Context())
	lasting, stopBackends := context.WithCancel(context.WithoutCancel(ctx)) // until the exit has drained
	defer stopBackends()
	backends, err := parseBackends(lasting, group, files)
	if err != nil {
		return err
	}
	metrics, err := listenMetrics(cmd.Context(), f.metricsListen)
	if err != nil {
		return err
	}
	n, err := serveNetwork(cmd.Context(), f, env, backends)
	if err != nil {
		return err
	}
	group.Go(func() error {
		defer stopBackends()
		return n.Run(ctx)
	})
	group.Go(func() error { return env.serveMetrics(ctx, metrics) })
	group.Go(func() error {
		announceServe(ctx, env, n)
		return nil
	})
	return group.Wait()
}

func serveNetwork(ctx context.Context, f *serveFlags, env *role, backends []exit.Backend) (*network.Network, error) {
	ln, err := listen(ctx, f.listen, "for AI tools", "--listen")
	if err != nil {
		return nil, err
	}
	token, err := managementToken(env.stateDir)
	if err != nil {
		ln.Close()
		return nil, err
	}
	own, err := relay.OwnCertificate(filepath.Join(env.stateDir, relayCertificate))
	if err != nil {
		ln.Close()
		return nil, err
	}
	n, err := network.New(ctx, network.Config{
		Relay: relay.Config{Certificate: relay.FixedCertificate(own), Logger: env.log, Registerer: env.registerer()},
		Exits: []exit.Config{{
			StateDir: filepath.Join(env.stateDir, "exit"), Operator: "this machine", Backends: backends,
			Logger: env.log, Registerer: env.registerer(),
		}},
		Client: client.Config{
			Listen: f.listen, Shape: shape.Off /* nobody is on the way */, ManagementToken: token, StateDir: env.stateDir,
			Logger: env.log, Registerer: env.registerer(),
		},
		ClientListener: ln,
	})
	if err != nil {
		return nil, &usageError{err: err}
	}
	return n, nil
}

// announceServe prints, once the exit offers something, what and how to use it.
func announceServe(ctx context.Context, env *role, n *network.Network) {
	wait, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	err := n.WaitReady(wait)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		fmt.Fprintln(env.stderr, "the backends list no models yet; tokengo goes on asking them")
	}
	showReach(env.stderr, n.Client())
	fmt.Fprintln(env.stderr, "\nPaste for your AI tools, or start one with 'tokengo run':")
	printToolLines(env.stdout, n.ClientURL())
}

// printToolLines prints shell lines that make AI tools use the client, of every protocol: requests are translated where
// the backends speak another. The keys are placeholders that the tools insist on; the client drops them.
func printToolLines(w io.Writer, url string) {
	for _, line := range []string{
		"OPENAI_BASE_URL=" + url + "/v1 OPENAI_API_KEY=" + placeholderKey,
		"ANTHROPIC_BASE_URL=" + url + " ANTHROPIC_API_KEY=" + placeholderKey,
		"GOOGLE_GEMINI_BASE_URL=" + url + " GEMINI_API_KEY=" + placeholderKey,
		"OLLAMA_HOST=" + strings.TrimPrefix(url, "http://"),
	} {
		fmt.Fprintln(w, "export "+line)
	}
}
