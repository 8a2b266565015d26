// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp

import (
	"fmt"
	"strings"
)

// invalid returns an ErrInvalid that says what was wrong. What must not quote the message.
func invalid(what string) error {
	return fmt.Errorf("%w: %s", ErrInvalid, what)
}

// check reports control data that breaks the rules of RFC 9113 section 8.3.1, to which RFC 9292
// section 3.4 refers.
func (r *Request) check() error {
	if !isToken(r.Method) {
		return invalid("method is not a token")
	}
	if !onlyBytes(r.Authority, isAuthorityByte) {
		return invalid("authority has a byte that no host and port have")
	}
	if !onlyBytes(r.Path, isPathByte) {
		return invalid("path has a byte that no path and query have")
	}
	if r.Method == "CONNECT" {
		return r.checkConnect()
	}
	if !isScheme(r.Scheme) {
		return invalid("scheme is not one")
	}
	return r.checkPath()
}

func (r *Request) checkConnect() error {
	if r.Scheme != "" || r.Path != "" {
		return invalid("CONNECT with a scheme or a path")
	}
	if r.Authority == "" {
		return invalid("CONNECT without an authority")
	}
	return nil
}

func (r *Request) checkPath() error {
	switch {
	case !strings.EqualFold(r.Scheme, "http") && !strings.EqualFold(r.Scheme, "https"):
		return nil // what a path looks like is up to the scheme
	case strings.HasPrefix(r.Path, "/"), r.Path == "*" && r.Method == "OPTIONS":
		return nil
	default:
		return invalid("path does not begin with a slash")
	}
}

// check reports the first line that RFC 9292 section 3.6 forbids.
func (f Fields) check() error {
	for i := range f {
		if what := f[i].fault(); what != "" {
			return fmt.Errorf("field line %d: %w", i+1, invalid(what))
		}
	}
	return nil
}

// fault says what is wrong with a line, "" for nothing.
func (f *Field) fault() string {
	switch {
	case f.Name == "":
		return "name is empty"
	case f.Name[0] == ':':
		return "name is that of a pseudo-field"
	case !isToken(f.Name):
		return "name is not a token"
	case strings.ContainsFunc(f.Name, isUpper):
		return "name has an upper-case letter"
	case strings.ContainsAny(f.Value, "\x00\r\n"):
		return "value has a CR, LF or NUL"
	case strings.Trim(f.Value, " \t") != f.Value:
		return "value begins or ends with white space"
	default:
		return ""
	}
}

// isConnection reports whether a field is about the connection it is sent on (RFC 9110 section 7.6.1).
func isConnection(name string) bool {
	switch name {
	case "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade":
		return true
	default:
		return false
	}
}

// kept returns f without the fields about a connection, those that a connection field names
// included. It is f itself when there are none.
func (f Fields) kept() Fields {
	options := f.connectionOptions()
	var out Fields
	for i := range f {
		drop := isConnection(f[i].Name) || options[f[i].Name]
		switch {
		case drop && out == nil:
			out = append(make(Fields, 0, len(f)), f[:i]...)
		case !drop && out != nil:
			out = append(out, f[i])
		}
	}
	if out == nil {
		return f
	}
	return out
}

// connectionOptions returns the names in the connection fields of f, lower case; nil when there are none.
func (f Fields) connectionOptions() map[string]bool {
	var options map[string]bool
	for i := range f {
		if f[i].Name != "connection" {
			continue
		}
		for option := range strings.SplitSeq(f[i].Value, ",") {
			if options == nil {
				options = make(map[string]bool)
			}
			options[strings.ToLower(strings.Trim(option, " \t"))] = true
		}
	}
	return options
}

func onlyBytes(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

// isToken is token of RFC 9110 section 5.6.2.
func isToken(s string) bool { return s != "" && onlyBytes(s, isTokenByte) }

// isScheme is scheme of RFC 3986 section 3.1.
func isScheme(s string) bool { return s != "" && isLetter(s[0]) && onlyBytes(s, isSchemeByte) }

func isUpper(r rune) bool { return 'A' <= r && r <= 'Z' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isAlphanumeric(c byte) bool { return isLetter(c) || '0' <= c && c <= '9' }

func isTokenByte(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isSchemeByte(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("+-.", c) >= 0 }

// isAuthorityByte allows host and port of RFC 3986 section 3.2, but not the @ of user information.
func isAuthorityByte(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("-._~%!$&'()*+,;=:[]", c) >= 0
}

// isPathByte allows what is visible in ASCII, except for the # of a fragment.
func isPathByte(c byte) bool { return '!' <= c && c <= '~' && c != '#' }
