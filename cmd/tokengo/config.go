// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/relay"
)

func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Work with configuration files",
		Args:  noArgs,
		RunE:  showHelp,
	}
	cmd.AddCommand(newConfigCheckCommand())
	return cmd
}

func newConfigCheckCommand() *cobra.Command {
	var role string
	cmd := &cobra.Command{
		Use:   "check FILE…",
		Short: "Say whether configuration files would be accepted",
		Long: `Read configuration files as the role would, without starting it. The role is told from the file's
name (tokengo.yaml or client.yaml, relay.yaml, exit.yaml), or given with --role.`,
		Example: `  tokengo config check tokengo.yaml
  tokengo config check --role exit /etc/tokengo/cheap.yaml`,
		Args: usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, path := range args {
				if err := checkFile(path, role); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", path)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "the `role` the file is for: client, relay or exit")
	return cmd
}

// checkFile decodes a file and makes everything of it that needs neither network nor keys.
func checkFile(path, role string) error {
	if role == "" {
		role = roleOfFile(path)
	}
	switch role {
	case "client":
		return check(path, &clientFile{}, (*clientFile).check)
	case "relay":
		return check(path, &relayFile{}, (*relayFile).check)
	case "exit":
		return check(path, &exitFile{}, (*exitFile).check)
	}
	return usagef("say --role client, relay or exit", "%s: cannot tell from the name which role the file is for", path)
}

// check decodes the file at path into f, looks at what all roles have in common, and then at the rest.
func check[F roleFile](path string, f F, rest func(F) error) error {
	if err := decodeFile(path, f); err != nil {
		return err
	}
	var err error
	if level := f.common().LogLevel; level != "" {
		_, err = parseLevel(level)
	}
	if err == nil {
		err = rest(f)
	}
	if err != nil {
		return usagef("", "%s: %w", path, err)
	}
	return nil
}

func roleOfFile(path string) string {
	name := filepath.Base(path)
	switch {
	case name == clientFileName, strings.HasPrefix(name, "client"):
		return "client"
	case strings.HasPrefix(name, "relay"):
		return "relay"
	case strings.HasPrefix(name, "exit"):
		return "exit"
	}
	return ""
}

func (f *clientFile) check() error {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	if len(cfg.Relays) == 0 { // they may come from the command line
		_, err = client.NewInspector(cfg)
		return err
	}
	_, err = client.New(cfg)
	return err
}

func (f *relayFile) check() error {
	cfg := f.config()
	cfg.Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil } // never asked
	_, err := relay.New(cfg)
	return err
}

func (f *exitFile) check() error {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	for i := range f.Backends {
		if f.Backends[i].Protocol == demoBackend {
			continue
		}
		b, err := f.Backends[i].backend()
		if err != nil {
			return err
		}
		cfg.Backends = append(cfg.Backends, b)
	}
	if len(cfg.Relays) > 0 && len(cfg.Backends) > 0 {
		_, err = exit.New(cfg)
	}
	return err
}
