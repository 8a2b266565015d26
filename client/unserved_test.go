// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// What no exit can serve is refused with a status that says whether it helps to ask again.
func TestUnservedStatus(t *testing.T) {
	offer := models(service.OpenAI, "m")
	offer[0].MaxCtx, offer[0].Features, offer[0].Modalities = 1000, []string{"json_schema"}, []string{"text"}
	price := route.Price(1)
	tests := []struct {
		name, body string
		cfg        Config
		status     int
		code       string
	}{
		{"too long", `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("word ", 4000) + `"}]}`, Config{}, http.StatusBadRequest, "context_length_exceeded"},
		{"tools", `{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f"}}]}`, Config{}, http.StatusBadRequest, "invalid_request"},
		{"a price that is not stated", `{"model":"m","messages":[]}`, Config{Preferences: route.Preferences{MaxPrice: &route.MaxPrice{Prompt: &price}}}, http.StatusServiceUnavailable, "no_exit"},
		{"a name", `{"model":"n","messages":[]}`, Config{}, http.StatusNotFound, "model_not_found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			exit := newExit(t, newIdentity(t), testInfo(offer))
			c := start(t, tt.cfg, newTestRelay(t, exit))
			resp := c.do("POST", "/v1/chat/completions", tt.body)
			if message, code := errorText(t, service.OpenAI, read(t, resp)); resp.StatusCode != tt.status || code != tt.code {
				t.Errorf("status %d, code %q, message %q", resp.StatusCode, code, message)
			}
			if n := exit.requests.Load(); n != 0 {
				t.Errorf("%d requests to the exit", n)
			}
		})
	}
}

// Names that a profile uses for exits outlive their keys, or the user is told.
func TestFleetingNamesAreToldOf(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	hash := string(exit.entry.PubKeyHash)
	for name, warned := range map[string]bool{hash: true, hash[:8]: false, "an operator": false} {
		c := start(t, Config{Tiers: []route.Tier{{Name: "t", Preferences: route.Preferences{Ignore: []string{name}}}}}, newTestRelay(t, exit))
		told := func() bool { return strings.Contains(c.logs.String(), "named by its keys") }
		if warned {
			eventually(t, "the user is told", told)
		} else if _, found := c.cfg.fleetingName(); found || told() {
			t.Errorf("ignoring %q: warned", name)
		}
	}
}
