package deploytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"
)

// groups are the process groups under way. What a program starts in its turn,
// such as the emulator its functions, is in its group and ends with it.
var groups struct {
	sync.Mutex
	pids map[int]bool
}

// TestMain has an interrupted run leave no program behind.
func TestMain(m *testing.M) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-stop
		groups.Lock() // for good: nothing is started any more
		for pid := range groups.pids {
			syscall.Kill(-pid, syscall.SIGKILL)
		}
		os.Exit(130)
	}()
	os.Exit(m.Run())
}

// begin starts a program in a process group of its own, which is ended when
// ctx is.
func begin(ctx context.Context, dir string, env []string, out *bytes.Buffer, name string, args ...string) (
	*exec.Cmd, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	groups.Lock()
	defer groups.Unlock()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if groups.pids == nil {
		groups.pids = map[int]bool{}
	}
	groups.pids[cmd.Process.Pid] = true
	return cmd, nil
}

// end waits for a program and ends what it left in its group.
func end(cmd *exec.Cmd) error {
	err := cmd.Wait()
	groups.Lock()
	defer groups.Unlock()
	delete(groups.pids, cmd.Process.Pid)
	if kill := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); kill != nil && !errors.Is(kill, syscall.ESRCH) {
		return errors.Join(err, fmt.Errorf("ending what %s left: %w", cmd.Path, kill))
	}
	return err
}
