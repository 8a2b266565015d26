// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/tokengo/tokengo/internal/network"
)

// demoReport is who saw what, as 'demo --json' prints it.
type demoReport struct {
	Client clientView  `json:"client"`
	Relay  relayView   `json:"relay"`
	Exit   exitView    `json:"exit"`
	Checks []demoCheck `json:"checks"`
	OK     bool        `json:"ok"`

	Scrubbing scrubView   `json:"scrubbing"`
	Traces    []traceView `json:"traces"`
}

type demoChat struct {
	Prompt   string `json:"prompt"`
	Answer   string `json:"answer"`
	Streamed bool   `json:"streamed"`
}

// clientView is what the client held: everything, on the user's own machine.
type clientView struct {
	Chats []demoChat `json:"chats"`
}

// relayView is what the relay held.
type relayView struct {
	Requests []sealedView `json:"requests"`
}

type sealedView struct {
	ClientAddress string `json:"client_address"`
	Exit          string `json:"exit"`
	RequestBytes  int    `json:"request_bytes"`
	RequestBegins string `json:"request_begins"` // hex
	AnswerBytes   int    `json:"answer_bytes"`
	AnswerBegins  string `json:"answer_begins"` // hex
}

// exitView is what the exit held.
type exitView struct {
	PeerAddresses []string `json:"peer_addresses"`
	RelayAddress  string   `json:"relay_address"`
	Prompts       []string `json:"prompts"` // found in what it sent to the backend
	Answers       int      `json:"answers"`
}

// demoCheck is a statement about the recorded bytes.
type demoCheck struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
}

func newDemoReport(d *demoNetwork, chats []demoChat) *demoReport {
	r := &demoReport{Client: clientView{Chats: chats}}
	clientHost := ""
	for _, e := range d.atRelay.Exchanges() {
		exit, sealed := strings.CutPrefix(e.URI, "/ohttp/")
		if e.Method != http.MethodPost || !sealed {
			continue
		}
		clientHost = e.Remote
		r.Relay.Requests = append(r.Relay.Requests, sealedView{
			ClientAddress: e.Remote, Exit: exit,
			RequestBytes: len(e.Request), RequestBegins: first(e.Request),
			AnswerBytes: len(e.Response), AnswerBegins: first(e.Response),
		})
	}
	r.Exit.RelayAddress = d.RelayURL().Host
	for _, e := range d.atExit.Exchanges() {
		if !slices.Contains(r.Exit.PeerAddresses, e.Remote) {
			r.Exit.PeerAddresses = append(r.Exit.PeerAddresses, e.Remote)
		}
	}
	for _, chat := range chats {
		if bytes.Contains(d.atBackend.Bytes(), []byte(chat.Prompt)) {
			r.Exit.Prompts = append(r.Exit.Prompts, chat.Prompt)
			r.Exit.Answers++
		}
	}
	r.check(d, clientHost)
	return r
}

func first(b []byte) string { return hex.EncodeToString(b[:min(len(b), cipherShown)]) }

// check searches the recorded bytes. Each check can fail: the first two look for text that is there at
// the exit, with the same search.
func (r *demoReport) check(d *demoNetwork, clientAddress string) {
	relayHeld := d.atRelay.Bytes()
	exitHeld := slices.Concat(d.atExit.Bytes(), d.atBackend.Bytes())
	var prompts, answers []byte
	for _, chat := range r.Client.Chats {
		prompts = append(append(prompts, chat.Prompt...), 0)
		answers = append(append(answers, chat.Answer...), 0)
	}
	overlap := func(text, data []byte) bool { return network.Overlap(text, data, overlapBytes) != nil }
	clientHost, _, _ := net.SplitHostPort(clientAddress)
	relayHost, _, _ := net.SplitHostPort(r.Exit.RelayAddress)
	distinct := clientHost != relayHost // not where loopback is one address
	address := clientAddress
	if distinct {
		address = clientHost
	}
	r.Checks = []demoCheck{
		{fmt.Sprintf("the exit had both prompts (so %d bytes of them would be found)", overlapBytes), overlap(prompts, exitHeld) && len(r.Exit.Prompts) == len(r.Client.Chats)},
		{"no part of a prompt is in what the relay handled", len(r.Relay.Requests) > 0 && !overlap(prompts, relayHeld)},
		{"no part of an answer is in what the relay handled", len(answers) > 0 && !overlap(answers, relayHeld)},
		{"the relay had the client's address", address != "" && bytes.Contains(relayHeld, []byte(address))},
		{"the client's address is nowhere in what the exit handled", !bytes.Contains(exitHeld, []byte(address))},
		{"the exit's only peer was the relay", slices.Equal(r.Exit.PeerAddresses, []string{r.Exit.RelayAddress})},
	}
	r.OK = r.failed() == nil
}

func (r *demoReport) failed() error { return failedCheck(r.Checks) }

// showDemo prints the three parties side by side.
func showDemo(w io.Writer, r *demoReport) {
	var mine, relays, exits []string
	for _, c := range r.Client.Chats {
		mine = append(mine, "prompt: "+c.Prompt, "answer: "+c.Answer, "")
		exits = append(exits, "prompt: "+c.Prompt, "answer: "+c.Answer, "")
	}
	for _, q := range r.Relay.Requests {
		relays = append(relays,
			"from "+q.ClientAddress, "to exit "+q.Exit[:min(8, len(q.Exit))],
			fmt.Sprintf("request, %d bytes: %s…", q.RequestBytes, q.RequestBegins),
			fmt.Sprintf("answer, %d bytes: %s…", q.AnswerBytes, q.AnswerBegins), "")
	}
	exits = append([]string{"from " + strings.Join(r.Exit.PeerAddresses, ", ") + " (the relay)"}, exits...)
	fmt.Fprintln(w, "WHO SAW WHAT")
	fmt.Fprintln(w)
	sideBySide(w, terminalWidth(w), []column{
		{"CLIENT (you)", mine}, {"RELAY (who, not what)", relays}, {"EXIT (what, not who)", exits},
	})
	showScrubbing(w, r.Scrubbing)
	showTraces(w, r.Traces)
	fmt.Fprintln(w, "\nCHECKS on the recorded bytes")
	for _, c := range r.Checks {
		mark := "ok    "
		if !c.OK {
			mark = "FAILED"
		}
		fmt.Fprintf(w, "%s %s\n", mark, c.What)
	}
	fmt.Fprintln(w, "\nNext: tokengo serve   (your own backends), or see the README for three machines")
}

type column struct {
	title string
	lines []string
}

// sideBySide prints columns of equal width, folding their lines.
func sideBySide(w io.Writer, width int, columns []column) {
	const gap = 3
	each := (width - gap*(len(columns)-1)) / len(columns)
	folded := make([][]string, len(columns))
	rows := 0
	for i, c := range columns {
		folded[i] = append([]string{c.title, strings.Repeat("-", each)}, fold(c.lines, each)...)
		rows = max(rows, len(folded[i]))
	}
	for row := range rows {
		var line strings.Builder
		for i := range columns {
			cell := ""
			if row < len(folded[i]) {
				cell = folded[i][row]
			}
			line.WriteString(cell + strings.Repeat(" ", max(0, each-utf8.RuneCountInString(cell))))
			if i < len(columns)-1 {
				line.WriteString(" | ")
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// fold breaks lines at spaces, and words that are longer than a line anywhere.
func fold(lines []string, width int) []string {
	var out []string
	for _, line := range lines {
		current := ""
		for _, word := range strings.Fields(line) {
			if current != "" && utf8.RuneCountInString(current+" "+word) > width {
				out, current = append(out, current), ""
			}
			if current != "" {
				current += " "
			}
			current += word
			for runes := []rune(current); len(runes) > width; runes = []rune(current) {
				out, current = append(out, string(runes[:width])), string(runes[width:])
			}
		}
		out = append(out, current)
	}
	return out
}

// terminalWidth is the width of the terminal that w is, within reason, or 100.
func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return min(max(width, 72), 140)
		}
	}
	return 100
}
