// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Identity is what is the user's own and may stand in prompts. Every field may be empty.
type Identity struct {
	// Home is the home directory, as the system writes it.
	Home string
	// User is the name the user has on this machine, Host the machine's.
	User, Host string
	// GitNames, Emails and Remotes are what git knows: user.name, user.email and the URLs of remotes.
	GitNames, Emails, Remotes []string
	// Words are others that the user wants to keep back: names of people, projects, customers.
	Words []string
}

// Pseudonyms are placeholders for what is the user's own. They are the same for every request, unless a prompt has the
// text of one by itself: then others are taken for that request.
//
// Placeholders look like what they stand for ("/home/user417", "mail417@example.invalid"), so that models treat them as
// such, and have a number that hardly any text has. They are the same for every user.
type Pseudonyms struct {
	id      Identity
	skipped []string
	first   *names // with the first number
}

// firstNumber is in placeholders. Ours: a number that examples and documentation do not use for users.
const firstNumber = 417

// maxNumbers is how many numbers are tried for a prompt that has placeholders of its own.
const maxNumbers = 50

// NewPseudonyms prepares placeholders for what an identity has. Values that are shorter than three bytes, or words that
// mean something else in most texts ("root", "ubuntu"), are left alone: see [Pseudonyms.Skipped].
func NewPseudonyms(id Identity) *Pseudonyms {
	p := &Pseudonyms{id: id}
	b := newBuilder(id, firstNumber)
	p.first, p.skipped = b.build(), b.skipped
	return p
}

// Skipped returns the values that are not replaced because they would be found where they mean something else.
func (p *Pseudonyms) Skipped() []string { return slices.Clone(p.skipped) }

// Len returns how many texts are looked for, spellings of one value counted each.
func (p *Pseudonyms) Len() int { return len(p.first.out.pairs) }

// each yields the placeholders with each number that may be tried, in their order.
func (p *Pseudonyms) each(yield func(*names) bool) {
	if !yield(p.first) {
		return
	}
	for number := firstNumber + 1; number < firstNumber+maxNumbers; number++ {
		if !yield(newBuilder(p.id, number).build()) {
			return
		}
	}
}

// names are the placeholders of one request.
type names struct {
	out  *replacer // values become placeholders
	back answers   // and placeholders values
}

// answers put values back: into text, and into JSON that is the text of a string, such as the arguments of a call.
type answers struct{ text, json *replacer }

// common are words that are no identity, or mean too much else to be replaced wherever they stand.
var common = map[string]bool{
	"root": true, "user": true, "users": true, "admin": true, "administrator": true, "home": true, "guest": true, "test": true,
	"ubuntu": true, "debian": true, "fedora": true, "arch": true, "linux": true, "localhost": true, "local": true, "default": true,
	"build": true, "runner": true, "node": true, "docker": true, "git": true, "github": true, "main": true, "master": true,
	"dev": true, "work": true, "workspace": true, "app": true, "data": true, "code": true, "src": true, "vscode": true, "server": true,
}

// forges are hosts of git remotes that say nothing about the user.
var forges = map[string]bool{
	"github.com": true, "gitlab.com": true, "bitbucket.org": true, "codeberg.org": true, "git.sr.ht": true, "gitee.com": true,
	"ssh.dev.azure.com": true, "dev.azure.com": true,
}

// builder collects pairs of values and placeholders.
type builder struct {
	id      Identity
	number  int
	taken   map[string]string // placeholders by value
	used    map[string]string // values by placeholder
	out     []pair
	back    []pair
	skipped []string
}

func newBuilder(id Identity, number int) *builder {
	return &builder{id: id, number: number, taken: map[string]string{}, used: map[string]string{}}
}

// build makes the tables. What comes first wins where two values are the same.
func (b *builder) build() *names {
	b.home()
	b.word(b.id.User, "user#")
	b.word(b.id.Host, "host#")
	for _, email := range b.id.Emails {
		b.word(email, "mail#@example.invalid")
	}
	for _, name := range b.id.GitNames {
		b.word(name, "Alex Person#")
	}
	for _, remote := range b.id.Remotes {
		b.remote(remote)
	}
	for _, word := range b.id.Words {
		b.word(word, "word#")
	}
	quoted := make([]pair, 0, len(b.back))
	for _, p := range b.back {
		if strings.Contains(p.from, `\`) { // a spelling of its own has the escapes
			quoted = append(quoted, p)
			continue
		}
		quoted = append(quoted, pair{p.from, inString(p.to)})
	}
	return &names{out: newReplacer(b.out), back: answers{text: newRestorer(b.back), json: newRestorer(quoted)}}
}

// inString is a text as it stands between the quotes of a JSON string.
func inString(s string) string {
	token := appendString(nil, []byte(s))
	return string(token[1 : len(token)-1])
}

// fits reports whether a value can be replaced wherever it stands, and remembers it if not.
func (b *builder) fits(value string) bool {
	if value == "" {
		return false
	}
	if len(value) < 3 || common[strings.ToLower(value)] {
		b.skipped = append(b.skipped, value)
		return false
	}
	return true
}

// word replaces a value, in its own spelling and in lower, upper and title case. The # in pattern is the number.
func (b *builder) word(value, pattern string) {
	if !b.fits(value) {
		return
	}
	b.pair(value, pattern)
	b.pair(strings.ToLower(value), strings.ToLower(pattern))
	b.pair(strings.ToUpper(value), strings.ToUpper(pattern))
	b.pair(title(value), title(pattern))
}

func title(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// pair adds a value with a placeholder that no other value has, and returns that.
func (b *builder) pair(value, pattern string) string {
	if placeholder, ok := b.taken[value]; ok {
		return placeholder
	}
	placeholder := b.placeholder(value, pattern)
	b.taken[value] = placeholder
	b.add(value, placeholder)
	if escaped := inString(value); escaped != value && strings.Contains(value, `\`) {
		b.add(escaped, inString(placeholder))
	}
	return placeholder
}

func (b *builder) add(value, placeholder string) {
	b.used[placeholder] = value
	b.out = append(b.out, pair{value, placeholder})
	b.back = append(b.back, pair{placeholder, value})
}

// placeholder returns the pattern with the first number that is free.
func (b *builder) placeholder(value, pattern string) string {
	for number := b.number; ; number++ {
		placeholder := strings.ReplaceAll(pattern, "#", strconv.Itoa(number))
		if placeholder == pattern || b.isFree(value, placeholder) {
			return placeholder
		}
	}
}

// isFree reports whether a placeholder can stand for a value beside the others: where one is part of another, the values
// must be so too, because what comes together in a text by chance would be read as the longer one.
func (b *builder) isFree(value, placeholder string) bool {
	for other, its := range b.used {
		switch {
		case strings.Contains(placeholder, other) && strings.ReplaceAll(placeholder, other, its) != value,
			strings.Contains(other, placeholder) && strings.ReplaceAll(other, placeholder, value) != its:
			return false
		}
	}
	return true
}

// home replaces the home directory in the forms in which paths are written: of the system, with the separators of another,
// in URLs, and as Claude Code names folders by paths.
func (b *builder) home() {
	home := strings.TrimRight(b.id.Home, `/\`)
	base := path.Base(strings.ReplaceAll(home, `\`, "/"))
	if len(home) < 3 || home == "/root" || common[strings.ToLower(base)] {
		if home != "" {
			b.skipped = append(b.skipped, home)
		}
		return
	}
	if drive, rest, isWindows := strings.Cut(home, `:\`); isWindows {
		slashed := strings.ReplaceAll(rest, `\`, "/")
		b.pair(home, drive+`:\Users\user#`)
		b.pair(drive+":/"+slashed, drive+":/Users/user#")
		b.pair("/"+strings.ToLower(drive)+"/"+slashed, "/"+strings.ToLower(drive)+"/Users/user#")
		return
	}
	placeholder := "/home/user#"
	if strings.HasPrefix(home, "/Users/") {
		placeholder = "/Users/user#"
	}
	b.pair(home, placeholder)
	b.pair(strings.ReplaceAll(home, "/", "%2F"), strings.ReplaceAll(placeholder, "/", "%2F"))
	b.pair(dashed(home), dashed(strings.TrimSuffix(placeholder, "#"))+"#")
}

// dashed is a path as Claude Code names folders by it.
func dashed(path string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && !alphanumeric(byte(r)) {
			return '-'
		}
		return r
	}, path)
}

// remote replaces who and what is in the URL of a git remote: its owner, its host unless everybody has that, and its name
// when it is not an everyday word.
func (b *builder) remote(remote string) {
	host, owner, name, ok := splitRemote(remote)
	if !ok {
		b.word(remote, "word#")
		return
	}
	if !forges[strings.ToLower(host)] {
		b.word(host, "git#.example.invalid")
	}
	if len(owner) >= 4 {
		b.word(owner, "owner#")
	}
	if strings.ContainsAny(name, "-_.0123456789") && len(name) >= 6 {
		b.word(name, "repo#")
	}
	b.pair(owner+"/"+name, b.part(owner, "owner#")+"/"+b.part(name, "repo#"))
}

// part is the placeholder of one part of a name. If the part is not replaced where it stands alone, its placeholder is
// still put back: a model may write it alone.
func (b *builder) part(value, pattern string) string {
	if placeholder, ok := b.taken[value]; ok {
		return placeholder
	}
	placeholder := b.placeholder(value, pattern)
	b.used[placeholder] = value
	b.back = append(b.back, pair{placeholder, value})
	return placeholder
}

// splitRemote takes "git@host:owner/name.git" and URLs apart.
func splitRemote(remote string) (host, owner, name string, ok bool) {
	location := remote
	if u, err := url.Parse(remote); err == nil && u.Host != "" {
		location = u.Hostname() + ":" + strings.TrimPrefix(u.Path, "/")
	} else if _, rest, isSSH := strings.Cut(remote, "@"); isSSH {
		location = rest
	}
	host, where, ok := strings.Cut(location, ":")
	i := strings.LastIndexByte(where, '/')
	if !ok || i <= 0 || strings.ContainsAny(host, "/ ") {
		return "", "", "", false
	}
	name = strings.TrimSuffix(where[i+1:], ".git")
	owner = strings.Trim(where[:i], "/")
	return host, owner, name, owner != "" && name != ""
}
