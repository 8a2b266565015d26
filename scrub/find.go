// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"bytes"
	"strconv"
)

// Kind is a kind of text that identifies somebody or gives access to something.
type Kind string

// The kinds that [Find] knows.
const (
	KindHome       Kind = "home directory"
	KindEmail      Kind = "e-mail address"
	KindPrivateKey Kind = "private key"
	KindAPIKey     Kind = "API key"
	KindToken      Kind = "access token"
	KindJWT        Kind = "JSON web token"
)

// Secret reports whether whoever reads a text of this kind can use it. The other kinds only identify.
func (k Kind) Secret() bool { return k != KindHome && k != KindEmail }

// Finding is one text of a known form in a request. It holds no part of the text.
type Finding struct {
	Kind Kind `json:"kind"`
	// Where is the place in the body, such as "messages[3]".
	Where string `json:"where"`
}

// form is how texts of one kind look: what they begin with or have in them, and a check of what is around that.
type form struct {
	kind   Kind
	anchor string
	is     func(text []byte, at, end int) bool // the anchor is text[at:end]
}

// forms are looked for in the JSON text as it is written. Those of one kind stand together.
var forms = []form{
	{KindPrivateKey, "PRIVATE KEY-----", func(t []byte, at, _ int) bool {
		return bytes.Contains(t[max(0, at-40):at], []byte("-----BEGIN "))
	}},
	{KindAPIKey, "sk-", run(20, tokenByte)},     // OpenAI, Anthropic, OpenRouter, DeepSeek
	{KindAPIKey, "AIza", run(35, tokenByte)},    // Google
	{KindAPIKey, "AKIA", run(16, upperOrDigit)}, // AWS access key ids
	{KindAPIKey, "ASIA", run(16, upperOrDigit)},
	{KindAPIKey, "gsk_", run(20, tokenByte)},     // Groq
	{KindAPIKey, "hf_", run(30, tokenByte)},      // Hugging Face
	{KindAPIKey, "sk_live_", run(16, tokenByte)}, // Stripe
	{KindToken, "ghp_", run(36, tokenByte)},      // GitHub
	{KindToken, "gho_", run(36, tokenByte)},
	{KindToken, "ghu_", run(36, tokenByte)},
	{KindToken, "ghs_", run(36, tokenByte)},
	{KindToken, "ghr_", run(36, tokenByte)},
	{KindToken, "github_pat_", run(22, tokenByte)},
	{KindToken, "glpat-", run(20, tokenByte)}, // GitLab
	{KindToken, "npm_", run(36, tokenByte)},
	{KindToken, "xoxb-", run(10, tokenByte)}, // Slack
	{KindToken, "xoxp-", run(10, tokenByte)},
	{KindToken, "xoxa-", run(10, tokenByte)},
	{KindToken, "xoxs-", run(10, tokenByte)},
	{KindToken, "xapp-", run(10, tokenByte)},
	{KindJWT, "eyJ", isJWT},
	{KindEmail, "@", isEmail},
	{KindHome, "/home/", isHome},
	{KindHome, "/Users/", isHome},
	{KindHome, `\\Users\\`, isHome},
}

// Find returns where a body has texts of known forms, each kind once in each message. The body is JSON.
func Find(body []byte) []Finding {
	var found []Finding
	seen := map[Finding]bool{}
	places := places{body: body}
	for _, f := range forms {
		for from := 0; ; {
			i := bytes.Index(body[from:], []byte(f.anchor))
			if i < 0 {
				break
			}
			at := from + i
			from = at + len(f.anchor)
			if !f.is(body, at, from) {
				continue
			}
			finding, end := Finding{Kind: f.kind}, 0
			finding.Where, end = places.of(at)
			if from = max(from, end); !seen[finding] {
				seen[finding] = true
				found = append(found, finding)
			}
		}
	}
	return found
}

// Kinds returns the kinds of texts that a body has, each once, of those that are wanted.
func Kinds(body []byte, wanted func(Kind) bool) []Kind {
	var kinds []Kind
	for _, f := range forms {
		if n := len(kinds); n > 0 && kinds[n-1] == f.kind || !wanted(f.kind) {
			continue
		}
		for from := 0; ; {
			i := bytes.Index(body[from:], []byte(f.anchor))
			if i < 0 {
				break
			}
			at := from + i
			if from = at + len(f.anchor); f.is(body, at, from) {
				kinds = append(kinds, f.kind)
				break
			}
		}
	}
	return kinds
}

// places finds what part of a body a byte is in. It keeps the parts, for the next byte.
type places struct {
	body  []byte
	parts []part
}

type part struct {
	end  int
	name string
}

// of returns the name of the part and where it ends.
func (p *places) of(at int) (name string, end int) {
	if p.parts == nil {
		p.split()
	}
	for _, part := range p.parts {
		if at < part.end {
			return part.name, part.end
		}
	}
	return "the request", len(p.body)
}

// split cuts the body into the elements of the lists that protocols have, and its other members.
func (p *places) split() {
	c := cursor{data: p.body}
	c.begin()
	c.open()
	p.parts = []part{}
	for first := true; c.more('}', first); first = false {
		name := partName(decode(c.key()))
		if c.peek() != '[' {
			c.skip()
			p.parts = append(p.parts, part{c.pos, name})
			continue
		}
		c.open()
		for i := 0; c.more(']', i == 0); i++ {
			c.skip()
			p.parts = append(p.parts, part{c.pos, name + "[" + strconv.Itoa(i) + "]"})
		}
	}
}

// partNames are the members of bodies that hold text. Others are not named, because tools may call them what they want.
var partNames = map[string]bool{
	"messages": true, "system": true, "tools": true, "input": true, "instructions": true, "prompt": true, "suffix": true,
	"contents": true, "systemInstruction": true, "system_instruction": true, "content": true, "requests": true,
}

func partName(key []byte) string {
	if partNames[string(key)] {
		return string(key)
	}
	return "another field"
}

// run wants at least n bytes of a class behind the anchor, and no letter or digit before it.
func run(n int, class func(byte) bool) func([]byte, int, int) bool {
	return func(t []byte, at, end int) bool {
		return !wordBefore(t, at) && end+n <= len(t) && span(t[end:], class) >= n
	}
}

func span(t []byte, class func(byte) bool) int {
	for i, b := range t {
		if !class(b) {
			return i
		}
	}
	return len(t)
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func alphanumeric(b byte) bool {
	return isDigit(b) || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

func tokenByte(b byte) bool { return alphanumeric(b) || b == '-' || b == '_' }

func upperOrDigit(b byte) bool { return isDigit(b) || 'A' <= b && b <= 'Z' }

// wordBefore reports whether a letter or digit stands before at that is not the end of an escape such as \n.
func wordBefore(t []byte, at int) bool {
	if at == 0 || !alphanumeric(t[at-1]) {
		return false
	}
	return at < 2 || t[at-2] != '\\' || escapes[t[at-1]] == 0
}

// isJWT wants three parts in base64url with dots between them.
func isJWT(t []byte, at, end int) bool {
	if wordBefore(t, at) {
		return false
	}
	for range 2 {
		n := span(t[end:], tokenByte)
		if n < 10 || end+n >= len(t) || t[end+n] != '.' {
			return false
		}
		end += n + 1
	}
	return span(t[end:], tokenByte) >= 10
}

// isEmail wants a name before the @ and a host with a dot behind it.
func isEmail(t []byte, at, end int) bool {
	if at == 0 || !alphanumeric(t[at-1]) {
		return false
	}
	host := t[end : end+span(t[end:], func(b byte) bool { return tokenByte(b) || b == '.' })]
	host = bytes.TrimRight(host, ".")
	dot := bytes.LastIndexByte(host, '.')
	return dot > 0 && len(host)-dot > 2 && !isVersion(host) && !isReserved(host)
}

// isVersion tells "package@1.2.3" from an address.
func isVersion(host []byte) bool { return '0' <= host[0] && host[0] <= '9' }

// isReserved reports whether a host can be nobody's (RFC 2606). Our own placeholders are such.
func isReserved(host []byte) bool {
	for _, suffix := range []string{"example.com", "example.net", "example.org", ".example", ".invalid", ".test", ".localhost"} {
		if bytes.HasSuffix(host, []byte(suffix)) {
			return true
		}
	}
	return false
}

// isHome wants the name of a user behind the directory of all homes. Placeholders ("user417") are no users.
func isHome(t []byte, _, end int) bool {
	name := t[end : end+span(t[end:], func(b byte) bool { return tokenByte(b) || b == '.' })]
	number, isOurs := bytes.CutPrefix(name, []byte("user"))
	return len(name) >= 2 && (!isOurs || len(bytes.Trim(number, "0123456789")) > 0)
}
