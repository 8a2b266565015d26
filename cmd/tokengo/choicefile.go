// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// choiceFile are the settings of a client that say how it chooses among exits.
type choiceFile struct {
	Provider           preferencesFile     `yaml:"provider"`
	Protocols          []string            `yaml:"protocols"`           // short for provider: protocols
	ProtocolPreference []string            `yaml:"protocol_preference"` // likewise
	Models             []string            `yaml:"models"`
	Tiers              []tierFile          `yaml:"tiers"`
	Aliases            map[string][]string `yaml:"aliases"`
	Affinity           string              `yaml:"affinity"`
	Retry              string              `yaml:"retry"`
	Patience           patienceFile        `yaml:"patience"`
	Currency           string              `yaml:"currency"`
	ExchangeRates      map[string]float64  `yaml:"exchange_rates"`
	HalfLife           time.Duration       `yaml:"half_life"`
}

// patienceFile has the names of [client.Patience].
type patienceFile struct {
	Time      time.Duration `yaml:"time"`
	Attempts  int           `yaml:"attempts"`
	FirstByte time.Duration `yaml:"first_byte"`
}

// budgetFile is the budget of a tier.
type budgetFile struct {
	Amount float64 `yaml:"amount"`
	Period string  `yaml:"period"`
}

// preferencesFile are preferences with the names of a request's provider object. What is wrong with them is kept, with
// its line, for the reason that [modelFile] gives.
type preferencesFile struct {
	route.Preferences

	wrong []string
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (f *preferencesFile) UnmarshalYAML(node *yaml.Node) error {
	node = resolved(node)
	var unknown yaml.TypeError
	findUnknown(node, reflect.TypeFor[route.Preferences](), &unknown)
	if f.wrong = unknown.Errors; len(f.wrong) > 0 {
		return nil
	}
	if err := f.Preferences.UnmarshalYAML(node.Decode); err != nil {
		text := strings.TrimPrefix(strings.Join(typeErrors(err), "; "), "preferences: ")
		f.wrong = []string{fmt.Sprintf("line %d: %s", lineOf(node, text), text)}
	}
	return nil
}

// lineOf is where the key stands that an error begins with, else where its mapping does.
func lineOf(node *yaml.Node, text string) int {
	key, _, _ := strings.Cut(text, ":")
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i].Line
		}
	}
	return node.Line
}

// resolved is what an alias stands for.
func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// tierFile is a step of fall-back. Its preferences stand under provider, or beside the name.
type tierFile struct {
	Name     string          `yaml:"name"`
	Provider preferencesFile `yaml:"provider"`
	Budget   *budgetFile     `yaml:"budget"`

	wrong []string
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (f *tierFile) UnmarshalYAML(node *yaml.Node) error {
	node = resolved(node)
	if node.Kind != yaml.MappingNode {
		f.wrong = []string{fmt.Sprintf("line %d: tiers: an entry is a step of fall-back such as {name: cheap, max_price: {completion: 1}}; "+
			"which classes of service may be used (free, standard, premium) stands under provider: tiers", node.Line)}
		return nil
	}
	own, preferences := splitTier(node)
	type plain tierFile // without this method
	if err := own.Decode((*plain)(f)); err != nil {
		f.wrong = typeErrors(err)
	}
	if len(preferences.Content) > 0 {
		if slices.ContainsFunc(own.Content, func(n *yaml.Node) bool { return n.Value == "provider" }) {
			f.wrong = append(f.wrong, fmt.Sprintf("line %d: tiers: preferences stand under provider or beside the name, not in both places", node.Line))
		}
		return f.Provider.UnmarshalYAML(preferences)
	}
	return nil
}

// splitTier parts what only a tier has from the preferences beside it.
func splitTier(node *yaml.Node) (own, preferences *yaml.Node) {
	own = &yaml.Node{Kind: yaml.MappingNode, Tag: node.Tag, Line: node.Line, Column: node.Column}
	preferences = &yaml.Node{Kind: yaml.MappingNode, Tag: node.Tag, Line: node.Line, Column: node.Column}
	for i := 0; i+1 < len(node.Content); i += 2 {
		to := preferences
		if slices.Contains([]string{"name", "provider", "budget"}, node.Content[i].Value) {
			to = own
		}
		to.Content = append(to.Content, node.Content[i], node.Content[i+1])
	}
	return own, preferences
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (f *budgetFile) UnmarshalYAML(node *yaml.Node) error {
	var unknown yaml.TypeError
	findUnknown(resolved(node), reflect.TypeFor[budgetFile](), &unknown)
	type plain budgetFile // without this method
	if err := node.Decode((*plain)(f)); err != nil {
		unknown.Errors = append(unknown.Errors, typeErrors(err)...)
	}
	if len(unknown.Errors) > 0 {
		return &unknown
	}
	return nil
}

// relayEntry is a relay: its URL alone, or with who runs it.
type relayEntry struct {
	URL      string `yaml:"url"`
	Operator string `yaml:"operator"`

	wrong []string
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (f *relayEntry) UnmarshalYAML(node *yaml.Node) error {
	node = resolved(node)
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&f.URL)
	}
	var unknown yaml.TypeError
	findUnknown(node, reflect.TypeFor[relayEntry](), &unknown)
	f.wrong = unknown.Errors
	type plain relayEntry // without this method
	if err := node.Decode((*plain)(f)); err != nil {
		f.wrong = append(f.wrong, typeErrors(err)...)
	}
	return nil
}

// relayEntries is also the value of the flag --relay.
type relayEntries []relayEntry

// String, Set and Type implement [pflag.Value]; Append, Replace and GetSlice [pflag.SliceValue].
func (e *relayEntries) String() string { return strings.Join(e.GetSlice(), ",") }

// Set adds a relay: what the file names has been replaced by then.
func (e *relayEntries) Set(url string) error { return e.Append(url) }

// Type is shown in the help.
func (e *relayEntries) Type() string { return "stringArray" }

// Append adds a relay.
func (e *relayEntries) Append(url string) error {
	*e = append(*e, relayEntry{URL: url})
	return nil
}

// Replace takes these relays instead. Who runs one that stays is still known.
func (e *relayEntries) Replace(urls []string) error {
	known := *e
	*e = nil
	for _, url := range urls {
		entry := relayEntry{URL: url}
		if i := slices.IndexFunc(known, func(k relayEntry) bool { return k.URL == url }); i >= 0 {
			entry = known[i]
		}
		*e = append(*e, entry)
	}
	return nil
}

// GetSlice returns the URLs.
func (e *relayEntries) GetSlice() []string {
	urls := []string{}
	for _, entry := range *e {
		urls = append(urls, entry.URL)
	}
	return urls
}

// apply writes the relays into a client's configuration.
func (e relayEntries) apply(cfg *client.Config) (err error) {
	if cfg.Relays, err = parseRelays(e.GetSlice()); err != nil {
		return err
	}
	for i, entry := range e {
		if entry.Operator == "" {
			continue
		}
		if cfg.RelayOperators == nil {
			cfg.RelayOperators = map[relayurl.URL]string{}
		}
		cfg.RelayOperators[cfg.Relays[i]] = entry.Operator
	}
	return nil
}

// decodingErrors are those that entries have kept.
func (f *clientFile) decodingErrors() (wrong []string) {
	for i := range f.Relays {
		wrong = append(wrong, f.Relays[i].wrong...)
	}
	wrong = append(wrong, f.Provider.wrong...)
	for i := range f.Tiers {
		wrong = append(append(wrong, f.Tiers[i].wrong...), f.Tiers[i].Provider.wrong...)
	}
	return wrong
}

// apply writes the settings into a client's configuration. [client.New] checks what is not checked here.
func (f *choiceFile) apply(cfg *client.Config) (err error) {
	if cfg.Preferences, err = f.preferences(); err != nil {
		return err
	}
	for _, t := range f.Tiers {
		tier := route.Tier{Name: t.Name, Preferences: t.Provider.Preferences}
		if t.Budget != nil {
			tier.Budget = &route.Budget{Amount: t.Budget.Amount, Period: route.Period(t.Budget.Period)}
		}
		cfg.Tiers = append(cfg.Tiers, tier)
	}
	cfg.Models, cfg.Aliases, cfg.HalfLife = f.Models, f.Aliases, f.HalfLife
	cfg.Affinity, cfg.Retry = client.Affinity(f.Affinity), client.Retry(f.Retry)
	cfg.Patience = client.Patience{Time: f.Patience.Time, Attempts: f.Patience.Attempts, FirstByte: f.Patience.FirstByte}
	cfg.Money = route.Money{Currency: f.Currency, Rates: f.ExchangeRates}
	if f.Currency != "" && !currencyPattern.MatchString(f.Currency) {
		return usagef("write a code such as USD or EUR", "currency: %q is none", f.Currency)
	}
	for _, code := range slices.Sorted(maps.Keys(f.ExchangeRates)) {
		if !currencyPattern.MatchString(code) { // no description has it, so the rate would count for nothing
			return usagef("write a code such as USD or EUR", "exchange_rates: %q is none", code)
		}
	}
	return nil
}

// currencyPattern is what a description may have as its currency.
var currencyPattern = regexp.MustCompile(`^[A-Z][A-Z0-9]{2,9}$`)

// preferences are those of the profile, whether they are under provider or in one of the short keys.
func (f *choiceFile) preferences() (route.Preferences, error) {
	p := f.Provider.Preferences
	for _, short := range []struct {
		key  string
		from []string
		to   *[]service.Protocol
	}{
		{"protocols", f.Protocols, &p.Protocols},
		{"protocol_preference", f.ProtocolPreference, &p.ProtocolPreference},
	} {
		if len(short.from) == 0 {
			continue
		}
		if len(*short.to) > 0 {
			return p, usagef("keep one of them", "%s is given twice: as it is, and under provider", short.key)
		}
		protocols, err := parseAll(short.from, parseProtocol)
		if err != nil {
			return p, err
		}
		*short.to = protocols
	}
	return p, nil
}
