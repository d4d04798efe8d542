package peers

import (
	"os"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
)

// TestMain quiets the original code, which would log every decision.
func TestMain(m *testing.M) {
	klog.SetLogger(logr.Discard())
	// The default handlers sleep until so long after the last error, which was in
	// another bubble and so in another time: that sleep could last for years.
	runtime.ErrorHandlers = nil
	os.Exit(m.Run())
}
