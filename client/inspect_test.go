// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// priced is a model with its price of a million tokens read and written.
func priced(proto service.Protocol, id string, price service.Decimal) service.Model {
	return service.Model{ID: id, Protocol: proto, Pricing: &service.Pricing{InputPer1M: price, OutputPer1M: price, Currency: "USD"}}
}

// newOfferingExit is an exit of an operator with some models.
func newOfferingExit(t *testing.T, operator string, offer ...service.Model) *testExit {
	info := testInfo(offer)
	info.Operator = operator
	return newExit(t, newIdentity(t), info)
}

// inspected is a client with three exits, of which the inspector knows.
func inspected(t *testing.T, cfg Config) (*testClient, *Inspector) {
	cheap := newOfferingExit(t, "Cheap", priced(service.OpenAI, "large", "1"), priced(service.OpenAI, "small", "0.1"))
	dear := newOfferingExit(t, "Dear", priced(service.OpenAI, "large", "10"))
	other := newOfferingExit(t, "Other", service.Model{
		ID: "vendor/large", Aliases: []string{"large"}, Protocol: service.Claude, MaxCtx: 1000, Features: []string{"tools"},
	})
	c := start(t, cfg, newTestRelay(t, cheap, dear, other))
	return c, c.Inspector()
}

// whyRow is what matters of a verdict.
type whyRow struct{ Operator, Model, Why string }

// whyTests are queries and what is thought of them.
var whyTests = []struct {
	name     string
	query    Query
	protocol service.Protocol
	want     []whyRow
	excluded []Exclusion
	unknown  []UnknownModel
}{
	{
		"all",
		Query{Models: []string{"large"}},
		service.OpenAI,
		[]whyRow{{"Cheap", "large", ""}, {"Dear", "large", ""}, {"Other", "vendor/large", "it has to translate"}},
		nil, nil,
	},
	{
		"in another protocol",
		Query{Models: []string{"large"}, Protocol: service.Claude},
		service.Claude,
		[]whyRow{{"Other", "vendor/large", ""}, {"Cheap", "large", "it has to translate"}, {"Dear", "large", "it has to translate"}},
		nil, nil,
	},
	{
		"counted",
		Query{Models: []string{"large"}, Provider: &route.Preferences{MaxPrice: &route.MaxPrice{Prompt: new(route.Price(5))}}},
		service.OpenAI,
		[]whyRow{{"Cheap", "large", ""}},
		[]Exclusion{
			{"large", "", "its price is over max_price", 1},
			{"large", "", "it states no price that could be compared with max_price", 1},
		},
		nil,
	},
	{
		"listed",
		Query{Models: []string{"small"}, InputTokens: 100, Provider: &route.Preferences{Only: []string{"dear"}}, Excluded: true},
		service.OpenAI,
		[]whyRow{{"Cheap", "small", "only does not name it"}},
		[]Exclusion{{"small", "", "only does not name it", 1}},
		nil,
	},
	{
		"unknown",
		Query{Models: []string{"lagre"}},
		service.OpenAI,
		nil, nil,
		[]UnknownModel{{"lagre", []string{"large", "vendor/large", "small"}}},
	},
	{
		"limited", Query{Models: []string{"large"}, Limit: 1}, service.OpenAI, []whyRow{{"Cheap", "large", ""}}, nil, nil,
	},
}

func TestWhyRefusesAuto(t *testing.T) {
	_, i := inspected(t, Config{})
	if _, err := i.Why(Query{Models: []string{"large", "auto"}}); !errors.Is(err, ErrQuery) || !strings.Contains(err.Error(), autoMessage) {
		t.Errorf("error %v, want what a request is told", err)
	}
}

func TestWhy(t *testing.T) {
	_, i := inspected(t, Config{})
	for _, tt := range whyTests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := i.Why(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			var got []whyRow
			for _, v := range w.Candidates {
				got = append(got, whyRow{v.Operator, v.Model, v.Excluded + strings.Join(v.Demoted, "; ")})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("candidates (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.excluded, w.Excluded); diff != "" {
				t.Errorf("excluded (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.unknown, w.Unknown); diff != "" {
				t.Errorf("unknown (-want +got):\n%s", diff)
			}
			if w.Protocol != tt.protocol {
				t.Errorf("protocol %s, want %s", w.Protocol, tt.protocol)
			}
		})
	}
}

func TestWhyOfRestrictedModels(t *testing.T) {
	_, i := inspected(t, Config{Models: []string{"small", "large"}})
	for _, tt := range []struct{ asked, want []string }{
		{nil, []string{"small", "large"}},
		{[]string{"gpt-4"}, []string{"small", "large"}},
		{[]string{"large"}, []string{"large", "small"}},
	} {
		w, err := i.Why(Query{Models: tt.asked, Protocol: service.OpenAI})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, w.Models); diff != "" {
			t.Errorf("asked for %v (-want +got):\n%s", tt.asked, diff)
		}
	}
}

func TestFind(t *testing.T) {
	_, i := inspected(t, Config{Preferences: route.Preferences{Ignore: []string{"dear"}}, Aliases: map[string][]string{"tiny": {"small"}}})
	tests := []struct {
		name  string
		query Query
		want  []string
	}{
		{"all", Query{}, []string{"Cheap small", "Cheap large", "Other vendor/large"}},
		{"part of a name", Query{Models: []string{"VENDOR"}}, []string{"Other vendor/large"}},
		{"of the family", Query{Models: []string{"tiny"}}, []string{"Cheap small"}},
		{"context", Query{MinContext: 1000}, []string{"Other vendor/large"}},
		{"more context", Query{MinContext: 1001}, nil},
		{"protocol", Query{Provider: &route.Preferences{Protocols: []service.Protocol{service.Claude}}}, []string{"Other vendor/large"}},
		{"limited", Query{Limit: 1, Provider: &route.Preferences{Sort: route.SortPrice}}, []string{"Cheap small"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := i.Find(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, v := range found.Candidates {
				got[v.Operator+" "+v.Model] = true
			}
			want := map[string]bool{}
			for _, w := range tt.want {
				want[w] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindSorts(t *testing.T) {
	_, i := inspected(t, Config{})
	report(t, i, "Dear", "large", route.Outcome{Result: route.Succeeded, TTFT: 100 * time.Millisecond, TokensPerSecond: 50})
	report(t, i, "Cheap", "large", route.Outcome{Result: route.Succeeded, TTFT: time.Second, TokensPerSecond: 10})
	for by, want := range map[route.Sort][]string{
		route.SortPrice:      {"Cheap", "Dear", "Other"},
		route.SortLatency:    {"Dear", "Cheap", "Other"},
		route.SortThroughput: {"Dear", "Cheap", "Other"},
	} {
		found, err := i.Find(Query{Models: []string{"large"}, Provider: &route.Preferences{Sort: by}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range found.Candidates {
			got = append(got, v.Operator)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", by, diff)
		}
	}
}

// report has the client learn of an attempt at an exit's model.
func report(t *testing.T, i *Inspector, operator, model string, o route.Outcome) {
	t.Helper()
	i.router.update(time.Now())
	plan := i.router.chooser.Plan(&route.Request{
		Protocols: service.Protocols(), Models: []string{model}, Preferences: &route.Preferences{Only: []string{operator}},
	})
	c, ok := plan.Next()
	if !ok {
		t.Fatal(plan.Err())
	}
	i.router.chooser.Report(c, o)
}

func TestShowKeepsSourcesApart(t *testing.T) {
	_, i := inspected(t, Config{})
	report(t, i, "Cheap", "large", route.Outcome{Result: route.Succeeded, TTFT: 200 * time.Millisecond, TokensPerSecond: 30})
	reports := i.Show("CHEAP")
	if len(reports) != 1 {
		t.Fatalf("%d exits, want 1", len(reports))
	}
	r := reports[0]
	if r.Signed.Operator != "Cheap" || len(r.Observed) != 1 || len(r.Measured) != 1 || len(r.Chances) != 2 {
		t.Fatalf("report %+v", r)
	}
	if m := r.Measured[0]; m.Model != "large" || m.Exit != r.Exit || m.TTFTMillis == 0 || m.TokensPerSecond == 0 || m.Succeeded < 0.9 {
		t.Errorf("measured %+v", m)
	}
	if c := r.Chances[1]; c.Model != "small" || c.Chance != 1 || c.Excluded != "" {
		t.Errorf("chance %+v, want that of the only one", c)
	}
	for _, name := range []string{string(r.Exit), string(r.Exit[:8]), strings.ToUpper(string(r.Exit[:8])), string(r.Signed.Identity)} {
		if got := i.Show(name); len(got) != 1 || got[0].Exit != r.Exit {
			t.Errorf("Show(%q): %d exits", name, len(got))
		}
	}
	for _, name := range []string{"", string(r.Exit[:3]), "nobody"} {
		if got := i.Show(name); len(got) != 0 {
			t.Errorf("Show(%q): %d exits, want none", name, len(got))
		}
	}
}

// A model that one tier rules out and another allows is not ruled out.
func TestChanceInTiers(t *testing.T) {
	_, i := inspected(t, Config{Tiers: []route.Tier{
		{Name: "own", Preferences: route.Preferences{Only: []string{"Dear"}}},
		{Name: "rest", Preferences: route.Preferences{Ignore: []string{"Dear", "Other"}}},
	}})
	want := map[string]ModelChance{
		"Dear":  {Model: "large", Protocol: service.OpenAI, Chance: 1},
		"Cheap": {Model: "large", Protocol: service.OpenAI, Chance: 0},
		"Other": {Model: "vendor/large", Protocol: service.Claude, Excluded: "only does not name it"},
	}
	for operator, want := range want {
		got := i.Show(operator)[0].Chances[0]
		got.Score = 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", operator, diff)
		}
	}
}

func TestForget(t *testing.T) {
	dir := t.TempDir()
	_, i := inspected(t, Config{StateDir: dir})
	for _, operator := range []string{"Cheap", "Dear", "Other"} {
		report(t, i, operator, "large", route.Outcome{Result: route.Succeeded})
	}
	cheap := i.Show("Cheap")[0]
	if err := i.Forget("nobody"); !errors.Is(err, ErrNotKnown) {
		t.Errorf("error %v, want ErrNotKnown", err)
	}
	if err := i.Forget(string(cheap.Exit[:8])); err != nil {
		t.Fatal(err)
	}
	left := i.Stats()
	if len(left) != 2 || left[0].Identity == cheap.Signed.Identity || left[1].Identity == cheap.Signed.Identity {
		t.Errorf("left %+v, want what was learned of the other two", left)
	}
	saved, err := os.ReadFile(filepath.Join(dir, memoryFile))
	if err != nil || strings.Contains(string(saved), string(cheap.Signed.Identity)) {
		t.Errorf("saved %s, %v, want nothing of the exit that is forgotten", saved, err)
	}
	if err := i.Forget(""); err != nil || len(i.Stats()) != 0 {
		t.Errorf("error %v, left %+v", err, i.Stats())
	}
}

func TestForgetAmbiguous(t *testing.T) {
	one, two := newOfferingExit(t, "Same", priced(service.OpenAI, "a", "1")), newOfferingExit(t, "Same", priced(service.OpenAI, "a", "1"))
	c := start(t, Config{}, newTestRelay(t, one, two))
	if err := c.Inspector().Forget("same"); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("error %v, want ErrAmbiguous", err)
	}
}

// An inspector without a client sees what one would, and what an earlier one learned.
func TestInspectorAlone(t *testing.T) {
	dir := t.TempDir()
	relay := newTestRelay(t, newOfferingExit(t, "Cheap", priced(service.OpenAI, "large", "1")))
	c := start(t, Config{StateDir: dir}, relay)
	report(t, c.Inspector(), "Cheap", "large", route.Outcome{Result: route.Succeeded})
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	i, err := NewInspector(Config{StateDir: dir, Relays: c.cfg.Relays})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(i.Load(), i.Look(t.Context())); err != nil {
		t.Fatal(err)
	}
	w, err := i.Why(Query{Models: []string{"large"}})
	if err != nil || len(w.Candidates) != 1 || w.Candidates[0].Factors.Availability < 0.3 {
		t.Errorf("%+v, %v, want one candidate that has succeeded before", w, err)
	}
	if stats := i.Stats(); len(stats) != 1 || stats[0].Operator != "Cheap" {
		t.Errorf("stats %+v", stats)
	}
}

func TestStatusOfTiersAndBreakers(t *testing.T) {
	_, i := inspected(t, Config{Tiers: []route.Tier{
		{Name: "own", Preferences: route.Preferences{Only: []string{"Dear"}}, Budget: &route.Budget{Amount: 1, Period: route.Day}},
		{Name: "rest"},
	}})
	report(t, i, "Dear", "large", route.Outcome{Result: route.Succeeded, Usage: route.Usage{InputTokens: 200_000}})
	report(t, i, "Cheap", "large", route.Outcome{Result: route.Failed})
	i.answers.add("rest", time.Now())
	s := i.Status()
	if len(s.Breakers) != 1 || s.Breakers[0].Operator != "Cheap" || s.Breakers[0].State != route.Open || s.Breakers[0].Until.IsZero() {
		t.Errorf("breakers %+v, want that of Cheap, open", s.Breakers)
	}
	if s.Answered != 1 || s.Tiers[1].Answered != 1 || s.Tiers[1].Last.IsZero() {
		t.Errorf("answered %d, tiers %+v", s.Answered, s.Tiers)
	}
	if own := s.Tiers[0]; own.Spent != 2 || !own.OverBudget || own.Budget != 1 || own.Answered != 0 {
		t.Errorf("tier %+v, want one that has spent 2 of 1", own)
	}
}

func TestRelayReport(t *testing.T) {
	here, there := relayurl.URL{Host: "here:1"}, relayurl.URL{Host: "there:1"}
	exit := func(tunnels int, ms float64, relays ...relayurl.URL) (e Exit) {
		for _, r := range relays {
			e.Paths = append(e.Paths, Path{Relay: r, Observed: service.Observed{Tunnels: tunnels, RTTMillis: ms}})
		}
		return e
	}
	exits := []Exit{exit(1, 30, here), exit(2, 10, here, there), exit(1, 20, there, here), exit(1, 0, here), exit(4, 5, there)}
	got := newRelayReport(RelayStatus{Relay: here, Exits: 4, Dropped: 1, Err: errNotFound}, exits)
	want := RelayReport{Relay: "here:1", Exits: 4, Dropped: 1, Tunnels: 5, TunnelRTTMillis: 20, Problem: errNotFound.Error()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The names that are suggested are the most similar of all that the tool's protocol reaches, not of its own.
func TestNearestOfAllProtocols(t *testing.T) {
	unlike := newOfferingExit(t, "Unlike", priced(service.OpenAI, "a1", "1"), priced(service.OpenAI, "b2", "1"), priced(service.OpenAI, "c3", "1"),
		priced(service.OpenAI, "d4", "1"), priced(service.OpenAI, "e5", "1"))
	alike := newOfferingExit(t, "Alike", priced(service.Claude, "claude-sonnet-4", "1"))
	i := start(t, Config{}, newTestRelay(t, unlike, alike)).Inspector()
	for _, asked := range []string{"claude-sonet-4", "claude-sonet-4:floor"} {
		w, err := i.Why(Query{Protocol: service.OpenAI, Models: []string{asked}})
		if err != nil {
			t.Fatal(err)
		}
		if len(w.Unknown) != 1 || len(w.Unknown[0].Nearest) == 0 || w.Unknown[0].Nearest[0] != "claude-sonnet-4" {
			t.Errorf("for %s: unknown %+v, want claude-sonnet-4 suggested first", asked, w.Unknown)
		}
	}
}

// Where nothing fits, what is in the way of most is told first; where something does, what was not looked for is not.
func TestFindSaysWhatIsInTheWay(t *testing.T) {
	_, i := inspected(t, Config{})
	price := route.Price(0.01)
	tests := []struct {
		name  string
		query Query
		want  []Exclusion
	}{
		{"name", Query{Models: []string{"gpt"}}, []Exclusion{{Reason: otherName, Count: 4}}},
		{"context", Query{Models: []string{"small"}, MinContext: 100}, []Exclusion{{Reason: otherName, Count: 3}, {Reason: smallContext, Count: 1}}},
		{"price", Query{Provider: &route.Preferences{MaxPrice: &route.MaxPrice{Prompt: &price}}}, []Exclusion{
			{Reason: route.PriceTooHigh.String(), Count: 3}, {Reason: route.PriceUnknown.String(), Count: 1},
		}},
		{"most at the front", Query{Provider: &route.Preferences{Only: []string{"cheap"}, MaxPrice: &route.MaxPrice{Completion: &price}}}, []Exclusion{
			{Reason: route.NotInOnly.String(), Count: 2}, {Reason: route.PriceTooHigh.String(), Count: 2},
		}},
		{"something fits", Query{Models: []string{"small"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := i.Find(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, found.Excluded); diff != "" {
				t.Errorf("excluded (-want +got):\n%s", diff)
			}
		})
	}
}

// Who looks for models to make embeddings with finds those that list it, or list nothing, and not all that an Ollama has,
// although a request for embeddings may be tried with them.
func TestFindEmbedding(t *testing.T) {
	feature := func(id string, features ...string) service.Model {
		return service.Model{ID: id, Protocol: service.Ollama, Features: features}
	}
	i := start(t, Config{}, newTestRelay(t, newOfferingExit(t, "Home", feature("chats", "json_schema"), feature("embeds", "embedding"),
		feature("plain"), feature("tools", "tools")))).Inspector()
	q := Query{Features: []string{"embedding"}, Excluded: true}
	found, err := i.Find(q)
	if err != nil {
		t.Fatal(err)
	}
	lacks := route.LacksFeature.String()
	want := map[string]string{"chats": lacks, "embeds": "", "plain": "", "tools": lacks}
	got := map[string]string{}
	for n, v := range found.Candidates {
		got[v.Model] = v.Excluded
		if (v.Excluded == "") != (n < 2) {
			t.Errorf("%s is number %d of what is found", v.Model, n)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Exclusion{{Reason: lacks, Count: 2}}, found.Excluded); diff != "" {
		t.Errorf("excluded (-want +got):\n%s", diff)
	}
	w, err := i.Why(Query{Models: []string{"chats"}, Features: []string{"embedding"}, Protocol: service.Ollama})
	if err != nil || len(w.Candidates) != 1 || w.Candidates[0].Excluded != "" {
		t.Errorf("a request for embeddings of a model that chats: %+v, %v", w, err)
	}
}

// Without a protocol a query is of the tools that most exits serve the name to, in whatever spelling and family.
func TestUsualProtocol(t *testing.T) {
	ollama := newOfferingExit(t, "Home", priced(service.Ollama, "llama3:latest", "1"), priced(service.Ollama, "qwen:floor", "1"))
	gemini := newOfferingExit(t, "Google", priced(service.Gemini, "models/flash", "1"))
	i := start(t, Config{Aliases: map[string][]string{"fast": {"models/flash"}}}, newTestRelay(t, ollama, gemini)).Inspector()
	for name, want := range map[string]service.Protocol{
		"llama3": service.Ollama, "llama3:latest": service.Ollama, "llama3:nitro": service.Ollama, "qwen:floor": service.Ollama,
		"fast": service.Gemini, "flash": service.Gemini, "fast:floor": service.Gemini, "unknown": service.OpenAI,
	} {
		w, err := i.Why(Query{Models: []string{name}})
		if err != nil || w.Protocol != want {
			t.Errorf("%s is asked for by a tool of %v, %v; want %s", name, w, err, want)
		}
	}
}
