// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

func TestDirectoryShowsWhatExitsSigned(t *testing.T) {
	for _, protocol := range []string{h2, h1} {
		t.Run(protocol, func(t *testing.T) {
			g := newRig(t)
			client := g.client(protocol)
			if diff := cmp.Diff([]service.Hash{}, g.hashes(client)); diff != "" {
				t.Errorf("an empty relay's directory (-want +got):\n%s", diff)
			}
			s := g.connect(newIdentity(t), echo)
			got := g.directory(client).Exits[0]
			want := service.Entry{
				PubKeyHash: s.hash(), KeyConfig: s.signed.KeyConfig,
				ServiceInfo: s.signed.ServiceInfo, Signature: s.signed.Signature,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("entry (-want +got):\n%s", diff)
			}
			if _, err := got.Verify(time.Now()); err != nil {
				t.Errorf("a client cannot verify the entry: %v", err)
			}
		})
	}
}

func TestDirectoryETag(t *testing.T) {
	g := newRig(t)
	client := g.client(h2)
	first := g.connect(newIdentity(t), echo)

	full := g.get(client, "/exits")
	tag := full.header.Get("ETag")
	if tag == "" || full.header.Get("Vary") != "Accept-Encoding" || full.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers = %v", full.header)
	}
	for _, header := range []string{tag, `"other", ` + tag, strings.TrimPrefix(tag, "W/"), "*", ` ` + tag + ` , "other"`} {
		got := g.get(client, "/exits", "If-None-Match", header)
		if got.status != http.StatusNotModified || got.body != "" || got.header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: status %d, ETag %s, body %q", header, got.status, got.header.Get("ETag"), got.body)
		}
	}
	for _, header := range []string{`W/"0123"`, strings.Trim(tag, `W/"`), tag + "x", `"*"`, ""} {
		if got := g.get(client, "/exits", "If-None-Match", header); got.status != http.StatusOK || got.body != full.body {
			t.Errorf("If-None-Match %s: status %d, %d bytes", header, got.status, len(got.body))
		}
	}

	g.connect(newIdentity(t), echo)
	changed := g.get(client, "/exits", "If-None-Match", tag)
	if changed.status != http.StatusOK || changed.header.Get("ETag") == tag {
		t.Errorf("after an exit came: status %d, ETag %s", changed.status, changed.header.Get("ETag"))
	}
	if !strings.Contains(changed.body, string(first.hash())) {
		t.Error("the first exit is no longer listed")
	}
}

func TestDirectoryGzip(t *testing.T) {
	g := newRig(t)
	client := g.client(h2)
	g.connect(newIdentity(t), echo)
	plain := g.get(client, "/exits")
	tests := []struct {
		accept string
		want   string
	}{
		{"gzip", "gzip"},
		{"br, gzip;q=0.5", "gzip"},
		{"GZIP", "gzip"},
		{"br", ""},
		{"identity", ""},
		{"gzip;q=0", ""},
		{"gzip; q=0.000, br", ""},
		{"x-notgzip", ""},
	}
	for _, test := range tests {
		got := g.get(client, "/exits", "Accept-Encoding", test.accept)
		if encoding := got.header.Get("Content-Encoding"); encoding != test.want {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q, want %q", test.accept, encoding, test.want)
			continue
		}
		if test.want == "gzip" {
			got.body = unzip(t, got.body)
		}
		if got.body != plain.body {
			t.Errorf("Accept-Encoding %q: another body than without", test.accept)
		}
	}
}

func unzip(t *testing.T, s string) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func TestDirectoryFilters(t *testing.T) {
	g := newRig(t)
	client := g.client(h2)
	offer := func(models ...service.Model) func(*service.Info) {
		return func(in *service.Info) {
			in.Protocols, in.Models = nil, models
			for _, m := range models {
				if !slices.Contains(in.Protocols, m.Protocol) {
					in.Protocols = append(in.Protocols, m.Protocol)
				}
			}
		}
	}
	gpt := g.connect(newIdentity(t, offer(service.Model{ID: "gpt", Protocol: service.OpenAI})), echo)
	opus := g.connect(newIdentity(t, offer(service.Model{ID: "opus", Protocol: service.Claude})), echo)
	both := g.connect(newIdentity(t, offer(
		service.Model{ID: "gpt", Protocol: service.OpenAI}, service.Model{ID: "gpt", Protocol: service.Claude})), echo)
	tests := []struct {
		query string
		want  []*session
	}{
		{"", []*session{gpt, opus, both}},
		{"?protocol=openai", []*session{gpt, both}},
		{"?protocol=claude", []*session{opus, both}},
		{"?protocol=gemini", nil},
		{"?protocol=nonsense", nil},
		{"?model=gpt", []*session{gpt, both}},
		{"?model=gp", nil},
		{"?model=gpt&protocol=claude", []*session{both}},
		{"?model=opus&protocol=openai", nil},
		{"?other=1", []*session{gpt, opus, both}},
	}
	for _, test := range tests {
		var want, got []service.Hash
		for _, s := range test.want {
			want = append(want, s.hash())
		}
		slices.Sort(want)
		d, err := service.ParseDirectory(strings.NewReader(g.get(client, "/exits"+test.query).body), 1<<20)
		if err != nil {
			t.Fatalf("%s: %v", test.query, err)
		}
		for _, e := range d.Exits {
			got = append(got, e.PubKeyHash)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.query, diff)
		}
	}
}

// TestDirectoryOrder connects the same exits in one order and in the other.
func TestDirectoryOrder(t *testing.T) {
	ids := []identity{newIdentity(t), newIdentity(t), newIdentity(t), newIdentity(t)}
	var orders [2][]service.Hash
	for i := range orders {
		g := newRig(t)
		for _, id := range ids {
			g.connect(id, echo)
		}
		orders[i] = g.hashes(g.client(h2))
		slices.Reverse(ids)
	}
	if diff := cmp.Diff(orders[0], orders[1]); diff != "" {
		t.Errorf("the order tells who connected first (-forwards +backwards):\n%s", diff)
	}
}

func TestExitThatLeavesDisappears(t *testing.T) {
	for _, how := range []string{"drains", "is cut off"} {
		t.Run(how, func(t *testing.T) {
			g := newRig(t)
			client := g.client(h2)
			running, release := make(chan struct{}), make(chan struct{})
			stays := g.connect(newIdentity(t), echo)
			leaves := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
				close(running)
				<-release
			})
			finished := make(chan answer, 1)
			go func() { // keeps the draining exit connected
				a, _ := g.do(client, g.request(t.Context(), leaves.hash(), nil))
				finished <- a
			}()
			<-running
			if how == "drains" {
				leaves.drain()
			} else {
				leaves.conn.Close()
			}
			// Sooner than a poll would show it.
			g.eventually("the directory shows only who stays", func() bool {
				return cmp.Equal(g.hashes(client), []service.Hash{stays.hash()})
			})
			if got := g.get(client, "/exits/"+string(leaves.hash())+"/keys"); got.status != http.StatusNotFound {
				t.Errorf("its keys: status %d", got.status)
			}
			close(release)
			want := http.StatusOK
			if how == "is cut off" {
				want = http.StatusBadGateway
			}
			if got := <-finished; got.status != want {
				t.Errorf("the running request got status %d, want %d", got.status, want)
			}
		})
	}
}

// TestDrainBeforeFirstPoll is about an exit that drains at a moment when it cannot say so.
func TestDrainBeforeFirstPoll(t *testing.T) {
	for range 20 {
		g := newRig(t)
		client := g.client(h2)
		s, err := g.register(newIdentity(t), echo)
		if err != nil {
			t.Fatal(err)
		}
		s.drain()
		<-s.served
		g.eventually("the directory is empty", func() bool { return len(g.hashes(client)) == 0 })
		g.stop()
	}
}

func TestExpiredRegistrationLeavesDirectory(t *testing.T) {
	g := newRig(t)
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	soon := g.connect(newIdentity(t, func(in *service.Info) { in.Expires = expires }), echo)
	later := g.connect(newIdentity(t, func(in *service.Info) { in.Expires = expires.Add(time.Second) }), echo)
	tests := []struct {
		at   time.Time
		want []*session
	}{
		{expires.Add(-time.Millisecond), []*session{soon, later}},
		{expires, []*session{later}}, // though nothing else has changed
		{expires.Add(time.Second), nil},
	}
	for _, test := range tests {
		s, err := g.relay.publisher.directory(test.at)
		if err != nil {
			t.Fatal(err)
		}
		got := map[service.Identity]bool{}
		for _, segment := range s.segments {
			for _, e := range segment.exits {
				got[e.registration.Info.Identity] = true
			}
		}
		want := map[service.Identity]bool{}
		for _, s := range test.want {
			want[s.registration(t).Info.Identity] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v from expiry (-want +got):\n%s", test.at.Sub(expires), diff)
		}
	}
	if got := g.ask(g.client(h2), soon.hash(), "x"); got.status != http.StatusOK {
		t.Errorf("a request to it: status %d; the exit itself decides how long it honours keys", got.status)
	}
}

func TestKeys(t *testing.T) {
	g := newRig(t)
	client := g.client(h2)
	s := g.connect(newIdentity(t), echo)
	got := g.get(client, "/exits/"+string(s.hash())+"/keys")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/ohttp-keys" || got.body != string(s.signed.KeyConfig) {
		t.Errorf("status %d, type %q, body %q", got.status, got.header.Get("Content-Type"), got.body)
	}
	for _, hash := range []string{strings.Repeat("0", 64), strings.ToUpper(string(s.hash())), "x", "%00"} {
		got := g.get(client, "/exits/"+hash+"/keys")
		if got.status != http.StatusNotFound || got.problem() != service.TypeUnknownExit {
			t.Errorf("hash %q: status %d, problem %q", hash, got.status, got.problem())
		}
	}
}

// The relay says who runs it in the index, in the document and in what is filtered, and each still says what it said.
func TestDirectoryNamesTheOperator(t *testing.T) {
	const operator = `Example "Ltd" <é>`
	g := newRig(t, func(cfg *Config) { cfg.Operator = operator })
	client := g.client(h2)
	s := g.connect(newIdentity(t), echo)
	index, err := service.ParseIndex(strings.NewReader(g.get(client, "/directory").body))
	if err != nil || index.Operator != operator || len(index.Segments) != 1 {
		t.Errorf("index %+v, %v", index, err)
	}
	zipped := g.get(client, "/exits", "Accept-Encoding", "gzip")
	for name, body := range map[string]string{
		"document":   g.get(client, "/exits").body,
		"compressed": unzip(t, zipped.body),
		"filtered":   g.get(client, "/exits?protocol=openai").body,
	} {
		dir, err := service.ParseDirectory(strings.NewReader(body), 1<<20)
		if err != nil || dir.Operator != operator || len(dir.Exits) != 1 || dir.Exits[0].PubKeyHash != s.hash() {
			t.Errorf("%s: %+v, %v", name, dir, err)
		}
	}
}

// Another operator is another index, which no ETag of the one before hides; no segment changes.
func TestOperatorChangesTheIndex(t *testing.T) {
	g := newRegistry(10)
	first, second := newPublisher(g, time.Hour), newPublisher(g, time.Hour)
	second.operator = "Example Ltd"
	a, err := first.directory(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b, err := second.directory(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if a.index.etag == b.index.etag || strings.Contains(string(a.index.plain), "operator") {
		t.Errorf("ETags %s and %s, index without an operator %s", a.index.etag, b.index.etag, a.index.plain)
	}
}
