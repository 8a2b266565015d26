// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/keyfile"
	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/service"
)

// defaultCurrency is that of prices which name none.
const defaultCurrency = "USD"

// exitFile is the content of exit.yaml.
type exitFile struct {
	commonFile      `yaml:",inline"`
	Relays          []string          `yaml:"relays"`
	Backends        []backendFile     `yaml:"backends"`
	Operator        string            `yaml:"operator"`
	Tier            string            `yaml:"tier"`
	SLA             *slaFile          `yaml:"sla"`
	Capacity        *capacityFile     `yaml:"capacity"`
	Betas           []string          `yaml:"betas"`
	Tags            map[string]string `yaml:"tags"`
	KeyLifetime     time.Duration     `yaml:"key_lifetime"`
	KeyOverlap      time.Duration     `yaml:"key_overlap"`
	DrainTimeout    time.Duration     `yaml:"drain_timeout"`
	BackendTimeout  time.Duration     `yaml:"backend_timeout"`
	StallTimeout    time.Duration     `yaml:"stall_timeout"`
	ModelsRefresh   time.Duration     `yaml:"models_refresh"`
	MaxConcurrent   int               `yaml:"max_concurrent"`
	MaxRequestBytes int64             `yaml:"max_request_bytes"`
}

// slaFile and capacityFile have the names of the service description.
type slaFile struct {
	MaxTTFTMillis      int     `yaml:"max_ttft_ms"`
	MinTokensPerSecond float64 `yaml:"min_tokens_per_s"`
	Uptime             float64 `yaml:"uptime"`
	MaxConcurrency     int     `yaml:"max_concurrency"`
}

type capacityFile struct {
	GPU    string `yaml:"gpu"`
	Count  int    `yaml:"count"`
	Region string `yaml:"region"`
}

// backendFile is one entry of backends in exit.yaml.
type backendFile struct {
	Protocol      string            `yaml:"protocol"`
	URL           string            `yaml:"url"`
	KeyFile       string            `yaml:"key_file"`
	Models        []modelFile       `yaml:"models"`
	Aliases       map[string]string `yaml:"aliases"`
	Ask           *bool             `yaml:"ask"`
	MaxConcurrent int               `yaml:"max_concurrent"`
	Responses     string            `yaml:"responses"` // an exit.ResponsesMode
}

// modelFile is one entry of models: an id alone, or an object with the names of the service description and
// what concerns the exit only.
type modelFile struct {
	ID            string       `yaml:"id"`
	BackendID     string       `yaml:"backend_id"`
	Aliases       []string     `yaml:"aliases"`
	MaxCtx        int          `yaml:"max_ctx"`
	MaxOutput     int          `yaml:"max_output"`
	Modalities    []string     `yaml:"modalities"`
	Features      []string     `yaml:"features"`
	Quantization  string       `yaml:"quantization"`
	Pricing       *pricingFile `yaml:"pricing"`
	MaxConcurrent int          `yaml:"max_concurrent"`

	wrong []string // what the decoder found
}

// pricingFile holds prices as they are written: a price never passes through a float.
type pricingFile struct {
	InputPer1M       string `yaml:"input_per_1m"`
	OutputPer1M      string `yaml:"output_per_1m"`
	CachedInputPer1M string `yaml:"cached_input_per_1m"`
	PerRequest       string `yaml:"per_request"`
	PerImage         string `yaml:"per_image"`
	Currency         string `yaml:"currency"`
}

// UnmarshalYAML implements [yaml.Unmarshaler]. What is wrong is kept rather than returned: the decoder leaves out
// an entry that returns an error, and the entries after it would then be taken for others.
func (f *modelFile) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&f.ID)
	}
	var unknown yaml.TypeError
	findUnknown(node, reflect.TypeFor[modelFile](), &unknown)
	type plain modelFile // without this method
	err := node.Decode((*plain)(f))
	f.wrong = unknown.Errors
	if err != nil {
		f.wrong = append(f.wrong, typeErrors(err)...)
	}
	return nil
}

// decodingErrors are those that entries have kept.
func (f *exitFile) decodingErrors() (wrong []string) {
	for i := range f.Backends {
		for j := range f.Backends[i].Models {
			wrong = append(wrong, f.Backends[i].Models[j].wrong...)
		}
	}
	return wrong
}

// findUnknown does for a tree what the decoder does for bytes: it says of each key that the type does not have where it
// stands, in the decoder's words. It leaves types that decode themselves to do so.
func findUnknown(node *yaml.Node, t reflect.Type, unknown *yaml.TypeError) {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		if t.Kind() == reflect.Pointer {
			findUnknown(node, t.Elem(), unknown)
			return
		}
		if node.Kind == yaml.SequenceNode && !reflect.PointerTo(t.Elem()).Implements(reflect.TypeFor[yaml.Unmarshaler]()) {
			for _, element := range node.Content {
				findUnknown(element, t.Elem(), unknown)
			}
		}
		return
	}
	if node.Kind != yaml.MappingNode || t.Kind() != reflect.Struct {
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		field, known := fieldOf(t, key.Value)
		switch {
		case known:
			findUnknown(node.Content[i+1], field.Type, unknown)
		case key.Tag != "!!merge":
			unknown.Errors = append(unknown.Errors, fmt.Sprintf("line %d: field %s not found in type %s", key.Line, key.Value, t.Name()))
		}
	}
}

// config leaves the backends to [backendParser]: they need the environment.
func (f *exitFile) config() (exit.Config, error) {
	relays, err := parseRelays(f.Relays)
	if err != nil {
		return exit.Config{}, err
	}
	tier := service.Tier("")
	if f.Tier != "" {
		if tier, err = parseTier(f.Tier); err != nil {
			return exit.Config{}, &usageError{err: err}
		}
	}
	cfg := f.rest()
	cfg.Relays, cfg.Tier = relays, tier
	return cfg, nil
}

// rest is what of a configuration needs no parsing.
func (f *exitFile) rest() exit.Config {
	return exit.Config{
		Operator: f.Operator, SLA: f.SLA.info(), Capacity: f.Capacity.info(), Betas: f.Betas, Tags: f.Tags,
		KeyLifetime: f.KeyLifetime, KeyOverlap: f.KeyOverlap, DrainTimeout: f.DrainTimeout,
		BackendHeaderTimeout: f.BackendTimeout, StallTimeout: f.StallTimeout, ModelsRefresh: f.ModelsRefresh,
		MaxConcurrent: f.MaxConcurrent, MaxRequestBytes: f.MaxRequestBytes,
	}
}

func (f *slaFile) info() *service.SLA {
	if f == nil {
		return nil
	}
	return &service.SLA{
		MaxTTFTMillis: f.MaxTTFTMillis, MinTokensPerSecond: f.MinTokensPerSecond, Uptime: f.Uptime, MaxConcurrency: f.MaxConcurrency,
	}
}

func (f *capacityFile) info() *service.Capacity {
	if f == nil {
		return nil
	}
	return &service.Capacity{GPU: f.GPU, Count: f.Count, Region: f.Region}
}

// backend reads the key, from its file or the environment.
func (f *backendFile) backend() (exit.Backend, error) {
	protocol, err := parseProtocol(f.Protocol)
	if err != nil {
		return exit.Backend{}, &usageError{fmt.Errorf("backend: %w", err), "or try --backend " + demoBackend}
	}
	v := vendorOf(protocol)
	b := exit.Backend{
		Protocol: protocol, URL: cmp.Or(f.URL, v.url), Key: secret.New(firstEnv(v.keyEnv)),
		Silent: f.Ask != nil && !*f.Ask, MaxConcurrent: f.MaxConcurrent,
		Aliases: map[string]string{}, ModelConcurrent: map[string]int{},
	}
	if b.Responses, err = responsesMode(protocol, f.Responses); err != nil {
		return exit.Backend{}, err
	}
	if f.KeyFile != "" {
		key, err := keyfile.Read(f.KeyFile)
		if err != nil {
			return exit.Backend{}, err
		}
		b.Key = secret.New(string(key))
	}
	f.addModels(&b)
	return b, nil
}

// addModels adds the models, and what the exit keeps to itself of them. Of models with the same id the first is offered.
func (f *backendFile) addModels(b *exit.Backend) {
	for published, id := range f.Aliases {
		b.Aliases[published] = id
	}
	offered := map[string]bool{}
	for i := range f.Models {
		m := &f.Models[i]
		b.Models = append(b.Models, m.model(b.Protocol))
		if offered[m.ID] {
			continue
		}
		offered[m.ID] = true
		if m.BackendID != "" {
			b.Aliases[m.ID] = m.BackendID
		}
		if m.MaxConcurrent != 0 {
			b.ModelConcurrent[m.ID] = m.MaxConcurrent
		}
	}
}

func (f *modelFile) model(protocol service.Protocol) service.Model {
	m := service.Model{
		ID: f.ID, Aliases: f.Aliases, Protocol: protocol, MaxCtx: f.MaxCtx, MaxOutput: f.MaxOutput,
		Modalities: f.Modalities, Features: f.Features, Quantization: f.Quantization,
	}
	if p := f.Pricing; p != nil {
		m.Pricing = &service.Pricing{
			InputPer1M: service.Decimal(p.InputPer1M), OutputPer1M: service.Decimal(p.OutputPer1M),
			CachedInputPer1M: service.Decimal(p.CachedInputPer1M), PerRequest: service.Decimal(p.PerRequest),
			PerImage: service.Decimal(p.PerImage), Currency: cmp.Or(p.Currency, defaultCurrency),
		}
	}
	return m
}

// typeErrors are the errors that the decoder found, each with its line.
func typeErrors(err error) []string {
	if several := new(yaml.TypeError); errors.As(err, &several) {
		return several.Errors
	}
	return []string{err.Error()}
}
