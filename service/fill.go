// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"hash/maphash"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// A client verifies thousands of descriptions at once, and most of that time would go into reading JSON: checkJSON walks
// over it, and then encoding/json twice more. fillInfo does all of it in one walk for the JSON that programs write. What
// it does not take, it leaves to the two, whose judgement counts: an Info from fillInfo is the one that they would have
// made.

// fillInfo reads a description of at most MaxInfoBytes as checkInfo and decodeInfo do, without validating it, and returns
// nil for what is unusual. The Info does not refer to raw.
func fillInfo(raw []byte) *Info {
	if len(raw) > MaxInfoBytes || !utf8.Valid(raw) {
		return nil
	}
	f := fillers.Get().(*filler)
	defer fillers.Put(f)
	defer f.forget()
	f.walker = walker{raw: raw, names: f.names}
	info := &Info{}
	fillObject(f, infoFields, info)
	if f.end(); f.unusual {
		return nil
	}
	f.settle(info)
	return info
}

// filler puts what it reads where it belongs. Lists grow in memory that is used again for the next description, and are
// copied when their lengths are known: a client holds them for long.
type filler struct {
	walker
	models []Model
	prices []Pricing
	texts  []string
	listed int // texts in all lists

	modalities, features lastList

	recent [4096]string // texts that were read lately, each at its hash
	seed   maphash.Seed
}

// lastList is a list of a description as it was written, and what was read of it: the models of one exit have much in
// common.
type lastList struct {
	raw   []byte
	texts []string
}

var fillers = sync.Pool{New: func() any {
	return &filler{seed: maphash.MakeSeed(), models: []Model{}, texts: []string{}} // not nil, as encoding/json has empty lists
}}

// forget lets go of a description.
func (f *filler) forget() {
	clear(f.models)
	clear(f.prices)
	clear(f.texts)
	clear(f.names[:cap(f.names)])
	f.models, f.prices, f.texts = f.models[:0], f.prices[:0], f.texts[:0]
	f.walker = walker{names: f.names[:0]}
	f.modalities, f.features, f.listed = lastList{}, lastList{}, 0
}

// settle moves the lists of a description into memory of their own, all lists of one kind into one piece.
func (f *filler) settle(in *Info) {
	texts := make([]string, 0, f.listed)
	prices := make([]Pricing, 0, len(f.prices))
	keep := func(list *[]string) {
		if *list != nil {
			n := len(texts)
			texts = append(texts, *list...)
			*list = texts[n:len(texts):len(texts)]
		}
	}
	keep(&in.Betas)
	if in.Models != nil {
		in.Models = append(make([]Model, 0, len(in.Models)), in.Models...)
	}
	for i := range in.Models {
		m := &in.Models[i]
		keep(&m.Aliases)
		keep(&m.Modalities)
		keep(&m.Features)
		if m.Pricing != nil {
			prices = append(prices, *m.Pricing)
			m.Pricing = &prices[len(prices)-1]
		}
	}
}

// field is how one field of an object is read.
type field[T any] struct {
	name string
	read func(f *filler, v *T)
}

// The fields of a description, in the order of the structs, which is the order in which [Sign] writes them.
var (
	infoFields = []field[Info]{
		{"version", func(f *filler, in *Info) { in.Version = f.int() }},
		{"identity", func(f *filler, in *Info) { in.Identity = Identity(f.text()) }},
		{"operator", func(f *filler, in *Info) { in.Operator = f.shared() }},
		{"sequence", func(f *filler, in *Info) { in.Sequence = f.integer(64) }},
		{"not_before", func(f *filler, in *Info) { in.NotBefore = f.time() }},
		{"expires", func(f *filler, in *Info) { in.Expires = f.time() }},
		{"protocols", func(f *filler, in *Info) { in.Protocols = f.protocols() }},
		{"models", func(f *filler, in *Info) { in.Models = f.modelList() }},
		{"tier", func(f *filler, in *Info) { in.Tier = Tier(f.shared()) }},
		{"sla", func(f *filler, in *Info) { in.SLA = &SLA{}; fillObject(f, slaFields, in.SLA) }},
		{"capacity", func(f *filler, in *Info) { in.Capacity = &Capacity{}; fillObject(f, capacityFields, in.Capacity) }},
		{"betas", func(f *filler, in *Info) { in.Betas = f.textList() }},
		{"tags", func(f *filler, in *Info) { in.Tags = f.tags() }},
	}
	modelFields = []field[Model]{
		{"id", func(f *filler, m *Model) { m.ID = f.shared() }},
		{"aliases", func(f *filler, m *Model) { m.Aliases = f.textList() }},
		{"protocol", func(f *filler, m *Model) { m.Protocol = Protocol(f.shared()) }},
		{"max_ctx", func(f *filler, m *Model) { m.MaxCtx = f.int() }},
		{"max_output", func(f *filler, m *Model) { m.MaxOutput = f.int() }},
		{"modalities", func(f *filler, m *Model) { m.Modalities = f.textListLike(&f.modalities) }},
		{"features", func(f *filler, m *Model) { m.Features = f.textListLike(&f.features) }},
		{"quantization", func(f *filler, m *Model) { m.Quantization = f.shared() }},
		{"pricing", func(f *filler, m *Model) { m.Pricing = f.pricing() }},
	}
	pricingFields = []field[Pricing]{
		{"input_per_1m", func(f *filler, p *Pricing) { p.InputPer1M = Decimal(f.shared()) }},
		{"output_per_1m", func(f *filler, p *Pricing) { p.OutputPer1M = Decimal(f.shared()) }},
		{"cached_input_per_1m", func(f *filler, p *Pricing) { p.CachedInputPer1M = Decimal(f.shared()) }},
		{"per_request", func(f *filler, p *Pricing) { p.PerRequest = Decimal(f.shared()) }},
		{"per_image", func(f *filler, p *Pricing) { p.PerImage = Decimal(f.shared()) }},
		{"currency", func(f *filler, p *Pricing) { p.Currency = f.shared() }},
	}
	slaFields = []field[SLA]{
		{"max_ttft_ms", func(f *filler, s *SLA) { s.MaxTTFTMillis = f.int() }},
		{"min_tokens_per_s", func(f *filler, s *SLA) { s.MinTokensPerSecond = f.float() }},
		{"uptime", func(f *filler, s *SLA) { s.Uptime = f.float() }},
		{"max_concurrency", func(f *filler, s *SLA) { s.MaxConcurrency = f.int() }},
	}
	capacityFields = []field[Capacity]{
		{"gpu", func(f *filler, c *Capacity) { c.GPU = f.shared() }},
		{"count", func(f *filler, c *Capacity) { c.Count = f.int() }},
		{"region", func(f *filler, c *Capacity) { c.Region = f.shared() }},
	}
)

// fillObject reads an object whose fields go into v. What is not among fields is stepped over.
func fillObject[T any](f *filler, fields []field[T], v *T) {
	open, next := len(f.names), 0
	var seen uint32 // of fields, those that were read
	f.elements('{', '}', func() {
		name := f.text()
		f.take(':')
		i, ok := findField(fields, name, next)
		switch {
		case !ok || i >= 0 && seen&(1<<i) != 0:
			f.giveUp()
		case i < 0:
			f.names = append(f.names, name)
			f.skip(0)
		default:
			seen |= 1 << i
			next = i + 1
			fields[i].read(f, v)
		}
	})
	f.differ(open)
}

// findField returns the place of a name among fields, -1 when it is not there, and false when it differs from one of them in
// case only. It looks first at next, where programs most often have it.
func findField[T any](fields []field[T], name []byte, next int) (i int, ok bool) {
	for i = next; i < len(fields); i++ {
		if fields[i].name == string(name) {
			return i, true
		}
	}
	for i = range next {
		if fields[i].name == string(name) {
			return i, true
		}
	}
	for i = range fields {
		if strings.EqualFold(fields[i].name, string(name)) {
			return -1, false
		}
	}
	return -1, true
}

func (f *filler) int() int { return int(f.integer(strconv.IntSize)) }

// longShared is the longest text that descriptions share in memory.
const longShared = 32

// shared reads a string and returns the same one for the texts that stand in description after description: names of
// modalities, features, protocols and models are most of what there is to allocate.
func (f *filler) shared() string {
	b := f.text()
	if len(b) > longShared {
		return string(b)
	}
	slot := &f.recent[maphash.Bytes(f.seed, b)%uint64(len(f.recent))]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

func (f *filler) textList() []string {
	begin := len(f.texts)
	f.elements('[', ']', func() { f.texts = append(f.texts, f.shared()) })
	f.listed += len(f.texts) - begin
	return f.texts[begin:len(f.texts):len(f.texts)]
}

// textListLike is textList for one that is likely to be written like the last.
func (f *filler) textListLike(last *lastList) []string {
	if f.peek(); len(last.raw) > 0 && bytes.HasPrefix(f.raw[f.pos:], last.raw) {
		f.pos += len(last.raw)
		f.listed += len(last.texts)
		return last.texts
	}
	begin := f.pos
	last.texts = f.textList()
	last.raw = f.raw[begin:f.pos]
	return last.texts
}

func (f *filler) protocols() []Protocol {
	all := []Protocol{}
	f.elements('[', ']', func() { all = append(all, Protocol(f.shared())) })
	return all
}

func (f *filler) modelList() []Model {
	f.elements('[', ']', func() {
		if len(f.models) == MaxModels {
			f.giveUp()
			return
		}
		f.models = append(f.models, Model{})
		fillObject(f, modelFields, &f.models[len(f.models)-1])
	})
	return f.models
}

func (f *filler) pricing() *Pricing {
	f.prices = append(f.prices, Pricing{})
	p := &f.prices[len(f.prices)-1]
	fillObject(f, pricingFields, p)
	return p
}

func (f *filler) tags() map[string]string {
	all := map[string]string{}
	f.elements('{', '}', func() {
		name := string(f.text())
		f.take(':')
		if _, again := all[name]; again {
			f.giveUp()
		}
		all[name] = f.shared()
	})
	return all
}
