// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

func TestWanted(t *testing.T) {
	cfg := Config{
		Models:  []string{"large", "small"},
		Aliases: map[string][]string{"large": {"vendor/large"}},
	}
	tests := []struct {
		name     string
		cfg      Config
		protocol service.Protocol
		asked    []string
		want     []string
	}{
		{"no restriction", Config{}, service.OpenAI, []string{"x", "y"}, []string{"x", "y"}},
		{"none asked for", cfg, service.OpenAI, nil, []string{"large", "small"}},
		{"another", cfg, service.OpenAI, []string{"x"}, []string{"large", "small"}},
		{"the second", cfg, service.OpenAI, []string{"small"}, []string{"small", "large"}},
		{"with a suffix", cfg, service.OpenAI, []string{"small:floor"}, []string{"small:floor", "large"}},
		{"by its alias", cfg, service.OpenAI, []string{"small", "vendor/large"}, []string{"small", "vendor/large"}},
		{"twice", cfg, service.OpenAI, []string{"large", "vendor/large"}, []string{"large", "small"}},
		{"in another spelling", cfg, service.Ollama, []string{"small:latest"}, []string{"small:latest", "large"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.cfg.wanted(tt.protocol, tt.asked)); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
		})
	}
}
