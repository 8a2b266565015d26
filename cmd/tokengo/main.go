// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Command tokengo gives private access to AI models: nobody but the user knows both who asks and what
// is asked. It contains the three roles (client, relay, exit), one subcommand each, and tools around
// them; every file here but the following is one subcommand.
//
//	main.go      the root command and how errors are shown
//	run.go       what the long-running commands share: signals, logs, state, ports, metrics
//	files.go, strictyaml.go  configuration files, and what their decoder would let pass
//	choicefile.go, choiceflags.go  how a client chooses among exits, in its file and on the command line
//	look.go      asking a client that runs, or doing as one would
//	queryflags.go, table.go  what is looked for, and showing it
//	backends.go  finding and naming AI backends
//	exitfile.go, exitcheck.go, reload.go  the exit's file: what is in it, what is wrong with it, reading it again
//	helptext.go  help that fits the terminal
//	identity.go  finding the user's own names
//
// 'tokengo run' is in runtool.go.
//
// Results go to standard output, everything else to standard error.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2 // the command line or a configuration file is wrong

	exitInterrupted = 130 // stopped by a signal before it was done; what shells say of SIGINT
)

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var tool *toolError
	if errors.As(err, &tool) {
		return tool.status
	}
	if cause := context.Cause(ctx); cause != nil && (errors.Is(err, cause) || errors.Is(err, context.Canceled)) {
		fmt.Fprintln(os.Stderr, "tokengo: interrupted")
		return exitInterrupted
	}
	showError(os.Stderr, err)
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitError
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "tokengo",
		Short: "Private access to any AI model",
		Long: `TokenGo lets you use AI models without anyone knowing both who you are and what you asked.

A client on your machine takes requests from your AI tools, seals them to an exit, and sends them
through a relay. The relay sees who asks, never what; the exit sees what is asked, never who.`,
		Example: `  tokengo demo                                   see it work, offline
  tokengo serve                                  all roles on this machine, before the backends it finds
  tokengo client --relay https://relay.example   use exits that others run
  tokengo run claude                             start a tool that asks through the client`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          showHelp,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{err, "see: " + cmd.CommandPath() + " --help"}
	})
	root.AddCommand(
		newClientCommand(), newRelayCommand(), newExitCommand(), newServeCommand(), newDemoCommand(),
		newRunCommand(), newStatusCommand(), newExitsCommand(), newWhyCommand(), newStatsCommand(), newScrubCommand(), newKeygenCommand(), newConfigCommand(), newVersionCommand(),
	)
	fitHelp(root)
	return root
}

// showHelp is what a command does that only has subcommands.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// noArgs refuses arguments, such as a misspelt subcommand.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "see: " + cmd.CommandPath() + " --help"
	if near := cmd.SuggestionsFor(args[0]); cmd.HasSubCommands() && len(near) > 0 {
		hint = "did you mean " + cmd.CommandPath() + " " + near[0] + "?"
	}
	if cmd.HasSubCommands() {
		return usagef(hint, "unknown command %q for %q", args[0], cmd.CommandPath())
	}
	return usagef(hint, "%s takes no arguments, but got %q", cmd.CommandPath(), args[0])
}

// usageError is a mistake on the command line or in a configuration file.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }
func (e *usageError) Hint() string  { return e.hint }

// hintedError is a failure that the user can do something about.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }
func (e *hintedError) Hint() string  { return e.hint }

// usagef makes a usage error. The hint may be empty.
func usagef(hint, format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...), hint}
}

// showError prints an error and, where there is something to do, what.
func showError(w io.Writer, err error) {
	fmt.Fprintf(w, "tokengo: %v\n", err)
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		fmt.Fprintf(w, "hint: %s\n", hinted.Hint())
	}
}
