// Package explain tells from a journal what was decided, why, and what would have
// changed it.
//
// A journal holds settings, and records of one tick each with everything that the
// decision depended on. Search goes through it a line at a time and keeps what answers a
// question: about a plan, a time, a node, a replica or a model. Explain tells one record
// in full. It decides again from what was recorded, says whether the plan is the same,
// and then decides once more with one thing changed at a time: the demand of one model,
// one cap, one unknown.
//
// Everything here is a function of the lines it is given: it reads no file and no clock.
package explain
