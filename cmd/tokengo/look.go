// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/internal/keyfile"
	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/service"
)

// lookFlags say where a command looks that shows what a client knows: at a client that runs, or, when none does or
// relays are named, at the relays and at what was saved.
type lookFlags struct {
	roleFlags
	file    clientFile
	asJSON  bool
	timeout time.Duration
}

func (f *lookFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file.Listen, "listen", client.DefaultListen, "ask the client that runs at `address`, or at unix:PATH")
	flags.Var(&f.file.Relays, "relay", "ask no client, but the relay at `URL` (repeatable)")
	flags.StringVar(&f.config, "config", "", "read settings from `file` (default "+clientFileName+" if it exists)")
	flags.StringVar(&f.stateDir, "state-dir", "", "the client's state is in `dir` (default "+filepath.Join(stateRoot(), "client")+")")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	flags.DurationVar(&f.timeout, "timeout", 15*time.Second, "give up after this time")
}

// needs is what a command needs when no client runs.
type needs int

const (
	needClient needs = iota // there is nothing to show then
	needMemory              // what was learned and saved
	needExits               // that, and the relays' directories
)

// source answers questions as the management paths of a client do.
type source struct {
	http   *http.Client
	base   string // of URLs
	name   string // for errors
	tokens []secret.Secret
	// partial says which relays did not answer, nil when all did.
	partial error
}

// look finds out where to look, and has show print what it finds. It fails, after that, when a relay did not answer.
func (f *lookFlags) look(cmd *cobra.Command, need needs, show func(context.Context, *source) error) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	defer cancel()
	if err := loadFile(cmd, &f.roleFlags, clientFileName, &f.file); err != nil {
		return err
	}
	s, err := f.open(ctx, cmd, need)
	if err != nil {
		return err
	}
	return errors.Join(show(ctx, s), s.partial)
}

func (f *lookFlags) open(ctx context.Context, cmd *cobra.Command, need needs) (*source, error) {
	named := cmd.Flags().Changed("relay")
	if !named || need == needClient {
		if s := f.client(); s.isClient(ctx) {
			return s, s.keepProven(ctx)
		}
	}
	missing := fmt.Sprintf("no client runs at %s", f.file.Listen)
	if need == needClient {
		return nil, &hintedError{errors.New(missing), "start one with 'tokengo client', or say with --listen where it is"}
	}
	cfg, err := f.file.config()
	if err != nil {
		return nil, err
	}
	if need == needExits && len(cfg.Relays) == 0 {
		return nil, usagef("name one with --relay URL, or under relays: in "+clientFileName, "%s, and no relay is configured", missing)
	}
	cfg.StateDir = f.directories()[0]
	if !named {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: shown is what is saved in %s", missing, cfg.StateDir)
		fmt.Fprintln(cmd.ErrOrStderr(), map[needs]string{needExits: ", and what the relays tell now"}[need])
	}
	return inspect(ctx, cmd.ErrOrStderr(), cfg, need)
}

// inspect does what a client does that has just begun to run: one that cannot read what was learned goes on without.
func inspect(ctx context.Context, warnings io.Writer, cfg client.Config, need needs) (*source, error) {
	inspector, err := client.NewInspector(cfg)
	if err != nil {
		return nil, &usageError{err: err}
	}
	if err := inspector.Load(); err != nil {
		fmt.Fprintf(warnings, "tokengo: %v\n", err)
	}
	s := &source{http: &http.Client{Transport: inProcess{inspector}}, base: "http://localhost", name: "here"}
	if need == needExits {
		s.partial = inspector.Look(ctx)
		if s.partial != nil && len(inspector.AllExits()) == 0 {
			return nil, s.partial
		}
	}
	return s, nil
}

// directories are where the token of a client may be: where its state is, or that of 'tokengo serve'.
func (f *lookFlags) directories() []string {
	if f.stateDir != "" {
		return []string{f.stateDir}
	}
	return []string{filepath.Join(stateRoot(), "client"), filepath.Join(stateRoot(), "serve")}
}

// client is the client that may run, with the tokens that may open its management paths.
func (f *lookFlags) client() *source {
	s := clientAt(f.file.Listen)
	for _, dir := range f.directories() {
		if raw, err := keyfile.Read(filepath.Join(dir, managementTokenFile)); err == nil {
			s.tokens = append(s.tokens, secret.New(string(raw)))
		}
	}
	if token := os.Getenv(tokenEnv); token != "" {
		s.tokens = append(s.tokens, secret.New(token))
	}
	return s
}

// clientAt is the client that may run at an address, or the URL that it prints.
func clientAt(address string) *source {
	address = strings.TrimSuffix(strings.TrimPrefix(address, "http://"), "/")
	direct := &http.Transport{} // no proxy: it would see the token. The connection on which the client proved itself is used on
	s := &source{http: &http.Client{Transport: direct, CheckRedirect: stay}, base: "http://" + address, name: address}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		s.base = "http://localhost"
		direct.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
	} else if at, err := netip.ParseAddrPort(address); err == nil && at.Addr().IsUnspecified() {
		s.base = fmt.Sprintf("http://localhost:%d", at.Port())
	}
	return s
}

// stay follows no redirection: a client sends none.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// isClient reports whether a TokenGo client answers.
func (s *source) isClient(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/", nil)
	if err != nil {
		return false
	}
	r.Header.Set("Accept", "text/html") // tools of Ollama are told that Ollama is running
	answer, err := s.http.Do(r)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 100))
	return err == nil && strings.HasPrefix(string(text), "TokenGo is running")
}

// keepProven keeps the tokens that the client proves to know: only those are shown to it, since any user of this machine
// can listen where the client would. It fails when none is left.
func (s *source) keepProven(ctx context.Context) error {
	var random [16]byte
	rand.Read(random[:]) // never fails
	nonce := hex.EncodeToString(random[:])
	var peer net.Addr
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { peer = info.Conn.RemoteAddr() },
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+client.ProofPath+"?nonce="+nonce, nil)
	if err != nil {
		return fmt.Errorf("ask the client at %s: %w", s.name, err)
	}
	answer, err := s.http.Do(r)
	if err != nil {
		return fmt.Errorf("ask the client at %s: %w", s.name, err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxProofBytes))
	var got client.Proofs
	if err != nil || answer.StatusCode != http.StatusOK || json.Unmarshal(raw, &got) != nil {
		return s.stranger()
	}
	s.tokens = slices.DeleteFunc(s.tokens, func(token secret.Secret) bool {
		return peer == nil || !slices.Contains(got.Proofs, client.Proof(token, peer, nonce))
	})
	if len(s.tokens) == 0 {
		return s.stranger()
	}
	return nil
}

// maxProofBytes is the longest answer to a nonce that is read.
const maxProofBytes = 4 << 10

// stranger says that what listens is not known to be this user's client.
func (s *source) stranger() error {
	return &hintedError{
		fmt.Errorf("the client at %s wants a token that is not in its state directory here, or is not yours: it has been told nothing", s.name),
		"say with --state-dir where the state of the client is",
	}
}

// maxReportBytes is the longest report that is read: a directory of 10,000 exits has some 100 MB.
const maxReportBytes = 512 << 20

// get asks for a report.
func (s *source) get(ctx context.Context, path string, into any) error {
	return s.ask(ctx, http.MethodGet, path, nil, into)
}

// post asks for the report on a query.
func (s *source) post(ctx context.Context, path string, query *client.Query, into any) error {
	body, err := json.Marshal(query)
	if err != nil {
		return fmt.Errorf("write the query: %w", err)
	}
	return s.ask(ctx, http.MethodPost, path, body, into)
}

// ask asks with each token in turn until one is taken.
func (s *source) ask(ctx context.Context, method, path string, body []byte, into any) error {
	for _, token := range append(s.tokens, secret.Secret{}) {
		r, err := http.NewRequestWithContext(ctx, method, s.base+client.ManagementPrefix+path, bytes.NewReader(body))
		if err != nil {
			return fmt.Errorf("ask the client at %s: %w", s.name, err)
		}
		r.Header.Set("Content-Type", "application/json")
		if !token.IsZero() {
			r.Header.Set("Authorization", "Bearer "+token.Reveal())
		}
		answer, err := s.http.Do(r)
		if err != nil {
			return fmt.Errorf("ask the client at %s: %w", s.name, err)
		}
		raw, err := io.ReadAll(io.LimitReader(answer.Body, maxReportBytes))
		answer.Body.Close()
		if err != nil {
			return fmt.Errorf("ask the client at %s: %w", s.name, err)
		}
		if answer.StatusCode != http.StatusUnauthorized {
			return s.read(answer.StatusCode, raw, into)
		}
	}
	return s.stranger()
}

// read reads a report, or an error.
func (s *source) read(status int, raw []byte, into any) error {
	if status == http.StatusOK {
		if err := json.Unmarshal(raw, into); err != nil {
			return fmt.Errorf("ask the client at %s: it answers in a way that this version does not know", s.name)
		}
		return nil
	}
	var said struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(raw, &said) != nil || said.Error.Message == "" {
		return fmt.Errorf("ask the client at %s: status %d", s.name, status)
	}
	const longest = 400
	err := errors.New(service.Printable(said.Error.Message, longest))
	if status == http.StatusBadRequest {
		return &usageError{err: err}
	}
	return err
}

// inProcess answers requests by a handler, without a connection.
type inProcess struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &written{header: http.Header{}}
	t.handler.ServeHTTP(w, r)
	return &http.Response{
		StatusCode: cmp.Or(w.status, http.StatusOK), Header: w.header, Body: io.NopCloser(&w.body), ContentLength: -1, Request: r,
	}, nil
}

// written is what a handler wrote.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *written) Header() http.Header         { return w.header }
func (w *written) Write(p []byte) (int, error) { return w.body.Write(p) }
func (w *written) WriteHeader(status int)      { w.status = status }
