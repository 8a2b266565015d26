// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	readyTimeout  = 30 * time.Second
	readyInterval = 20 * time.Millisecond // between looks at whether the client sees the exit
)

// roles are the processes whose cost is measured, in the order in which a request meets them.
var roles = []string{"client", "relay", "exit"}

// network is the three roles in front of the mock backend, each a process.
type network struct {
	children []*child // in the order in which they were started
	urls     [2]string
}

// startNetwork starts all processes and waits until the client offers the backend's model. They are asked
// to end with ctx; died is called when one ends before.
func startNetwork(ctx context.Context, binary, dir string, opt options, died func(error)) (*network, error) {
	n := &network{}
	err := n.start(ctx, binary, dir, opt, died)
	if err != nil {
		return nil, errors.Join(err, n.stop())
	}
	return n, nil
}

func (n *network) start(ctx context.Context, binary, dir string, opt options, died func(error)) error {
	ready, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("it took longer than %s", readyTimeout))
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start the backend: %w", err)
	}
	env := childEnv(os.Environ(), dir)
	launch := func(name, file string, args ...string) (string, error) {
		c, err := startChild(ctx, command{name: name, file: file, args: args, env: env, dir: dir}, died)
		if err != nil {
			return "", err
		}
		n.children = append(n.children, c)
		if name == "exit" { // it has no URL
			return "", nil
		}
		return c.url(ready)
	}
	n.urls[direct], err = launch("backend", self, backendCommand, "-chunks", fmt.Sprint(opt.chunks), "-interval", opt.interval.String())
	if err != nil {
		return err
	}
	state := func(role string) string { return filepath.Join(dir, role) }
	relay, err := launch("relay", binary, "relay", "--listen", "127.0.0.1:0", "--state-dir", state("relay"))
	if err != nil {
		return err
	}
	if _, err := launch("exit", binary, "exit", "--relay", relay, "--backend", "openai="+n.urls[direct], "--state-dir", state("exit")); err != nil {
		return err
	}
	n.urls[tunnelled], err = launch("client", binary, "client", "--relay", relay, "--listen", "127.0.0.1:0", "--state-dir", state("client"), "--shape", "off")
	if err != nil {
		return err
	}
	return n.waitForModel(ready)
}

// childEnv is the environment of the children: the parts that a process needs to run and that tune Go, and
// directories of their own for all else, so that no configuration and no key of the user's gets in.
func childEnv(environ []string, dir string) []string {
	keep := []string{"PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG", "GOTRACEBACK"}
	env := slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return !slices.Contains(keep, strings.ToUpper(name))
	})
	for _, name := range []string{"HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME", "XDG_STATE_HOME"} {
		env = append(env, name+"="+dir)
	}
	return env
}

// waitForModel waits until the client lists the backend's model, which says that all are connected.
func (n *network) waitForModel(ctx context.Context) error {
	poll := time.NewTicker(readyInterval)
	defer poll.Stop()
	for {
		listed, err := listsModel(ctx, n.urls[tunnelled])
		if listed {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the client to offer the backend's model: %w (last: %v)%s", context.Cause(ctx), err, n.said())
		case <-poll.C:
		}
	}
}

func listsModel(ctx context.Context, base string) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+pathModels, nil)
	if err != nil {
		return false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxRequestBytes)).Decode(&list); err != nil {
		return false, fmt.Errorf("the client's models: %w", err)
	}
	for _, m := range list.Data {
		if m.ID == model {
			return true, nil
		}
	}
	return false, fmt.Errorf("the client offers %d models and not the backend's", len(list.Data))
}

// said is what the children wrote to their standard errors.
func (n *network) said() string {
	var b strings.Builder
	for _, c := range n.children {
		if s := c.stderr.String(); s != "" {
			fmt.Fprintf(&b, "\n-- %s:%s", c.name, s)
		}
	}
	return b.String()
}

// pid is the process of a role.
func (n *network) pid(role string) int {
	i := slices.IndexFunc(n.children, func(c *child) bool { return c.name == role })
	return n.children[i].cmd.Process.Pid
}

// stop ends all processes, the last one started first.
func (n *network) stop() error {
	var errs []error
	for _, c := range slices.Backward(n.children) {
		errs = append(errs, c.stop())
	}
	return errors.Join(errs...)
}

// build compiles cmd/tokengo of the module in the working directory.
func build(ctx context.Context, dir string) (string, error) {
	file := filepath.Join(dir, "tokengo")
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-o", file, "github.com/tokengo/tokengo/cmd/tokengo").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build cmd/tokengo: %w\n%s", err, out)
	}
	return file, nil
}
