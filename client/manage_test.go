// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/internal/secret"
)

func TestManagementPaths(t *testing.T) {
	c, i := inspected(t, Config{ManagementToken: secret.New(testToken)})
	hash := string(i.Show("Cheap")[0].Exit)
	tests := []struct {
		method, path, body string
		status             int
		want               string // in the answer, or in Allow
	}{
		{"GET", "status", "", 200, `"exits":3`},
		{"GET", "stats", "", 200, `[]`},
		{"DELETE", "stats", "", 200, `{}`},
		{"DELETE", "stats?exit=nobody", "", 404, "no exit of this name"},
		{"GET", "exits", "", 200, `"operator":"Dear"`},
		{"POST", "exits", `{"models":["small"]}`, 200, `"operator":"Cheap"`},
		{"GET", "exits/" + hash, "", 200, `"signed":{`},
		{"GET", "exits/" + hash[:6], "", 200, `"pub_key_hash":"` + hash},
		{"GET", "exits/nobody", "", 404, "no exit of this name"},
		{"POST", "why", `{"models":["large"]}`, 200, `"chance":`},
		{"POST", "why", `{}`, 400, "name a model"},
		{"POST", "why", `{"model":"large"}`, 400, "unknown field"},
		{"POST", "why", `{"models":["large"]}{}`, 400, "something follows"},
		{"POST", "why", `{"models":["a"],"provider":{"sort":"beauty"}}`, 400, "sort: want one of"},
		{"POST", "why", `{"models":["` + strings.Repeat("x", maxQueryBytes) + `"]}`, 413, ""},
		{"POST", "find", `{"min_context":-1}`, 400, "negative"},
		{"POST", "find", `{}`, 200, `"offer":{`},
		{"PUT", "status", "", 405, "GET"},
		{"POST", "stats", "", 405, "DELETE, GET"},
		{"GET", "why", "", 405, "POST"},
		{"DELETE", "exits", "", 405, "GET, POST"},
		{"GET", "nothing", "", 404, "no such management path"},
		{"GET", "", "", 404, "no such management path"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			resp := c.do(tt.method, ManagementPrefix+tt.path, tt.body, "Authorization", "Bearer "+testToken)
			body := read(t, resp)
			if tt.status == http.StatusMethodNotAllowed {
				body = resp.Header.Get("Allow")
				if body != tt.want {
					t.Errorf("Allow %q, want %q", body, tt.want)
				}
			}
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("status %d, want %d with %q: %.300s", resp.StatusCode, tt.status, tt.want, body)
			}
			if !json.Valid([]byte(body)) && tt.status != http.StatusMethodNotAllowed {
				t.Errorf("no JSON: %.100s", body)
			}
			for _, none := range []string{"", "Bearer x"} {
				if got := c.do(tt.method, ManagementPrefix+tt.path, tt.body, "Authorization", none).StatusCode; got != 401 {
					t.Errorf("with %q for a token: status %d, want 401", none, got)
				}
			}
		})
	}
}
