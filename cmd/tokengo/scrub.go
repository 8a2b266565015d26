// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/scrub"
	"github.com/tokengo/tokengo/service"
)

// maxScrubBytes is the largest request that 'tokengo scrub' reads: what a client takes by default.
const maxScrubBytes = 64 << 20

// scrubFile are the settings of a client that say what it takes out of requests.
type scrubFile struct {
	Scrub          string   `yaml:"scrub"`
	Pseudonyms     bool     `yaml:"pseudonyms"`
	PseudonymWords []string `yaml:"pseudonym_words"`
	BlockSecrets   string   `yaml:"block_secrets"`
	DebugPage      bool     `yaml:"debug_page"`
}

// registerNames adds the flags that a client and 'tokengo scrub' have in common.
func (f *scrubFile) registerNames(flags *pflag.FlagSet) {
	flags.StringVar(&f.Scrub, "scrub", "", "how much to change so that requests do not say who asks: full, minimal or off (default full)")
	flags.BoolVar(&f.Pseudonyms, "pseudonyms", false, "write placeholders for your home, user, host and git names into prompts, and put the names back in answers")
	flags.StringArrayVar(&f.PseudonymWords, "pseudonym-word", nil, "with --pseudonyms, write a placeholder for `word` too (repeatable)")
}

// register adds all flags of a client.
func (f *scrubFile) register(flags *pflag.FlagSet) {
	f.registerNames(flags)
	flags.StringVar(&f.BlockSecrets, "block-secrets", "", "refuse requests whose text holds keys or tokens; with 'all' also e-mail addresses and home directories")
	flags.Lookup("block-secrets").NoOptDefVal = blockKeys
	flags.BoolVar(&f.DebugPage, "debug-page", false, "keep the last requests, and show what left at /tokengo/debug/scrub to who has the management token")
}

// What block_secrets may be.
const (
	blockKeys = "keys"
	blockAll  = "all"
)

// apply writes the settings that need no look at the machine into a client's configuration.
func (f *scrubFile) apply(cfg *client.Config) error {
	level, err := scrub.ParseLevel(f.Scrub)
	if err != nil {
		return &usageError{err: err}
	}
	cfg.Scrub = level
	secrets := []scrub.Kind{scrub.KindPrivateKey, scrub.KindAPIKey, scrub.KindToken, scrub.KindJWT}
	switch f.BlockSecrets {
	case "":
	case blockKeys:
		cfg.Block = secrets
	case blockAll:
		cfg.Block = append(secrets, scrub.KindEmail, scrub.KindHome)
	default:
		return usagef("use keys or all", "block_secrets cannot be %q", f.BlockSecrets)
	}
	if len(f.PseudonymWords) > 0 && !f.Pseudonyms {
		return usagef("add --pseudonyms", "words for pseudonyms are given, but no pseudonyms are asked for")
	}
	return nil
}

// look adds what needs a look at the machine: the user's names, and the token. What is left out is told on w.
func (f *scrubFile) look(ctx context.Context, cfg *client.Config, w io.Writer) error {
	cfg.Debug = f.DebugPage
	cfg.Pseudonyms = f.pseudonyms(ctx, w)
	return nil
}

// pseudonyms are the placeholders for the user's names, nil when none are asked for.
func (f *scrubFile) pseudonyms(ctx context.Context, w io.Writer) *scrub.Pseudonyms {
	if !f.Pseudonyms {
		return nil
	}
	p := scrub.NewPseudonyms(ownIdentity(ctx, f.PseudonymWords))
	for _, value := range p.Skipped() {
		fmt.Fprintf(w, "no pseudonym for %s: too short or too common a word\n", service.Printable(value, 60))
	}
	if p.Len() == 0 {
		fmt.Fprintln(w, "no names to replace were found; list some with --pseudonym-word")
	}
	return p
}

type scrubFlags struct {
	file            scrubFile
	protocol, path  string
	headers, betas  []string
	explain, asJSON bool
}

func newScrubCommand() *cobra.Command {
	f := &scrubFlags{}
	cmd := &cobra.Command{
		Use:   "scrub",
		Short: "Show what leaves of a request, and what is taken out",
		Long: `Read the JSON of an AI tool's request and print the JSON that the client would seal in its place. With --explain,
print the whole of what leaves, header and body, what was removed or changed, and what in the text may still
identify you. Nothing is sent anywhere.`,
		Example: `  tokengo scrub --explain < request.json
  tokengo scrub --explain --protocol claude --header 'anthropic-beta: context-management-2025-06-27' < request.json
  tokengo scrub --pseudonyms --pseudonym-word Contoso --explain --json < request.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runScrub(cmd, f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.explain, "explain", false, "say also what was removed, and what is left that identifies")
	flags.BoolVar(&f.asJSON, "json", false, "with --explain, print JSON")
	flags.StringVar(&f.protocol, "protocol", string(service.OpenAI), "the `protocol` of the request: openai, claude, gemini or ollama")
	flags.StringVar(&f.path, "path", "", "the `path` that it is sent to (default the protocol's for conversations)")
	flags.StringArrayVar(&f.headers, "header", nil, "a header `field` of the request, as 'name: value' (repeatable)")
	flags.StringArrayVar(&f.betas, "beta", nil, "seal it for an exit that lists the experimental feature called `name` (repeatable)")
	f.file.registerNames(flags)
	return cmd
}

// defaultPaths are where tools send conversations.
var defaultPaths = map[service.Protocol]string{
	service.OpenAI: "/v1/chat/completions",
	service.Claude: "/v1/messages",
	service.Gemini: "/v1beta/models/model:generateContent",
	service.Ollama: "/api/chat",
}

func runScrub(cmd *cobra.Command, f *scrubFlags) error {
	op, header, err := f.operation()
	if err != nil {
		return err
	}
	level, err := scrub.ParseLevel(f.file.Scrub)
	if err != nil {
		return &usageError{err: err}
	}
	body, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxScrubBytes+1))
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	if len(body) > maxScrubBytes {
		return fmt.Errorf("read the request: more than %d bytes", maxScrubBytes)
	}
	names := f.file.pseudonyms(cmd.Context(), cmd.ErrOrStderr())
	request, problem := scrub.New(op, header, body, scrub.Options{Level: level, Pseudonyms: names})
	if problem != nil {
		return fmt.Errorf("scrub the request: %s", problem.Message)
	}
	key := make([]byte, 32)
	rand.Read(key) // never fails
	return f.print(cmd.OutOrStdout(), op, request.For(scrub.Exit{Betas: f.betas, CacheKey: key}))
}

// operation is what the flags say about the request.
func (f *scrubFlags) operation() (dialect.Operation, http.Header, error) {
	protocol, err := parseProtocol(f.protocol)
	if err != nil {
		return dialect.Operation{}, nil, &usageError{err: err}
	}
	header := http.Header{}
	for _, field := range f.headers {
		name, value, ok := strings.Cut(field, ":")
		if !ok {
			return dialect.Operation{}, nil, usagef("write it as 'name: value'", "header field %q has no colon", field)
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	path := f.path
	if path == "" {
		path = defaultPaths[protocol]
	}
	path, query, _ := strings.Cut(path, "?")
	op, problem := dialect.Identify(http.MethodPost, path, query, header)
	if problem != nil || op.Local() {
		return op, nil, usagef("give one that an AI tool posts to, such as "+defaultPaths[protocol], "no request is sealed for the path %q", path)
	}
	return op, header, nil
}

func (f *scrubFlags) print(w io.Writer, op dialect.Operation, m scrub.Message) error {
	if !f.explain {
		_, err := fmt.Fprintf(w, "%s\n", m.Body)
		return err
	}
	e := scrub.Explain(op, m)
	if !f.asJSON {
		_, err := io.WriteString(w, e.String())
		return err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(e); err != nil {
		return fmt.Errorf("write the explanation: %w", err)
	}
	_, err := w.Write(out.Bytes())
	return err
}
