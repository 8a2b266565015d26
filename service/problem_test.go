// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProblemRoundTrip(t *testing.T) {
	types := []string{TypeOHTTPKey, TypeDate, TypeExitNotReached, TypeExitLost, TypeUnknownExit, TypeOverloaded}
	for _, typ := range types {
		want := &Problem{Type: typ, Title: "A title", Status: 502, Detail: "what happened"}
		body, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := ParseProblem(ProblemType, body)
		if !ok {
			t.Fatalf("ParseProblem(%s): not a problem", body)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseProblem (-want +got):\n%s", diff)
		}
	}
	if want := "https://github.com/tokengo/tokengo/blob/main/docs/protocol.md#exit-not-reached"; TypeExitNotReached != want {
		t.Errorf("TypeExitNotReached = %s, want %s", TypeExitNotReached, want)
	}
}

func TestParseProblem(t *testing.T) {
	const problem = "application/problem+json"
	tests := []struct {
		name, contentType, body string
		want                    *Problem // nil: not a problem
	}{
		{
			"example of RFC 9458", problem, `{"type":"https://iana.org/assignments/http-problem-types#ohttp-key", "title": "key identifier unknown"}`,
			&Problem{Type: TypeOHTTPKey, Title: "key identifier unknown"},
		},
		{"parameters", problem + "; charset=utf-8", `{"type":"t"}`, &Problem{Type: "t"}},
		{"case of the media type", "Application/Problem+JSON", `{"type":"t"}`, &Problem{Type: "t"}},
		{"no type", problem, `{"status":503}`, &Problem{Type: "about:blank", Status: 503}},
		{"members of the wrong type", problem, `{"type":7,"title":{},"status":"503","detail":["x"]}`, &Problem{Type: "about:blank"}},
		{"null members", problem, `{"type":null,"status":null}`, &Problem{Type: "about:blank"}},
		{"extension members", problem, `{"type":"t","Type":"u","balance":30}`, &Problem{Type: "t"}},
		{"another type", "application/json", `{"type":"t"}`, nil},
		{"no type at all", "", `{"type":"t"}`, nil},
		{"a longer type", problem + "x", `{"type":"t"}`, nil},
		{"empty", problem, ``, nil},
		{"null", problem, `null`, nil},
		{"array", problem, `[]`, nil},
		{"trailing data", problem, `{"type":"t"} x`, nil},
		{"type twice", problem, `{"type":"t","type":"u"}`, nil},
		{"invalid UTF-8", problem, "{\"type\":\"\xff\"}", nil},
		{"too large", problem, `{"type":"t","detail":"` + strings.Repeat("x", maxProblemBytes) + `"}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := ParseProblem(tt.contentType, []byte(tt.body))
			if ok != (tt.want != nil) {
				t.Errorf("ParseProblem reports %v, want %v", ok, tt.want != nil)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("ParseProblem (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParseProblem(f *testing.F) {
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		p, ok := ParseProblem(contentType, body)
		if ok != (p != nil) {
			t.Fatalf("ParseProblem = %v, %v", p, ok)
		}
		if ok && len(body) > maxProblemBytes {
			t.Errorf("%d bytes were accepted", len(body))
		}
	})
}
