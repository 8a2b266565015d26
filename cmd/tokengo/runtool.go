// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/internal/secret"
)

// probeTimeout is how long a look for a running client may take.
const probeTimeout = time.Second

func newRunCommand() *cobra.Command {
	f := &clientFlags{}
	cmd := &cobra.Command{
		Use:   "run [flags] TOOL [ARGUMENT…]",
		Short: "Start an AI tool so that it asks through TokenGo",
		Long: `Start claude, codex, gemini or any other command with the environment and the overrides that make it use the
local client. Nothing in the tool's own files is changed. If no client runs at --listen, one is started for as
long as the tool runs, with the settings that 'tokengo client' takes.

The tool's exit status becomes tokengo's.`,
		Example: `  tokengo run claude --model claude-sonnet-4
  tokengo run --model qwen3-coder claude
  tokengo run codex exec "explain this repository"
  tokengo run --relay https://relay.example gemini -m gemini-2.5-pro
  tokengo run python ask.py`,
		Args: usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := loadFile(cmd, &f.roleFlags, clientFileName, &f.file); err != nil {
				return err
			}
			return runTool(cmd, f, args)
		},
	}
	f.register(cmd, clientFileName)
	f.registerClient(cmd)
	level := cmd.Flags().Lookup("log-level")
	level.DefValue = "warn" // the tool draws on this terminal, too
	f.logLevel = level.DefValue
	cmd.Flags().SetInterspersed(false) // what follows the tool's name is the tool's
	return cmd
}

// runTool runs the tool to its end, with a client that was there or one of its own.
func runTool(cmd *cobra.Command, f *clientFlags, args []string) error {
	program, err := exec.LookPath(args[0])
	if err != nil {
		return &hintedError{fmt.Errorf("run %s: it is not installed", args[0]), "install it, or give its path"}
	}
	if strings.HasPrefix(f.file.Listen, "unix:") {
		return usagef("run it with --listen 127.0.0.1:0", "%s cannot be told of a socket, only of an address", args[0])
	}
	token, err := f.readToken()
	if err != nil {
		return err
	}
	if there := f.running(token); there.isClient(cmd.Context()) {
		if err := there.keepProven(cmd.Context()); err != nil && !token.IsZero() {
			return err
		} else if err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "what listens at %s does not prove to be a client of yours, by the state directory here; it reads what %s asks\n",
				f.file.Listen, args[0])
		}
		warnOfIgnored(cmd, f.file.Listen)
		return startTool(cmd, program, args, place{"http://" + f.file.Listen, token})
	}
	env, err := f.start(cmd, "client")
	if err != nil {
		return err
	}
	cfg, err := f.config(env)
	if err != nil {
		return err
	}
	if len(cfg.Relays) == 0 {
		return usagef("start one with 'tokengo client' or 'tokengo serve', or name a relay with --relay URL",
			"no client runs at %s, and no relay is configured to start one", f.file.Listen)
	}
	if err := f.file.look(cmd.Context(), &cfg, env.stderr); err != nil {
		return err
	}
	c, err := client.New(cfg)
	if err != nil {
		return &usageError{err: err}
	}
	ln, err := listen(cmd.Context(), cfg.Listen, "for the tool", "--listen")
	if err != nil {
		return err
	}
	return withClient(cmd.Context(), c, ln, func() error { return startTool(cmd, program, args, place{"http://" + ln.Addr().String(), token}) })
}

// running is the client that may run already, with the tokens by which it proves itself.
func (f *clientFlags) running(token secret.Secret) *source {
	s := (&lookFlags{roleFlags: f.roleFlags, file: f.file}).client()
	if !token.IsZero() {
		s.tokens = append(s.tokens, token)
	}
	return s
}

// warnOfIgnored names the flags that say how a client runs, when one runs already.
func warnOfIgnored(cmd *cobra.Command, address string) {
	var ignored []string
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if !slices.Contains([]string{"listen", "token", "token-file", "config", "state-dir", "log-level"}, flag.Name) {
			ignored = append(ignored, "--"+flag.Name)
		}
	})
	if len(ignored) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "the client that runs at %s is used as it is: %s mean nothing to it\n", address, strings.Join(ignored, ", "))
	}
}

// withClient serves c while f runs. An interrupt is the tool's to act on: the client outlives it.
func withClient(ctx context.Context, c *client.Client, ln net.Listener, f func() error) error {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return c.Serve(serving, ln) })
	err := f()
	stop()
	return errors.Join(err, group.Wait())
}

// place is where a tool finds the client.
type place struct {
	url   string
	token secret.Secret // that the client asks for, or none
}

// key is what the tool is given as its API key.
func (p place) key() string { return cmp.Or(p.token.Reveal(), placeholderKey) }

// startTool runs the tool on this terminal.
func startTool(cmd *cobra.Command, program string, args []string, at place) error {
	tool := exec.Command(program, toolArguments(args, at.url)...)
	tool.Args[0] = args[0]
	tool.Env = quietEnvironment(toolEnvironment(os.Environ(), at))
	if toolName(args) == "gemini" {
		defaults, remove, err := geminiDefaults(tool.Env)
		if err != nil {
			return err
		}
		defer remove()
		tool.Env = append(tool.Env, defaults...)
	}
	tool.Stdin, tool.Stdout, tool.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	err := tool.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return &toolError{args[0], statusOf(ended.ProcessState)}
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", args[0], err)
	}
	return nil
}

// statusOf is the exit status of a process that has ended, as shells count: 128 and the signal that ended it.
func statusOf(ended *os.ProcessState) int {
	if how, ok := ended.Sys().(syscall.WaitStatus); ok && how.Signaled() {
		return 128 + int(how.Signal())
	}
	return ended.ExitCode()
}

// toolError is a tool that ended with a status other than 0. The tool has said why.
type toolError struct {
	tool   string
	status int
}

func (e *toolError) Error() string { return fmt.Sprintf("%s ended with status %d", e.tool, e.status) }

// toolArguments are the tool's own, behind the overrides that it needs.
func toolArguments(args []string, url string) []string {
	if toolName(args) != "codex" {
		return args[1:]
	}
	// Codex does not read OPENAI_BASE_URL.
	provider := fmt.Sprintf(`model_providers.tokengo={name="TokenGo", base_url="%s/v1", wire_api="responses", env_key="OPENAI_API_KEY"}`, url)
	return append([]string{
		"-c", "model_provider=tokengo", "-c", provider, "-c", "analytics.enabled=false", "-c", "feedback.enabled=false",
	}, args[1:]...)
}

// toolName is what the tool is called, whatever its path.
func toolName(args []string) string { return strings.TrimSuffix(filepath.Base(args[0]), ".exe") }

// toolEnvironment is environ with the addresses and placeholder keys of every protocol. A credential of the
// user's own would be dropped by the client in any case; it is not even handed to the tool.
func toolEnvironment(environ []string, at place) []string {
	url, key := at.url, at.key()
	set := []struct{ name, value string }{
		{"OPENAI_BASE_URL", url + "/v1"},
		{"OPENAI_API_KEY", key},
		{"ANTHROPIC_BASE_URL", url},
		{"ANTHROPIC_AUTH_TOKEN", key}, // Claude Code asks before it uses an ANTHROPIC_API_KEY
		{"ANTHROPIC_API_KEY", ""},
		{"GOOGLE_GEMINI_BASE_URL", url},
		{"GEMINI_API_KEY", key},
		{"GOOGLE_API_KEY", ""},
		{"OLLAMA_HOST", strings.TrimPrefix(url, "http://")},
	}
	env := slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.ContainsFunc(set, func(s struct{ name, value string }) bool { return s.name == name })
	})
	for _, s := range set {
		if s.value != "" {
			env = append(env, s.name+"="+s.value)
		}
	}
	return env
}

// quiet are the variables by which AI tools are told to send their makers no telemetry, as their documentation has them:
// code.claude.com/docs/en/data-usage, geminicli.com/docs/cli/telemetry, and the settings of Qwen Code. Codex takes options
// instead (developers.openai.com/codex/config-reference). opencode documents no telemetry.
var quiet = []struct{ name, value string }{
	{"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"},
	{"DISABLE_TELEMETRY", "1"},
	{"DISABLE_ERROR_REPORTING", "1"},
	{"GEMINI_TELEMETRY_ENABLED", "false"},
	{"QWEN_TELEMETRY_ENABLED", "false"},
	{"QWEN_USAGE_STATISTICS_ENABLED", "false"},
}

// quietEnvironment adds the variables that ask for no telemetry. One that the user has set keeps its value.
func quietEnvironment(environ []string) []string {
	env := slices.Clone(environ)
	for _, q := range quiet {
		if !hasVariable(env, q.name) {
			env = append(env, q.name+"="+q.value)
		}
	}
	return env
}

func hasVariable(environ []string, name string) bool {
	return slices.ContainsFunc(environ, func(v string) bool { return strings.HasPrefix(v, name+"=") })
}

// Gemini CLI sends usage statistics unless a setting says no, for which there is no variable. Its settings have defaults of
// the system's, in a file that a variable names; settings of the user's own go before them.
const (
	geminiDefaultsVariable = "GEMINI_CLI_SYSTEM_DEFAULTS_PATH"
	geminiDefaultsFile     = "/etc/gemini-cli/system-defaults.json"
	geminiQuiet            = `{"privacy":{"usageStatisticsEnabled":false}}`
)

// geminiDefaults writes defaults for Gemini CLI, unless the system has some, and returns the variable that names them and
// what removes them again.
func geminiDefaults(environ []string) (variables []string, remove func(), err error) {
	if _, err := os.Stat(geminiDefaultsFile); err == nil || hasVariable(environ, geminiDefaultsVariable) {
		return nil, func() {}, nil
	}
	file, err := os.CreateTemp("", "tokengo-gemini-*.json")
	if err != nil {
		return nil, nil, fmt.Errorf("write settings for gemini: %w", err)
	}
	remove = func() { os.Remove(file.Name()) }
	_, err = file.WriteString(geminiQuiet)
	if err = errors.Join(err, file.Close()); err != nil {
		remove()
		return nil, nil, fmt.Errorf("write settings for gemini: %w", err)
	}
	return []string{geminiDefaultsVariable + "=" + file.Name()}, remove, nil
}
