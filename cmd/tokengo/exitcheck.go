// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/service"
)

// checkRow is a problem as 'exit --check --json' prints it.
type checkRow struct {
	Severity string `json:"severity"`        // error or warning
	Where    string `json:"where,omitempty"` // in the file: backends[0].models[2].pricing
	Line     int    `json:"line,omitempty"`  // of the file
	Text     string `json:"text"`
}

// Severities of a checkRow.
const (
	severityError   = "error"
	severityWarning = "warning"
)

// exitCheck is what 'exit --check --json' prints.
type exitCheck struct {
	File        string        `json:"file,omitempty"`
	Description *service.Info `json:"description"`
	Problems    []checkRow    `json:"problems"`

	tree   yaml.Node // of the file
	broken bool      // the file could not be read to its end
	vain   []string  // places of which all that the file says is wrong, so that it is no news that nothing is there
}

// checkExit prints what an exit would publish and all that is wrong with its configuration. It fails when the
// exit would not start or not be able to answer.
func checkExit(cmd *cobra.Command, f *exitFlags) error {
	c := &exitCheck{Problems: []checkRow{}}
	if err := c.load(cmd, f); err != nil {
		return err
	}
	cfg, origin, stop := c.config(cmd.Context(), f)
	defer stop()
	if !c.broken {
		report := exit.Check(cmd.Context(), cfg)
		c.Description = report.Info
		for _, p := range report.Problems {
			if p.Backend >= 0 || !slices.Contains(c.vain, p.Field) {
				c.addProblem(p, origin)
			}
		}
	}
	if err := c.print(cmd.OutOrStdout(), f.json); err != nil {
		return err
	}
	fatal := 0
	for _, row := range c.Problems {
		if row.Severity == severityError {
			fatal++
		}
	}
	if fatal > 0 {
		return fmt.Errorf("check: %d of %d problems keep the exit from working", fatal, len(c.Problems))
	}
	return nil
}

// load reads the configuration file. All that is wrong with it becomes problems, and what is right is used.
func (c *exitCheck) load(cmd *cobra.Command, f *exitFlags) error {
	given, restore := f.file, changedFlags(cmd)
	err := loadFile(cmd, &f.roleFlags, exitFileName, &f.file)
	path, found := f.path(exitFileName)
	if !found {
		return err
	}
	c.File = path
	data, readErr := os.ReadFile(path)
	if readErr != nil {
		return err
	}
	parseErr := yaml.Unmarshal(data, &c.tree)
	if err == nil {
		return nil
	}
	keys := keysOf(reflect.TypeFor[exitFile]())
	f.file = given
	for _, text := range c.decode(data, parseErr, &f.file) {
		c.addDecoding(text, keys)
	}
	for _, again := range restore {
		if err := again(); err != nil {
			return err
		}
	}
	return nil
}

// decode reads as much of the file as can be read, and returns all that is wrong with its form.
func (c *exitCheck) decode(data []byte, parseErr error, into *exitFile) []string {
	if parseErr != nil {
		c.broken = true
		return typeErrors(parseErr)
	}
	wrong := decodeTree(&c.tree, into)
	if len(c.tree.Content) > 0 && c.tree.Content[0].Kind != yaml.MappingNode {
		c.broken = true
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if decoder.Decode(new(yaml.Node)) == nil {
		wrong = append(wrong, oneDocument(decoder)...)
	}
	return wrong
}

// addDecoding takes in what the decoder says, "line 3: field x not found in type y" and the like.
func (c *exitCheck) addDecoding(text string, keys []string) {
	row := checkRow{Severity: severityError, Text: strings.TrimPrefix(text, "yaml: ")}
	if m := unknownKey.FindStringSubmatch(text); m != nil {
		row.Text = fmt.Sprintf("unknown key %q", m[2])
		if near := nearest(m[2], keys); near != "" {
			row.Text += ", did you mean " + near + "?"
		}
	} else if _, rest, ok := strings.Cut(row.Text, ": "); ok {
		row.Text = rest
	}
	fmt.Sscanf(strings.TrimPrefix(text, "yaml: "), "line %d", &row.Line) // 0 when there is none
	c.Problems = append(c.Problems, row)
}

// config makes of flags and file what can be made of them. origin is the entry of backends that each backend
// of the configuration comes from; stop ends the demo backend.
func (c *exitCheck) config(ctx context.Context, f *exitFlags) (cfg exit.Config, origin []int, stop func()) {
	cfg = f.file.rest()
	if level := cmp.Or(f.file.LogLevel, f.logLevel); level != "" {
		_, err := parseLevel(level)
		c.addError("log_level", err)
	}
	if address := cmp.Or(f.metricsListen, f.file.MetricsListen); address != "" && !strings.HasPrefix(address, "unix:") {
		_, err := net.ResolveTCPAddr("tcp", address)
		c.addError("metrics_listen", err)
	}
	for i, s := range f.file.Relays {
		relays, err := parseRelays([]string{s})
		c.addError(fmt.Sprintf("relays[%d]", i), err)
		cfg.Relays = append(cfg.Relays, relays...)
	}
	if len(f.file.Relays) > 0 && len(cfg.Relays) == 0 {
		c.vain = append(c.vain, "relays")
	}
	cfg.Tier = service.Tier(f.file.Tier)
	files, err := f.backendFlags.files()
	c.addError("", err)
	if len(files) == 0 {
		files = f.file.Backends
	}
	ctx, cancel := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	parser := new(backendParser)
	for i := range files {
		backends := c.backend(fmt.Sprintf("backends[%d]", i), &files[i], func(f *backendFile) ([]exit.Backend, error) {
			return parser.parseOne(ctx, group, f)
		})
		cfg.Backends = append(cfg.Backends, backends...)
		origin = append(origin, slices.Repeat([]int{i}, len(backends))...)
	}
	if len(files) > 0 && len(cfg.Backends) == 0 {
		c.vain = append(c.vain, "backends", "models")
	}
	return cfg, origin, func() {
		cancel()
		group.Wait() // an error of the demo backend has shown in the check
	}
}

// backend makes what can be made of an entry of backends: whatever is wrong with its key or mode, its models are looked at.
func (c *exitCheck) backend(where string, f *backendFile, parse func(*backendFile) ([]exit.Backend, error)) []exit.Backend {
	bare := *f
	bare.KeyFile, bare.Responses = "", ""
	backends, err := parse(&bare)
	switch {
	case c.addError(where, err):
		return nil
	case f.Protocol == demoBackend:
		return backends
	}
	keyed, err := (&backendFile{Protocol: f.Protocol, KeyFile: f.KeyFile}).backend()
	if !c.addError(where+".key_file", err) {
		backends[0].Key = keyed.Key
	}
	moded, err := (&backendFile{Protocol: f.Protocol, Responses: f.Responses}).backend()
	if !c.addError(where+".responses", err) {
		backends[0].Responses = moded.Responses
	}
	return backends
}

// addError takes in an error, if it is one.
func (c *exitCheck) addError(where string, err error) bool {
	if err != nil {
		c.Problems = append(c.Problems, checkRow{severityError, where, c.line(where), err.Error()})
	}
	return err != nil
}

// addProblem takes in what package exit found.
func (c *exitCheck) addProblem(p exit.Problem, origin []int) {
	row := checkRow{Severity: severityWarning, Text: p.Text}
	if p.Fatal {
		row.Severity = severityError
	}
	var path []string
	if p.Backend >= 0 {
		path = append(path, fmt.Sprintf("backends[%d]", origin[p.Backend]))
	}
	if p.Model >= 0 {
		path = append(path, fmt.Sprintf("models[%d]", p.Model))
	}
	if key := fileKeys([]string{p.Field}); len(key) > 0 {
		path = key
	} else if p.Field != "" {
		path = append(path, p.Field)
	}
	row.Where = strings.Join(path, ".")
	row.Line = c.line(row.Where)
	c.Problems = append(c.Problems, row)
}

// line is where a place is in the file: of the innermost part of it that is there, 0 when none is.
func (c *exitCheck) line(where string) int {
	if where == "" || len(c.tree.Content) == 0 {
		return 0
	}
	node, line := c.tree.Content[0], 0
	for _, step := range strings.FieldsFunc(where, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		inner, at := child(node, step)
		if inner == nil {
			break
		}
		node, line = inner, at
	}
	return line
}

// child is an element of a sequence by its index, or a value of a mapping by its key, and the line it begins at.
func child(node *yaml.Node, step string) (inner *yaml.Node, line int) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	for i, inner := range node.Content {
		switch {
		case node.Kind == yaml.SequenceNode && strconv.Itoa(i) == step:
			return inner, inner.Line
		case node.Kind == yaml.MappingNode && i%2 == 1 && node.Content[i-1].Value == step:
			return inner, node.Content[i-1].Line
		}
	}
	return nil, 0
}

func (c *exitCheck) print(w io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(c)
	}
	if c.Description != nil {
		if err := printDescription(w, c.Description); err != nil {
			return err
		}
	}
	for _, row := range c.Problems {
		place := cmp.Or(c.File, "command line")
		if row.Line > 0 {
			place = fmt.Sprintf("%s:%d", c.File, row.Line)
		}
		where := row.Where
		if where != "" {
			where += ": "
		}
		fmt.Fprintf(w, "%s: %s: %s%s\n", place, row.Severity, where, service.Printable(row.Text, 400))
	}
	if len(c.Problems) == 0 {
		fmt.Fprintln(w, "no problems")
	}
	return nil
}

// printDescription shows what clients will see.
func printDescription(w io.Writer, in *service.Info) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "operator\t%s\n", cmp.Or(in.Operator, "-"))
	fmt.Fprintf(table, "tier\t%s\n", in.Tier)
	fmt.Fprintf(table, "protocols\t%s\n", join(in.Protocols))
	if s := in.SLA; s != nil {
		fmt.Fprintf(table, "sla\t%s\n", plainJSON(s))
	}
	if c := in.Capacity; c != nil {
		fmt.Fprintf(table, "capacity\t%s\n", plainJSON(c))
	}
	if len(in.Betas) > 0 {
		fmt.Fprintf(table, "betas\t%s\n", strings.Join(in.Betas, ","))
	}
	if len(in.Tags) > 0 {
		fmt.Fprintf(table, "tags\t%s\n", plainJSON(in.Tags))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	fmt.Fprintln(table, "MODEL\tPROTOCOL\tCONTEXT\tOUTPUT\tPRICE PER 1M\tFEATURES\tMODALITIES\tWEIGHTS\tALIASES")
	for i := range in.Models {
		m := &in.Models[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", service.Printable(m.ID, 60), m.Protocol,
			count(m.MaxCtx), count(m.MaxOutput), priceColumn(m.Pricing), words(m.Features), words(m.Modalities),
			cmp.Or(m.Quantization, "-"), words(m.Aliases))
	}
	fmt.Fprintln(table)
	return table.Flush()
}

func plainJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return "?" // a float that is no number: the check says so
	}
	return string(raw)
}

func count(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func words(list []string) string { return cmp.Or(service.Printable(strings.Join(list, ","), 200), "-") }

// priceColumn is "input/output currency", and what else costs.
func priceColumn(p *service.Pricing) string {
	if p == nil {
		return "-"
	}
	text := fmt.Sprintf("%s/%s %s", p.InputPer1M, p.OutputPer1M, p.Currency)
	for _, more := range []struct {
		amount service.Decimal
		of     string
	}{{p.CachedInputPer1M, "cached"}, {p.PerRequest, "a request"}, {p.PerImage, "an image"}} {
		if more.amount != "" {
			text += fmt.Sprintf(", %s %s", more.amount, more.of)
		}
	}
	return text
}
