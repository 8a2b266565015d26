// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tokengo": main})
}

// TestScripts runs testdata/script. Besides testscript's own commands there are
//
//	start NAME VAR ARGS…  runs tokengo ARGS in the background and sets $VAR to its first line of output
//	terminate NAME        sends it SIGTERM and waits until it has ended without an error
//	crash NAME            kills it
//	log NAME              makes what it wrote to standard error the output to search
//	ask [-fail] URL BODY  posts BODY as JSON and makes the answer the output, and the fields that say who gave it;
//	                      retries for a while until the status is 200, or with -fail wants another one at once
//	envfile FILE…         puts the values of variables into files, for ${VAR}
//	hangup NAME           sends it SIGHUP
//	waitlog NAME TEXT     waits until what it wrote to standard error has TEXT
//	slowbackend VAR       starts a backend of OpenAI's protocol that begins answers, and sets $VAR to its URL
//	finish                has it end them
//	stream NAME N URL BODY  begins N requests, one after the other, and waits until each answer has begun
//	join NAME             waits until they have ended and makes the answers the output, one a line
//	busy VAR              occupies a port and sets $VAR to its address
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			running := map[string]*process{}
			env.Values[runningKey{}] = running
			env.Values[valuesKey{}] = map[any]any{}
			env.Defer(func() {
				for _, p := range running {
					p.kill()
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": start, "terminate": terminate, "crash": crash, "log": showLog, "ask": ask, "busy": busy, "await": await,
			"envfile": envFile, "hangup": hangUp, "waitlog": waitLog, "slowbackend": serveSlow, "finish": finishSlow, "stream": beginStreams, "join": joinStreams,
		},
	})
}

// Testscript's own stop ends a script as if it had passed, and its own kill knows nothing of our processes.
func TestScriptsDoNotStop(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word == "stop" || word == "kill" {
				t.Errorf("%s: %q; use terminate or crash", path, strings.TrimSpace(line))
			}
		}
	}
}

type runningKey struct{}

// process is a tokengo that a script has started.
type process struct {
	cmd    *exec.Cmd
	stderr string // file
	stdout io.Closer
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
	p.stdout.Close()
}

func running(ts *testscript.TestScript) map[string]*process {
	return ts.Value(runningKey{}).(map[string]*process)
}

func find(ts *testscript.TestScript, name string) *process {
	p, ok := running(ts)[name]
	if !ok {
		ts.Fatalf("nothing called %s is running", name)
	}
	return p
}

func start(ts *testscript.TestScript, _ bool, args []string) {
	name, variable := args[0], args[1]
	program, err := exec.LookPath("tokengo")
	ts.Check(err)
	p := &process{cmd: exec.Command(program, args[2:]...), stderr: ts.MkAbs(name + ".log")}
	p.cmd.Dir = ts.MkAbs(".")
	for _, key := range []string{"HOME", "PATH", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TMPDIR", "SYSTEMROOT"} {
		p.cmd.Env = append(p.cmd.Env, key+"="+ts.Getenv(key))
	}
	log, err := os.OpenFile(p.stderr, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer log.Close()
	p.cmd.Stderr = log
	reader, writer, err := os.Pipe()
	ts.Check(err)
	p.cmd.Stdout, p.stdout = writer, reader
	ts.Check(p.cmd.Start())
	writer.Close()
	running(ts)[name] = p
	if variable == "-" {
		return
	}
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		text, _ := os.ReadFile(p.stderr)
		ts.Fatalf("%s printed nothing: %v\n%s", name, err, text)
	}
	ts.Setenv(variable, strings.TrimSpace(line))
}

func terminate(ts *testscript.TestScript, _ bool, args []string) {
	p := find(ts, args[0])
	delete(running(ts), args[0])
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	timer := time.AfterFunc(tardiness, func() { p.cmd.Process.Kill() })
	defer timer.Stop()
	err := p.cmd.Wait()
	p.stdout.Close()
	ts.Check(err)
}

func crash(ts *testscript.TestScript, _ bool, args []string) {
	find(ts, args[0]).kill()
	delete(running(ts), args[0])
}

func showLog(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(ts.MkAbs(args[0] + ".log"))
	ts.Check(err)
	ts.Stdout().Write(text)
}

func ask(ts *testscript.TestScript, _ bool, args []string) {
	fail := args[0] == "-fail"
	if fail {
		args = args[1:]
	}
	deadline := time.Now().Add(tardiness)
	for {
		status, header, text, err := post(args[0], args[1])
		ok := err == nil && status == http.StatusOK
		if fail && err == nil && !ok || !fail && ok {
			fmt.Fprintf(ts.Stdout(), "%d %s\n", status, text)
			for _, field := range []string{"x-tokengo-exit", "x-tokengo-model", "x-tokengo-tier"} {
				fmt.Fprintf(ts.Stdout(), "%s: %s\n", field, header.Get(field))
			}
			return
		}
		if fail || time.Now().After(deadline) {
			ts.Fatalf("POST %s: %d %s %v", args[0], status, text, err)
		}
	}
}

func post(url, body string) (status int, header http.Header, text string, err error) {
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, nil, "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, string(b), err
}

func busy(ts *testscript.TestScript, _ bool, args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ln.Close() })
	ts.Setenv(args[0], ln.Addr().String())
}

// await runs a command until what it prints on standard output matches a pattern: await PATTERN COMMAND…
func await(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(args[0])
	var out []byte
	for deadline := time.Now().Add(tardiness); time.Now().Before(deadline); {
		cmd := exec.Command(args[1], args[2:]...)
		cmd.Dir = ts.MkAbs(".")
		cmd.Env = os.Environ()
		for _, key := range []string{"HOME", "PATH", "XDG_STATE_HOME", "XDG_CONFIG_HOME"} {
			cmd.Env = append(cmd.Env, key+"="+ts.Getenv(key))
		}
		out, _ = cmd.Output()
		if want.Match(out) {
			ts.Stdout().Write(out)
			return
		}
	}
	ts.Fatalf("%v never printed %q, but\n%s", args[1:], want, out)
}
