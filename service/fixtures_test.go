// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"os"
	"testing"
	"time"
)

var (
	// testKey is made of a fixed seed, so that golden files can hold its signatures.
	testKey       = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	testKeyConfig = []byte("a stand-in for an application/ohttp-keys list")
	testStart     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	testEnd       = testStart.Add(25 * time.Hour)
)

// fullInfo uses every field.
func fullInfo() *Info {
	return &Info{
		Version:   Version,
		Identity:  IdentityOf(testKey.Public().(ed25519.PublicKey)),
		Operator:  "Ré & <Co>",
		Sequence:  1772366400123,
		NotBefore: testStart,
		Expires:   testEnd,
		Protocols: []Protocol{OpenAI, Claude, Gemini, Ollama},
		Models: []Model{
			{
				ID: "gpt-5.2", Aliases: []string{"openai/gpt-5.2"}, Protocol: OpenAI, MaxCtx: 400000, MaxOutput: 128000,
				Modalities: []string{"text", "image"}, Features: []string{"tools", "vision", "json_schema", "reasoning"},
				Pricing: &Pricing{
					InputPer1M: "1.75", OutputPer1M: "14", CachedInputPer1M: "0.175", PerRequest: "0.0001", PerImage: "0.004",
					Currency: "USD",
				},
			},
			{ID: "claude-sonnet-4-5", Protocol: Claude, MaxCtx: 200000, MaxOutput: 64000, Features: []string{"tools"}},
			{ID: "gemini-3-pro", Protocol: Gemini},
			{
				ID: "qwen3:8b", Protocol: Ollama, Quantization: "q4_k_m",
				Pricing: &Pricing{InputPer1M: "0", OutputPer1M: "0", Currency: "CNY"},
			},
			{ID: "qwen3:8b", Protocol: OpenAI},
		},
		Tier:     Premium,
		SLA:      &SLA{MaxTTFTMillis: 1500, MinTokensPerSecond: 22.5, Uptime: 0.999, MaxConcurrency: 64},
		Capacity: &Capacity{GPU: "H100", Count: 8, Region: "eu-north"},
		Betas:    []string{"context-1m-2025-08-07"},
		Tags:     map[string]string{"contact": "https://example.org/exit", "a": ""},
	}
}

// smallInfo uses only what must be there.
func smallInfo() *Info {
	return &Info{
		NotBefore: testStart,
		Expires:   testEnd,
		Protocols: []Protocol{OpenAI},
		Models:    []Model{{ID: "m", Protocol: OpenAI}},
		Tier:      Free,
	}
}

func mustSign(t testing.TB, info *Info) *Signed {
	t.Helper()
	s, err := Sign(testKey, testKeyConfig, info)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// signRaw signs any bytes, as an exit of another version or a dishonest one can. It repeats the definition of the
// signature on purpose, as an implementation in its own right.
func signRaw(keyConfig, info []byte) *Signed {
	sum := sha256.Sum256(keyConfig)
	message := "tokengo service v2\x00" + string(sum[:]) + string(info)
	return &Signed{KeyConfig: keyConfig, ServiceInfo: info, Signature: ed25519.Sign(testKey, []byte(message))}
}

// edited returns the JSON of fullInfo after edit changed it as a tree.
func edited(t testing.TB, edit func(m map[string]any)) []byte {
	t.Helper()
	raw, err := json.Marshal(fullInfo())
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	edit(m)
	if raw, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return raw
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(data, []byte("\n"))
}
