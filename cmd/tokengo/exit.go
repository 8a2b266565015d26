// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/service"
)

type exitFlags struct {
	roleFlags
	backendFlags
	file  exitFile
	check bool
	json  bool
}

func newExitCommand() *cobra.Command {
	f := &exitFlags{}
	cmd := &cobra.Command{
		Use:   "exit",
		Short: "Open sealed requests and answer them with AI backends that you pay for or host",
		Long: `Run an exit. It connects to the relays, needs no public address, and offers what its backends offer.
It sees prompts and answers, and never who asked.

Keys of backends come from files or the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY,
OLLAMA_API_KEY), never from flags. On SIGTERM the exit finishes running answers and takes no new ones. On
SIGHUP it reads its configuration file again and publishes what it then offers; running answers go on.

Clients choose by what the exit states in exit.yaml: prices, features, context, promises. It is left out by those with
a limit of price if it states none.

With --check it starts nothing: it asks the backends what they have, prints the description that would be
published and every problem in it, and exits with status 1 if one of them keeps it from working.`,
		Example: `  tokengo exit --relay https://relay.example --backend ollama=http://127.0.0.1:11434
  tokengo exit --relay https://relay.example --backend openai=https://api.openai.com \
      --backend-key-file openai=key.txt --model openai=gpt-5-mini --operator 'Example Ltd'
  tokengo exit --relay https://relay.example --backend demo
  tokengo exit --check --config exit.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.check {
				return checkExit(cmd, f)
			}
			if f.json {
				return usagef("", "--json goes with --check")
			}
			return runExit(cmd, f)
		},
	}
	f.roleFlags.register(cmd, exitFileName)
	f.backendFlags.register(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.check, "check", false, "print what would be published and what is wrong with it, and do nothing else")
	flags.BoolVar(&f.json, "json", false, "with --check: print JSON")
	flags.StringArrayVar(&f.file.Relays, "relay", nil, "register with the relay at `URL` (repeatable)")
	flags.StringVar(&f.file.Operator, "operator", "", "the `name` of who runs this exit, for people")
	flags.StringVar(&f.file.Tier, "tier", "", "class of service: free, standard or premium (default standard)")
	flags.StringArrayVar(&f.file.Betas, "beta", nil, "pass on requests for the experimental feature called `name`, as anthropic-beta and openai-beta have it (repeatable)")
	flags.DurationVar(&f.file.KeyLifetime, "key-lifetime", 24*time.Hour, "replace the keys that requests are sealed to after this time")
	flags.DurationVar(&f.file.DrainTimeout, "drain-timeout", 30*time.Second, "how long running answers may go on after SIGTERM")
	flags.DurationVar(&f.file.BackendTimeout, "backend-timeout", 5*time.Minute, "how long a backend may take to begin its answer")
	flags.DurationVar(&f.file.StallTimeout, "stall-timeout", 2*time.Minute, "how long a backend may be silent within an answer")
	return cmd
}

func runExit(cmd *cobra.Command, f *exitFlags) error {
	keepSmall()
	keepCalm()
	given := *f // what flags say, before the file
	if err := loadFile(cmd, &f.roleFlags, exitFileName, &f.file); err != nil {
		return err
	}
	env, err := f.start(cmd, "exit")
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(cmd.Context())
	lasting, stopBackends := context.WithCancel(context.WithoutCancel(ctx)) // until the exit has drained
	defer stopBackends()
	parser := new(backendParser)
	parse := func(files []backendFile) ([]exit.Backend, error) { return parser.parse(lasting, group, files) }
	cfg, err := f.exitConfig(parse)
	if err != nil {
		return err
	}
	cfg.StateDir, cfg.Logger, cfg.Registerer = env.stateDir, env.log, env.registerer()
	cfg.OnRegistered = newRegistrationPrinter(env.stderr).print
	e, err := exit.New(cfg)
	if err != nil {
		return &usageError{err: err}
	}
	metrics, err := listenMetrics(ctx, f.metricsListen)
	if err != nil {
		return err
	}
	group.Go(func() error {
		defer stopBackends()
		return e.Run(ctx)
	})
	group.Go(func() error { return env.serveMetrics(ctx, metrics) })
	r := &reloader{cmd: cmd, flags: f, given: given, parse: parse, exit: e, stateDir: env.stateDir, log: env.log}
	group.Go(func() error { return r.run(ctx) })
	return group.Wait()
}

// exitConfig is what flags and file say, but for what the process adds.
func (f *exitFlags) exitConfig(parse func([]backendFile) ([]exit.Backend, error)) (exit.Config, error) {
	cfg, err := f.file.config()
	if err != nil {
		return exit.Config{}, err
	}
	if len(cfg.Relays) == 0 {
		return exit.Config{}, usagef("name one with --relay URL, or under relays: in "+exitFileName, "no relay is configured")
	}
	files, err := f.backendFlags.files()
	if err != nil {
		return exit.Config{}, err
	}
	if len(files) == 0 {
		files = f.file.Backends
	}
	if len(files) == 0 {
		return exit.Config{}, usagef("name one with --backend PROTOCOL=URL, under backends: in "+exitFileName+", or try --backend demo", "no backend is configured")
	}
	cfg.Backends, err = parse(files)
	return cfg, err
}

// registrationPrinter says where the exit is reachable, once for each change.
type registrationPrinter struct {
	w io.Writer

	mu   sync.Mutex // guards last
	last map[string]string
}

func newRegistrationPrinter(w io.Writer) *registrationPrinter {
	return &registrationPrinter{w: w, last: make(map[string]string)}
}

func (p *registrationPrinter) print(r exit.Registered) {
	line := fmt.Sprintf("registered with relay %s as %s: %s", r.Relay.Host, r.Info.Identity.Short(), describeOffer(r.Info))
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last[r.Relay.Host] == line {
		return
	}
	p.last[r.Relay.Host] = line
	fmt.Fprintln(p.w, service.Printable(line, 400))
}
