// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/internal/network"
)

// Each check fails when what it is about goes wrong, and none of the others does.
func TestPrivacyChecks(t *testing.T) {
	const prompt, answer = "what should I ask the doctor", "an answer that is long enough"
	held := func(lines ...string) []byte { return []byte(strings.Join(lines, "\n")) }
	goodRelay := held("127.0.0.2:1000 POST /ohttp/aa", "sealed")
	goodExit := held("127.0.0.3:2000 POST /", prompt, answer)
	tests := []struct {
		name        string
		relay, exit []byte
		peers       []string
		want        []string // beginnings of the checks that fail
	}{
		{"as it should be", goodRelay, goodExit, []string{"127.0.0.3:2000"}, nil},
		{"the exit has nothing", goodRelay, nil, []string{"127.0.0.3:2000"}, []string{"the exit had both prompts"}},
		{"the relay has a piece of the prompt", append(held(prompt[5:17]), goodRelay...), goodExit, []string{"127.0.0.3:2000"}, []string{"no part of a prompt"}},
		{"the relay has a piece of the answer", append(held(answer[:12]), goodRelay...), goodExit, []string{"127.0.0.3:2000"}, []string{"no part of an answer"}},
		{"the relay does not have the address", held("sealed"), goodExit, []string{"127.0.0.3:2000"}, []string{"the relay had the client's address"}},
		{"the exit has the address", goodRelay, append(held("127.0.0.2"), goodExit...), []string{"127.0.0.3:2000"}, []string{"the client's address is nowhere"}},
		{"another peer", goodRelay, goodExit, []string{"127.0.0.3:2000", "127.0.0.2:1000"}, []string{"the exit's only peer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &privacyReport{
				Client: clientView{Chats: []chatView{{Prompt: prompt, Answer: answer}}},
				Relay:  relayView{Requests: []sealedView{{ClientAddress: "127.0.0.2:1000"}}},
				Exit:   exitView{PeerAddresses: tt.peers, RelayAddress: "127.0.0.3:2000", Prompts: []string{prompt}},
			}
			r.check(tt.relay, tt.exit)
			var failed []check
			for _, c := range r.Checks {
				if !c.OK {
					failed = append(failed, c)
				}
			}
			if len(failed) != len(tt.want) {
				t.Fatalf("failed: %v, want %q", failed, tt.want)
			}
			for i, c := range failed {
				if !strings.HasPrefix(c.What, tt.want[i]) {
					t.Errorf("failed: %q, want %q", c.What, tt.want[i])
				}
			}
			if wantOK := tt.want == nil; r.OK != wantOK || (r.failed() == nil) != wantOK {
				t.Errorf("OK = %t, failed() = %v, want OK %t", r.OK, r.failed(), wantOK)
			}
		})
	}
}

func TestClientAddressWhereLoopbackIsOneAddress(t *testing.T) {
	r := &privacyReport{
		Relay: relayView{Requests: []sealedView{{ClientAddress: "127.0.0.1:1000"}}},
		Exit:  exitView{RelayAddress: "127.0.0.1:2000"},
	}
	if got := r.clientAddress(); got != "127.0.0.1:1000" {
		t.Errorf("clientAddress() = %q, want it with the port, since hosts do not tell parties apart", got)
	}
}

func TestColumns(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	got := columns([]network.Piece{{At: ms(1050), Bytes: 1}, {At: ms(1149), Bytes: 2}, {At: ms(1150), Bytes: 4}, {At: ms(9000), Bytes: 8}})
	want := make([]int, traceTime/traceColumn)
	want[0], want[1] = 3, 4 // and nothing of the piece that came after all columns
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestPlot(t *testing.T) {
	if got, want := plot([]int{0, 1, 50, 100}, 100), " ▁▅█"; got != want {
		t.Errorf("plot = %q, want %q", got, want)
	}
}

func TestSideBySide(t *testing.T) {
	var got strings.Builder
	sideBySide(&got, 19, []column{{"A", []string{"one two three"}}, {"B", []string{"äöüäöüäöüx"}}})
	want := `A        | B
-------- | --------
one two  | äöüäöüäö
three    | üx
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("sideBySide (-want +got):\n%s", diff)
	}
}

func TestReadStream(t *testing.T) {
	const piece = `data: {"choices":[{"delta":{"content":"ab "}}]}` + "\n\n"
	tests := []struct {
		name, stream, want string
		fails              bool
	}{
		{"whole", piece + ": a comment\n\n" + piece + "data: [DONE]\n\n", "ab ab ", false},
		{"without an end", piece, "", true},
		{"not JSON", "data: {\n\n", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readStream(strings.NewReader(tt.stream), io.Discard)
			if got != tt.want || (err != nil) != tt.fails {
				t.Errorf("readStream() = %q, %v, want %q, error %t", got, err, tt.want, tt.fails)
			}
		})
	}
}

func TestReadPlain(t *testing.T) {
	var printed bytes.Buffer
	got, err := readPlain(strings.NewReader(`{"choices":[{"message":{"content":"ab"}}]}`), &printed)
	if got != "ab" || err != nil || printed.String() != "ab" {
		t.Errorf("readPlain() = %q, %v, printed %q", got, err, printed.String())
	}
	if _, err := readPlain(strings.NewReader(`{"choices":[]}`), io.Discard); err == nil {
		t.Error("readPlain() of an answer without a choice returned no error")
	}
}
