// Package packing decides where models fit: which GPUs to have, into which slices
// to cut each, and which model sits on which slice, so that every demand is met
// for the least money. A slice serves one model, or is divided into equal shares
// that serve one each, or holds one server process with several models.
//
// Solve answers with a layout and with a proof: prices of slices from which anyone
// can compute, in exact arithmetic, money below which no layout can cost. The
// subpackage check does so and shares no code with the solver.
//
// The package is pure. Work limits are counted in steps, the random numbers of the
// search come from a fixed seed, and the answer does not depend on the order in
// which GPUs and models are listed.
package packing
