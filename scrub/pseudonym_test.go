// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/scrub"
)

// alice is a made-up user.
var alice = scrub.Identity{
	Home: "/home/alice", User: "alice", Host: "wonderland",
	GitNames: []string{"Alice Liddell"}, Emails: []string{"alice@liddell.example", "al@rabbit.example"},
	Remotes: []string{"git@git.liddell.example:liddell/looking-glass.git", "https://github.com/carroll/app"},
	Words:   []string{"Jabberwock"},
}

// chat is a chat request with one message.
func chat(text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return []byte(`{"messages":[{"content":` + string(quoted) + `,"role":"user"}],"model":"alice"}`)
}

// renamed scrubs a request with pseudonyms.
func renamed(t testing.TB, path string, body []byte, id scrub.Identity) *scrub.Request {
	t.Helper()
	q, problem := scrub.New(operation(t, path), nil, body, scrub.Options{Pseudonyms: scrub.NewPseudonyms(id)})
	if problem != nil {
		t.Fatal(problem)
	}
	return q
}

// content is the text of the only message of a chat request.
func content(t testing.TB, body []byte) string {
	t.Helper()
	var m struct {
		Model    string
		Messages []struct{ Content string }
	}
	if err := json.Unmarshal(body, &m); err != nil || m.Model != "alice" {
		t.Fatalf("%s: %v", body, err)
	}
	return m.Messages[0].Content
}

var nameTests = []struct{ in, want string }{
	{"cd /home/alice/src && ls", "cd /home/user417/src && ls"},
	{"/home/alice", "/home/user417"},
	{"/home/alice-2 and /home/alicex", "/home/user417-2 and /home/alicex"},
	{"alice Alice ALICE aLiCe malice alices alice_1", "user417 User417 USER417 aLiCe malice alices user417_1"},
	{"~/.claude/projects/-home-alice-src/memory", "~/.claude/projects/-home-user417-src/memory"},
	{"file:///home/alice/x?p=%2Fhome%2Falice%2Fx", "file:///home/user417/x?p=%2Fhome%2Fuser417%2Fx"},
	{"Alice Liddell <alice@liddell.example>, AL@RABBIT.EXAMPLE", "Alex Person417 <mail417@example.invalid>, MAIL418@EXAMPLE.INVALID"},
	{"alice@wonderland:~$", "user417@host417:~$"},
	{"git clone git@git.liddell.example:liddell/looking-glass.git", "git clone git@git417.example.invalid:owner417/repo417.git"},
	{"https://github.com/carroll/app is an app", "https://github.com/owner418/repo418 is an app"},
	{"the Jabberwock, JABBERWOCK", "the word417, WORD417"},
	{`"\nalice\talice"`, `"\nuser417\tuser417"`},
	{"爱alice丽", "爱user417丽"},
	{"nothing", "nothing"},
}

// Names become placeholders, and an answer that repeats those becomes what was asked with.
func TestPseudonyms(t *testing.T) {
	for _, tt := range nameTests {
		q := renamed(t, "/v1/chat/completions", chat(tt.in), alice)
		if got := content(t, q.For(scrub.Exit{}).Body); got != tt.want {
			t.Errorf("%s\nbecame %s\nwant   %s", tt.in, got, tt.want)
		}
		if got := content(t, restored(t, q, string(chat(tt.want)), "application/json")); got != tt.in {
			t.Errorf("%s\nin an answer became %s\nwant %s", tt.want, got, tt.in)
		}
	}
}

// restored is an answer as the tool gets it.
func restored(t testing.TB, q *scrub.Request, answer, contentType string) []byte {
	t.Helper()
	got, err := io.ReadAll(q.Restore(strings.NewReader(answer), contentType))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPseudonymsOnWindows(t *testing.T) {
	id := scrub.Identity{Home: `C:\Users\Alice`, User: "Alice"}
	for in, want := range map[string]string{
		`dir C:\Users\Alice\src`:              `dir C:\Users\user417\src`,
		`{"path":"C:\\Users\\Alice\\src"}`:    `{"path":"C:\\Users\\user417\\src"}`,
		`C:/Users/Alice/src /c/Users/Alice/x`: `C:/Users/user417/src /c/Users/user417/x`,
	} {
		q := renamed(t, "/v1/chat/completions", chat(in), id)
		if got := content(t, q.For(scrub.Exit{}).Body); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
		if got := content(t, restored(t, q, string(chat(want)), "application/json")); got != in {
			t.Errorf("%s in an answer became %s, want %s", want, got, in)
		}
	}
}

// Words of the protocol, names of models and tools, ids and keys of structured parts stay, whatever the user is called.
func TestPseudonymsLeaveTheProtocolAlone(t *testing.T) {
	tests := []struct{ path, body, want string }{
		{
			"/v1/messages",
			`{"model":"alice","messages":[{"role":"alice","content":[{"id":"alice","input":{"/home/alice/x":{"type":"alice"}},"name":"alice","type":"tool_use"},{"content":"alice","tool_use_id":"alice","type":"tool_result"},{"signature":"alice","thinking":"alice","type":"thinking"}]}],"system":"alice"}`,
			`{"messages":[{"content":[{"id":"alice","input":{"/home/user417/x":{"type":"user417"}},"name":"alice","type":"tool_use"},{"content":"user417","tool_use_id":"alice","type":"tool_result"},{"signature":"alice","thinking":"user417","type":"thinking"}],"role":"alice"}],"model":"alice","system":"user417"}`,
		},
		{
			"/v1/responses",
			`{"alice":1,"input":[{"arguments":"{\"p\":\"/home/alice\"}","call_id":"alice","name":"alice","type":"function_call"},{"encrypted_content":"alice","type":"reasoning"}],"instructions":"alice","model":"m","store":false,"tools":[{"description":"of alice","name":"alice","parameters":{"properties":{"alice":{"default":"/home/alice","type":"string"}},"required":["alice"]}}]}`,
			`{"alice":1,"input":[{"arguments":"{\"p\":\"/home/user417\"}","call_id":"alice","name":"alice","type":"function_call"},{"encrypted_content":"alice","type":"reasoning"}],"instructions":"user417","model":"m","store":false,"tools":[{"description":"of user417","name":"alice","parameters":{"properties":{"alice":{"default":"/home/user417","type":"string"}},"required":["alice"]}}]}`,
		},
		{
			"/v1beta/models/m:generateContent",
			`{"contents":[{"parts":[{"functionResponse":{"name":"alice","response":{"name":"alice"}}},{"inlineData":{"data":"alice","mimeType":"alice"}}],"role":"alice"}]}`,
			`{"contents":[{"parts":[{"functionResponse":{"name":"alice","response":{"name":"user417"}}},{"inlineData":{"data":"alice","mimeType":"alice"}}],"role":"alice"}]}`,
		},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, string(renamed(t, tt.path, []byte(tt.body), alice).For(scrub.Exit{}).Body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.path, diff)
		}
	}
}

// A prompt that has the text of a placeholder gets others, wherever that stands and however it is written.
func TestPlaceholdersThatAreTaken(t *testing.T) {
	for in, want := range map[string]string{
		"alice is not user417, nor is USER418": "user419 is not user417, nor is USER418",
		"alice \ufffdowner417":                 "user418 \ufffdowner417",
		"alice\nowner417":                      "user418\nowner417",
	} {
		q := renamed(t, "/v1/chat/completions", chat(in), alice)
		if got := content(t, q.For(scrub.Exit{}).Body); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
		if got := content(t, restored(t, q, string(chat(want)), "application/json")); got != in {
			t.Errorf("%q came back as %q", in, got)
		}
	}
	body := `{"messages":[{"content":"alice","role":"user"}],"model":"m","tools":[{"function":{"name":"user417","parameters":{"properties":{"user\u003418":{}}}}}]}`
	q := renamed(t, "/v1/chat/completions", []byte(body), alice)
	if got := string(q.For(scrub.Exit{}).Body); !strings.Contains(got, "user419") {
		t.Errorf("names of tools and parameters were taken: %s", got)
	}
}

// Placeholders do not come together by chance, and what a name begins and ends with does not matter.
func TestPseudonymsComeBack(t *testing.T) {
	id := alice
	id.User, id.Words = "asmith", []string{"田中", "C++11", "été", "Jabberwock!", "Alex"}
	for _, in := range []string{
		"Alex alice, Alice Liddell", "asmith@example.invalid", "/home/asmith /home/alice alice", "liddell/repo417 carroll/app app",
		"田中さん 田中san x田中2", "C++11-mode C++11", "étés été Été", "Jabberwock!s Jabberwock", "wonderland@git.liddell.example",
	} {
		q := renamed(t, "/v1/chat/completions", chat(in), id)
		sealed := q.For(scrub.Exit{}).Body
		if got := content(t, restored(t, q, string(sealed), "application/json")); got != in {
			t.Errorf("%q was sealed as %s and came back as %q", in, sealed, got)
		}
		if got := content(t, sealed); strings.Contains(got, "田中") || strings.Contains(got, "Été") || strings.Contains(got, "Jabberwock!") {
			t.Errorf("%q was sealed as %s", in, got)
		}
	}
}

// Words that mean something else in most texts are not looked for.
func TestSkipped(t *testing.T) {
	p := scrub.NewPseudonyms(scrub.Identity{Home: "/root", User: "root", Host: "al", Words: []string{"Test", "fine"}})
	if diff := cmp.Diff([]string{"/root", "root", "al", "Test"}, p.Skipped()); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	if got := p.Len(); got != 3 {
		t.Errorf("%d texts are looked for, want fine, Fine and FINE", got)
	}
	for _, remote := range []string{"", "git@h://x.git", "https://h/x", "https://h//", "a:b/c/", ":/", "://"} {
		if p := scrub.NewPseudonyms(scrub.Identity{Remotes: []string{remote}}); p.Len()+len(p.Skipped()) == 0 && remote != "" {
			t.Errorf("the remote %q is neither replaced nor skipped", remote)
		}
	}
	if got := scrub.NewPseudonyms(scrub.Identity{}).Len(); got != 0 {
		t.Errorf("%d texts of nobody", got)
	}
}

// Names that come and go are the same text: signatures of thoughts hold.
func FuzzPseudonyms(f *testing.F) {
	for _, tt := range nameTests {
		f.Add(tt.in, "Jabberwock")
	}
	f.Add("user417 alice owner417 /home/alice\\nalice", "Liddell")
	f.Add("alice \xffowner417", "C++")
	f.Fuzz(func(t *testing.T, text, word string) {
		body := chat(text)
		id := alice
		id.Words = append([]string{word}, id.Words...)
		q := renamed(t, "/v1/chat/completions", body, id)
		sealed := q.For(scrub.Exit{}).Body
		if got, want := content(t, restored(t, q, string(sealed), "application/json")), content(t, body); got != want {
			t.Fatalf("%q was sealed as %s and came back as %q", want, sealed, got)
		}
	})
}
