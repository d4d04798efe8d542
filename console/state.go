package console

import (
	"time"

	"github.com/tessera-autoscaler/tessera/control"
)

// The modes of the service, as metrics and page name them.
const (
	ModeActive = "active" // steps are carried out
	ModeShadow = "shadow" // steps are only recorded
)

// State is one tick as the console shows it. It is not changed by anybody once
// it was published.
type State struct {
	Record   control.Record
	Settings control.Settings
	World    string // for people, such as "embedded world, 600x" or "cluster"
	Mode     string // ModeActive or ModeShadow
	// Took is how long the tick took in wall-clock time; zero when nobody measured.
	Took time.Duration
	// PolicyError is why the newest policy was not taken, empty when it was.
	PolicyError string
	// PolicyLoadedAt is when the policy in force was taken, in wall-clock time.
	PolicyLoadedAt time.Time
}

// Build says which build is running.
type Build struct {
	Version   string // such as "0.3.1", or "dev"
	Revision  string // of the source, empty when unknown
	GoVersion string // of the compiler
}
