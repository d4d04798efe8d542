// Package observe is how the loop sees a real fleet: it joins what the cluster shows
// with what is measured into one snapshot.
package observe
