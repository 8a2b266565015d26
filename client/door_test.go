// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/secret"
	"github.com/tokengo/tokengo/service"
)

const (
	testToken = "tok-0123456789"
	testPage  = "https://chat.example"
)

// request makes one as a server gets it, with "Name: value" fields; Host is a field as others are.
func incoming(method, target string, fields ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader("{}"))
	r.Host = "127.0.0.1:8080"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		switch name {
		case "Host":
			r.Host = value
		case "Content-Type":
			r.Header.Set(name, value)
		default:
			r.Header.Add(name, value)
		}
	}
	return r
}

func TestDoor(t *testing.T) {
	open := door{local: true}
	listed := door{local: true, origins: []string{testPage}}
	token := door{local: true, token: secret.New(testToken)}
	remote := door{token: secret.New(testToken)}
	const chat = "/v1/chat/completions"
	tests := []struct {
		name string
		door door
		r    *http.Request
		want dialect.Code // "" comes in
	}{
		{"a tool", open, incoming("POST", chat), ""},
		{"localhost", open, incoming("POST", chat, "Host: localhost:8080"), ""},
		{"LOCALHOST without port", open, incoming("POST", chat, "Host: LOCALHOST"), ""},
		{"another loopback address", open, incoming("POST", chat, "Host: 127.8.0.1:1"), ""},
		{"IPv6", open, incoming("POST", chat, "Host: [::1]:8080"), ""},
		{"IPv6 without port", open, incoming("POST", chat, "Host: [::1]"), ""},
		{"no host", open, incoming("POST", chat, "Host: "), dialect.CodeForbidden},
		{"rebinding", open, incoming("POST", chat, "Host: evil.example:8080"), dialect.CodeForbidden},
		{"name below localhost", open, incoming("POST", chat, "Host: evil.localhost:8080"), dialect.CodeForbidden},
		{"localhost with a dot", open, incoming("POST", chat, "Host: localhost.:8080"), dialect.CodeForbidden},
		{"address in a name", open, incoming("POST", chat, "Host: 127.0.0.1.evil.example"), dialect.CodeForbidden},
		{"every address", open, incoming("POST", chat, "Host: 0.0.0.0:8080"), dialect.CodeForbidden},
		{"address of the network", open, incoming("POST", chat, "Host: 192.168.1.2:8080"), dialect.CodeForbidden},
		{"port that is none", open, incoming("POST", chat, "Host: 127.0.0.1:x@evil.example"), dialect.CodeForbidden},
		{"bracket left open", open, incoming("POST", chat, "Host: [::1"), dialect.CodeForbidden},
		{"zone", open, incoming("POST", chat, "Host: [::1%25lo]:80"), dialect.CodeForbidden},
		{"decimal address", open, incoming("POST", chat, "Host: 2130706433"), dialect.CodeForbidden},

		{"a page", open, incoming("POST", chat, "Origin: https://evil.example"), dialect.CodeForbidden},
		{"a sandboxed page", open, incoming("POST", chat, "Origin: null"), dialect.CodeForbidden},
		{"an empty origin", open, incoming("POST", chat, "Origin: "), dialect.CodeForbidden},
		{"a page on this machine", open, incoming("POST", chat, "Origin: http://localhost:3000"), dialect.CodeForbidden},
		{"a listed page", listed, incoming("POST", chat, "Origin: "+testPage, "Sec-Fetch-Site: cross-site"), ""},
		{"another port of it", listed, incoming("POST", chat, "Origin: "+testPage+":8443"), dialect.CodeForbidden},
		{"it twice", listed, incoming("POST", chat, "Origin: "+testPage, "Origin: https://evil.example"), dialect.CodeForbidden},
		{"a listed page by another name", listed, incoming("POST", chat, "Origin: "+testPage, "Host: evil.example"), dialect.CodeForbidden},
		{"a picture in a page", open, incoming("GET", "/v1/models", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"), dialect.CodeForbidden},
		{"a page of another port", open, incoming("GET", "/v1/models", "Sec-Fetch-Site: same-site"), dialect.CodeForbidden},
		{"typed by the user", open, incoming("GET", "/v1/models", "Sec-Fetch-Site: none"), ""},
		{"Node.js", open, incoming("POST", chat, "Sec-Fetch-Mode: cors"), ""},

		{"a form", open, incoming("POST", chat, "Content-Type: application/x-www-form-urlencoded"), dialect.CodeMediaType},
		{"text", open, incoming("POST", chat, "Content-Type: text/plain"), dialect.CodeMediaType},
		{"text that mentions JSON", open, incoming("POST", chat, "Content-Type: text/plain; application/json"), dialect.CodeMediaType},
		{"JSON with charset", open, incoming("POST", chat, "Content-Type: application/json; charset=utf-8"), ""},
		{"no type", open, incoming("POST", chat, "Content-Type: "), dialect.CodeMediaType},

		{"no token", token, incoming("POST", chat), dialect.CodeUnauthorized},
		{"wrong token", token, incoming("POST", chat, "Authorization: Bearer "+testToken+"x"), dialect.CodeUnauthorized},
		{"half a token", token, incoming("POST", chat, "Authorization: Bearer "+testToken[:8]), dialect.CodeUnauthorized},
		{"not a bearer", token, incoming("POST", chat, "Authorization: Basic "+testToken), dialect.CodeUnauthorized},
		{"OpenAI's way", token, incoming("POST", chat, "Authorization: Bearer "+testToken), ""},
		{"Claude's way", token, incoming("POST", "/v1/messages", "X-Api-Key: "+testToken), ""},
		{"Gemini's way", token, incoming("POST", chat, "X-Goog-Api-Key: "+testToken), ""},
		{"Gemini's other way", token, incoming("POST", chat+"?key="+testToken), ""},
		{"a probe", token, incoming("HEAD", "/"), ""},
		{"a list", token, incoming("GET", "/v1/models"), dialect.CodeUnauthorized},

		{"remote by any name", remote, incoming("POST", chat, "Host: box.example", "Authorization: Bearer "+testToken), ""},
		{"remote without token", remote, incoming("POST", chat, "Host: box.example"), dialect.CodeUnauthorized},
		{"remote page", remote, incoming("POST", chat, "Origin: https://evil.example", "Authorization: Bearer "+testToken), dialect.CodeForbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got dialect.Code
			if fail := tt.door.check(tt.r); fail != nil {
				got = fail.Code
			}
			if got != tt.want {
				t.Errorf("check: %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCORS(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	c := start(t, Config{Origins: []string{testPage}}, newTestRelay(t, exit))
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type,authorization"}
	cors := func(h http.Header) http.Header {
		only := http.Header{}
		for name, values := range h {
			if strings.HasPrefix(name, "Access-Control-") {
				only[name] = values
			}
		}
		return only
	}
	listed := http.Header{"Access-Control-Allow-Origin": {testPage}}
	tests := []struct {
		name, method, path string
		fields             []string
		status             int
		want               http.Header
	}{
		{"listed, asks first", "OPTIONS", "/v1/chat/completions", append(preflight, "Origin", testPage), 204, http.Header{
			"Access-Control-Allow-Origin": {testPage}, "Access-Control-Allow-Methods": {"GET, HEAD, POST"},
			"Access-Control-Allow-Headers": {"content-type,authorization"}, "Access-Control-Max-Age": {"600"},
		}},
		{"listed", "POST", "/v1/chat/completions", []string{"Origin", testPage}, 200, listed},
		{"listed, an error", "POST", "/nowhere", []string{"Origin", testPage}, 404, listed},
		{"another asks first", "OPTIONS", "/v1/chat/completions", append(preflight, "Origin", "https://evil.example"), 403, http.Header{}},
		{"another", "POST", "/v1/chat/completions", []string{"Origin", "https://evil.example"}, 403, http.Header{}},
		{"no page", "POST", "/v1/chat/completions", nil, 200, http.Header{}},
		{"no page asks first", "OPTIONS", "/v1/chat/completions", preflight, 405, http.Header{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := c.do(tt.method, tt.path, chatBody, tt.fields...)
			if resp.StatusCode != tt.status {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.status)
			}
			if diff := cmp.Diff(tt.want, cors(resp.Header)); diff != "" {
				t.Errorf("CORS fields (-want +got):\n%s", diff)
			}
		})
	}
	if n := exit.requests.Load(); n != 2 {
		t.Errorf("%d requests reached the exit, want the 2 that may", n)
	}
}

func TestManagementNeedsToken(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	c := start(t, Config{ManagementToken: secret.New(testToken)}, newTestRelay(t, exit))
	auth := []string{"Authorization", "Bearer " + testToken}
	for _, tt := range []struct {
		name, path string
		fields     []string
		want       int
	}{
		{"without", "/tokengo/status", nil, 401},
		{"wrong", "/tokengo/status", []string{"Authorization", "Bearer x"}, 401},
		{"by a page", "/tokengo/status", append(auth, "Origin", testPage), 403},
		{"right", "/tokengo/status", auth, 200},
		{"unknown path", "/tokengo/nothing", auth, 404},
		{"tools need none", "/v1/models", nil, 200},
	} {
		if got := c.do("GET", tt.path, "", tt.fields...).StatusCode; got != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, got, tt.want)
		}
	}
	var status Status
	if err := json.Unmarshal([]byte(read(t, c.do("GET", "/tokengo/status", "", auth...))), &status); err != nil {
		t.Fatal(err)
	}
	if len(status.Relays) != 1 || status.Exits != 1 || status.Relays[0].Exits != 1 {
		t.Errorf("status %+v, want one relay with one exit", status)
	}
	closed := start(t, Config{}, newTestRelay(t, exit))
	if got := closed.do("GET", "/tokengo/status", "", "Authorization", "Bearer ").StatusCode; got != 401 {
		t.Errorf("without any token to show: status %d, want 401", got)
	}
}

// HTTP/1.0 without Host, and absolute forms, come as they are.
func TestRawHost(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	c := start(t, Config{}, newTestRelay(t, exit))
	for request, want := range map[string]int{
		"GET /v1/models HTTP/1.0\r\n\r\n":                                                                                                    403,
		"GET /v1/models HTTP/1.1\r\nHost:\r\n\r\n":                                                                                           403,
		"GET http://evil.example/v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n":                                                              403,
		"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n":                                                           400,
		"GET /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n": 403,
		"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n":                                                                                 200,
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, request)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%q: %v", request, err)
		}
		if resp.StatusCode != want {
			t.Errorf("%q: status %d, want %d", request, resp.StatusCode, want)
		}
		conn.Close()
	}
}

func TestListenUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sock")
	ln, err := Listen(t.Context(), "unix:"+path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket has mode %v, %v, want 0600", info.Mode(), err)
	}
	if _, err := Listen(t.Context(), "unix:"+path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second one: %v, want EADDRINUSE", err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close: %v, want no socket", err)
	}
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	if ln, err = Listen(t.Context(), "unix:"+path); err != nil {
		t.Errorf("over a socket that nobody serves: %v", err)
	} else {
		ln.Close()
	}
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), "unix:"+file); err == nil {
		t.Error("a file was taken for a socket")
	}
	if kept, _ := os.ReadFile(file); string(kept) != "mine" {
		t.Error("a file was replaced by a socket")
	}
}

func TestServeUnix(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
	relay := newTestRelay(t, exit)
	path := filepath.Join(t.TempDir(), "c.sock")
	ln, err := Listen(t.Context(), "unix:"+path)
	if err != nil {
		t.Fatal(err)
	}
	startOn(t, ln, Config{Listen: "unix:" + path}, relay)
	tool := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	defer tool.CloseIdleConnections()
	resp, err := tool.Post("http://tokengo/v1/chat/completions", "application/json", strings.NewReader(chatBody))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 {
		t.Errorf("over a socket: status %d, %v", resp.StatusCode, err)
	}
}
