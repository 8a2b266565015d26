// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// Inspector shows what a client knows of exits, what it would choose and why. It sends nothing to an exit and changes
// nothing but by [Inspector.Forget]. [Client.Inspector] shows a client at work; one that [NewInspector] makes shows what
// a client with this configuration would do, after Load and Look. Reports can be written as JSON; their texts may be an
// exit's own: show them through [service.Printable]. Its methods may be called from several goroutines at once.
type Inspector struct {
	cfg       Config
	directory *directory
	router    *router
	paths     *paths
	answers   *answers
}

// NewInspector checks cfg, of which everything but the relays counts that says how exits are chosen, and makes an
// inspector that knows nothing yet. Relays may be missing.
func NewInspector(cfg Config) (*Inspector, error) {
	cfg = cfg.withDefaults()
	if err := errors.Join(cfg.checkChoice(), cfg.checkOperators()); err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	router, err := newRouter(cfg, newDirectory(cfg))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return newInspector(cfg, router), nil
}

func newInspector(cfg Config, r *router) *Inspector {
	return &Inspector{cfg: cfg, directory: r.directory, router: r, paths: newPaths(r.directory), answers: &answers{}}
}

// Inspector shows what the client knows and would choose.
func (c *Client) Inspector() *Inspector { return c.proxy.inspector }

// Load takes in what a client learned before and kept in Config.StateDir. It is for an inspector without a client.
func (i *Inspector) Load() error { return i.router.restore() }

// Look downloads the directory of each relay once. It is for an inspector without a client. The error joins those of
// the relays that failed; what the others answered counts.
func (i *Inspector) Look(ctx context.Context) error {
	failed := make([]error, len(i.directory.pollers))
	var group sync.WaitGroup
	for n, p := range i.directory.pollers {
		group.Go(func() { failed[n] = p.look(ctx) })
	}
	group.Wait()
	i.directory.close()
	return errors.Join(failed...)
}

// Query is a request that is only thought about: what a tool would ask for, or what somebody looks for.
type Query struct {
	// Protocol is what the tool speaks. Default: the one that most exits serve the first model by.
	Protocol service.Protocol `json:"protocol,omitempty"`
	// Models are names as in a request for Why; for Find parts of names, in any case.
	Models []string `json:"models,omitempty"`
	// Features, Modalities, Parameters, InputTokens, MaxOutput and Images are what the request needs, and Wishes what it
	// can do without, as in [route.Request].
	Features    []string `json:"features,omitempty"`
	Wishes      []string `json:"wishes,omitempty"`
	Modalities  []string `json:"modalities,omitempty"`
	Parameters  []string `json:"parameters,omitempty"`
	InputTokens int      `json:"input_tokens,omitempty"`
	MaxOutput   int      `json:"max_output,omitempty"`
	Images      int      `json:"images,omitempty"`
	// MinContext leaves out of what Find finds the models that state a smaller context window, or none.
	MinContext int `json:"min_context,omitempty"`
	// Provider are the request's own preferences.
	Provider *route.Preferences `json:"provider,omitempty"`
	// Excluded lists also what cannot be chosen. Else it is only counted.
	Excluded bool `json:"excluded,omitempty"`
	// Limit is how many verdicts are listed at most. Default and most: 10,000.
	Limit int `json:"limit,omitempty"`
}

// ErrQuery is wrapped by errors about a query that makes no sense.
var ErrQuery = errors.New("query")

const (
	maxVerdicts   = 10_000
	maxQueryWords = 64 // in each list of a query
)

func (q *Query) validate() error {
	if _, err := service.ParseProtocol(string(q.Protocol)); q.Protocol != "" && err != nil {
		return fmt.Errorf("%w: protocol: %w", ErrQuery, err)
	}
	for _, words := range [][]string{q.Models, q.Features, q.Wishes, q.Modalities, q.Parameters} {
		if len(words) > maxQueryWords || slices.Contains(words, "") {
			return fmt.Errorf("%w: want lists of at most %d words that are not empty", ErrQuery, maxQueryWords)
		}
	}
	if min(q.InputTokens, q.MaxOutput, q.Images, q.MinContext, q.Limit) < 0 {
		return fmt.Errorf("%w: a number is negative", ErrQuery)
	}
	if q.Provider == nil {
		return nil
	}
	if err := q.Provider.Validate(); err != nil {
		return fmt.Errorf("%w: provider: %w", ErrQuery, err)
	}
	return nil
}

// limit is how many verdicts are listed.
func (q *Query) limit() int { return min(cmp.Or(q.Limit, maxVerdicts), maxVerdicts) }

// request is the query as the chooser takes it.
func (q *Query) request(protocols []service.Protocol, models []string) *route.Request {
	return &route.Request{
		Protocols: protocols, Models: models, Features: q.Features, Wishes: q.Wishes, Modalities: q.Modalities, Parameters: q.Parameters,
		InputTokens: q.InputTokens, MaxOutput: q.MaxOutput, Images: q.Images, Preferences: q.Provider,
	}
}

// operation is what a tool of the protocol would ask.
func (q *Query) operation(p service.Protocol) dialect.Operation {
	if slices.Contains(q.Features, featureEmbedding) {
		return dialect.Operation{Protocol: p, Kind: dialect.Embedding}
	}
	return dialect.Operation{Protocol: p, Kind: dialect.Chat}
}

// featureEmbedding is the feature of models that make embeddings instead of answers.
const featureEmbedding = "embedding"

// minNamed is how much of a hash or an identity names an exit to somebody who only looks.
const minNamed = 4

// named returns the exits that a name means: an operator's in any case, an identity or a hash, or how these two begin.
func named(exits []Exit, name string) (found []Exit) {
	for _, e := range exits {
		if name != "" && strings.EqualFold(e.Info.Operator, name) || begins(string(e.Info.Identity), name) ||
			begins(string(e.Hash), strings.ToLower(name)) {
			found = append(found, e)
		}
	}
	return found
}

func begins(whole, name string) bool { return len(name) >= minNamed && strings.HasPrefix(whole, name) }

// byIdentity finds an exit among those of a view.
func byIdentity(exits []Exit, id service.Identity) (Exit, bool) {
	i, ok := slices.BinarySearchFunc(exits, id, func(e Exit, id service.Identity) int { return cmp.Compare(e.Info.Identity, id) })
	if !ok {
		return Exit{}, false
	}
	return exits[i], true
}

// answers counts the answers that tools got, by the tier that gave them.
type answers struct {
	mu     sync.Mutex // guards byTier
	byTier map[string]tierAnswers
}

// tierAnswers counts those of one tier.
type tierAnswers struct {
	count int64
	last  time.Time
}

// add counts an answer that began.
func (a *answers) add(tier string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byTier == nil {
		a.byTier = map[string]tierAnswers{}
	}
	a.byTier[tier] = tierAnswers{a.byTier[tier].count + 1, now}
}

func (a *answers) of(tier string) tierAnswers {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byTier[tier]
}
