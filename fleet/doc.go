// Package fleet holds the nouns of Tessera: money, GPU types and their slices,
// offerings, models, signals, the snapshot of a fleet at an instant, and the
// steps of a plan with their reasons.
//
// The package knows no clock, no network and no file. Values are meant to be
// copied and compared; a Snapshot is immutable by agreement and cloned before
// anything is tried on it. Whatever a person reads of these values comes from
// their Describe and String methods, so that the console, the log, the
// transcripts of tests and the explanations say the same thing in the same
// words.
package fleet
