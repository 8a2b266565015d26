// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Command routesim simulates clients that choose among exits, in virtual time, and writes what it finds into the
// documentation: the table of figures in docs/routing.md and the plots beside it. Its tests hold package route to the
// same figures.
//
//	go run ./internal/routesim          # from the root of the repository
//
// A world is made of exits of different price, speed, failure and honesty, and of clients that each have a
// [github.com/tokengo/tokengo/route.Chooser] of their own and learn alone. Everything is drawn from one seed, so that
// two runs are the same. It knows nothing of networks: an attempt takes as long as its exit takes.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := write("docs"); err != nil {
		fmt.Fprintln(os.Stderr, "routesim:", err)
		os.Exit(1)
	}
}

// write runs all scenarios and puts the results into the directory of the documentation.
func write(docs string) error {
	results, err := runAll()
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	page := filepath.Join(docs, "routing.md")
	old, err := os.ReadFile(page)
	if err != nil {
		return fmt.Errorf("run it from the root of the repository: %w", err)
	}
	text, err := between(old, results.table())
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	if err := os.WriteFile(page, text, 0o644); err != nil {
		return err
	}
	plots := filepath.Join(docs, "routing")
	if err := os.MkdirAll(plots, 0o755); err != nil {
		return err
	}
	for name, plot := range results.plots() {
		if err := os.WriteFile(filepath.Join(plots, name+".svg"), plot, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// The lines between which the table of figures stands.
const (
	beginFigures = "<!-- figures: go run ./internal/routesim -->\n"
	endFigures   = "<!-- end of figures -->\n"
)

// between puts a table into a page in the place of the one before.
func between(page []byte, table string) ([]byte, error) {
	head, rest, begun := bytes.Cut(page, []byte(beginFigures))
	_, tail, ended := bytes.Cut(rest, []byte(endFigures))
	if !begun || !ended {
		return nil, errors.New("the lines that enclose the figures are missing")
	}
	return bytes.Join([][]byte{head, []byte(beginFigures), []byte(table), []byte(endFigures), tail}, nil), nil
}
