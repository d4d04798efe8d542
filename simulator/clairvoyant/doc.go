// Package clairvoyant plans a fleet for traffic that it knows: every arrival, its
// work, and how long each node takes to start. Nothing that it does is foresight's
// alone, though: its nodes start and load as everybody's do, under the same limits
// and minimum replicas.
//
// Time is cut into bins. What a set of servers of a model misses in a bin is found
// by replaying the arrivals of the bin (replay.go). Fleets worth having are proposed
// bin by bin (propose.go), and the cheapest way through them, with a price on misses
// and one on starts, is found by dynamic programming (path.go). A Schedule plays the
// way in a world (schedule.go, play.go). What the replay leaves out (queues that go
// over from bin to bin, loads that are shorter or longer) is seen in the world: who
// judges a schedule there tells the Planner what was missed, and it plans anew.
package clairvoyant
