// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/relay"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

// The configuration file of each role, looked for in the working directory and then in the user's
// configuration directory.
const (
	clientFileName = "tokengo.yaml"
	relayFileName  = "relay.yaml"
	exitFileName   = "exit.yaml"
)

// commonFile holds the settings that every role's file may have.
type commonFile struct {
	StateDir      string `yaml:"state_dir"`
	LogLevel      string `yaml:"log_level"`
	MetricsListen string `yaml:"metrics_listen"`
}

// common makes a role's file a [roleFile].
func (f *commonFile) common() *commonFile { return f }

// roleFile is a pointer to the content of a role's file.
type roleFile interface{ common() *commonFile }

// clientFile is the content of tokengo.yaml.
type clientFile struct {
	commonFile      `yaml:",inline"`
	scrubFile       `yaml:",inline"`
	choiceFile      `yaml:",inline"`
	Listen          string        `yaml:"listen"`
	AllowRemote     bool          `yaml:"allow_remote"`
	TokenFile       string        `yaml:"token_file"`
	Origins         []string      `yaml:"origins"`
	Relays          relayEntries  `yaml:"relays"`
	Identities      []string      `yaml:"identities"`
	Shape           string        `yaml:"shape"`
	MaxRequestBytes int64         `yaml:"max_request_bytes"`
	RefreshInterval time.Duration `yaml:"refresh_interval"`
	AnswerTimeout   time.Duration `yaml:"answer_timeout"`
	StallTimeout    time.Duration `yaml:"stall_timeout"`
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout"`
}

// relayFile is the content of relay.yaml.
type relayFile struct {
	commonFile      `yaml:",inline"`
	Listen          string        `yaml:"listen"`
	Host            string        `yaml:"host"`
	Operator        string        `yaml:"operator"`
	Cert            string        `yaml:"cert"`
	Key             string        `yaml:"key"`
	MaxRequestBytes int64         `yaml:"max_request_bytes"`
	MaxExits        int           `yaml:"max_exits"`
	MaxInFlight     int           `yaml:"max_in_flight"`
	UploadTimeout   time.Duration `yaml:"upload_timeout"`
	AnswerTimeout   time.Duration `yaml:"answer_timeout"`
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout"`
}

func (f *clientFile) config() (client.Config, error) {
	var identities []service.Identity
	for _, s := range f.Identities {
		identities = append(identities, service.Identity(s)) // client.New checks them
	}
	cfg := client.Config{
		Listen: f.Listen, AllowRemote: f.AllowRemote, Origins: f.Origins, Identities: identities,
		Shape:           shape.Mode(f.Shape), // client.New checks it
		MaxRequestBytes: f.MaxRequestBytes, RefreshInterval: f.RefreshInterval, AnswerTimeout: f.AnswerTimeout,
		StallTimeout: f.StallTimeout, ShutdownTimeout: f.ShutdownTimeout,
	}
	if err := f.Relays.apply(&cfg); err != nil {
		return client.Config{}, err
	}
	if err := f.choiceFile.apply(&cfg); err != nil {
		return client.Config{}, err
	}
	return cfg, f.scrubFile.apply(&cfg)
}

func (f *relayFile) config() relay.Config {
	return relay.Config{
		Operator:        f.Operator,
		MaxRequestBytes: f.MaxRequestBytes, MaxExits: f.MaxExits, MaxInFlight: f.MaxInFlight,
		UploadTimeout: f.UploadTimeout, AnswerTimeout: f.AnswerTimeout, ShutdownTimeout: f.ShutdownTimeout,
	}
}

func parseRelays(urls []string) ([]relayurl.URL, error) {
	return parseAll(urls, relayurl.Parse)
}

func parseProtocol(s string) (service.Protocol, error) {
	p, err := service.ParseProtocol(s)
	if err != nil {
		return "", fmt.Errorf("%q is not a protocol: use openai, claude, gemini or ollama", s)
	}
	return p, nil
}

func parseAll[T any](in []string, parse func(string) (T, error)) ([]T, error) {
	var out []T
	for _, s := range in {
		v, err := parse(s)
		if err != nil {
			return nil, &usageError{err: err}
		}
		out = append(out, v)
	}
	return out, nil
}

// loadFile reads the role's configuration file into file, whose fields are also the targets of the
// command's flags; flags that were given win. Without --config a missing file is no error.
func loadFile(cmd *cobra.Command, common *roleFlags, name string, file roleFile) error {
	path, found := common.path(name)
	if !found {
		return nil
	}
	given := changedFlags(cmd)
	if err := decodeFile(path, file); err != nil {
		return err
	}
	for _, restore := range given {
		if err := restore(); err != nil {
			return err
		}
	}
	shared := file.common()
	fill := func(flag string, to *string, from string) {
		if from != "" && !cmd.Flags().Changed(flag) {
			*to = from
		}
	}
	fill("state-dir", &common.stateDir, shared.StateDir)
	fill("log-level", &common.logLevel, shared.LogLevel)
	fill("metrics-listen", &common.metricsListen, shared.MetricsListen)
	return nil
}

// changedFlags returns functions that set the flags given on the command line once more.
func changedFlags(cmd *cobra.Command) []func() error {
	var restore []func() error
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values := slices.Clone(list.GetSlice())
			restore = append(restore, func() error { return list.Replace(values) })
			return
		}
		value := flag.Value.String()
		restore = append(restore, func() error { return flag.Value.Set(value) })
	})
	return restore
}

// path is the role's configuration file: the one that was named, or else the one that is found.
func (f *roleFlags) path(name string) (path string, found bool) {
	if f.config != "" {
		return f.config, true
	}
	return findFile(name)
}

func findFile(name string) (path string, found bool) {
	candidates := []string{name}
	if dir, err := os.UserConfigDir(); err == nil {
		candidates = append(candidates, filepath.Join(dir, "tokengo", name))
	}
	for _, path := range candidates {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, true
		}
	}
	return "", false
}

// decodeFile reads a YAML file strictly. Errors name the file and the line.
func decodeFile(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return &usageError{fmt.Errorf("read configuration: %w", err), ""}
	}
	if err := decodeStrictly(data, into); err != nil {
		return fileError(path, err, keysOf(reflect.TypeOf(into).Elem()))
	}
	return nil
}

// decodeStrictly takes unknown keys for errors. All errors are in one, but for a file that is no YAML.
func decodeStrictly(data []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	all := &yaml.TypeError{}
	switch err := decoder.Decode(into); {
	case errors.Is(err, io.EOF): // nothing but comments
		return nil
	case errors.As(err, &all): // it has the errors of the first document
	case err != nil:
		return err
	}
	if keeper, ok := into.(interface{ decodingErrors() []string }); ok {
		all.Errors = append(all.Errors, keeper.decodingErrors()...)
	}
	all.Errors = append(all.Errors, oneDocument(decoder)...)
	var tree yaml.Node
	if yaml.Unmarshal(data, &tree) == nil {
		all.Errors = append(all.Errors, fractions(&tree, reflect.TypeOf(into).Elem())...)
	}
	if len(all.Errors) == 0 {
		return nil
	}
	return all
}

var unknownKey = regexp.MustCompile(`line (\d+): field (.+?) not found in type \S+`)

// fileError puts the decoder's words into the user's.
func fileError(path string, err error, known []string) error {
	m := unknownKey.FindStringSubmatch(err.Error())
	if m == nil {
		message := strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: ")
		return usagef("", "%s: %s", path, strings.TrimPrefix(message, "unmarshal errors: "))
	}
	hint := "known keys: " + strings.Join(known, ", ")
	if near := nearest(m[2], known); near != "" {
		hint = "did you mean " + near + "?"
	}
	return usagef(hint, "%s:%s: unknown key %q", path, m[1], m[2])
}

// keysOf lists the YAML keys of a struct type and of the structs in it.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		field := t.Field(i)
		if !field.IsExported() && !field.Anonymous {
			continue
		}
		name, inline := keyOf(field)
		inner := field.Type
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if !inline {
			keys = append(keys, name)
		}
		if inner.Kind() == reflect.Struct {
			keys = append(keys, keysOf(inner)...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// keyOf is the key of a struct's field: the one it has in YAML, else in JSON. A field without one has its own fields
// in its place.
func keyOf(field reflect.StructField) (name string, inline bool) {
	name, options, _ := strings.Cut(cmp.Or(field.Tag.Get("yaml"), field.Tag.Get("json")), ",")
	return name, name == "" || options == "inline"
}

// nearest is the known word that s is most likely a slip of, "" when none is near.
func nearest(s string, known []string) string {
	best, bestDistance := "", 1+len(s)/2
	for _, k := range known {
		if d := distance(s, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the Levenshtein distance: how many letters must be added, taken out or replaced.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
