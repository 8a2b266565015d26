// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestModelLists(t *testing.T) {
	first := testInfo(models(service.OpenAI, "gpt-4o", "shared"), models(service.Claude, "claude-opus-4-5"), models(service.Gemini, "gemini-2.5-pro"))
	second := testInfo(models(service.OpenAI, "text-embedding-3-small", "shared"), models(service.Ollama, "llama3.2:latest"))
	second.NotBefore = second.NotBefore.Add(-time.Hour)
	// Times are those of the descriptions, and of the older one where both offer a model.
	stamps := strings.NewReplacer(
		first.NotBefore.UTC().Format(time.RFC3339), "FIRST", strconv.FormatInt(first.NotBefore.Unix(), 10), "1",
		second.NotBefore.UTC().Format(time.RFC3339), "SECOND", strconv.FormatInt(second.NotBefore.Unix(), 10), "2",
	)
	exits := []*testExit{newExit(t, newIdentity(t), first), newExit(t, newIdentity(t), second)}
	c := start(t, Config{}, newTestRelay(t, exits...))
	tests := []struct {
		golden, path string
		header       []string
	}{
		{"openai", "/v1/models", nil},
		{"claude", "/v1/models", []string{"anthropic-version", "2023-06-01"}},
		{"gemini", "/v1beta/models", nil},
		{"ollama", "/api/tags", nil},
		{"openai_one", "/v1/models/gpt-4o", nil},
		{"claude_one", "/v1/models/claude-opus-4-5", []string{"anthropic-version", "2023-06-01"}},
		{"gemini_one", "/v1beta/models/gemini-2.5-pro", nil},
		{"ollama_version", "/api/version", nil},
	}
	for _, tt := range tests {
		t.Run(tt.golden, func(t *testing.T) {
			resp := c.do("GET", tt.path, "", tt.header...)
			got := stamps.Replace(read(t, resp))
			if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" {
				t.Errorf("status %d, type %q", resp.StatusCode, resp.Header.Get("Content-Type"))
			}
			golden := filepath.Join("testdata", tt.golden+".json")
			if *update {
				if err := os.WriteFile(golden, []byte(got+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got+"\n"); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
	for _, exit := range exits {
		if n := exit.requests.Load(); n != 0 {
			t.Errorf("%d local requests reached an exit", n)
		}
	}
}

func TestListIsWhatAllGrant(t *testing.T) {
	offer := func(ctx, output int, features ...string) []service.Model {
		return []service.Model{{ID: "m", Protocol: service.OpenAI, MaxCtx: ctx, MaxOutput: output, Features: features}}
	}
	relay := newTestRelay(t)
	for _, models := range [][]service.Model{
		offer(8000, 0, "tools", "vision"), offer(4000, 100, "vision", "json_schema"), offer(0, 200, "tools", "vision"),
	} {
		relay.exits = append(relay.exits, newExit(t, newIdentity(t), testInfo(models)))
	}
	c := start(t, Config{}, relay)
	want := []dialect.ListedModel{{
		ID: "m", Protocols: []service.Protocol{service.OpenAI}, MaxCtx: 4000, MaxOutput: 100, Features: []string{"vision"},
	}}
	got := c.proxy.listModels(dialect.Operation{Protocol: service.OpenAI, Kind: dialect.ListModels}, "")
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(dialect.ListedModel{}, "Offered")); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
}

// An exit whose clock is ahead offers nothing in the future: tools that show an age would be confused.
func TestListsAreNotOfTheFuture(t *testing.T) {
	info := testInfo(models(service.Ollama, "m"))
	info.NotBefore = time.Now().Add(service.ClockSkew / 2)
	c := start(t, Config{}, newTestRelay(t, newExit(t, newIdentity(t), info)))
	got := c.proxy.listModels(dialect.Operation{Protocol: service.Ollama, Kind: dialect.ListModels}, "")
	if len(got) != 1 || got[0].Offered.After(time.Now()) || time.Since(got[0].Offered) > time.Minute {
		t.Errorf("listed: %+v, want one model that is offered since just now", got)
	}
}

// Lists follow the policy, and are empty, not errors, when there is nothing to list.
func TestListsFollowPreferences(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "by-openai"), models(service.Claude, "by-claude")))
	cfg := Config{}
	cfg.Preferences.Protocols = []service.Protocol{service.Claude}
	c := start(t, cfg, newTestRelay(t, exit))
	empty := dialect.Operation{Protocol: service.OpenAI, Kind: dialect.ListModels}.ModelsBody(nil)
	if got := read(t, c.do("GET", "/v1/models", "")); strings.Contains(got, "by-openai") || !strings.Contains(got, "by-claude") {
		t.Errorf("list with openai ruled out = %s, want what can be translated", got)
	}
	c = start(t, Config{}, newTestRelay(t))
	resp := c.do("GET", "/v1/models", "")
	if got := read(t, resp); resp.StatusCode != 200 || got != string(empty) {
		t.Errorf("list without exits: status %d, %s", resp.StatusCode, got)
	}
}

func TestRoot(t *testing.T) {
	c := start(t, Config{}, newTestRelay(t))
	page := c.do("GET", "/", "", "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	if got := read(t, page); page.StatusCode != 200 || got != rootForPersons {
		t.Errorf("a browser: status %d, %q", page.StatusCode, got)
	}
	if got := read(t, c.do("GET", "/api/ps", "")); got != `{"models":[]}` {
		t.Errorf("models that are loaded: %s", got)
	}
	for _, method := range []string{"GET", "HEAD"} {
		resp := c.do(method, "/", "")
		want := rootText
		if method == "HEAD" {
			want = ""
		}
		if got := read(t, resp); resp.StatusCode != 200 || got != want || resp.ContentLength != int64(len(rootText)) {
			t.Errorf("%s /: status %d, length %d, %q", method, resp.StatusCode, resp.ContentLength, got)
		}
	}
}

// Uploads are not JSON, and no path takes them: that is what the tool has to know.
func TestUploadIsNotOffered(t *testing.T) {
	c := start(t, Config{}, newTestRelay(t))
	for path, want := range map[string]int{"/v1/files": 404, "/v1/audio/transcriptions": 404, "/v1/chat/completions": 415} {
		resp := c.do("POST", path, "--x--", "Content-Type", "multipart/form-data; boundary=x")
		if got := read(t, resp); resp.StatusCode != want {
			t.Errorf("%s: status %d, %s, want %d", path, resp.StatusCode, got, want)
		}
	}
	resp := c.do("POST", "/v1/files", "--x--", "Content-Type", "multipart/form-data; boundary=x", "Origin", "https://evil.example")
	if got := read(t, resp); resp.StatusCode != 403 {
		t.Errorf("a web page: status %d, %s, want 403", resp.StatusCode, got)
	}
}

// Ollama's tools leave out the tag ":latest".
func TestOllamaTag(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.Ollama, "llama3.2:latest")))
	c := start(t, Config{}, newTestRelay(t, exit))
	for _, path := range []string{"/api/chat", "/api/show"} {
		if resp := c.do("POST", path, `{"model":"llama3.2"}`); resp.StatusCode != 200 {
			t.Errorf("%s: status %d: %s", path, resp.StatusCode, read(t, resp))
		}
	}
}
