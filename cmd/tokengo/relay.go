// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/relay"
)

// relayCertificate is the file in a relay's state directory with its own certificate and key.
const relayCertificate = "relay.pem"

type relayFlags struct {
	roleFlags
	file relayFile
}

func newRelayCommand() *cobra.Command {
	f := &relayFlags{}
	cmd := &cobra.Command{
		Use:   "relay",
		Short: "Forward sealed requests between clients and exits, without seeing into them",
		Long: `Run a relay. Clients send sealed requests to it over HTTPS; exits connect to the same port.

On its first start the relay makes its own certificate and prints its URL with the pin of its key;
give that line to clients and exits. With --cert and --key it uses a certificate of a public authority
(and picks up renewals), and its URL needs no pin.

Say with --operator who runs it: clients do not go through it to exits that name the same operator, since whoever runs
both knows who asks what.`,
		Example: `  tokengo relay --host relay.example --operator 'North Relays'
  tokengo relay --listen :443 --host relay.example --cert fullchain.pem --key privkey.pem
  tokengo relay --metrics-listen 127.0.0.1:9090`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := loadFile(cmd, &f.roleFlags, relayFileName, &f.file); err != nil {
				return err
			}
			return runRelay(cmd, f)
		},
	}
	f.register(cmd, relayFileName)
	flags := cmd.Flags()
	flags.StringVar(&f.file.Listen, "listen", ":"+relayurl.DefaultPort, "listen for clients and exits on `address`")
	flags.StringVar(&f.file.Host, "host", "", "the `name` or address by which others reach this relay, for the printed URL")
	flags.StringVar(&f.file.Operator, "operator", "", "`name` of who runs the relay; clients do not go through it to exits of the same operator")
	flags.StringVar(&f.file.Cert, "cert", "", "certificate chain of a public authority, PEM `file`")
	flags.StringVar(&f.file.Key, "key", "", "its private key, PEM `file`")
	return cmd
}

func runRelay(cmd *cobra.Command, f *relayFlags) error {
	keepSmall()
	keepCalm()
	env, err := f.start(cmd, "relay")
	if err != nil {
		return err
	}
	cfg := f.file.config()
	cfg.Logger, cfg.Registerer = env.log, env.registerer()
	ln, err := listen(cmd.Context(), f.file.Listen, "for clients and exits", "--listen")
	if err != nil {
		return err
	}
	defer ln.Close()
	url, certificate, err := relayIdentity(&f.file, env.stateDir, ln)
	if err != nil {
		return err
	}
	cfg.Certificate = certificate
	r, err := relay.New(cfg)
	if err != nil {
		return err
	}
	metrics, err := listenMetrics(cmd.Context(), f.metricsListen)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stderr, "relay listening on %s; its URL for clients and exits:\n", ln.Addr())
	fmt.Fprintln(env.stdout, url)
	group, ctx := errgroup.WithContext(cmd.Context())
	group.Go(func() error { return r.Run(ctx, ln) })
	group.Go(func() error { return env.serveMetrics(ctx, metrics) })
	return group.Wait()
}

// relayIdentity is the relay's certificate and the URL under which others verify it.
func relayIdentity(f *relayFile, stateDir string, ln net.Listener) (relayurl.URL, certificateFunc, error) {
	url := relayurl.URL{Host: printedHost(f.Host, ln.Addr())}
	if (f.Cert == "") != (f.Key == "") {
		return url, nil, &usageError{errors.New("--cert and --key belong together"), ""}
	}
	if f.Cert != "" {
		certificate, err := relay.FileCertificate(f.Cert, f.Key)
		return url, certificate, err
	}
	own, err := relay.OwnCertificate(filepath.Join(stateDir, relayCertificate))
	if err != nil {
		return url, nil, err
	}
	if url.Pin, err = relayurl.PinOfTLS(&own); err != nil {
		return url, nil, err
	}
	url.Pinned = true
	return url, relay.FixedCertificate(own), nil
}

type certificateFunc = func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// printedHost is host:port as others reach it: the name that was given, else the address listened on,
// else this machine.
func printedHost(name string, address net.Addr) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return address.String()
	}
	if h, p, err := net.SplitHostPort(name); err == nil {
		return net.JoinHostPort(h, p)
	}
	if name != "" {
		host = name
	} else if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
