// Package console is how the running service is seen: one web page with its API,
// the metrics, and the answers to the probes.
//
// A Board takes what each tick produced. It keeps the newest state, the last two
// days of demand, capacity and money, and the last decisions, and counts what the
// metrics count. A Server shows the board over HTTP and can only read: nothing
// here changes a plan, a policy or a fleet.
//
// What the loop does not know is shown as unknown with its cause, and is absent
// from the metrics; it is never drawn as zero.
package console
