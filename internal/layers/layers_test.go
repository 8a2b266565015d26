// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package layers holds the rules on which package may import which, as tests. Upper layers import
// lower ones, roles never import each other, and what a role must not be able to do, such as opening
// what it forwards, it cannot even link.
package layers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tokengo/tokengo/"

// mayImport lists, for each package, the packages of this module that it may import itself. A new
// package needs its row here and in docs/development.md.
var mayImport = map[string][]string{
	// Commands: everything.
	"cmd/tokengo": {"client", "relay", "exit", "route", "scrub", "shape", "dialect", "service", "internal/network", "internal/relayurl", "internal/keyfile", "internal/secret", "internal/demobackend", "internal/demo", "internal/drain"},

	// Roles: mechanisms and protocols, never each other.
	"client": {"route", "scrub", "shape", "dialect", "bhttp", "ohttp", "service", "internal/drain", "internal/keyfile", "internal/readbuf", "internal/relayurl", "internal/secret"},
	"relay":  {"tunnel", "service", "internal/drain", "internal/keyfile", "internal/readbuf"},
	"exit":   {"tunnel", "shape", "dialect", "dialect/translate", "bhttp", "ohttp", "service", "internal/readbuf", "internal/relayurl", "internal/keyfile", "internal/secret"},

	// Mechanisms: protocols.
	"tunnel":  {"service", "internal/relayurl"},
	"route":   {"service"},
	"shape":   {"bhttp"},
	"dialect": {"dialect/wire", "service"},
	"scrub":   {"dialect", "service"},

	// Translation between AI protocols: one codec a protocol, joined in translate.
	"dialect/conversation": {"service"},
	"dialect/wire":         {},
	"dialect/openaiapi":    {"dialect", "dialect/conversation", "dialect/wire"},
	"dialect/openai":       {"dialect", "dialect/conversation", "dialect/openaiapi", "dialect/wire", "service"},
	"dialect/responses":    {"dialect", "dialect/conversation", "dialect/openaiapi", "dialect/wire", "service"},
	"dialect/claude":       {"dialect", "dialect/conversation", "dialect/wire", "service"},
	"dialect/gemini":       {"dialect", "dialect/conversation", "dialect/wire", "service"},
	"dialect/ollama":       {"dialect", "dialect/conversation", "dialect/openaiapi", "dialect/wire", "service"},
	"dialect/translate": {
		"dialect", "dialect/conversation", "dialect/openai", "dialect/responses", "dialect/claude",
		"dialect/gemini", "dialect/ollama", "service",
	},

	// Protocols: nothing of this module.
	"bhttp":   {},
	"ohttp":   {},
	"service": {},

	// Plumbing.
	"internal/drain":       {},
	"internal/relayurl":    {},
	"internal/keyfile":     {},
	"internal/readbuf":     {},
	"internal/secret":      {},
	"internal/demobackend": {},
	"internal/network":     {"client", "relay", "exit", "internal/relayurl"},
	"internal/demo":        {"client", "relay", "exit", "route", "shape", "service", "internal/demobackend", "internal/drain", "internal/network"},
	"internal/marked":      {},
	"internal/bench":       {},
	"internal/leaktest":    {"client", "relay", "exit", "shape", "service", "internal/network", "internal/relayurl"},
	"internal/routesim":    {"route", "service"},
	"internal/crowd":       {"service"},
	"internal/layers":      {},
}

// mustNotLink is the trust boundary: packages that a role must not contain, however indirectly.
var mustNotLink = map[string][]string{
	"relay":  {"ohttp", "bhttp", "shape", "dialect", "scrub", "client", "exit", "route"},
	"exit":   {"client", "relay", "route", "scrub"},
	"client": {"exit", "relay"},
}

// outside lists what packages may import from outside the standard library; the protocols little, since
// they are read by people who check them.
var outside = map[string][]string{
	"bhttp":   {},
	"ohttp":   {"golang.org/x/crypto"},
	"service": {},
	"dialect": {},
	"route":   {},
	"scrub":   {},
	"shape":   {},

	"dialect/conversation": {}, "dialect/wire": {}, "dialect/openaiapi": {}, "dialect/translate": {}, "dialect/openai": {},
	"dialect/responses": {}, "dialect/claude": {}, "dialect/gemini": {}, "dialect/ollama": {},
}

// sockets are standard packages that protocols, which turn bytes into bytes, have no use for.
var sockets = []string{"net/http", "log", "os", "os/exec"}

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Standard   bool
}

// list asks the go command about the packages that patterns match.
func list(t *testing.T, patterns ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Deps,Standard"}, patterns...)...)
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportsGoDownwards(t *testing.T) {
	seen := make(map[string]bool)
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module)
		seen[name] = true
		allowed, ok := mayImport[name]
		if !ok {
			t.Errorf("package %s has no row in the table of layers", name)
			continue
		}
		for _, imported := range p.Imports {
			own, ours := strings.CutPrefix(imported, module)
			if ours && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s, which its row does not allow", name, own)
			}
		}
	}
	for name := range mayImport {
		if !seen[name] {
			t.Errorf("the table of layers has a row for %s, which does not exist", name)
		}
	}
}

func TestTrustBoundary(t *testing.T) {
	for role, forbidden := range mustNotLink {
		for _, p := range list(t, "./"+role) {
			for _, dep := range p.Deps {
				if own, ours := strings.CutPrefix(dep, module); ours && slices.Contains(forbidden, own) {
					t.Errorf("%s links %s", role, own)
				}
			}
			if len(p.Deps) == 0 {
				t.Errorf("go list says that %s depends on nothing: this test proves nothing", role)
			}
		}
	}
}

func TestProtocolsAreSelfContained(t *testing.T) {
	for name, allowed := range outside {
		for _, p := range list(t, "./"+name) {
			for _, imported := range p.Imports {
				foreign := strings.Contains(imported, ".") && !strings.HasPrefix(imported, module)
				known := func(prefix string) bool { return imported == prefix || strings.HasPrefix(imported, prefix+"/") }
				if foreign && !slices.ContainsFunc(allowed, known) {
					t.Errorf("%s imports %s", name, imported)
				}
			}
		}
	}
	for _, name := range []string{"bhttp", "ohttp", "service"} {
		for _, p := range list(t, "./"+name) {
			for _, imported := range p.Imports {
				if slices.Contains(sockets, imported) {
					t.Errorf("%s imports %s: protocols turn bytes into bytes", name, imported)
				}
			}
		}
	}
}
