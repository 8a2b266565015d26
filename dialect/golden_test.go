// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares text with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it):\n%s", file, diff)
	}
}

// codes returns every code, in order.
func codes() []Code { return slices.Sorted(maps.Keys(meanings)) }

func writeFields(b *strings.Builder, h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if name != "Content-Type" {
			fmt.Fprintf(b, "  %s: %s\n", strings.ToLower(name), h.Get(name))
		}
	}
}

func TestErrorTable(t *testing.T) {
	var b strings.Builder
	for _, code := range codes() {
		fmt.Fprintf(&b, "-- %s --\n  %s\n", code, code.Message())
		for _, p := range service.Protocols() {
			_, _, full := (&Error{Code: code}).Response(Operation{Protocol: p})
			if !bytes.Contains(full, encode(code.Message())) {
				t.Errorf("%s of %s has not its default message: %s", p, code, full)
			}
			status, fields, body := (&Error{Code: code, Message: "…"}).Response(Operation{Protocol: p})
			if got := fields.Get("Content-Type"); got != "application/json" || !json.Valid(body) {
				t.Errorf("%s of %s: %q %q", p, code, got, body)
			}
			fmt.Fprintf(&b, "%s %d %s\n", p, status, body)
			if p == service.OpenAI {
				writeFields(&b, fields)
			}
		}
	}
	golden(t, "errors.golden", b.String())
}

func TestEveryCodeIsInTheTable(t *testing.T) {
	source, err := os.ReadFile("code.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := bytes.Count(source, []byte(" Code = \""))
	if declared != len(meanings) {
		t.Errorf("%d codes are declared and %d are in the table", declared, len(meanings))
	}
	for _, code := range codes() {
		m := meanings[code]
		if m.status < 400 || m.openAI == "" || m.claude == "" || m.gemini == "" || len(m.message) < 20 {
			t.Errorf("%s: incomplete row %+v", code, m)
		}
	}
	if got, want := Code("from elsewhere").Message(), CodeInternal.Message(); got != want {
		t.Errorf("message of a code from elsewhere is %q, want %q", got, want)
	}
}

func TestErrorOverrides(t *testing.T) {
	op := Operation{Protocol: service.Gemini}
	tests := []struct {
		name       string
		err        Error
		status     int
		retryAfter string
		body       string
	}{
		{
			"all",
			Error{Code: CodeBackendError, Message: "ours", Status: 502, RetryAfter: "7"},
			502, "7",
			`{"error":{"code":502,"message":"ours","status":"INTERNAL","details":[` +
				`{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"BACKEND_ERROR","domain":"tokengo"},` +
				`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}}`,
		},
		{
			"no error status, no seconds",
			Error{Code: CodeBackendError, Message: "<&>\n", Status: 200, RetryAfter: "7\r\nx: y"},
			500, "",
			`{"error":{"code":500,"message":"<&>\n","status":"INTERNAL","details":[` +
				`{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"BACKEND_ERROR","domain":"tokengo"}]}}`,
		},
		{
			"too many digits",
			Error{Code: CodeBackendError, Message: "m", RetryAfter: "1234567"},
			500, "",
			`{"error":{"code":500,"message":"m","status":"INTERNAL","details":[` +
				`{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"BACKEND_ERROR","domain":"tokengo"}]}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, fields, body := tt.err.Response(op)
			if status != tt.status || fields.Get("Retry-After") != tt.retryAfter {
				t.Errorf("status %d, retry-after %q; want %d, %q", status, fields.Get("Retry-After"), tt.status, tt.retryAfter)
			}
			if diff := cmp.Diff(tt.body, string(body)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
	if got, want := (&Error{Code: CodeNoExit, Message: "none"}).Error(), "no_exit: none"; got != want {
		t.Errorf("error text %q, want %q", got, want)
	}
}

func TestStreamEvents(t *testing.T) {
	cut := &Error{Code: CodeBackendCut, Message: "Cut."}
	limited := &Error{Code: CodeExitBusy, Message: "Busy."}
	tests := []struct {
		name, contentType string
		err               *Error
		op                Operation
	}{
		{"openai chat", "text/event-stream", cut, Operation{Protocol: service.OpenAI, Kind: Chat}},
		{"openai responses", "text/event-stream; charset=utf-8", cut, Operation{Protocol: service.OpenAI, Kind: Responses}},
		{"openai responses, rate limited", "text/event-stream", limited, Operation{Protocol: service.OpenAI, Kind: Responses}},
		{"claude", "Text/Event-Stream;charset=UTF-8", cut, Operation{Protocol: service.Claude, Kind: Chat}},
		{"gemini", "text/event-stream", cut, Operation{Protocol: service.Gemini, Kind: Chat, Stream: true}},
		{"ollama", "application/x-ndjson", cut, Operation{Protocol: service.Ollama, Kind: Chat}},
	}
	var b strings.Builder
	for _, tt := range tests {
		anywhere, between := tt.err.StreamEvent(tt.op, tt.contentType), tt.err.StreamEventAfter(tt.op, tt.contentType, nil)
		fmt.Fprintf(&b, "-- %s --\n%s\n", tt.name, between)
		ending, ok := bytes.CutSuffix(anywhere, between)
		if !ok || len(ending) == 0 || ending[0] != '\n' {
			t.Errorf("%s: anywhere %q, between %q", tt.name, anywhere, between)
		}
		fmt.Fprintf(&b, "(to end a cut item first: %q)\n", ending)
	}
	golden(t, "streams.golden", b.String())
	for _, contentType := range []string{"", "application/json", "text/plain", "text/event-streamer"} {
		if got := cut.StreamEvent(Operation{Protocol: service.Gemini, Stream: true}, contentType); got != nil {
			t.Errorf("%q: got %q, want nil", contentType, got)
		}
		if got := cut.StreamEventAfter(Operation{}, contentType, []byte("}")); got != nil {
			t.Errorf("%q: got %q, want nil", contentType, got)
		}
	}
}

func TestStreamEventAfter(t *testing.T) {
	tests := []struct {
		contentType, tail string
		between           bool
	}{
		{"text/event-stream", "}\n\n", true},
		{"text/event-stream", "\r\n\r\n", true},
		{"text/event-stream", "\r\r", true},
		{"text/event-stream", "\n", false},
		{"text/event-stream", "data", false},
		{"application/x-ndjson", "}\n", true},
		{"application/x-ndjson", "{", false},
	}
	e := &Error{Code: CodeStreamCut}
	for _, p := range service.Protocols() {
		op := Operation{Protocol: p, Kind: Chat}
		for _, tt := range tests {
			want := e.StreamEvent(op, tt.contentType)
			if tt.between {
				want = e.StreamEventAfter(op, tt.contentType, nil)
			}
			if got := e.StreamEventAfter(op, tt.contentType, []byte(tt.tail)); !bytes.Equal(got, want) {
				t.Errorf("%s after %q: got %q, want %q", p, tt.tail, got, want)
			}
		}
	}
}

// TestEventsStayOnTheirLine: no message can add fields or events to a stream.
func TestEventsStayOnTheirLine(t *testing.T) {
	quiet, loud := &Error{Code: CodeInternal, Message: "a"}, &Error{Code: CodeInternal, Message: "a\n\ndata: b\r\nevent: c\u2028\xff"}
	for _, p := range service.Protocols() {
		for _, kind := range []Kind{Chat, Responses} {
			for _, contentType := range []string{"text/event-stream", "application/x-ndjson"} {
				op := Operation{Protocol: p, Kind: kind}
				a, b := quiet.StreamEvent(op, contentType), loud.StreamEvent(op, contentType)
				if bytes.Count(a, []byte("\n")) != bytes.Count(b, []byte("\n")) || bytes.ContainsRune(b, '\r') {
					t.Errorf("%s, %s: %q", p, contentType, b)
				}
			}
		}
	}
}

func TestLists(t *testing.T) {
	models := []ListedModel{
		{
			ID: "big-1", Protocols: service.Protocols(), Owner: "Some\x1b[31m Operator", Created: time.Date(2026, 2, 3, 4, 5, 6, 7, time.FixedZone("", 3600)),
			MaxCtx: 200000, MaxOutput: 64000, Features: []string{"tools", "reasoning"},
		},
		{ID: "meta/embed <1>:8b", Offered: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Features: []string{"embedding"}},
		{ID: "of-no-time"},
	}
	tests := []Operation{
		{Protocol: service.OpenAI, Path: "/v1/models"},
		{Protocol: service.Claude, Path: "/v1/models"},
		{Protocol: service.Gemini, Path: "/v1beta/models"},
		{Protocol: service.Ollama, Path: "/api/tags"},
	}
	var b strings.Builder
	for _, op := range tests {
		fmt.Fprintf(&b, "-- %s %s --\n", op.Protocol, op.Path)
		fmt.Fprintf(&b, "models:     %s\n", op.ModelsBody(models))
		fmt.Fprintf(&b, "no models:  %s\n", op.ModelsBody(nil))
		fmt.Fprintf(&b, "one model:  %s\n", op.ModelBody(models[0]))
	}
	fmt.Fprintf(&b, "-- ollama /api/version --\n%s\n", VersionBody())
	golden(t, "lists.golden", b.String())
}

func TestFields(t *testing.T) {
	want := map[service.Protocol][]string{
		service.OpenAI: {"content-type", "accept", "openai-beta"},
		service.Claude: {"content-type", "accept", "anthropic-version", "anthropic-beta"},
		service.Gemini: {"content-type", "accept"},
		service.Ollama: {"content-type", "accept"},
	}
	for _, p := range service.Protocols() {
		got := RequestFields(p)
		if diff := cmp.Diff(want[p], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p, diff)
		}
		got[0] = "authorization"
		if RequestFields(p)[0] != "content-type" {
			t.Errorf("%s: the list can be changed from outside", p)
		}
	}
	if diff := cmp.Diff([]string{"content-type", "cache-control", "retry-after", "retry-after-ms", "x-should-retry", FieldDropped}, ResponseFields()); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
}
