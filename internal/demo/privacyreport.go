// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/internal/network"
)

const (
	overlapBytes = 12 // so many bytes in common with a prompt or an answer count as a leak
	cipherShown  = 16 // bytes of ciphertext shown
)

// privacyReport is who saw what, as 'demo --json' prints it.
type privacyReport struct {
	Client clientView `json:"client"`
	Relay  relayView  `json:"relay"`
	Exit   exitView   `json:"exit"`
	Checks []check    `json:"checks"`
	OK     bool       `json:"ok"`

	Scrubbing scrubView   `json:"scrubbing"`
	Traces    []traceView `json:"traces"`
}

// chatView is a question and its answer.
type chatView struct {
	Prompt   string `json:"prompt"`
	Answer   string `json:"answer"`
	Streamed bool   `json:"streamed"`
}

// clientView is what the client held: everything, on the user's own machine.
type clientView struct {
	Chats []chatView `json:"chats"`
}

// relayView is what the relay held.
type relayView struct {
	Requests []sealedView `json:"requests"`
}

// sealedView is a request as the relay forwarded it.
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

// newPrivacyReport is who saw what of the chats, and whether that is what should have been.
func newPrivacyReport(p *privacy, relayAddress string, chats []chatView) *privacyReport {
	r := &privacyReport{Client: clientView{Chats: chats}}
	for _, e := range p.atRelay.Exchanges() {
		exit, sealed := strings.CutPrefix(e.URI, "/ohttp/")
		if e.Method != http.MethodPost || !sealed {
			continue
		}
		r.Relay.Requests = append(r.Relay.Requests, sealedView{
			ClientAddress: e.Remote, Exit: exit,
			RequestBytes: len(e.Request), RequestBegins: beginning(e.Request),
			AnswerBytes: len(e.Response), AnswerBegins: beginning(e.Response),
		})
	}
	r.Exit.RelayAddress = relayAddress
	for _, e := range p.atExit.Exchanges() {
		if !slices.Contains(r.Exit.PeerAddresses, e.Remote) {
			r.Exit.PeerAddresses = append(r.Exit.PeerAddresses, e.Remote)
		}
	}
	for _, chat := range chats {
		if bytes.Contains(p.atBackend.Bytes(), []byte(chat.Prompt)) {
			r.Exit.Prompts = append(r.Exit.Prompts, chat.Prompt)
			r.Exit.Answers++
		}
	}
	r.check(p.atRelay.Bytes(), slices.Concat(p.atExit.Bytes(), p.atBackend.Bytes()))
	return r
}

// beginning is the first bytes in hex, enough to see that they say nothing.
func beginning(b []byte) string { return hex.EncodeToString(b[:min(len(b), cipherShown)]) }

// check searches what was recorded at the relay, and at exit and backend. Each check can fail: the first searches the
// exit's bytes for text that is there, and the next two the relay's in the same way.
func (r *privacyReport) check(relayHeld, exitHeld []byte) {
	var prompts, answers []byte
	for _, chat := range r.Client.Chats {
		prompts = append(append(prompts, chat.Prompt...), 0)
		answers = append(append(answers, chat.Answer...), 0)
	}
	overlap := func(text, data []byte) bool { return network.Overlap(text, data, overlapBytes) != nil }
	address := r.clientAddress()
	r.add(fmt.Sprintf("the exit had both prompts (so %d bytes of them would be found)", overlapBytes),
		overlap(prompts, exitHeld) && len(r.Exit.Prompts) == len(r.Client.Chats))
	r.add("no part of a prompt is in what the relay handled", len(r.Relay.Requests) > 0 && !overlap(prompts, relayHeld))
	r.add("no part of an answer is in what the relay handled", len(answers) > 0 && !overlap(answers, relayHeld))
	r.add("the relay had the client's address", address != "" && bytes.Contains(relayHeld, []byte(address)))
	r.add("the client's address is nowhere in what the exit handled", !bytes.Contains(exitHeld, []byte(address)))
	r.add("the exit's only peer was the relay", slices.Equal(r.Exit.PeerAddresses, []string{r.Exit.RelayAddress}))
}

// clientAddress is what tells the client from others: its host, or host and port where loopback is one address. It is
// empty when the relay got no request.
func (r *privacyReport) clientAddress() string {
	if len(r.Relay.Requests) == 0 {
		return ""
	}
	address := r.Relay.Requests[len(r.Relay.Requests)-1].ClientAddress
	host, _, _ := net.SplitHostPort(address)
	relayHost, _, _ := net.SplitHostPort(r.Exit.RelayAddress)
	if host != relayHost {
		return host
	}
	return address
}

// add adds a check.
func (r *privacyReport) add(what string, ok bool) {
	r.Checks = append(r.Checks, check{what, ok})
	r.OK = r.failed() == nil
}

// failed implements [report].
func (r *privacyReport) failed() error { return failedCheck(r.Checks) }
