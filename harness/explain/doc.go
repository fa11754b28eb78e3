// Package explain turns facts into causes: it groups the differences of a comparison into findings, each with one
// cause in plain words, the evidence for it, who is hit and what to do next.
//
// Detectors run in the order of [Detectors], from declared changes over specific causes to the rest. Each claims the
// differences that its cause explains, consequences in later exchanges included; a difference is claimed once. What
// nobody claims becomes F00: unexplained is shown, never hidden.
package explain
