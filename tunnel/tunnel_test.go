// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package tunnel

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/service"
)

// testRelay accepts tunnels on a loopback socket.
type testRelay struct {
	url      relayurl.URL
	accepted chan *Tunnel
	failed   chan error
	config   AcceptConfig
}

func newTestRelay(t *testing.T, cfg AcceptConfig) *testRelay {
	t.Helper()
	cert := selfSigned(t)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", ServerTLS(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil }))
	if err != nil {
		t.Fatal(err)
	}
	r := &testRelay{
		url:      relayurl.URL{Host: ln.Addr().String(), Pin: relayurl.PinOf(cert.Leaf), Pinned: true},
		accepted: make(chan *Tunnel, 100),
		failed:   make(chan error, 100),
		config:   cfg,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			r.serve(t.Context(), conn.(*tls.Conn))
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return r
}

func (r *testRelay) serve(ctx context.Context, conn *tls.Conn) {
	if err := conn.Handshake(); err != nil {
		conn.Close()
		r.failed <- err
		return
	}
	tun, err := Accept(ctx, conn, r.config)
	if err != nil {
		r.failed <- err
		return
	}
	r.accepted <- tun
}

// wait returns the next accepted tunnel.
func (r *testRelay) wait(t *testing.T) *Tunnel {
	t.Helper()
	select {
	case tun := <-r.accepted:
		return tun
	case err := <-r.failed:
		t.Fatalf("the relay did not accept: %v", err)
		return nil
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// testExit is an identity with a registration.
type testExit struct {
	key    ed25519.PrivateKey
	signed *service.Signed
}

func newTestExit(t *testing.T, change ...func(*service.Info)) testExit {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	info := &service.Info{
		Version: 2, Identity: service.IdentityOf(public), Operator: "test", Sequence: 1,
		NotBefore: time.Now().Add(-time.Minute), Expires: time.Now().Add(time.Hour),
		Protocols: []service.Protocol{service.OpenAI}, Tier: service.Free,
	}
	for _, f := range change {
		f(info)
	}
	signed, err := service.Sign(key, []byte("keys of "+string(info.Identity)), info)
	if err != nil {
		t.Fatal(err)
	}
	return testExit{key, signed}
}

// connect dials the relay and returns both ends of the tunnel; the exit's end is served until the test
// ends or stop is called, and served receives what Serve returned.
func connect(t *testing.T, handler http.HandlerFunc) (tun *Tunnel, stop func(), served <-chan error) {
	t.Helper()
	relay := newTestRelay(t, AcceptConfig{Limits: Limits{MaxRequestBytes: 77}})
	e := newTestExit(t)
	session, err := Dial(t.Context(), DialConfig{
		Relay: relay.url, Identity: e.key, Signed: e.signed, Handler: handler, DrainTimeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := session.Limits().MaxRequestBytes; got != 77 {
		t.Errorf("limits say %d bytes, want 77", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done, ended := make(chan error, 1), make(chan struct{})
	go func() {
		done <- session.Serve(ctx)
		close(ended)
	}()
	tun = relay.wait(t)
	t.Cleanup(func() {
		cancel()
		tun.Close()
		<-ended
	})
	return tun, cancel, done
}

func post(t *testing.T, tun *Tunnel, body io.Reader) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+Authority+PathOHTTP, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"message/ohttp-req"}, "User-Agent": nil}
	return tun.RoundTrip(r)
}

func TestRequestOverTunnel(t *testing.T) {
	seen := make(chan string, 1)
	tun, _, _ := connect(t, func(w http.ResponseWriter, r *http.Request) {
		dump, err := httputil.DumpRequest(r, true)
		if err != nil {
			t.Error(err)
		}
		seen <- string(dump)
		w.Header().Set("Content-Type", "message/ohttp-res")
		io.WriteString(w, "answer")
	})
	answer, err := post(t, tun, strings.NewReader("sealed"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || string(body) != "answer" {
		t.Errorf("answer = %q, %v", body, err)
	}
	want := "POST /ohttp HTTP/2.0\r\nHost: exit\r\nContent-Length: 6\r\nContent-Type: message/ohttp-req\r\n\r\nsealed"
	if got := strings.ReplaceAll(<-seen, "Connection: close\r\n", ""); got != want {
		t.Errorf("the exit saw %q\nwant %q", got, want)
	}
}

func TestEveryFlushArrives(t *testing.T) {
	next := make(chan string)
	tun, _, _ := connect(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		for piece := range next {
			io.WriteString(w, piece)
			http.NewResponseController(w).Flush()
		}
	})
	// The first flush carries the header, so the first piece goes before RoundTrip returns.
	go func() { next <- "0" }()
	answer, err := post(t, tun, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	buf := make([]byte, 10)
	for i := range 10 {
		n, err := answer.Body.Read(buf)
		if got, want := string(buf[:n]), string(rune('0'+i)); got != want || err != nil {
			t.Fatalf("read %d = %q, %v, want %q", i, got, err, want)
		}
		if i < 9 {
			next <- string(rune('1' + i))
		}
	}
	close(next)
	if n, err := answer.Body.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("at the end read = %d, %v, want EOF", n, err)
	}
}

func TestCancelReachesHandler(t *testing.T) {
	cancelled := make(chan time.Time, 1)
	tun, _, _ := connect(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		cancelled <- time.Now()
	})
	fastest := time.Hour
	for range 10 { // whatever else the machine does
		answer, err := post(t, tun, nil)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		answer.Body.Close()
		fastest = min(fastest, (<-cancelled).Sub(begin))
	}
	if fastest > 100*time.Millisecond {
		t.Errorf("the handler was cancelled after %v at best", fastest)
	}
}

func TestDrain(t *testing.T) {
	release := make(chan struct{})
	tun, stop, served := connect(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush()
		<-release
		io.WriteString(w, "finished")
	})
	answer, err := post(t, tun, nil)
	if err != nil {
		t.Fatal(err)
	}
	polled := make(chan error, 1)
	measured := make(chan time.Duration, 1)
	go func() { polled <- tun.Poll(t.Context(), func(rtt time.Duration) { measured <- rtt }) }()
	if rtt := <-measured; rtt <= 0 || rtt > time.Second {
		t.Errorf("round trip = %v", rtt)
	}
	if !tun.Available() {
		t.Error("a connected exit is not available")
	}
	stop()
	if err := <-polled; err != nil {
		t.Errorf("Poll = %v", err)
	}
	if tun.Available() {
		t.Error("a draining exit is available")
	}
	if _, err := post(t, tun, nil); err == nil {
		t.Error("a draining exit took a new request")
	}
	close(release)
	body, err := io.ReadAll(answer.Body)
	if err != nil || string(body) != "finished" {
		t.Errorf("the running request got %q, %v", body, err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v after a drain, want nil", err)
	}
	<-tun.Done()
}

func TestDrainDeadline(t *testing.T) {
	relay := newTestRelay(t, AcceptConfig{})
	e := newTestExit(t)
	running := make(chan struct{})
	session, err := Dial(t.Context(), DialConfig{
		Relay: relay.url, Identity: e.key, Signed: e.signed, DrainTimeout: 50 * time.Millisecond,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).Flush()
			close(running)
			<-r.Context().Done() // only the deadline ends it
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- session.Serve(ctx) }()
	tun := relay.wait(t)
	answer, err := post(t, tun, nil)
	if err != nil {
		t.Fatal(err)
	}
	<-running
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
	if _, err := io.ReadAll(answer.Body); err == nil {
		t.Error("the cut request ended as if complete")
	}
	tun.Close()
}

func TestConnectionLost(t *testing.T) {
	for _, side := range []string{"relay", "exit"} {
		t.Run(side, func(t *testing.T) {
			tun, _, served := connect(t, func(w http.ResponseWriter, r *http.Request) {
				http.NewResponseController(w).Flush()
				<-r.Context().Done()
			})
			answer, err := post(t, tun, nil)
			if err != nil {
				t.Fatal(err)
			}
			if side == "relay" {
				tun.Close()
			} else {
				tun.conn.Conn.Close() // as a cut cable would, for both
			}
			if err := <-served; err == nil {
				t.Error("Serve = nil, want an error")
			}
			if _, err := io.ReadAll(answer.Body); err == nil {
				t.Error("the cut request ended as if complete")
			}
			<-tun.Done()
			if tun.Alive() || tun.Available() {
				t.Error("a lost tunnel is alive")
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	other := newTestExit(t)
	tests := []struct {
		name   string
		exit   testExit
		change func(*service.Signed)
		key    ed25519.PrivateKey // instead of the exit's own
		admit  func(*Registration) error
		want   Code
	}{
		{name: "tampered keys", change: func(s *service.Signed) { s.KeyConfig = append([]byte{1}, s.KeyConfig...) }, want: CodeSignature},
		{name: "tampered description", change: func(s *service.Signed) { s.ServiceInfo = append(s.ServiceInfo, ' ') }, want: CodeSignature},
		{name: "tampered signature", change: func(s *service.Signed) { s.Signature[7] ^= 1 }, want: CodeSignature},
		{name: "no signature", change: func(s *service.Signed) { s.Signature = nil }, want: CodeSignature},
		{name: "expired", exit: newTestExit(t, func(i *service.Info) {
			i.NotBefore, i.Expires = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		}), want: CodeExpired},
		{name: "not yet valid", exit: newTestExit(t, func(i *service.Info) {
			i.NotBefore, i.Expires = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		}), want: CodeNotYetValid},
		{name: "replayed by another identity", key: other.key, want: CodeProof},
		{name: "not admitted", admit: func(*Registration) error { return &RefusedError{CodeFull, "full"} }, want: CodeFull},
		{name: "admission fails", admit: func(*Registration) error { return errors.New("secret detail") }, want: CodeInternal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := test.exit
			if e.key == nil {
				e = newTestExit(t)
			}
			if test.change != nil {
				test.change(e.signed)
			}
			if test.key != nil {
				e.key = test.key
			}
			relay := newTestRelay(t, AcceptConfig{Admit: test.admit})
			_, err := Dial(t.Context(), DialConfig{Relay: relay.url, Identity: e.key, Signed: e.signed, Handler: http.NotFoundHandler()})
			var refused *RefusedError
			if !errors.As(err, &refused) || refused.Code != test.want {
				t.Fatalf("Dial error = %v, want code %s", err, test.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the refusal tells %q", err)
			}
			<-relay.failed
		})
	}
}

// rawExit opens a TLS connection as an exit would and sends bytes of the test's choice.
func rawExit(t *testing.T, url relayurl.URL, e testExit, send []byte) (message, error) {
	t.Helper()
	cfg := url.TLSConfig(ALPN)
	if e.key != nil {
		proof, err := proofCertificate(e.key)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Certificates = []tls.Certificate{proof}
	}
	conn, err := tls.Dial("tcp", url.Host, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(send); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	return readMessage(conn)
}

// TestMalformedRegisters sends every kind of wrong first message; the relay says what is wrong, closes
// the connection and goes on.
func TestMalformedRegisters(t *testing.T) {
	relay := newTestRelay(t, AcceptConfig{})
	e := newTestExit(t)
	good := frame(typeRegister, string(e.signed.Hash()), service.AppendSigned(nil, e.signed))
	tests := []struct {
		name string
		exit testExit
		send []byte
		want Code
	}{
		{"nothing", e, nil, CodeMalformed},
		{"no certificate", testExit{}, good, CodeProof},
		{"HTTP", e, []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), CodeMalformed},
		{"zeros", e, make([]byte, 100), CodeMalformed},
		{"an acknowledgement", e, frame(typeRegisterAck, "", []byte("{}")), CodeMalformed},
		{"an error", e, frame(typeError, "", []byte("{}")), CodeMalformed},
		{"half a head", e, good[:2], CodeMalformed},
		{"half a target", e, good[:20], CodeMalformed},
		{"no payload length", e, good[:3+64], CodeMalformed},
		{"half a payload", e, good[:len(good)-1], CodeMalformed},
		{"target too long", e, frame(typeRegister, strings.Repeat("a", maxTarget+1), nil), CodeTooLarge},
		{"payload too long", e, binary.BigEndian.AppendUint32([]byte{typeRegister, 0, 0}, maxPayload+1), CodeTooLarge},
		{"payload of 4 GiB", e, binary.BigEndian.AppendUint32([]byte{typeRegister, 0, 0}, 1<<32-1), CodeTooLarge},
		{"empty payload", e, frame(typeRegister, "", nil), CodeMalformed},
		{"part too long", e, frame(typeRegister, "", []byte{255, 255, 255, 255}), CodeMalformed},
		{"bytes after the parts", e, frame(typeRegister, string(e.signed.Hash()), append(service.AppendSigned(nil, e.signed), 0)), CodeMalformed},
		{"wrong target", e, frame(typeRegister, strings.Repeat("0", 64), service.AppendSigned(nil, e.signed)), CodeHash},
		{"upper-case target", e, frame(typeRegister, strings.ToUpper(string(e.signed.Hash())), service.AppendSigned(nil, e.signed)), CodeHash},
		{"no parts", e, frame(typeRegister, string(service.HashOf(nil)), make([]byte, 12)), CodeDescription},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer, err := rawExit(t, relay.url, test.exit, test.send)
			if err != nil {
				t.Fatalf("no answer: %v", err)
			}
			var refused RefusedError
			if err := json.Unmarshal(answer.payload, &refused); err != nil {
				t.Fatal(err)
			}
			if answer.kind != typeError || refused.Code != test.want {
				t.Errorf("answer = 0x%02x %+v, want an error with code %s", answer.kind, refused, test.want)
			}
			<-relay.failed
		})
	}
	answer, err := rawExit(t, relay.url, e, good)
	if err != nil || answer.kind != typeRegisterAck {
		t.Errorf("after all these a good registration got 0x%02x, %v", answer.kind, err)
	}
	relay.wait(t).Close()
}

// frame is a message without the limits that writeMessage keeps.
func frame(kind byte, target string, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(target)))
	b = append(b, target...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	return append(b, payload...)
}

// TestNotARelay dials servers that are something else.
func TestNotARelay(t *testing.T) {
	e := newTestExit(t)
	relay := newTestRelay(t, AcceptConfig{})
	wrongPin := relay.url
	wrongPin.Pin[3] ^= 1
	_, err := Dial(t.Context(), DialConfig{Relay: wrongPin, Identity: e.key, Signed: e.signed})
	if !errors.Is(err, relayurl.ErrPin) {
		t.Errorf("wrong pin: error = %v", err)
	}

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	ln.Close()
	_, err = Dial(t.Context(), DialConfig{Relay: relayurl.URL{Host: address}, Identity: e.key, Signed: e.signed})
	if err == nil || !strings.Contains(err.Error(), "open tunnel to "+address) {
		t.Errorf("closed port: error = %v", err)
	}
}

func TestParseAck(t *testing.T) {
	tests := []struct {
		name string
		in   message
		want Limits
		err  error
	}{
		{"acknowledged", message{kind: typeRegisterAck, payload: []byte(`{"max_streams":5,"later":1}`)}, Limits{MaxStreams: 5}, nil},
		{"not JSON", message{kind: typeRegisterAck, payload: []byte("x")}, Limits{}, errMalformed},
		{"refusal not JSON", message{kind: typeError, payload: []byte("x")}, Limits{}, errMalformed},
		{"a register", message{kind: typeRegister}, Limits{}, errMalformed},
	}
	for _, test := range tests {
		got, err := parseAck(test.in)
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %+v, %v, want %+v, %v", test.name, got, err, test.want, test.err)
		}
	}
}

func TestRefusedErrorIsPrintable(t *testing.T) {
	got := (&RefusedError{"\x1b]0;x\a", "evil \x1b[31mred\nline"}).Error()
	if strings.ContainsAny(got, "\x1b\a\n") {
		t.Errorf("control characters in %q", got)
	}
}

// TestNoLeaks opens and closes tunnels and cancels half of many requests.
func TestNoLeaks(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("traffic", func(t *testing.T) {
		tun, _, _ := connect(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			http.NewResponseController(w).Flush()
			if r.Header.Get("Content-Type") == "message/ohttp-req" && r.ContentLength == 0 {
				<-r.Context().Done()
			}
		})
		for i := range 1000 {
			var body io.Reader
			if i%2 == 0 {
				body = strings.NewReader("finish")
			}
			answer, err := post(t, tun, body)
			if err != nil {
				t.Fatal(err)
			}
			if body != nil {
				io.Copy(io.Discard, answer.Body)
			}
			answer.Body.Close()
		}
		if got := tun.InFlight(); got != 0 {
			t.Errorf("%d requests are in flight after all ended", got)
		}
	})
	deadline := time.Now().Add(30 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add(frame(typeRegister, "hash", []byte("payload")))
	f.Add(frame(typeRegisterAck, "", []byte("{}")))
	f.Add([]byte{typeError, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := readMessage(bytes.NewReader(data))
		if err != nil {
			return
		}
		if again := frame(m.kind, m.target, m.payload); !bytes.HasPrefix(data, again) {
			t.Errorf("read %x of %x", again, data)
		}
	})
}

func FuzzParseRegister(f *testing.F) {
	f.Add(service.AppendSigned(nil, &service.Signed{KeyConfig: []byte("k"), ServiceInfo: []byte("{}"), Signature: make([]byte, 64)}))
	f.Add(make([]byte, 12))
	f.Fuzz(func(t *testing.T, data []byte) {
		signed, err := parseRegister(data)
		if err != nil {
			return
		}
		if diff := cmp.Diff(data, service.AppendSigned(nil, signed)); diff != "" {
			t.Errorf("a parsed registration encodes differently (-parsed +encoded):\n%s", diff)
		}
		if _, err := signed.Verify(time.Unix(0, 0)); err == nil { // nothing is valid then
			t.Error("a registration from 1970 verified")
		}
	})
}
