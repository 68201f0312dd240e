package main

import (
	"os"
	"path/filepath"

	"github.com/buildmedic/buildmedic/internal/sandbox"
)

// envSandbox names the folder of the sandbox that a command runs in.
const envSandbox = "BUILDMEDIC_SANDBOX"

// sandboxed is the sandbox that the environment names: its folder, and the time in it. Both of its
// variables must agree that AWS is simulated, so that a real account never gets simulated times.
func sandboxed() (dir string, clock *sandbox.Client) {
	dir = os.Getenv(envSandbox)
	c, err := sandbox.Connect(os.Getenv("AWS_ENDPOINT_URL"), dir)
	if err != nil {
		return "", nil
	}
	return dir, c
}

// enterSandbox has a command go by the time and the settings of the sandbox that it runs in.
// However that was started, its commands have this program's own name there.
func enterSandbox() {
	if dir, c := sandboxed(); c != nil {
		deskClock, program, defaultSettings = c, "buildmedic", filepath.Join(dir, sandbox.SettingsFile)
	}
}

// ownFolder is where a command keeps what is its own: below the user's folder, or in the sandbox's,
// which is gone with it.
func ownFolder(users func() (string, error)) (string, error) {
	if dir, _ := sandboxed(); dir != "" {
		return dir, nil
	}
	return users()
}
