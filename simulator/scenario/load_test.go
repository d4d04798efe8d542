package scenario

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The paths in a file are relative to that file, whatever the working folder.
func TestPathsAreRelativeToTheScenario(t *testing.T) {
	d := at(head + generated)
	s := mustLoad(t, d.loader())
	want := []string{"conf/scenarios/test.yaml", "conf/shop/catalog.yaml", "conf/scenarios/profiles.yaml", "conf/policy.yaml"}
	if diff := cmp.Diff(want, d.opened); diff != "" {
		t.Error(diff)
	}
	if s.Name != "test" || s.Duration != 2*time.Hour || s.History != 30*time.Minute || s.Patience != defaultPatience || len(s.Settings.Policy.Models) != 2 {
		t.Errorf("%s lasts %v after %v of history, with patience %v and %d models", s.Name, s.Duration, s.History, s.Patience, len(s.Settings.Policy.Models))
	}
	for path, want := range map[string]string{"profiles.yaml": "/etc/profiles.yaml", "../policy.yaml": "/etc/policy.yaml"} {
		d := at(strings.Replace(head+generated, path, want, 1))
		for name, text := range d.files {
			if strings.HasSuffix(name, want[4:]) {
				d.files[want] = text
			}
		}
		mustLoad(t, d.loader())
		if !slices.Contains(d.opened, want) {
			t.Errorf("%s was not opened: %v", want, d.opened)
		}
	}
}

// Recorded traffic lies beside the scenario, unless somebody says where.
func TestDataRootHoldsRecordedTrafficAndNothingElse(t *testing.T) {
	const rows = "time,model\n2026-09-14T08:00:00Z,transcribe-fr\n"
	d := at(head + "  traffic:\n  - trace: recorded/calls.csv\n")
	d.files["conf/scenarios/recorded/calls.csv"] = rows
	mustLoad(t, d.loader())

	d.files["/mnt/traces/recorded/calls.csv"] = rows
	delete(d.files, "conf/scenarios/recorded/calls.csv")
	l := d.loader()
	refused(t, l, "conf/scenarios/test.yaml:12:12: ", "conf/scenarios/recorded/calls.csv is not there", "--data DIR")
	l.Data = "/mnt/traces"
	mustLoad(t, l)
	l.Data = "/mnt/nowhere"
	refused(t, l, "/mnt/nowhere/recorded/calls.csv is not there", "give the folder that holds recorded/calls.csv")

	// An absolute path is what it is.
	d = at(head + "  traffic:\n  - trace: /var/calls.csv\n")
	d.files["/var/calls.csv"] = rows
	l = d.loader()
	l.Data = "/mnt/traces"
	mustLoad(t, l)
}

func TestAPolicyInPlaceOfTheScenarios(t *testing.T) {
	d := at(head + generated)
	d.files["mine.yaml"] = strings.Replace(d.files["conf/policy.yaml"], "name: test", "name: mine", 1)
	delete(d.files, "conf/policy.yaml")
	l := d.loader()
	refused(t, l, "conf/scenarios/test.yaml:8:11: ", "there is no file conf/policy.yaml")
	l.Policy = "mine.yaml" // from the working folder, not the scenario's
	if s := mustLoad(t, l); s.Settings.Policy.Name != "mine" {
		t.Errorf("the policy is %s", s.Settings.Policy.Name)
	}
}

// Parts may stand in the scenario itself; complaints then name its own lines.
func TestInlineParts(t *testing.T) {
	d := at("")
	text := head + generated
	for path, file := range map[string]string{
		"../policy.yaml": "conf/policy.yaml", "../shop/catalog.yaml": "conf/shop/catalog.yaml", "profiles.yaml": "conf/scenarios/profiles.yaml",
	} {
		text = strings.Replace(text, ": "+path+"\n", ":\n    "+strings.ReplaceAll(strings.TrimSpace(d.files[file]), "\n", "\n    ")+"\n", 1)
	}
	d = &disk{files: map[string]string{"conf/scenarios/test.yaml": text}}
	inline, files := mustLoad(t, d.loader()), mustLoad(t, at(head+generated).loader())
	if diff := cmp.Diff(files.Settings.Policy.Describe(), inline.Settings.Policy.Describe()); diff != "" {
		t.Error(diff)
	}
	before, _, _ := strings.Cut(text, `pricePerHour: "5.07"`)
	line := 1 + strings.Count(before, "\n")
	d.files["conf/scenarios/test.yaml"] = strings.Replace(text, `"5.07"`, `5.07`, 1)
	refused(t, d.loader(), "conf/scenarios/test.yaml:"+strconv.Itoa(line)+":", "spec.catalog.spec.offerings[0].pricePerHour", `quote it: "5.07"`)

	// Neither a path nor a part.
	refused(t, at(strings.Replace(head+generated, "../policy.yaml", "[a, b]", 1)).loader(), "conf/scenarios/test.yaml:8:11: ", "a path or the file's content")
}

// Whatever a file is, no more of it is read than what a person could have written.
func TestEndlessFilesAreNotRead(t *testing.T) {
	for _, path := range []string{"conf/scenarios/test.yaml", "conf/policy.yaml", "conf/shop/catalog.yaml", "conf/scenarios/profiles.yaml", "conf/scenarios/calls.csv"} {
		d, endless := at(head+"  traffic:\n  - trace: calls.csv\n"), &heap{}
		l := Loader{Open: func(name string) (io.ReadCloser, error) {
			if name == path {
				return endless, nil
			}
			return d.open(name)
		}}
		refused(t, l, path+":1:")
		if endless.read == 0 || endless.read > 4<<20 {
			t.Errorf("%s: %d bytes of 2 GB were read", path, endless.read)
		}
	}
}

func TestABrokenDiskIsNoMistakeOfTheFile(t *testing.T) {
	for _, path := range []string{"conf/scenarios/test.yaml", "conf/policy.yaml", "conf/scenarios/calls.csv"} {
		d := at(head + "  traffic:\n  - trace: calls.csv\n")
		l := Loader{Open: func(name string) (io.ReadCloser, error) {
			if name == path {
				return nil, errBroken
			}
			return d.open(name)
		}}
		if _, err := l.Load("conf/scenarios/test.yaml"); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// One file, all of its complaints, in the order of its lines.
func TestEveryComplaintAboutTrafficIsShown(t *testing.T) {
	d := at(head + `  traffic:
  - trace: calls.csv
    models: {A: transcribe-rf}
  - generate: {model: transcribe-ne, shape: poisson, peak: 1}
  - trace: other.csv
  - generate: {model: transcribe-en, shape: poissonn, peak: 1}
    scale: 3
  - {}
`)
	d.files["conf/scenarios/calls.csv"] = "time,model\n2026-09-14T08:00:00Z,A\n"
	_, err := d.loader().Load("conf/scenarios/test.yaml")
	if err == nil {
		t.Fatal("it was taken")
	}
	last := -1
	for _, at := range []string{"test.yaml:13:17: ", "test.yaml:14:", "test.yaml:15:12: ", "test.yaml:16:", "test.yaml:17:5: ", "test.yaml:18:"} {
		where := strings.Index(err.Error(), at)
		if where <= last {
			t.Errorf("%s stands at %d, the one before at %d:\n%v", at, where, last, err)
		}
		last = where
	}
}
