package main

import (
	"encoding/json"
	"testing"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// TestAnswerIsPlain ensures that a terminal does not act on what the function
// answers: people invoke it with the AWS CLI.
func TestAnswerIsPlain(t *testing.T) {
	want := heal.CommandAnswer{Done: true, Message: "\u009b2J\u202e\u200b\U000e0041 said the build"}
	data, err := visible(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range string(data) {
		if r < ' ' || r > '~' {
			t.Errorf("%U is there as it is", r)
		}
	}
	var got heal.CommandAnswer
	if err := json.Unmarshal(data, &got); err != nil || got.Message != want.Message {
		t.Errorf("got %+v, %v", got, err)
	}
}
