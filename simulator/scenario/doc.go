// Package scenario reads a scenario file and everything it names: policy,
// catalog, profiles and recorded traffic, and builds a world from it.
//
// The package opens no file itself: whoever calls it says how a path is opened,
// so that the same scenario runs from a checkout and from the files built into
// the program.
package scenario
