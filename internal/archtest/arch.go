// Package archtest holds the arrows of the repository as data and checks them:
// which package tree may import which, what each may take from outside, and why
// not more. Its test reads the imports of the whole module, so an arrow that runs
// the wrong way fails the build with file, line and the reason.
//
// The table is in rooms.go. Whoever adds a package tree says there what it may
// import; docs/architecture.md tells the same in prose.
package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// MaxLines is the length at which a file that is not a test is taken to hold two
// subjects and should be two files.
const MaxLines = 450

// A Table is the plan of one module: its rooms, and the fences that hold in all
// of them.
type Table struct {
	Module string  // import path of the module
	Rooms  []Room  // every package belongs to the room with the longest matching path
	Fences []Fence // hold for tests too
}

// A Room is one package tree and what may be carried into it. The arrows hold
// for code that ships; tests may import what they like, short of a Fence.
type Room struct {
	Path    string   // folder relative to the root of the module; its sub-folders belong to it
	May     []string // paths of other rooms it may import
	Why     string   // why it may import no other room
	Not     []Ban    // sharper reasons for some of the rooms not in May
	Modules []string // modules of others it may import, as path prefixes; everything else outside is refused
	WhyMod  string   // why it may import no other module
	Bans    []Ban    // import paths, mostly of the standard library, it must not import
	Uses    []Use    // package-level names it must not use
}

// A Ban is an import that is refused, and the reason. The path stands for itself
// and everything below it; a trailing $ makes it stand for itself alone.
type Ban struct {
	Path string
	Why  string
}

// A Use bans names of a package that may itself be imported: time.Duration is
// welcome where time.Now is not.
type Use struct {
	Package string   // import path
	Names   []string // exported names that must not be used
	Except  []string // files, relative to the module's root, in which they may
	Why     string
}

// A Fence keeps an import out of the whole module, tests included, but for one room.
type Fence struct {
	Path   string // import path and everything below it
	Inside string // the only room that may import it
	Why    string
}

// A Complaint is one broken rule at one place.
type Complaint struct {
	File string // relative to the module's root, with slashes
	Line int    // 0 when the complaint is about the whole file or folder
	What string // the broken rule, as a clause: "packing imports .../policy"
	Why  string // the reason the rule exists
}

// String renders the complaint on one line: what, where, why.
func (c Complaint) String() string {
	where := c.File
	if c.Line > 0 {
		where = fmt.Sprintf("%s:%d", c.File, c.Line)
	}
	return fmt.Sprintf("%s (%s): %s", c.What, where, c.Why)
}

// room finds the room a folder belongs to: the one with the longest path that
// is the folder or lies above it.
func (t Table) room(dir string) (Room, bool) {
	var found Room
	for _, r := range t.Rooms {
		if covers(r.Path, dir) && len(r.Path) > len(found.Path) {
			found = r
		}
	}
	return found, found.Path != ""
}

// whyNot answers why this room must not import the other one, or "" if it may.
func (r Room) whyNot(other Room) string {
	if other.Path == r.Path || slices.Contains(r.May, other.Path) {
		return ""
	}
	for _, b := range r.Not {
		if b.matches(other.Path) {
			return b.Why
		}
	}
	return r.Why
}

// matches tells whether the ban is about this import path.
func (b Ban) matches(path string) bool {
	if exact, ok := strings.CutSuffix(b.Path, "$"); ok {
		return path == exact
	}
	return covers(b.Path, path)
}

// covers tells whether path is tree or lies below it.
func covers(tree, path string) bool {
	return path == tree || strings.HasPrefix(path, tree+"/")
}
