package natsbus_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain looks for goroutines that were left behind: this package's and the client's. The
// server in the same process leaves some of its own, so a general search would find those.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftBehind(); code == 0 && left != "" {
		fmt.Fprintln(os.Stderr, "left behind:\n"+left)
		code = 1
	}
	os.Exit(code)
}

// leftBehind are the goroutines that are still there after a while.
func leftBehind() string {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	left := ""
	for range 1500 {
		if left = ours(); left == "" {
			return ""
		}
		<-tick.C
	}
	return left
}

func ours() string {
	all := make([]byte, 4<<20)
	all = all[:runtime.Stack(all, true)]
	var found []string
	for stack := range strings.SplitSeq(string(all), "\n\n") {
		if strings.Contains(stack, "souk/internal/platform/bus/natsbus.") || strings.Contains(stack, "github.com/nats-io/nats%2ego.") {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}
