package codebuild

import "testing"

func TestNoQuota(t *testing.T) {
	for message, want := range map[string]bool{
		"Cannot have more than 0 builds in queue for the account":                                   true,
		"Cannot have more than 0 builds in queue for the account (Service: AWSCodeBuild; Status …)": true,
		"Error calling startBuild: Cannot have more than 0 active builds for the account":           true,
		"Cannot have more than 1 active builds for the account":                                     true,
		"Cannot have more than 1 builds in queue for the account":                                   false,
		"Cannot have more than 10 builds in queue for the account":                                  false,
		"Cannot have more than 60 builds in queue for the account":                                  false,
		"Cannot have more than 1 active builds for the project":                                     false,
		"Cannot have more than 100 active builds for the project":                                   false,
		"":                              false,
		"An account limit was exceeded": false,
	} {
		if got := NoQuota(message); got != want {
			t.Errorf("%q: %v", message, got)
		}
	}
}
