// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"time"

	"github.com/tokengo/tokengo/shape"
)

// finding is what was measured in one mode.
type finding struct {
	mode     shape.Mode
	answers  int
	areas    []spread // of each classifier
	shuffled []spread // with random labels
	control  []spread // of answers that are all the same; nil when that was not run
	bits     float64
	chance   float64
	bytes    float64
	took     time.Duration
	mean     time.Duration // delay of a token
	p95      time.Duration
	cpu      time.Duration // of an answer, all roles, backend and user together
}

// find measures a trial.
func find(tr, control *trial, seeds int) finding {
	f := finding{
		mode: tr.mode, answers: len(tr.scripts), cpu: tr.cpu,
		areas: areas(tr.scripts, seeds, trueLabels), shuffled: areas(tr.scripts, seeds, shuffledLabels),
	}
	if control != nil {
		f.control = areas(control.scripts, seeds, trueLabels)
	}
	f.bits, f.chance = information(tr.scripts)
	f.bytes, f.took = volume(tr.scripts)
	f.mean, f.p95 = delays(tr.scripts)
	return f
}

// worst is the highest AUROC of any classifier.
func worst(all []spread) spread {
	var w spread
	for _, s := range all {
		if s.mean > w.mean {
			w = s
		}
	}
	return w
}

func (s spread) String() string { return fmt.Sprintf("%.3f ± %.3f", s.mean, s.deviation) }

// report prints what was found as two Markdown tables.
func report(w io.Writer, found []finding) {
	fmt.Fprint(w, "\n| mode | answers |")
	for _, c := range classifiers {
		fmt.Fprintf(w, " AUROC, %s |", c.name)
	}
	fmt.Fprint(w, " same answers | random labels | token length and size, bits (by chance) |\n|---|---|---|---|---|---|---|\n")
	for _, f := range found {
		fmt.Fprintf(w, "| `%s` | %d |", f.mode, f.answers)
		for _, a := range f.areas {
			fmt.Fprintf(w, " %v |", a)
		}
		control := "not run"
		if f.control != nil {
			control = worst(f.control).String()
		}
		fmt.Fprintf(w, " %s | %v | %.3f (%.3f) |\n", control, worst(f.shuffled), f.bits, f.chance)
	}
	fmt.Fprint(w, "\n| mode | sealed bytes an answer | time an answer | delay of a token: mean | 95th percentile | CPU an answer |\n|---|---|---|---|---|---|\n")
	for _, f := range found {
		fmt.Fprintf(w, "| `%s` | %.0f KiB | %.1f s | %.1f ms | %.1f ms | %.1f ms |\n", f.mode, f.bytes/1024, f.took.Seconds(),
			milliseconds(f.mean), milliseconds(f.p95), milliseconds(f.cpu))
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Bounds that a change must not move: the quick run, with few answers, errs by some hundredths.
const (
	leastOff    = 0.8
	mostPad     = 0.65
	mostBits    = 0.02 // of information about token lengths, beyond chance
	quickMargin = 0.1
)

// check says what a mode leaks that it should not, or that the test could not have seen it. Margin is
// allowed for few answers.
func check(found []finding, margin float64) error {
	for _, f := range found {
		got := worst(f.areas).mean
		switch {
		case f.mode == shape.Off && got < leastOff:
			return fmt.Errorf("in mode off topics are told apart with %.3f only: the test is too weak", got)
		case f.mode == shape.Pad && got > mostPad+margin:
			return fmt.Errorf("in mode pad topics are told apart with %.3f", got)
		case f.mode == shape.Constant && got > 0.55+margin:
			return fmt.Errorf("in mode constant topics are told apart with %.3f", got)
		case f.mode != shape.Off && f.bits-f.chance > mostBits+margin/10:
			return fmt.Errorf("in mode %s the relay learns %.3f bits of each token's length", f.mode, f.bits-f.chance)
		}
	}
	return nil
}
