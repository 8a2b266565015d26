// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/relay"
)

func newKeygenCommand() *cobra.Command {
	var stateDir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "keygen exit|relay",
		Short: "Make the long-lived key of an exit or a relay, or show the one there is",
		Long: `Make a key before the first start, or print the public part of the one that is there.

exit: its identity, which signs what it offers. Users can pin it with --identity.
relay: the pin of its own certificate, the part of its URL after the #.

Keys are kept in the state directory, readable by you only. The OHTTP keys that requests are sealed to
are not made here: an exit makes and replaces them by itself.`,
		Example: `  tokengo keygen exit
  tokengo keygen relay --state-dir /var/lib/tokengo-relay`,
		Args:      usageArgs(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)),
		ValidArgs: []string{"exit", "relay"},
		RunE: func(cmd *cobra.Command, args []string) error {
			name, value, err := makeKey(args[0], cmp.Or(stateDir, filepath.Join(stateRoot(), args[0])))
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{name: value})
			}
			fmt.Fprintln(cmd.OutOrStdout(), value)
			return nil
		},
	}
	cmd.Flags().StringVar(&stateDir, "state-dir", "", "keep the key in `dir` (default "+stateRoot()+"/…)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// makeKey returns the name and the public value of the role's key in dir.
func makeKey(role, dir string) (name, value string, err error) {
	if role == "exit" {
		identity, err := exit.Identity(dir)
		return "identity", string(identity), err
	}
	cert, err := relay.OwnCertificate(filepath.Join(dir, relayCertificate))
	if err != nil {
		return "", "", err
	}
	pin, err := relayurl.PinOfTLS(&cert)
	if err != nil {
		return "", "", err
	}
	return "pin", "sha256=" + hex.EncodeToString(pin[:]), nil
}

// usageArgs makes a mistake in the arguments a usage error, which says how the command is written.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		switch {
		case err == nil:
			return nil
		case len(args) == 0:
			err = fmt.Errorf("%s needs an argument: %s", cmd.CommandPath(), cmd.UseLine())
		case len(args) > 1:
			err = fmt.Errorf("%s got %d arguments: %s", cmd.CommandPath(), len(args), cmd.UseLine())
		}
		return &usageError{err, "see: " + cmd.CommandPath() + " --help"}
	}
}
