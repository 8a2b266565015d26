// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

// place is a problem without its text.
func place(p Problem) Problem {
	p.Text = ""
	return p
}

// All problems are found, each at its place, and what can be described is.
func TestCheck(t *testing.T) {
	url := backendServer(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"data":[{"id":"a","context_length":100},{"id":"b","context_length":-1},{"id":"x"}]}`)
	})
	priced := &service.Pricing{InputPer1M: "1", OutputPer1M: "1", Currency: "USD"}
	report := Check(t.Context(), Config{
		Relays: testRelays, Tier: "golden", SLA: &service.SLA{MaxConcurrency: 5}, MaxConcurrent: 2,
		Operator: strings.Repeat("x", 300),
		Backends: []Backend{
			{Protocol: service.OpenAI, URL: url, Models: []service.Model{
				{ID: "a", Aliases: []string{"nice", "b"}, Pricing: priced},
				{ID: "b", Aliases: []string{"nice"}, Pricing: priced, Features: []string{"tools", "visoin"}, Modalities: []string{"smell"}},
				{ID: "c"},
				{ID: "a", Pricing: &service.Pricing{InputPer1M: "1,5", OutputPer1M: "1", Currency: "USD"}},
			}},
			{Protocol: service.OpenAI, URL: "nonsense"},
			{Protocol: service.Claude, URL: "http://127.0.0.1:1"},
			{Protocol: service.OpenAI, URL: url, Aliases: map[string]string{"gone": "z"}},
		},
	})
	var got []Problem
	for _, p := range report.Problems {
		if p.Text == "" || strings.Contains(p.Text, "service description") {
			t.Errorf("%+v is said badly", p)
		}
		got = append(got, place(p))
	}
	want := []Problem{
		{true, -1, -1, "operator", ""},
		{true, -1, -1, "tier", ""},
		{false, -1, -1, "sla", ""},
		{false, 0, -1, "", ""}, // context_length of b
		{false, 0, 0, "aliases", ""},
		{false, 0, 1, "aliases", ""},
		{false, 0, 1, "features", ""},
		{false, 0, 1, "modalities", ""},
		{false, 0, 2, "", ""},        // not listed
		{false, 0, 2, "pricing", ""}, // not priced
		{true, 0, 3, "", ""},
		{false, 0, 3, "", ""}, // a second time
		{true, 1, -1, "", ""},
		{true, 2, -1, "", ""},
		{false, 3, -1, "", ""},
		{false, 3, -1, "pricing", ""},
		{false, 3, -1, "aliases", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s\n%+v", diff, report.Problems)
	}
	var ids []string
	for _, m := range report.Info.Models {
		ids = append(ids, m.ID)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "x"}, ids); diff != "" || report.Info.Models[0].MaxCtx != 100 {
		t.Errorf("described (-want +got):\n%s", diff)
	}
}

func TestCheckFindsNothing(t *testing.T) {
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"data":[{"id":"a"}]}`) })
	report := Check(t.Context(), Config{Relays: testRelays, Tier: service.Free, Backends: []Backend{{Protocol: service.OpenAI, URL: url}}})
	if len(report.Problems) != 0 {
		t.Errorf("found %+v", report.Problems)
	}
	report = Check(t.Context(), Config{})
	if len(report.Problems) != 3 || !report.Problems[0].Fatal {
		t.Errorf("an empty configuration: %+v", report.Problems)
	}
}
