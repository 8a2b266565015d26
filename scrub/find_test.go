// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/scrub"
)

// fake makes a text of a known form that is nobody's: split, so that no scanner of repositories takes it for real.
func fake(parts ...string) string { return strings.Join(parts, "") }

func anyKind(scrub.Kind) bool { return true }

var findTests = []struct {
	text string
	want []scrub.Kind
}{
	{`nothing here, not ask-me, task-1, user@localhost or a@b`, nil},
	{`see /home/alice/x`, []scrub.Kind{scrub.KindHome}},
	{`C:\\Users\\alice\\x and /Users/bob`, []scrub.Kind{scrub.KindHome}},
	{`write to alice.b@mail.planted.io.`, []scrub.Kind{scrub.KindEmail}},
	{`user@example.com, x@mail.example.org, /home/user417/x`, nil},
	{`npm i react@18.2.0 @types/node`, nil},
	{`key ` + fake("sk-", "proj-", strings.Repeat("aB3", 10)), []scrub.Kind{scrub.KindAPIKey}},
	{`\n` + fake("sk-", "ant-api03-", strings.Repeat("aB3", 10)), []scrub.Kind{scrub.KindAPIKey}},
	{`desk-` + strings.Repeat("a", 30), nil},
	{fake("AKIA", "ABCDEFGHIJKLMNOP"), []scrub.Kind{scrub.KindAPIKey}},
	{fake("AIza", strings.Repeat("a", 35)), []scrub.Kind{scrub.KindAPIKey}},
	{fake("ghp_", strings.Repeat("a", 36)), []scrub.Kind{scrub.KindToken}},
	{fake("github_pat_", strings.Repeat("a", 30)), []scrub.Kind{scrub.KindToken}},
	{fake("xoxb-", "1234567890-abc"), []scrub.Kind{scrub.KindToken}},
	{fake("eyJ", "hbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0NTYifQ.", "c2lnbmF0dXJlc2ln"), []scrub.Kind{scrub.KindJWT}},
	{`-----BEGIN RSA ` + fake("PRIVATE", ` KEY-----\nMII`), []scrub.Kind{scrub.KindPrivateKey}},
	{`-----BEGIN ` + fake("PUBLIC", ` KEY-----\nMII`), nil},
}

func TestFind(t *testing.T) {
	for _, tt := range findTests {
		body := []byte(`{"model":"m","messages":[{"content":"hi"},{"content":"` + tt.text + `"}]}`)
		if diff := cmp.Diff(tt.want, scrub.Kinds(body, anyKind)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
		var want []scrub.Finding
		for _, k := range tt.want {
			want = append(want, scrub.Finding{Kind: k, Where: "messages[1]"})
		}
		if diff := cmp.Diff(want, scrub.Find(body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
	}
}

// Each message is named, but a field that the tool made up is not.
func TestFindPlaces(t *testing.T) {
	body := `{"system":"/home/ann","messages":["/home/bob","","/home/cy and /home/di"],"PLANTED":["/home/eve"]}`
	want := []scrub.Finding{
		{Kind: scrub.KindHome, Where: "system"},
		{Kind: scrub.KindHome, Where: "messages[0]"},
		{Kind: scrub.KindHome, Where: "messages[2]"},
		{Kind: scrub.KindHome, Where: "another field[0]"},
	}
	if diff := cmp.Diff(want, scrub.Find([]byte(body))); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
