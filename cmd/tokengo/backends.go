// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/demobackend"
	"github.com/tokengo/tokengo/internal/drain"
	"github.com/tokengo/tokengo/service"
)

// demoBackend is the --backend that needs nothing else: see package demobackend.
const demoBackend = "demo"

// placeholderKey is what AI tools are given for a key, because they insist on one. In a shell where such
// lines were pasted it is not a key of the user's.
const placeholderKey = "tokengo"

// ollamaProbe is how long a look for an Ollama on this machine may take.
const ollamaProbe = 500 * time.Millisecond

// vendor is where a protocol's backend is by default, and the environment variables in which its
// vendor's own tools look for the address and the key.
type vendor struct {
	protocol service.Protocol
	url      string
	urlEnv   []string
	keyEnv   []string
}

var vendors = []vendor{
	{service.OpenAI, "https://api.openai.com/v1", []string{"OPENAI_BASE_URL"}, []string{"OPENAI_API_KEY"}},
	{service.Claude, "https://api.anthropic.com", []string{"ANTHROPIC_BASE_URL"}, []string{"ANTHROPIC_API_KEY"}},
	{service.Gemini, "https://generativelanguage.googleapis.com", []string{"GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL"}, []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"}},
	{service.Ollama, "http://127.0.0.1:11434", []string{"OLLAMA_HOST"}, []string{"OLLAMA_API_KEY"}},
}

func vendorOf(p service.Protocol) vendor {
	return vendors[slices.IndexFunc(vendors, func(v vendor) bool { return v.protocol == p })]
}

func firstEnv(names []string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" && value != placeholderKey {
			return value
		}
	}
	return ""
}

// backendFlags name the backends of an exit on the command line.
type backendFlags struct {
	backends []string // PROTOCOL=URL or demo
	keyFiles []string // PROTOCOL=PATH
	models   []string // PROTOCOL=ID

	responses []string // PROTOCOL=MODE
}

func (f *backendFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.backends, "backend", nil, "answer with the backend `PROTOCOL=URL`, or demo for a built-in text generator (repeatable)")
	flags.StringArrayVar(&f.keyFiles, "backend-key-file", nil, "read the key of a protocol's backends from a file: `PROTOCOL=PATH` (default: the environment, such as OPENAI_API_KEY)")
	flags.StringArrayVar(&f.responses, "backend-responses", nil, "answer requests of the Responses API with a backend's own, translated, or as it turns out: `openai=MODE`, which is native, translate or auto (the default)")
	flags.StringArrayVar(&f.models, "model", nil, "offer this model, `PROTOCOL=ID`, instead of all that the backend lists (repeatable)")
}

// files turns the flags into what exit.yaml would say.
func (f *backendFlags) files() ([]backendFile, error) {
	var files []backendFile
	for _, s := range f.backends {
		if s == demoBackend {
			files = append(files, backendFile{Protocol: demoBackend})
			continue
		}
		protocol, address, ok := strings.Cut(s, "=")
		if !ok {
			return nil, usagef("write --backend openai=https://api.openai.com, or --backend demo", "--backend %q is not PROTOCOL=URL", s)
		}
		files = append(files, backendFile{Protocol: protocol, URL: address})
	}
	for _, option := range []struct {
		flag   string
		values []string
		apply  func(*backendFile, string)
	}{
		{"--backend-key-file", f.keyFiles, func(b *backendFile, path string) { b.KeyFile = path }},
		{"--model", f.models, func(b *backendFile, id string) { b.Models = append(b.Models, modelFile{ID: id}) }},
		{"--backend-responses", f.responses, func(b *backendFile, mode string) { b.Responses = mode }},
	} {
		for _, s := range option.values {
			protocol, value, ok := strings.Cut(s, "=")
			i := slices.IndexFunc(files, func(b backendFile) bool { return b.Protocol == protocol })
			if !ok || i < 0 {
				return nil, usagef("it is PROTOCOL=VALUE, for a protocol of a --backend", "%s %q belongs to no backend", option.flag, s)
			}
			option.apply(&files[i], value)
		}
	}
	return files, nil
}

// parseBackends makes the exit's backends. Those called demo are served by this process, in group.
func parseBackends(ctx context.Context, group *errgroup.Group, files []backendFile) ([]exit.Backend, error) {
	return new(backendParser).parse(ctx, group, files)
}

// backendParser makes backends of what files say, time and again.
type backendParser struct {
	demoURL string // of the demo backend, once it is served
}

func (p *backendParser) parse(ctx context.Context, group *errgroup.Group, files []backendFile) ([]exit.Backend, error) {
	var backends []exit.Backend
	for i := range files {
		more, err := p.parseOne(ctx, group, &files[i])
		if err != nil {
			return nil, err
		}
		backends = append(backends, more...)
	}
	return backends, nil
}

// parseOne makes the backend of one entry, or one for each protocol of the demo backend.
func (p *backendParser) parseOne(ctx context.Context, group *errgroup.Group, f *backendFile) ([]exit.Backend, error) {
	if f.Protocol != demoBackend {
		b, err := f.backend()
		return []exit.Backend{b}, err
	}
	if p.demoURL == "" {
		url, err := serveDemoBackend(ctx, group)
		if err != nil {
			return nil, err
		}
		p.demoURL = url
	}
	var backends []exit.Backend
	for _, protocol := range service.Protocols() {
		backends = append(backends, exit.Backend{Protocol: protocol, URL: p.demoURL, MaxConcurrent: f.MaxConcurrent})
	}
	return backends, nil
}

// responsesMode is how an openai backend answers Responses requests; other backends have no such setting.
func responsesMode(p service.Protocol, s string) (exit.ResponsesMode, error) {
	if s == "" {
		return "", nil
	}
	if p != service.OpenAI {
		return "", usagef("leave responses out", "a backend of protocol %q has no Responses API to configure", p)
	}
	mode, err := exit.ParseResponsesMode(s)
	if err != nil {
		return "", &usageError{fmt.Errorf("backend: %w", err), "write responses: auto, or leave it out"}
	}
	return mode, nil
}

// serveDemoBackend runs the demo backend on a loopback port and returns its URL.
func serveDemoBackend(ctx context.Context, group *errgroup.Group) (string, error) {
	backend, err := demobackend.New(demobackend.Config{})
	if err != nil {
		return "", err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start the demo backend: %w", err)
	}
	srv := &http.Server{
		Handler: backend, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	group.Go(func() error { return drain.ServeUntil(ctx, srv, ln) })
	return "http://" + ln.Addr().String(), nil
}

// findBackends looks for backends in the environment and on this machine. avoid is the client's own
// address: a base URL that points there would send requests round in circles.
func findBackends(ctx context.Context, w io.Writer, avoid string) []backendFile {
	var found []backendFile
	for _, v := range vendors {
		address, key := firstEnv(v.urlEnv), firstEnv(v.keyEnv)
		if v.protocol == service.Ollama {
			address = ollamaURL(address)
			if pointsAt(address, avoid) || !ollamaAnswers(ctx, address) {
				continue
			}
		} else if address == "" && key == "" {
			continue
		}
		if address != "" && pointsAt(address, avoid) {
			fmt.Fprintf(w, "%s points at this client; using %s instead\n", strings.Join(v.urlEnv, "/"), v.url)
			address = ""
			if key == "" {
				continue
			}
		}
		address = cmp.Or(address, v.url)
		fmt.Fprintf(w, "found a backend: %s at %s\n", v.protocol, address)
		found = append(found, backendFile{Protocol: string(v.protocol), URL: address})
	}
	return found
}

// ollamaURL reads OLLAMA_HOST as Ollama's own tools do: a host, a host and port, or a URL.
func ollamaURL(host string) string {
	if host == "" {
		return vendorOf(service.Ollama).url
	}
	if !strings.Contains(host, "://") {
		host = "http://" + host
	}
	u, err := url.Parse(host)
	if err != nil {
		return host
	}
	if u.Port() == "" && u.Scheme == "http" {
		u.Host = net.JoinHostPort(u.Hostname(), "11434")
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() { // 0.0.0.0 is for listening
		u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	}
	return u.String()
}

func pointsAt(address, host string) bool {
	u, err := url.Parse(address)
	return err == nil && host != "" && strings.ReplaceAll(u.Host, "localhost", "127.0.0.1") == strings.ReplaceAll(host, "localhost", "127.0.0.1")
}

func ollamaAnswers(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, ollamaProbe)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/api/version", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
