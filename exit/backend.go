// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/service"
)

// backend is one AI service, as a place to send requests to.
type backend struct {
	protocol   service.Protocol
	base       baseURL
	key        secret.Secret
	fields     []string          // header fields of a tool that are passed on, in canonical form
	betas      []string          // that are passed on, as the exit publishes them
	models     []service.Model   // configured
	aliases    map[string]string // published id to the backend's
	silent     bool              // never asked what it has
	limits     backendLimits
	shown      showCache
	transport  http.RoundTripper
	complaints *complaints
	abilities  abilities
}

func newBackend(cfg Backend, logger *slog.Logger) (*backend, error) {
	protocol, err := service.ParseProtocol(string(cfg.Protocol))
	if err != nil {
		return nil, err
	}
	base, err := parseBase(protocol, cfg.URL)
	if err != nil {
		return nil, err
	}
	if !cfg.Key.Sendable() {
		return nil, errors.New("the key has characters that no key has; is it the right file?")
	}
	models, err := configuredModels(cfg)
	if err != nil {
		return nil, err
	}
	if err := cfg.validateLimits(); err != nil {
		return nil, err
	}
	b := &backend{
		protocol: protocol, base: base, key: cfg.Key, models: models, aliases: cfg.Aliases, silent: cfg.Silent,
		transport:  cfg.Transport,
		complaints: &complaints{logger: logger.With("protocol", string(protocol), "backend", base.host)},
	}
	if err := b.abilities.learnMode(cfg); err != nil {
		return nil, err
	}
	for _, name := range dialect.RequestFields(protocol) {
		b.fields = append(b.fields, textproto.CanonicalMIMEHeaderKey(name))
	}
	if b.transport == nil {
		b.transport = newTransport()
	}
	return b, nil
}

// configuredModels are the models of cfg with their protocol filled in.
func configuredModels(cfg Backend) ([]service.Model, error) {
	known := map[string]bool{}
	var models []service.Model
	for _, m := range cfg.Models {
		m.Protocol = cmp.Or(m.Protocol, cfg.Protocol)
		if m.Protocol != cfg.Protocol {
			return nil, fmt.Errorf("model %q is of protocol %q, its backend of %q", m.ID, m.Protocol, cfg.Protocol)
		}
		known[m.ID] = true
		models = append(models, m)
	}
	for published, id := range cfg.Aliases {
		if published == "" || id == "" || len(models) > 0 && !known[published] {
			return nil, fmt.Errorf("alias %q is empty or not among the models", published)
		}
	}
	return models, nil
}

// validateLimits checks what cfg says about concurrency, and about asking.
func (cfg Backend) validateLimits() error {
	if cfg.Silent && len(cfg.Models) == 0 {
		return errors.New("it is not to be asked for its models, and none is given")
	}
	if cfg.MaxConcurrent < 0 {
		return errors.New("its limit of concurrent requests is negative")
	}
	for id, most := range cfg.ModelConcurrent {
		if most < 0 || !slices.ContainsFunc(cfg.Models, func(m service.Model) bool { return m.ID == id }) {
			return fmt.Errorf("the limit of concurrent requests of model %q is negative, or the model is not among those given", id)
		}
	}
	return nil
}

// name is what the backend calls a published model.
func (b *backend) name(published string) string {
	if id, ok := b.aliases[published]; ok {
		return id
	}
	return published
}

// newTransport connects to one backend. It leaves answers as they are.
func newTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		Protocols:              &protocols,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    maxIdleConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxBackendHeader,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
}

func (b *backend) close() {
	if t, ok := b.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// baseURL is what the paths of a protocol are joined to.
type baseURL struct {
	prefix  string // without a slash at its end
	version string // what prefix ends in or implies, and a path's own beginning therefore gives way to
	host    string // for logs
}

// versions is what the canonical paths of a protocol begin with, and base URLs may therefore end in.
// OpenAI's is part of the base URL by custom, and differs from service to service.
var versions = map[service.Protocol]string{
	service.OpenAI: "/v1",
	service.Claude: "/v1",
	service.Gemini: "/v1beta",
	service.Ollama: "/api",
}

func parseBase(protocol service.Protocol, s string) (baseURL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return baseURL{}, errors.New("the URL is not one") // the error would repeat it, with what it may hold
	case u.Scheme != "http" && u.Scheme != "https":
		return baseURL{}, fmt.Errorf("URL of %q: must begin with http:// or https://", u.Host)
	case u.Hostname() == "":
		return baseURL{}, errors.New("the URL names no host")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return baseURL{}, fmt.Errorf("URL of %q: must have no user, query or fragment; the key goes elsewhere", u.Host)
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	b := baseURL{host: u.Host}
	switch {
	case protocol != service.OpenAI:
		path = strings.TrimSuffix(path, versions[protocol])
	case path == "":
		path = versions[protocol]
		b.version = path
	default:
		b.version = versions[protocol]
	}
	b.prefix = u.Scheme + "://" + u.Host + path
	return b, nil
}

// join returns the URL of a canonical path.
func (b baseURL) join(path string) (*url.URL, error) {
	u, err := url.Parse(b.prefix + strings.TrimPrefix(path, b.version))
	if err != nil {
		return nil, errors.New("the path does not fit into a URL")
	}
	return u, nil
}

// asked is a request as the backend is to get it.
type asked struct {
	op     dialect.Operation
	method string
	header http.Header // of the tool
	body   []byte
}

// request is what goes to the backend: nothing of the tool's but what its protocol needs.
func (b *backend) request(ctx context.Context, q *asked) (*http.Request, error) {
	target, err := b.base.join(q.op.Path)
	if err != nil {
		return nil, err
	}
	header := make(http.Header, len(b.fields)+4)
	for _, name := range b.fields {
		values := q.header[name]
		if name == "Anthropic-Beta" || name == "Openai-Beta" {
			values = b.listed(values)
		}
		if len(values) > 0 {
			header[name] = values
		}
	}
	if len(q.body) > 0 && header["Content-Type"] == nil {
		header.Set("Content-Type", defaultContentType)
	}
	header.Set("User-Agent", userAgent)
	header.Set("Accept-Encoding", "identity")
	b.authorize(header)
	r := &http.Request{
		Method: q.method, URL: target, Host: target.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(q.body)),
	}
	if len(q.body) > 0 {
		body := q.body
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
	}
	return r.WithContext(ctx), nil
}

// listed is what the exit publishes of the betas that a request asks for, as one value or none.
func (b *backend) listed(values []string) []string {
	var names []string
	for name := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if name = strings.TrimSpace(name); slices.Contains(b.betas, name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return []string{strings.Join(names, ",")}
}

// authorize adds the operator's credential in the protocol's way.
func (b *backend) authorize(header http.Header) {
	if b.protocol == service.Claude && header["Anthropic-Version"] == nil {
		header.Set("Anthropic-Version", claudeVersion)
	}
	if b.key.IsZero() {
		return
	}
	switch b.protocol {
	case service.Claude:
		header.Set("X-Api-Key", b.key.Reveal())
	case service.Gemini:
		header.Set("X-Goog-Api-Key", b.key.Reveal())
	default:
		header.Set("Authorization", "Bearer "+b.key.Reveal())
	}
}

// unreachable reports whether no connection to the backend was made, so that it has seen no request.
func unreachable(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var timeout net.Error // of the TLS handshake: an answer that is late has a context's error
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns) || errors.As(err, &cert) ||
		errors.As(err, &notTLS) || errors.As(err, &unknown) ||
		errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, context.DeadlineExceeded)
}

// complaints tells the operator what is wrong with a backend, but not with every request.
type complaints struct {
	logger *slog.Logger

	mu   sync.Mutex // guards last
	last map[dialect.Code]time.Time
}

// about logs a fault. Only an error of dialling is repeated, because others may quote the backend.
func (c *complaints) about(code dialect.Code, err error) {
	if !c.due(code) {
		return
	}
	logger := c.logger
	if err != nil && unreachable(err) {
		logger = logger.With("error", service.Printable(err.Error(), 300))
	}
	logger.Warn("the backend does not answer as it should", "problem", string(code))
}

func (c *complaints) due(code dialect.Code) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if at, ok := c.last[code]; ok && now.Sub(at) < complaintInterval {
		return false
	}
	if c.last == nil {
		c.last = map[dialect.Code]time.Time{}
	}
	c.last[code] = now
	return true
}
