// Package repack leads a running fleet to a layout that serves a new need, for the
// least money: what the nodes cost over the time they are kept, and the price of
// every step on the way there.
//
// Today's layout is where the search begins. Some nodes at a time are taken out and
// what they did is packed again, beside everything else; the nodes that this needs
// are matched with those taken out so that most can stay; and the result counts only
// if a sequence of steps leads to it whose price is less than what it saves. No step
// of a sequence takes capacity from a model that needs it, and nothing is cut anew
// while anyone is on it.
//
// The package is pure. Work is counted in layouts tried, the random numbers come
// from a fixed seed, and the answer does not depend on the order in which nodes,
// GPUs and models are listed.
package repack
