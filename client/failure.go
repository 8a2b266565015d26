// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

// failure is why an attempt to have a request answered failed, before any of an answer was delivered.
type failure struct {
	err *dialect.Error
	// undelivered is set when it is certain that no exit got the request, and refused when one got it and certainly
	// did not work on it: it may be sent again. With neither it is not known.
	undelivered, refused bool
	// final is set when another exit would fail alike.
	final bool
	// relayDown is set when the relay is at fault.
	relayDown bool
	// outage is set when it may pass by itself in a moment.
	outage bool
	// requestsFault is set when the exit says that the request is wrong in itself: its answer is the tool's, unless another
	// exit knows better. With otherModel another model might take it.
	requestsFault, otherModel bool
	// proven is set when the exit itself failed: what it sealed, or what it signed, shows it. Else only a relay says so, who
	// may have made it up.
	proven bool
	// slow is set when the time was over.
	slow bool
	// redate is set when the exit did nothing because of the request's date, and has said what time it is.
	redate bool
	// stale is set when the exit's keys are not what the directory said: it needs another look.
	stale bool

	result     route.Result  // as far as the exit is concerned
	retryAfter time.Duration // how long the exit asked to be left alone
	relay      relayurl.URL  // that the attempt went through
	meter      *meter        // of an answer that broke off before any of it was delivered; else nil
	answer     *answer       // the exit's own error, for the tool if nothing better comes; else nil
	body       []byte        // of that
	end        error         // what reading the body ended with
}

// inDoubt reports whether an exit may have worked on the request.
func (f *failure) inDoubt() bool { return !f.undelivered && !f.refused }

// repeatable reports whether the request may be sent again, to an exit of the same model.
func (f *failure) repeatable(q *request) bool {
	return !f.final && (!f.inDoubt() || q.mayRepeat())
}

// sendFailure says what it means that no answer came from the relay.
func sendFailure(err error, up *upload, to hop) *failure {
	relay := to.path.Relay.Host
	switch {
	case errors.Is(err, errNoAnswer), errors.Is(err, errSlow):
		return &failure{slow: true, result: route.Failed, err: &dialect.Error{Code: dialect.CodeExitTimeout}}
	case errors.Is(err, errUnwritable):
		return &failure{final: true, result: route.Inconclusive, err: &dialect.Error{
			Code: dialect.CodeInternal, Message: "The request cannot be written as Binary HTTP.",
		}}
	case errors.Is(err, ohttp.ErrInvalid):
		return &failure{undelivered: true, result: route.Failed, err: &dialect.Error{
			Code: dialect.CodeInternal, Message: "The request cannot be sealed to the exit's key. Choose another exit.",
		}}
	case !up.begun.Load():
		return &failure{undelivered: true, relayDown: true, outage: true, result: route.Inconclusive, err: &dialect.Error{
			Code: dialect.CodeRelayUnreachable,
			Message: fmt.Sprintf("Relay %s cannot be reached: %s. Nothing was sent. Check the network and the relay's URL, or use another relay.",
				relay, reason(err)),
		}}
	}
	return &failure{relayDown: true, outage: true, result: route.Inconclusive, err: &dialect.Error{
		Code: dialect.CodeRelayUnreachable,
		Message: fmt.Sprintf("The connection to relay %s broke before an answer came. The request may have been processed; try again.",
			relay),
	}}
}

// brokenOff says what it means that an answer ended before any of it was delivered.
func brokenOff(err error) *failure {
	if errors.Is(err, errRelaySilent) {
		return &failure{relayDown: true, outage: true, result: route.Inconclusive, err: broken(err, false)}
	}
	f := &failure{result: route.Interrupted, proven: ownFault(err), err: broken(err, false)}
	f.slow = f.err.Code == dialect.CodeExitTimeout
	f.outage = f.err.Code == dialect.CodeExitLost
	return f
}

// ownFault reports whether it shows in what an exit sealed that its answer is at fault, which no relay can bring about.
func ownFault(err error) bool {
	if errors.Is(err, ohttp.ErrInvalid) || errors.Is(err, ohttp.ErrTooLarge) {
		return false
	}
	return err == errCutByExit || errors.Is(err, shape.ErrCut) || damaged(err)
}

// invalid is an answer that no exit gives.
func invalid() *failure {
	return &failure{result: route.Failed, err: &dialect.Error{Code: dialect.CodeExitInvalid}}
}

// wrong is a sealed answer that means nothing in any AI protocol.
func wrong() *failure {
	f := invalid()
	f.proven = true
	return f
}

// refusal says what an outer answer means that is not a sealed one. Only the type of a problem counts:
// its words are a stranger's.
func refusal(resp *http.Response, to hop) *failure {
	relay := to.path.Relay.Host
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProblemBytes))
	problem, ok := service.ParseProblem(resp.Header.Get("Content-Type"), body)
	if err != nil || !ok {
		problem = &service.Problem{}
	}
	switch problem.Type {
	case service.TypeExitNotReached:
		return &failure{undelivered: true, outage: true, result: route.Unreachable, err: &dialect.Error{Code: dialect.CodeExitUnreachable}}
	case service.TypeUnknownExit:
		return &failure{undelivered: true, outage: true, stale: true, result: route.Unreachable, err: &dialect.Error{
			Code:    dialect.CodeExitUnreachable,
			Message: fmt.Sprintf("The exit is no longer connected to relay %s. Nothing was sent to it; try again in a moment.", relay),
		}}
	case service.TypeOverloaded:
		return &failure{undelivered: true, relayDown: true, outage: true, result: route.Inconclusive, err: &dialect.Error{
			Code: dialect.CodeRelayRefused, Status: http.StatusServiceUnavailable, RetryAfter: resp.Header.Get("Retry-After"),
			Message: fmt.Sprintf("Relay %s forwards as many requests as it can. Try again later, or use another relay.", relay),
		}}
	case service.TypeOHTTPKey:
		return &failure{undelivered: true, stale: true, result: route.Unreachable, err: &dialect.Error{Code: dialect.CodeExitRefused}}
	case service.TypeExitLost:
		return &failure{outage: true, result: route.Unreachable, err: &dialect.Error{Code: dialect.CodeExitLost}}
	}
	if resp.StatusCode == http.StatusRequestEntityTooLarge {
		return &failure{undelivered: true, final: true, result: route.Inconclusive, err: &dialect.Error{
			Code:    dialect.CodeTooLarge,
			Message: fmt.Sprintf("The sealed request is larger than relay %s or the exit accepts. Send less.", relay),
		}}
	}
	return &failure{result: route.Failed, err: &dialect.Error{
		Code:    dialect.CodeExitRefused,
		Message: fmt.Sprintf("Relay %s or the exit refused the sealed request with status %d. Choose another exit or relay.", relay, resp.StatusCode),
	}}
}

// Bounds of an exit's error.
const (
	maxErrorBody = 64 << 10               // bytes that are read as a whole, or behind one in a stream
	errorTime    = 30 * time.Second       // from its head to its end
	restTime     = 250 * time.Millisecond // for what follows one in a stream: mostly its end, which comes at once
)

// judge says what an exit's error means. It is returned together with a failure, as the answer alone when the request is
// at fault and it is longer than any error, and as a failure alone when it is that or broke off.
func (a *answer) judge(op dialect.Operation) (*answer, *failure) {
	a.due = time.Now().Add(min(errorTime, a.stall))
	a.watch.restart(a.patience())
	body, err := io.ReadAll(io.LimitReader(a, maxErrorBody+1))
	if err != nil {
		a.outer.Close()
		return nil, brokenOff(err)
	}
	f := a.verdict(op, body)
	isLong := len(body) > maxErrorBody
	switch {
	case f == nil && isLong:
		a.unread(body, nil)
		return a.begin(), nil
	case f == nil:
		f = requestsFault(op.FaultCode(body) == dialect.CodeContextLength)
	case isLong:
		a.outer.Close()
		f.err = &dialect.Error{Code: dialect.CodeExitInvalid}
		return nil, f
	}
	f.body, f.end = body, io.EOF
	return a, f
}

// requestsFault is what an exit says that takes the request itself for wrong. One that is too long for this model may fit
// into another that the request names.
func requestsFault(tooLong bool) *failure {
	return &failure{requestsFault: true, otherModel: tooLong, refused: true, proven: true, result: route.Inconclusive}
}

// look finds an error in an answer that is said to be none, and refuses an answer of nothing.
func (a *answer) look(op dialect.Operation) (*answer, *failure) {
	content := func() []byte { return bytes.TrimSpace(a.content()) }
	switch {
	case a.meter.opening.Stage() == dialect.Refused:
		return a.blunder(op, a.meter.opening.Fault())
	case a.err != io.EOF:
	case !a.hasBegun():
		a.release()
		a.outer.Close()
		return nil, wrong()
	case op.IsFault(content()):
		return a.blunder(op, content())
	}
	return a.begin(), nil
}

// blunder says what an error means that stands in the place of an answer's content, behind a head that promises one.
func (a *answer) blunder(op dialect.Operation, fault []byte) (*answer, *failure) {
	f := a.fault(op, fault)
	f.body, f.end = a.content(), a.err
	a.release()
	if f.end == nil {
		var rest []byte
		rest, f.end = a.rest()
		f.body = append(f.body, rest...)
	}
	return a, f
}

// fault says what an error means for the request and for the exit when the status says nothing.
func (a *answer) fault(op dialect.Operation, body []byte) *failure {
	code := op.FaultCode(body)
	f := verdict(http.StatusInternalServerError, code)
	if f == nil {
		f = requestsFault(code == dialect.CodeContextLength)
	}
	f.proven, f.retryAfter = true, a.retryAfter()
	return f
}

// lateFault is blunder and look for an answer that was let go before it had begun: it says what it means that an error
// came then, or the end. It is nil where neither did.
func (a *answer) lateFault(op dialect.Operation) *failure {
	isOver := a.err == io.EOF
	if isOver {
		a.meter.opening.End()
	}
	switch {
	case a.inner.Status >= http.StatusBadRequest:
	case a.meter.opening.Stage() == dialect.Refused:
		return a.fault(op, a.meter.opening.Fault())
	case isOver && !a.hasBegun():
		return wrong()
	}
	return nil
}

// errLongError is how an error in a stream ends of which no more is read.
var errLongError = errors.New("more follows an error than belongs to one")

// rest reads what follows an error in a stream, for a moment: what the error means is known, and another exit waits to be
// asked. It returns io.EOF only where the answer has come to its end.
func (a *answer) rest() (rest []byte, err error) {
	over := make(chan struct{})
	timer := time.AfterFunc(restTime, func() { close(over) })
	defer timer.Stop()
	piece := make([]byte, smallBuffer)
	for len(rest) <= maxErrorBody {
		n, err, came := a.readUntil(piece, over)
		if !came {
			return rest, errNoAnswer
		}
		if rest = append(rest, piece[:n]...); err != nil {
			return rest, err
		}
	}
	return rest, errLongError
}

// verdict says what an error means for the request and for the exit; nil when the request is at fault.
func (a *answer) verdict(op dialect.Operation, body []byte) *failure {
	f := verdict(a.inner.Status, op.ErrorCode(body))
	if a.inner.Fields.Get("content-type") == service.ProblemType {
		// It did not accept the sealed message: a relay that holds messages back or sends them twice brings that about.
		return &failure{result: route.Failed}
	}
	if f == nil {
		return nil
	}
	f.proven = true
	f.retryAfter = a.retryAfter()
	return f
}

// retryAfter is for how long the exit asks to be left alone, 0 when it does not say: in milliseconds, as OpenAI's SDKs
// read it, in seconds, or as a date (RFC 9110 section 10.2.3). It is a day at most.
func (a *answer) retryAfter() time.Duration {
	for _, form := range []struct {
		name string
		unit time.Duration
	}{{"retry-after-ms", time.Millisecond}, {"retry-after", time.Second}} {
		value := a.inner.Fields.Get(form.name)
		if n, err := strconv.ParseFloat(value, 64); err == nil && n > 0 {
			return time.Duration(min(n*float64(form.unit), float64(longestRetry*time.Second)))
		}
	}
	if at, err := http.ParseTime(a.inner.Fields.Get("retry-after")); err == nil {
		return min(max(0, time.Until(at)), longestRetry*time.Second)
	}
	return 0
}

// verdict says what an exit's error means for the request, by the code that is in it and else by its status; nil when
// the request is at fault.
func verdict(status int, code dialect.Code) *failure {
	switch code {
	case dialect.CodeExitBusy, dialect.CodeExitDraining, dialect.CodeBackendRateLimited:
		return &failure{refused: true, result: route.Limited}
	case dialect.CodeBackendOverloaded, dialect.CodeBackendUnreachable, dialect.CodeBackendAuth, dialect.CodeUnknownModel:
		return &failure{refused: true, result: route.Failed}
	case dialect.CodeBackendError, dialect.CodeBackendTimeout, dialect.CodeBackendCut, dialect.CodeInternal:
		return &failure{result: route.Failed}
	case "":
	default:
		return nil
	}
	switch {
	case status == http.StatusTooManyRequests:
		return &failure{refused: true, result: route.Limited}
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired, status == http.StatusForbidden,
		status == http.StatusNotFound, status == http.StatusServiceUnavailable:
		return &failure{refused: true, result: route.Failed}
	case status == http.StatusRequestTimeout, status >= http.StatusInternalServerError:
		return &failure{result: route.Failed}
	}
	return nil
}
