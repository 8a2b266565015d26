// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/secret"
)

// door decides who may come in from the user's own machine. A port on localhost is open to every web page
// that the user's browser shows: it can send requests there, and by a name of its own that resolves to
// 127.0.0.1 it can read the answers (DNS rebinding). What a page cannot do is choose the fields Host and
// Origin, leave Origin out where it matters, or send JSON to another origin without asking first.
//
//   - Host must be a loopback address or localhost, spelled so, unless the listener is one that browsers
//     cannot reach by such names: a unix socket, or a remote one, where the token decides.
//   - Origin must be absent or on the list. Sec-Fetch-Site must not say that another site asks;
//     Sec-Fetch-Mode alone says nothing, because Node.js sends it.
//   - What is posted must be JSON, which a form cannot send.
//   - Where there is a token it must be shown, in any of the ways in which tools show their keys.
//
// Fields for CORS are sent to listed origins only.
type door struct {
	local      bool // browsers reach the listener by loopback names, and nobody else reaches it
	token      secret.Secret
	management secret.Secret
	origins    []string
}

// check says why a request must not come in, or nil.
func (d *door) check(r *http.Request) *dialect.Error {
	switch {
	case d.local && !isLoopback(r.Host):
		return forbidden("The client answers to 127.0.0.1, [::1] and localhost only, not to another host name. Use the address that the client prints.")
	case !d.fromHere(r):
		return forbidden("A web page asked, and its origin is not among those that the client is told to allow. See --origin.")
	case !d.token.IsZero() && !shows(r, d.token) && !isProbe(r):
		return unauthorized()
	case r.Method == http.MethodPost && !isJSON(r.Header):
		return &dialect.Error{
			Code:    dialect.CodeMediaType,
			Message: "Requests are JSON and must say so: send the header field content-type: application/json.",
		}
	}
	return nil
}

// checkManagement says why a request for what is not a tool's business must not come in, or nil.
func (d *door) checkManagement(r *http.Request) *dialect.Error {
	switch fail := d.checkVisitor(r); {
	case fail != nil:
		return fail
	case !shows(r, d.management) && !shows(r, d.token):
		return unauthorized()
	}
	return nil
}

// checkVisitor is checkManagement without the token.
func (d *door) checkVisitor(r *http.Request) *dialect.Error {
	if d.local && !isLoopback(r.Host) || r.Header["Origin"] != nil || !siteIsOwn(r) {
		return forbidden("The management paths answer on this machine only, and not to web pages.")
	}
	return nil
}

// allowOrigin answers what a browser needs to know of CORS, when the origin is a listed one. It reports
// whether that was all the request asked for.
func (d *door) allowOrigin(w http.ResponseWriter, r *http.Request) (preflight bool) {
	origin := r.Header.Get("Origin")
	if origin == "" || !d.fromHere(r) || d.local && !isLoopback(r.Host) {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Vary", "Origin")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// fromHere reports whether no web page asked, or a listed one.
func (d *door) fromHere(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	switch len(origins) {
	case 0:
		return siteIsOwn(r)
	case 1:
		return slices.Contains(d.origins, origins[0])
	default:
		return false
	}
}

// siteIsOwn looks at what browsers say of a page that asks without an Origin, to show a picture for instance.
func siteIsOwn(r *http.Request) bool {
	site := r.Header.Values("Sec-Fetch-Site")
	return len(site) == 0 || len(site) == 1 && (site[0] == "none" || site[0] == "same-origin")
}

// isProbe reports whether a request asks only whether anybody is there.
func isProbe(r *http.Request) bool {
	return r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// isLoopback reports whether a Host field names this machine to itself, with or without a port.
func isLoopback(hostport string) bool {
	host := hostport
	if h, port, err := net.SplitHostPort(hostport); err == nil {
		if strings.Trim(port, "0123456789") != "" || port == "" {
			return false
		}
		host = h
	} else if inner, ok := strings.CutPrefix(hostport, "["); ok {
		if host, ok = strings.CutSuffix(inner, "]"); !ok {
			return false
		}
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Zone() == "" && addr.Unmap().IsLoopback()
}

func isJSON(h http.Header) bool {
	values := h.Values("Content-Type")
	if len(values) != 1 {
		return false
	}
	media, _, err := mime.ParseMediaType(values[0])
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// shows reports whether a request carries the token, where any of the protocols has its key.
func shows(r *http.Request, token secret.Secret) bool {
	if scheme, value, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") && token.Is(value) {
		return true
	}
	return token.Is(r.Header.Get("X-Api-Key")) || token.Is(r.Header.Get("X-Goog-Api-Key")) || token.Is(r.URL.Query().Get("key"))
}

func forbidden(message string) *dialect.Error {
	return &dialect.Error{Code: dialect.CodeForbidden, Message: message}
}

func unauthorized() *dialect.Error { return &dialect.Error{Code: dialect.CodeUnauthorized} }

// checkOrigins refuses what no browser sends, and what every page can be.
func checkOrigins(origins []string) error {
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || origin != u.Scheme+"://"+u.Host || origin != strings.ToLower(origin) {
			return fmt.Errorf("origin %q: want scheme://host or scheme://host:port, in lower case, as browsers send it", origin)
		}
	}
	return nil
}
