package strictyaml

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the expected complaints anew")

// complaintsOf decodes a file as the packages that use this one do.
func complaintsOf(name string, data []byte) string {
	doc := Parse(name, data)
	var fleet testFleet
	if _, ok := doc.Expect("tessera/v1alpha1", "FleetPolicy"); ok {
		doc.Decode(&fleet)
		checkClasses(doc, fleet)
	}
	err := doc.Err()
	if err == nil {
		return "no complaint\n"
	}
	return err.Error() + "\n"
}

// checkClasses is a check of meaning, such as other packages add.
func checkClasses(doc *Document, fleet testFleet) {
	known := doc.Keys("spec.classes")
	for i, m := range fleet.Spec.Models {
		if _, ok := fleet.Spec.Classes[m.Class]; !ok {
			doc.Complain(Key(Index("spec.models", i), "class"), "there is no class %q", m.Class).Suggest(m.Class, known)
		}
	}
	if fleet.Spec.Currency == "EUR" && doc.Has("spec.budgets") {
		doc.Complain("spec.budgets", "budgets have no effect in EUR").OnKey().Hint("remove the key")
	}
}

// Every bad file in testdata is complained about exactly as the text beside it
// says: positions, carets, order, and hints.
func TestComplaintsReadAsTheGoldenFilesSay(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs in testdata: %v", err)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			data, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			got := complaintsOf(filepath.Base(input), data)
			golden := strings.TrimSuffix(input, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("complaints (-want +got):\n%s", diff)
			}
		})
	}
}
