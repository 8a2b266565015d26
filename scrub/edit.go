// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect"
)

// verb is what a rule does.
type verb uint8

const (
	remove      verb = iota
	refuse           // the request, unless the value is null
	falsify          // the value becomes false
	insistFalse      // the same, also where there is none
	rekey            // the value becomes a code under a key
	renumber         // a value that holds when it was made becomes a number, the same for the same value
	observe          // the value stays; whether it is true is noted
)

// rule is what happens to one field of a body.
type rule struct {
	path string
	do   verb
	// when limits the rule to elements of the path's last array that meet it. Default: all.
	when func(element []byte) bool
	why  string
}

// step is a rule with the part of its path that is still ahead.
type step struct {
	*rule
	rest string
}

// edited is what editing made of a body.
type edited struct {
	body    []byte
	changes []Change
	stream  bool
}

// splice is a part of a body and what comes in its place.
type splice struct {
	from, to int
	with     string
}

// editor walks over a body once and notes what to change.
type editor struct {
	cursor
	secret  []byte // for rekey
	splices []splice
	changes []Change
	path    []byte // of the value at hand
	stream  bool
	seen    map[*rule]bool // of insistFalse
	numbers map[string]int // of renumber
	some    bool           // a member of the whole body has stayed
	problem *dialect.Error
}

// edit applies rules to a body, which is not written to.
func edit(body []byte, rules []rule, secret []byte) (edited, *dialect.Error) {
	if len(rules) == 0 {
		return edited{body: body}, nil
	}
	e := editor{cursor: cursor{data: body}, secret: secret, seen: map[*rule]bool{}, numbers: map[string]int{}}
	steps := make([]step, len(rules))
	for i := range rules {
		steps[i] = step{&rules[i], rules[i].path}
	}
	e.begin()
	start := e.pos + 1
	e.value(steps)
	if err := e.end(); err != nil && e.problem == nil {
		return edited{}, notJSON(err)
	}
	if e.problem != nil {
		return edited{}, e.problem
	}
	e.insist(rules, start)
	return edited{applied(body, e.splices), e.changes, e.stream}, nil
}

// insist adds what must be said and was not, in front of all members.
func (e *editor) insist(rules []rule, at int) {
	for i := range rules {
		if r := &rules[i]; r.do == insistFalse && !e.seen[r] {
			with := `"` + r.path + `":false`
			if e.some {
				with += ","
			}
			e.splices = slices.Insert(e.splices, 0, splice{at, at, with})
			e.changes = append(e.changes, Change{Path: r.path, Action: Replaced, Why: r.why})
		}
	}
}

// applied returns the body with the splices made, which are in order and do not overlap.
func applied(body []byte, splices []splice) []byte {
	if len(splices) == 0 {
		return body
	}
	size := len(body)
	for _, s := range splices {
		size += len(s.with)
	}
	out := make([]byte, 0, size)
	done := 0
	for _, s := range splices {
		out = append(append(out, body[done:s.from]...), s.with...)
		done = s.to
	}
	return append(out, body[done:]...)
}

// value walks over a value that steps lead into.
func (e *editor) value(steps []step) {
	switch {
	case len(steps) == 0:
		e.skip()
	case e.peek() == '{':
		e.object(steps)
	case e.peek() == '[':
		e.array(steps)
	default:
		e.skip()
	}
}

// survivors keeps the commas between members or elements right while some of them are removed.
type survivors struct {
	any  bool // one has stayed
	last int  // where the one before ends, whether it stayed or not; at first behind the bracket
}

// removeFrom takes the member or element at hand out, with the comma before it.
func (e *editor) removeFrom(s *survivors) {
	e.splices = append(e.splices, splice{from: s.last, to: e.pos})
	s.last = e.pos
}

// keep lets the one stay whose changes are the splices from n on. If all before it are gone, the comma goes too.
func (e *editor) keep(s *survivors, n int, first bool, comma int) {
	if !s.any && !first {
		e.splices = slices.Insert(e.splices, n, splice{from: s.last, to: comma + 1})
	}
	s.any, s.last = true, e.pos
}

func (e *editor) object(steps []step) {
	e.open()
	s := survivors{last: e.pos}
	base := len(e.path)
	for first := true; e.more('}', first); first = false {
		comma, n := e.comma, len(e.splices)
		name := decode(e.key())
		if base > 0 {
			e.path = append(e.path, '.')
		}
		e.path = append(e.path, name...)
		leaf, inner := match(steps, name)
		if leaf != nil && e.apply(leaf) {
			e.removeFrom(&s)
		} else {
			if leaf == nil {
				e.value(inner)
			}
			e.keep(&s, n, first, comma)
		}
		e.path = e.path[:base]
	}
	e.some = s.any // what counts is the outermost object, which ends last
}

func (e *editor) array(steps []step) {
	e.open()
	s := survivors{last: e.pos}
	base := len(e.path)
	for i := 0; e.more(']', i == 0); i++ {
		comma, n := e.comma, len(e.splices)
		e.path = fmt.Appendf(e.path, "[%d]", i)
		leaf, inner := elements(steps, &e.cursor)
		if leaf != nil {
			e.skip()
			e.note(leaf, Removed)
			e.removeFrom(&s)
		} else {
			e.value(inner)
			e.keep(&s, n, i == 0, comma)
		}
		e.path = e.path[:base]
	}
}

// match returns the rule that ends at a member, and otherwise the steps that lead on into it.
func match(steps []step, name []byte) (leaf *rule, inner []step) {
	for _, s := range steps {
		head, rest, more := strings.Cut(s.rest, ".")
		head, isArray := strings.CutSuffix(head, "[]")
		if !isNamed(name, head) {
			continue
		}
		if !more && !isArray {
			return s.rule, nil
		}
		if isArray {
			rest = "[]" + rest
		}
		inner = append(inner, step{s.rule, rest})
	}
	return nil, inner
}

func isNamed(name []byte, pattern string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return len(name) >= len(prefix) && strings.EqualFold(string(name[:len(prefix)]), prefix)
	}
	return len(name) == len(pattern) && strings.EqualFold(string(name), pattern)
}

// elements returns the rule that ends at the array element that c stands before, and otherwise the steps into it.
func elements(steps []step, c *cursor) (leaf *rule, inner []step) {
	for _, s := range steps {
		rest, ok := strings.CutPrefix(s.rest, "[]")
		if !ok || s.when != nil && !strings.Contains(rest, "[]") && !s.when(ahead(c)) {
			continue
		}
		if rest == "" {
			return s.rule, nil
		}
		inner = append(inner, step{s.rule, rest})
	}
	return nil, inner
}

// ahead returns the value that c stands before, which it does not take.
func ahead(c *cursor) []byte {
	probe := *c
	return probe.raw()
}

// apply does what a rule says with the value at hand, and takes it. It reports whether the member is to be removed.
func (e *editor) apply(r *rule) bool {
	start := e.pos
	value := e.raw()
	isNull := string(value) == "null"
	switch r.do {
	case remove:
		e.note(r, Removed)
		return true
	case refuse:
		if !isNull && e.problem == nil && e.err == nil {
			e.problem = &dialect.Error{Code: dialect.CodeInvalidRequest, Message: "The request has the field " + r.why + "." + rememberAdvice}
		}
		return true
	case falsify, insistFalse:
		e.seen[r] = true
		if string(value) != "false" {
			e.put(r, start, "false")
		}
	case rekey:
		if isNull || len(value) == 0 {
			return true
		}
		if value[0] != '"' {
			e.note(r, Removed)
			return true
		}
		e.put(r, start, `"`+code(e.secret, decode(value))+`"`)
	case renumber:
		if id := string(decode(value)); value != nil && value[0] == '"' && hasTime(id) {
			if e.numbers[id] == 0 {
				e.numbers[id] = len(e.numbers) + 1
			}
			e.put(r, start, fmt.Sprintf(`"call_%d"`, e.numbers[id]))
		}
	case observe:
		e.stream = bytes.Equal(value, []byte("true"))
	}
	return false
}

// timeDigits is how long a time in milliseconds is, from 2001 to 2286.
const timeDigits = 13

// hasTime reports whether an id may have been made of the time.
func hasTime(id string) bool {
	run := 0
	for i := range len(id) {
		if run++; id[i] < '0' || id[i] > '9' {
			run = 0
		}
		if run == timeDigits {
			return true
		}
	}
	return false
}

// put replaces the value that starts at start and was just taken.
func (e *editor) put(r *rule, start int, with string) {
	e.splices = append(e.splices, splice{start, e.pos, with})
	e.note(r, Replaced)
}

func (e *editor) note(r *rule, a Action) {
	e.changes = append(e.changes, Change{Path: string(e.path), Action: a, Why: r.why})
}

// code is what stands for a value under a key: as long as the ids that it replaces.
func code(key, value []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(value)
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
