package archtest

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestArrows is the promise of the table, held against the module as it is.
func TestArrows(t *testing.T) {
	found, err := Check(os.DirFS("../.."), Tessera)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range found {
		t.Error(c)
	}
}

// TestTableIsReadFromTheRoot keeps the test above from passing on an empty folder.
func TestTableIsReadFromTheRoot(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "module " + Tessera.Module + "\n"; !strings.HasPrefix(string(mod), want) {
		t.Errorf("go.mod does not begin with %q: the table is about another module", want)
	}
}

// TestEveryRefusalHasAReason: an arrow nobody can defend is not worth a test.
func TestEveryRefusalHasAReason(t *testing.T) {
	for _, r := range Tessera.Rooms {
		if r.Why == "" || r.WhyMod == "" {
			t.Errorf("room %s does not say why it may import no more", r.Path)
		}
		for _, b := range slices.Concat(r.Bans, r.Not) {
			if b.Why == "" {
				t.Errorf("room %s bans %s without a reason", r.Path, b.Path)
			}
		}
		for _, u := range r.Uses {
			if u.Why == "" {
				t.Errorf("room %s bans names of %s without a reason", r.Path, u.Package)
			}
		}
	}
	for _, f := range Tessera.Fences {
		if f.Why == "" {
			t.Errorf("the fence around %s has no reason", f.Path)
		}
	}
}

// TestTableNamesRoomsThatExist finds spelling mistakes, which would forbid or
// explain nothing.
func TestTableNamesRoomsThatExist(t *testing.T) {
	rooms := map[string]bool{}
	for _, r := range Tessera.Rooms {
		if rooms[r.Path] {
			t.Errorf("room %s is in the table twice", r.Path)
		}
		rooms[r.Path] = true
	}
	for _, r := range Tessera.Rooms {
		for _, p := range r.May {
			if !rooms[p] {
				t.Errorf("room %s may import %s, which is no room", r.Path, p)
			}
		}
		for _, b := range r.Not {
			if !rooms[b.Path] {
				t.Errorf("room %s has a reason against %s, which is no room", r.Path, b.Path)
			}
		}
	}
}

// TestArrowsRunDownOnly: no room can reach itself through the arrows of the table.
func TestArrowsRunDownOnly(t *testing.T) {
	may := map[string][]string{}
	for _, r := range Tessera.Rooms {
		may[r.Path] = r.May
	}
	var walk func(from string, trail []string)
	walk = func(from string, trail []string) {
		for _, to := range may[from] {
			if to == trail[0] {
				t.Errorf("the arrows go round: %s > %s", strings.Join(trail, " > "), to)
				return
			}
			if len(trail) <= len(may) {
				walk(to, append(trail, to))
			}
		}
	}
	for _, r := range Tessera.Rooms {
		walk(r.Path, []string{r.Path})
	}
}
