// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/json"
	"errors"
	"hash/maphash"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// A client verifies thousands of descriptions at once, and most of that time goes into reading JSON: checkJSON walks over
// it, and then encoding/json twice more. fillInfo does all of it in one walk for the JSON that programs write. What it
// does not take, it leaves to the two, whose judgement counts: an Info from fillInfo is the one that they would have made.

// errUnusual says that the JSON is for the general way: wrong, or right in a way that is rare.
var errUnusual = errors.New("unusual JSON")

// fillInfo reads a description of at most MaxInfoBytes as checkInfo and decodeInfo do, without validating it, and returns
// nil for what is unusual.
func fillInfo(raw []byte) *Info {
	if len(raw) > MaxInfoBytes || !utf8.Valid(raw) || !json.Valid(raw) {
		return nil
	}
	f := fillers.Get().(*filler)
	defer fillers.Put(f)
	f.checker = checker{raw: raw, maxItems: MaxInfoBytes, names: f.names[:0]}
	defer func() { f.raw = nil }()
	f.space()
	if f.raw[f.pos] != '{' {
		return nil
	}
	info := &Info{}
	if f.structure(reflect.ValueOf(info).Elem(), infoShape, 0) != nil {
		return nil
	}
	return info
}

// filler walks JSON that is known to be well-formed and puts it where it belongs.
type filler struct {
	checker
	recent [512]string // texts that were read lately, each at its hash
	seed   maphash.Seed
}

var fillers = sync.Pool{New: func() any { return &filler{seed: maphash.MakeSeed()} }}

// longShared is the longest text that descriptions share in memory.
const longShared = 32

// shared returns b as a string, the same one for the texts that stand in description after description: names of
// modalities, features, protocols and models are most of what there is to allocate.
func (f *filler) shared(b []byte) string {
	if len(b) > longShared {
		return string(b)
	}
	slot := &f.recent[maphash.Bytes(f.seed, b)%uint64(len(f.recent))]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

// fieldsOf are the indexes of the fields of the structs that an Info is made of, by their names in JSON.
var fieldsOf = func() map[reflect.Type]map[string]int {
	all := map[reflect.Type]map[string]int{}
	for _, t := range []reflect.Type{
		reflect.TypeFor[Info](), reflect.TypeFor[Model](), reflect.TypeFor[Pricing](), reflect.TypeFor[SLA](), reflect.TypeFor[Capacity](),
	} {
		all[t] = map[string]int{}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			all[t][name] = i
		}
	}
	return all
}()

func (f *filler) structure(v reflect.Value, s shape, depth int) error {
	fields, known := fieldsOf[v.Type()]
	if !known {
		return errUnusual
	}
	return f.members(s, func(name []byte, inner shape) error {
		if i, ok := fields[string(name)]; ok {
			return f.fill(v.Field(i), inner, depth+1)
		}
		return f.value(inner, depth+1)
	})
}

// members walks over an object's members as checker.object does; each reads the value of one.
func (f *filler) members(s shape, each func(name []byte, inner shape) error) error {
	base := len(f.names)
	for f.next('}') {
		name := unquote(f.text())
		inner, known := s[string(name)]
		if !known && s.folds(name) {
			return errUnusual
		}
		f.names = append(f.names, name)
		f.space()
		f.pos++ // the colon
		if err := each(name, inner); err != nil {
			return err
		}
	}
	return f.closeObject(base)
}

// fill reads one value into v.
func (f *filler) fill(v reflect.Value, s shape, depth int) error {
	f.space()
	first := f.raw[f.pos]
	switch kind := v.Kind(); {
	case depth > maxDepth:
		return errUnusual
	case first == '"' && kind == reflect.String:
		v.SetString(f.shared(unquote(f.text())))
		return nil
	case first == '"' && v.Type() == reflect.TypeFor[time.Time]():
		return v.Addr().Interface().(*time.Time).UnmarshalJSON(f.text())
	case first == '[' && kind == reflect.Slice:
		return f.list(v, s, depth)
	case first == '{' && kind == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return f.structure(v.Elem(), s, depth)
	case first == '{' && kind == reflect.Struct:
		return f.structure(v, s, depth)
	case first == '{' && v.Type() == reflect.TypeFor[map[string]string]():
		return f.texts(v, depth)
	case first == '-' || (first >= '0' && first <= '9'):
		return f.number(v)
	}
	return errUnusual
}

func (f *filler) list(v reflect.Value, s shape, depth int) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 4)) // not nil, as encoding/json has it
	for n := 0; f.next(']'); n++ {
		if n == v.Cap() {
			v.Grow(n)
		}
		v.SetLen(n + 1)
		if err := f.fill(v.Index(n), s, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) texts(v reflect.Value, depth int) error {
	m := map[string]string{}
	v.Set(reflect.ValueOf(m))
	return f.members(nil, func(name []byte, _ shape) error {
		var text string
		err := f.fill(reflect.ValueOf(&text).Elem(), nil, depth+1)
		m[string(name)] = text
		return err
	})
}

func (f *filler) number(v reflect.Value) error {
	start := f.pos
	f.scalar()
	text := string(f.raw[start:f.pos])
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
		return err
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		v.SetFloat(x)
		return err
	}
	return errUnusual
}
