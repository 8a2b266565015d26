// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"fmt"
	"io"
	"reflect"
	"time"
)

// MaxObservedBytes is the largest [Observations] document.
const MaxObservedBytes = 8 << 20

// Observed is what a relay sees of an exit from where it stands. It is the relay's own word: nobody signs it, and the
// exit has no part in it. Since everybody may read it, all of it is coarse and renewed rarely; single requests must not
// show in it.
type Observed struct {
	// Since is when the oldest of the exit's tunnels was registered, to the minute.
	Since time.Time `json:"since"`
	// RTTMillis is the median and RTT90Millis the 90th percentile of recent round trips between relay and exit, in
	// milliseconds, to two significant digits; 0 when none has been measured.
	RTTMillis   float64 `json:"rtt_ms"`
	RTT90Millis float64 `json:"rtt_p90_ms,omitempty"`
	// InFlight is the number of requests that the tunnels are carrying, rounded down: 0 is fewer than four, above that
	// it is a power of two.
	InFlight int `json:"in_flight"`
	// Tunnels is the number of tunnels that take requests.
	Tunnels int `json:"tunnels,omitempty"`
	// Answered is the share of requests of the last half hour that reached the exit and got a whole answer, whatever was
	// in it, in steps of 0.05; nil when there were too few to say.
	Answered *float64 `json:"answered,omitempty"`
	// Uptime5m, Uptime30m and Uptime1d are the shares of the last five minutes, half hour and day in which the exit was
	// connected, or of the time since the relay first saw it where that is shorter; in steps of 0.01.
	Uptime5m  float64 `json:"uptime_5m,omitempty"`
	Uptime30m float64 `json:"uptime_30m,omitempty"`
	Uptime1d  float64 `json:"uptime_1d,omitempty"`
}

// sane reports whether all values are such as can be observed.
func (o *Observed) sane() bool {
	share := func(v float64) bool { return v >= 0 && v <= 1 }
	return o.RTTMillis >= 0 && o.RTT90Millis >= 0 && o.InFlight >= 0 && o.Tunnels >= 0 &&
		(o.Answered == nil || share(*o.Answered)) && share(o.Uptime5m) && share(o.Uptime30m) && share(o.Uptime1d)
}

// Observations is the document in which a relay publishes what it sees of all exits of its directory. It stands apart
// from what exits signed, and so is renewed without changing that.
type Observations struct {
	// Exits are the observations by the first ObservedNameLen digits of the exit's hash.
	Exits map[string]Observed `json:"exits"`
}

// ObservedNameLen is how many digits of a hash name an exit in [Observations]: enough that no two exits of a directory
// share them but on purpose, and what such a pair gains is to share what a relay says of them.
const ObservedNameLen = 16

// ObservedName returns the name of an exit in [Observations].
func ObservedName(h Hash) string { return string(h[:min(len(h), ObservedNameLen)]) }

// Of returns what is observed of an exit; the zero value when nothing is, or nothing that can be.
func (o *Observations) Of(h Hash) Observed {
	if seen, ok := o.Exits[ObservedName(h)]; ok && seen.sane() {
		return seen
	}
	return Observed{}
}

var observationsShape = shapeOf(reflect.TypeFor[struct {
	Exits struct{} `json:"exits"`
}]())

// ParseObservations reads observations of at most MaxObservedBytes and MaxEntries exits from r, to the end of r, as
// strictly as [ParseDirectory]. Errors are r's own or ErrInvalid.
func ParseObservations(r io.Reader) (*Observations, error) {
	var o Observations
	if err := parseDocument(r, MaxObservedBytes, observationsShape, &o); err != nil {
		return nil, fmt.Errorf("observations %w", err)
	}
	return &o, nil
}
