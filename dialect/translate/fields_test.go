// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/claude"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/gemini"
	"github.com/tokengo/tokengo/dialect/ollama"
	"github.com/tokengo/tokengo/dialect/openai"
	"github.com/tokengo/tokengo/dialect/responses"
)

// codec is what a codec says that it knows of requests.
type codec struct {
	name                      string
	fields, unmapped, refused []string
	decode                    func(dialect.Operation, []byte) (*conversation.Request, *dialect.Error)
	request                   string // the members of a least request
	files                     string // which read requests
}

var codecs = []codec{
	{"openai", openai.Fields, openai.Unmapped, openai.Refused, openai.DecodeRequest, `"model":"m","messages":[{"role":"user","content":"Hi"}]`, "decode*.go thoughts.go embedding.go"},
	{"responses", responses.Fields, responses.Unmapped, responses.Refused, responses.DecodeRequest, `"model":"m","input":"Hi"`, "decode*.go"},
	{"claude", claude.Fields, claude.Unmapped, claude.Refused, claude.DecodeRequest, `"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]`, "request.go"},
	{"gemini", gemini.Fields, gemini.Unmapped, gemini.Refused, gemini.DecodeRequest, `"contents":[{"parts":[{"text":"Hi"}]}]`, "decode*.go embedding.go"},
	{"ollama", ollama.Fields, ollama.Unmapped, ollama.Refused, ollama.DecodeRequest, `"model":"m","messages":[{"role":"user","content":"Hi"}]`, "decode*.go embedding.go"},
}

// TestTableOfFields holds the tables of docs/protocols.md against the lists of the codecs, both ways.
func TestTableOfFields(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "protocols.md"))
	if err != nil {
		t.Fatal(err)
	}
	fields := tableAfter(t, string(page), "## Requests, field by field")
	unmapped := tableAfter(t, string(page), "### What only one protocol has")
	refused := tableAfter(t, string(page), "### Fields that are refused")
	for i, c := range codecs {
		var column []string
		for _, row := range fields {
			column = append(column, quoted(row[i+1])...)
		}
		for _, list := range []struct {
			name      string
			docs, own []string
		}{
			{"fields", column, c.fields},
			{"fields of one protocol", quoted(unmapped[i][1]), c.unmapped},
			{"refused fields", quoted(refused[i][1]), c.refused},
		} {
			if diff := gocmp.Diff(sorted(list.own), sorted(list.docs)); diff != "" {
				t.Errorf("%s: %s (-codec +docs/protocols.md):\n%s", c.name, list.name, diff)
			}
		}
	}
}

// tableAfter is the cells of the first table after a heading, without its first two lines.
func tableAfter(t *testing.T, page, heading string) [][]string {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n"+heading+"\n")
	if !found {
		t.Fatalf("docs/protocols.md has no section %q", heading)
	}
	var rows [][]string
	for line := range strings.Lines(rest) {
		switch row, isRow := strings.CutPrefix(strings.TrimSpace(line), "|"); {
		case isRow:
			rows = append(rows, strings.Split(strings.TrimSuffix(row, "|"), "|"))
		case len(rows) > 0:
			return rows[2:]
		}
	}
	t.Fatalf("docs/protocols.md has no table after %q", heading)
	return nil
}

var code = regexp.MustCompile("`([^`]+)`")

// quoted is the names in a cell.
func quoted(cell string) []string {
	var names []string
	for _, m := range code.FindAllStringSubmatch(cell, -1) {
		names = append(names, m[1])
	}
	return names
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}

// TestFieldsAreRead holds a codec's lists against the names that its decoder reads: those of its switches and comparisons
// of member names, and of its struct tags.
func TestFieldsAreRead(t *testing.T) {
	for _, c := range codecs {
		read := readNames(t, c)
		known := leaves(slices.Concat(c.fields, c.unmapped, c.refused))
		for _, name := range read {
			if !slices.Contains(known, name) {
				t.Errorf("%s reads %q, which is in none of its lists", c.name, name)
			}
		}
		for _, name := range leaves(c.fields) {
			if !slices.Contains(read, name) {
				t.Errorf("%s has %q among its fields, and does not read it", c.name, name)
			}
		}
	}
}

// leaves are the last members of names.
func leaves(names []string) []string {
	var list []string
	for _, name := range names {
		list = append(list, name[strings.LastIndexByte(name, '.')+1:])
	}
	return sorted(list)
}

func readNames(t *testing.T, c codec) []string {
	t.Helper()
	var names []string
	for _, pattern := range strings.Fields(c.files) {
		paths, err := filepath.Glob(filepath.Join("..", c.name, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, declared := range file.Decls {
				if f, ok := declared.(*ast.FuncDecl); ok && f.Name.Name == "DecodeEmbeddingAnswer" || isAnswer(f) {
					continue
				}
				ast.Inspect(declared, func(n ast.Node) bool { names = append(names, namesOf(n)...); return true })
			}
		}
	}
	if c.name == "ollama" {
		names = append(names, "signature") // a constant, which is ours
	}
	return sorted(names)
}

// isAnswer reports whether a function reads a part of an answer.
func isAnswer(f *ast.FuncDecl) bool { return f != nil && f.Name.Name == "readVector" }

// namesOf is the names of members that a node tells apart.
func namesOf(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.SwitchStmt:
		var names []string
		for _, clause := range n.Body.List {
			for _, e := range clause.(*ast.CaseClause).List {
				if isKey(n.Tag) {
					names = append(names, literal(e)...)
				}
			}
		}
		return names
	case *ast.BinaryExpr:
		if (n.Op == token.EQL || n.Op == token.NEQ) && isKey(n.X) {
			return literal(n.Y)
		}
	case *ast.Field:
		if n.Tag != nil {
			tag, _ := strconv.Unquote(n.Tag.Value)
			return []string{reflect.StructTag(tag).Get("json")}
		}
	}
	return nil
}

// isKey reports whether an expression is the name of a member: a variable called so, or its text.
func isKey(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return slices.Contains([]string{"key", "field", "name", "k"}, e.Name)
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.Ident)
		return ok && (f.Name == "string" || f.Name == "camel") && isKey(e.Args[0])
	}
	return false
}

func literal(e ast.Expr) []string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING && l.Value != `""` {
		text, _ := strconv.Unquote(l.Value)
		return []string{text}
	}
	return nil
}

// TestUnmappedAreNamed holds that every field of a request in a codec's lists is named, or refused, when a tool sends it,
// and that one that nobody knows is named.
func TestUnmappedAreNamed(t *testing.T) {
	for _, c := range codecs {
		for _, name := range append(slices.Clone(c.unmapped), "nobody_knows") {
			if topLevel(c, name) && !slices.ContainsFunc(values, func(v string) bool { return names(c, name, v) }) {
				t.Errorf("%s: %s is not named", c.name, name)
			}
		}
		for _, name := range c.refused {
			if topLevel(c, name) && !slices.ContainsFunc(values, func(v string) bool { return refuses(c, name, v) }) {
				t.Errorf("%s: %s is not refused", c.name, name)
			}
		}
	}
}

// values are some that say more than a field's default.
var values = []string{`true`, `"auto"`, `1`, `["x"]`, `{"a":1}`}

// generated are fields of Ollama's generate, which chats do not have.
var generated = []string{"raw", "context", "template"}

// topLevel reports whether a name is of the request itself, and not of what is in it.
func topLevel(c codec, name string) bool {
	switch c.name {
	case "gemini":
		return slices.Contains([]string{"labels", "safetySettings", "serviceTier", "store", "cachedContent", "continuationToken", "nobody_knows"}, name)
	case "ollama":
		return !slices.Contains(generated, name)
	default:
		return !strings.Contains(name, ".")
	}
}

func decode(c codec, name, value string) (*conversation.Request, *dialect.Error) {
	return c.decode(dialect.Operation{Kind: dialect.Chat, Model: "m"}, []byte("{"+c.request+`,"`+name+`":`+value+"}"))
}

func names(c codec, name, value string) bool {
	r, fail := decode(c, name, value)
	return fail == nil && slices.ContainsFunc(r.Unmapped, func(n string) bool { return n == name || n == "nobodyKnows" })
}

func refuses(c codec, name, value string) bool {
	_, fail := decode(c, name, value)
	return fail != nil && fail.Status == 400
}
